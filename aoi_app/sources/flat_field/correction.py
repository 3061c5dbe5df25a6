"""Flat field: what lamp, lens and sensor do to a line, measured once and taken out of every line.

out = (raw - dark) * target / (white - dark), per column and channel; EMVA 1288 calls the two offset and response
non-uniformity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block
from aoi_app.sources.source import SourceError
from cras_core.arrays import FloatArray, Image

RawImage = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

MOST_DEAD_SHARE = 0.05
"""Columns without a response that a flat field may have; they are taken from their neighbours."""

_WIDEST_PX = 1 << 16
_DEAD_SHARE = 0.1  # of the usual response; below that a column has nothing to say
_TILE_LINES = 8  # of the correction; gain, offset and result of a tile stay in the cache
_SAME = 0.01  # relative difference of exposure and gain that nobody sees


class FlatFieldError(SourceError):
    """A flat field cannot be recorded, read or used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class CameraSetup:
    """What a flat field holds for.

    Attributes:
        camera: serial number.
        exposure_us, gain: as the camera names them; None where it has no such feature.
    """

    camera: str
    exposure_us: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FlatField:
    """Response of every column.

    Attributes:
        dark, white: (W,) or (W, 3) float32 mean raw value without light and on an even white.
        bits: significant bits of the raw values.
        target: what white becomes, 0..255.
        lines: that were averaged.
        recorded_at: ISO 8601 with its time zone.
        setup: camera, exposure and gain that it was recorded with.
    """

    dark: FloatArray
    white: FloatArray
    bits: int
    target: float
    lines: int
    recorded_at: str
    setup: CameraSetup

    @property
    def width_px(self) -> int:
        """Columns."""
        return len(self.white)

    @property
    def dead(self) -> npt.NDArray[np.bool_]:
        """(W,) or (W, 3) columns without a response; they are interpolated from their neighbours."""
        response = self.white - self.dark
        return np.asarray(response < _DEAD_SHARE * np.median(response, axis=0))


def problem_of_levels(dark: npt.NDArray[Any], white: npt.NDArray[Any], bits: int) -> str | None:
    """Why two levels make no flat field, whoever recorded or wrote them; None where they do.

    Args:
        dark, white: as in ``FlatField``, not checked yet.
        bits: significant bits of the raw values.
    """
    is_level = white.dtype == dark.dtype == np.float32 and (white.ndim == 1 or white.shape[1:] == (3,))
    if not is_level or dark.shape != white.shape or not 2 <= len(white) <= _WIDEST_PX:
        return f"levels of {dark.dtype} {dark.shape} and {white.dtype} {white.shape}"
    if not (np.isfinite(dark).all() and np.isfinite(white).all()):
        return "a level is no number"
    if min(dark.min(), white.min()) < 0 or max(dark.max(), white.max()) > (1 << bits) - 1:
        return f"a level is no value of {bits} bits"
    response = white - dark  # (W[, 3])
    usual = np.median(response, axis=0)  # () or (3,)
    if (usual <= 0).any():
        return "white is not brighter than dark"
    dead = float((response < _DEAD_SHARE * usual).mean())
    return f"{dead:.0%} of the columns see no light" if dead > MOST_DEAD_SHARE else None


def flat_field_problems(flat: FlatField, setup: CameraSetup) -> list[str]:
    """Why a flat field no longer fits, a sentence each; nothing where it does."""
    found = []
    if flat.setup.camera != setup.camera:
        found.append(f"The flat field is of camera {flat.setup.camera}, not {setup.camera}.")
    for name, then, now in (
        ("exposure", flat.setup.exposure_us, setup.exposure_us),
        ("gain", flat.setup.gain, setup.gain),
    ):
        if then is not None and now is not None and abs(now - then) > _SAME * max(abs(then), 1.0):
            found.append(f"The {name} was {then:g} when the flat field was recorded and is {now:g}; record it again.")
    dead = int(flat.dead.reshape(flat.width_px, -1).any(axis=1).sum())
    if dead:
        found.append(f"{dead} columns see no light and are taken from their neighbours; clean lens and sensor.")
    return found


