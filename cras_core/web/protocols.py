"""What the web asks of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray, Image
from cras_core.web.calibration import FabricCalibration


@dataclass(frozen=True, slots=True)
class CellScores:
    """What a detector says of a batch of tiles.

    Attributes:
        kinds: (S, B, h, w) float32 raw anomaly scores of each cell, of S kinds; higher is stranger. Each is related to
            the web on its own.
        similarity: (B, K) float32 similarity to each of the K fabrics (CRAS eq. 2).
        fabric: (B,) int64 the fabric that each tile was compared with.
    """

    kinds: FloatArray
    similarity: FloatArray
    fabric: npt.NDArray[np.int64]

    @property
    def raw(self) -> FloatArray:
        """(B, h, w) the raw score of each cell, the mean over its kinds."""
        raw: FloatArray = self.kinds.mean(axis=0)
        return raw


class TileFeatures(Protocol):
    """What a detector has taken from a batch of tiles; each is scored on its own, whatever else is in the batch."""

    @property
    def similarity(self) -> FloatArray:
        """(B, K) similarity of each tile to each fabric."""

    def median_features(self, cells: npt.NDArray[np.bool_]) -> FloatArray:
        """(D,) float32 median features of the cells that (B, h, w) says."""

    def score(self, fabric: int | None = None, web_median: FloatArray | None = None) -> CellScores:
        """Scores the tiles.

        Args:
            fabric: what they are compared with; None lets each tile choose.
            web_median: (D,) median features of the web that they are of. With it the tiles are scored once more,
                shifted so that it falls on that of the fabric.
        """


class TileDetector(Protocol):
    """Scores tiles: ``extract_features``, which costs the time, then ``score``."""

    @property
    def calibrations(self) -> Sequence[FabricCalibration]:
        """One per fabric, in the order of ``CellScores.similarity``."""

    @property
    def medians(self) -> FloatArray:
        """(K, D) median of the features of good cloth of each fabric."""

    def extract_features(self, tiles: Image) -> TileFeatures:
        """Takes the features of (B, H, W) grey or (B, H, W, 3) RGB uint8 tiles."""
