"""A machine on which the GenICam binding cannot be loaded says what to install; the other sources work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aoi_app.sources.camera.discovery import package_producer


@pytest.mark.parametrize(
    ("failure", "way_out"),
    [
        ("ImportError('libpython3.11.so.1.0: cannot open shared object file')", "apt-get install libpython3-dev"),
        ("ImportError('undefined symbol: x')", "Install the program again"),
    ],
)
def test_a_binding_that_cannot_be_loaded_is_named_with_the_way_out(tmp_path: Path, failure: str, way_out: str) -> None:
    producer = package_producer()
    assert producer is not None
    (tmp_path / "genicam").mkdir()
    (tmp_path / "genicam" / "__init__.py").write_text(f"raise {failure}\n")
    shutil.copy(producer, tmp_path / "genicam" / "viky.cti")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-m", "aoi_app", "camera", "list"],
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert "GenICam cameras cannot be used" in said
    assert way_out in said
    assert "Synthetic line scan" in said
    assert "Traceback" not in said
