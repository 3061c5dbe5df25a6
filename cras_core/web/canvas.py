"""A band of web as the detector sees it: grey or colour, cloth found, carried on beyond its border."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.web.bands import Band
from cras_core.web.baseline import BaselineConfig
from cras_core.web.border import STRIP_PX, continue_cloth
from cras_core.web.edges import ClothEdges, EdgeConfig, find_edges
from cras_core.web.ignored import IgnoredLane, InspectedColumns, inspected_columns
from cras_core.web.tiling import TilingConfig, Windows, ceil_to, cut, floor_to, plan_windows

NARROWEST_CLOTH_PX = 64
"""Cloth that is narrower, or a web that is shorter, cannot be inspected: the detector would see more border than
cloth.
"""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Everything that says how a web is looked at."""

    tiling: TilingConfig = field(default_factory=TilingConfig)
    edges: EdgeConfig = field(default_factory=EdgeConfig)
    baseline: BaselineConfig = field(default_factory=BaselineConfig)
    fabric: int | None = None
    """Fabric that the web is known to be; None lets the cloth decide."""
    ignored: tuple[IgnoredLane, ...] = ()
    """Lanes along the web that are not inspected."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A band made ready for the detector.

    Attributes:
        tiles: (B, H, W[, 3]) uint8, nothing but cloth.
        rows, cols: the windows that the tiles were cut with.
        first_col: column of the image that the windows begin at, pixels; may be negative.
        edges: the cloth in the lines of the band.
        inspected: which columns of each line are inspected.
        above, below: lines of the windows before the first and after the last line of the segment.
    """

    tiles: Image
    rows: Windows
    cols: Windows
    first_col: int
    edges: ClothEdges
    inspected: InspectedColumns
    above: int
    below: int

    def cloth_cells(self, cell_px: int) -> npt.NDArray[np.bool_]:
        """Which cells under the windows are cloth to be scored -> (rows.end, cols.end) / cell_px, bool. What was
        carried on beyond the cloth is not, and neither is what the person leaves out.
        """
        left, right = self.inspected.left, self.inspected.right
        line = (np.arange(self.rows.end // cell_px) + 0.5) * cell_px - self.above
        exists = (line > 0) & (line - cell_px / 2 < len(left))
        nearest_line = np.clip(line, 0, len(left) - 1).astype(int)
        column = np.asarray(self.first_col + (np.arange(self.cols.end // cell_px) + 0.5) * cell_px, np.float64)
        inside = (column[None, :] > left[nearest_line][:, None]) & (
            column[None, :] - cell_px / 2 < right[nearest_line][:, None]
        )
        inside &= ~self.inspected.are_in_holes(column, nearest_line, cell_px)
        return np.asarray(inside & exists[:, None])

    def cells_at_ends(self, cell_px: int, end_cells: int) -> npt.NDArray[np.bool_]:
        """Which cells of every tile lie in the first or the last ``end_cells`` rows of the segment, where the window
        reaches beyond its beginning or its end -> (B, h, 1) bool.
        """
        row = np.arange(self.rows.end // cell_px) - self.above // cell_px  # counted from the first line
        lines = len(self.inspected.left)
        at_end = np.zeros(len(row), np.bool_)
        if self.above > 0:
            at_end |= row < end_cells
        if self.below > 0:
            at_end |= row >= ceil_to(lines, cell_px) // cell_px - end_cells
        rows = self.rows.divided(cell_px)
        return np.stack([at_end[r : r + rows.size, None] for r in rows.starts for _ in self.cols.starts])

    def scored_cells(self, cell_px: int) -> npt.NDArray[np.bool_]:
        """The same for every tile, without the halos -> (B, h, w) bool."""
        rows, cols = self.rows.divided(cell_px), self.cols.divided(cell_px)
        cloth = self.cloth_cells(cell_px)
        inner = (rows.weight()[:, None] > 0) & (cols.weight()[None, :] > 0)
        return np.stack([cloth[r : r + rows.size, c : c + cols.size] & inner for r in rows.starts for c in cols.starts])


def prepare(band: Band, config: WebConfig, strip_px: int = STRIP_PX) -> Canvas | None:
    """Finds the cloth of a band and cuts it into tiles; None where there is too little cloth to inspect.

    Args:
        band: lines of the web.
        config: how it is looked at.
        strip_px: width of the strip of cloth that is looked up where cloth is carried on (``continue_cloth``).
    """
    lines = len(band.image)
    edges = find_edges(as_gray(band.image), config.edges)
    inspected = inspected_columns(
        *edges.inspected(config.edges), [lane.bounds(edges.left, edges.right) for lane in config.ignored]
    )
    left, right = inspected.left, inspected.right
    if lines < NARROWEST_CLOTH_PX or float((right - left).min()) < NARROWEST_CLOTH_PX:
        return None
    halo, cell = config.tiling.halo_px, config.tiling.cell_px
    first_col = floor_to(int(left.min()), cell) - halo
    end_col = ceil_to(int(np.ceil(right.max())), cell) + halo
    canvas = continue_cloth(
        band.image, left, right, first_col, end_col, band.above, band.below, strip_px, inspected.holes
    )
    rows = plan_windows(len(canvas), config.tiling)
    cols = plan_windows(canvas.shape[1], config.tiling)
    return Canvas(
        np.asarray(cut(canvas, rows, cols), dtype=np.uint8),
        rows,
        cols,
        first_col,
        edges,
        inspected,
        band.above,
        band.below,
    )


def as_gray(image: Image) -> Image:
    """(H, W) or (H, W, 3) uint8 -> (H, W) uint8."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8) if image.ndim == 3 else image
