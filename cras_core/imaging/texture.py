"""What of a picture of cloth is texture, and what is noise.

Both are told apart by the line beside: texture is alike there, noise is not. So a blurred picture does not pass for a
sharp one because of its noise, and more light or gain changes nothing that is a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cras_core.arrays import FloatArray

BASE_PX = 65
"""What is wider than this is lamp and lens, not cloth."""


@dataclass(frozen=True, slots=True)
class Energies:
    """Of each column, mean squares of grey values; the products of neighbouring lines, so without noise, but ``step``.

    Attributes:
        texture: (W,) float32 of the texture.
        detail: (W,) float32 of the differences from one pixel to the next; 0 in the last column.
        step: (W,) float32 of the same with its noise.
    """

    texture: FloatArray
    detail: FloatArray
    step: FloatArray


def energies_of(grey: FloatArray) -> Energies:
    """(lines, W) float32, at least 2 lines and 2 columns -> the energies of its columns."""
    texture = grey - cv2.blur(grey, (BASE_PX, 1))
    step = np.diff(grey, axis=1)

    def whole(of_steps: FloatArray) -> FloatArray:
        return np.append(of_steps, np.float32(0.0))

    return Energies(
        (texture[1:] * texture[:-1]).mean(axis=0),
        whole((step[1:] * step[:-1]).mean(axis=0)),
        whole((step * step).mean(axis=0)),
    )


def sharpness_of(grey: FloatArray) -> float:
    """How much of the cloth's contrast is left from one pixel to the next, as an MTF near the highest frequency: the
    root of the energy of the differences across the line over twice the energy of the texture. More light or gain does
    not change it; another cloth does.

    Args:
        grey: (lines, W) float32, at least 2 lines and 2 columns.

    Returns:
        0..1, NaN where the lines are even.
    """
    if grey.shape[0] < 2 or grey.shape[1] < 2:
        return float("nan")
    energies = energies_of(grey)
    texture = float(energies.texture.mean())
    if texture <= 1e-6 * float((grey**2).mean()) or texture <= 0:
        return float("nan")
    detail = float(energies.detail[:-1].mean())
    return float(np.sqrt(np.clip(detail / (2 * texture), 0, 1)))
