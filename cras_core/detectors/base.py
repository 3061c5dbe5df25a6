"""What every detector has in common: uint8 tiles in, scores out, one tile at a time or a batch, never mixed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from cras_core.arrays import Image
from cras_core.config.settings import CrasConfig
from cras_core.errors import ConfigError, EnrolError
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import median_features, to_images
from cras_core.web.calibration import FabricCalibration
from cras_core.web.protocols import CellScores
from cras_core.web.tiling import ceil_to


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of a batch of tiles or pictures; every tile is judged on its own.

    Attributes:
        score: (B,) float32, of the whole picture, pooled as ``ScoreConfig`` says: the maximum of the map (eq. 10).
        anomaly_map: (B, H, W) float32 raw score per pixel, upsampled and smoothed (eq. 9).
        fabric: (B,) int64 index of the fabric that each tile was compared with.
        similarity: (B, K) float32 similarity to every fabric (eq. 2).
    """

    score: npt.NDArray[np.float32]
    anomaly_map: npt.NDArray[np.float32]
    fabric: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GoodCloth:
    """Good cloth of a fabric that was not trained on, as normalised vectors.

    Attributes:
        seen: (N, D) of the pictures to learn from.
        held: (M, D) of those held back.
        mean: (D,) of all vectors of the pictures to learn from.
    """

    seen: Tensor
    held: Tensor
    mean: Tensor


class Detector(ABC):
    """Scores tiles. The application and the evaluation know detectors by this class alone.

    Attributes:
        config: settings that it was made with.
        device: where it runs.
        weights_hash: sha256 of the backbone's weights.
        identity: of the bundle that it was opened from (``Bundle.identity``); None where there is none.
        bits: depth that pictures of more than 8 bits are read with; None where it has learnt from 8 bits.
    """

    identity: str | None = None
    bits: int | None = None

    def __init__(
        self,
        config: CrasConfig,
        calibrations: Sequence[FabricCalibration],
        medians: Tensor,
        device: torch.device,
        weights_hash: str,
    ) -> None:
        self.config = config
        self.device = device
        self.weights_hash = weights_hash
        self._calibrations = tuple(calibrations)
        self._medians = medians.float().to(device)

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB, 0..255, padded at the bottom and on the right -> (B, h, w, D) normalised vectors."""

    @abstractmethod
    def match(self, t: Tensor) -> Tensor:
        """(B, h, w, D) vectors without padding -> (B, K) similarity of each image to each fabric (eq. 2)."""

    @abstractmethod
    def score(self, t: Tensor, fabric: Tensor) -> Tensor:
        """(B, h, w, D) vectors and the (B,) int64 fabrics to compare them with -> (S, B, h, w) raw anomaly scores of S
        kinds.
        """

    def enrolment_extractor(self) -> FeatureExtractor:
        """What takes the features of a new fabric, with the statistics of the cloth trained on.

        Raises:
            EnrolError: a detector of this kind, or with these settings, learns a fabric in a full training alone.
        """
        raise self._not_quickly()

    def describe_fabric(self, cloth: GoodCloth) -> dict[str, Tensor]:  # noqa: ARG002 (for those that can)
        """A new fabric as this detector knows fabrics, without any training: its share of the bundle's tensors, by the
        names of ``fabric_tensors``. Raises EnrolError as ``enrolment_extractor``.
        """
        raise self._not_quickly()

    def _not_quickly(self) -> EnrolError:
        return EnrolError(
            "no-quick-enrolment",
            "this model ({kind}) learns a fabric only together with all others: put its good cloth beside theirs and "
            "train all of them",
            hint="With: cras train DATA",
            kind=type(self).__name__,
        )

    @property
    def medians(self) -> npt.NDArray[np.float32]:
        """(K, D) median of the normalised vectors of good cloth of each fabric."""
        return self._medians.cpu().numpy()

    def shift(self, fabrics: Tensor, web_median: npt.NDArray[np.float32]) -> Tensor:
        """What brings cloth of a web with the (D,) ``web_median`` onto that of its (B,) fabrics -> (B, D)."""
        return self._medians[fabrics] - torch.from_numpy(web_median).to(self.device)

    def set_calibrations(self, calibrations: Sequence[FabricCalibration]) -> None:
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

    @torch.inference_mode()
    def extract_features(self, tiles: Image) -> TileFeatures:
        """Takes the features of (B, H, W) grey or (B, H, W, 3) RGB uint8 tiles."""
        _check_tiles(tiles)
        cell = self.config.tiling.cell_px
        rows, cols = (ceil_to(n, cell) // cell for n in tiles.shape[1:3])
        vectors, similarity = [], []
        for chunk in self._chunks(tiles):
            t = self.features(to_images(chunk, self.device, self.config.backbone.multiple_px))[:, :rows, :cols]
            vectors.append(t)
            similarity.append(self.match(t).float().cpu())
        return TileFeatures(self, torch.cat(vectors), torch.cat(similarity).numpy())

    def score_tiles(self, tiles: Image, fabric: int | None = None) -> CellScores:
        """Judges tiles as they are; arguments as for ``extract_features`` and ``TileFeatures.score``."""
        return self.extract_features(tiles).score(fabric)

    def predict(self, images: Image, fabric: int | None = None) -> Prediction:
        """Scores tiles or pictures pixel by pixel (eq. 9 and 10). Arguments as for ``score_tiles``; no part of an image
        is cropped away.
        """
        _check_tiles(images)
        maps, image_scores, similarity, chosen = [], [], [], []
        for chunk in self._chunks(images):
            found = self.score_tiles(chunk, fabric)
            maps.append(
                self._anomaly_map(torch.from_numpy(found.raw).to(self.device), images.shape[1], images.shape[2])
            )
            image_scores.append(found.raw if self.config.score.image == "cells" else maps[-1])
            similarity.append(found.similarity)
            chosen.append(found.fabric)
        return Prediction(
            np.concatenate([pooled(s, self.config.score.pooling) for s in image_scores]),
            np.concatenate(maps),
            np.concatenate(chosen),
            np.concatenate(similarity),
        )

    @torch.inference_mode()
    def _anomaly_map(self, raw: Tensor, height: int, width: int) -> npt.NDArray[np.float32]:
        """(B, h, w) raw scores of cells -> (B, H, W) of pixels, smoothed."""
        anomaly = torch.nn.functional.interpolate(
            raw.unsqueeze(1), scale_factor=self.config.tiling.cell_px, mode="bilinear", align_corners=False
        )[:, :, :height, :width]
        enlarged = anomaly.squeeze(1).cpu().numpy()
        return np.asarray(gaussian_filter(enlarged, self.config.score.smooth_px, axes=(1, 2)))

    @property
    def tiles_at_once(self) -> int:
        """Tiles in a batch: one stays in a processor's cache, two do not."""
        return 32 if self.device.type == "cuda" else 1

    def _chunks(self, tiles: Image) -> Iterator[Image]:
        for i in range(0, len(tiles), self.tiles_at_once):
            yield tiles[i : i + self.tiles_at_once]


