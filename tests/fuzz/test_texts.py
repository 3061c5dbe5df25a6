"""Files of JSON that people edit, copy and break."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz_tools import FIXTURES, check_message, fuzzed, holds, hostile

from aoi_app.records.tile_places import PLACES, tiles_of
from aoi_app.settings.defect_types import load_defect_types
from aoi_app.settings.recipe import load_recipe
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import load_settings
from aoi_app.settings.strict_json import read_json
from aoi_app.sources.camera.presets import load_preset
from aoi_app.sources.recording.format import Header
from aoi_app.sources.side_by_side_file import load_side_by_side
from cras_core.data.samples.files import parse_fabric, parse_sample
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
