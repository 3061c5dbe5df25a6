"""Producers that are missing, foreign, broken, crashing or hanging cost a line, never the program."""

from __future__ import annotations

import ctypes.util
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from aoi_app.sources.camera import discovery
from aoi_app.sources.camera.discovery import discover_cameras, find_camera, find_producers, problem_of
from aoi_app.sources.camera.synthetic import SYNTHETIC
from aoi_app.sources.source import SourceError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs a library of Linux")


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)


def test_a_producer_that_cannot_work_is_told_without_loading_it(tmp_path: Path) -> None:
    files = {"text.cti": b"no library at all", "short.cti": b"", "arm.cti": elf(40), "windows.cti": b""}
    files["windows.cti"] = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x14C)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert "is no producer: it is not a library" in str(problem_of(tmp_path / "text.cti"))
    assert "is no producer" in str(problem_of(tmp_path / "short.cti"))
    assert "is built for Linux on arm; this is" in str(problem_of(tmp_path / "arm.cti"))
    assert "is built for Windows on x86; this is" in str(problem_of(tmp_path / "windows.cti"))
    assert "There is no producer" in str(problem_of(tmp_path / "none.cti"))
    assert "is no file" in str(problem_of(tmp_path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_producer_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.cti"
    path.write_bytes(elf(62))
    path.chmod(0)
    assert "Permission denied" in str(problem_of(path))


def library_that(tmp_path: Path, name: str, code: str) -> Path:
    """A real library whose constructor does something as soon as it is loaded."""
    source, made = tmp_path / f"{name}.c", tmp_path / f"{name}.cti"
    source.write_text(
        f"#include <stdlib.h>\n#include <unistd.h>\n__attribute__((constructor)) void f(void) {{ {code} }}\n"
    )
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(made), str(source)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no compiler here")
    return made


@LINUX
def test_producers_that_crash_hang_or_lack_everything_cost_one_line_each(tmp_path: Path, viky: str) -> None:
    crashing, hanging = library_that(tmp_path, "crashes", "abort();"), library_that(tmp_path, "hangs", "sleep(600);")
    (hangs,) = discover_cameras([(hanging, "test")], limit_s=2.0)
    assert hangs.problem.startswith(f"The producer {hanging} did not answer for")
    crashes, works = discover_cameras([(crashing, "test"), (Path(viky), "test")])
    assert crashes.problem.startswith(f"The producer {crashing} crashed (SIGABRT).")
    assert works.problem == ""
    assert len(works.devices) == 3


@LINUX
def test_a_library_that_is_no_producer_is_told(tmp_path: Path) -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("no mathematical library by that name")
    found = next((p for p in Path("/lib").glob(f"*/{name}")), None)
    if found is None:
        pytest.skip("the library lies elsewhere")
    path = tmp_path / "math.cti"
    path.write_bytes(found.read_bytes())
    (report,) = discover_cameras([(path, "test")])
    assert str(path) in report.problem
    assert report.devices == ()


def test_places_are_searched_in_order_and_every_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, viky: str
) -> None:
    (tmp_path / "b.cti").write_bytes(b"b")
    (tmp_path / "a.cti").write_bytes(b"a")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("GENICAM_GENTL64_PATH", os.pathsep.join([str(tmp_path), str(tmp_path / "empty"), viky]))
    found, remarks = find_producers([str(tmp_path / "b.cti")])
    assert [p.name for p, _ in found] == ["b.cti", "a.cti", "viky.cti"]
    assert [origin for _, origin in found] == ["named", "GENICAM_GENTL64_PATH", "GENICAM_GENTL64_PATH"]
    assert remarks == [f"{tmp_path / 'empty'} (GENICAM_GENTL64_PATH) holds no producer (*.cti)."]
    assert [p.name for p, _ in find_producers(["x.cti"], elsewhere=False)[0]] == ["x.cti"]


def test_the_wanted_camera_is_found_or_what_there_is_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, viky: str
) -> None:
    monkeypatch.delenv("GENICAM_GENTL64_PATH", raising=False)
    assert find_camera(None).serial == "0"
    assert find_camera("VikyTL_DEV_green").serial == "1"
    assert find_camera("x", [SYNTHETIC]).serial == "x"
    with pytest.raises(SourceError, match=r"no camera with the serial number 9.*Found: .*Viky 0.*Viky 2"):
        find_camera("9", [viky])
    with pytest.raises(SourceError, match=r"There is no camera\. There is no producer .*none\.cti"):
        find_camera(None, [str(tmp_path / "none.cti")])
    monkeypatch.setattr(discovery, "package_producer", lambda: None)
    with pytest.raises(SourceError, match="No producer is known: set GENICAM_GENTL64_PATH"):
        find_camera(None)
