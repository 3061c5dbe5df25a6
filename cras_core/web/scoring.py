"""From lines of a web to scored cells: edges, tiles, detector, stitching, the score relative to the web.

The detector is anything that scores tiles; this module knows neither torch nor metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.web.bands import Stretch, StretchCutter
from cras_core.web.baseline import ReferenceConfig, RunningReference
from cras_core.web.border import continue_cloth
from cras_core.web.calibration import FabricCalibration
from cras_core.web.edges import ClothEdges, EdgeConfig, find_edges
from cras_core.web.tiling import TilingConfig, Windows, ceil_to, cut, floor_to, plan_windows

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

NARROWEST_CLOTH_PX = 64
"""Cloth that is narrower, or a web that is shorter, cannot be inspected: the detector would see more border than
cloth.
"""


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
    """What a detector has taken from a batch of tiles; each is judged on its own, whatever else is in the batch."""

    @property
    def similarity(self) -> FloatArray:
        """(B, K) similarity of each tile to each fabric."""

    def middle(self, cells: npt.NDArray[np.bool_]) -> FloatArray:
        """(D,) float32 median features of the cells that (B, h, w) says."""

    def judge(self, fabric: int | None = None, middle: FloatArray | None = None) -> CellScores:
        """Scores the tiles.

        Args:
            fabric: what they are compared with; None lets each tile choose.
            middle: (D,) middle of the web that they are of. With it the tiles are scored once more, shifted so that it
                falls on that of the fabric.
        """


class TileDetector(Protocol):
    """Scores tiles: ``look``, which costs the time, then ``judge``."""

    @property
    def calibrations(self) -> Sequence[FabricCalibration]:
        """One per fabric, in the order of ``CellScores.similarity``."""

    @property
    def middles(self) -> FloatArray:
        """(K, D) middle of the features of good cloth of each fabric."""

    def look(self, tiles: Image) -> TileFeatures:
        """Takes the features of (B, H, W) grey or (B, H, W, 3) RGB uint8 tiles."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Everything that says how a web is looked at."""

    tiling: TilingConfig = field(default_factory=TilingConfig)
    edges: EdgeConfig = field(default_factory=EdgeConfig)
    reference: ReferenceConfig = field(default_factory=ReferenceConfig)
    fabric: int | None = None
    """Fabric that the web is known to be; None lets the cloth decide."""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Finished rows of cells, with the lines that they belong to.

    Attributes:
        first_line: first line, counted from the beginning of the segment.
        image: (lines, W) or (lines, W, 3) uint8.
        cell_px: side of a cell; the last row of a segment may reach beyond the last line.
        score: (rows, cols) float32, 1 is the calibrated limit of the fabric; NaN where nothing was inspected.
        kinds: (S, rows, cols) float32 raw scores, NaN likewise.
        edges: the cloth in these lines.
        fabric: index of the fabric that they were compared with.
        similarity: mean similarity to that fabric.
        similarities: (K,) float32 the same to every fabric; empty where nothing was inspected.
        level: how far the middle of this cloth's features lies from that of the enrolled cloth: root mean square over
            the features, in standard deviations of the cloth trained on.
        tiles: tiles that were scored for these rows.
    """

    first_line: int
    image: Image
    cell_px: int
    score: FloatArray
    kinds: FloatArray
    edges: ClothEdges
    fabric: int
    similarity: float
    similarities: FloatArray
    level: float
    tiles: int

    @property
    def raw(self) -> FloatArray:
        """(rows, cols) the raw score, the mean over its kinds."""
        raw: FloatArray = self.kinds.mean(axis=0)
        return raw

    @property
    def end_line(self) -> int:
        """Line after the last one."""
        return self.first_line + len(self.image)


class WebInspection:
    """Scores one segment, the unbroken piece of web between two gaps, while it runs.

    Attributes are those of the segment; the memory of the cloth seen lately may be handed on to the next segment
    through ``reference``.
    """

    def __init__(
        self,
        detector: TileDetector,
        config: WebConfig,
        reference: RunningReference | None = None,
        fabric: int | None = None,
    ) -> None:
        self._detector = detector
        self._config = config
        self._cutter = StretchCutter(config.tiling)
        self._rows = _CellRows(config.tiling)
        self.reference = reference or RunningReference(config.reference, config.tiling.cell_px)
        self.fabric = config.fabric if config.fabric is not None else fabric

    @property
    def line_shape(self) -> tuple[int, ...]:
        """(W,) of grey or (W, 3) of colour lines; empty before the first."""
        return self._cutter.line_shape

    def push(self, image: Image) -> list[ScoredRows]:
        """Takes (lines, W) grey or (lines, W, 3) RGB uint8 and returns what is finished."""
        return [rows for stretch in self._cutter.push(image) for rows in self._inspect(stretch)]

    def finish(self) -> list[ScoredRows]:
        """Ends the segment and returns the rest."""
        return [rows for stretch in self._cutter.finish() for rows in self._inspect(stretch)]

    def _inspect(self, stretch: Stretch) -> list[ScoredRows]:
        canvas = prepare(stretch, self._config)
        likeness = (
            self._score(stretch, canvas)
            if canvas is not None
            else _Likeness(float("nan"), np.zeros(0, np.float32), 0.0, 0)
        )
        return self._finished(stretch, canvas, likeness)

    def _score(self, stretch: Stretch, canvas: Canvas) -> _Likeness:
        """Scores the tiles of a stretch, all against one fabric: a web does not change its cloth from one tile to the
        next.
        """
        features = self._detector.look(canvas.tiles)
        fabric = self._match(features.similarity)
        here = features.middle(canvas.scored_cells(self._config.tiling.cell_px))
        scores = features.judge(fabric, self.reference.middle(here, len(stretch.image)))
        self._rows.add(stretch, canvas, scores)
        distance = float(np.sqrt(np.mean((here - self._detector.middles[fabric]) ** 2)))
        mean = scores.similarity.mean(axis=0, dtype=np.float32)
        return _Likeness(float(mean[fabric]), mean, distance, len(scores.similarity))

    def _match(self, similarity: FloatArray) -> int:
        """The fabric of the web, by the (B, K) similarity of a stretch's tiles."""
        best = int(similarity.mean(axis=0).argmax())
        if self.fabric is None:
            self.fabric = best
        elif self._config.fabric is None and (similarity.argmax(axis=1) == best).mean() > _CHANGE_SHARE:
            if best != self.fabric:
                self.reference.forget()
            self.fabric = best
        return self.fabric

    def _finished(self, stretch: Stretch, canvas: Canvas | None, likeness: _Likeness) -> list[ScoredRows]:
        cell = self._config.tiling.cell_px
        end_of_stretch = stretch.first_line + len(stretch.image)
        end = (
            end_of_stretch if stretch.next_first_line is None else stretch.next_first_line + self._config.tiling.halo_px
        )
        first = self._rows.next_row * cell
        if end <= first:
            return []
        kinds = self._rows.take(ceil_to(end, cell) // cell, ceil_to(stretch.image.shape[1], cell) // cell)
        image = stretch.image[first - stretch.first_line : end - stretch.first_line]
        edges = (canvas.edges if canvas is not None else find_edges(_gray(stretch.image), self._config.edges)).lines(
            first - stretch.first_line, end - stretch.first_line
        )
        fabric = self.fabric if self.fabric is not None else 0
        calibration = self._detector.calibrations[fabric]
        limit = calibration.limit if self._config.reference.enabled else calibration.absolute_limit
        relative = self.reference.relate(kinds, calibration.centre, calibration.spread, limit)
        return [
            ScoredRows(
                first_line=first,
                image=image,
                cell_px=cell,
                score=relative.score / np.float32(limit),
                kinds=kinds,
                edges=edges,
                fabric=fabric,
                similarity=likeness.similarity,
                similarities=likeness.similarities,
                level=likeness.distance,
                tiles=likeness.tiles,
            )
        ]


_CHANGE_SHARE = 0.8  # share of a stretch's tiles that must match another fabric before the web is taken for that fabric


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How a stretch compares with its fabric: mean similarity to it and to all, and distance of the middles; and its
    number of tiles.
    """

    similarity: float
    similarities: FloatArray
    distance: float
    tiles: int


@dataclass(frozen=True, slots=True)
class Canvas:
    """A stretch made ready for the detector.

    Attributes:
        tiles: (B, H, W[, 3]) uint8, nothing but cloth.
        rows, cols: the windows that the tiles were cut with.
        first_col: column of the image that the windows begin at, pixels; may be negative.
        edges: the cloth in the lines of the stretch.
        left, right: (lines,) what is inspected, pixels.
        above: lines of the windows before the first line.
    """

    tiles: Image
    rows: Windows
    cols: Windows
    first_col: int
    edges: ClothEdges
    left: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    above: int

    def cloth_cells(self, cell_px: int) -> npt.NDArray[np.bool_]:
        """Which cells under the windows are cloth to be scored -> (rows.end, cols.end) / cell_px, bool. What was
        carried on beyond the cloth is not.
        """
        line = (np.arange(self.rows.end // cell_px) + 0.5) * cell_px - self.above
        exists = (line > 0) & (line - cell_px / 2 < len(self.left))
        nearest_line = np.clip(line, 0, len(self.left) - 1).astype(int)
        column = self.first_col + (np.arange(self.cols.end // cell_px) + 0.5) * cell_px
        inside = (column[None, :] > self.left[nearest_line][:, None]) & (
            column[None, :] - cell_px / 2 < self.right[nearest_line][:, None]
        )
        return np.asarray(inside & exists[:, None])

    def scored_cells(self, cell_px: int) -> npt.NDArray[np.bool_]:
        """The same for every tile, without the halos -> (B, h, w) bool."""
        rows, cols = self.rows.divided(cell_px), self.cols.divided(cell_px)
        cloth = self.cloth_cells(cell_px)
        inner = (rows.weight()[:, None] > 0) & (cols.weight()[None, :] > 0)
        return np.stack([cloth[r : r + rows.size, c : c + cols.size] & inner for r in rows.starts for c in cols.starts])


def prepare(stretch: Stretch, config: WebConfig) -> Canvas | None:
    """Finds the cloth of a stretch and cuts it into tiles; None where there is too little cloth to inspect."""
    lines = len(stretch.image)
    edges = find_edges(_gray(stretch.image), config.edges)
    left, right = edges.inspected(config.edges)
    if lines < NARROWEST_CLOTH_PX or float((right - left).min()) < NARROWEST_CLOTH_PX:
        return None
    halo, cell = config.tiling.halo_px, config.tiling.cell_px
    first_col = floor_to(int(left.min()), cell) - halo
    end_col = ceil_to(int(np.ceil(right.max())), cell) + halo
    canvas = continue_cloth(stretch.image, left, right, first_col, end_col, stretch.above, stretch.below)
    rows = plan_windows(len(canvas), config.tiling)
    cols = plan_windows(canvas.shape[1], config.tiling)
    return Canvas(
        np.asarray(cut(canvas, rows, cols), dtype=np.uint8), rows, cols, first_col, edges, left, right, stretch.above
    )


def _gray(image: Image) -> Image:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8) if image.ndim == 3 else image


class _CellRows:
    """Overlapping rows of tiles, blended into rows of cells of the web."""

    def __init__(self, tiling: TilingConfig) -> None:
        self._cell = tiling.cell_px
        self._value = np.zeros((1, 0, 0), np.float32)
        self._weight = np.zeros((0, 0), np.float32)
        self.next_row = 0

    def add(self, stretch: Stretch, canvas: Canvas, scores: CellScores) -> None:
        rows, cols = canvas.rows.divided(self._cell), canvas.cols.divided(self._cell)
        cloth = canvas.cloth_cells(self._cell)
        first_row, first_col = stretch.window_first_line // self._cell, canvas.first_col // self._cell
        self._reserve(
            first_row + rows.end, ceil_to(stretch.image.shape[1], self._cell) // self._cell, len(scores.kinds)
        )
        places = [(r, c) for r in rows.starts for c in cols.starts]
        window = rows.weight()[:, None] * cols.weight()[None, :]
        for i, (r, c) in enumerate(places):
            top, left = first_row + r - self.next_row, first_col + c
            y0, y1 = max(0, -top), min(rows.size, self._value.shape[1] - top)
            x0, x1 = max(0, -left), min(cols.size, self._value.shape[2] - left)
            if y0 >= y1 or x0 >= x1:
                continue
            weight = window[y0:y1, x0:x1] * cloth[r + y0 : r + y1, c + x0 : c + x1]
            self._value[:, top + y0 : top + y1, left + x0 : left + x1] += scores.kinds[:, i, y0:y1, x0:x1] * weight
            self._weight[top + y0 : top + y1, left + x0 : left + x1] += weight

    def take(self, end_row: int, cols: int) -> FloatArray:
        """Rows up to ``end_row`` -> (S, rows, cols) float32, NaN where nothing was scored."""
        self._reserve(end_row, cols, len(self._value))
        n = end_row - self.next_row
        with np.errstate(invalid="ignore", divide="ignore"):
            kinds = np.asarray(self._value[:, :n] / self._weight[:n], dtype=np.float32)
        self._value, self._weight = self._value[:, n:], self._weight[n:]
        self.next_row = end_row
        return kinds

    def _reserve(self, end_row: int, cols: int, kinds: int) -> None:
        if self._weight.shape[1] != cols:
            self._weight = np.zeros((0, cols), np.float32)
        if self._value.shape != (kinds, *self._weight.shape):
            # Rows without cloth may have come first; they hold nothing yet, of whatever kind.
            self._value = np.zeros((kinds, *self._weight.shape), np.float32)
        missing = end_row - self.next_row - len(self._weight)
        if missing > 0:
            self._value = np.concatenate([self._value, np.zeros((kinds, missing, cols), np.float32)], axis=1)
            self._weight = np.concatenate([self._weight, np.zeros((missing, cols), np.float32)])
