"""How many points one defect has: the tables of the points systems, to be read beside the standard.

Four-point system (ASTM D5430, option A), by the greater extent of the defect, along or across:

    up to 3 in (75 mm)            1
    over 3 to 6 in (150 mm)       2
    over 6 to 9 in (230 mm)       3
    over 9 in                     4
    hole up to 1 in (25 mm)       2, larger 4 (stricter houses: always 4)

At most 4 points count in one metre (or yard) of the roll, however many defects lie there. A running defect, one that is
longer than such a metre, has 4 points in every metre that it touches.

Ten-point system, by direction:

    along (warp)                  across (weft)
    up to 1 in (25 mm)       1    up to 1 in (25 mm)          1
    over 1 to 5 in (125 mm)  3    over 1 to 5 in (125 mm)     3
    over 5 to 10 in (250 mm) 5    over 5 in to half the width 5
    over 10 to 36 in        10    more than half the width   10
    hole (stricter houses)  10

The direction that gives more counts. At most 10 points count in one metre (or yard); what is longer than it has 10 in
every one that it touches. Some tables say 10 for the full width only, and nothing between half of it and all of it;
here, as in others, whatever is over half the width has 10, which never grades too well.
"""

from __future__ import annotations

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.settings.grading import GradingRules, Units

INCH_MM = 25.4

MOST_POINTS = {"four-point": 4, "ten-point": 10}
"""Of one defect, and of one metre or yard."""

_Steps = tuple[tuple[float, int], ...]
"""Sizes in mm that are still within a step, and its points."""

_FOUR: dict[Units, _Steps] = {
    "metric": ((75.0, 1), (150.0, 2), (230.0, 3)),
    "yard": ((3 * INCH_MM, 1), (6 * INCH_MM, 2), (9 * INCH_MM, 3)),
}
_HOLE: dict[Units, _Steps] = {"metric": ((25.0, 2),), "yard": ((INCH_MM, 2),)}
_TEN_ALONG: dict[Units, _Steps] = {
    "metric": ((25.0, 1), (125.0, 3), (250.0, 5)),
    "yard": ((INCH_MM, 1), (5 * INCH_MM, 3), (10 * INCH_MM, 5)),
}
_TEN_ACROSS: dict[Units, _Steps] = {
    "metric": ((25.0, 1), (125.0, 3)),
    "yard": ((INCH_MM, 1), (5 * INCH_MM, 3)),
}

_SAME_MM = 1e-6  # two lengths that differ by less are one; they come from sums of floating-point numbers


def interval_m(rules: GradingRules) -> float:
    """Length of the piece of roll that has a cap of points of its own: a metre or a yard."""
    return 1.0 if rules.units == "metric" else 36 * INCH_MM / 1000.0


def is_running(defect: ClothDefect, rules: GradingRules) -> bool:
    """Whether it has points in every metre (or yard) that it touches."""
    return defect.length_mm > interval_m(rules) * 1000.0 + _SAME_MM


def points_of(defect: ClothDefect, rules: GradingRules, width_mm: float | None) -> int:
    """Points of a defect; of a running one, those in each metre (or yard) that it touches.

    Args:
        defect: one that counts.
        rules: of the recipe.
        width_mm: of the cloth, for the ten-point system; None where it was not measured.
    """
    if is_running(defect, rules):
        return MOST_POINTS[rules.scheme]
    is_hole = defect.type_code in rules.hole_types
    if is_hole and rules.holes == "always most":
        return MOST_POINTS[rules.scheme]
    if rules.scheme == "ten-point":
        return _ten_points(defect, rules.units, width_mm)
    if is_hole and rules.holes == "by size":
        return _step(defect.size_mm, _HOLE[rules.units], 4)
    return _step(defect.size_mm, _FOUR[rules.units], 4)


def _ten_points(defect: ClothDefect, units: Units, width_mm: float | None) -> int:
    across = _TEN_ACROSS[units]
    # Half of narrow cloth is less than 5 inches; the steps stay in their order. Without a width nothing is over half.
    half_mm = float("inf") if width_mm is None else max(width_mm / 2.0, across[-1][0])
    return max(
        _step(defect.length_mm, _TEN_ALONG[units], 10),
        _step(defect.width_mm, (*across, (half_mm, 5)), 10),
    )


def _step(size_mm: float, steps: _Steps, beyond: int) -> int:
    return next((points for most_mm, points in steps if size_mm <= most_mm + _SAME_MM), beyond)
