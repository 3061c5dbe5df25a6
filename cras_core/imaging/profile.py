"""Brightness, contrast, focus and noise of cloth across the view of its camera, in blocks of equal width."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.imaging.texture import energies_of

FIGURES = ("brightness", "contrast", "focus", "noise")
"""What is measured, in the order in which it is told."""

_LEAST_KNOWN = 0.9  # of the lines in which every column of a block must be cloth


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one piece of cloth.

    Attributes:
        brightness: mean grey value, 0..255.
        contrast: of the texture, per cent of the brightness.
        focus: share of the contrast that is left from one pixel to the next, 0..1.
        noise: grey values by which neighbouring lines differ where their texture does not.
    """

    brightness: float
    contrast: float
    focus: float
    noise: float

    def of(self, figure: str) -> float:
        """The figure of that name, one of ``FIGURES``."""
        value: float = getattr(self, figure)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The figures across the view; as ``Figures``, an array each.

    Attributes:
        brightness, contrast, focus, noise: (blocks,) float32 from the left border of the picture, NaN where no cloth
            was.
    """

    brightness: FloatArray
    contrast: FloatArray
    focus: FloatArray
    noise: FloatArray

    def of(self, figure: str) -> FloatArray:
        """(blocks,) the figure of that name, one of ``FIGURES``."""
        values: FloatArray = getattr(self, figure)
        return values

    @property
    def figures(self) -> Figures | None:
        """Those of the whole view, the median of its blocks; None where no cloth was."""
        if not np.isfinite(self.brightness).any():
            return None
        middles = {f.name: float(np.nanmedian(self.of(f.name))) for f in fields(Figures)}
        return Figures(**middles) if all(np.isfinite(v) for v in middles.values()) else None


class ProfileSums:
    """Adds up pieces of web until somebody asks for their profile."""

    def __init__(self, width_px: int, block_px: int) -> None:
        """``width_px`` of the lines, ``block_px`` of a block; the last one may be narrower."""
        self.width_px, self.block_px = width_px, block_px
        self.lines = 0
        """That were added."""
        self._seen = np.zeros(width_px, np.float64)  # lines in which a column was cloth
        self._grey = np.zeros(width_px, np.float64)  # their sum
        self._looked = np.zeros(width_px, np.float64)  # the same for those of which energies were taken
        self._sums = np.zeros((5, width_px), np.float64)  # of their grey, its square, texture, detail, step

    def add(self, grey: npt.NDArray[np.uint8], first_px: int, end_px: int) -> None:
        """Takes lines.

        Args:
            grey: (lines, W) uint8, at least 2 lines; the texture of the first ones speaks for all.
            first_px, end_px: the columns that are cloth.
        """
        cloth = slice(max(0, first_px), max(0, end_px))
        total = cv2.reduce(grey, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
        self._grey[cloth] += total[cloth]
        self._seen[cloth] += len(grey)
        self.lines += len(grey)
        values = grey[:_MOST_LINES].astype(np.float32)
        energies = energies_of(values)
        parts = (values.mean(axis=0), (values * values).mean(axis=0), energies.texture, energies.detail, energies.step)
        for sums, part in zip(self._sums, parts, strict=True):
            sums[cloth] += len(values) * part[cloth]
        self._looked[cloth] += len(values)

    @property
    def profile(self) -> Profile:
        """Of the lines so far."""
        firsts = np.arange(0, self.width_px, self.block_px)
        looked = np.add.reduceat(self._looked, firsts)
        is_cloth = np.minimum.reduceat(self._seen, firsts) >= _LEAST_KNOWN * max(1, self.lines)
        with np.errstate(divide="ignore", invalid="ignore"):
            sums = np.where(is_cloth, np.add.reduceat(self._sums, firsts, axis=1) / looked, np.nan)
            grey, _, texture, detail, step = sums
            contrast = 100.0 * np.sqrt(np.maximum(texture, 0.0)) / np.maximum(grey, 1.0)
            focus = np.sqrt(np.clip(detail / (2.0 * np.maximum(texture, _EVEN)), 0.0, 1.0))
            noise = np.sqrt(np.maximum(step - detail, 0.0) / 2.0)
        return Profile(*(values.astype(np.float32) for values in (grey, contrast, focus, noise)))

    @property
    def columns(self) -> tuple[FloatArray, FloatArray]:
        """(W,) mean and (W,) variance of each column's grey value; NaN where it was not cloth in all lines."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(self._seen >= max(1, self.lines), self._grey / self._seen, np.nan)
            grey, square = np.where(np.isfinite(mean), self._sums[:2] / self._looked, np.nan)
        return mean.astype(np.float32), np.maximum(square - grey * grey, 0.0).astype(np.float32)


_EVEN = 1e-3  # squared grey values; less texture than this is none
_MOST_LINES = 64  # of a piece whose texture is measured
