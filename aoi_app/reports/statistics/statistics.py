"""Figures over many rolls: by shift, fabric, work order, source and time, and the types of their defects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from aoi_app.records.roll_counts import RollCount
from aoi_app.reports.roll.roll_report import NO_TYPE

Grouping = Literal["shift", "fabric", "article", "lot", "loom", "operator", "source", "day", "week", "month"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

NOT_SAID = "not in the work order"
"""The group of rolls whose work order leaves it open."""


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """The rolls of one group.

    Attributes:
        name: of the group.
        rolls: how many.
        inspected_m, reserve_m, gap_m: lengths.
        area_m2: inspected area of the rolls whose width is known.
        defects: of all rolls, rejected ones left out.
        defects_on_area: of those rolls whose width is known.
        confirmed, rejected: how many defects people have said so of.
    """

    name: str
    rolls: int
    inspected_m: float
    reserve_m: float
    gap_m: float
    area_m2: float
    defects: int
    defects_on_area: int
    confirmed: int
    rejected: int

    @property
    def per_100_m2(self) -> float | None:
        """Defects per 100 m² of cloth whose width is known."""
        return 100.0 * self.defects_on_area / self.area_m2 if self.area_m2 > 0 else None

    @property
    def false_share(self) -> float | None:
        """Rejected ones of the defects that were reviewed, 0..1."""
        reviewed = self.confirmed + self.rejected
        return self.rejected / reviewed if reviewed else None


def group_rolls(rolls: Sequence[RollCount], by: Grouping, shifts: Sequence[int]) -> list[StatisticsRow]:
    """One row for each group, in the order of their names.

    Args:
        rolls: to be counted.
        by: what makes a group. Times are those of this place.
        shifts: hours at which a shift begins, 0..23.
    """
    groups: dict[str, list[RollCount]] = defaultdict(list)
    for roll in rolls:
        groups[_name(roll, by, shifts)].append(roll)
    return [_row(name, groups[name]) for name in sorted(groups)]


def total_row(rolls: Sequence[RollCount]) -> StatisticsRow:
    """All rolls together."""
    return _row("all", rolls)


def pareto(rolls: Sequence[RollCount]) -> list[tuple[str, int, float]]:
    """The types of defects, the most frequent first: name, how many, and the share up to and with it, 0..1."""
    count: Counter[str] = Counter()
    for roll in rolls:
        for name, defects in roll.types.items():
            count[name or NO_TYPE] += defects
    rows, seen = [], 0
    for name, defects in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        seen += defects
        rows.append((name, defects, seen / count.total()))
    return rows


def shift_name(time: datetime, shifts: Sequence[int]) -> str:
    """The shift that a time lies in, as ``06-14``; of one shift a day, or none, ``all day``."""
    begins = sorted(set(shifts))
    if len(begins) < 2:
        return "all day"
    begin = max((hour for hour in begins if hour <= time.hour), default=begins[-1])
    end = begins[(begins.index(begin) + 1) % len(begins)]
    return f"{begin:02d}-{end:02d}"


def _name(roll: RollCount, by: Grouping, shifts: Sequence[int]) -> str:
    local = roll.started_at.astimezone()
    year, week, _ = local.isocalendar()
    names: dict[Grouping, Callable[[], str]] = {
        "shift": lambda: shift_name(local, shifts),
        "fabric": lambda: roll.fabric or "not recognised",
        "article": lambda: roll.article or NOT_SAID,
        "lot": lambda: roll.lot or NOT_SAID,
        "loom": lambda: roll.loom or NOT_SAID,
        "operator": lambda: roll.operator or NOT_SAID,
        "source": lambda: roll.source,
        "day": lambda: f"{local:%Y-%m-%d}",
        "week": lambda: f"{year}-W{week:02d}",
        "month": lambda: f"{local:%Y-%m}",
    }
    return names[by]()


def _row(name: str, rolls: Sequence[RollCount]) -> StatisticsRow:
    known = [roll for roll in rolls if roll.width_mm is not None]
    return StatisticsRow(
        name=name,
        rolls=len(rolls),
        inspected_m=sum(roll.inspected_m for roll in rolls),
        reserve_m=sum(roll.reserve_m for roll in rolls),
        gap_m=sum(roll.gap_m for roll in rolls),
        area_m2=sum(roll.inspected_m * (roll.width_mm or 0.0) / 1000.0 for roll in known),
        defects=sum(roll.defects for roll in rolls),
        defects_on_area=sum(roll.defects for roll in known),
        confirmed=sum(roll.confirmed for roll in rolls),
        rejected=sum(roll.rejected for roll in rolls),
    )
