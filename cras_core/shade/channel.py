"""Shade of one segment while it runs: rows of cells in, scores of stripes, bars and stains out.

A place is scored when so much web has passed after it that both of its sides are known. The web is taken in steps of
fixed length from its beginning, so that what is found does not depend on how it was cut into frames.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.light import Light
from cras_core.shade.robust import mean_of_known, median_of_known
from cras_core.shade.rows import ShadeRows
from cras_core.shade.stains import Stains
from cras_core.shade.warp import ColumnMemory, WarpStripes
from cras_core.shade.weft import WeftBars

_GROUP_MM = 20.0  # rows that the profile across is taken of at once
_GROUPS_IN_STEP = 5
_BESIDE_CELLS = 5  # side of the square around what was found already
_AROUND_MM = 150.0  # of web before and after a place that its profile is the median of
_LEAST_MM = 200.0  # of web; a strip that is shorter does not show what its picks and ends are usually like


class ShadeChannel:
    """Scores the shade of one segment. Holds less than half a metre of cells."""

    def __init__(self, config: ShadeConfig, scale: CellScale, memory: ColumnMemory | None = None) -> None:
        """
        Args:
            config: what counts.
            scale: of the cells.
            memory: of the columns, from the web before.
        """
        self._warp = WarpStripes(config, scale, memory)
        self._weft = WeftBars(config, scale)
        self._stains = Stains(config, scale)
        self._light = Light(config, scale)
        self._least_change = config.contrast_percent / 200.0  # half of what is seen
        self._least_rows = scale.rows(_LEAST_MM)
        self._group = scale.rows(_GROUP_MM)
        self._step = _GROUPS_IN_STEP * self._group
        self._around = -(-scale.rows(_AROUND_MM) // self._group) * self._group  # whole groups
        self._rows: FloatArray | None = None  # (n, cols) brightness in memory
        self._found: FloatArray | None = None  # (n, cols) 1 where something else has found a defect
        self._first_row = 0  # that they begin with
        self._next_row = 0  # to be scored
        self._scored_profiles: list[FloatArray] = []  # of the groups in memory before the next row

    @property
    def memory(self) -> ColumnMemory | None:
        """What the columns were like so far, for the web that follows."""
        return self._warp.memory

    def push(self, brightness: FloatArray, is_found: npt.NDArray[np.bool_] | None = None) -> list[ShadeRows]:
        """Takes the next rows and returns what is scored.

        Args:
            brightness: (rows, cols) float32 logarithms, NaN without cloth.
            is_found: (rows, cols) where a defect was found already, which is then no bar and no stain.
        """
        found = np.zeros(brightness.shape, np.float32) if is_found is None else is_found.astype(np.float32)
        self._rows = brightness if self._rows is None else np.concatenate([self._rows, brightness])
        self._found = found if self._found is None else np.concatenate([self._found, found])
        scored = []
        while self._end_row >= self._next_row + self._step + self._around:
            scored.append(self._score(self._step))
        return scored

    def finish(self) -> list[ShadeRows]:
        """Ends the segment and returns the rest; nothing where there was too little web to judge by."""
        if self._end_row < self._least_rows:
            return []
        scored = []
        while self._next_row < self._end_row:
            scored.append(self._score(min(self._step, self._end_row - self._next_row)))
        return scored

    @property
    def _end_row(self) -> int:
        return self._first_row + (0 if self._rows is None else len(self._rows))

    def _score(self, new_rows: int) -> ShadeRows:
        """Scores the next rows; what surrounds them is in memory."""
        assert self._rows is not None
        assert self._found is not None
        first = self._next_row - self._first_row  # of the new rows, in memory
        rows = self._rows[: first + new_rows + self._around]
        profiles = self._profiles(rows, first)
        flat = rows - np.repeat(profiles, self._group, axis=0)[: len(rows)]
        level = median_of_known(flat, axis=1)
        found = cv2.dilate(self._found[: len(rows)], np.ones((_BESIDE_CELLS, _BESIDE_CELLS), np.uint8))
        flat[found > 0] = np.nan
        flat[np.repeat(self._is_changing(profiles), self._group, axis=0)[: len(rows)]] = np.nan
        scores = ShadeRows.empty(self._next_row, new_rows, rows.shape[1])
        new_groups = slice(first // self._group, -(-(first + new_rows) // self._group))
        for k, stripes in enumerate(self._warp.find(profiles[new_groups], new_rows)):
            of_group = slice(k * self._group, (k + 1) * self._group)
            for stripe in stripes:
                scores.paint("warp stripe", of_group, slice(stripe.first, stripe.end), stripe)
        for bar in self._weft.find(flat[first:], level[first:], new_rows):
            scores.paint("weft bar", slice(bar.span.first, bar.span.end), slice(bar.left, bar.right), bar.span)
        scores.add_stains(self._stains.score(flat - level[:, None], slice(first, first + new_rows)))
        events = self._light.push(level[first : first + new_rows])
        self._move_on(profiles, first, new_rows)
        return replace(scores, events=tuple(events))

    def _profiles(self, rows: FloatArray, first: int) -> FloatArray:
        """(n, cols) rows in memory -> (groups, cols) profile across at each group: the median of the groups around it.
        A stripe begins in it where it begins on the web; what is shorter than half of it does not show.
        """
        relative = rows - median_of_known(rows, axis=1)[:, None]
        groups = np.stack(
            [mean_of_known(relative[a : a + self._group], axis=0) for a in range(0, len(rows), self._group)]
        )
        reach = self._around // self._group
        after = range(first // self._group, len(groups))
        new = [median_of_known(groups[max(0, k - reach) : k + reach + 1], axis=0) for k in after]
        return np.stack([*self._scored_profiles, *new])

    def _is_changing(self, profiles: FloatArray) -> npt.NDArray[np.bool_]:
        """(groups, cols) where a stripe begins or ends. There the profile is not that of every row of its group, and
        what is left of the stripe would pass for a bar or a stain.
        """
        step = np.abs(np.diff(profiles, axis=0)) > self._least_change
        before, after = np.pad(step, ((1, 0), (0, 0))), np.pad(step, ((0, 1), (0, 0)))
        return np.asarray(before | after)

    def _move_on(self, profiles: FloatArray, first: int, new_rows: int) -> None:
        """Forgets what no later row is surrounded by."""
        assert self._rows is not None
        assert self._found is not None
        self._next_row += new_rows
        drop = max(0, first + new_rows - self._around)
        drop = drop // self._group * self._group
        self._rows, self._found = self._rows[drop:], self._found[drop:]
        self._first_row += drop
        self._scored_profiles = list(profiles[drop // self._group : (first + new_rows) // self._group])
