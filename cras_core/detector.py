"""What every detector has in common: uint8 tiles in, scores out, one tile at a time or a batch, never mixed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from cras_core.calibration import FabricCalibration
from cras_core.config import CrasConfig
from cras_core.errors import ConfigError, CrasError
from cras_core.web.inspection import CellScores
from cras_core.web.tiling import ceil_to

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of a batch of tiles or pictures; every tile is judged on its own.

    Attributes:
        score: (B,) float32, the maximum of the anomaly map (eq. 10).
        anomaly_map: (B, H, W) float32 raw score per pixel, upsampled and smoothed (eq. 9).
        fabric: (B,) int64 index of the fabric that each tile was compared with.
        similarity: (B, K) float32 similarity to every fabric (eq. 2).
    """

    score: npt.NDArray[np.float32]
    anomaly_map: npt.NDArray[np.float32]
    fabric: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CellTensors:
    """What a network says of a batch of images.

    Attributes:
        raw: (B, h, w) float32 raw anomaly score of each cell.
        similarity: (B, K) similarity to each fabric (eq. 2).
        fabric: (B,) int64 the fabric that each image was compared with.
    """

    raw: Tensor
    similarity: Tensor
    fabric: Tensor


class Detector(ABC):
    """Scores tiles. The application and the evaluation know detectors by this class alone.

    Attributes:
        config: settings that it was made with.
        device: where it runs.
        weights_hash: sha256 of the backbone's weights.
        identity: of the bundle that it was opened from (``Bundle.identity``); None where there is none.
    """

    identity: str | None = None

    def __init__(
        self, config: CrasConfig, calibrations: Sequence[FabricCalibration], device: torch.device, weights_hash: str
    ) -> None:
        self.config = config
        self.device = device
        self.weights_hash = weights_hash
        self._calibrations = tuple(calibrations)

    @abstractmethod
    def score(self, images: Tensor, fabric: Tensor | None, size: tuple[int, int]) -> CellTensors:
        """Scores one batch.

        Args:
            images: (B, 3, H, W) RGB, 0..255, padded at the bottom and on the right.
            fabric: (B,) int64 fabrics where they are known.
            size: (h, w) cells that are not padding.
        """

    def calibrate(self, calibrations: Sequence[FabricCalibration]) -> None:
        """Sets the limits that were measured, one per fabric."""
        self._calibrations = tuple(calibrations)

    @property
    def calibrations(self) -> tuple[FabricCalibration, ...]:
        """One per fabric, in the order of ``CellScores.similarity``."""
        return self._calibrations

    @property
    def fabrics(self) -> tuple[str, ...]:
        """Names of the fabrics."""
        return tuple(c.fabric for c in self._calibrations)

    def cells(self, tiles: Image, fabric: int | None = None) -> CellScores:
        """Scores tiles cell by cell, for the running web.

        Args:
            tiles: (B, H, W) grey or (B, H, W, 3) RGB uint8.
            fabric: index of the fabric that the tiles are known to be; None lets each tile choose (eq. 2).
        """
        raw, similarity, chosen = [], [], []
        for chunk in self._chunks(tiles):
            found = self._run(chunk, fabric)
            raw.append(found.raw.cpu())
            similarity.append(found.similarity.cpu())
            chosen.append(found.fabric.cpu())
        return CellScores(torch.cat(raw).numpy(), torch.cat(similarity).float().numpy(), torch.cat(chosen).numpy())

    def predict(self, images: Image, fabric: int | None = None) -> Prediction:
        """Scores tiles or pictures pixel by pixel (eq. 9 and 10). Arguments as for ``cells``; no part of an image is
        cropped away.
        """
        maps, image_scores, similarity, chosen = [], [], [], []
        for chunk in self._chunks(images):
            found = self._run(chunk, fabric)
            height, width = images.shape[1:3]
            anomaly = torch.nn.functional.interpolate(
                found.raw.unsqueeze(1), scale_factor=self.config.tiling.cell_px, mode="bilinear", align_corners=False
            )[:, :, :height, :width]
            if self.config.score.smooth_px > 0:
                reach = min(int(4 * self.config.score.smooth_px + 0.5), height - 1, width - 1)
                anomaly = gaussian_blur(anomaly, [2 * reach + 1, 2 * reach + 1], [self.config.score.smooth_px] * 2)
            maps.append(anomaly.squeeze(1).cpu())
            of_image = found.raw if self.config.score.image == "cells" else maps[-1]
            image_scores.append(of_image.amax(dim=(1, 2)).cpu())
            similarity.append(found.similarity.cpu())
            chosen.append(found.fabric.cpu())
        return Prediction(
            torch.cat(image_scores).numpy(),
            torch.cat(maps).numpy(),
            torch.cat(chosen).numpy(),
            torch.cat(similarity).float().numpy(),
        )

    def _chunks(self, tiles: Image) -> Iterator[Image]:
        if (
            tiles.dtype != np.uint8
            or tiles.ndim not in (3, 4)
            or (tiles.ndim == 4 and tiles.shape[3] != 3)
            or 0 in tiles.shape
        ):
            raise ConfigError(f"tiles must be (B, H, W) or (B, H, W, 3) uint8: got {tiles.shape} {tiles.dtype}")
        size = 32 if self.device.type == "cuda" else 1  # one tile stays in a processor's cache, two do not
        for i in range(0, len(tiles), size):
            yield tiles[i : i + size]

    @torch.inference_mode()
    def _run(self, tiles: Image, fabric: int | None) -> CellTensors:
        if fabric is not None and not 0 <= fabric < len(self._calibrations):
            raise ConfigError(f"there is no fabric {fabric}; the model has {len(self._calibrations)}, counted from 0")
        known = None if fabric is None else torch.full((len(tiles),), fabric, device=self.device)
        cell = self.config.tiling.cell_px
        size = (ceil_to(tiles.shape[1], cell) // cell, ceil_to(tiles.shape[2], cell) // cell)
        return self.score(to_images(tiles, self.device, self.config.backbone.multiple_px), known, size)


def to_images(tiles: Image, device: torch.device, multiple_px: int = 32) -> Tensor:
    """(B, H, W[, 3]) uint8 -> (B, 3, H', W') float32, 0..255, mirrored out at the bottom and on the right to multiples
    of ``multiple_px``.
    """
    x = torch.from_numpy(np.require(tiles, requirements=["C", "W"])).to(device)
    x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
    height, width = x.shape[2:]
    missing = (ceil_to(width, multiple_px) - width, ceil_to(height, multiple_px) - height)
    x = x.float()
    if any(missing):
        mode = "reflect" if missing[0] < width and missing[1] < height else "replicate"
        x = torch.nn.functional.pad(x, (0, missing[0], 0, missing[1]), mode=mode)
    return x.expand(-1, 3, -1, -1)


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
        raise CrasError(f"The device {name} cannot be used here: {reason}. Use --device cpu.") from error
    return device
