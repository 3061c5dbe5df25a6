"""Which tiles of a running web are worth collecting: evenly along it, across it, and in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.web.scored_band import ScoredBand
from cras_core.arrays import Image
from cras_core.web.edges import EdgeConfig
from cras_core.web.ignored import IgnoredLane

Floats = npt.NDArray[np.float32]

_SHORTEST_BAND_PX = 128  # of a web that ends; less shows too little


@dataclass(frozen=True, slots=True)
class CollectConfig:
    """How much is collected.

    Attributes:
        tile_px: side of a tile, pixels.
        beyond_px: how far the outermost tiles reach beyond the edge of the cloth, so that the edge is learnt too.
        per_band: most tiles that are taken of the same lines.
        bands: after so many bands the distance between two of them doubles: much of a short piece of cloth, and of a
            long one no more than is useful.
        longest_step_lines: the distance does not grow beyond this.
        most_tiles: collecting ends here.
    """

    tile_px: int = 512
    beyond_px: int = 64
    per_band: int = 6
    bands: int = 10
    longest_step_lines: int = 25_000
    most_tiles: int = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tile that may become a sample.

    Attributes:
        first_line, left_px: its top left corner, lines of the roll and columns of the image.
        image: (H, W) or (H, W, 3) uint8, at most a tile's side either way.
        peak: largest score of its inspected cells; NaN where nothing was inspected.
        cloth_left_px, cloth_right_px: columns of the tile between which the line inspects; None where the cloth runs
            on.
        middle_px: its middle, from the left edge of the cloth, pixels.
        cloth_px: width of the cloth, pixels.
        segment: number of the unbroken piece of web, from 1.
    """

    first_line: int
    left_px: int
    image: Image
    peak: float
    cloth_left_px: float | None
    cloth_right_px: float | None
    middle_px: float
    cloth_px: float
    segment: int


class TilePlan:
    """Takes the strips of a roll as they are inspected and gives out tiles. Pure: no disk, no detector, no threads."""

    def __init__(self, config: CollectConfig, edges: EdgeConfig, ignored: Sequence[IgnoredLane] = ()) -> None:
        """``ignored``: lanes that the line does not inspect, and that are not to be learnt either."""
        self._config = config
        self._edges = edges
        self._ignored = ignored
        self._strips: list[ScoredBand] = []
        self._bands = 0
        self._next_line = 0
        self._segment = 0

    def push(self, strips: Sequence[ScoredBand]) -> Iterator[Candidate]:
        """Takes inspected lines; gives out the tiles that have become whole."""
        for strip in strips:
            if strip.rows.first_line == 0 or (self._strips and strip.first_line != self._strips[-1].end_line):
                yield from self.finish()
                self._segment += 1
            self._strips.append(strip)
            while self._strips and self._strips[-1].end_line - self._begin >= self._config.tile_px:
                yield from self._band(self._config.tile_px)

    def finish(self) -> Iterator[Candidate]:
        """The web ends here, or is interrupted."""
        if self._strips:
            lines = self._strips[-1].end_line - self._begin
            if lines >= _SHORTEST_BAND_PX:
                yield from self._band(lines)
        self._strips = []

    @property
    def _begin(self) -> int:
        """First line of the next band."""
        return max(self._strips[0].first_line, self._next_line)

    def _band(self, lines: int) -> Iterator[Candidate]:
        first, end = self._begin, self._begin + lines
        shown = [s for s in self._strips if s.end_line > first and s.first_line < end]
        parts = [(s, max(0, first - s.first_line), min(len(s.rows.image), end - s.first_line)) for s in shown]
        image = np.concatenate([s.rows.image[a:b] for s, a, b in parts])
        cell = shown[0].rows.cell_px
        score = np.concatenate([s.rows.score[a // cell : -(-b // cell)] for s, a, b in parts])
        bounds = [s.rows.edges.lines(a, b).inspected(self._edges) for s, a, b in parts]
        left, right = max(float(b[0].max()) for b in bounds), min(float(b[1].min()) for b in bounds)
        outer_left = min(float(s.rows.edges.left[a:b].min()) for s, a, b in parts)
        outer_right = max(float(s.rows.edges.right[a:b].max()) for s, a, b in parts)
        if np.isfinite(score).any() and right - left >= _SHORTEST_BAND_PX:
            edges = [s.rows.edges.lines(a, b) for s, a, b in parts]
            left_out = [lane.bounds(e.left, e.right) for lane in self._ignored for e in edges]
            pieces = _pieces(left, right, [(float(begin.min()), float(end.max())) for begin, end in left_out])
            for x in self._columns(outer_left, outer_right, image.shape[1]):
                # What a recipe leaves out ends the cloth of a sample, as an edge does.
                widths = [min(end, x + self._config.tile_px) - max(begin, x) for begin, end in pieces]
                if max(widths) >= _SHORTEST_BAND_PX:
                    piece = pieces[int(np.argmax(widths))]
                    yield self._candidate(image, score, first, x, cell, piece, (outer_left, outer_right))
            self._bands += 1
        step = min(lines * 2 ** (self._bands // self._config.bands), self._config.longest_step_lines)
        self._next_line = first + max(step, lines)
        self._strips = [s for s in self._strips if s.end_line > self._next_line]

    def _columns(self, outer_left: float, outer_right: float, width: int) -> list[int]:
        """Where this band's tiles begin: evenly from edge to edge, other ones in every band."""
        side, beyond = self._config.tile_px, self._config.beyond_px
        first, end = max(0, int(outer_left) - beyond), min(width, int(outer_right) + beyond)
        if end - first <= side:
            return [first]
        n = -(-(end - first) // side)
        places = [first + round(i * (end - first - side) / (n - 1)) for i in range(n)]
        k = min(n, self._config.per_band)
        return sorted({places[(i * n // k + self._bands) % n] for i in range(k)})

    def _candidate(
        self,
        image: Image,
        score: Floats,
        first_line: int,
        x: int,
        cell: int,
        inspected: tuple[float, float],
        cloth: tuple[float, float],
    ) -> Candidate:
        tile = np.ascontiguousarray(image[:, x : x + self._config.tile_px])
        width = tile.shape[1]
        cells = score[:, x // cell : -(-(x + width) // cell)]
        left, right = inspected[0] - x, inspected[1] - x
        return Candidate(
            first_line=first_line,
            left_px=x,
            image=tile,
            peak=float(np.nanmax(cells)) if np.isfinite(cells).any() else float("nan"),
            cloth_left_px=left if left > 0 else None,
            cloth_right_px=right if right < width else None,
            middle_px=x + width / 2 - cloth[0],
            cloth_px=cloth[1] - cloth[0],
            segment=self._segment,
        )


def _pieces(left: float, right: float, lanes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of the cloth between two columns without the lanes, from left to right; at least one piece."""
    pieces = []
    for begin, end in sorted(lanes):
        pieces.append((left, begin))
        left = max(left, end)
    pieces.append((left, right))
    return pieces
