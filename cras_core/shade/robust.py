"""Means and medians over what is known; NaN is what is not cloth."""

from __future__ import annotations

import numpy as np

from cras_core.arrays import FloatArray


def median_of_known(values: FloatArray, axis: int) -> FloatArray:
    """The median along an axis, float32; NaN where nothing is known.

    Sorted at once: ``numpy.nanmedian`` goes through Python for every line of a larger array.
    """
    if values.shape[axis] == 0:
        return np.full(np.delete(values.shape, axis), np.nan, np.float32)
    ordered = np.sort(values, axis=axis)  # NaN comes last
    count = np.isfinite(values).sum(axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    return np.asarray(np.where(count > 0, (low + high) / 2, np.nan).squeeze(axis), dtype=np.float32)


def mean_of_known(values: FloatArray, axis: int) -> FloatArray:
    """The mean along an axis, float32; NaN where less than half is known."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis, dtype=np.float64)
    enough = 2 * count >= values.shape[axis]
    return np.where(enough & (count > 0), total / np.maximum(count, 1), np.nan).astype(np.float32)
