"""What a roll was worth: the lengths that were inspected well, with reserve, and not at all.

One truth for the window, the command line and the records.
"""

from __future__ import annotations

from dataclasses import dataclass

_SHORTEST_M = 0.0005  # what is less than half a millimetre is rounding


def _cm(length_m: float) -> int:
    return round(100 * length_m)


@dataclass(frozen=True, slots=True)
class RollWorth:
    """
    Attributes:
        good_m: inspected, with nothing speaking against it.
        reserve_m: inspected while something did, such as unknown cloth or a threshold that was moved.
        missed_m: not inspected, though nobody wanted that.
        left_out_m: not inspected, because somebody wanted that.
        missed_gaps: gaps that nobody wanted, those of unknown length included.
    """

    good_m: float
    reserve_m: float
    missed_m: float
    left_out_m: float = 0.0
    missed_gaps: int = 0

    @property
    def is_missed(self) -> bool:
        """Cloth went by that nobody looked at."""
        return self.missed_gaps > 0 or self.missed_m > _SHORTEST_M

    @property
    def has_reserve(self) -> bool:
        """Cloth was inspected whose verdicts are doubtful."""
        return self.reserve_m > _SHORTEST_M

    @property
    def text(self) -> str:
        """The headline of the roll. Its lengths add up to that of the roll, as somebody who adds them expects: what
        rounding leaves over goes to the good metres, because the others are shown elsewhere as well.
        """
        others = (self.reserve_m, self.missed_m, self.left_out_m)
        good_cm = _cm(self.good_m + sum(others)) - sum(map(_cm, others))
        parts = [f"{max(0, good_cm) / 100:.2f} m good"]
        if self.has_reserve:
            parts.append(f"{self.reserve_m:.2f} m with reserve")
        if self.is_missed:
            more = "" if self.missed_m > _SHORTEST_M else " (an unknown length)"
            parts.append(f"{self.missed_m:.2f} m NOT INSPECTED{more}")
        else:
            parts.append("nothing missed")
        if self.left_out_m > _SHORTEST_M:
            parts.append(f"{self.left_out_m:.2f} m left out as wanted")
        return ", ".join(parts)
