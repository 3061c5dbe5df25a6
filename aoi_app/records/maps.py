"""The anomaly maps of a roll, one picture for each of its sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.records.files import safe_name, write_picture


class MapWriter:
    """Writes the anomaly map of every source image, as a 16-bit PNG of its size: score x 10 000, 0 where nothing was
    inspected.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bands: list[ScoredBand] = []
        self._sources: dict[Path, str] = {}
        self.written = 0

    def write(self, bands: Iterable[ScoredBand], spans: Iterable[SourceSpan]) -> None:
        """Takes inspected lines and writes the maps of the images that are complete. Raises RecordsError when the
        folder cannot be written.
        """
        self._bands += bands
        spans = list(spans)
        try:
            for span in spans:
                self._write(span)
        finally:  # also when the disk is full: memory is not the place to keep them
            done = max((span.end_line for span in spans), default=0)
            self._bands = [s for s in self._bands if s.end_line > done]

    def _write(self, span: SourceSpan) -> None:
        shown = [s for s in self._bands if s.end_line > span.first_line and s.first_line < span.end_line]
        score = np.zeros((span.end_line - span.first_line, span.width_px), np.float32)  # (lines, W) of the picture
        for s in shown:
            cells = np.nan_to_num(s.rows.score, nan=0.0)  # (rows, cols)
            cell = s.rows.cell_px
            pixels = cv2.resize(cells, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)[
                : len(s.rows.image), : span.width_px
            ]
            a, b = max(span.first_line, s.first_line), min(span.end_line, s.end_line)
            score[a - span.first_line : b - span.first_line] = pixels[a - s.first_line : b - s.first_line]
        write_picture(self._path(span.source), np.clip(score * 1e4, 0, 65535).astype(np.uint16))
        self.written += 1

    def _path(self, source: str) -> Path:
        """A place of its own for every source, inside the folder."""
        path = self._folder / Path(source).with_suffix(".png")  # as the pictures lie in their folder, below it too
        if not path.resolve().is_relative_to(self._folder.resolve()):
            path = self._folder / f"{safe_name(source)}.png"
        if self._sources.setdefault(path, source) != source:  # strip.jpg beside strip.png
            path = path.with_name(f"{Path(source).name}.png")
        return path
