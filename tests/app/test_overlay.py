"""Colours and marks over the cloth: one fixed scale, whatever else is in the picture."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.overlay import SCALE_TOP, DefectMarks, Mark, color_table, find_marks, heat_colors, outlines
from cras_core.shade.rows import ShadeKind

ONE = st.floats(-1, 5, width=32)


@given(ONE, st.lists(ONE, min_size=1, max_size=30))
def test_a_score_has_one_colour_whatever_is_beside_it(score: float, others: list[float]) -> None:
    alone = heat_colors(np.array([[score]], np.float32))[0, 0]
    among = heat_colors(np.array([[score, *others]], np.float32))[0, 0]
    np.testing.assert_array_equal(alone, among)


def test_clean_cloth_is_clear_and_the_limit_is_not() -> None:
    far_below, below, limit, above, beyond = heat_colors(np.array([[0.0, 0.4, 1.0, SCALE_TOP, 50.0]], np.float32))[0]
    assert far_below[3] == below[3] == 0
    assert limit[3] > 100
    np.testing.assert_array_equal(above, beyond)
    assert tuple(limit) != tuple(above)


def test_what_was_not_inspected_is_clear() -> None:
    assert heat_colors(np.array([[np.nan]], np.float32))[0, 0, 3] == 0
    assert heat_colors(np.full((3, 4), np.nan, np.float32)).shape == (3, 4, 4)


def test_scores_far_beyond_the_scale_have_a_colour() -> None:
    low, high = heat_colors(np.array([[-1e30, 1e30]], np.float32))[0]
    assert low[3] == 0
    np.testing.assert_array_equal(high, color_table()[-1])


def test_the_table_grows_more_opaque_with_the_score() -> None:
    table = color_table()
    assert table.shape == (256, 4)
    assert table.dtype == np.uint8
    assert (np.diff(table[:, 3].astype(int)) >= 0).all()


def test_marks_lie_around_what_is_above_the_threshold() -> None:
    score = np.zeros((40, 50), np.float32)
    score[10:12, 20:25] = 1.5
    score[30, 5] = 0.8
    (mark,) = find_marks(score, 1000, 8, 1.0)
    assert mark == Mark(1080, 1096, 160, 200, 1.5)
    assert len(find_marks(score, 1000, 8, 0.7)) == 2
    assert find_marks(score, 1000, 8, 2.0) == []


def test_outlines_run_around_what_reaches_the_threshold() -> None:
    score = np.zeros((4, 5), np.float32)
    score[1, 2:4] = 1.5  # two cells
    score[3, 0] = np.nan
    x, y = outlines(score, 1000, 8, 1.0)
    pieces = {((x[k], y[k]), (x[k + 1], y[k + 1])) for k in range(0, len(x), 2)}
    assert pieces == {
        ((16, 1008), (16, 1016)),
        ((32, 1008), (32, 1016)),
        ((16, 1008), (24, 1008)),
        ((24, 1008), (32, 1008)),
        ((16, 1016), (24, 1016)),
        ((24, 1016), (32, 1016)),
    }
    assert len(outlines(score, 1000, 8, 2.0)[0]) == 0


def test_the_cloth_is_seen_under_the_strongest_heat() -> None:
    assert color_table()[:, 3].max() < 180


def test_nothing_is_marked_where_nothing_was_inspected() -> None:
    assert find_marks(np.full((9, 9), np.nan, np.float32), 0, 8, 0.5) == []


def defect_at(
    first_line: int, end_line: int, *, peak: float = 1.2, shade: ShadeKind | None = None, number: int = 1
) -> Defect:
    return Defect(
        number=number,
        fabric="twill",
        shape="line",
        first_line=first_line,
        end_line=end_line,
        left_px=10,
        right_px=20,
        position_m=0.02,
        position_mm=3.0,
        length_mm=160.0,
        width_mm=2.0,
        area_mm2=320.0,
        peak=peak,
        mean=1.0,
        raw_peak=-3.0,
        boxes=(),
        is_open=False,
        thumbnail=np.zeros((8, 8), np.uint8),
        shade=shade,
        contrast_percent=None if shade is None else -3.0,
    )


def test_darker_and_lighter_places_that_would_reach_another_threshold_are_boxed() -> None:
    streak = defect_at(100, 900, peak=1.5, shade="warp stripe", number=1)
    weak = defect_at(100, 900, peak=0.9, shade="stain", number=2)
    of_the_model = defect_at(100, 900, peak=2.0, shade=None, number=3)
    boxes = DefectMarks()
    boxes.take([streak, weak, of_the_model], ())
    assert boxes.marks_of_shade(1.0) == [Mark(100, 900, 10, 20, 1.5)]


def test_boxes_are_those_of_the_recorded_defects_of_the_cloth_in_memory() -> None:
    boxes = DefectMarks()
    boxes.take([defect_at(0, 50, number=1), defect_at(40, 400, number=2), defect_at(300, 350, number=3)], [3])
    assert [m.first_line for m in boxes.marks()] == [0, 40], "what became part of another one is gone"
    boxes.take([defect_at(40, 800, number=2)], ())
    assert [m.end_line for m in boxes.marks()] == [50, 800], "a running defect grows"
    boxes.forget_before(100)
    assert [m.first_line for m in boxes.marks()] == [40]
    boxes.clear()
    assert boxes.marks() == []
