"""Lines of a web as the brightness of its cells."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray, Image


def log_brightness(gray: Image, cell_px: int, is_cloth: npt.NDArray[np.bool_]) -> FloatArray:
    """The logarithm of each cell's mean grey value, so that differences are shares of the brightness.

    Args:
        gray: (lines, W) uint8.
        cell_px: side of a cell; the last cells may reach beyond the last line and column.
        is_cloth: (rows, cols) which cells count.

    Returns:
        (rows, cols) float32, NaN where a cell does not count.
    """
    rows, cols = is_cloth.shape
    missing = rows * cell_px - gray.shape[0], cols * cell_px - gray.shape[1]
    if any(missing):
        gray = np.pad(gray, ((0, missing[0]), (0, missing[1])), mode="edge")
    # OpenCV rounds means of bytes to bytes, which is half a per cent of dark cloth.
    mean = cv2.resize(gray.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    return np.where(is_cloth, np.log(np.maximum(mean, _DARKEST)), np.nan).astype(np.float32)


_DARKEST = 1.0  # grey value; keeps the logarithm finite where there is no light
