"""Labels drawn on a tile, without a window."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aoi_app.samples.label_drawing import (
    Draft,
    Placement,
    Tool,
    begun,
    distance_to,
    fitted,
    label_at,
    moved,
    next_brush_px,
    thinned_path,
    with_label,
)
from cras_core.data.samples.labels import Label, mask_of

SIZE = (64, 48)
BOX = Label("box", ((10.0, 10.0), (20.0, 16.0)), "hole")
TRIANGLE = Label("polygon", ((30.0, 30.0), (50.0, 30.0), (30.0, 44.0)))
STROKE = Label("brush", ((5.0, 40.0), (25.0, 40.0)), "", 3.0)

places = st.floats(-500, 500)
points = st.tuples(places, places)
placements = st.builds(Placement, st.floats(0.05, 64), places, places)


@given(placements, points)
def test_screen_and_tile_are_each_others_inverse(placement: Placement, at: tuple[float, float]) -> None:
    assert placement.to_tile(placement.to_screen(at)) == pytest.approx(at, abs=1e-6)


@given(placements, st.floats(0.1, 10), points)
def test_what_is_under_the_mouse_stays_there_when_it_zooms(
    placement: Placement, factor: float, mouse: tuple[float, float]
) -> None:
    at = placement.to_tile(mouse)
    assert placement.zoomed(factor, mouse).to_screen(at) == pytest.approx(mouse, abs=1e-3)


def test_a_pixel_of_the_tile_has_its_middle_at_whole_numbers() -> None:
    placement = Placement(10.0, 100.0, 50.0)
    assert placement.to_screen((0, 0)) == (105.0, 55.0)
    left, top = placement.to_tile((131.0, 79.9))
    assert (round(left), round(top)) == (3, 2)


def test_a_tile_is_shown_whole_and_in_the_middle() -> None:
    placement = fitted((512, 256), (1024, 1024))
    (left, top), (right, bottom) = placement.to_screen((-0.5, -0.5)), placement.to_screen((511.5, 255.5))
    assert 0 < left < right < 1024
    assert (left + right, top + bottom) == pytest.approx((1024, 1024))
    assert right - left > 0.9 * 1024


@pytest.mark.parametrize("label", [BOX, TRIANGLE, STROKE], ids=lambda label: label.outline)
def test_a_label_is_hit_where_its_mask_is(label: Label) -> None:
    mask = mask_of([label], SIZE[1], SIZE[0])
    for y in range(SIZE[1]):
        for x in range(SIZE[0]):
            distance = distance_to(label, (float(x), float(y)))
            if mask[y, x]:
                assert distance <= 1.0, (x, y)
            elif distance <= -1.0:
                pytest.fail(f"{x}, {y} is not labelled")


def test_of_two_labels_the_smaller_is_meant() -> None:
    large = Label("box", ((0.0, 0.0), (60.0, 40.0)))
    assert label_at([BOX, large], (15, 12), 2) == 0
    assert label_at([large, BOX], (15, 12), 2) == 1
    assert label_at([large, BOX], (40, 30), 2) == 0
    assert label_at([BOX, TRIANGLE], (60, 5), 2) is None
    assert label_at([BOX], (22, 12), 2) == 0, "within reach"


def draw(tool: Tool, *way: tuple[float, float], radius_px: float = 4.0) -> Draft:
    draft = begun(tool, way[0], radius_px)
    for at in way[1:]:
        draft = draft.followed(at)
    return draft


def test_a_box_goes_from_corner_to_corner_and_ends_at_the_border() -> None:
    assert draw("box", (30, 20), (8, 4), (-9, 60)).finished(SIZE, "hole") == Label("box", ((0, 20), (30, 47)), "hole")


def test_a_box_beside_the_tile_is_none() -> None:
    assert draw("box", (-30, 5), (-8, 20)).finished(SIZE, "") is None


def test_a_polygon_has_the_corners_that_were_clicked() -> None:
    draft = begun("polygon", (5, 5), 4)
    for corner in ((20, 5), (20, 30), (20, 30)):  # the double click gives its corner twice
        draft = draft.followed(corner).with_corner(corner)
    label = draft.followed((60, 40)).finished(SIZE, "")
    assert label == Label("polygon", ((5, 5), (20, 5), (20, 30)))


def test_two_corners_are_no_polygon() -> None:
    assert begun("polygon", (5, 5), 4).with_corner((9, 9)).finished(SIZE, "") is None


def test_a_brush_labels_its_way() -> None:
    label = draw("brush", (10, 10), (10.2, 10), (20, 10), (20, 10), (20, 30), radius_px=3).finished(SIZE, "stain")
    assert label == Label("brush", ((10, 10), (20, 10), (20, 30)), "stain", 3)
    mask = mask_of([label], SIZE[1], SIZE[0])
    assert mask[10, 15]
    assert mask[25, 22]
    assert not mask[25, 10]


def test_a_dab_of_the_brush_is_a_label() -> None:
    label = draw("brush", (10, 10)).finished(SIZE, "")
    assert label is not None
    assert mask_of([label], SIZE[1], SIZE[0]).any()
    assert draw("brush", (-40, 10)).finished(SIZE, "") is None


@given(st.lists(points, min_size=1, max_size=40))
def test_a_thinned_path_keeps_its_ends(way: list[tuple[float, float]]) -> None:
    thin = thinned_path(tuple(way))
    assert (thin[0], thin[-1]) == (way[0], way[-1])
    assert all(math.dist(a, b) >= 1 for a, b in pairwise(thin[:-1]))


@pytest.mark.parametrize("label", [BOX, TRIANGLE, STROKE], ids=lambda label: label.outline)
@given(dx=st.floats(-900, 900), dy=st.floats(-900, 900))
def test_a_moved_label_keeps_its_form_and_stays_on_the_tile(label: Label, dx: float, dy: float) -> None:
    there = moved(label, dx, dy, SIZE)
    shift = np.array(there.points) - np.array(label.points)
    assert np.ptp(shift, axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert mask_of([there], SIZE[1], SIZE[0]).any()


def test_labels_are_replaced_and_removed_in_their_place() -> None:
    labels = (BOX, TRIANGLE, STROKE)
    assert with_label(labels, 1, None) == (BOX, STROKE)
    assert with_label(labels, 0, STROKE) == (STROKE, TRIANGLE, STROKE)


def test_brushes_come_in_sizes_that_end() -> None:
    assert next_brush_px(8, 1) == 12
    assert next_brush_px(8, -1) == 6
    assert next_brush_px(1, -1) == 1
    assert next_brush_px(64, 1) == 64
