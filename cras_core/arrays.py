"""Types of arrays, and where a condition holds along one.

Their shapes, ranges and units stand in the docstrings of what takes and gives them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(H, W) grey or (H, W, 3) RGB, 0..255."""

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]


def runs_of(holds: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(n,) bool -> first and end of every run of True."""
    borders = np.flatnonzero(np.diff(np.pad(holds, 1)))
    return [(int(first), int(end)) for first, end in borders.reshape(-1, 2)]