@dataclass(frozen=True, slots=True)
class TileFeatures:
    """What a detector has taken from a batch of tiles.

    Attributes:
        detector: that will judge them.
        vectors: (B, h, w, D) normalised features, on the detector's device.
        similarity: (B, K) float32 similarity to each fabric (eq. 2).
    """

    detector: Detector
    vectors: Tensor
    similarity: npt.NDArray[np.float32]

    def median_features(self, cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """(D,) median of the vectors where (B, h, w) says so; of all where it says so nowhere."""
        chosen = self.vectors[torch.from_numpy(cells).to(self.vectors.device)]
        chosen = chosen if len(chosen) else self.vectors.reshape(-1, self.vectors.shape[-1])
        return median_features(chosen).cpu().numpy()

    @torch.inference_mode()
    def score(self, fabric: int | None = None, web_median: npt.NDArray[np.float32] | None = None) -> CellScores:
        """Scores the tiles.

        Args:
            fabric: index of the fabric that the tiles are known to be; None lets each tile choose (eq. 2).
            web_median: (D,) median features of the web that the tiles are of. With it they are scored once more,
                shifted so that it falls on that of the fabric: as they are and shifted they tell different defects.

        Raises:
            ConfigError: there is no such fabric.
        """
        detector, n, count = self.detector, len(self.similarity), self.similarity.shape[1]
        if fabric is not None and not 0 <= fabric < count:
            raise ConfigError(
                "fabric-index-out-of-range",
                "there is no fabric {fabric}; the model has {count}, counted from 0",
                fabric=fabric,
                count=count,
            )
        chosen = self.similarity.argmax(axis=1) if fabric is None else np.full(n, fabric)
        known = torch.from_numpy(chosen).to(detector.device)
        kinds = []
        for i in range(0, n, detector.tiles_at_once):
            t, k = self.vectors[i : i + detector.tiles_at_once], known[i : i + detector.tiles_at_once]
            scores = [detector.score(t, k)]
            if web_median is not None:
                scores.append(detector.score(t + detector.shift(k, web_median)[:, None, None, :], k))
            kinds.append(torch.cat(scores).cpu())
        return CellScores(torch.cat(kinds, dim=1).numpy(), self.similarity, chosen.astype(np.int64))


_TOP_SHARE = 0.01


def pooled(maps: npt.NDArray[np.float32], pooling: str) -> npt.NDArray[np.float32]:
    """(B, H, W) maps -> (B,) scores of the pictures; see ``ScoreConfig.pooling``."""
    flat = maps.reshape(len(maps), -1)
    if pooling == "max":
        return np.asarray(flat.max(axis=1))
    if pooling == "mean":
        return np.asarray(flat.mean(axis=1))
    count = max(1, round(_TOP_SHARE * flat.shape[1]))
    return np.asarray(np.partition(flat, -count, axis=1)[:, -count:].mean(axis=1))


def _check_tiles(tiles: Image) -> None:
    if (
        tiles.dtype != np.uint8
        or tiles.ndim not in (3, 4)
        or (tiles.ndim == 4 and tiles.shape[3] != 3)
        or 0 in tiles.shape
    ):
        raise ConfigError(
            "tiles-of-wrong-shape",
            "tiles must be (B, H, W) or (B, H, W, 3) uint8: got ({shape}) {dtype}",
            shape=tiles.shape,
            dtype=tiles.dtype,
        )
