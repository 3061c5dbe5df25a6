"""From lines of a web to scored cells: edges, tiles, detector, stitching, the score relative to the web.

The detector is anything that scores tiles; this module knows neither torch nor metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cras_core.arrays import FloatArray, Image
from cras_core.web.bands import Band, BandCutter
from cras_core.web.baseline import RunningBaseline
from cras_core.web.blending import CellRows
from cras_core.web.calibration import calibrated_score
from cras_core.web.canvas import Canvas, WebConfig, as_gray, prepare
from cras_core.web.edges import ClothEdges, find_edges
from cras_core.web.places import END_CELLS, place_factors
from cras_core.web.protocols import CellScores, TileDetector
from cras_core.web.tiling import ceil_to


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
        distances: (K,) float32 how far the median features of this cloth lie from those of every fabric: root mean
            square over the features, in standard deviations of the cloth trained on; empty where nothing was inspected.
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
    distances: FloatArray
    tiles: int

    @property
    def distance(self) -> float:
        """That to the fabric that they were compared with; NaN where nothing was inspected."""
        return float(self.distances[self.fabric]) if len(self.distances) else float("nan")

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
    through ``baseline``.
    """

    def __init__(
        self,
        detector: TileDetector,
        config: WebConfig,
        baseline: RunningBaseline | None = None,
        fabric: int | None = None,
    ) -> None:
        self._detector = detector
        self._config = config
        self._cutter = BandCutter(config.tiling)
        self._rows = CellRows(config.tiling)
        self.baseline = baseline or RunningBaseline(config.baseline, config.tiling.cell_px)
        self.fabric = config.fabric if config.fabric is not None else fabric

    @property
    def line_shape(self) -> tuple[int, ...]:
        """(W,) of grey or (W, 3) of colour lines; empty before the first."""
        return self._cutter.line_shape

    def push(self, image: Image) -> list[ScoredRows]:
        """Takes (lines, W) grey or (lines, W, 3) RGB uint8 and returns what is finished."""
        return [rows for band in self._cutter.push(image) for rows in self._inspect(band)]

    def finish(self) -> list[ScoredRows]:
        """Ends the segment and returns the rest."""
        return [rows for band in self._cutter.finish() for rows in self._inspect(band)]

    def _inspect(self, band: Band) -> list[ScoredRows]:
        canvas = prepare(band, self._config)
        likeness = (
            self._score(band, canvas) if canvas is not None else _Likeness(float("nan"), np.zeros(0, np.float32), 0)
        )
        return self._finished(band, canvas, likeness)

    def _score(self, band: Band, canvas: Canvas) -> _Likeness:
        """Scores the tiles of a band, all against one fabric: a web does not change its cloth from one tile to the
        next.
        """
        features = self._detector.extract_features(canvas.tiles)
        fabric = self._match(features.similarity)
        here = features.median_features(canvas.scored_cells(self._config.tiling.cell_px))
        web_median = self.baseline.median_features(here, len(band.image))
        scores = features.score(fabric, web_median)
        self._rows.add(band, canvas, self._lowest_at_ends(band, canvas, scores, web_median))
        distances = np.sqrt(np.square(here - self._detector.medians).mean(axis=1)).astype(np.float32)  # (K,)
        similarity = float(scores.similarity[:, fabric].mean(dtype=np.float32))
        return _Likeness(similarity, distances, len(scores.similarity))

    def _lowest_at_ends(
        self, band: Band, canvas: Canvas, scores: CellScores, web_median: FloatArray | None
    ) -> CellScores:
        """The scores with the lower of two beside a beginning or an end of the segment: once more under another fill.
        What a fill invents does not survive another one, a defect does. Costs nothing in the middle of a web.
        """
        at_ends = canvas.cells_at_ends(self._config.tiling.cell_px, END_CELLS)  # (B, h, 1)
        if not at_ends.any():
            return scores
        refilled = prepare(band, self._config, _SECOND_STRIP_PX)
        assert refilled is not None  # whether there is cloth does not depend on the fill
        other = self._detector.extract_features(refilled.tiles).score(int(scores.fabric[0]), web_median)
        return replace(scores, kinds=np.where(at_ends, np.minimum(scores.kinds, other.kinds), scores.kinds))

    def _match(self, similarity: FloatArray) -> int:
        """The fabric of the web, by the (B, K) similarity of a band's tiles."""
        best = int(similarity.mean(axis=0).argmax())
        if self.fabric is None:
            self.fabric = best
        elif self._config.fabric is None and (similarity.argmax(axis=1) == best).mean() > _CHANGE_SHARE:
            if best != self.fabric:
                self.baseline.forget()
            self.fabric = best
        return self.fabric

    def _finished(self, band: Band, canvas: Canvas | None, likeness: _Likeness) -> list[ScoredRows]:
        cell = self._config.tiling.cell_px
        end_of_band = band.first_line + len(band.image)
        end = end_of_band if band.next_first_line is None else band.next_first_line + self._config.tiling.halo_px
        first = self._rows.next_row * cell
        if end <= first:
            return []
        kinds = self._rows.take(ceil_to(end, cell) // cell, ceil_to(band.image.shape[1], cell) // cell)
        image = band.image[first - band.first_line : end - band.first_line]
        edges = (canvas.edges if canvas is not None else find_edges(as_gray(band.image), self._config.edges)).lines(
            first - band.first_line, end - band.first_line
        )
        fabric = self.fabric if self.fabric is not None else 0
        calibration = self._detector.calibrations[fabric]
        limit = calibration.limit_of(is_relative=self._config.baseline.enabled)
        relative = self.baseline.relate(kinds, calibration.centre, calibration.spread, limit)
        rows_after = 0 if band.next_first_line is None else END_CELLS  # a running web goes on further than that
        places = place_factors(np.isfinite(relative.score), first // cell, rows_after)
        return [
            ScoredRows(
                first_line=first,
                image=image,
                cell_px=cell,
                score=calibrated_score(relative.score, kinds, calibration, limit, places),
                kinds=kinds,
                edges=edges,
                fabric=fabric,
                similarity=likeness.similarity,
                distances=likeness.distances,
                tiles=likeness.tiles,
            )
        ]


_SECOND_STRIP_PX = 12  # half of the first: it finds other cloth to carry on with
_CHANGE_SHARE = 0.8  # share of a band's tiles that must match another fabric before the web is taken for that fabric


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How a band compares with the fabrics: mean similarity to its own, distance from all; and its number of tiles."""

    similarity: float
    distances: FloatArray
    tiles: int
