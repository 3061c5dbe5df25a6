"""The web of the last metres: what thumbnails and tiles for data sets are cut from."""

from __future__ import annotations

from collections import deque

import numpy as np

from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.tiles import TilePlace
from cras_core.arrays import FloatArray, Image
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.threshold import reaches

_KEPT_LINES = 2048  # four tiles; what a long defect has of older lines is not cut out any more
_THUMBNAIL_PX = 96  # two centimetres at 0.2 mm


class RecentWeb:
    """Inspected lines of one segment that are still in memory."""

    def __init__(self, width_px: int, tile_px: int) -> None:
        self._width_px = width_px
        self.tile_px = tile_px
        """Side of a tile."""
        self._bands: deque[ScoredBand] = deque()

    def add(self, band: ScoredBand) -> None:
        """Appends lines and forgets the oldest."""
        self._bands.append(band)
        while self._bands[0].end_line < band.end_line - _KEPT_LINES:
            self._bands.popleft()

    @property
    def first_line(self) -> int:
        """The oldest line in memory."""
        return self._bands[0].first_line

    @property
    def newest(self) -> ScoredBand:
        """The band that was added last."""
        return self._bands[-1]

    def band_at(self, line: int) -> ScoredBand:
        """The band that shows a line of the roll, or the newest when it is no longer in memory."""
        return next((s for s in self._bands if s.first_line <= line < s.end_line), self.newest)

    def last_lines(self, lines: int) -> Image:
        """The newest (at most ``lines``, W[, 3]) uint8."""
        return np.concatenate([s.rows.image for s in self._bands])[-lines:]  # (lines, W[, 3])

    def last_scored(self, lines: int) -> tuple[Image, FloatArray]:
        """The newest lines, at most so many but for what fills a cell.

        Returns:
            (lines, W[, 3]) uint8, and the (rows, cols) float32 score of their cells; NaN where nothing was inspected.
        """
        shown: list[ScoredBand] = []
        for band in reversed(self._bands):
            shown.insert(0, band)
            if shown[-1].end_line - band.first_line >= lines:
                break
        image = np.concatenate([s.rows.image for s in shown])  # (lines, W[, 3])
        score = np.concatenate([s.rows.score for s in shown])  # (rows, cols)
        cell_px = shown[0].rows.cell_px
        left_out = max(0, len(image) - lines) // cell_px  # rows of cells, from the top
        return image[left_out * cell_px :], score[left_out:]

    def thumbnail(self, line: int, x_px: int) -> Image:
        """The surroundings of a place, at most (96, 96[, 3]) uint8."""
        side = _THUMBNAIL_PX
        first = max(self.first_line, min(line - side // 2, self.newest.end_line - side))
        shown, a, b = self._shown(first, first + side)
        image = np.concatenate([s.rows.image[max(0, a - s.first_line) : b - s.first_line] for s in shown])
        left = int(np.clip(x_px - side // 2, 0, max(0, image.shape[1] - side)))
        return np.ascontiguousarray(image[:, left : left + side])

    def _shown(self, first_line: int, end_line: int) -> tuple[list[ScoredBand], int, int]:
        """Bands that show these lines, and the lines that there are of them."""
        shown = [s for s in self._bands if s.end_line > first_line and s.first_line < end_line]
        return (shown, max(first_line, shown[0].first_line), min(end_line, shown[-1].end_line)) if shown else ([], 0, 0)

    def cut_tile(self, line: int, x_px: int, threshold: float) -> tuple[Image, Image, TilePlace] | None:
        """A square tile around a place, its mask, and where it lies; mirrored where the web is smaller than the tile.

        Args:
            line, x_px: middle of the tile, line of the roll and column of the image.
            threshold: score from which the mask is set.

        Returns:
            (side, side[, 3]) uint8, (side, side) uint8 of 0 and 255, and the place. None where too little is in memory.
        """
        side = self.tile_px
        first = max(self.first_line, min(line - side // 2, self.newest.end_line - side))
        shown, a, b = self._shown(first, first + side)
        if not shown or b - a < NARROWEST_CLOTH_PX:
            return None
        cell = shown[0].rows.cell_px
        left = int(np.clip(x_px - side // 2, 0, max(0, self._width_px - side)))
        images, masks, inspected = [], [], []
        for band in shown:
            inspected.append(np.isfinite(band.rows.score).any(axis=0))  # (cols,)
            part = slice(max(0, a - band.first_line), b - band.first_line)
            over = reaches(band.rows.score, threshold).astype(np.uint8) * 255  # (rows, cols)
            mask = np.repeat(np.repeat(over, cell, axis=0), cell, axis=1)  # (lines, W)
            images.append(band.rows.image[part, left : left + side])
            masks.append(mask[part, left : left + side])
        image = np.concatenate(images)
        mask = np.concatenate(masks)[: image.shape[0], : image.shape[1]]
        columns = np.flatnonzero(np.logical_and.reduce(inspected)) * cell - left
        bounds = (float(columns[0]), float(columns[-1] + cell)) if len(columns) else (0.0, 0.0)
        place = TilePlace(a, left, image.shape[0], image.shape[1], *bounds)
        return _filled_up(image, side), _filled_up(mask, side), place


def _filled_up(image: Image, side: int) -> Image:
    """(h, w[, 3]) -> (side, side[, 3]), mirrored at its lower and right border."""
    missing = [(0, side - image.shape[0]), (0, side - image.shape[1]), *[(0, 0)] * (image.ndim - 2)]
    return np.pad(image, missing, mode="symmetric")
