"""The trained model as the rest of the program uses it: uint8 tiles in, scores out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from cras_core.adapter import Adapter
from cras_core.backbone import load_backbone
from cras_core.bundle import Bundle, read_bundle
from cras_core.calibration import FabricCalibration
from cras_core.centers import ClassCenters
from cras_core.config import CrasConfig, ScoreConfig
from cras_core.cras import CrasModel, FeatureExtractor, HeadOutput
from cras_core.discriminator import Discriminator
from cras_core.errors import BundleError, ConfigError, CrasError
from cras_core.web.inspection import CellScores
from cras_core.web.tiling import ceil_to

Image = npt.NDArray[np.uint8]
PRECISIONS = ("float32", "bfloat16", "float16")

_MULTIPLE_PX = 32  # tiles are padded to this, so that every level of the pyramid divides evenly


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
class ScoreScale:
    """Median and interquartile range of the two scores on normal cloth, by which ``both`` adds them up; (K,) float32
    each.
    """

    logit_centre: Tensor
    logit_spread: Tensor
    residual_centre: Tensor
    residual_spread: Tensor

    def to(self, device: torch.device) -> ScoreScale:
        """The same on another device."""
        return ScoreScale(*(getattr(self, name).to(device) for name in ScoreScale.__slots__))


class Inspector:
    """Runs a trained model on tiles.

    The application, the evaluation and the parity checks of exports all go through this class.
    """

    def __init__(
        self,
        model: CrasModel,
        config: CrasConfig,
        scale: ScoreScale,
        calibrations: Sequence[FabricCalibration],
        device: torch.device,
        precision: str = "float32",
    ) -> None:
        if precision not in PRECISIONS:
            raise ConfigError(f"there is no precision {precision!r}; known are {', '.join(PRECISIONS)}")
        self._model = model.to(device).eval()
        self.scale = scale.to(device)
        self._calibrations = tuple(calibrations)
        model.extractor.backbone.precision = getattr(torch, precision)
        self.config = config
        self.device = device

    @classmethod
    def load(cls, path: Path, device: str = "auto", precision: str = "float32") -> Inspector:
        """Opens a bundle and its backbone; ``precision``, one of ``PRECISIONS``, is what the backbone computes in.

        Raises:
            BundleError, WeightsError: they cannot be used; the message says why.
        """
        return cls.from_bundle(read_bundle(path), device, precision)

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: str = "auto", precision: str = "float32") -> Inspector:
        """The inverse of ``training.to_bundle``. Raises as ``load``."""
        backbone = load_backbone(bundle.config.backbone)
        if backbone.weights_hash != bundle.weights_hash:
            wanted, got = bundle.weights_hash[:12], backbone.weights_hash[:12]
            raise BundleError(
                f"The bundle was trained on weights {wanted} of {bundle.config.backbone.name}, but "
                f"{bundle.config.backbone.weights} gives {got}. Install the same weights or train again."
            )
        try:
            extractor = FeatureExtractor(backbone, bundle.config)
            vectors = [bundle.tensors[f"centers.{k}"] for k in range(len(bundle.calibrations))]
            centers = ClassCenters(vectors, bundle.tensors["means"], bundle.grid)
            adapter = Adapter(extractor.dimension, start_as_identity=True)
            model = CrasModel(extractor, adapter, centers, Discriminator(extractor.dimension))
            extractor.mean.copy_(bundle.tensors["mean"])
            extractor.std.copy_(bundle.tensors["std"])
            adapter.load_state_dict(_part(bundle.tensors, "adapter."))
            model.discriminator.load_state_dict(_part(bundle.tensors, "discriminator."))
            scale = ScoreScale(**{name: bundle.tensors[f"scale.{name}"] for name in ScoreScale.__slots__})
        except (KeyError, RuntimeError) as error:
            raise BundleError(f"The bundle's tensors do not fit its settings ({error}). Train again.") from error
        return cls(model, bundle.config, scale, bundle.calibrations, pick_device(device), precision)

    @property
    def calibrations(self) -> tuple[FabricCalibration, ...]:
        """One per fabric, in the order of ``CellScores.similarity``."""
        return self._calibrations

    @property
    def fabrics(self) -> tuple[str, ...]:
        """Names of the fabrics."""
        return tuple(c.fabric for c in self._calibrations)

    @property
    def model(self) -> CrasModel:
        """The network itself, for training and figures."""
        return self._model

    def cells(self, tiles: Image, fabric: int | None = None) -> CellScores:
        """Scores tiles cell by cell, for the running web.

        Args:
            tiles: (B, H, W) grey or (B, H, W, 3) RGB uint8.
            fabric: index of the fabric that the tiles are known to be; None lets each tile choose (eq. 2).
        """
        raw, similarity, chosen = [], [], []
        for chunk in self._chunks(tiles):
            score, output = self._run(chunk, fabric)
            raw.append(score.cpu())
            similarity.append(output.similarity.cpu())
            chosen.append(output.fabric.cpu())
        return CellScores(torch.cat(raw).numpy(), torch.cat(similarity).float().numpy(), torch.cat(chosen).numpy())

    def predict(self, images: Image, fabric: int | None = None) -> Prediction:
        """Scores tiles or pictures pixel by pixel (eq. 9 and 10). Arguments as for ``cells``; no part of an image is
        cropped away.
        """
        maps, similarity, chosen = [], [], []
        height, width = images.shape[1:3]
        for chunk in self._chunks(images):
            score, output = self._run(chunk, fabric)
            full = (ceil_to(height, _MULTIPLE_PX), ceil_to(width, _MULTIPLE_PX))
            anomaly = torch.nn.functional.interpolate(
                score.unsqueeze(1), size=full, mode="bilinear", align_corners=False
            )[:, :, :height, :width]
            if self.config.score.smooth_px > 0:
                reach = min(int(4 * self.config.score.smooth_px + 0.5), height - 1, width - 1)
                anomaly = gaussian_blur(anomaly, [2 * reach + 1, 2 * reach + 1], [self.config.score.smooth_px] * 2)
            maps.append(anomaly.squeeze(1).cpu())
            similarity.append(output.similarity.cpu())
            chosen.append(output.fabric.cpu())
        anomaly_map = torch.cat(maps).numpy()
        return Prediction(
            anomaly_map.max(axis=(1, 2)), anomaly_map, torch.cat(chosen).numpy(), torch.cat(similarity).float().numpy()
        )

    def _chunks(self, tiles: Image) -> Iterator[Image]:
        if (
            tiles.dtype != np.uint8
            or tiles.ndim not in (3, 4)
            or (tiles.ndim == 4 and tiles.shape[3] != 3)
            or len(tiles) == 0
        ):
            raise ConfigError(f"tiles must be (B, H, W) or (B, H, W, 3) uint8: got {tiles.shape} {tiles.dtype}")
        size = 32 if self.device.type == "cuda" else 1  # one tile stays in a processor's cache, two do not
        for i in range(0, len(tiles), size):
            yield tiles[i : i + size]

    @torch.inference_mode()
    def _run(self, tiles: Image, fabric: int | None) -> tuple[Tensor, HeadOutput]:
        images = to_images(tiles, self.device)
        known = None if fabric is None else torch.full((len(tiles),), fabric, device=self.device)
        output = self._model(images, known)
        return raw_score(output, self.config.score, self.scale), output


def to_images(tiles: Image, device: torch.device) -> Tensor:
    """(B, H, W[, 3]) uint8 -> (B, 3, H', W') float32, 0..255, mirrored out to what the pyramid divides evenly."""
    x = torch.from_numpy(np.ascontiguousarray(tiles)).to(device)
    x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
    height, width = x.shape[2:]
    missing = (ceil_to(width, _MULTIPLE_PX) - width, ceil_to(height, _MULTIPLE_PX) - height)
    x = x.float()
    if any(missing):
        mode = "reflect" if missing[0] < width and missing[1] < height else "replicate"
        x = torch.nn.functional.pad(x, (0, missing[0], 0, missing[1]), mode=mode)
    return x.expand(-1, 3, -1, -1)


def raw_score(output: HeadOutput, config: ScoreConfig, scale: ScoreScale) -> Tensor:
    """The raw score of every cell -> (B, h, w) float32."""
    if config.kind == "probability":
        return output.logit.float().sigmoid()
    if config.kind == "logit":
        return output.logit.float()
    if config.kind == "residual":
        return output.residual.float()
    k = output.fabric
    logit = (output.logit.float() - scale.logit_centre[k, None, None]) / scale.logit_spread[k, None, None]
    residual = (output.residual.float() - scale.residual_centre[k, None, None]) / scale.residual_spread[k, None, None]
    return 0.5 * (logit + residual)


def pick_device(name: str) -> torch.device:
    """``auto`` takes a GPU where there is one.

    Raises:
        CrasError: the device does not exist here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise CrasError(
            f"The device {name} cannot be used here: {str(error).splitlines()[0]}. Use --device cpu."
        ) from error
    return device


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
