"""Who may know whom: the geometry of a web needs no torch, the detector no window and no database."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aoi_app
import cras_core

ROOT = Path(cras_core.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def imported_by(path: Path) -> set[str]:
    """Names of all modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_detector_knows_neither_the_application_nor_windows_nor_databases(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_by(path)}
    assert not roots & {"aoi_app", "PySide6", "PyQt6", "pyqtgraph", "sqlalchemy", "pydantic"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_the_command_line_knows_how_to_print(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_by(path)}
    is_command_line = path.name in ("__main__.py", "terminal.py") or path.stem.endswith("_commands")
    is_command_line = is_command_line or path.parent.name == "commands"
    assert is_command_line or not roots & {"typer", "rich", "click", "argparse"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_figures_know_matplotlib(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_by(path)}
    assert path.parent.name == "figures" or "matplotlib" not in roots


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_the_export_knows_onnx(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_by(path)}
    may = path.stem in ("export", "parity", "onnx_detector") or path.parent.name == "engines"
    assert may or not roots & {"onnx", "onnxruntime", "onnxscript"}


def test_the_authors_vote_cannot_be_reached_from_the_program() -> None:
    """A picture's score must not depend on its neighbours: only the evaluation knows the vote of a test batch, and
    nothing of the program knows the evaluation.
    """
    program = sorted(Path(aoi_app.__file__).parent.rglob("*.py"))
    assert program
    who = {p.stem for p in FILES if "cras_core.detectors.batch_vote" in imported_by(p)}
    assert who in ({"evaluate"}, {"images"})
    for path in program:
        judging = {n for n in imported_by(path) if n.split(".")[-1] in ("batch_vote", "evaluate", "evaluate_web")}
        assert not judging, path


def test_the_geometry_of_a_web_needs_neither_torch_nor_timm() -> None:
    modules = [f"cras_core.web.{p.stem}" for p in sorted((ROOT / "web").glob("*.py")) if p.stem != "__init__"]
    assert len(modules) >= 6
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(sorted({'torch', 'timm', 'torchvision', 'sklearn', 'PySide6', 'aoi_app'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_the_help_of_the_command_line_needs_no_torch() -> None:
    code = "import sys, cras_core.__main__\nprint(sorted({'torch', 'timm', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
