"""Flat fields: an even white becomes even, what cannot be right is said, and the file survives."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from camera_fakes import GivenBlocks, block_of, blocks_of
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.sources.block import Block, Outage
from aoi_app.sources.flat_field.correction import (
    CameraSetup,
    Correction,
    FlatField,
    FlatFieldError,
    evenness,
    flat_field_problems,
    non_uniformity,
)
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field, remove_flat_field, write_flat_field
from aoi_app.sources.flat_field.levels import ColumnLevel, make_flat_field, record_level
from aoi_app.sources.flat_field.recording import FlatFieldRecording, Reference

SETUP = CameraSetup("SN 17/4", 80.0, 2.0)


def lamp(width_px: int) -> np.ndarray:
    x = np.linspace(-1, 1, width_px)
    return 1 - 0.5 * x**2 + 0.1 * x


def level(blocks: list[Block], lines: int = 256) -> ColumnLevel:
    recorded = ColumnLevel(lines)
    for block in blocks:
        recorded.add(block)
    return recorded


def field(white: np.ndarray, dark: np.ndarray | None = None, bits: int = 8, target: float | None = None) -> FlatField:
    """From single lines, repeated."""

    def of(line: np.ndarray) -> ColumnLevel:
        return level(blocks_of(np.repeat(line[None], 256, axis=0), 64, bits=bits))

    return make_flat_field(of(white), of(dark) if dark is not None else None, SETUP, target)


@settings(max_examples=60)
@given(
    st.sampled_from([8, 10, 12, 16]),
    st.booleans(),
    st.integers(1, 40),
    st.floats(60, 220),
    st.integers(0, 2**32 - 1),
)
def test_white_becomes_its_target_and_dark_black(bits: int, colour: bool, lines: int, target: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    full = (1 << bits) - 1
    shape = (150, 3) if colour else (150,)
    dtype = np.uint8 if bits == 8 else np.uint16
    white = (full * rng.uniform(0.4, 0.95, shape)).astype(dtype)
    dark = (full * rng.uniform(0, 0.05, shape)).astype(dtype)
    correct = Correction(field(white, dark, bits, target), bits)
    np.testing.assert_allclose(correct.apply(np.repeat(white[None], lines, axis=0)).astype(float), target, atol=0.51)
    assert correct.apply(np.repeat(dark[None], lines, axis=0)).max() == 0
    raw = rng.integers(0, full, (lines, *shape)).astype(dtype)
    expected = np.clip(np.rint((raw.astype(float) - dark) * target / (white.astype(float) - dark)), 0, 255)
    assert np.abs(correct.apply(raw).astype(float) - expected).max() <= 1
    assert correct.apply(raw).dtype == np.uint8


def test_the_correction_saturates_instead_of_wrapping() -> None:
    correct = Correction(field(np.full(80, 100, np.uint8), np.full(80, 10, np.uint8), target=200.0), 8)
    assert correct.apply(np.full((3, 80), 255, np.uint8)).min() == 255
    assert correct.apply(np.zeros((3, 80), np.uint8)).max() == 0


def test_a_lamp_is_taken_out_of_deeper_pixels_than_it_was_recorded_with() -> None:
    white = (200 * lamp(300)).astype(np.uint8)
    correct = Correction(field(white, target=180.0), 12)
    deep = np.rint(white.astype(float) * 4095 / 255).astype(np.uint16)
    np.testing.assert_allclose(correct.apply(deep[None]).astype(float), 180, atol=0.6)


def test_a_fleck_that_passes_on_the_white_does_not_count() -> None:
    web = np.repeat((200 * lamp(300)).astype(np.uint8)[None], 1024, axis=0)
    clean = level(blocks_of(web, 128)).level()
    web[300:420, 50:90] = 20
    np.testing.assert_allclose(level(blocks_of(web, 128)).level(), clean)


def test_noise_averages_out_over_the_lines() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(rng.normal(150, 6, (2048, 200)), 0, 255).astype(np.uint8)
    recorded = ColumnLevel(2048)
    for k, block in enumerate(blocks_of(noisy, 256)):
        assert recorded.is_complete == (k == 8)
        recorded.add(block)
    assert recorded.is_complete
    assert float(recorded.level().std()) < 0.4


@pytest.mark.parametrize("colour", [False, True])
def test_dead_columns_are_taken_from_their_neighbours_and_said(colour: bool) -> None:
    white = np.repeat((200 * lamp(300)).astype(np.uint8)[:, None], 3, axis=1) if colour else None
    line = white if white is not None else (200 * lamp(300)).astype(np.uint8)
    line[[0, 100, 101, 299]] = 3
    flat = field(line, target=150.0)
    out = Correction(flat, 8).apply(np.repeat(line[None], 5, axis=0))
    np.testing.assert_allclose(out.astype(float), 150, atol=1)
    assert any("4 columns" in p for p in flat_field_problems(flat, SETUP))


@pytest.mark.parametrize(
    ("white", "dark", "words"),
    [
        (255, 0, "saturated"),
        (12, 9, "hardly brighter"),
        (100, 120, "hardly brighter"),
    ],
)
def test_levels_that_make_no_flat_field_are_refused(white: int, dark: int, words: str) -> None:
    with pytest.raises(FlatFieldError, match=words):
        field(np.full(100, white, np.uint8), np.full(100, dark, np.uint8))


def test_a_white_that_does_not_fill_the_width_is_refused() -> None:
    white = np.full(100, 200, np.uint8)
    white[:10] = 3
    with pytest.raises(FlatFieldError, match="10% of the columns see no light"):
        field(white)


def test_recording_without_lines_or_with_changing_ones_is_refused() -> None:
    with pytest.raises(FlatFieldError, match="No lines came"):
        ColumnLevel().level()
    with pytest.raises(FlatFieldError, match="changed"):
        level([*blocks_of(np.zeros((9, 100), np.uint8), 9), *blocks_of(np.zeros((9, 101), np.uint8), 9)])
    of = [level(blocks_of(np.full((64, w), 90, np.uint8), 64)) for w in (100, 101)]
    with pytest.raises(FlatFieldError, match="different widths"):
        make_flat_field(of[0], of[1], SETUP)


def test_what_has_changed_since_is_said() -> None:
    flat = field(np.full(100, 200, np.uint8))
    assert flat_field_problems(flat, SETUP) == []
    assert flat_field_problems(flat, dataclasses.replace(SETUP, exposure_us=80.2, gain=None)) == []
    assert "exposure was 80" in flat_field_problems(flat, dataclasses.replace(SETUP, exposure_us=120.0))[0]
    assert "gain was 2" in flat_field_problems(flat, dataclasses.replace(SETUP, gain=4.0))[0]
    assert "camera SN 17/4" in flat_field_problems(flat, dataclasses.replace(SETUP, camera="18"))[0]


@pytest.mark.parametrize("bits", [8, 12])
def test_what_a_flat_field_does_is_shown_as_profiles(bits: int) -> None:
    white = (0.8 * ((1 << bits) - 1) * lamp(1000)).astype(np.uint8 if bits == 8 else np.uint16)
    shown = evenness(field(white, bits=bits), block_of(np.repeat(white[None], 9, axis=0), 0, bits=bits))
    assert shown.before_percent == pytest.approx(non_uniformity(lamp(1000)), abs=1.5)
    assert shown.before_percent > 40
    assert shown.after_percent < 1
    np.testing.assert_allclose(shown.before, 0.8 * 255 * lamp(1000), atol=1)


def test_levels_are_taken_from_an_open_camera() -> None:
    items = blocks_of(np.full((300, 50), 90, np.uint8), 60)
    with GivenBlocks(items) as camera:
        assert record_level(camera, 200).lines == 240
    with GivenBlocks(items) as camera, pytest.raises(FlatFieldError, match="Only 300 of 1024 lines"):
        record_level(camera)
    with GivenBlocks([items[0], None]) as camera, pytest.raises(FlatFieldError, match="Only 60 of 1024"):
        record_level(camera)
    with GivenBlocks([items[0], Outage(1.0, "unplugged")]) as camera, pytest.raises(FlatFieldError, match="unplugged"):
        record_level(camera)


def test_a_flat_field_survives_the_disk(tmp_path: Path) -> None:
    flat = field((200 * lamp(333)).astype(np.uint8), np.full(333, 4, np.uint8))
    path = flat_field_path(tmp_path / "fields", SETUP.camera)
    assert path.parent == tmp_path / "fields"
    write_flat_field(flat, path)
    read = read_flat_field(path)
    np.testing.assert_array_equal(read.white, flat.white)
    np.testing.assert_array_equal(read.dark, flat.dark)
    assert dataclasses.replace(read, white=flat.white, dark=flat.dark).setup == SETUP
    assert (read.bits, read.target, read.lines, read.recorded_at) == (8, flat.target, 256, flat.recorded_at)


def test_a_file_that_is_no_flat_field_is_said(tmp_path: Path) -> None:
    path = tmp_path / "camera-1.safetensors"
    with pytest.raises(FlatFieldError, match="no flat field"):
        read_flat_field(path)
    write_flat_field(field(np.full(100, 200, np.uint8)), path)
    whole = path.read_bytes()
    for broken in (b"", whole[:40], whole[:-7], b"\x00" * 200, whole.replace(b'\\"bits\\":', b'\\"bots\\":')):
        path.write_bytes(broken)
        with pytest.raises(FlatFieldError):
            read_flat_field(path)
    path.write_bytes(whole.replace(b'"version":"1"', b'"version":"9"'))
    with pytest.raises(FlatFieldError, match="version 9"):
        read_flat_field(path)


# --- step by step


def fill(recording: FlatFieldRecording, reference: Reference, value: int, setup: CameraSetup = SETUP) -> None:
    recording.begin(reference, 100, setup)
    done = [recording.add(b) for b in blocks_of(np.full((128, 60), value, np.uint8), 32)]
    assert done == [False, False, False, True]


@pytest.mark.parametrize("order", [("dark", "white"), ("white", "dark")])
def test_dark_and_white_make_a_flat_field_in_either_order(order: tuple[Reference, Reference]) -> None:
    recording = FlatFieldRecording()
    for reference in order:
        fill(recording, reference, {"dark": 5, "white": 180}[reference])
    assert recording.flat is not None
    assert (recording.flat.dark[0], recording.flat.white[0]) == (5, 180)
    assert recording.reference is None


def test_what_is_refused_leaves_what_was_recorded_before() -> None:
    recording = FlatFieldRecording()
    fill(recording, "dark", 5)
    fill(recording, "white", 180)
    before = recording.flat
    recording.begin("white", 32, SETUP)
    with pytest.raises(FlatFieldError, match="saturated"):
        recording.add(block_of(np.full((32, 60), 255, np.uint8), 0))
    recording.begin("dark", 32, dataclasses.replace(SETUP, exposure_us=90.0))
    with pytest.raises(FlatFieldError, match="changed between dark and white"):
        recording.add(block_of(np.full((32, 60), 5, np.uint8), 0))
    recording.begin("dark", 64, SETUP)
    assert not recording.add(block_of(np.full((32, 60), 5, np.uint8), 0))
    assert recording.progress == 0.5
    recording.cancel()
    assert not recording.add(block_of(np.full((32, 60), 5, np.uint8), 0))
    assert recording.flat is before


def test_a_flat_field_is_removed_once(tmp_path: Path) -> None:
    path = flat_field_path(tmp_path, SETUP.camera)
    write_flat_field(field(np.full(20, 200, np.uint8)), path)
    assert remove_flat_field(path)
    assert not remove_flat_field(path)
    path.mkdir()
    with pytest.raises(FlatFieldError, match="cannot be removed"):
        remove_flat_field(path)


def test_a_level_in_which_a_bit_has_flipped_is_noticed(tmp_path: Path) -> None:
    level = np.full(64, 200, np.float32)
    flat = FlatField(0 * level, level, 8, 100.0, 64, "2026-01-01T00:00:00+00:00", CameraSetup("17"))
    path = tmp_path / "a.safetensors"
    write_flat_field(flat, path)
    assert read_flat_field(path).white.tolist() == level.tolist()
    data = bytearray(path.read_bytes())
    data[-2] ^= 1 << 4  # the last column is 25 now: a stripe, and a level like any other
    path.write_bytes(data)
    with pytest.raises(FlatFieldError, match="checksum"):
        read_flat_field(path)
