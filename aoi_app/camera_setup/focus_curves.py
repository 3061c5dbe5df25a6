"""Measurements of running lines as curves that a plot draws quickly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block
from aoi_app.sources.diagnostics.focus import FocusMetrics
from aoi_app.sources.flat_field.correction import FlatField, evenness
from cras_core.arrays import FloatArray

_MOST_LINES = 160  # of a picture
_MOST_POINTS = 1024  # of a curve; a screen has hardly more columns


@dataclass(frozen=True, slots=True, eq=False)
class FocusCurves:
    """Light and focus as they are now.

    Attributes:
        columns: (n,) float32 column of each point of the curves, px.
        minimum, mean, maximum: (n,) float32 of these columns, 0..255.
        histogram: (256,) int64 pixels of each brightness.
        saturated, black: share of pixels, 0..1.
        sharpness: 0..1; NaN where there is nothing to be sharp.
        best: the greatest sharpness of cloth so far; NaN before there was one.
        zones: (n,) float32 sharpness from left to right.
        remarks: what is wrong and what to do.
        picture: (h, w) or (h, w, 3) uint8 of these lines, at most 1024 wide.
    """

    columns: FloatArray
    minimum: FloatArray
    mean: FloatArray
    maximum: FloatArray
    histogram: npt.NDArray[np.int64]
    saturated: float
    black: float
    sharpness: float
    best: float
    zones: FloatArray
    remarks: tuple[str, ...]
    picture: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class EvennessCurves:
    """The running lines without and with a flat field.

    Attributes:
        columns: (n,) float32 column of each point, px.
        before, after: (n,) float32, 0..255.
        before_percent, after_percent: non-uniformity.
        is_stored: of the stored flat field; otherwise of the one that was just recorded.
    """

    columns: FloatArray
    before: FloatArray
    after: FloatArray
    before_percent: float
    after_percent: float
    is_stored: bool


def focus_curves(metrics: FocusMetrics, best: float, block: Block) -> FocusCurves:
    """Light and focus of a block, to be drawn; ``best`` is the greatest sharpness so far."""
    columns, _, mean, _ = thinned(metrics.mean)
    return FocusCurves(
        columns=columns,
        minimum=thinned(metrics.minimum)[1],
        mean=mean,
        maximum=thinned(metrics.maximum)[3],
        histogram=metrics.histogram,
        saturated=metrics.saturated,
        black=metrics.black,
        sharpness=metrics.sharpness,
        best=best,
        zones=metrics.zones,
        remarks=metrics.words,
        picture=thumbnail(block),
    )


def thumbnail(block: Block, most_px: int = _MOST_POINTS) -> npt.NDArray[np.uint8]:
    """The lines of a block as a screen has room for them: means over squares of pixels, so that a weave does not turn
    into a pattern of the screen.

    Args:
        block: what the camera has delivered.
        most_px: greatest width.

    Returns:
        (h, w) or (h, w, 3) uint8.
    """
    side = max(1, -(-block.image.shape[1] // most_px))
    image = block.image[-_MOST_LINES * side :]
    height, width = max(1, image.shape[0] // side), image.shape[1] // side
    cut = image[: height * side, : width * side]
    rows = min(side, len(cut))  # a block may have a single line
    squares = cut.reshape(height, rows, width, side, -1)
    means = squares.mean(axis=(1, 3)) / 2 ** (block.bits - 8)
    return np.asarray(means.reshape(height, width, *image.shape[2:]).astype(np.uint8))


def evenness_curves(flat: FlatField, block: Block, *, is_stored: bool) -> EvennessCurves:
    """What a flat field does to the lines of a block, to be drawn. Raises FlatFieldError where it does not fit them."""
    found = evenness(flat, block)
    columns, _, before, _ = thinned(found.before)
    after = thinned(found.after)[2]
    return EvennessCurves(columns, before, after, found.before_percent, found.after_percent, is_stored)


def thinned(columns: FloatArray, points: int = _MOST_POINTS) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """A curve with so few points that it is drawn quickly; no peak is lost in its lowest and highest.

    Args:
        columns: (W,) or (W, C) float32.
        points: most points.

    Returns:
        (n,) float32 each: columns of the points; lowest, mean and highest value of the columns around each.
    """
    values = columns.reshape(len(columns), -1)  # (W, C)
    # Each point stands for the columns from its start to the next one; reduceat takes every group at once.
    starts = np.linspace(0, len(values), min(points, len(values)) + 1).astype(np.int64)[:-1]
    width = np.diff(np.append(starts, len(values)))
    mean = np.add.reduceat(values.mean(axis=1), starts) / width
    lowest = np.minimum.reduceat(values.min(axis=1), starts)
    highest = np.maximum.reduceat(values.max(axis=1), starts)
    center = starts + (width - 1) / 2
    return tuple(np.asarray(a, np.float32) for a in (center, lowest, mean, highest))  # type: ignore[return-value]