class Correction:
    """A flat field made ready for lines of one depth; one thread uses it."""

    def __init__(self, flat: FlatField, bits: int) -> None:
        """
        Args:
            flat: the flat field.
            bits: significant bits of the lines to come; may differ from those that it was recorded with.
        """
        dead = flat.dead.reshape(-1)
        response = (flat.white - flat.dark).reshape(-1)
        # (W[*3],) target over response; dead columns are filled in afterwards.
        gain = np.where(dead, 0, flat.target / np.where(dead, 1, response)).astype(np.float32)
        # Recorded at 12 bits, used at 8: full scale is what the two have in common.
        scale = np.float32(((1 << flat.bits) - 1) / ((1 << bits) - 1))
        self._shape = flat.white.shape
        self._gain = _tile(gain * scale)
        self._offset = _tile(gain * flat.dark.reshape(-1))
        self._dead = _neighbours(flat.dead)
        self._product = np.empty_like(self._gain)

    def apply(self, image: RawImage) -> Image:
        """(lines, W[, 3]) raw -> the same as uint8, rounded and clipped to 0..255; the raw lines stay as they are."""
        if image.shape[1:] != self._shape:
            raise FlatFieldError(
                "flat-field-misfits-lines",
                "A flat field of {flat: x } px does not fit lines of {lines: x } px.",
                flat=self._shape,
                lines=image.shape[1:],
            )
        raw = image.reshape(len(image), -1)
        out = np.empty(raw.shape, np.uint8)
        for first in range(0, len(raw), _TILE_LINES):
            part = raw[first : first + _TILE_LINES]
            n = len(part)
            # Two passes of OpenCV over a tile that stays in the cache; numpy would make four arrays of the whole block.
            cv2.multiply(part, self._gain[:n], self._product[:n], 1, cv2.CV_32F)
            # Saturates to 0..255 and rounds.
            cv2.subtract(self._product[:n], self._offset[:n], out[first : first + n], None, cv2.CV_8U)
        dead, left, right, share = self._dead
        if len(dead):
            out[:, dead] = np.rint(out[:, left] * (1 - share) + out[:, right] * share)
        return out.reshape(image.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Evenness:
    """What a flat field does to the lines of a camera, to be drawn.

    Attributes:
        before, after: (W,) or (W, 3) float32 mean of every column, 0..255.
        before_percent, after_percent: ``non_uniformity`` of both.
    """

    before: FloatArray
    after: FloatArray
    before_percent: float
    after_percent: float


def evenness(flat: FlatField, block: Block) -> Evenness:
    """Compares the lines of a block as they are and as the flat field makes them; on an even white the second is flat.

    Raises:
        FlatFieldError: the flat field does not fit the block.
    """
    after = Correction(flat, block.bits).apply(block.image).mean(axis=0, dtype=np.float32)
    before = block.image.mean(axis=0, dtype=np.float64).astype(np.float32) * np.float32(255 / ((1 << block.bits) - 1))
    return Evenness(before, after, non_uniformity(before), non_uniformity(after))


def non_uniformity(profile: npt.NDArray[np.floating]) -> float:
    """How uneven a line is, percent of its median: the width of the middle 98 % of its columns, worst channel."""
    # Not minimum and maximum: one dead pixel or speck of dust would be all that the figure tells.
    low, middle, high = np.percentile(profile, (1, 50, 99), axis=0)
    return float(np.max(100 * (high - low) / np.maximum(middle, 1e-6)))


def _tile(row: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.broadcast_to(row, (_TILE_LINES, len(row))), dtype=np.float32)


def _neighbours(
    dead: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Dead columns, the nearest living ones of their channel to the left and right, and the share of the right one;
    all as places in a line whose channels lie interleaved.
    """
    by_channel = dead.reshape(len(dead), -1)
    channels = by_channel.shape[1]
    found = []
    for channel in range(channels):
        alive = np.flatnonzero(~by_channel[:, channel])
        lost = np.flatnonzero(by_channel[:, channel])
        after = np.searchsorted(alive, lost)  # the first living column to the right of each dead one
        left, right = alive[np.maximum(after - 1, 0)], alive[np.minimum(after, len(alive) - 1)]
        found.append((lost, np.where(left > lost, right, left), np.where(right < lost, left, right), channel))
    columns, left, right = (np.concatenate([f[k] * channels + f[3] for f in found]) for k in range(3))
    share = (columns - left) / np.maximum(right - left, 1)
    return columns, left, right, share.astype(np.float32)
