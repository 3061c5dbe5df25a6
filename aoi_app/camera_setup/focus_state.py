"""What is shown to whoever sets up light and focus and records a flat field: values, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from aoi_app.sources.registry import find_kind
from cras_core.arrays import FloatArray

_MOST_POINTS = 1024  # of a curve; a screen has hardly more columns


class Phase(Enum):
    """What the camera is doing for us.

    OPENING -> LIVE <-> DARK, WHITE; any of them -> FAILED or CLOSED, which are ends.
    """

    OPENING = "opening"
    LIVE = "live"
    DARK = "recording dark"
    WHITE = "recording white"
    FAILED = "failed"
    CLOSED = "closed"

    @property
    def is_over(self) -> bool:
        """Nothing follows."""
        return self in (Phase.FAILED, Phase.CLOSED)

    @property
    def is_recording(self) -> bool:
        """A reference is being recorded."""
        return self in (Phase.DARK, Phase.WHITE)


@dataclass(frozen=True, slots=True, eq=False)
class LightView:
    """Light and focus as they are now.

    Attributes:
        columns: (n,) float32 column of each point of the curves, px.
        minimum, mean, maximum: (n,) float32 of these columns, 0..255.
        histogram: (256,) int64 pixels of each brightness.
        saturated, black: share of pixels, 0..1.
        sharpness: 0..1; NaN where there is nothing to be sharp.
        best: the greatest sharpness of cloth so far; NaN before there was one.
        zones: (n,) float32 sharpness from left to right.
        words: what is wrong and what to do.
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
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EvennessView:
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


@dataclass(frozen=True, slots=True)
class StoredView:
    """The flat field that is kept for the camera.

    Attributes:
        text: when and how it was recorded.
        problems: why it does not fit any more, a sentence each.
    """

    text: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AidSnapshot:
    """All of it at one time.

    Attributes:
        phase: what the camera is doing.
        camera: its name.
        message: what a person should know now.
        is_alarm: the message tells of something that went wrong.
        light: None before the first lines.
        evenness: None without a flat field that fits the lines.
        progress: of the recording, 0..1.
        has_dark: the dark was recorded.
        is_unsaved: a flat field was recorded and is neither saved nor discarded.
        stored: the one that is kept; None where there is none.
    """

    phase: Phase = Phase.OPENING
    camera: str = ""
    message: str = ""
    is_alarm: bool = False
    light: LightView | None = None
    evenness: EvennessView | None = None
    progress: float = 0.0
    has_dark: bool = False
    is_unsaved: bool = False
    stored: StoredView | None = None


def reads_a_camera(spec: str) -> bool:
    """Whether a roll from this source may hold the camera."""
    kind = find_kind(spec)
    return kind is not None and kind.holds_camera


def thinned(columns: FloatArray, points: int = _MOST_POINTS) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """A curve with so few points that it is drawn quickly; no peak is lost in its lowest and highest.

    Args:
        columns: (W,) or (W, C) float32.
        points: most points.

    Returns:
        (n,) float32 each: columns of the points; lowest, mean and highest value of the columns around each.
    """
    values = columns.reshape(len(columns), -1)
    starts = np.linspace(0, len(values), min(points, len(values)) + 1).astype(np.int64)[:-1]
    width = np.diff(np.append(starts, len(values)))
    mean = np.add.reduceat(values.mean(axis=1), starts) / width
    lowest = np.minimum.reduceat(values.min(axis=1), starts)
    highest = np.maximum.reduceat(values.max(axis=1), starts)
    middle = starts + (width - 1) / 2
    return tuple(np.asarray(a, np.float32) for a in (middle, lowest, mean, highest))  # type: ignore[return-value]
