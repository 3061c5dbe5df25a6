"""Recall at a number of false alarms, on strips small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.evaluation.web_recall import Reported, StripResult, match_reports, recall_at


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    found = np.zeros((256, 1024), np.bool_)
    for left, top, right, bottom in boxes:
        found[top:bottom, left:right] = True
    return found


def test_a_box_nearby_finds_and_one_far_off_is_a_false_alarm() -> None:
    truth = mask((100, 100, 120, 120))
    strip = match_reports(
        truth,
        [
            Reported(5.0, 130, 100, 140, 110),  # 10 px off: found
            Reported(4.0, 145, 100, 150, 110),  # 25 px off: neither
            Reported(3.0, 400, 100, 410, 110),  # far off
        ],
        1.0,
    )
    assert strip.defects == 1
    assert strip.found == ((5.0, 1),)
    assert strip.false_alarms == (3.0,)


def test_parts_of_a_mask_that_lie_close_are_one_defect() -> None:
    assert match_reports(mask((100, 100, 110, 110), (140, 100, 150, 110)), [], 1.0).defects == 1
    assert match_reports(mask((100, 100, 110, 110), (200, 100, 210, 110)), [], 1.0).defects == 2


def test_a_box_over_most_of_the_strip_finds_nothing() -> None:
    strip = match_reports(mask((100, 100, 110, 110)), [Reported(9.0, 0, 0, 1024, 250)], 1.0)
    assert strip.found == ()
    assert strip.false_alarms == (9.0,)


def test_one_box_can_find_two_defects() -> None:
    strip = match_reports(mask((100, 100, 110, 110), (300, 100, 310, 110)), [Reported(2.0, 90, 100, 310, 110)], 1.0)
    assert sorted(strip.found) == [(2.0, 1), (2.0, 2)]


def test_recall_rises_with_the_false_alarms_allowed() -> None:
    strips = [
        StripResult(1, ((9.0, 1),), (7.0,), 1.0),
        StripResult(2, ((6.0, 1), (2.0, 2)), (4.0,), 1.0),
    ]
    assert recall_at(strips, 0) == pytest.approx(1 / 3)
    assert recall_at(strips, 1) == pytest.approx(2 / 3)
    assert recall_at(strips, 1.9) == pytest.approx(2 / 3)
    assert recall_at(strips, 2) == pytest.approx(1.0)


def test_equal_scores_do_not_help() -> None:
    assert recall_at([StripResult(1, ((3.0, 1),), (3.0,), 1.0)], 0) == 0.0


def test_without_a_defect_there_is_no_recall() -> None:
    assert np.isnan(recall_at([StripResult(0, (), (1.0,), 1.0)], 1))


@given(
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 3)), max_size=20),
    st.lists(st.floats(0, 10), max_size=20),
    st.floats(0, 20),
)
def test_the_number_of_false_alarms_is_never_exceeded(
    found: list[tuple[float, int]], alarms: list[float], allowed: float
) -> None:
    strip = StripResult(4, tuple(found), tuple(alarms), 1.0)
    recall = recall_at([strip], allowed)
    best = 0.0
    for threshold in {*alarms, *(peak for peak, _ in found)}:
        if sum(a >= threshold for a in alarms) <= allowed:
            best = max(best, len({d for peak, d in found if peak >= threshold}) / 4)
    assert recall == pytest.approx(best)
