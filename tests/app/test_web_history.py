"""The web that can be scrolled back to: bounded, with picture and scores in step."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from aoi_fakes import dark, frame, inspect_all, roll_inspection
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.web_history import WebHistory
from aoi_app.sources.frame import Frame, Lost


def strips_of(*items: Frame | Lost) -> list[ScoredBand]:
    return [s for o in inspect_all(roll_inspection(), items) for s in o.bands]


def history_of(strips: list[ScoredBand], lines: int = 8192, columns: int = 1400) -> WebHistory:
    history = WebHistory(lines, columns)
    for strip in strips:
        history.add(strip)
    return history


def test_there_is_no_picture_before_the_first_strip() -> None:
    history = WebHistory()
    assert history.picture() is None
    assert history.end_line == 0


def test_a_small_web_is_shown_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 255, (900, 256), dtype=np.uint8)
    picture = history_of(strips_of(frame(image))).picture()
    assert picture is not None
    assert (picture.first_line, picture.lines, picture.width_px, picture.cell_px) == (0, 900, 256, 8)
    np.testing.assert_array_equal(picture.image, image)


@pytest.mark.parametrize("columns", [1400, 256, 100, 64, 33])
@pytest.mark.parametrize("colour", [False, True])
def test_picture_and_scores_are_in_step(columns: int, colour: bool) -> None:
    image = np.zeros((1600, 512, 3) if colour else (1600, 512), np.uint8)
    image[1200:1264, 320:384] = 250
    picture = history_of(strips_of(frame(image)), columns=columns).picture()
    assert picture is not None
    assert picture.image.shape[1] <= max(columns, 512 // 8)
    zoom = 512 // picture.image.shape[1]
    assert 8 % zoom == 0
    bright = np.argwhere(picture.image.reshape(*picture.image.shape[:2], -1)[..., 0] > 125) * zoom
    strange = np.argwhere(picture.score > 1.25) * 8
    np.testing.assert_array_equal(bright.min(axis=0), [1200, 320])
    np.testing.assert_array_equal(strange.min(axis=0), [1200, 320])
    np.testing.assert_array_equal(bright.max(axis=0) + zoom, strange.max(axis=0) + 8)


def test_missing_lines_are_black_and_unscored() -> None:
    bright = np.full((600, 256), 200, np.uint8)
    picture = history_of(strips_of(frame(bright), Lost(400, "torn", "x"), frame(bright))).picture()
    assert picture is not None
    assert picture.lines == 1600
    assert (picture.image[:600] == 200).all()
    assert (picture.image[600:1000] == 0).all()
    assert (picture.image[1000:] == 200).all()
    assert np.isnan(picture.score[75:125]).all()
    assert np.isfinite(picture.score[:75]).all()
    assert np.isfinite(picture.score[125:]).all()


def test_the_oldest_lines_are_forgotten() -> None:
    history = WebHistory(lines=2000)
    for strip in strips_of(*(frame(dark(256), str(k)) for k in range(60))):
        history.add(strip)
        picture = history.picture()
        assert picture is not None
        assert picture.lines <= 2000 + 512
        assert picture.lines >= min(2000, history.end_line)
    assert history.end_line == 60 * 256
    assert picture.first_line + picture.lines == history.end_line


@pytest.mark.parametrize("missing", [100_000, 30_000_000])
def test_a_long_stop_of_the_line_does_not_fill_the_memory(missing: int) -> None:
    before, after = strips_of(frame(dark(300))), strips_of(frame(dark(300)))
    history = WebHistory()
    for strip in before:
        history.add(strip)
    for strip in after:
        history.add(dataclasses.replace(strip, first_line=strip.first_line + missing))
    tracemalloc.start()
    try:
        picture = history.picture()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert picture is not None
    assert picture.first_line + picture.lines == missing + 300
    assert picture.lines <= 8192 + 512
    assert peak < 20_000_000


def test_a_web_of_another_width_or_from_the_beginning_starts_anew() -> None:
    wide, narrow = strips_of(frame(dark(600, 300))), strips_of(frame(dark(600, 200)))
    history = history_of([*wide, *(dataclasses.replace(s, first_line=s.first_line + 600) for s in narrow)])
    picture = history.picture()
    assert picture is not None
    assert (picture.width_px, picture.first_line, picture.lines) == (200, 600, 600)
    for strip in wide:
        history.add(strip)
    picture = history.picture()
    assert picture is not None
    assert (picture.width_px, picture.first_line, picture.lines) == (300, 0, 600)


def test_clearing_forgets_everything() -> None:
    history = history_of(strips_of(frame(dark(300))))
    history.clear()
    assert history.picture() is None


def test_the_edges_belong_to_their_lines() -> None:
    picture = history_of(strips_of(frame(dark(900)))).picture()
    assert picture is not None
    line, left, right = picture.edges.T
    assert line.min() == 0
    assert line.max() < 900
    assert (np.diff(line) > 0).all()
    assert (left == 0).all()
    assert (right == 256).all()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 700)), min_size=1, max_size=8), st.sampled_from([1400, 60]))
def test_any_sequence_makes_a_picture_of_its_length(pieces: list[tuple[bool, int]], columns: int) -> None:
    items = [frame(dark(n, 100)) if is_frame else Lost(n, "torn", "x") for is_frame, n in pieces]
    strips = strips_of(*items)
    picture = history_of(strips, columns=columns).picture()
    if not strips:
        assert picture is None
        return
    assert picture is not None
    assert picture.first_line + picture.lines == strips[-1].end_line
    assert picture.score.shape[0] == -(-picture.lines // 8)
    assert abs(picture.image.shape[0] * (100 // picture.image.shape[1]) - picture.lines) <= 8
