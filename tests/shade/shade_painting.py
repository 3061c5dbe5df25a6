"""Shade painted on good cloth, for tests: stripes, bars, stains, and what a lamp does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cras_core.arrays import FloatArray, Image

MM_PER_PX = 0.2
YARN_PX = 6


def good_cloth(lines: int, *, width_px: int = 2048, seed: int = 3) -> FloatArray:
    """(lines, width_px) float32 grey values of a plain weave under a lamp that falls off towards both sides.

    Its yarns differ as those of the AITEX strips do: columns 8 mm wide by 0.6 %, rows 5 mm high by 0.4 %, one standard
    deviation. (The loom's differ by several times as much, so that its cloth is hard for the model.)
    """
    rng = np.random.default_rng(seed)
    ends, picks = width_px // YARN_PX + 1, lines // YARN_PX + 1
    warp = np.repeat(1 + 0.015 * rng.standard_normal(ends), YARN_PX)[:width_px]
    weft = np.repeat(1 + 0.010 * rng.standard_normal(picks), YARN_PX)[:lines]
    x, y = np.arange(width_px) // YARN_PX, np.arange(lines) // YARN_PX
    over = (x[None, :] + y[:, None]) % 2
    light = 1 - 0.18 * np.linspace(-1, 1, width_px) ** 2
    cloth = np.where(over == 1, 125.0 * warp, 105.0 * weft[:, None]) * light
    return (cloth + 5.0 * rng.standard_normal((lines, width_px), np.float32)).astype(np.float32)


@dataclass(frozen=True)
class Painting:
    """What is painted, millimetres and per cent of the brightness; negative is darker."""

    percent: float
    at_mm: float
    size_mm: float


def paint_stripe(cloth: FloatArray, stripe: Painting, *, from_mm: float = 0.0, to_mm: float = 1e9) -> FloatArray:
    """A stripe along the warp; ``at_mm`` is its left border."""
    painted = cloth.copy()
    painted[_px(from_mm) : _px(to_mm), _px(stripe.at_mm) : _px(stripe.at_mm + stripe.size_mm)] *= _factor(stripe)
    return painted


def paint_bar(cloth: FloatArray, bar: Painting, *, left_mm: float = 0.0, right_mm: float = 1e9) -> FloatArray:
    """A bar along the weft; ``at_mm`` is its first line."""
    painted = cloth.copy()
    painted[_px(bar.at_mm) : _px(bar.at_mm + bar.size_mm), _px(left_mm) : _px(right_mm)] *= _factor(bar)
    return painted


def paint_stain(cloth: FloatArray, stain: Painting, across_mm: float) -> FloatArray:
    """A round stain with soft borders around a place; its size is where it has half its contrast."""
    y, x = np.ogrid[: cloth.shape[0], : cloth.shape[1]]
    distance = ((y - _px(stain.at_mm)) ** 2 + (x - _px(across_mm)) ** 2) / _px(stain.size_mm) ** 2
    return np.asarray(cloth * (1 + (_factor(stain) - 1) * np.exp2(-4 * distance)), dtype=np.float32)


def paint_light(cloth: FloatArray, *, drift: float = 0.0, jump: float = 0.0, at_mm: float = 0.0) -> FloatArray:
    """Per cent by which the light changes from the first line to the last, and at once from a place on."""
    line = np.arange(len(cloth), dtype=np.float32)[:, None]
    light = 1 + drift / 100 * line / len(cloth)
    return cloth * light * np.where(line >= _px(at_mm), 1 + jump / 100, 1).astype(np.float32)


def as_picture(cloth: FloatArray) -> Image:
    """Grey values as a camera gives them."""
    return np.clip(np.rint(cloth), 0, 255).astype(np.uint8)


def _px(mm: float) -> int:
    return round(min(mm, 1e6) / MM_PER_PX)


def _factor(painting: Painting) -> float:
    return 1 + painting.percent / 100
