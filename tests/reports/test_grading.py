"""Grading: the tables of the points systems, the caps, what is left out, and what a roll's points come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports_tools import defect, rolls_of_defects

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.grading.grade import Grade, grade
from aoi_app.reports.grading.points import MOST_POINTS, points_of
from aoi_app.settings.grading import GradeLimit, GradingRules
from aoi_app.settings.recipe import Recipe

METRIC, YARD = GradingRules(), GradingRules(units="yard")
TEN = GradingRules(scheme="ten-point")
RULES = st.builds(
    GradingRules,
    scheme=st.sampled_from(["four-point", "ten-point"]),
    units=st.sampled_from(["metric", "yard"]),
    holes=st.sampled_from(["by size", "always most", "as others"]),
    margin_mm=st.sampled_from([0.0, 25.4]),
    ignored_types=st.sampled_from([(), ("K3",)]),
    count_unreviewed=st.booleans(),
)


def graded(defects: Sequence[ClothDefect], rules: GradingRules = METRIC, metres: float = 100.0, **more: Any) -> Grade:
    return grade(defects, rules, inspected_m=metres, width_mm=more.get("width_mm", 1500.0))


@pytest.mark.parametrize(
    ("rules", "size_mm", "points"),
    [
        (METRIC, 75.0, 1), (METRIC, 75.1, 2), (METRIC, 150.0, 2), (METRIC, 150.1, 3), (METRIC, 230.0, 3),
        (METRIC, 230.1, 4), (METRIC, 1000.0, 4),
        (YARD, 76.2, 1), (YARD, 76.3, 2), (YARD, 152.4, 2), (YARD, 152.5, 3), (YARD, 228.6, 3), (YARD, 228.7, 4),
    ],
)  # fmt: skip
def test_four_point_goes_by_the_greater_extent(rules: GradingRules, size_mm: float, points: int) -> None:
    assert points_of(defect(length_mm=size_mm), rules, 1500) == points
    assert points_of(defect(width_mm=size_mm), rules, 1500) == points


@pytest.mark.parametrize(
    ("rule", "size_mm", "points"),
    [("by size", 25, 2), ("by size", 26, 4), ("always most", 1, 4), ("as others", 25, 1), ("as others", 300, 4)],
)
def test_holes_have_a_rule_of_their_own(rule: Any, size_mm: float, points: int) -> None:
    assert points_of(defect(length_mm=size_mm, code="G1"), GradingRules(holes=rule), 1500) == points


@pytest.mark.parametrize(
    ("length_mm", "width_mm", "points"),
    [
        (25, 1, 1), (26, 1, 3), (125, 1, 3), (126, 1, 5), (250, 1, 5), (251, 1, 10),
        (1, 25, 1), (1, 26, 3), (1, 126, 5), (1, 750, 5), (1, 751, 10), (1, 1500, 10),
    ],
)  # fmt: skip
def test_ten_point_goes_by_the_direction(length_mm: float, width_mm: float, points: int) -> None:
    assert points_of(defect(length_mm=length_mm, width_mm=width_mm), TEN, 1500) == points


def test_every_hole_has_ten_points_where_the_house_is_strict() -> None:
    strict = GradingRules(scheme="ten-point", holes="always most")
    assert points_of(defect(code="G1"), strict, 1500) == 10
    assert points_of(defect(code="G1"), TEN, 1500) == 1


def test_a_running_defect_has_the_most_in_every_metre_that_it_touches() -> None:
    running = defect(at_m=2.5, length_mm=2000)
    assert graded([running]).by_interval == {2: 4, 3: 4, 4: 4}
    assert graded([running]).by_defect == {1: 12}
    assert graded([defect(at_m=2.5, length_mm=1000)]).by_interval == {2: 4}, "as long as a metre is not longer than it"
    assert graded([defect(at_m=3.0, length_mm=2000)]).by_interval == {3: 4, 4: 4}, "it ends where the next metre begins"
    assert graded([running], YARD).by_interval == {2: 4, 3: 4, 4: 4}
    assert graded([running], TEN).points == 30


def test_one_metre_has_four_points_at_most() -> None:
    many = [defect(n, at_m=7.0 + n / 20, length_mm=100) for n in range(1, 6)]
    assert graded(many).by_interval == {7: 4}
    assert sum(graded(many).by_defect.values()) == 10


def test_the_worked_example_in_metres() -> None:
    spread = [defect(n, at_m=3 * n, length_mm=300) for n in range(7)]  # 7 x 4 = 28 points
    result = graded(spread, metres=100)
    assert result.points == 28
    assert result.per_100_m2 == pytest.approx(18.7, abs=0.05)
    assert result.per_metre == pytest.approx(0.28)


def test_the_worked_example_in_yards() -> None:
    spread = [*(defect(n, at_m=3 * n, length_mm=300) for n in range(7)), defect(8, at_m=60, length_mm=100)]
    result = graded(spread, YARD, metres=130 * 0.9144, width_mm=45 * 25.4)
    assert result.points == 30
    assert result.per_100_yd2 == pytest.approx(18.5, abs=0.05)


def test_pass_and_fail_name_the_limit() -> None:
    spread = [defect(n, at_m=3 * n, length_mm=300) for n in range(7)]
    assert graded(spread).limit.text == "40 points per 100 yd²"
    assert graded(spread).is_passed is True
    strict = graded(spread, GradingRules(limit=GradeLimit(points=18.0, per="100 m2")))
    assert strict.is_passed is False
    exact = graded(spread, GradingRules(limit=GradeLimit(points=0.28, per="metre")))
    assert exact.is_passed is True, "as many as the limit still pass"
    assert TEN.effective_limit.text == "1 points per yard"
    assert graded(spread, TEN).value == pytest.approx(70 / 100 * 0.9144)


@pytest.mark.parametrize(("metres", "width_mm"), [(0.0, 1500.0), (100.0, None), (100.0, 0.0)])
def test_without_an_area_there_is_no_verdict(metres: float, width_mm: float | None) -> None:
    result = graded([defect()], metres=metres, width_mm=width_mm)
    assert (result.points, result.is_passed, result.per_100_m2, result.per_100_yd2) == (1, None, None, None)


def test_an_empty_roll_passes() -> None:
    assert (graded([]).points, graded([]).is_passed) == (0, True)


def test_what_is_left_out_is_counted_by_its_reason() -> None:
    rules = GradingRules(margin_mm=25.4, ignored_types=("K3",))
    defects = [
        defect(1, verdict="rejected"),
        defect(2, code="K3"),
        defect(3, across_mm=2.0),  # ends at 7 mm
        defect(4, across_mm=1490.0),
        defect(5, across_mm=20.0, width_mm=6.0),  # reaches over the margin
        defect(6),
    ]
    result = graded(defects, rules)
    assert result.left_out == {"rejected": 1, "ignored type": 1, "at the selvedge": 2}
    assert sorted(result.by_defect) == [5, 6]
    assert result.usable_width_mm == pytest.approx(1500 - 2 * 25.4)
    assert graded(defects, replace_rules(rules, usable_width_mm=1400.0)).usable_width_mm == 1400.0


def replace_rules(rules: GradingRules, **changes: Any) -> GradingRules:
    return GradingRules.model_validate(rules.model_dump() | changes)


def test_what_nobody_has_reviewed_counts_unless_the_rules_say_otherwise() -> None:
    two = [defect(1), defect(2, at_m=5, verdict="confirmed")]
    assert graded(two).points == 2
    only = graded(two, GradingRules(count_unreviewed=False))
    assert (only.points, only.left_out) == (1, {"not reviewed": 1})


@settings(max_examples=50)
@given(rolls_of_defects(), RULES)
def test_no_metre_has_more_than_the_cap_and_the_roll_is_their_sum(defects: list[ClothDefect], rules: Any) -> None:
    result = graded(defects, rules)
    assert all(0 < points <= MOST_POINTS[rules.scheme] for points in result.by_interval.values())
    assert result.points == sum(result.by_interval.values()) <= sum(result.by_defect.values())
    assert len(result.by_defect) + sum(result.left_out.values()) == len(defects)


@settings(max_examples=50)
@given(rolls_of_defects(), RULES, st.randoms())
def test_the_order_of_the_defects_does_not_matter(defects: list[ClothDefect], rules: Any, random: Any) -> None:
    shuffled = random.sample(defects, len(defects))
    assert graded(shuffled, rules).by_interval == graded(defects, rules).by_interval


@settings(max_examples=50)
@given(rolls_of_defects(), rolls_of_defects(), RULES)
def test_two_halves_of_a_roll_add_up(here: list[ClothDefect], there: list[ClothDefect], rules: Any) -> None:
    moved = [replace(d, start_m=d.start_m + 9144.0, number=d.number + 1000) for d in there]  # whole metres and yards
    both, one, other = graded([*here, *moved], rules), graded(here, rules), graded(there, rules)
    assert both.points == one.points + other.points


@settings(max_examples=50)
@given(rolls_of_defects(), RULES)
def test_a_defect_more_never_makes_a_roll_better(defects: list[ClothDefect], rules: Any) -> None:
    assert all(graded(defects[:n], rules).points <= graded(defects, rules).points for n in range(len(defects)))


def test_an_old_recipe_is_graded_by_the_standard_rules() -> None:
    assert Recipe.model_validate({"name": "of last year"}).grading == GradingRules()
    kept = Recipe(grading=GradingRules(scheme="ten-point", limit=GradeLimit(points=2.0, per="metre")))
    assert Recipe.model_validate_json(kept.model_dump_json()) == kept
