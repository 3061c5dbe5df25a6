"""Files of JSON that people edit, copy and break."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz_tools import FIXTURES, check_message, fuzzed, holds, hostile

from aoi_app.learning.training_state import TrainingState, after_line
from aoi_app.records.tile_places import PLACES, tiles_of
from aoi_app.settings.defect_types import load_defect_types
from aoi_app.settings.folder_holder import Hold
from aoi_app.settings.imaging_history import ImagingHistory
from aoi_app.settings.recipe import load_recipe
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.running_tails import RunningTails
from aoi_app.settings.settings import load_settings
from aoi_app.settings.strict_json import read_json
from aoi_app.sources.camera.presets import load_preset
from aoi_app.sources.recording.format import Header
from aoi_app.sources.side_by_side_file import load_side_by_side
from cras_core.data.folders import find_strips
from cras_core.data.samples.files import parse_fabric, parse_sample
from cras_core.evaluation.candidate_reports import REPORTS, load_report
from cras_core.evaluation.plots.write import _recall_of
from cras_core.registry.store import ModelStore


def value_of(path: str) -> Any:
    return json.loads((FIXTURES / path).read_text(encoding="utf-8"))


def told(read: Callable[[Path], tuple[object, object]]) -> Callable[[Path], object]:
    """Of readers that fall back on what is standard and say so."""

    def said(path: Path) -> object:
        value, remarks = read(path)
        for remark in remarks if isinstance(remarks, list) else [remarks or ""]:
            check_message(str(remark))
        return value

    return said


def store_of(path: Path) -> object:
    store = ModelStore(path.parent)
    return store.entries(), store.in_use, store.promotions


def fabric_of(path: Path) -> object:
    return parse_fabric(path.read_bytes(), "a fabric")


def sample_of(path: Path) -> object:
    return parse_sample(path.read_bytes(), "a sample")


TILE = {
    "tile": "plain/test/defect/r-1.png",
    "defect": 1,
    "first_line": 512,
    "left_px": 0,
    "lines": 512,
    "columns": 512,
    "cloth_left_px": 0.0,
    "cloth_right_px": 512.0,
    "box": [10, 20, 30, 40],
}


def places_of(path: Path) -> object:
    tiles = tiles_of(path.parent, 1)
    for tile in tiles:
        for inside in (tile.picture, tile.mask):
            assert ".." not in inside.parts
            assert inside.is_relative_to(path.parent)
    return tiles


def tails_of(path: Path) -> object:
    tails = RunningTails(path.parent)
    tail = tails.of("a")
    for problem in tails.problems:
        check_message(problem)
    assert np.isfinite(tail.counts).all()
    return tail if tail.area_m2 > 0 else None


def imaging_of(path: Path) -> object:
    (path.parent / "kept").mkdir(exist_ok=True)
    file = path.parent / "kept" / path.name
    file.write_bytes(path.read_bytes())
    history = ImagingHistory(file.parent)
    cameras = history.cameras
    for problem in history.problems:
        check_message(problem)
    for camera in cameras:
        for profile in camera.profiles.values():
            assert profile.profile.brightness.ndim == 1
    return cameras[0] if cameras else None


def comparison_of(path: Path) -> object:
    models = path.parent.parent
    (models / REPORTS).mkdir(exist_ok=True)
    (models / REPORTS / "new.json").write_bytes(path.read_bytes())
    try:
        return load_report(models, "new")
    finally:
        (models / REPORTS / "new.json").unlink()
        (models / REPORTS).rmdir()


def strips_of(path: Path) -> object:
    fabric = path.parent / "plain"
    for part in ("defect", "mask"):
        (fabric / part).mkdir(parents=True, exist_ok=True)
        (fabric / part / "s.png").write_bytes(STRIP)
    return find_strips(path.parent)


def holder_of(path: Path) -> object:
    """What a second program is told, while the first holds the folder."""
    folder = path.parent / "held"
    folder.mkdir(exist_ok=True)
    first = Hold(folder, "window")
    assert first.take() is None
    try:
        (folder / "window.json").write_bytes(path.read_bytes())
        holder = Hold(folder, "window").take()
        assert holder is not None
        check_message(str(holder))
        return holder if holder.pid else None
    finally:
        first.give_back()


def step_of(path: Path) -> object:
    """What the window makes of a line of its training."""
    before = TrainingState()
    state = after_line(before, path.read_bytes().decode("utf-8", "replace"), 1.0)
    assert math.isfinite(state.share)
    assert state.remaining_s is None or math.isfinite(state.remaining_s)
    return state if state.stage else None


STRIP = (FIXTURES / "strip.png").read_bytes()
VERDICT = {
    "id": "a", "fabric": "plain", "kind": "good", "peak": 0.5, "alarms": 0, "defects": 0, "found": 0,
    "area_m2": 0.1, "known": True,
}  # fmt: skip
COMPARISON = {
    "version": 1, "running": [VERDICT], "candidate": [VERDICT], "learnt_by_running": ["a"], "lost": [], "before": "x",
}  # fmt: skip
FIGURES = {"recall_per_strip": {"0.1": 0.5, "1": None}}

READERS: dict[str, tuple[str, Any, Callable[[Path], object]]] = {
    "recipe": ("a.json", value_of("recipes/twill.json"), load_recipe),
    "recipes": ("a.json", value_of("recipes/twill.json"), told(lambda p: load_recipes(p.parent))),
    "settings": ("a.json", value_of("settings.json"), told(load_settings)),
    "defect types": ("a.json", value_of("catalogue.json"), told(load_defect_types)),
    "preset": ("a.json", value_of("preset.json"), load_preset),
    "side by side": ("a.json", value_of("side-by-side.json"), load_side_by_side),
    "head of a recording": (
        "recording.json",
        value_of("recordings/20261128-021601/recording.json"),
        lambda p: read_json(p, Header),
    ),
    "history of models": ("store.json", value_of("models/store.json"), store_of),
    "fabric": (
        "fabric.json",
        value_of("samples/plain/fabric.json"),
        fabric_of,
    ),
    "sample": (
        "p0.json",
        value_of("samples/plain/samples/p0.json"),
        sample_of,
    ),
    "places of tiles": (PLACES, TILE, places_of),
    "imaging": (
        "camera.json",
        {
            "camera": "camera 1",
            "profiles": {
                "plain": {
                    "since": "2026-11-12T10:00:00+01:00",
                    "roll": "roll 1",
                    "width_px": 40,
                    "block_px": 20,
                    "brightness": [80.0, None],
                    "contrast": [10.0, None],
                    "focus": [0.5, None],
                    "noise": [2.0, None],
                }
            },
            "rolls": [],
            "columns": [],
        },
        imaging_of,
    ),
    "tails": ("a.json", {"fabric": "a", "model": "m", "area_m2": 1.5, "counts": [1.0] * 700}, tails_of),
    "comparison of two models": ("a.json", COMPARISON, comparison_of),
    "report of webs": ("a.json", {"fabrics": {"plain": FIGURES}, "all": FIGURES}, _recall_of),
    "defects without a mask": ("also_defective.json", {"plain": {"s.png": [[0, 0, 9, 9, "slub"]]}}, strips_of),
    "who holds a folder": ("a.json", {"pid": 17, "host": "loom-4", "since": "2026-11-28 20:00"}, holder_of),
    "line of a training": (
        "a.json",
        {"stage": "training", "done": 3, "total": 20, "message": "epoch 3", "loss": 0.25},
        step_of,
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_text_is_refused_or_read(reader: str, tmp_path: Path) -> None:
    name, value, read = READERS[reader]
    path = tmp_path / "in" / name
    path.parent.mkdir()
    tile = path.parent / TILE["tile"]
    tile.parent.mkdir(parents=True)
    tile.touch()

    def check(seed: int) -> None:
        path.write_bytes(hostile(value, seed))
        with holds(reader, path.parent):
            read(path)

    fuzzed(check, 2)()


@pytest.mark.parametrize("reader", READERS)
def test_a_sound_text_is_read(reader: str, tmp_path: Path) -> None:
    """Or the test above would try nothing."""
    name, value, read = READERS[reader]
    path = tmp_path / name
    path.write_text(json.dumps(value), encoding="utf-8")
    if reader != "history of models":  # the models that it names are not there
        assert read(path) is not None
