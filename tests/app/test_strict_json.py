"""Files of ours that somebody has broken: each is named, nothing is read of it, and nothing ends in a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from aoi_app.settings.defect_types import STANDARD, load_defect_types
from aoi_app.settings.recipe import RecipeError, load_recipe
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import Settings, load_settings
from aoi_app.settings.strict_json import STRICT, ContentError, NotJsonError, parse_json, read_json
from aoi_app.sources.camera.presets import load_preset
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError
from aoi_app.sources.flat_field.file import read_flat_field, write_flat_field
from aoi_app.sources.folder import FolderConfig, FolderSource
from aoi_app.sources.recording.format import BLOCKS, HEADER, LINES
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.side_by_side_file import load_side_by_side
from aoi_app.sources.source import SourceError


class Shape(BaseModel):
    model_config = STRICT

    number: float = 0.0
    names: tuple[str, ...] = ()


def refuses(read: Callable[[Path], object], *errors: type[Exception]) -> Callable[[Path], str]:
    """What a reader says of a file that it refuses."""

    def said(path: Path) -> str:
        with pytest.raises(errors) as caught:
            read(path)
        return str(caught.value)

    return said


def replay_header(path: Path) -> object:
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / HEADER).write_bytes(path.read_bytes())
    return Replay(folder)


READERS: dict[str, Callable[[Path], str]] = {
    "recipe": refuses(load_recipe, RecipeError),
    "settings": lambda path: str(load_settings(path)[1]),
    "defect types": lambda path: str(load_defect_types(path)[1]),
    "preset": refuses(load_preset, SourceError),
    "side by side": refuses(load_side_by_side, SourceError),
    "recording": refuses(replay_header, SourceError),
}
each_reader = pytest.mark.parametrize("reader", READERS)

BROKEN = {
    "empty": b"",
    "cut off": b'{"name": "pl',
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "huge number": b'{"threshold": 1' + b"0" * 400 + b"}",
    "no utf-8": b'{"name": "K\xf6per"}',
    "wrong kind": b'"text"',
    "numbers": b"[1, 2, 3]",
    "nul": b"\0" * 100,
    "long name": b'{"' + b"x" * 3000 + b'": 1}',
    "surrogate": b'{"name": "\\ud800", "fabric": 3}',
}


@each_reader
@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_named_in_a_short_sentence(tmp_path: Path, reader: str, content: str) -> None:
    if (reader, content) in {("settings", "huge number"), ("settings", "long name"), ("settings", "surrogate")}:
        pytest.skip("settings of a later version are passed by")
    path = tmp_path / "broken.json"
    path.write_bytes(BROKEN[content])
    said = READERS[reader](path)
    assert "broken" in said
    assert len(said) < 700
    assert "\n" not in said


@each_reader
def test_a_file_that_is_far_too_large_is_not_parsed(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "broken.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    if reader == "recording":
        path.write_bytes(b" " * (17 << 20))
    assert "larger than" in READERS[reader](path)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, '"1"', "true", "null", "[]"]
)
def test_a_number_is_a_finite_number(number: str) -> None:
    with pytest.raises(ContentError, match=r"^number: "):
        parse_json(f'{{"number": {number}}}'.encode(), Shape)


def test_a_byte_order_mark_is_no_mistake_and_whole_numbers_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"number": 3, "names": ["a"]}')
    assert read_json(tmp_path / "a.json", Shape) == Shape(number=3.0, names=("a",))


def test_what_is_no_json_is_told_from_wrong_values() -> None:
    with pytest.raises(NotJsonError, match=r"^no JSON: "):
        parse_json(b"{", Shape)
    with pytest.raises(ContentError, match=r"number: .*; names: ") as caught:
        parse_json(b'{"number": "a", "names": 1}', Shape)
    assert not isinstance(caught.value, NotJsonError)


@given(st.binary(max_size=200))
def test_whatever_bytes_there_are_they_are_a_value_or_refused(data: bytes) -> None:
    with contextlib.suppress(ContentError):
        assert isinstance(parse_json(data, Shape), Shape)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heat_opacity", 1.5),
        ("heat_opacity", -0.1),
        ("camera", {"mm_per_count": 1e9}),
        ("learning", {"most_models": 1}),
        ("learning", {"most_gb": 0}),
        ("last_folder", "x" * 5000),
        ("database", 3),
    ],
)
def test_settings_out_of_range_are_named_and_the_standard_ones_hold(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({field: value}))
    settings, problem = load_settings(path)
    assert settings == Settings()
    assert field in str(problem)


def test_one_broken_recipe_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    for name, content in BROKEN.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    (tmp_path / "good.json").write_text('{"name": "good", "fabric": "denim"}')
    (tmp_path / "folder.json").mkdir()
    recipes, problems = load_recipes(tmp_path)
    assert set(recipes) == {"denim"}
    assert len(problems) == len(BROKEN) + 1
    assert all(".json" in problem for problem in problems)


def test_defect_types_that_cannot_be_used_give_the_standard_list(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text('[{"code": 3, "name": "a", "severity": "minor", "shape": "line"}]')
    assert load_defect_types(path)[0] == STANDARD


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": 1}, None, "x" * 20_000])
def test_a_preset_has_values_that_a_camera_can_take(tmp_path: Path, value: object) -> None:
    path = tmp_path / "preset.json"
    path.write_text(json.dumps({"features": [{"name": "Gain", "value": value}]}))
    with pytest.raises(SourceError, match=r"preset\.json is not a camera preset: features\.0\.value"):
        load_preset(path)


SETUP = CameraSetup("17", 80.0, 1.0)


def flat_field(**changes: object) -> FlatField:
    values: dict[str, object] = {
        "dark": np.full(64, 4, np.float32),
        "white": np.full(64, 200, np.float32),
        "bits": 8,
        "target": 180.0,
        "lines": 1024,
        "recorded_at": "2026-11-28T00:00:00+00:00",
        "setup": SETUP,
    }
    return FlatField(**(values | changes))  # type: ignore[arg-type]


def test_a_flat_field_comes_back(tmp_path: Path) -> None:
    write_flat_field(flat_field(), tmp_path / "f")
    found = read_flat_field(tmp_path / "f")
    assert (found.bits, found.target, found.lines, found.setup) == (8, 180.0, 1024, SETUP)
    np.testing.assert_array_equal(found.white, flat_field().white)


@pytest.mark.parametrize(
    "changes",
    [
        {"white": np.full(64, 3, np.float32)},
        {"white": np.full(64, np.nan, np.float32)},
        {"white": np.full(64, np.inf, np.float32)},
        {"white": np.full(64, 256, np.float32)},
        {"dark": np.full(64, -1, np.float32)},
        {"dark": np.full(63, 4, np.float32)},
        {"dark": np.full(64, 4, np.float64)},
        {"white": np.concatenate([np.full(32, 200), np.full(32, 4)]).astype(np.float32)},
        {"white": np.full((64, 2), 200, np.float32), "dark": np.full((64, 2), 4, np.float32)},
        {"white": np.zeros(0, np.float32), "dark": np.zeros(0, np.float32)},
        {"target": 0.0},
        {"target": 256.0},
        {"target": float("nan")},
        {"bits": 7},
        {"bits": 17},
        {"lines": 0},
        {"setup": CameraSetup("17", float("inf"), 1.0)},
        {"setup": CameraSetup("x" * 5000, 1.0, 1.0)},
    ],
)
def test_a_flat_field_with_impossible_values_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    write_flat_field(flat_field(**changes), tmp_path / "f")
    with pytest.raises(FlatFieldError, match=r"makes? no sense|damaged") as caught:
        read_flat_field(tmp_path / "f")
    assert "record it again" in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_flat_field_whose_bytes_were_changed_is_read_or_refused(tmp_path: Path) -> None:
    write_flat_field(flat_field(), tmp_path / "f")
    data = (tmp_path / "f").read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(300):
        broken = bytearray(data[: rng.integers(1, len(data) + 1)])
        broken[rng.integers(len(broken))] = rng.integers(256)
        (tmp_path / "f").write_bytes(broken)
        try:
            assert read_flat_field(tmp_path / "f").width_px == 64
        except FlatFieldError:
            continue
    (tmp_path / "f").write_bytes(struct.pack("<Q", 10**18) + b"{}")
    with pytest.raises(FlatFieldError, match="damaged"):
        read_flat_field(tmp_path / "f")


BLOCK = {
    "kind": "block", "offset": 0, "crc": 0, "shape": [4, 8], "dtype": "uint8", "counts": None, "bits": 8, "frame_id": 1,
    "timestamp_ns": None, "source": "c", "captured_at_s": 0.0, "lost_lines": 0,
}  # fmt: skip


def recording(folder: Path, entry: dict[str, object]) -> Replay:
    folder.mkdir()
    header = {"name": "c", "started_at": "now", "position": {}}
    (folder / HEADER).write_text(json.dumps(header))
    line = json.dumps({"item": entry})
    (folder / f"00000000{LINES}").write_text(f"{line}\n{line}\n")
    (folder / f"00000000{BLOCKS}").write_bytes(b"\0" * 1024)
    return Replay(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2**40, 2**40]},
        {"shape": [2**30, 2**30]},
        {"shape": [4, 8, 2]},
        {"shape": [4]},
        {"shape": "4x8"},
        {"counts": 5},
        {"bits": 12},
        {"bits": 0},
        {"dtype": "float64"},
        {"offset": -1},
        {"offset": 10**30},
        {"captured_at_s": float("nan")},
        {"captured_at_s": 1e999},
        {"lost_lines": -1},
        {"lost_lines": 10**12},
        {"kind": "outage", "seconds": 1e999, "reason": ""},
        {"kind": "outage", "seconds": -1, "reason": ""},
        {"kind": "loss"},
    ],
)
def test_a_recording_with_impossible_blocks_is_said(tmp_path: Path, changes: dict[str, object]) -> None:
    with recording(tmp_path / "r", BLOCK | changes) as replay, pytest.raises(SourceError, match="damaged"):
        replay.read(0.0)


@pytest.mark.parametrize(
    "position",
    [
        {"lines_per_s": 1e999},
        {"lines_per_s": float("nan")},
        {"lines_per_s": -1},
        {"lines_per_count": 1e999},
        {"lines_per_count": 0},
        {"encoder_bits": 100},
        {"encoder_bits": 10**40},
        {"slack_lines": -1},
        {"lines_per_s": "fast"},
        [],
    ],
)
def test_a_recording_of_an_impossible_web_is_said(tmp_path: Path, position: object) -> None:
    (tmp_path / HEADER).write_text(json.dumps({"name": "c", "started_at": "now", "position": position}))
    with pytest.raises(SourceError):
        Replay(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="names there are Unicode")
def test_a_picture_whose_name_is_no_text_has_a_name_that_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"clo\xffth")
    folder.mkdir()
    picture = cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes()
    (folder / os.fsdecode(b"stri\xfep.png")).write_bytes(picture)
    with FolderSource(FolderConfig(folder)) as source:
        item = source.read(0.0)
        assert item is not None
        assert item.source.encode("utf-8") == b"stri\\xfep.png"
        assert source.name.encode("utf-8").endswith(b"clo\\xffth")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("reader", [name for name in READERS if name != "recording"])
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "broken.json"
    os.mkfifo(path)
    assert "not a regular file" in READERS[reader](path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_no_flat_field(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(FlatFieldError, match="not a regular file"):
        read_flat_field(tmp_path / "a.safetensors")
