"""Figures for whoever turns the lens and the lamp: what one block says of light and focus."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block
from aoi_app.sources.flat_field.correction import non_uniformity
from cras_core.arrays import FloatArray
from cras_core.imaging.texture import BASE_PX, energies_of, sharpness_of

ZONES = 8
"""Parts of the width whose sharpness is told apart."""

_MOST_LINES = 128  # enough for every figure, and quick at any width
_SATURATED_SHARE, _BLACK_SHARE = 0.001, 0.05
_DIM, _UNEVEN_PERCENT, _TILT = 0.2, 30.0, 0.7
_ALONG = 0.05  # of full scale; so much at least a column of cloth changes from line to line
_TEXTURE = 0.02  # of the energy of the usual zone


@dataclass(frozen=True, slots=True, eq=False)
class FocusMetrics:
    """Light and focus of some lines.

    Attributes:
        minimum, mean, maximum: (W,) or (W, 3) float32 of every column, 0..255 whatever the depth.
        histogram: (256,) int64 pixels of each brightness, all channels together.
        saturated, black: share of pixels at the upper and lower end, 0..1.
        sharpness: 0..1, see ``cras_core.imaging.texture.sharpness_of``; NaN where there is nothing to be sharp.
        zones: (ZONES,) float32 the same from left to right.
        words: what is wrong and what to do, a sentence each; empty where all is well.
    """

    minimum: FloatArray
    mean: FloatArray
    maximum: FloatArray
    histogram: npt.NDArray[np.int64]
    saturated: float
    black: float
    sharpness: float
    zones: FloatArray
    words: tuple[str, ...]


def measure_focus(block: Block) -> FocusMetrics:
    """The figures of a block that has at least two lines; of a long one, of its first lines."""
    raw = block.image[:_MOST_LINES]
    full = (1 << block.bits) - 1
    scale = np.float32(255.0 / full)
    mean = (raw.mean(axis=0, dtype=np.float64) * scale).astype(np.float32)
    histogram = np.bincount((raw.reshape(-1) >> (block.bits - 8)).clip(max=255), minlength=256).astype(np.int64)
    saturated, black = float((raw >= full).mean()), float((raw <= full // 255).mean())
    grey = raw.astype(np.float32) if raw.ndim == 2 else raw.mean(axis=2, dtype=np.float32)
    zones = _zones(grey)
    return FocusMetrics(
        minimum=raw.min(axis=0).astype(np.float32) * scale,
        mean=mean,
        maximum=raw.max(axis=0).astype(np.float32) * scale,
        histogram=histogram,
        saturated=saturated,
        black=black,
        sharpness=sharpness_of(grey),
        zones=zones,
        words=_words(mean, saturated, black, zones),
    )


def shows_cloth(figures: FocusMetrics) -> bool:
    """Whether there is something whose sharpness counts. The pattern of the sensor itself, on an even white or in the
    dark, is as sharp as can be; unlike cloth it is the same in every line.
    """
    is_lit = float(np.median(figures.mean)) >= _DIM * 255
    return is_lit and float(np.median(figures.maximum - figures.minimum)) >= _ALONG * 255


def _zones(grey: FloatArray) -> FloatArray:
    """Sharpness from left to right; NaN where there is hardly any texture, as on a table beside the cloth."""
    zones = np.array_split(grey, ZONES, axis=1)
    contrast = np.array([energies_of(zone).texture.mean() if min(zone.shape) > 1 else 0.0 for zone in zones])
    has_texture = contrast > _TEXTURE * np.median(contrast)
    found = [sharpness_of(zone) if seen else np.nan for zone, seen in zip(zones, has_texture, strict=True)]
    return np.array(found, np.float32)


def _words(mean: FloatArray, saturated: float, black: float, zones: FloatArray) -> tuple[str, ...]:
    words = []
    if saturated > _SATURATED_SHARE:
        words.append(f"{saturated:.1%} of the pixels are saturated; shorten the exposure or dim the lamp.")
    if black > _BLACK_SHARE:
        words.append(f"{black:.0%} of the pixels are black; that is cloth lost, unless it lies beside the cloth.")
    if float(np.median(mean)) < _DIM * 255:
        words.append(
            f"The picture is dim ({np.median(mean) / 255:.0%} of its range); lengthen the exposure or add light."
        )
    light = cv2.blur(mean.reshape(1, *mean.shape), (BASE_PX, 1))[0]  # without the yarns
    uneven = non_uniformity(light)
    if uneven > _UNEVEN_PERCENT:
        words.append(
            f"The brightness differs by {uneven:.0f} % across the line. If that is not the table beside it, align "
            "the lamp, then record a flat field."
        )
    halves = [half[np.isfinite(half)] for half in np.array_split(zones, 2)]
    if all(len(half) for half in halves):
        left, right = (float(np.median(half)) for half in halves)  # one zone may hold the edge of the cloth
        if min(left, right) < _TILT * max(left, right):
            side = "left" if left < right else "right"
            words.append(f"The {side} is less sharp than the other side; turn the camera level with the cloth.")
    return tuple(words)
