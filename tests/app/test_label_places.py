"""The scores beside the boxes on the cloth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aoi_app.ui.line.label_places import Box, place_labels

VIEW = Box(0, 0, 600, 400)
HEIGHT = 15.0


def places(*boxes: Box, width: float = 30.0) -> dict[int, Box]:
    return dict(place_labels(boxes, [width] * len(boxes), HEIGHT, VIEW))


def test_a_label_stands_right_of_the_upper_edge_of_its_box() -> None:
    assert places(Box(100, 50, 140, 90)) == {0: Box(142, 50, 172, 65)}


def test_at_the_right_rim_it_stands_on_the_left() -> None:
    assert places(Box(560, 50, 595, 90)) == {0: Box(528, 50, 558, 65)}


def test_a_box_that_begins_above_the_view_has_its_label_where_it_comes_into_sight() -> None:
    assert places(Box(100, -900, 140, 90)) == {0: Box(142, 0, 172, 15)}


def test_a_box_out_of_sight_has_none() -> None:
    assert places(Box(100, -90, 140, -10)) == {}


def test_the_stronger_of_two_boxes_in_one_place_has_the_first_choice_and_the_other_another() -> None:
    found = places(Box(100, 50, 140, 90), Box(102, 52, 138, 90))
    assert found[0] == Box(142, 50, 172, 65)
    assert not found[1].overlaps(found[0])


def test_a_box_as_wide_as_the_view_has_its_label_above() -> None:
    assert places(Box(0, 100, 600, 120)) == {0: Box(0, 83, 30, 98)}


@given(st.lists(st.tuples(st.floats(-50, 620), st.floats(-50, 420), st.floats(1, 700), st.floats(1, 500)), max_size=40))
def test_no_label_covers_another_or_lies_outside(boxes: list[tuple[float, float, float, float]]) -> None:
    found = list(places(*(Box(x, y, x + w, y + h) for x, y, w, h in boxes)).values())
    for k, label in enumerate(found):
        assert VIEW.left <= label.left and label.right <= VIEW.right  # noqa: PT018 (one rule)
        assert VIEW.top <= label.top and label.bottom <= VIEW.bottom  # noqa: PT018
        assert not any(label.overlaps(other) for other in found[k + 1 :])
