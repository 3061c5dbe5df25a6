"""Scores of cells into regions, while the web is still running.

A region is what becomes a defect: cells that hang together and reach a threshold somewhere. They hang together at a
lower level than that (hysteresis, as in Canny's edge detector, 1986), so that a long defect stays one where its score
dips, and the same cells are one region whatever the threshold is: a higher one only leaves regions out. A region may
cross any number of bands; it is closed when the web has moved on by more than the distance over which cells are joined.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from cras_core.arrays import FloatArray, IntArray
from cras_core.validated import Number, Whole, validated
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches


@validated("regions")
class RegionConfig:
    """How cells become regions.

    Attributes:
        threshold: score that a region reaches somewhere; 1 is the calibrated threshold of the fabric.
        reach_cells: cells are joined when at most twice this number of cells lies between them.
        core: a region ends where the score falls below this share of the peak next to it, so that a strong defect is
            not measured with its glow.
        most_cells: a region with more cells is closed and counted from anew, which bounds the memory.
        is_relative: scores are relative to the web, so that good cloth lies near 0 whatever the threshold. Where they
            are not, a roll as a whole may lie above the calibrated threshold, and cells are joined not far below the
            threshold in use.
    """

    threshold: Annotated[Number, Field(gt=0)] = CALIBRATED_THRESHOLD
    reach_cells: Annotated[Whole, Field(ge=0)] = 1
    core: Annotated[Number, Field(ge=0, lt=1)] = 0.4
    most_cells: Annotated[Whole, Field(ge=1)] = 2_000_000
    is_relative: bool = True

    @property
    def joining_level(self) -> float:
        """Smallest score of a cell that may belong to a region."""
        level = min(self.threshold, _JOINING_LEVEL)
        return level if self.is_relative else max(level, _JOINING_SHARE * self.threshold)


@dataclass(frozen=True, slots=True)
class Region:
    """Cells that hang together.

    Attributes:
        number: stays the same while an open region grows.
        first_row: first row of cells, counted from the beginning of the segment.
        extents: (rows, 2) int32, first and end column of the region in each of its rows from ``first_row`` on; (0, 0)
            in a row that it skips.
        peak, mean: score, in units of the calibrated limit.
        raw_peak: raw score at the peak.
        peak_row, peak_col: cell of the peak.
        area_cells: number of cells.
        is_open: whether it may still grow.
        absorbed: numbers of the regions that it has grown together with.
    """

    number: int
    first_row: int
    extents: IntArray
    peak: float
    mean: float
    raw_peak: float
    peak_row: int
    peak_col: int
    area_cells: int
    is_open: bool
    absorbed: tuple[int, ...] = ()

    @property
    def end_row(self) -> int:
        """Row after the last one."""
        return self.first_row + len(self.extents)

    @property
    def first_col(self) -> int:
        """First column of the whole region."""
        return int(self.extents[self.extents[:, 1] > 0, 0].min())

    @property
    def end_col(self) -> int:
        """Column after the last one of the whole region."""
        return int(self.extents[:, 1].max())


@dataclass(slots=True)
class _Growing:
    """Cells of a region that is still open; each list holds one array per band."""

    number: int
    first_row: int
    rows: list[IntArray] = field(default_factory=list)
    cols: list[IntArray] = field(default_factory=list)
    scores: list[FloatArray] = field(default_factory=list)
    raws: list[FloatArray] = field(default_factory=list)
    last_row: int = -1
    cells: int = 0
    absorbed: list[int] = field(default_factory=list)

    @property
    def peak(self) -> float:
        return max(float(s.max()) for s in self.scores)

    def absorb(self, other: _Growing) -> None:
        self.rows += other.rows
        self.cols += other.cols
        self.scores += other.scores
        self.raws += other.raws
        self.first_row = min(self.first_row, other.first_row)
        self.last_row = max(self.last_row, other.last_row)
        self.cells += other.cells
        self.absorbed += [other.number, *other.absorbed]


class RegionTracker:
    """Finds the regions of one segment in rows of cells that arrive in order."""

    def __init__(self, config: RegionConfig) -> None:
        self._config = config
        self._growing: dict[int, _Growing] = {}
        self._context: IntArray | None = None  # numbers of the regions in the last rows seen, 0 for none
        self._next_row = 0
        self._next_number = 1

    @property
    def threshold(self) -> float:
        """Score from which cells count; may be changed while the web runs."""
        return self._config.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._config = replace(self._config, threshold=value)

    def push(self, score: FloatArray, raw: FloatArray) -> list[Region]:
        """Takes (rows, cols) scores and raw scores and returns the regions that are closed now."""
        context_rows = 2 * self._config.reach_cells + 1
        context = self._context if self._context is not None else np.zeros((context_rows, score.shape[1]), np.int32)
        new = reaches(score, self._config.joining_level)
        numbers: IntArray = np.vstack([context, np.zeros(score.shape, np.int32)])
        if new.any():
            mask = np.vstack([context > 0, new])
            _, found = cv2.connectedComponents(_dilated(mask, self._config.reach_cells), connectivity=8)
            labels = found.astype(np.int32)
            owner = self._owners(labels[:context_rows], context)
            self._grow(np.where(new, labels[context_rows:], 0), owner, score, raw)
            lookup = np.zeros(int(labels.max()) + 1, np.int32)
            for label, number in owner.items():
                lookup[label] = number
            numbers = np.where(mask > 0, lookup[labels], 0).astype(np.int32)
        self._next_row += len(score)
        self._context = numbers[-context_rows:]
        closed = [
            g
            for g in self._growing.values()
            if g.last_row < self._next_row - context_rows or g.cells > self._config.most_cells
        ]
        return self._close(closed)

    def finish(self) -> list[Region]:
        """The web ends here: all regions that are left."""
        return self._close(list(self._growing.values()))

    @property
    def oldest_open_row(self) -> int | None:
        """First row of cells that may still become part of a region, also where nothing reaches the threshold yet;
        None where all are closed.
        """
        return min((g.first_row for g in self._growing.values()), default=None)

    def open_regions(self, at_least_rows: int) -> list[Region]:
        """Regions that still grow, reach the threshold and are at least this long, as they are now."""
        long = [g for g in self._growing.values() if g.last_row - int(g.rows[0][0]) >= at_least_rows]
        found = []
        for growing in long:
            if reaches(growing.peak, self._config.threshold):
                strongest = _split_weak(growing, self._config)[0]
                strongest.absorbed = growing.absorbed
                found.append(_measure(strongest, self._config, is_open=True))
        return found

    def _owners(self, context_labels: IntArray, context: IntArray) -> dict[int, int]:
        """Label -> number of the region that it continues; regions that a label brings together become one."""
        known = context > 0
        touching = sorted({(int(a), int(b)) for a, b in zip(context_labels[known], context[known], strict=True)})
        became: dict[int, int] = {}
        owner: dict[int, int] = {}
        for label, seen in touching:
            number = seen
            while number in became:
                number = became[number]
            if number not in self._growing:  # closed early because it had grown too large
                continue
            first = owner.setdefault(label, number)
            if first != number:
                keep, drop = min(first, number), max(first, number)
                self._growing[keep].absorb(self._growing.pop(drop))
                became[drop] = keep
                owner = {k: keep if v == drop else v for k, v in owner.items()}
        return owner

    def _grow(self, labels: IntArray, owner: dict[int, int], score: FloatArray, raw: FloatArray) -> None:
        found = np.argwhere(labels).astype(np.int32)
        found = found[np.argsort(labels[found[:, 0], found[:, 1]], kind="stable")]
        rows, cols = found[:, 0], found[:, 1]
        present, starts = np.unique(labels[rows, cols], return_index=True)
        for label, a, b in zip(present.tolist(), starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            if label not in owner:
                owner[label] = self._next_number
                first_row = int(rows[a]) + self._next_row  # rows of a label are in order
                self._growing[self._next_number] = _Growing(self._next_number, first_row)
                self._next_number += 1
            growing = self._growing[owner[label]]
            growing.rows.append(np.asarray(rows[a:b] + self._next_row, dtype=np.int32))
            growing.cols.append(cols[a:b])
            growing.scores.append(score[rows[a:b], cols[a:b]])
            growing.raws.append(raw[rows[a:b], cols[a:b]])
            growing.last_row = max(growing.last_row, int(rows[a:b].max()) + self._next_row)
            growing.cells += b - a

    def _close(self, closed: list[_Growing]) -> list[Region]:
        regions: list[Region] = []
        for growing in closed:
            del self._growing[growing.number]
            parts = [p for p in _split_weak(growing, self._config) if reaches(p.peak, self._config.threshold)]
            for k, part in enumerate(parts):
                if k == 0:  # the strongest is what was told while it ran
                    part.absorbed = growing.absorbed
                else:
                    part.number = self._next_number
                    self._next_number += 1
                regions.append(_measure(part, self._config, is_open=False))
        return regions


def regions_in(score: FloatArray, raw: FloatArray, config: RegionConfig) -> list[Region]:
    """All regions of (rows, cols) scores, as if the web began and ended here."""
    tracker = RegionTracker(config)
    return tracker.push(score, raw) + tracker.finish()


def _measure(growing: _Growing, config: RegionConfig, is_open: bool) -> Region:
    rows, cols = np.concatenate(growing.rows), np.concatenate(growing.cols)
    scores, raws = np.concatenate(growing.scores), np.concatenate(growing.raws)
    core = _core(rows, cols, scores, config)
    rows, cols, scores, raws = rows[core], cols[core], scores[core], raws[core]
    first_row, top = int(rows.min()), int(scores.argmax())
    n_rows = int(rows.max()) + 1 - first_row
    extents = np.zeros((n_rows, 2), np.int32)
    extents[:, 0] = np.iinfo(np.int32).max
    np.minimum.at(extents[:, 0], rows - first_row, cols)
    np.maximum.at(extents[:, 1], rows - first_row, cols + 1)
    extents[extents[:, 1] == 0] = 0
    return Region(
        number=growing.number,
        first_row=first_row,
        extents=extents,
        peak=float(scores[top]),
        mean=float(scores.mean()),
        raw_peak=float(raws[top]),
        peak_row=int(rows[top]),
        peak_col=int(cols[top]),
        area_cells=len(rows),
        is_open=is_open,
        absorbed=tuple(growing.absorbed),
    )


def _core(rows: IntArray, cols: IntArray, scores: FloatArray, config: RegionConfig) -> npt.NDArray[np.bool_]:
    """Which cells remain when the glow around strong places is taken off -> (n,) bool, at least one true."""
    if config.core == 0.0:
        return np.ones(len(rows), np.bool_)
    dense, r, c = _dense(rows, cols, scores, fill=0.0)
    nearby_peak = cv2.dilate(dense, np.ones((9, 9), np.uint8))
    return np.asarray(scores >= config.core * nearby_peak[r, c])


def _dense(rows: IntArray, cols: IntArray, scores: FloatArray, fill: float) -> tuple[FloatArray, IntArray, IntArray]:
    """Cells as an image of their bounding box, and their coordinates in it."""
    r, c = rows - rows.min(), cols - cols.min()
    dense = np.full((int(r.max()) + 1, int(c.max()) + 1), fill, np.float32)
    dense[r, c] = scores
    return dense, r, c


def _split_weak(growing: _Growing, config: RegionConfig) -> list[_Growing]:
    """Takes apart what only a level below the calibrated threshold has run together, the strongest part first.

    At a low level the noise of good cloth touches and whole webs become one region. Cells are therefore joined at a
    level that rises with their peak up to the calibrated threshold, 1; above that nothing is ever split.
    """
    rows, cols = np.concatenate(growing.rows), np.concatenate(growing.cols)
    scores, raws = np.concatenate(growing.scores), np.concatenate(growing.raws)
    dense, r, c = _dense(rows, cols, scores, fill=-1.0)
    piece = np.zeros(dense.shape, np.int32)
    _number_pieces(dense, config.joining_level, config.reach_cells, piece, [0])
    owner = piece[r, c]
    parts = []
    for k in range(1, int(owner.max()) + 1):
        cells = np.flatnonzero(owner == k)
        part = _Growing(
            growing.number,
            int(rows[cells].min()),
            [rows[cells]],
            [cols[cells]],
            [scores[cells]],
            [raws[cells]],
            int(rows[cells].max()),
            len(cells),
        )
        parts.append(part)
    return sorted(parts, key=lambda p: -p.peak)


def _dilated(mask: npt.NDArray[np.bool_], reach_cells: int) -> npt.NDArray[np.uint8]:
    """The cells and those within reach of one; cells hang together that meet in it."""
    side = 2 * reach_cells + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)), np.uint8)


_JOINING_LEVEL = 0.5
"""Good cloth hardly reaches it (its largest scores are about 1 in a square metre), so that what hangs together there is
one thing. On good strips with a woven-in weft band it made 5 regions of 17, on strips with defects 151 of 159."""

_JOINING_SHARE = 0.75  # of the threshold, where scores are not relative to the web


def _number_pieces(dense: FloatArray, level: float, reach_cells: int, piece: IntArray, count: list[int]) -> None:
    """Writes the numbers of the pieces of ``dense`` into ``piece``, a view of the same shape; raises the level inside
    each until it suits its peak.
    """
    mask = reaches(dense, level)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_dilated(mask, reach_cells), connectivity=8)
    for k, (x, y, w, h, _) in enumerate(stats[1:].tolist(), start=1):
        mine = (labels[y : y + h, x : x + w] == k) & mask[y : y + h, x : x + w]
        values = np.where(mine, dense[y : y + h, x : x + w], np.float32(-1.0))
        higher = 1.4 * level
        if higher <= min(CALIBRATED_THRESHOLD, 0.5 * float(values.max())):
            _number_pieces(values, higher, reach_cells, piece[y : y + h, x : x + w], count)
        else:
            count[0] += 1
            piece[y : y + h, x : x + w][mine] = count[0]


Shape = Literal["block", "point", "line"]


POINT_MM = 6.0
"""A defect no longer than this either way is a point."""


LINE_ASPECT = 4.0
"""A defect this many times longer than wide is a line."""


def shape_of(length_mm: float, width_mm: float) -> Shape:
    """The trade's three shapes, by extent along and across the web."""
    longer, shorter = max(length_mm, width_mm), max(min(length_mm, width_mm), 1e-9)
    if longer <= POINT_MM:
        return "point"
    return "line" if longer / shorter >= LINE_ASPECT else "block"
