"""The web that can be scrolled back to: a bounded, smaller picture of the last metres, with its scores."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.inspection.web.scored_band import ScoredBand
from cras_core.arrays import Image

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WebPicture:
    """What a view shows.

    Attributes:
        first_line: line of the roll at the top.
        width_px: width of the web, pixels of the camera.
        lines: lines shown.
        image: (rows, cols) or (rows, cols, 3) uint8, ``zoom`` times smaller than the web.
        score: (rows, cols) float32 of the same lines, one value per cell; NaN where nothing was inspected.
        cell_px: side of a cell.
        edges: (n, 3) float64, line, left and right edge of the cloth.
    """

    first_line: int
    width_px: int
    lines: int
    image: Image
    score: Floats
    cell_px: int
    edges: npt.NDArray[np.float64]

    def cloth_at(self, line: float) -> tuple[float, float]:
        """Left and right edge of the cloth near a line of the roll, pixels."""
        _, left, right = self.edges[int(np.abs(self.edges[:, 0] - line).argmin())]
        return float(left), float(right)


class WebHistory:
    """Collects bands into one picture; lines that are missing in between are black and unscored."""

    def __init__(self, lines: int = 8192, columns: int = 1400) -> None:
        """
        Args:
            lines: of the web to keep, at least.
            columns: most columns of the picture.
        """
        self._keep = lines
        self._columns = columns
        self._parts: list[_Part] = []
        self._shape: tuple[int, ...] | None = None

    def clear(self) -> None:
        """Forgets everything, for a new roll."""
        self._parts.clear()

    @property
    def end_line(self) -> int:
        """Line after the newest one."""
        return self._parts[-1].end_line if self._parts else 0

    def add(self, band: ScoredBand) -> None:
        """Appends a band; one of another width or out of order starts anew."""
        image = band.rows.image
        shape = image.shape[1:]
        if self._parts and (shape != self._shape or band.first_line < self.end_line):
            self.clear()
        self._shape = shape
        # Reduced at once: the metres that can be scrolled back to would fill gigabytes as they came.
        zoom = self._zoom(shape[0], band.rows.cell_px)
        size = (shape[0] // zoom, max(1, len(image) // zoom))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8) if zoom > 1 else image
        at = np.arange(0, len(image), 32)  # the edges of cloth change slowly; a point every 32 lines draws them
        edges = np.stack([at + band.first_line, band.rows.edges.left[at], band.rows.edges.right[at]], axis=1)
        self._parts.append(
            _Part(band.first_line, band.end_line, small, band.rows.score, edges, band.rows.cell_px, zoom)
        )
        while len(self._parts) > 1 and self._parts[0].end_line <= self.end_line - self._keep:
            self._parts.pop(0)

    def picture(self) -> WebPicture | None:
        """Everything in memory as one picture; None before the first band."""
        if not self._parts or self._shape is None:
            return None
        first, end = self._parts[0].first_line, self.end_line
        cell, zoom = self._parts[0].cell_px, self._parts[0].zoom
        rows = -(-(end - first) // cell)  # rounded up
        score = np.full((rows, self._parts[0].score.shape[1]), np.nan, np.float32)  # (rows, cols)
        image = np.zeros((max(1, (end - first) // zoom), *self._parts[0].image.shape[1:]), np.uint8)
        for part in self._parts:
            top = (part.first_line - first) // zoom
            fits = min(len(part.image), len(image) - top)
            image[top : top + fits] = part.image[:fits]
            row = (part.first_line - first) // cell
            fits = min(len(part.score), rows - row)
            score[row : row + fits] = part.score[:fits]
        edges = np.concatenate([p.edges for p in self._parts])
        return WebPicture(first, self._shape[0], end - first, image, score, cell, edges)

    def _zoom(self, width: int, cell_px: int) -> int:
        """A divisor of the cell size, so that picture and scores stay in step."""
        wanted = max(1, -(-width // self._columns))  # rounded up
        return next((z for z in range(wanted, cell_px) if cell_px % z == 0), cell_px)


@dataclass(frozen=True, slots=True)
class _Part:
    first_line: int
    end_line: int
    image: Image
    score: Floats
    edges: npt.NDArray[np.float64]
    cell_px: int
    zoom: int
