"""What the points of a roll come to: per metre, per area, passed or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.grading.points import INCH_MM, MOST_POINTS, interval_m, is_running, points_of
from aoi_app.settings.grading import GradeLimit, GradingRules

YARD_M = 36 * INCH_MM / 1000.0

_SAME_M = 1e-6  # positions that differ by less are one


@dataclass(frozen=True, slots=True)
class Grade:
    """A graded roll.

    Attributes:
        rules: that it was graded by.
        points: of the whole roll, each metre (or yard) capped.
        by_interval: points of every metre (or yard) that has any, by its number from 0.
        by_defect: points of every defect that counts, by its number, before the cap; of a running one, all of them.
        left_out: how many defects got no points, by the reason.
        inspected_m: length that the points are spread over.
        usable_width_mm: the same across; None where the width is not known.
    """

    rules: GradingRules
    points: int
    by_interval: Mapping[int, int]
    by_defect: Mapping[int, int]
    left_out: Mapping[str, int]
    inspected_m: float
    usable_width_mm: float | None

    @property
    def interval_m(self) -> float:
        """Length of one metre (or yard) of ``by_interval``."""
        return interval_m(self.rules)

    @property
    def limit(self) -> GradeLimit:
        """What the roll may have."""
        return self.rules.effective_limit

    @property
    def per_metre(self) -> float | None:
        """Points per inspected metre; None where nothing was inspected."""
        return self.points / self.inspected_m if self.inspected_m > 0 else None

    @property
    def per_100_m2(self) -> float | None:
        """Points x 100 000 / (inspected metres x usable width in mm); None where there is no area."""
        if self.inspected_m <= 0 or not self.usable_width_mm:
            return None
        return self.points * 100_000.0 / (self.inspected_m * self.usable_width_mm)

    @property
    def per_100_yd2(self) -> float | None:
        """Points x 3600 / (inspected yards x usable width in inches); None where there is no area."""
        if self.inspected_m <= 0 or not self.usable_width_mm:
            return None
        return self.points * 3600.0 / (self.inspected_m / YARD_M * self.usable_width_mm / INCH_MM)

    @property
    def value(self) -> float | None:
        """The figure that the limit is about."""
        metre = self.per_metre
        return {
            "100 m2": self.per_100_m2,
            "100 yd2": self.per_100_yd2,
            "metre": metre,
            "yard": metre * YARD_M if metre is not None else None,
        }[self.limit.per]

    @property
    def is_passed(self) -> bool | None:
        """Whether the roll passes; None where that cannot be said, as of one of which nothing was inspected."""
        return None if self.value is None else self.value <= self.limit.points + 1e-9


def grade(defects: Iterable[ClothDefect], rules: GradingRules, *, inspected_m: float, width_mm: float | None) -> Grade:
    """Grades a roll.

    Args:
        defects: of the roll, in any order.
        rules: of its recipe.
        inspected_m: length that was inspected.
        width_mm: measured width of the cloth; None where it is not known.
    """
    raw: Counter[int] = Counter()
    by_defect: dict[int, int] = {}
    left_out: Counter[str] = Counter()
    for defect in defects:
        reason = why_left_out(defect, rules, width_mm)
        if reason is not None:
            left_out[reason] += 1
            continue
        points = points_of(defect, rules, width_mm)
        touched = list(_intervals(defect, rules))
        raw.update(dict.fromkeys(touched, points))
        by_defect[defect.number] = points * len(touched)
    most = MOST_POINTS[rules.scheme]
    by_interval = {index: min(points, most) for index, points in sorted(raw.items())}
    return Grade(
        rules=rules,
        points=sum(by_interval.values()),
        by_interval=by_interval,
        by_defect=by_defect,
        left_out=dict(left_out),
        inspected_m=inspected_m,
        usable_width_mm=usable_width_mm(rules, width_mm),
    )


def why_left_out(defect: ClothDefect, rules: GradingRules, width_mm: float | None) -> str | None:
    """Why a defect gets no points, in a few words; None where it counts."""
    if defect.verdict == "rejected":
        return "rejected"
    if defect.verdict is None and not rules.count_unreviewed:
        return "not reviewed"
    if defect.type_code is not None and defect.type_code in rules.ignored_types:
        return "ignored type"
    is_left = defect.right_mm <= rules.margin_mm
    # Without a width nobody knows where the right margin is: what may lie in it counts.
    is_right = width_mm is not None and defect.left_mm >= width_mm - rules.margin_mm
    return "at the selvedge" if rules.margin_mm > 0 and (is_left or is_right) else None


def usable_width_mm(rules: GradingRules, width_mm: float | None) -> float | None:
    """Width that points per area are counted on; None where it is not known or nothing is left of it."""
    if rules.usable_width_mm is not None:
        return rules.usable_width_mm
    if width_mm is None:
        return None
    usable = width_mm - 2.0 * rules.margin_mm
    return usable if usable > 0 else None


def _intervals(defect: ClothDefect, rules: GradingRules) -> Iterator[int]:
    """The metres (or yards) that a defect has points in: of a running one all that it touches, of others the one in
    which it begins.
    """
    length_m = interval_m(rules)
    first = floor((defect.start_m + _SAME_M) / length_m)
    last = ceil((defect.end_m - _SAME_M) / length_m) - 1 if is_running(defect, rules) else first
    yield from range(first, max(first, last) + 1)
