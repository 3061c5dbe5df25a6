"""Tiles of a running web for a data set: good ones now and then, and those along a defect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.web.recent_web import RecentWeb
from aoi_app.inspection.web.tiles import TileSample
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

_GOOD_TILE_EVERY_MM = 2000.0
_SURELY_GOOD = 0.7  # share of the threshold that a tile which is offered as good does not reach


class SampleTiles:
    """Cuts tiles out of one segment while it is in memory."""

    def __init__(self, recent: RecentWeb, mm_per_line: float) -> None:
        """
        Args:
            recent: the last lines of the segment.
            mm_per_line: along the web.
        """
        self._recent = recent
        self._good_every_lines = max(recent.tile_px, round(_GOOD_TILE_EVERY_MM / mm_per_line))
        self._next_good_line = 0

    def of_defect(self, defect: Defect, threshold: float) -> tuple[TileSample, ...]:
        """Tiles along a defect that is closed, as far as it is still in memory.

        None of one that only a low operator threshold shows: what is learnt from must not depend on where somebody has
        moved the slider.
        """
        if defect.is_open or not reaches(defect.peak, CALIBRATED_THRESHOLD):
            return ()
        recent, side = self._recent, self._recent.tile_px
        x_px = (defect.left_px + defect.right_px) // 2  # its middle; a defect wider than a tile shows the middle of it
        first, end = max(defect.first_line, recent.first_line), max(defect.end_line, recent.first_line + 1)
        samples = []
        for k, line in enumerate(range(first, end, side)):
            middle_line = (line + min(line + side, end)) // 2
            cut = recent.cut_tile(middle_line, x_px, max(CALIBRATED_THRESHOLD, threshold))
            if cut is not None:
                image, mask, place = cut
                dx, dy = place.left_px, place.first_line
                box = defect.left_px - dx, defect.first_line - dy, defect.right_px - dx, defect.end_line - dy
                name = f"defect-{defect.number:05d}-{k:02d}"
                samples.append(TileSample(name, defect.fabric, image, mask, replace(place, box=box), defect.number))
        return tuple(samples)

    def of_good_cloth(self, threshold: float) -> tuple[TileSample, ...]:
        """A tile of the newest lines, now here and now there across the web, if there is nothing suspicious in it and
        the last one is long ago.
        """
        band, side = self._recent.newest, self._recent.tile_px
        left, right = float(band.rows.edges.inner_left.max()), float(band.rows.edges.inner_right.min())
        if band.fabric is None or band.first_line < self._next_good_line or right - left < side:
            return ()
        across = 0.5 + 0.5 * np.sin(band.first_line)  # 0..1, another place each time, and the same in every run
        x_px = int(left + across * (right - left - side)) + side // 2
        cut = self._recent.cut_tile(band.first_line + len(band.rows.image) // 2, x_px, _SURELY_GOOD * threshold)
        if cut is None or cut[1].any():
            return ()
        self._next_good_line = band.end_line + self._good_every_lines
        return (TileSample(f"good-{band.first_line:09d}", band.fabric, cut[0], None, cut[2]),)
