"""The three disturbances of table VII of the CRAS paper (section IV-D6), put on test pictures.

The paper gives their kinds and strengths and no more. What it leaves open is chosen here: noise is counted in units of
the full range of grey levels; the illumination of a picture changes by random factors in random order, as colour
jitter does elsewhere; a turned picture shows its own mirrored border in the corners, because black corners would be
found as defects of their own, and its mask turns with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torchvision.transforms import functional

from cras_core.arrays import Image

Bools = npt.NDArray[np.bool_]

NOISE = 0.01
"""Standard deviation of the noise, in units of the full range."""

JITTER = 0.1
"""Brightness, contrast and saturation change by a factor of 1 - JITTER to 1 + JITTER, hue by up to JITTER turns."""

TURN_DEG = 5.0
"""Largest rotation to either side, degrees."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One row of table VII.

    Attributes:
        name: as in the paper.
        apply: (H, W[, 3]) uint8 picture, (H, W) bool mask and a source of randomness -> both as disturbed, same size.
        published: change of I-AUROC and P-AUROC of CRAS on MVTec AD, percentage points.
        moves: the cloth lies elsewhere afterwards; makes no sense for a strip, whose ends would leave the picture.
    """

    name: str
    apply: Callable[[Image, Bools, np.random.Generator], tuple[Image, Bools]]
    published: tuple[float, float]
    moves: bool = False


def add_noise(picture: Image, mask: Bools, rng: np.random.Generator) -> tuple[Image, Bools]:
    """White Gaussian noise, every channel on its own."""
    noisy = picture + 255.0 * NOISE * rng.standard_normal(picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), mask


def change_light(picture: Image, mask: Bools, rng: np.random.Generator) -> tuple[Image, Bools]:
    """Brightness, contrast, saturation and hue of the whole picture, in random order; the last two leave grey as it
    is.
    """
    factors = 1.0 + rng.uniform(-JITTER, JITTER, 3)
    hue = float(rng.uniform(-JITTER, JITTER))
    grey = picture.ndim == 2
    image = torch.from_numpy(np.ascontiguousarray(picture))
    image = image.unsqueeze(0) if grey else image.permute(2, 0, 1)
    changes: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda x: functional.adjust_brightness(x, float(factors[0])),
        lambda x: functional.adjust_contrast(x, float(factors[1])),
        lambda x: x if grey else functional.adjust_saturation(x, float(factors[2])),
        lambda x: x if grey else functional.adjust_hue(x, hue),
    ]
    for i in rng.permutation(len(changes)):
        image = changes[int(i)](image)
    return np.ascontiguousarray((image[0] if grey else image.permute(1, 2, 0)).numpy()), mask


def turn(picture: Image, mask: Bools, rng: np.random.Generator) -> tuple[Image, Bools]:
    """A rotation about the centre."""
    height, width = picture.shape[:2]
    angle = float(rng.uniform(-TURN_DEG, TURN_DEG))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)

    def turned(image: Image, interpolation: int) -> Image:
        rotated = cv2.warpAffine(image, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(rotated, dtype=np.uint8)

    return turned(picture, cv2.INTER_LINEAR), turned(mask.astype(np.uint8), cv2.INTER_NEAREST) > 0


DISTURBANCES = (
    Disturbance("adversarial noise", add_noise, (-1.9, -0.5)),
    Disturbance("illumination variation", change_light, (-6.7, -1.8)),
    Disturbance("equipment vibration", turn, (-6.0, -1.2), moves=True),
)

PUBLISHED_MEAN = (-4.9, -1.2)
"""Mean of the column of CRAS, as printed."""
