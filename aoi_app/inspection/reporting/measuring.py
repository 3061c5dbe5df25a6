"""From regions of cells to defects in metres and millimetres, and from rows without a score to gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aoi_app.inspection.findings.defects import Box, Defect
from aoi_app.inspection.web.segment import Segment
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.inspection.web.web_scale import WebScale
from cras_core.shade.rows import ShadeKind
from cras_core.web.regions import Region, shape_of


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a region lies.

    Attributes:
        first_line, end_line: lines of the roll.
        left_px, right_px: columns of the image.
    """

    first_line: int
    end_line: int
    left_px: int
    right_px: int


def extent_of(region: Region, segment: Segment, roll_line: int) -> Extent:
    """The extent of a region. Its last cells may reach beyond the last line and column, the extent does not.

    Args:
        region: rows counted from the beginning of the segment.
        segment: that it lies on.
        roll_line: lines of the roll so far.
    """
    cell = segment.cell_px
    return Extent(
        segment.first_line + region.first_row * cell,
        min(segment.first_line + region.end_row * cell, roll_line),
        region.first_col * cell,
        min(region.end_col * cell, segment.width_px),
    )


def measure_defect(
    region: Region,
    segment: Segment,
    scale: WebScale,
    *,
    number: int,
    roll_line: int,
    fabric: str,
    spans: Iterable[SourceSpan],
    shade: ShadeKind | None = None,
) -> Defect:
    """The defect that a region is.

    Args:
        region: rows counted from the beginning of the segment.
        segment: that it lies on.
        scale: of the web.
        number: of the defect.
        roll_line: lines of the roll so far.
        fabric: of the cloth, where the band with the peak is no longer in memory or was not matched.
        spans: the source images of the last lines, in order.
        shade: its kind where it is darker or lighter; its raw score is the contrast in per cent.
    """
    extent, cell = extent_of(region, segment, roll_line), segment.cell_px
    length_mm = scale.length_mm(extent.end_line - extent.first_line)
    width_mm = scale.width_mm(extent.right_px - extent.left_px)
    peak_line = segment.first_line + region.peak_row * cell
    band = segment.recent.band_at(peak_line)
    # The edge of the cloth where the peak is: it wanders by centimetres along a roll.
    row = int(np.clip(peak_line - band.first_line, 0, len(band.rows.image) - 1))
    cloth_left_px = float(band.rows.edges.left[row])
    return Defect(
        number=number,
        fabric=band.fabric or fabric,
        shape=shape_of(length_mm, width_mm),
        first_line=extent.first_line,
        end_line=extent.end_line,
        left_px=extent.left_px,
        right_px=extent.right_px,
        position_m=scale.position_m(extent.first_line),
        position_mm=scale.width_mm((extent.left_px + extent.right_px) / 2 - cloth_left_px),
        length_mm=length_mm,
        width_mm=width_mm,
        area_mm2=scale.area_mm2(region.area_cells, cell),
        peak=region.peak,
        mean=region.mean,
        raw_peak=region.raw_peak,
        boxes=boxes_of(region, segment.first_line, cell, spans),
        is_open=region.is_open,
        thumbnail=segment.recent.thumbnail(peak_line, region.peak_col * cell + cell // 2),
        shade=shade,
        contrast_percent=None if shade is None else region.raw_peak,
    )


def boxes_of(region: Region, first_line: int, cell_px: int, spans: Iterable[SourceSpan]) -> tuple[Box, ...]:
    """The boxes of a region in the source images that it touches.

    Args:
        region: rows counted from the beginning of its segment.
        first_line: line of the roll that the segment begins with.
        cell_px: side of a cell, pixels.
        spans: the source images, in order.
    """
    top = first_line + region.first_row * cell_px  # line of the roll
    found = []
    for span in spans:
        a, b = max(span.first_line, top), min(span.end_line, top + len(region.extents) * cell_px)
        if a >= b:
            continue
        rows = region.extents[(a - top) // cell_px : -(-(b - top) // cell_px)]
        rows = rows[rows[:, 1] > 0]  # (0, 0) is a row that the region skips
        if len(rows):
            left, right = int(rows[:, 0].min()) * cell_px, min(int(rows[:, 1].max()) * cell_px, span.width_px)
            found.append(Box(span.source, left, a - span.first_line, right - left, b - a))
    return tuple(found)
