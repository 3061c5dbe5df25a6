"""How much more good cloth scores where less of it is seen.

A cell's score rests on a neighbourhood of some dozen cells. Near the beginning and the end of a segment, and near the
edges of the cloth, a part of that neighbourhood is filled in instead of seen, and a selvedge is woven differently from
the cloth beside it. The largest scores of good cloth are therefore larger there, and one threshold for all places would
either cry wolf at the borders or be deaf inside. So the score of a cell is divided by how much larger they are at its
place.

The factors below are ratios of the 99.9 % quantile of the relative score at a place to that inside, on good strips of
four woven fabrics that the scoring model had not been trained on, pooled over the fabrics and rounded. Factors drawn
from the held-out cloth of each fabric alone, or drawn towards these, found no more defects: the cloth that is held out
shows too few of its ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray

END_CELLS = 4
"""Rows of cells from an end of a segment that are scored under two fills, the lower score counts."""

_END_FACTORS = (1.45, 1.3, 1.15)  # first, second and third row of cells from the beginning or the end of a segment
_EDGE_FACTORS = (1.6, 1.4, 1.3, 1.2, 1.15, 1.1)  # first to sixth cell from the left or right edge of the cloth


def place_factors(is_cloth: npt.NDArray[np.bool_], rows_before: int, rows_after: int) -> FloatArray:
    """What the relative scores of some rows of cells are divided by.

    Args:
        is_cloth: (rows, cols) whether a cell was scored.
        rows_before: rows of the same segment that lie before these.
        rows_after: rows of the same segment that are known to follow these.

    Returns:
        (rows, cols) float32, 1 or more; 1 inside the cloth.
    """
    rows, cols = is_cloth.shape
    row, col = np.arange(rows), np.arange(cols)
    from_end = np.minimum(row + rows_before, rows - 1 - row + rows_after)  # (rows,)
    # Beside a lane that is left out inside the cloth a part of the neighbourhood is filled in as well.
    left = np.maximum.accumulate(np.where(is_cloth, -1, col[None, :]), axis=1)  # (rows, cols) last cell not scored
    right = np.minimum.accumulate(np.where(is_cloth, cols, col[None, :])[:, ::-1], axis=1)[:, ::-1]
    from_edge = np.minimum(col[None, :] - left, right - col[None, :]) - 1  # (rows, cols)
    factors: FloatArray = _by_distance(from_end, _END_FACTORS)[:, None] * _by_distance(from_edge, _EDGE_FACTORS)
    return factors


def _by_distance(distance: npt.NDArray[np.int_], factors: tuple[float, ...]) -> FloatArray:
    """The factor of each distance in cells; 1 beyond the last one. What lies outside has that of the border."""
    table = np.array([*factors, 1.0], np.float32)
    picked: FloatArray = table[np.clip(distance, 0, len(factors))]
    return picked
