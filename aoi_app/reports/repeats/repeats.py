"""What the defects of a roll have in common: those that repeat at a period, and those that lie in one lane."""

from __future__ import annotations

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
    lanes = _lanes(real, width)
    tried = [lane for lane in lanes if len(lane.held) >= FEWEST]
    found = [_as_lane(lane, lanes, len(real) * LANE_MM / width) for lane in tried]
    found += _periods(tried, real, width)
    return _told([one for one in found if one.chance <= SURE and one.from_m < roll_m + 1.0])


@dataclass(frozen=True, slots=True)
class _Lane:
    """
    Attributes:
        left_mm: where it begins.
        held: the defects whose middle lies in it.
        places: at how many places along the roll, those close to each other as one.
    """

    left_mm: float
    held: Sequence[ClothDefect]
    places: int


def _lanes(real: Sequence[ClothDefect], width_mm: float) -> list[_Lane]:
    """Lanes over the whole width that overlap by half."""
    middles = np.array([d.middle_mm for d in real])  # (n,), rising
    along = np.floor(np.array([d.start_m for d in real]) / _ONE_PLACE_M)
    lefts = np.arange(min(0.0, middles[0]), width_mm, LANE_MM / 2.0)
    spans = zip(np.searchsorted(middles, lefts), np.searchsorted(middles, lefts + LANE_MM), strict=True)
    return [
        _Lane(left, real[a:b], len(np.unique(along[a:b]))) for left, (a, b) in zip(lefts.tolist(), spans, strict=True)
    ]


def _as_lane(lane: _Lane, lanes: Sequence[_Lane], everywhere: float) -> Repeat:
    """A lane by itself: does it hold more places than the cloth beside it, and than the whole roll, lets expect?"""
    beside = [o.places for o in lanes if LANE_MM <= abs(o.left_mm - lane.left_mm) <= _BESIDE_MM]
    expected = max(everywhere, sum(beside) / len(beside) if beside else 0.0)
    chance = times(at_least_of_rate(lane.places, expected), len(lanes))
    return _repeat(lane.held, lane.left_mm, lane.left_mm + LANE_MM, is_lane=True, period_m=None, chance=chance)


def _periods(lanes: Sequence[_Lane], real: Sequence[ClothDefect], width_mm: float) -> Iterator[Repeat]:
    """Periods within lanes, and over the whole width."""
    trials = len(lanes) + 1
    for lane in lanes:
        found = _period(lane.held, lane.left_mm, lane.left_mm + LANE_MM, is_lane=True, trials=trials)
        if found is not None:
            yield found
    found = _period(real, 0.0, width_mm, is_lane=False, trials=trials)
    if found is not None:
        yield found


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
