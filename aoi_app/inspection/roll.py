"""One roll, from frames to defects: the whole way without threads, window, torch or database."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from aoi_app.inspection.defects import Defect, Gap, Remark, RemarkKind, SourceSpan, boxes_of
from aoi_app.inspection.outcome import Outcome, joined
from aoi_app.inspection.recent_web import RecentWeb, Strip
from aoi_app.inspection.remarks import ClothRemarks
from aoi_app.inspection.roll_model import RollModel, judge
from aoi_app.inspection.segment import Segment
from aoi_app.settings.active_recipe import ActiveRecipe
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.sources.frame import Frame, Lost
from cras_core.arrays import Image
from cras_core.web.baseline import RunningBaseline
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.protocols import TileDetector
from cras_core.web.regions import Region, RegionConfig, RegionTracker, shape_of
from cras_core.web.scoring import ScoredRows, WebInspection
from cras_core.web.tiling import TilingConfig

_GOOD_TILE_EVERY_MM = 2000.0
_STRETCHES_SHOWN = 2  # of the web so far, to a model that takes over; each costs the time of a row of tiles
_RUNNING_LINES = 512  # from this length on an open defect is reported before it ends


class RollInspection:
    """Turns the frames of a roll into defects and gaps. Not thread-safe: one thread feeds it."""

    def __init__(
        self,
        detector: TileDetector,
        tiling: TilingConfig,
        recipe: Recipe,
        *,
        keep_tiles: bool = False,
        own_recipes: Mapping[str, Recipe] | None = None,
    ) -> None:
        """
        Args:
            detector: scores tiles.
            tiling: tile and cell size that the model was trained with.
            recipe: settings of the roll.
            keep_tiles: also give out tiles for a data set.
            own_recipes: of fabrics, by fabric; their limits hold where the cloth is matched and proves to be theirs.

        Raises:
            RecipeError: the recipe names a fabric that the model does not know; the text lists those it knows.
        """
        self._recipe = recipe
        self._model = judge(detector, "", tiling, recipe)
        self._next_model: RollModel | None = None
        self._keep_tiles = keep_tiles
        self._in_force = ActiveRecipe(recipe, own_recipes or {})
        self._threshold = self._recipe_threshold = recipe.threshold
        self._segment: Segment | None = None
        self._reference: RunningBaseline | None = None
        self._fabric: int | None = None
        self._spans: deque[SourceSpan] = deque()
        self._origin_line = 0  # where the metres of this web begin
        self._defects = 0
        self._complete_line = 0  # up to which source images were reported complete
        self._cloth = ClothRemarks(self._model.detector.calibrations, self._model.config.fabric)
        self._fabric_name = ""  # of the cloth that was scored last
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

    def use_recipes(self, standard: Recipe, own: Mapping[str, Recipe]) -> Outcome:
        """Recipes were edited: threshold and smallest defect of the one that holds act on cloth still to come; the rest
        is for the next roll.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        return self._hold_to(self._in_force.edited(standard, own), self.line)

    def _hold_to(self, text: str | None, line: int) -> Outcome:
        """Other limits hold, which ``text`` says."""
        if text is None:
            return Outcome()
        threshold, self._recipe_threshold = self._recipe_threshold, self._in_force.now.threshold
        if threshold != self._recipe_threshold:  # else what a hand has set stays
            self.threshold = self._recipe_threshold
        return Outcome(remarks=(self._remark("recipe", self._in_force.now.fabric or "", text, line),))

    def check_detector(self, detector: TileDetector, tiling: TilingConfig) -> None:
        """Whether another model can go on with this roll. Safe to ask from any thread.

        Raises:
            RecipeError: it does not know the fabric of the recipe, or looks at the web in other cells.
        """
        cell_px = judge(detector, "", tiling, self._recipe).config.tiling.cell_px
        if cell_px != self._cell_px:
            raise RecipeError(
                f"The model has cells of {cell_px} px, the running one of {self._cell_px} px. Stop the roll to use it."
            )

    def use_detector(self, detector: TileDetector, identity: str, tiling: TilingConfig) -> None:
        """Lets another model judge all cloth that is pushed from now on.

        What was pushed before is judged by the one before; it also judges the few lines that make a row of cells whole,
        and the first 64 lines of a web. No line is left out, none is judged twice, and a defect that runs over the
        change stays one. A remark says from where on the new model judges.

        Args:
            detector: the model.
            identity: what the records call it.
            tiling: tile and cell size that it was trained with.

        Raises:
            RecipeError: as ``check_detector``.
        """
        self.check_detector(detector, tiling)
        self._next_model = judge(detector, identity, tiling, self._recipe)

    def push(self, item: Frame | Lost) -> Outcome:
        """Takes the next piece of web."""
        before = self._end_segment() if self._breaks(item) else Outcome()
        if item.starts_web:
            self._origin_line, self._reference, self._fabric = self.line, None, None
            self._cloth.forget()
        return joined([before, self._lose(item) if isinstance(item, Lost) else self._inspect(item)])

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
        return joined([*closed, Outcome(gaps=(self._gap(first, self.line - first, reason),))])

    @property
    def _tiling(self) -> TilingConfig:
        return self._model.config.tiling

    @property
    def _cell_px(self) -> int:
        return self._tiling.cell_px

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
            return joined([self._end_segment(), self._lose(Lost(frame.lines, reason, frame.source))])
        self._spans.append(SourceSpan(frame.source, self.line, self.line + frame.lines, frame.width_px))
        first, image = self.line, frame.image
        self.line += frame.lines
        outcomes = []
        if self._next_model is not None:
            still = self._segment.lines_before_change(first) if self._segment is not None else 0
            if still < len(image):
                outcomes += [self._score(image[:still]), self._change_model(self._next_model, first + still)]
                first, image = first + still, image[still:]
        if self._segment is None:
            self._segment = self._begin_segment(first, frame.width_px)
        return joined([*outcomes, self._score(image)])

    def _begin_segment(self, line: int, width_px: int) -> Segment:
        return Segment(
            line,
            width_px,
            WebInspection(self._model.detector, self._model.config, self._reference, self._fabric),
            RegionTracker(RegionConfig(self._threshold)),
            RecentWeb(width_px, self._tiling.tile_px),
            self._cell_px,
        )

    def _score(self, image: Image) -> Outcome:
        segment = self._segment
        if segment is None or len(image) == 0:
            return Outcome()
        return joined([self._take(segment, rows) for rows in segment.web.push(image)])

    def _change_model(self, model: RollModel, line: int) -> Outcome:
        """The next model goes on from a line of the roll."""
        segment = self._segment
        outcomes: list[Outcome] = []
        if segment is not None:
            outcomes += [self._take(segment, rows) for rows in segment.web.finish()]
        self._model, self._next_model = model, None
        self._reference, self._fabric = None, None
        self._cloth = ClothRemarks(model.detector.calibrations, model.config.fabric)
        if segment is not None:
            web = WebInspection(model.detector, model.config)
            segment.go_on_with(web, line, _STRETCHES_SHOWN * model.config.tiling.tile_px)
        said = self._remark("model", "", f"the model {model.identity} judges from here on", line)
        return joined([*outcomes, Outcome(remarks=(said,))])

    def _end_segment(self) -> Outcome:
        segment = self._segment
        if segment is None:
            return Outcome()
        outcomes = [self._take(segment, rows) for rows in segment.web.finish()]
        closed = [self._report(segment, region) for region in segment.tracker.finish()]
        self._reference, self._fabric, self._segment = segment.web.baseline, segment.web.fabric, None
        return joined([*outcomes, *closed])

    def _take(self, segment: Segment, rows: ScoredRows) -> Outcome:
        """Finished rows: regions, gaps, and what there is to say about the cloth."""
        judged = segment.judged(rows)
        if judged is None:
            return Outcome()
        is_short = len(rows.image) < NARROWEST_CLOTH_PX
        rows, first_line = judged, segment.web_line + judged.first_line
        inspected = np.repeat(np.isfinite(rows.score).any(axis=1), rows.cell_px)[: len(rows.image)]
        scored = bool(inspected.any())
        fabric = self._model.fabrics[rows.fabric] if scored else None
        self._fabric_name = fabric or self._fabric_name
        strip = Strip(first_line, rows, fabric)
        segment.recent.add(strip)
        self.tiles += rows.tiles
        outcomes = [Outcome(strips=(strip,))]
        if fabric is not None:
            outcomes.append(self._hold_to(self._in_force.cloth_is(fabric), first_line))
            self.inspected_lines += int(inspected.sum())
            said = self._cloth.look(rows, first_line)
            outcomes.append(Outcome(remarks=tuple(self._remark(r.kind, r.fabric, r.text, r.first_line) for r in said)))
        reason = f"too short: {len(rows.image)} lines" if is_short and not scored else "no cloth found in view"
        outcomes += [
            Outcome(gaps=(self._gap(first_line + a, b - a, reason),))
            for a, b in np.flatnonzero(np.diff(np.pad(~inspected, 1))).reshape(-1, 2).tolist()
        ]
        outcomes += [self._report(segment, region) for region in segment.tracker.push(rows.score, rows.raw)]
        running = segment.tracker.open_regions(at_least_rows=_RUNNING_LINES // self._cell_px)
        outcomes += [self._report(segment, region) for region in running]
        if self._keep_tiles:
            every = max(self._tiling.tile_px, round(_GOOD_TILE_EVERY_MM / self._recipe.line_mm))
            outcomes.append(Outcome(tiles=segment.recent.good_tile(every, self._threshold)))
        complete = tuple(s for s in self._spans if self._complete_line < s.end_line <= strip.end_line)
        self._complete_line = strip.end_line
        outcomes.append(Outcome(sources=complete))
        oldest = min(
            [segment.first_line + r.first_row * self._cell_px for r in segment.tracker.open_regions(at_least_rows=0)],
            default=strip.end_line,
        )
        while self._spans and self._spans[0].end_line <= oldest:
            self._spans.popleft()
        return joined(outcomes)

    def _report(self, segment: Segment, region: Region) -> Outcome:
        """A region as a defect, if it is large enough to be one."""
        cell, recipe = self._cell_px, self._recipe
        area_mm2 = region.area_cells * cell * cell * recipe.mm_per_px * recipe.line_mm
        is_listed = any(r in segment.numbers for r in (region.number, *region.absorbed))
        if area_mm2 < self._in_force.now.min_area_mm2 and not is_listed:
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
            fabric=strip.fabric or self._fabric_name,
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

    def _number(self, segment: Segment, region: Region) -> tuple[int, tuple[int, ...]]:
        """The number of the defect that a region is, and those of defects that have become part of it."""
        reported = sorted(segment.numbers.pop(r) for r in (region.number, *region.absorbed) if r in segment.numbers)
        if not reported:
            self._defects += 1
            reported = [self._defects]
        if region.is_open:
            segment.numbers[region.number] = reported[0]
        return reported[0], tuple(reported[1:])

    def _remark(self, kind: RemarkKind, fabric: str, text: str, line: int) -> Remark:
        return Remark(kind, fabric, line, self._metres(line), text)

    def _gap(self, first_line: int, lines: int, reason: str) -> Gap:
        return Gap(first_line, lines, self._metres(first_line), lines * self._recipe.line_mm / 1000.0, reason)

    def _metres(self, line: int) -> float:
        return (line - self._origin_line) * self._recipe.line_mm / 1000.0
