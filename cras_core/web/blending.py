"""Scores of overlapping tiles blended into rows of cells."""

from __future__ import annotations

import numpy as np

from cras_core.arrays import FloatArray
from cras_core.web.bands import Band
from cras_core.web.canvas import Canvas
from cras_core.web.protocols import CellScores
from cras_core.web.tiling import TilingConfig, ceil_to


class CellRows:
    """Overlapping rows of tiles, blended into rows of cells of the web."""

    def __init__(self, tiling: TilingConfig) -> None:
        self._cell = tiling.cell_px
        self._value = np.zeros((1, 0, 0), np.float32)
        self._weight = np.zeros((0, 0), np.float32)
        self.next_row = 0

    def add(self, band: Band, canvas: Canvas, scores: CellScores) -> None:
        """Blends the scores of one row of tiles in; overlapping tiles count by their window, table does not count.

        Args:
            band: where the row lies on the web.
            canvas: how it was cut into tiles.
            scores: of each tile, (S, N, h, w) float32.
        """
        rows, cols = canvas.rows.divided(self._cell), canvas.cols.divided(self._cell)
        cloth = canvas.cloth_cells(self._cell)
        first_row, first_col = band.window_first_line // self._cell, canvas.first_col // self._cell
        self._reserve(first_row + rows.end, ceil_to(band.image.shape[1], self._cell) // self._cell, len(scores.kinds))
        places = [(r, c) for r in rows.starts for c in cols.starts]
        window = rows.weight()[:, None] * cols.weight()[None, :]
        for i, (r, c) in enumerate(places):
            top, left = first_row + r - self.next_row, first_col + c
            y0, y1 = max(0, -top), min(rows.size, self._value.shape[1] - top)
            x0, x1 = max(0, -left), min(cols.size, self._value.shape[2] - left)
            if y0 >= y1 or x0 >= x1:
                continue
            weight = window[y0:y1, x0:x1] * cloth[r + y0 : r + y1, c + x0 : c + x1]
            self._value[:, top + y0 : top + y1, left + x0 : left + x1] += scores.kinds[:, i, y0:y1, x0:x1] * weight
            self._weight[top + y0 : top + y1, left + x0 : left + x1] += weight

    def take(self, end_row: int, cols: int) -> FloatArray:
        """Rows up to ``end_row`` -> (S, rows, cols) float32, NaN where nothing was scored."""
        self._reserve(end_row, cols, len(self._value))
        n = end_row - self.next_row
        with np.errstate(invalid="ignore", divide="ignore"):
            kinds = np.asarray(self._value[:, :n] / self._weight[:n], dtype=np.float32)
        self._value, self._weight = self._value[:, n:], self._weight[n:]
        self.next_row = end_row
        return kinds

    def _reserve(self, end_row: int, cols: int, kinds: int) -> None:
        if self._weight.shape[1] != cols:
            self._weight = np.zeros((0, cols), np.float32)
        if self._value.shape != (kinds, *self._weight.shape):
            # Rows without cloth may have come first; they hold nothing yet, of whatever kind.
            self._value = np.zeros((kinds, *self._weight.shape), np.float32)
        missing = end_row - self.next_row - len(self._weight)
        if missing > 0:
            self._value = np.concatenate([self._value, np.zeros((kinds, missing, cols), np.float32)], axis=1)
            self._weight = np.concatenate([self._weight, np.zeros((missing, cols), np.float32)])
