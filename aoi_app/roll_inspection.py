"""One roll, from frames to defects: the whole way without threads, window, torch or database."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aoi_app.defects import Defect, Gap, Remark, RemarkKind, SourceSpan, boxes_of, shape_of
from aoi_app.frame import Frame, Lost
from aoi_app.recent_web import RecentWeb, Strip, TileSample
from aoi_app.recipes import Recipe, RecipeError
from cras_core.web.edges import EdgeConfig
from cras_core.web.inspection import NARROWEST_CLOTH_PX, ScoredRows, TileDetector, WebConfig, WebInspection
from cras_core.web.reference import ReferenceConfig, RunningReference
from cras_core.web.regions import Region, RegionConfig, RegionTracker
from cras_core.web.tiling import TilingConfig

_GOOD_TILE_EVERY_MM = 2000.0
_RUNNING_LINES = 512  # from this length on an open defect is reported before it ends


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the last piece of web."""

    strips: tuple[Strip, ...] = ()
    defects: tuple[Defect, ...] = ()
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()
    tiles: tuple[TileSample, ...] = ()
    sources: tuple[SourceSpan, ...] = ()
    """Source images of which every line is in the strips now."""
    withdrawn: tuple[int, ...] = ()
    """Numbers of defects that have turned out to be part of another one."""

    @property
    def is_worth_recording(self) -> bool:
        """Whether there is anything for the records."""
        return bool(self.defects or self.gaps or self.remarks or self.withdrawn)

    def records(self) -> Outcome:
        """The part that goes into the records, without the pictures of the web."""
        return Outcome(defects=self.defects, gaps=self.gaps, remarks=self.remarks, withdrawn=self.withdrawn)


@dataclass(slots=True)
class _Segment:
    """An unbroken piece of web."""

    first_line: int
    width_px: int
    web: WebInspection
    tracker: RegionTracker
    recent: RecentWeb
    numbers: dict[int, int] = field(default_factory=dict)  # of regions that were reported while open


