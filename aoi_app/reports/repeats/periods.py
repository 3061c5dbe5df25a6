"""Whether places along the roll repeat at a period: a roller, a print.

The period is looked for where the sum of ``exp(2 pi i x / period)`` over the places ``x`` is long (Schuster's
periodogram), by a Fourier transform of the roll in small steps. A spot on a roller gives long sums at every
fraction of its period as well; the longest period counts. How sure it is follows from the places alone: on the circle
of one period most of them lie in a short arc. The probability that chance does that somewhere, at any of the periods
that can be told apart, is bounded from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.reports.repeats.chance import at_least, times

SHORTEST_M, LONGEST_M = 0.15, 10.0
"""Periods that are looked for."""

FEWEST = 6
"""Places on the circle of a period that are needed to speak of one."""

_STEP_M = 0.02
_FINER = 4  # the transform is asked between its own frequencies too
_ARCS = (0.03, 0.08, 0.2)  # parts of the circle
_BINS = 200  # of the circle, at which an arc may begin
_PEAKS = 4
_SURE = 1e-7
_AS_MANY = 0.8
_LEAST_POWER = 14.0  # Schuster's: by chance once in exp(14), and many thousands of periods are tried
_AS_LONG = 0.6  # a sum counts as one of the long ones from this part of the longest on
_MOST_STEPS = 2_000_000  # 20 km


@dataclass(frozen=True, slots=True)
class Period:
    """
    Attributes:
        period_m: its length.
        members: indices of the places that lie on it.
        chance: bound of the probability that chance does it, 0..1.
    """

    period_m: float
    members: tuple[int, ...]
    chance: float


def find_period(places_m: Sequence[float]) -> Period | None:
    """The surest period of some places along the roll; None where there are too few, or nothing repeats."""
    places = np.asarray(places_m, np.float64)  # (n,)
    if len(places) < FEWEST:
        return None
    begin, span_m = float(places.min()), float(places.max() - places.min())
    if span_m < FEWEST * SHORTEST_M or span_m / _STEP_M > _MOST_STEPS:
        return None
    found = [_at(places - begin, frequency, span_m) for frequency in _peaks(places - begin, span_m)]
    sound = [one for one in found if one is not None]
    if not sound:
        return None
    best = min(sound, key=lambda one: one.chance)
    # What repeats at a period repeats at its fractions too, as surely: the longest that holds as many places is meant.
    alike = [o for o in sound if o.chance <= max(best.chance, _SURE) and len(o.members) >= _AS_MANY * len(best.members)]
    return max(alike, key=lambda one: one.period_m)


def _peaks(places: npt.NDArray[np.float64], span_m: float) -> list[float]:
    """Frequencies, 1/m, at which the sum is long: the longest sums, and the lowest of those nearly as long."""
    steps = int(span_m / _STEP_M) + 1
    there = np.zeros(steps, np.float32)
    there[np.minimum((places / _STEP_M).astype(np.int64), steps - 1)] = 1.0  # several in one step are one
    size = 1 << (steps * _FINER - 1).bit_length()
    power = np.abs(np.fft.rfft(there, size)) ** 2  # (size / 2 + 1,)
    step = 1.0 / (size * _STEP_M)
    first = max(1, int(np.ceil(max(1.0 / LONGEST_M, (FEWEST - 1) / span_m) / step)))
    last = min(len(power) - 1, int(1.0 / SHORTEST_M / step))
    if last <= first + 1:
        return []
    inner = power[first:last]
    is_peak = np.r_[False, (inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:]), False]
    peaks = np.flatnonzero(is_peak)
    count = float(there.sum())
    if len(peaks) == 0 or inner[peaks].max() / count < min(_LEAST_POWER, count / 2):
        return []
    longest = peaks[np.argsort(inner[peaks])[::-1][:_PEAKS]]
    lowest = peaks[inner[peaks] >= _AS_LONG**2 * inner[longest[0]]][:_PEAKS]
    return [
        (first + index + _between(inner[index - 1 : index + 2])) * step
        for index in dict.fromkeys([*lowest.tolist(), *longest.tolist()])
    ]


def _between(three: npt.NDArray[np.float32]) -> float:
    """Where the top of a parabola through three values lies, from the middle one, -0.5..0.5."""
    before, middle, after = (float(value) for value in three)
    bend = before - 2.0 * middle + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _at(places: npt.NDArray[np.float64], frequency: float, span_m: float) -> Period | None:
    """What speaks for a period: cycles that have a place in one arc of the circle, beside those expected to."""
    turns = places * frequency
    best: tuple[float, float, float] | None = None
    for arc in _ARCS:
        begin = _fullest_arc(turns % 1.0, arc)
        inside = (turns - begin) % 1.0 <= arc  # (n,)
        # A cycle counts once: a bad metre with many defects is no repeat, and neither is cloth that is full of them.
        cycle = np.floor(turns - begin)
        cycles, held = np.unique(cycle, return_counts=True)
        hit = len(np.unique(cycle[inside]))
        expected = float((1.0 - (1.0 - arc) ** held).sum())
        # Where the arc begins, which arc, and which period: all of them were chosen.
        trials = _BINS * len(_ARCS) * span_m / SHORTEST_M / arc
        chance = times(at_least(hit, len(cycles), expected / len(cycles)), trials)
        if hit >= FEWEST and (best is None or chance < best[0]):
            best = (chance, begin, arc)
    if best is None:
        return None
    chance, begin, arc = best
    members = np.flatnonzero((turns - begin) % 1.0 <= arc)
    return Period(_refined(places[members], frequency), tuple(members.tolist()), chance)


def _fullest_arc(phases: npt.NDArray[np.float64], arc: float) -> float:
    """Where the arc of a circle begins that holds the most; phases are 0..1."""
    counts, _ = np.histogram(phases, _BINS, (0.0, 1.0))
    width = max(1, round(arc * _BINS))
    sums = np.convolve(np.r_[counts, counts[: width - 1]], np.ones(width, np.int64), "valid")
    return float(np.argmax(sums)) / _BINS


def _refined(places: npt.NDArray[np.float64], frequency: float) -> float:
    """The period by least squares through the places that lie on it."""
    turns = np.round(places * frequency - np.angle(np.exp(2j * np.pi * places * frequency).sum()) / (2 * np.pi))
    if turns.max() == turns.min():
        return 1.0 / frequency
    slope, _ = np.polyfit(turns, places, 1)
    return float(slope)
