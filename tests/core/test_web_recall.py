"""Recall at a number of false alarms, on strips small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.evaluation.web_figures import at_threshold
from cras_core.evaluation.web_recall import (
    Reported,
    StripResult,
    TrueDefect,
    match_reports,
    place_of,
    rate_interval,
    recall_at,
    share_interval,
)

ANYWHERE = (0, 0, 8, 8)


def strip_of(scores: list[float], alarms: list[float]) -> StripResult:
    """Defects with the scores of what finds them, and false alarms; one square metre."""
    return StripResult(
        tuple(TrueDefect(ANYWHERE, score) for score in scores), tuple(Reported(a, *ANYWHERE) for a in alarms), 1.0
    )


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
    assert [d.score for d in strip.defects] == [5.0]
    assert [a.peak for a in strip.false_alarms] == [3.0]


def test_parts_of_a_mask_that_lie_close_are_one_defect() -> None:
    assert len(match_reports(mask((100, 100, 110, 110), (140, 100, 150, 110)), [], 1.0).defects) == 1
    assert len(match_reports(mask((100, 100, 110, 110), (200, 100, 210, 110)), [], 1.0).defects) == 2


def test_a_box_over_most_of_the_strip_finds_nothing() -> None:
    strip = match_reports(mask((100, 100, 110, 110)), [Reported(9.0, 0, 0, 1024, 250)], 1.0)
    assert [d.score for d in strip.defects] == [-np.inf]
    assert [a.peak for a in strip.false_alarms] == [9.0]


def test_one_box_can_find_two_defects() -> None:
    strip = match_reports(mask((100, 100, 110, 110), (300, 100, 310, 110)), [Reported(2.0, 90, 100, 310, 110)], 1.0)
    assert [d.score for d in strip.defects] == [2.0, 2.0]


def test_recall_rises_with_the_false_alarms_allowed() -> None:
    strips = [
        strip_of([9.0], [7.0]),
        strip_of([6.0, 2.0], [4.0]),
    ]
    assert recall_at(strips, 0) == pytest.approx(1 / 3)
    assert recall_at(strips, 1) == pytest.approx(2 / 3)
    assert recall_at(strips, 1.9) == pytest.approx(2 / 3)
    assert recall_at(strips, 2) == pytest.approx(1.0)


def test_equal_scores_do_not_help() -> None:
    assert recall_at([strip_of([3.0], [3.0])], 0) == 0.0


def test_without_a_defect_there_is_no_recall() -> None:
    assert np.isnan(recall_at([strip_of([], [1.0])], 1))


@given(
    st.lists(st.floats(0, 10), min_size=4, max_size=4),
    st.lists(st.floats(0, 10), max_size=20),
    st.floats(0, 20),
)
def test_the_number_of_false_alarms_is_never_exceeded(found: list[float], alarms: list[float], allowed: float) -> None:
    recall = recall_at([strip_of(found, alarms)], allowed)
    best = 0.0
    for threshold in {*alarms, *found}:
        if sum(a >= threshold for a in alarms) <= allowed:
            best = max(best, sum(peak >= threshold for peak in found) / 4)
    assert recall == pytest.approx(best)


def test_a_real_defect_that_the_mask_leaves_out_counts_neither_way() -> None:
    strip = match_reports(mask(), [Reported(3.0, 400, 100, 410, 110)], 1.0, unmarked=[(415, 100, 430, 110)])
    assert strip.false_alarms == ()
    far = match_reports(mask(), [Reported(3.0, 400, 100, 410, 110)], 1.0, unmarked=[(440, 100, 450, 110)])
    assert len(far.false_alarms) == 1


@pytest.mark.parametrize(
    ("box", "cloth", "place"),
    [
        ((500, 0, 510, 10), (100.0, 1000.0), "end"),
        ((500, 240, 510, 256), (100.0, 1000.0), "end"),
        ((150, 100, 160, 110), (100.0, 1000.0), "edge"),
        ((930, 100, 940, 110), (100.0, 1000.0), "edge"),
        ((500, 100, 510, 110), (100.0, 1000.0), "inside"),
        ((1000, 100, 1024, 110), (100.0, 1024.0), "end"),  # the cloth runs on to the right
        ((930, 100, 940, 110), (100.0, 1024.0), "inside"),
    ],
)
def test_a_false_alarm_has_a_place(box: tuple[int, int, int, int], cloth: tuple[float, float], place: str) -> None:
    assert place_of(box, cloth, (256, 1024), 220.0) == place


def test_a_defect_has_a_shape_and_a_size() -> None:
    truth = mask((100, 100, 108, 108), (300, 10, 308, 200), (500, 100, 700, 110), (800, 50, 900, 150))
    defects = match_reports(truth, [], 1.0).defects
    assert {d.shape: d.size_px for d in defects} == {
        "point": 8,
        "along the warp": 190,
        "along the weft": 200,
        "area": 100,
    }


def test_what_the_calibrated_threshold_is_worth() -> None:
    worth = at_threshold([strip_of([1.0, 0.9], [1.2, 0.8]), strip_of([3.0], [])], 0.2, 0.1)
    assert (worth["found"], worth["defects"]) == (2, 3)
    assert worth["recall"] == pytest.approx(2 / 3)
    assert worth["false_alarms"] == {"inside": 1, "end": 0, "edge": 0}
    assert worth["false_alarms_per_m2"] == 0.5
    assert worth["by_size"]["1 to 2 mm"]["defects"] == 3
    assert set(worth["by_shape"]) == {"point"}


def test_intervals_are_those_of_the_books() -> None:
    # Wilson: 8 of 10; Poisson: 0 and 3 events, as tables of the exact interval give them.
    assert share_interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert share_interval(0, 10)[0] == 0.0
    assert rate_interval(0, 1.0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert rate_interval(3, 2.0) == pytest.approx((0.619 / 2, 8.767 / 2), abs=1e-3)
    assert np.isnan(share_interval(0, 0)).all()
    assert np.isnan(rate_interval(0, 0.0)).all()
