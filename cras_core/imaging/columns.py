"""Columns that differ from those beside them in all lines: dust, a dead pixel, a lamp segment, or a stripe in the
cloth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray, runs_of

ColumnKind = Literal["dark", "bright", "still"]

_BESIDE_PX = 81  # columns that say what a place would be like; odd
_LEAST_PERCENT = 3.0
_SPREADS = 6.0  # above what columns usually differ by
_STILL = 0.02  # of the usual variance: a pixel that does not change with the cloth
_FROM_EDGE_PX = 24  # selvedges differ, and the columns beside are not cloth
_MOST = 8
"""More columns than this are the pattern of the cloth."""


@dataclass(frozen=True, slots=True)
class OddColumns:
    """Neighbouring columns that stand out.

    Attributes:
        first_px, end_px: of the picture.
        kind: darker or brighter than beside, or with a value that does not change.
        percent: brighter than beside; negative is darker.
    """

    first_px: int
    end_px: int
    kind: ColumnKind
    percent: float

    @property
    def middle_px(self) -> float:
        """Of the columns."""
        return (self.first_px + self.end_px) / 2.0


def odd_columns(mean: FloatArray, variance: FloatArray) -> list[OddColumns]:
    """The columns that stand out of some lines.

    Args:
        mean, variance: (W,) of each column's grey value, NaN where it is not cloth (``ProfileSums.columns``).

    Returns:
        From left to right; empty where so many stand out that it is a pattern.
    """
    cloth = np.flatnonzero(np.isfinite(mean))
    if len(cloth) < 2 * (_FROM_EDGE_PX + _BESIDE_PX):
        return []
    first, end = int(cloth[0]) + _FROM_EDGE_PX, int(cloth[-1]) + 1 - _FROM_EDGE_PX
    known = np.interp(np.arange(len(mean)), cloth, mean[cloth]).astype(np.float32)
    percent = (100.0 * (known / np.maximum(_median_beside(known), 1.0) - 1.0)).astype(np.float32)
    usual = float(np.median(np.abs(percent[first:end]))) / 0.6745
    stands_out = np.abs(percent) >= max(_LEAST_PERCENT, _SPREADS * usual)
    spread = np.where(np.isfinite(variance), variance, np.inf)
    is_still = spread <= _STILL * np.median(spread[first:end])
    found = [
        OddColumns(a, b, _kind(percent[a:b], is_still[a:b]), float(percent[a:b][np.argmax(np.abs(percent[a:b]))]))
        for a, b in runs_of(_joined(stands_out | is_still))
        if a >= first and b <= end
    ]
    return found if len(found) <= _MOST else []


def _median_beside(values: FloatArray) -> FloatArray:
    """(W,) the median of the columns around each; OpenCV's median takes windows of floats up to 5, so in steps."""
    half = _BESIDE_PX // 2
    padded = cv2.copyMakeBorder(values[None], 0, 0, half, half, cv2.BORDER_REFLECT)[0]
    windows = np.lib.stride_tricks.sliding_window_view(padded, _BESIDE_PX)
    return np.asarray(np.median(windows, axis=1), dtype=np.float32)


def _kind(percent: FloatArray, is_still: npt.NDArray[np.bool_]) -> ColumnKind:
    if is_still.any():
        return "still"
    return "dark" if percent[np.argmax(np.abs(percent))] < 0 else "bright"


def _joined(holds: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The same with places that are a single pixel apart as one."""
    between = np.pad(holds[:-2] & holds[2:], 1)
    return np.asarray(holds | between)
