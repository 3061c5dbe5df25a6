"""What the whole width does at once: jumps and drifts of the light, which are no defects of the cloth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cras_core.arrays import FloatArray
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.robust import median_of_known

_LEVEL_MM = 100.0  # a level is the median over so much web, more than a bar is long
_SHARP_MM = 8.0  # a jump happens within twice this
_SHARE_OF_EDGE = 0.6  # of a jump that happens there

EventKind = Literal["jump", "drift"]


@dataclass(frozen=True, slots=True)
class LightEvent:
    """The whole web has become darker or lighter.

    Attributes:
        kind: all at once, or slowly since the last event.
        row: of cells, counted from the beginning of the segment.
        change_percent: of the brightness; negative is darker.
    """

    kind: EventKind
    row: int
    change_percent: float


class Light:
    """Follows the level of one web."""

    def __init__(self, config: ShadeConfig, scale: CellScale) -> None:
        self._jump = float(np.log1p(config.jump_percent / 100.0))
        self._drift = float(np.log1p(config.drift_percent / 100.0))
        self._length, self._sharp = scale.rows(_LEVEL_MM), scale.rows(_SHARP_MM)
        self._levels = np.zeros(0, np.float32)  # of the last rows
        self._first_row = 0  # of the segment, where they begin
        self._norm: float | None = None  # level after the last event
        self._jumping: LightEvent | None = None  # the sharpest place of a jump so far

    def push(self, level: FloatArray) -> list[LightEvent]:
        """Takes the (n,) levels of the next rows, logarithms of brightness, NaN without cloth."""
        self._levels = np.concatenate([self._levels, level])
        places = len(self._levels) - 2 * self._length + 1
        if places <= 0:
            return []
        levels = median_of_known(sliding_window_view(self._levels, self._length), axis=1)
        old, new = levels[:places], levels[self._length :][:places]
        # The same close to the place: a wave of the cloth has no edge.
        near = median_of_known(sliding_window_view(self._levels, self._sharp), axis=1)
        at = np.arange(places) + self._length
        edge = near[at] - near[at - self._sharp]
        events = [
            event
            for i in range(places)
            if np.isfinite(old[i] + new[i] + edge[i])
            for event in self._look(self._first_row + int(at[i]), float(old[i]), float(new[i]), float(edge[i]))
        ]
        self._levels = self._levels[places:]
        self._first_row += places
        return events

    def _look(self, row: int, old: float, new: float, edge: float) -> list[LightEvent]:
        """What the levels before and after a row say."""
        norm = self._norm if self._norm is not None else old
        self._norm = norm
        change = new - old
        if abs(change) >= self._jump and edge / change >= _SHARE_OF_EDGE:
            percent = _percent(change)
            if self._jumping is None or abs(percent) > abs(self._jumping.change_percent):
                self._jumping = LightEvent("jump", row, percent)
            return []
        if self._jumping is not None:
            event, self._jumping, self._norm = self._jumping, None, new
            return [event]
        if min(abs(old - norm), abs(new - norm)) >= self._drift:  # just after a jump only one of them is
            self._norm = old
            return [LightEvent("drift", row, _percent(old - norm))]
        return []


def _percent(difference: float) -> float:
    return float(100.0 * np.expm1(difference))
