"""Defects drawn onto normal cloth.

White noise in feature space (DAFS) goes in all directions alike; a knot or a missing yarn moves the features in
particular ones. A few tiles of normal cloth with defects drawn on them, seen once by the backbone, give those
directions: the difference between the features with and without. They serve as a second kind of synthetic anomaly.
The drawings are crude on purpose and know nothing of any data set: dots, lines, blotches, blur, shifted yarns.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray, Image

Rng = np.random.Generator

_ROOM_PX = 16  # from the border of the tile


def paint_defects(tile: Image, count: int, rng: Rng) -> tuple[Image, FloatArray]:
    """Draws some defects onto a tile.

    Args:
        tile: (H, W) or (H, W, 3) uint8; at least 64 px either way.
        count: how many.
        rng: decides everything.

    Returns:
        The spoilt tile, of the same shape; and (H, W) float32 how much each pixel belongs to a defect, 0..1.
    """
    spoilt = tile.astype(np.float32)
    where = np.zeros(tile.shape[:2], np.float32)
    strength = float(np.std(tile))  # a defect that shows on smooth cloth drowns in a coarse weave
    for _ in range(count):
        kind = _KINDS[int(rng.integers(len(_KINDS)))]
        mask = kind(spoilt, strength, rng)
        where = np.maximum(where, mask)
    return np.clip(np.rint(spoilt), 0, 255).astype(np.uint8), where


def _dot(spoilt: FloatArray, strength: float, rng: Rng) -> FloatArray:
    """A knot, a nep, a speck."""
    mask = _blank(spoilt)
    radius = rng.uniform(1.5, 6.0)
    axes = (int(np.ceil(radius)), int(np.ceil(radius * rng.uniform(0.5, 1.0))))
    cv2.ellipse(mask, _place(spoilt, rng), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
    return _add(spoilt, _soft(mask, 0.7), _amplitude(strength, rng))


def _line(spoilt: FloatArray, strength: float, rng: Rng) -> FloatArray:
    """A missing, thick or foreign yarn; mostly along warp or weft."""
    mask = _blank(spoilt)
    x, y = _place(spoilt, rng)
    angle = np.deg2rad(rng.choice([0.0, 90.0]) + rng.normal(0, 6) if rng.random() < 0.7 else rng.uniform(0, 180))
    dx, dy = (np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(10, 100)).tolist()
    cv2.line(mask, (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy)), 1.0, int(rng.integers(1, 4)))
    return _add(spoilt, _soft(mask, 0.6), 0.7 * _amplitude(strength, rng))


def _blotch(spoilt: FloatArray, strength: float, rng: Rng) -> FloatArray:
    """A stain: large, soft and weak."""
    return _add(
        spoilt, _bump(spoilt, rng.uniform(8, 40), rng.uniform(0.5, 2.0), 2, rng), 0.35 * _amplitude(strength, rng)
    )


def _blur(spoilt: FloatArray, _strength: float, rng: Rng) -> FloatArray:
    """A place where the weave is lost."""
    mask = _bump(spoilt, rng.uniform(5, 25), rng.uniform(0.3, 3.0), 4, rng)
    return _mix(spoilt, _soft(spoilt, rng.uniform(1.2, 3.0)), mask)


def _shift(spoilt: FloatArray, _strength: float, rng: Rng) -> FloatArray:
    """Yarns that lie where others should be."""
    mask = (_bump(spoilt, rng.uniform(4, 20), rng.uniform(0.3, 4.0), 4, rng) > 0.5).astype(np.float32)
    shift = (int(rng.integers(2, 9)), int(rng.integers(2, 9)))
    return _mix(spoilt, np.roll(spoilt, shift, axis=(0, 1)), _soft(mask, 1.0))


_KINDS: tuple[Callable[[FloatArray, float, Rng], FloatArray], ...] = (_dot, _line, _blotch, _blur, _shift)


def _soft(image: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def _blank(spoilt: FloatArray) -> FloatArray:
    return np.zeros(spoilt.shape[:2], np.float32)


def _place(spoilt: FloatArray, rng: Rng) -> tuple[int, int]:
    return int(rng.integers(_ROOM_PX, spoilt.shape[1] - _ROOM_PX)), int(
        rng.integers(_ROOM_PX, spoilt.shape[0] - _ROOM_PX)
    )


def _amplitude(strength: float, rng: Rng) -> float:
    """Darker or brighter, by 0.8 to 3.5 standard deviations of the cloth."""
    return float(rng.choice([-1.0, 1.0]) * rng.uniform(0.8, 3.5) * strength)


def _bump(spoilt: FloatArray, radius: float, aspect: float, power: int, rng: Rng) -> FloatArray:
    """A smooth hill of height 1 somewhere."""
    x, y = _place(spoilt, rng)
    dy = (np.arange(spoilt.shape[0], dtype=np.float32)[:, None] - y) / radius
    dx = (np.arange(spoilt.shape[1], dtype=np.float32)[None, :] - x) / (radius * aspect)
    return np.exp(-(dy**power + dx**power)).astype(np.float32)


def _add(spoilt: FloatArray, mask: FloatArray, amplitude: float) -> FloatArray:
    spoilt += amplitude * (mask if spoilt.ndim == 2 else mask[:, :, None])
    return mask


def _mix(spoilt: FloatArray, other: npt.NDArray[np.floating], mask: FloatArray) -> FloatArray:
    weight = mask if spoilt.ndim == 2 else mask[:, :, None]
    spoilt += weight * (other - spoilt)
    return mask