class RollInspection:
    """Turns the frames of a roll into defects and gaps. Not thread-safe: one thread feeds it."""

    def __init__(
        self, detector: TileDetector, tiling: TilingConfig, recipe: Recipe, *, keep_tiles: bool = False
    ) -> None:
        """
        Args:
            detector: scores tiles.
            tiling: tile and cell size that the model was trained with.
            recipe: settings of the roll.
            keep_tiles: also give out tiles for a data set.

        Raises:
            RecipeError: the recipe names a fabric that the model does not know; the text lists those it knows.
        """
        self._detector = detector
        self._fabrics = [c.fabric for c in detector.calibrations]
        if recipe.fabric is not None and recipe.fabric not in self._fabrics:
            raise RecipeError(
                f"The model does not know the fabric {recipe.fabric!r}; it knows {', '.join(self._fabrics)}."
            )
        self._recipe = recipe
        self._tiling = dataclasses.replace(tiling, overlap_px=recipe.overlap_px)
        self._keep_tiles = keep_tiles
        self._web_config = _web_config(self._tiling, recipe, self._fabrics)
        self._threshold = recipe.threshold
        self._segment: _Segment | None = None
        self._reference: RunningReference | None = None
        self._fabric: int | None = None
        self._spans: deque[SourceSpan] = deque()
        self._origin_line = 0  # where the metres of this web begin
        self._defects = 0
        self._complete_line = 0  # up to which source images were reported complete
        self._said: set[tuple[str, str]] = set()
        self.line = 0
        """Lines of the roll that were taken in, lost ones included."""
        self.inspected_lines = 0
        """Lines whose cloth was scored."""
        self.tiles = 0
        """Tiles that were scored."""

    @property
    def threshold(self) -> float:
        """Score from which a place is a defect; holds for cloth that is still to come."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._threshold = value
        if self._segment is not None:
            self._segment.tracker.threshold = value

    def push(self, item: Frame | Lost) -> Outcome:
        """Takes the next piece of web."""
        before = self._end_segment() if self._breaks(item) else Outcome()
        if item.starts_web:
            self._origin_line, self._reference, self._fabric = self.line, None, None
            self._said.clear()
        return _joined([before, self._lose(item) if isinstance(item, Lost) else self._inspect(item)])

    def finish(self) -> Outcome:
        """Ends the roll: everything that is still open is closed."""
        return self._end_segment()

    def give_up(self, reason: str) -> Outcome:
        """Ends the roll without the detector, which has failed: what was not scored becomes a gap."""
        segment, self._segment = self._segment, None
        if segment is None:
            return Outcome()
        first = max(segment.first_line, self._complete_line)
        closed = [self._report(segment, region) for region in segment.tracker.finish()]
        return _joined([*closed, Outcome(gaps=(self._gap(first, self.line - first, reason),))])

    def _breaks(self, item: Frame | Lost) -> bool:
        return (
            isinstance(item, Lost)
            or item.starts_web
            or (self._segment is not None and item.image.shape[1:] != self._segment.web.line_shape)
        )

    def _lose(self, lost: Lost) -> Outcome:
        gap = self._gap(self.line, lost.lines, lost.reason)
        self.line += lost.lines
        return Outcome(gaps=(gap,))

    def _inspect(self, frame: Frame) -> Outcome:
        if frame.width_px < NARROWEST_CLOTH_PX:
            reason = (
                f"{frame.source} is {frame.width_px} px wide; less than {NARROWEST_CLOTH_PX} px cannot be inspected"
            )
            return _joined([self._end_segment(), self._lose(Lost(frame.lines, reason, frame.source))])
        self._spans.append(SourceSpan(frame.source, self.line, self.line + frame.lines, frame.width_px))
        if self._segment is None:
            web = WebInspection(self._detector, self._web_config, self._reference, self._fabric)
            self._segment = _Segment(
                self.line,
                frame.width_px,
                web,
                RegionTracker(RegionConfig(self._threshold)),
                RecentWeb(frame.width_px, self._tiling.tile_px),
            )
        segment = self._segment
        self.line += frame.lines
        scored = segment.web.push(frame.image)
        return _joined([self._take(segment, rows) for rows in scored])

    def _end_segment(self) -> Outcome:
        segment = self._segment
        if segment is None:
            return Outcome()
        outcomes = [self._take(segment, rows) for rows in segment.web.finish()]
        closed = [self._report(segment, region) for region in segment.tracker.finish()]
        self._reference, self._fabric, self._segment = segment.web.reference, segment.web.fabric, None
        return _joined([*outcomes, *closed])

    def _take(self, segment: _Segment, rows: ScoredRows) -> Outcome:
        """Finished rows: regions, gaps, and what there is to say about the cloth."""
        first_line = segment.first_line + rows.first_line
        inspected = np.repeat(np.isfinite(rows.score).any(axis=1), rows.cell_px)[: len(rows.image)]
        scored = bool(inspected.any())
        fabric = self._fabrics[rows.fabric] if scored else None
        strip = Strip(first_line, rows, fabric)
        segment.recent.add(strip)
        self.tiles += rows.tiles
        outcomes = [Outcome(strips=(strip,))]
        if scored:
            self.inspected_lines += int(inspected.sum())
            outcomes.append(Outcome(remarks=self._remarks(rows, first_line)))
        too_short = not scored and len(rows.image) < NARROWEST_CLOTH_PX
        reason = f"too short: {len(rows.image)} lines" if too_short else "no cloth found in view"
        outcomes += [
            Outcome(gaps=(self._gap(first_line + a, b - a, reason),))
            for a, b in np.flatnonzero(np.diff(np.pad(~inspected, 1))).reshape(-1, 2).tolist()
        ]
        outcomes += [self._report(segment, region) for region in segment.tracker.push(rows.score, rows.raw)]
        running = segment.tracker.open_regions(at_least_rows=_RUNNING_LINES // self._tiling.cell_px)
        outcomes += [self._report(segment, region) for region in running]
        if self._keep_tiles:
            every = max(self._tiling.tile_px, round(_GOOD_TILE_EVERY_MM / self._recipe.line_mm))
            outcomes.append(Outcome(tiles=segment.recent.good_tile(every, self._threshold)))
        complete = tuple(s for s in self._spans if self._complete_line < s.end_line <= strip.end_line)
        self._complete_line = strip.end_line
        outcomes.append(Outcome(sources=complete))
        oldest = min(
            [
                segment.first_line + r.first_row * self._tiling.cell_px
                for r in segment.tracker.open_regions(at_least_rows=0)
            ],
            default=strip.end_line,
        )
        while self._spans and self._spans[0].end_line <= oldest:
            self._spans.popleft()
        return _joined(outcomes)

    def _remarks(self, rows: ScoredRows, first_line: int) -> tuple[Remark, ...]:
        """Said once per web, kind and fabric, not once per stretch."""
        calibration = self._detector.calibrations[rows.fabric]
        fabric = calibration.fabric
        found: dict[RemarkKind, str] = {"matched": f"the cloth matches {fabric} (similarity {rows.similarity:.2f})"}
        if rows.similarity < calibration.similarity_limit:
            found["unknown"] = (
                f"unknown cloth: its similarity to {fabric}, {rows.similarity:.2f}, "
                f"is below {calibration.similarity_limit:.2f}; enrol it"
            )
        if rows.level > calibration.level_limit:
            found["level"] = (
                f"this roll differs from the enrolled {fabric} as a whole: its features lie "
                f"{rows.level:.1f} standard deviations away (limit {calibration.level_limit:.1f}); check lamp, focus "
                "and yarn"
            )
        position_m = self._metres(first_line)
        new = [(kind, text) for kind, text in found.items() if (kind, fabric) not in self._said]
        self._said |= {(kind, fabric) for kind in found}
        return tuple(Remark(kind, fabric, first_line, position_m, text) for kind, text in new)

    def _report(self, segment: _Segment, region: Region) -> Outcome:
        """A region as a defect, if it is large enough to be one."""
        cell, recipe = self._tiling.cell_px, self._recipe
        area_mm2 = region.area_cells * cell * cell * recipe.mm_per_px * recipe.line_mm
        is_listed = any(r in segment.numbers for r in (region.number, *region.absorbed))
        if area_mm2 < recipe.min_area_mm2 and not is_listed:
            return Outcome()
        number, withdrawn = self._number(segment, region)
        first_line = segment.first_line + region.first_row * cell
        end_line = min(segment.first_line + region.end_row * cell, self.line)
        left_px, right_px = region.first_col * cell, min(region.end_col * cell, segment.width_px)
        length_mm, width_mm = (end_line - first_line) * recipe.line_mm, (right_px - left_px) * recipe.mm_per_px
        peak_line = segment.first_line + region.peak_row * cell
        strip = segment.recent.strip_at(peak_line)
        row = int(np.clip(peak_line - strip.first_line, 0, len(strip.rows.image) - 1))
        defect = Defect(
            number=number,
            fabric=self._fabrics[strip.rows.fabric],
            shape=shape_of(length_mm, width_mm),
            first_line=first_line,
            end_line=end_line,
            left_px=left_px,
            right_px=right_px,
            position_m=self._metres(first_line),
            position_mm=((left_px + right_px) / 2 - float(strip.rows.edges.left[row])) * recipe.mm_per_px,
            length_mm=length_mm,
            width_mm=width_mm,
            area_mm2=area_mm2,
            peak=region.peak,
            mean=region.mean,
            raw_peak=region.raw_peak,
            boxes=boxes_of(region, segment.first_line, cell, list(self._spans)),
            is_open=region.is_open,
            thumbnail=segment.recent.thumbnail(peak_line, region.peak_col * cell + cell // 2),
        )
        keep = self._keep_tiles and not region.is_open
        tiles = segment.recent.defect_tiles(defect, max(1.0, self._threshold)) if keep and defect.peak >= 1.0 else ()
        return Outcome(defects=(defect,), tiles=tiles, withdrawn=withdrawn)

    def _number(self, segment: _Segment, region: Region) -> tuple[int, tuple[int, ...]]:
        """The number of the defect that a region is, and those of defects that have become part of it."""
        reported = sorted(segment.numbers.pop(r) for r in (region.number, *region.absorbed) if r in segment.numbers)
        if not reported:
            self._defects += 1
            reported = [self._defects]
        if region.is_open:
            segment.numbers[region.number] = reported[0]
        return reported[0], tuple(reported[1:])

    def _gap(self, first_line: int, lines: int, reason: str) -> Gap:
        return Gap(first_line, lines, self._metres(first_line), lines * self._recipe.line_mm / 1000.0, reason)

    def _metres(self, line: int) -> float:
        return (line - self._origin_line) * self._recipe.line_mm / 1000.0


def _web_config(tiling: TilingConfig, recipe: Recipe, fabrics: Sequence[str]) -> WebConfig:
    margin = recipe.selvedge_margin_mm
    edges = EdgeConfig(
        enabled=recipe.find_edges,
        from_edge_px=None if margin is None else round(margin / recipe.mm_per_px),
    )
    fabric = fabrics.index(recipe.fabric) if recipe.fabric is not None else None
    return WebConfig(tiling, edges, ReferenceConfig(enabled=recipe.relative), fabric)


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(
        strips=tuple(s for o in outcomes for s in o.strips),
        defects=tuple(d for o in outcomes for d in o.defects),
        gaps=tuple(g for o in outcomes for g in o.gaps),
        remarks=tuple(r for o in outcomes for r in o.remarks),
        tiles=tuple(t for o in outcomes for t in o.tiles),
        sources=tuple(s for o in outcomes for s in o.sources),
        withdrawn=tuple(w for o in outcomes for w in o.withdrawn),
    )
