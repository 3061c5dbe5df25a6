"""Pictures as tensors, and the device that they are on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cras_core.arrays import Image
from cras_core.errors import CrasError
from cras_core.web.tiling import ceil_to

_ENOUGH_FOR_A_MEDIAN = 8192


def median_features(vectors: Tensor) -> Tensor:
    """(N, D) vectors -> (D,) float32 median of each element; of many vectors every so many-th counts."""
    return vectors[:: max(1, len(vectors) // _ENOUGH_FOR_A_MEDIAN)].float().median(dim=0).values


def to_images(tiles: Image, device: torch.device, multiple_px: int = 32) -> Tensor:
    """(B, H, W[, 3]) uint8 -> (B, 3, H', W') float32, 0..255, mirrored out at the bottom and on the right to multiples
    of ``multiple_px``.
    """
    x = torch.from_numpy(np.require(tiles, requirements=["C", "W"])).to(device)
    x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
    return mirrored_out(x.float(), multiple_px).expand(-1, 3, -1, -1)


def mirrored_out(x: Tensor, multiple_px: int) -> Tensor:
    """(B, C, H, W) -> (B, C, H', W'), mirrored out at the bottom and on the right to multiples of ``multiple_px``."""
    height, width = x.shape[2:]
    missing = (ceil_to(width, multiple_px) - width, ceil_to(height, multiple_px) - height)
    if any(missing):
        mode = "reflect" if missing[0] < width and missing[1] < height else "replicate"
        x = torch.nn.functional.pad(x, (0, missing[0], 0, missing[1]), mode=mode)
    return x


def pick_device(name: str) -> torch.device:
    """``auto`` takes a GPU where there is one.

    Raises:
        CrasError: the device does not exist here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        float(torch.zeros(1, device=device))
    except (RuntimeError, AssertionError, ImportError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise CrasError(
            "device-unusable",
            "The device {device} cannot be used here: {reason}.",
            hint="Take another: --device cpu",
            device=name,
            reason=reason,
        ) from error
    return device
