"""The web of the last metres: what thumbnails and tiles for data sets are cut from."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import cv2
import numpy as np

from aoi_app.inspection.defects import Defect
from aoi_app.inspection.tiles import TilePlace, TileSample
from cras_core.arrays import Image
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.scoring import ScoredRows
from cras_core.web.threshold import reaches

_KEPT_LINES = 2048
_THUMBNAIL_PX = 96
_SURELY_GOOD = 0.7  # share of the threshold that a tile which is offered as good does not reach


@dataclass(frozen=True, slots=True)
class Strip:
    """Inspected lines of the roll, for views and map files.

    Attributes:
        first_line: line of the roll.
        rows: the lines with their scores.
        fabric: name of the fabric, None when it is not known.
    """

    first_line: int
    rows: ScoredRows
    fabric: str | None

    @property
    def end_line(self) -> int:
        """Line after the last one."""
        return self.first_line + len(self.rows.image)


class RecentWeb:
    """Inspected lines of one segment that are still in memory."""

    def __init__(self, width_px: int, tile_px: int) -> None:
        self._width_px = width_px
        self._side = tile_px
        self._strips: deque[Strip] = deque()
        self._next_good_line = 0

    def add(self, strip: Strip) -> None:
        """Appends lines and forgets the oldest."""
        self._strips.append(strip)
        while self._strips[0].end_line < strip.end_line - _KEPT_LINES:
            self._strips.popleft()

    @property
    def first_line(self) -> int:
        """The oldest line in memory."""
        return self._strips[0].first_line

    def strip_at(self, line: int) -> Strip:
        """The strip that shows a line of the roll, or the newest when it is no longer in memory."""
        return next((s for s in self._strips if s.first_line <= line < s.end_line), self._strips[-1])

    def last_lines(self, lines: int) -> Image:
        """The newest (at most ``lines``, W[, 3]) uint8."""
        return np.concatenate([s.rows.image for s in self._strips])[-lines:]

    def thumbnail(self, line: int, x_px: int) -> Image:
        """The surroundings of a place, at most (96, 96[, 3]) uint8."""
        side = _THUMBNAIL_PX
        first = max(self.first_line, min(line - side // 2, self._strips[-1].end_line - side))
        shown, a, b = self._shown(first, first + side)
        image = np.concatenate([s.rows.image[max(0, a - s.first_line) : b - s.first_line] for s in shown])
        left = int(np.clip(x_px - side // 2, 0, max(0, image.shape[1] - side)))
        return np.ascontiguousarray(image[:, left : left + side])

    def defect_tiles(self, defect: Defect, threshold: float) -> tuple[TileSample, ...]:
        """Tiles along a defect, as far as it is still in memory."""
        x = (defect.left_px + defect.right_px) // 2
        first, end = max(defect.first_line, self.first_line), max(defect.end_line, self.first_line + 1)
        samples = []
        for k, line in enumerate(range(first, end, self._side)):
            cut = self._tile((line + min(line + self._side, end)) // 2, x, threshold)
            if cut is not None:
                image, mask, place = cut
                dx, dy = place.left_px, place.first_line
                box = defect.left_px - dx, defect.first_line - dy, defect.right_px - dx, defect.end_line - dy
                name = f"defect-{defect.number:05d}-{k:02d}"
                samples.append(TileSample(name, defect.fabric, image, mask, replace(place, box=box), defect.number))
        return tuple(samples)

    def good_tile(self, every_lines: int, threshold: float) -> tuple[TileSample, ...]:
        """A tile of the newest lines, now here and now there across the web, if there is nothing suspicious in it and
        the last one is long ago.
        """
        strip = self._strips[-1]
        left, right = float(strip.rows.edges.inner_left.max()), float(strip.rows.edges.inner_right.min())
        if strip.fabric is None or strip.first_line < self._next_good_line or right - left < self._side:
            return ()
        x = int(left + (0.5 + 0.5 * np.sin(strip.first_line)) * (right - left - self._side)) + self._side // 2
        cut = self._tile(strip.first_line + len(strip.rows.image) // 2, x, _SURELY_GOOD * threshold)
        if cut is None or cut[1].any():
            return ()
        self._next_good_line = strip.end_line + every_lines
        return (TileSample(f"good-{strip.first_line:09d}", strip.fabric, cut[0], None, cut[2]),)

    def _shown(self, first_line: int, end_line: int) -> tuple[list[Strip], int, int]:
        """Strips that show these lines, and the lines that there are of them."""
        shown = [s for s in self._strips if s.end_line > first_line and s.first_line < end_line]
        return (shown, max(first_line, shown[0].first_line), min(end_line, shown[-1].end_line)) if shown else ([], 0, 0)

    def _tile(self, line: int, x: int, threshold: float) -> tuple[Image, Image, TilePlace] | None:
        """A square tile around a place, its mask, and where it lies; mirrored where the web is smaller than the tile.
        None where too little is in memory.
        """
        side = self._side
        first = max(self.first_line, min(line - side // 2, self._strips[-1].end_line - side))
        shown, a, b = self._shown(first, first + side)
        if not shown or b - a < NARROWEST_CLOTH_PX:
            return None
        cell = shown[0].rows.cell_px
        left = int(np.clip(x - side // 2, 0, max(0, self._width_px - side)))
        images, masks, inspected = [], [], []
        for s in shown:
            inspected.append(np.isfinite(s.rows.score).any(axis=0))
            part = slice(max(0, a - s.first_line), b - s.first_line)
            over = reaches(s.rows.score, threshold).astype(np.uint8) * 255
            mask = cv2.resize(over, None, fx=cell, fy=cell, interpolation=cv2.INTER_NEAREST)
            images.append(s.rows.image[part, left : left + side])
            masks.append(mask[part, left : left + side])
        image = np.concatenate(images)
        mask = np.concatenate(masks)[:, : image.shape[1]]
        missing = [(0, side - image.shape[0]), (0, side - image.shape[1])]
        padded = np.pad(image, [*missing, *[(0, 0)] * (image.ndim - 2)], mode="symmetric")
        columns = np.flatnonzero(np.logical_and.reduce(inspected)) * cell - left
        bounds = (float(columns[0]), float(columns[-1] + cell)) if len(columns) else (0.0, 0.0)
        place = TilePlace(a, left, image.shape[0], image.shape[1], *bounds)
        return padded, np.pad(mask[: image.shape[0]], missing, mode="symmetric"), place
