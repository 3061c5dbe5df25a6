"""Types of arrays. Their shapes, ranges and units stand in the docstrings of what takes and gives them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(H, W) grey or (H, W, 3) RGB, 0..255."""

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
