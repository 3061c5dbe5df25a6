"""What the defects of a roll have in common: those that repeat at a period, and those that lie in one lane."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.repeats.chance import at_least_of_rate, times
from aoi_app.reports.repeats.periods import FEWEST, find_period

LANE_MM = 20.0
"""Defects whose middles are no farther apart lie in one lane: a needle, a warp end, a spot of a roller."""

SURE = 1e-3
"""Something is told from this chance on: one roll in a thousand that has nothing would say it."""

_BESIDE_MM = 200.0  # how many are expected in a lane is also seen in the cloth beside it
_ONE_PLACE_M = 0.25  # defects of a lane that are nearer to each other count as one
_MOST_TOLD = 20
_SAME_SHARE = 0.5  # of its defects that something else has already explained


@dataclass(frozen=True, slots=True)
class Repeat:
    """
    Attributes:
        left_mm, right_mm: the lane, across; the whole width where the period has none.
        is_lane: they lie in one lane.
        period_m: at which they repeat along the roll; None for a lane without a period.
        from_m, to_m: where the first begins and the last.
        numbers: of the defects.
        chance: bound of the probability that chance does it, 0..1.
    """

    left_mm: float
    right_mm: float
    is_lane: bool
    period_m: float | None
    from_m: float
    to_m: float
    numbers: tuple[int, ...]
    chance: float


def find_repeats(defects: Sequence[ClothDefect], *, roll_m: float, width_mm: float | None) -> list[Repeat]:
    """What repeats or runs in a lane, the surest first; rejected defects do not count.

    Args:
        defects: of the roll, in any order.
        roll_m: length of the roll.
        width_mm: of the cloth; None takes it from the defects.
    """
    real = sorted((d for d in defects if d.verdict != "rejected"), key=lambda d: (d.middle_mm, d.number))
    if len(real) < FEWEST:
        return []
    width = max(width_mm or 0.0, *(d.right_mm for d in real), LANE_MM)
    lanes = list(_lanes(real, width))
    found = [one for lane in lanes for one in _of_lane(lane, real, width, trials=len(lanes) + 1)]
    everywhere = _period(real, 0.0, width, is_lane=False, trials=len(lanes) + 1)
    found += [everywhere] if everywhere is not None else []
    return _told([one for one in found if one.chance <= SURE and one.from_m < roll_m + 1.0])


def _lanes(real: Sequence[ClothDefect], width_mm: float) -> Iterator[tuple[float, list[ClothDefect]]]:
    """Lanes that overlap by half, with their defects; those with too few are left out."""
    middles = np.array([d.middle_mm for d in real])  # (n,), rising
    for left in np.arange(min(0.0, middles[0]), width_mm, LANE_MM / 2.0).tolist():
        a, b = np.searchsorted(middles, (left, left + LANE_MM))
        if b - a >= FEWEST:
            yield left, list(real[a:b])


def _of_lane(
    lane: tuple[float, list[ClothDefect]], real: Sequence[ClothDefect], width_mm: float, trials: int
) -> Iterator[Repeat]:
    left, held = lane
    period = _period(held, left, left + LANE_MM, is_lane=True, trials=trials)
    if period is not None:
        yield period
    a = bisect_left(real, left - _BESIDE_MM, key=_middle)
    beside = real[a : bisect_left(real, left + LANE_MM + _BESIDE_MM, a, key=_middle)]
    others = len(_apart(beside)) - len(_apart(held))
    room = min(left + LANE_MM + _BESIDE_MM, width_mm) - max(left - _BESIDE_MM, 0.0) - LANE_MM
    expected = max(len(real) * LANE_MM / width_mm, others * LANE_MM / max(room, LANE_MM))
    chance = times(at_least_of_rate(len(_apart(held)), expected), 2.0 * width_mm / LANE_MM)
    yield _repeat(held, left, left + LANE_MM, is_lane=True, period_m=None, chance=chance)


def _middle(defect: ClothDefect) -> float:
    return defect.middle_mm


def _apart(defects: Sequence[ClothDefect]) -> list[float]:
    """Places along the roll, those close to each other as one."""
    places: list[float] = []
    for start in sorted(d.start_m for d in defects):
        if not places or start - places[-1] >= _ONE_PLACE_M:
            places.append(start)
    return places


def _period(held: Sequence[ClothDefect], left: float, right: float, *, is_lane: bool, trials: int) -> Repeat | None:
    ordered = sorted(held, key=lambda d: d.start_m)
    period = find_period([d.start_m for d in ordered])
    if period is None:
        return None
    members = [ordered[index] for index in period.members]
    chance = times(period.chance, trials)
    return _repeat(members, left, right, is_lane=is_lane, period_m=period.period_m, chance=chance)


def _repeat(
    members: Sequence[ClothDefect], left: float, right: float, *, is_lane: bool, period_m: float | None, chance: float
) -> Repeat:
    return Repeat(
        left_mm=min(d.middle_mm for d in members) if is_lane else left,
        right_mm=max(d.middle_mm for d in members) if is_lane else right,
        is_lane=is_lane,
        period_m=period_m,
        from_m=min(d.start_m for d in members),
        to_m=max(d.start_m for d in members),
        numbers=tuple(sorted(d.number for d in members)),
        chance=chance,
    )


def _told(found: list[Repeat]) -> list[Repeat]:
    """The surest first; what is mostly explained by something surer is left out. A period says more than a lane."""
    told: list[Repeat] = []
    explained: set[int] = set()
    for one in sorted(found, key=lambda r: (r.period_m is None, r.chance, -len(r.numbers))):
        if len(explained & set(one.numbers)) <= _SAME_SHARE * len(one.numbers):
            told.append(one)
            explained |= set(one.numbers)
    return sorted(told, key=lambda r: r.chance)[:_MOST_TOLD]


def repeat_text(repeat: Repeat) -> str:
    """What it is, for a person."""
    where = f"{repeat.from_m:.2f} to {repeat.to_m:.2f} m"
    middle = (repeat.left_mm + repeat.right_mm) / 2.0
    lane = f"in a lane {middle:.0f} mm from the left edge" if repeat.is_lane else "anywhere across"
    if repeat.period_m is None:
        return f"{len(repeat.numbers)} defects lie {lane}, {where}: a needle, a warp end or a guide may cause them"
    return (
        f"{len(repeat.numbers)} defects {lane} repeat every {repeat.period_m:.3f} m, {where}: "
        "look for a roller or a print with this circumference"
    )


def sureness_text(repeat: Repeat) -> str:
    """How sure it is, for a person."""
    if repeat.chance < 1e-6:
        return "by chance in fewer than one of a million rolls"
    return f"by chance in at most one of {int(1.0 / repeat.chance):,} rolls"
