"""Numbers of defects, runs of lines, and which source images are complete: each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from aoi_app.inspection.reporting.numbering import DefectNumbers
from aoi_app.inspection.web.source_spans import SourceSpan, SourceSpans
from aoi_app.inspection.web.web_scale import WebScale
from cras_core.arrays import runs_of
from cras_core.web.regions import Region


def region(number: int, *, is_open: bool = False, absorbed: tuple[int, ...] = ()) -> Region:
    return Region(number, 0, np.array([[0, 2]], np.int32), 2.0, 1.5, 7.0, 0, 0, 2, is_open, absorbed)


def test_a_region_keeps_its_number_while_it_is_open_and_the_next_one_gets_another() -> None:
    numbers = DefectNumbers()
    assert not numbers.knows(region(7))
    assert numbers.take(region(7, is_open=True)) == (1, ())
    assert numbers.take(region(9)) == (2, ())
    assert numbers.knows(region(7))
    assert numbers.take(region(7)) == (1, ())
    assert not numbers.knows(region(7)), "it is closed"


def test_regions_that_grow_together_keep_the_lower_number_and_withdraw_the_other() -> None:
    numbers = DefectNumbers()
    numbers.take(region(1, is_open=True))
    numbers.take(region(2, is_open=True))
    assert numbers.take(region(2, is_open=True, absorbed=(1,))) == (1, (2,))
    assert numbers.take(region(2)) == (1, ())


def test_the_regions_of_the_next_segment_are_others() -> None:
    numbers = DefectNumbers()
    numbers.take(region(1, is_open=True))
    numbers.begin_segment()
    assert numbers.take(region(1)) == (2, ())


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [([], []), ([0, 0], []), ([1, 1], [(0, 2)]), ([0, 1, 1, 0, 1], [(1, 3), (4, 5)]), ([1, 0, 1], [(0, 1), (2, 3)])],
)
def test_runs_of_lines(wanted: list[int], runs: list[tuple[int, int]]) -> None:
    assert runs_of(np.array(wanted, np.bool_)) == runs


def test_a_source_image_is_complete_once_when_its_last_line_is_inspected() -> None:
    spans = SourceSpans()
    first, second = SourceSpan("a.png", 0, 100, 640), SourceSpan("b.png", 100, 200, 640)
    spans.add(first)
    spans.add(second)
    assert spans.complete(99) == ()
    assert spans.complete(150) == (first,)
    assert spans.complete(200) == (second,)
    assert spans.complete(200) == ()
    spans.forget_before(150)
    assert list(spans) == [second], "an open defect may still touch it"


def test_metres_begin_with_the_roll_and_millimetres_have_two_scales() -> None:
    scale = WebScale(mm_per_px=0.5, mm_per_line=0.2)
    assert scale.position_m(500) == pytest.approx(0.1)
    assert (scale.length_mm(10), scale.width_mm(10)) == (2.0, 5.0)
    assert scale.area_mm2(3, cell_px=8) == pytest.approx(3 * 64 * 0.1)
