"""Lanes that are left out: not scored, not seen by the detector, and everything else is inspected as before."""

import numpy as np
import pytest

from cras_core.web.bands import Band
from cras_core.web.border import continue_cloth
from cras_core.web.canvas import WebConfig, prepare
from cras_core.web.edges import EdgeConfig
from cras_core.web.ignored import IgnoredLane, inspected_columns
from cras_core.web.places import place_factors

LINES, WIDTH = 256, 1000


def columns(value: float) -> np.ndarray:
    return np.full(LINES, value)


def bounds(*pairs: tuple[float, float]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(columns(a), columns(b)) for a, b in pairs]


def in_words(left: float, right: float, *pairs: tuple[float, float]) -> tuple[object, ...]:
    found = inspected_columns(columns(left), columns(right), bounds(*pairs))
    return float(found.left[0]), float(found.right[0]), [(float(a[0]), float(b[0])) for a, b in found.holes]


@pytest.mark.parametrize(
    ("lanes", "expected"),
    [
        ((), (100, 900, [])),
        (((300, 350), (600, 620)), (100, 900, [(300, 350), (600, 620)])),
        (((600, 620), (300, 350)), (100, 900, [(300, 350), (600, 620)])),
        (((0, 150),), (150, 900, [])),
        (((110, 150),), (150, 900, [])),
        (((20, 60),), (100, 900, [])),
        (((0, 150), (160, 200)), (200, 900, [])),
        (((880, 990),), (100, 880, [])),
        (((840, 890), (895, 990)), (100, 840, [])),
        (((300, 350), (340, 400)), (100, 900, [(300, 400)])),
        (((300, 350), (370, 400)), (100, 900, [(300, 400)])),
        (((300, 400), (310, 320)), (100, 900, [(300, 400)])),
    ],
)
def test_what_is_left_of_the_cloth(lanes: tuple[tuple[float, float], ...], expected: tuple[object, ...]) -> None:
    assert in_words(100, 900, *lanes) == expected


def test_lanes_over_the_whole_width_leave_nothing() -> None:
    found = inspected_columns(columns(100), columns(900), bounds((0, 950)))
    assert (found.right <= found.left).all()


def test_a_lane_follows_its_edge() -> None:
    left, right = np.linspace(100, 120, LINES), np.linspace(900, 860, LINES)
    begin, end = IgnoredLane("left", 10, 30).bounds(left, right)
    np.testing.assert_allclose(begin, left + 10)
    np.testing.assert_allclose(end, left + 30)
    begin, end = IgnoredLane("right", 10, 30).bounds(left, right)
    np.testing.assert_allclose(begin, right - 30)
    np.testing.assert_allclose(end, right - 10)


def weave(rng: np.random.Generator) -> np.ndarray:
    period = 100 + 40 * np.sin(np.arange(WIDTH) * 2 * np.pi / 8)
    return np.clip(period[None, :] + rng.normal(0, 4, (LINES, WIDTH)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("printed", [(400, 440), (120, 160), (860, 900)])
def test_a_print_is_neither_scored_nor_seen(printed: tuple[int, int]) -> None:
    image = weave(np.random.default_rng(0))
    image[:, slice(*printed)] = 250
    band = Band(image, first_line=0, above=0, below=0, next_first_line=None)
    lane = IgnoredLane("left", printed[0], printed[1])
    plain = WebConfig(edges=EdgeConfig(enabled=False))
    canvas = prepare(band, WebConfig(edges=plain.edges, ignored=(lane,)))
    before = prepare(band, plain)
    assert canvas is not None
    assert before is not None
    assert before.tiles.max() == 250
    assert canvas.tiles.max() < 200, "cloth is carried on over it"
    cells, all_cells = canvas.cloth_cells(8), before.cloth_cells(8)
    first = canvas.first_col // 8
    left_out = all_cells & ~cells
    assert left_out.any()
    column = np.flatnonzero(left_out.any(axis=0)) + first
    assert column.min() == printed[0] // 8
    assert column.max() == (printed[1] - 1) // 8
    assert len(column) == column.max() - column.min() + 1


@pytest.mark.parametrize("hole", [(400, 440), (120, 160), (860, 900)])
def test_cloth_is_carried_on_over_a_lane_and_stays_what_it_was_beside_it(hole: tuple[int, int]) -> None:
    image = weave(np.random.default_rng(0))
    unprinted = image.copy()
    image[:, slice(*hole)] = 250
    holes = bounds((float(hole[0]), float(hole[1])))
    canvas = continue_cloth(image, columns(0), columns(WIDTH), 0, WIDTH, holes=holes)
    beside = np.r_[: hole[0], hole[1] : WIDTH]
    np.testing.assert_array_equal(canvas[:, beside], unprinted[:, beside])
    inside = canvas[:, slice(*hole)].astype(float)
    assert abs(inside.mean() - unprinted.mean()) < 3
    assert np.corrcoef(inside.mean(axis=0), unprinted[:, slice(*hole)].mean(axis=0))[0, 1] > 0.9, "the weave goes on"


def test_beside_a_lane_that_is_left_out_good_cloth_may_score_as_at_an_edge() -> None:
    is_cloth = np.ones((10, 60), bool)
    whole = place_factors(is_cloth, 9, 9)
    is_cloth[:, 30:33] = False
    found = place_factors(is_cloth, 9, 9)
    np.testing.assert_array_equal(found[:, :24], whole[:, :24])
    np.testing.assert_array_equal(found[:, 33:39], whole[:, :6])
    np.testing.assert_array_equal(found[:, 24:30], whole[:, -6:])
