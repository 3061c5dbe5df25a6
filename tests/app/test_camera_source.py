"""A camera as a source of frames: the web in order, in 8 bits, flat, without copies where none are needed."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from aoi_fakes import PLAIN, frame, gaps_of, inspect_all, listed, read_all, roll_inspection
from camera_fakes import GivenBlocks, block_of, blocks_of

from aoi_app.sources.block import Outage
from aoi_app.sources.camera_source import CameraSource, to_8_bits
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.source import EndOfWeb

RNG = np.random.default_rng(5)


def cloth(lines: int = 400, width_px: int = 96) -> np.ndarray:
    return RNG.integers(0, 255, (lines, width_px), dtype=np.uint8)


def even_field(width_px: int) -> FlatField:
    level = np.full(width_px, 200, np.float32)
    return FlatField(0 * level, level, 8, 100.0, 64, "2026-01-01T00:00:00+00:00", CameraSetup("17"))


def images(items: list[Frame | Lost]) -> np.ndarray:
    return np.concatenate([i.image for i in items if isinstance(i, Frame)])


def test_the_web_comes_as_it_is_and_without_a_copy() -> None:
    web = cloth()
    blocks = blocks_of(web, 64)
    items = read_all(CameraSource(GivenBlocks(blocks)))
    np.testing.assert_array_equal(images(items), web)
    assert all(isinstance(i, Frame) and i.image is b.image for i, b in zip(items, blocks, strict=True))


def test_what_is_lost_comes_in_its_place() -> None:
    web = cloth()
    b = blocks_of(web, 100)
    items = read_all(CameraSource(GivenBlocks([b[0], b[1], None, b[3], Outage(2.0, "unplugged")])))
    assert [type(i) for i in items] == [Frame, Frame, Lost, Frame, Lost]
    assert [i.lines for i in items] == [100, 100, 100, 100, 2000]
    assert items[2].source == "camera 17 frame 3"


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
def test_deep_pixels_become_their_upper_8_bits(bits: int) -> None:
    deep = RNG.integers(0, 1 << bits, (64, 96), dtype=np.uint16)
    (item,) = read_all(CameraSource(GivenBlocks([block_of(deep, 0, bits=bits)])))
    assert isinstance(item, Frame)
    np.testing.assert_array_equal(item.image, deep >> (bits - 8))


def test_pixels_above_their_depth_are_white() -> None:
    assert to_8_bits(np.array([[5000, 4095, 0]], np.uint16), 12).tolist() == [[255, 255, 0]]


def test_the_flat_field_is_taken_out_of_the_kept_lines_only() -> None:
    web = cloth(96, 96)
    counts = np.concatenate([np.arange(40), np.full(56, 39)]) + 700
    source = CameraSource(
        GivenBlocks([block_of(web, 0, encoder=counts)]), PositionConfig(lines_per_count=1.0), even_field(96)
    )
    (item,) = read_all(source)
    assert isinstance(item, Frame)
    np.testing.assert_array_equal(item.image, np.rint(web[:40] * 0.5).astype(np.uint8))
    assert source.repeated_lines == 56


def test_a_flat_field_of_another_width_is_refused_at_once() -> None:
    with pytest.raises(FlatFieldError, match="64 px grey, the camera delivers 96 px grey"):
        read_all(CameraSource(GivenBlocks([block_of(cloth(), 0)]), flat_field=even_field(64)))


@pytest.mark.parametrize("other", [(64, 128), (64, 96, 3)])
def test_lines_that_change_their_form_begin_a_new_web(other: tuple[int, ...]) -> None:
    blocks = [block_of(np.full((64, 96), 10, np.uint8), 0), block_of(np.full(other, 10, np.uint8), 1)]
    items = read_all(CameraSource(GivenBlocks(blocks), flat_field=even_field(96)))
    assert [(type(i), i.lines, i.starts_web) for i in items] == [
        (Frame, 64, False),
        (Lost, 0, True),
        (Frame, 64, False),
    ]
    assert isinstance(items[1], Lost)
    assert "96 px grey" in items[1].reason
    assert "left out" in items[1].reason
    inspection = roll_inspection()
    outcomes = inspect_all(inspection, items)
    assert inspection.line == inspection.inspected_lines == 128
    assert [g.reason for g in gaps_of(outcomes)] == [items[1].reason]


def test_a_source_can_be_entered_again() -> None:
    given = GivenBlocks(blocks_of(cloth(), 64))
    source = CameraSource(given)
    with source:
        source.read(0.0)
        assert given.is_open
    assert not given.is_open
    assert len(read_all(source)) == 7
    with source:
        for _ in range(7):
            source.read(0.0)
        with pytest.raises(EndOfWeb):
            source.read(0.0)


def test_speed_is_in_metres_a_minute() -> None:
    source = CameraSource(GivenBlocks(blocks_of(cloth(), 50, lines_per_s=2000.0)), mm_per_line=0.25)
    read_all(source)
    assert source.speed_m_min == pytest.approx(30.0)
    assert CameraSource(GivenBlocks([])).speed_m_min is None


def test_a_web_that_runs_back_and_forth_has_the_defects_of_one_that_does_not() -> None:
    web = np.zeros((2000, 256), np.uint8)
    web[700:760, 100:150] = 220
    web[1100:1140, 30:90] = 220
    walk = np.concatenate([np.arange(900), np.arange(899, 500, -1), np.full(300, 501), np.arange(501, 2000)])
    blocks = [block_of(web[w], k, encoder=40_000 + w) for k, w in enumerate(np.array_split(walk, 31))]
    items = read_all(CameraSource(GivenBlocks(blocks), PositionConfig(lines_per_count=1.0)))
    np.testing.assert_array_equal(images(items), web)
    direct = listed(inspect_all(roll_inspection(PLAIN), [frame(web)]))
    there_and_back = listed(inspect_all(roll_inspection(PLAIN), items))
    assert [(d.first_line, d.end_line, d.left_px) for d in there_and_back] == [
        (d.first_line, d.end_line, d.left_px) for d in direct
    ]
    assert len(direct) == 2


def test_an_encoder_that_gives_no_counts_is_said_while_it_lasts() -> None:
    web = cloth(64 * 20)
    silent = blocks_of(web, 64)
    position = PositionConfig(lines_per_count=1.0)
    with CameraSource(GivenBlocks(silent), position) as source:
        told = []
        for _ in silent:
            source.read(0.0)
            told.append(source.problem)
    assert "gives no counts" in str(told[-1])
    with CameraSource(GivenBlocks(silent)) as without_encoder:
        for _ in silent:
            without_encoder.read(0.0)
        assert without_encoder.problem is None


def test_a_block_without_counts_is_remarked_and_is_no_problem_once_the_counts_are_back() -> None:
    web = cloth(64 * 6)
    blocks = [block_of(web[64 * k : 64 * k + 64], k, encoder=np.arange(64) + 64 * k) for k in range(6)]
    blocks[2] = replace(blocks[2], encoder=None)
    with CameraSource(GivenBlocks(blocks), PositionConfig(lines_per_count=1.0)) as source:
        problems, remarks = [], []
        for _ in blocks:
            source.read(0.0)
            problems.append(source.status.problem != "")
            remarks.append(len(source.status.remarks))
    assert problems == [False, False, True, False, False, False]
    assert remarks == [0, 0, 1, 1, 1, 1]


def test_a_roll_that_ends_without_counts_ends_with_a_problem_however_short_it_was() -> None:
    with CameraSource(GivenBlocks(blocks_of(cloth(64 * 2), 64)), PositionConfig(lines_per_count=1.0)) as source:
        read_all_open(source)
        assert "gives no counts" in source.status.problem


def test_many_blocks_without_counts_stay_a_problem_when_the_counts_come_back() -> None:
    web = cloth(64 * 20)
    blocks = blocks_of(web[: 64 * 18], 64) + [
        block_of(web[64 * k : 64 * k + 64], k, encoder=np.arange(64) + 64 * k) for k in (18, 19)
    ]
    with CameraSource(GivenBlocks(blocks), PositionConfig(lines_per_count=1.0)) as source:
        read_all_open(source)
        assert "gives no counts" in source.status.problem


def read_all_open(source: CameraSource) -> None:
    with contextlib.suppress(EndOfWeb):
        while True:
            source.read(0.0)
