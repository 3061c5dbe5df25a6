"""Regions of a segment as defects of the roll: which are told, with which number, and what is cut out of the web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aoi_app.inspection.reporting.measuring import measure_defect
from aoi_app.inspection.reporting.numbering import DefectNumbers
from aoi_app.inspection.reporting.outcome import Outcome, join_outcomes
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.segment import RUNNING_LINES, Segment
from aoi_app.inspection.web.segment_shade import ShadeRegion
from aoi_app.inspection.web.source_spans import SourceSpan, SourceSpans
from aoi_app.inspection.web.web_scale import WebScale
from cras_core.shade.rows import ShadeKind
from cras_core.web.regions import Region
from cras_core.web.scoring import ScoredRows


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds at a moment of the roll.

    Attributes:
        scale: of the web.
        roll_line: lines of the roll so far.
        fabric: name of the cloth that was scored last.
        threshold: score from which a place is a defect.
        min_area_mm2: smaller defects are not listed.
    """

    scale: WebScale
    roll_line: int
    fabric: str
    threshold: float
    min_area_mm2: float


class DefectReporter:
    """Tells the defects of one roll."""

    def __init__(self, last_number: int = 0) -> None:
        """``last_number``: of the defects so far, of a roll that goes on."""
        self._numbers = DefectNumbers(last_number)
        self._spans = SourceSpans()

    @property
    def complete_line(self) -> int:
        """Line of the roll up to which everything was told."""
        return self._spans.complete_line

    @property
    def last_number(self) -> int:
        """The highest number of a defect so far."""
        return self._numbers.last

    def add_source(self, span: SourceSpan) -> None:
        """Lines of the next source image follow."""
        self._spans.add(span)

    def begin_segment(self) -> None:
        """The regions that follow are those of another segment."""
        self._numbers.begin_segment()

    def take_rows(self, segment: Segment, band: ScoredBand, limits: Limits) -> Outcome:
        """What newly scored rows bring: defects that are closed now, long ones that still run, a tile of good cloth,
        and source images that are complete.
        """
        rows: ScoredRows = band.rows
        closed = self.report(segment, segment.tracker.push(rows.score, rows.raw), limits)
        running = segment.tracker.open_regions(at_least_rows=RUNNING_LINES // segment.cell_px)
        cutter = segment.sample_tiles
        tiles = cutter.of_good_cloth(limits.threshold) if cutter is not None else ()
        complete = self._spans.complete(band.end_line)
        # A line defect may run for metres; its boxes need every picture that it has touched.
        oldest = segment.oldest_open_line
        self._spans.forget_before(band.end_line if oldest is None else oldest)
        return join_outcomes([closed, self.report(segment, running, limits), Outcome(tiles=tiles, sources=complete)])

    def report_shade(self, segment: Segment, regions: Sequence[ShadeRegion], limits: Limits) -> Outcome:
        """Darker and lighter places as defects."""
        return join_outcomes([self._report_region(segment, r.region, limits, r.kind) for r in regions])

    def report(self, segment: Segment, regions: Sequence[Region], limits: Limits) -> Outcome:
        """Regions as defects, those that are large enough to be one or were told as one before."""
        return join_outcomes([self._report_region(segment, region, limits) for region in regions])

    def _report_region(
        self, segment: Segment, region: Region, limits: Limits, shade: ShadeKind | None = None
    ) -> Outcome:
        channel = shade or ""
        area_mm2 = limits.scale.area_mm2(region.area_cells, segment.cell_px)
        # One that was told while it ran stays listed, or it would vanish from the screen when it ends.
        if area_mm2 < limits.min_area_mm2 and not self._numbers.knows(region, channel):
            return Outcome()
        number, withdrawn = self._numbers.take(region, channel)
        defect = measure_defect(
            region,
            segment,
            limits.scale,
            number=number,
            roll_line=limits.roll_line,
            fabric=limits.fabric,
            spans=self._spans,
            shade=shade,
        )
        cutter = segment.sample_tiles
        tiles = cutter.of_defect(defect, limits.threshold) if cutter is not None else ()
        return Outcome(defects=(defect,), tiles=tiles, withdrawn=withdrawn)
