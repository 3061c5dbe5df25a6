"""Who may import whom: the table of rooms in ARCHITECTURE.md holds for every file, and there are no circles."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("aoi_app", "cras_core")
FILES = {str(p.relative_to(TOP)): p for package in PACKAGES for p in sorted((TOP / package).rglob("*.py"))}
MODULES = {path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path for path in FILES}
LATE = " (late)"


@dataclass(frozen=True)
class Import:
    """One import of a file.

    Attributes:
        target: a file of the project, or a library.
        is_late: it runs on demand, or not at all: inside a function, or for a type.
    """

    target: str
    is_late: bool


@dataclass(frozen=True)
class Room:
    """One row of the table: what its files may import; with ``LATE`` behind it, on demand only."""

    path: str
    rooms: frozenset[str]
    libraries: frozenset[str]


def read_table(text: str) -> tuple[dict[str, Room], frozenset[str]]:
    """The rooms by their path, and the ground, which everybody may import."""
    ground = re.search(r"^Everybody may import the ground: (.*)\.$", text, flags=re.MULTILINE)
    assert ground
    rows = re.findall(r"^\| `((?:aoi_app|cras_core)[\w/.]*)` \| (.*) \| (.*) \|$", text, flags=re.MULTILINE)
    rooms = {path: Room(path, _names(rooms), _names(libraries)) for path, rooms, libraries in rows}
    return rooms, frozenset(re.findall(r"`([^`]+)`", ground[1]))


def _names(cell: str) -> frozenset[str]:
    return frozenset(name + late for name, late in re.findall(r"`([^`]+)`((?: \(late\))?)", cell))


ROOMS, GROUND = read_table((TOP / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def room_of(path: str) -> str | None:
    """The row with the longest path that a file lies in."""
    found = [room for room in (*ROOMS, *GROUND) if path == room or path.startswith(f"{room}/")]
    return max(found, key=len, default=None)


def imports(source: str) -> Iterator[Import]:
    """Everything that a file imports, wherever in it."""
    yield from _imports(ast.parse(source), is_late=False)


def _imports(node: ast.AST, *, is_late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for name in _named_by(child):
            yield Import(MODULES.get(name, name.split(".")[0]), is_late)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, is_late=is_late or is_for_types or is_function)


def _named_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written out"
        assert node.module is not None
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else node.module for name in full]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("__import__", "import_module")):
        raise AssertionError(f"line {node.lineno}: an import by name cannot be held against the table")
    return []


SERVICES = (
    "focus_service",
    "services",
    "workspace",
    "fabric_service",
    "sample_service",
    "label_service",
    "label_codes_service",
    "review_service",
    "collection_service",
    "collector",
    "library_reader",
    "sample_changes",
    "camera_service",
    "focus_reading",
    "training_job",
    "session",
    "reader",
)
"""Files with threads and disks behind them: the window knows states and values, controllers know services."""


GROUND_LIBRARIES = frozenset(
    {"cv2", "natsort", "numpy", "PIL", "psutil", "pydantic", "pydantic_core", "typing_extensions"}
)


def violations(path: str, source: str) -> list[str]:
    """What a file imports against the table."""
    mine = room_of(path)
    if mine is None:
        return [f"{path} lies in no room"]
    if mine in GROUND:
        allowed: frozenset[str] = frozenset()
    else:
        allowed = ROOMS[mine].rooms | ROOMS[mine].libraries
    found = []
    for one in imports(source):
        target = room_of(one.target) if one.target in FILES else one.target
        is_free = target == mine or target in GROUND or target in sys.stdlib_module_names
        if mine in GROUND and target not in FILES:
            is_free = is_free or target in GROUND_LIBRARIES
        is_service = mine == "aoi_app/ui" and target != mine and Path(one.target).stem in SERVICES
        if is_service or not (is_free or target in allowed or (one.is_late and f"{target}{LATE}" in allowed)):
            found.append(f"{path} imports {one.target}")
    return sorted(set(found))


@pytest.mark.parametrize("path", FILES)
def test_a_file_imports_what_its_room_may(path: str) -> None:
    assert violations(path, FILES[path].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_table_names_nothing_that_is_not_there(room: str) -> None:
    """An arrow that nobody needs any more is taken out of the table, so that it does not come back unseen."""
    here = [(p, FILES[p]) for p in FILES if room_of(p) == room]
    assert here, f"{room} is empty"
    used = set()
    for _, file in here:
        for one in imports(file.read_text(encoding="utf-8")):
            target = room_of(one.target) if one.target in FILES else one.target
            used |= {target} if not one.is_late else {target, f"{target}{LATE}"}
    assert ROOMS[room].rooms | ROOMS[room].libraries <= used


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("aoi_app/inspection/roll_model.py", "import torch"),
        ("aoi_app/inspection/new_file.py", "from torch import nn"),
        ("aoi_app/inspection/overlay.py", "def f():\n    import torch"),
        ("aoi_app/samples/tile_plan.py", "import torch.nn as nn"),
        ("aoi_app/samples/collector.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
        ("aoi_app/samples/services.py", "from PySide6.QtCore import QObject"),
        ("aoi_app/ui/main/live_view.py", "import sqlalchemy"),
        ("aoi_app/ui/main/live_view.py", "from aoi_app.samples.sample_service import SampleService"),
        ("aoi_app/ui/main/live_view.py", "from aoi_app.sources import loom"),
        ("aoi_app/reports/grading/grade.py", "from aoi_app.live.session import Session"),
        ("aoi_app/reports/grading/grade.py", "import torch"),
        ("aoi_app/records/database.py", "from aoi_app.live.session import Session"),
        ("aoi_app/sources/loom.py", "import harvesters"),
        ("aoi_app/sources/loom.py", "import aoi_app.records.database"),
        ("aoi_app/settings/recipe.py", "import torch"),
        ("aoi_app/live/session.py", "from aoi_app.app.application import Application"),
        ("aoi_app/live/session.py", "import torch"),
        ("aoi_app/__main__.py", "import PySide6"),
        ("aoi_app/somewhere.py", "import os"),
        ("aoi_app/new_room/file.py", "import os"),
        ("cras_core/web/edges.py", "import torch"),
        ("cras_core/data/folders.py", "import torch"),
        ("cras_core/detectors/base.py", "from cras_core.training import train"),
        ("cras_core/evaluation/webs.py", "from cras_core.studies import methods"),
        ("cras_core/files.py", "import torch"),
        ("cras_core/training/train.py", "import aoi_app"),
        ("cras_core/detectors/base.py", "import matplotlib"),
        ("cras_core/detectors/base.py", "import onnx"),
    ],
)
def test_an_arrow_that_is_not_in_the_table_is_found(path: str, line: str) -> None:
    assert violations(path, line)


def test_the_services_are_where_the_rule_of_the_window_looks_for_them() -> None:
    assert {Path(path).stem for path in FILES} >= set(SERVICES)


def test_only_the_evaluation_of_pictures_knows_the_vote_of_a_test_batch() -> None:
    """A picture's score must not depend on its neighbours; the authors' vote is there to compare with their figures."""
    vote = "cras_core/detectors/batch_vote.py"
    assert vote in FILES
    who = [p for p, f in FILES.items() if vote in {i.target for i in imports(f.read_text(encoding="utf-8"))}]
    assert who == ["cras_core/evaluation/images.py"]


@pytest.mark.parametrize("with_late", [False, True])
def test_there_are_no_circles(with_late: bool) -> None:
    graph = {
        path: {
            one.target
            for one in imports(file.read_text(encoding="utf-8"))
            if one.target in FILES and one.target != path and (with_late or not one.is_late)
        }
        for path, file in FILES.items()
    }
    done: set[str] = set()

    def visit(path: str, way: tuple[str, ...]) -> None:
        assert path not in way, " -> ".join([*way[way.index(path) :], path])
        if path not in done:
            for other in sorted(graph[path]):
                visit(other, (*way, path))
            done.add(path)

    for path in sorted(graph):
        visit(path, ())


HEAVY = {
    "torch",
    "torchvision",
    "timm",
    "scipy",
    "sklearn",
    "PySide6",
    "pyqtgraph",
    "sqlalchemy",
    "harvesters",
    "genicam",
}


@pytest.mark.parametrize(
    ("rooms", "may_load"),
    [
        (("cras_core/web", "cras_core/data", "cras_core/config"), set()),
        (("aoi_app/settings", "aoi_app/inspection", "aoi_app/background", "aoi_app/camera_setup"), set()),
        (("aoi_app/__main__.py", "aoi_app/command_line.py", "aoi_app/commands", "aoi_app/faults"), set()),
        (("cras_core/__main__.py", "cras_core/commands"), set()),
        (("aoi_app/learning", "cras_core/registry"), set()),
        (("aoi_app/records", "aoi_app/live", "aoi_app/samples", "aoi_app/reports"), {"sqlalchemy"}),
        (("aoi_app/ui", "aoi_app/app"), {"PySide6", "pyqtgraph", "sqlalchemy"}),
    ],
    ids=lambda value: "+".join(sorted(value)),
)
def test_what_a_room_loads(rooms: tuple[str, ...], may_load: set[str]) -> None:
    """Also by way of others: a mistake on the command line is answered before torch is loaded, the window is shown."""
    names = sorted(m for m, path in MODULES.items() if any(path == r or path.startswith(f"{r}/") for r in rooms))
    assert len(names) >= len(rooms)
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=TOP)
    assert done.returncode == 0, done.stderr
    assert set(ast.literal_eval(done.stdout)) <= may_load


def test_every_file_that_the_map_names_exists() -> None:
    """A name without a folder lies in the folder of the last one with a folder, in the same
    paragraph, step or row.
    """
    lost, found = [], 0
    for piece in re.split(r"\n\n|\n(?=\d\. |\|)", (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")):
        folder = None
        for name in re.findall(r"`([\w/]+\.py|(?:aoi_app|cras_core)/[\w/]*)`", piece):
            is_full = name.split("/")[0] in PACKAGES or name.startswith("tests/")
            path = TOP / name if is_full else None if folder is None else folder / name
            found += 1
            if path is None or not path.exists():
                lost.append(f"{name} in: {piece[:60]}")
            elif is_full:
                folder = path if path.is_dir() else path.parent
    assert found > 150
    assert lost == []
