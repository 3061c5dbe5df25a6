"""One roll, from frames to defects: the whole way without threads, window, torch or database.

What happens to a frame: ``push`` gives its lines to the segment, which scores them a band at a time; ``_take_rows``
makes of each band what the outcome tells.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from aoi_app.inspection.account import Account
from aoi_app.inspection.defects import Gap, Remark, RemarkKind
from aoi_app.inspection.measuring import runs_of
from aoi_app.inspection.outcome import Outcome, join_outcomes
from aoi_app.inspection.recent_web import RecentWeb
from aoi_app.inspection.remarks import ClothRemarks, light_text
from aoi_app.inspection.reporting import DefectReporter, Limits
from aoi_app.inspection.roll_model import RollModel, make_roll_model
from aoi_app.inspection.sample_tiles import SampleTiles
from aoi_app.inspection.scored_band import ScoredBand
from aoi_app.inspection.segment import Segment, inspected_lines_of
from aoi_app.inspection.segment_shade import SegmentShade, ShadeFindings
from aoi_app.inspection.source_spans import SourceSpan
from aoi_app.inspection.wanted_rate import WantedRate
from aoi_app.inspection.web_scale import WebScale
from aoi_app.settings.active_recipe import ActiveRecipe
from aoi_app.settings.ignored_lanes import lanes_as_text
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.running_tails import RunningTails
from aoi_app.sources.frame import Frame, Lost
from cras_core.arrays import Image
from cras_core.shade.blank_lines import Blank, LineRun, runs_of_lines
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.warp import ColumnMemory
from cras_core.web.baseline import RunningBaseline
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.protocols import TileDetector
from cras_core.web.regions import RegionConfig, RegionTracker
from cras_core.web.scoring import ScoredRows, WebInspection
from cras_core.web.tiling import TilingConfig, ceil_to

logger = logging.getLogger(__name__)

_BLANK: dict[Blank, str] = {
    "black": "the camera saw nothing: black lines; check lamp, lens cover and exposure",
    "white": "the camera saw nothing: overexposed lines; check lamp and exposure",
}
_BANDS_SHOWN = 2  # of the web so far, to a model that takes over; each costs the time of a row of tiles


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
        wanted_rate: WantedRate | None = None,
        identity: str = "",
    ) -> None:
        """
        Args:
            detector: scores tiles.
            tiling: tile and cell size that the model was trained with.
            recipe: settings of the roll.
            keep_tiles: also give out tiles for a data set.
            own_recipes: of fabrics, by fabric; their limits hold where the cloth is matched and proves to be theirs.
            wanted_rate: what was learnt of the scores of good cloth; None learns for this roll alone.
            identity: of the model's bundle.

        Raises:
            RecipeError: the recipe names a fabric that the model does not know; the text lists those it knows.
        """
        self._recipe = recipe
        self._wanted_rate = wanted_rate or WantedRate(RunningTails(None))
        self._model = make_roll_model(detector, identity, tiling, recipe)
        self._next_model: RollModel | None = None
        self._scale = WebScale(recipe.mm_per_px, recipe.line_mm)
        self._active_recipe = ActiveRecipe(recipe, own_recipes or {})
        self._threshold = self._recipe_threshold = recipe.threshold
        self._segment: Segment | None = None
        self._baseline: RunningBaseline | None = None  # of the web, handed on from segment to segment
        self._fabric: int | None = None  # likewise, the one that was matched
        self._columns: ColumnMemory | None = None  # likewise, how bright they were
        self._fabric_name = ""  # of the cloth that was scored last
        self._reporter = DefectReporter()
        self._cloth = ClothRemarks(self._model.detector.calibrations, self._model.config.fabric)
        self._keep_tiles = keep_tiles
        self._account = Account()
        self._has_said_what_is_ignored = False
        self.line = 0
        """Lines of the roll that were taken in, lost ones included."""
        self.tiles = 0
        """Tiles that were scored."""

    @property
    def inspected_lines(self) -> int:
        """Lines whose cloth was scored."""
        return self._account.inspected_lines

    @property
    def threshold(self) -> float:
        """Score from which a place is a defect; holds for cloth that is still to come."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        if value != self._threshold:
            self._wanted_rate.stop_following()
        self._set_threshold(value)

    def _set_threshold(self, value: float) -> None:
        self._threshold = value
        if self._segment is not None:
            self._segment.tracker.threshold = value
            if self._segment.shade is not None:
                self._segment.shade.set_threshold(value)

    def use_recipes(self, standard: Recipe, own: Mapping[str, Recipe]) -> Outcome:
        """Recipes were edited: threshold and smallest defect of the one that holds act on cloth still to come; the rest
        is for the next roll.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        return self._follow_recipe(self._active_recipe.take_edits(standard, own), self.line)

    def check_detector(self, detector: TileDetector, tiling: TilingConfig) -> None:
        """Whether another model can go on with this roll. Safe to ask from any thread.

        Raises:
            RecipeError: it does not know the fabric of the recipe, or looks at the web in other cells.
        """
        cell_px = make_roll_model(detector, "", tiling, self._recipe).config.tiling.cell_px
        if cell_px != self._cell_px:
            raise RecipeError(
                "cell-size-changed",
                "The model has cells of {cell_px} px, the running one of {running_px} px. Stop the roll to use it.",
                cell_px=cell_px,
                running_px=self._cell_px,
            )

    def use_detector(self, detector: TileDetector, identity: str, tiling: TilingConfig) -> None:
        """Lets another model score all cloth that is pushed from now on.

        What was pushed before is scored by the one before; it also scores the few lines that make a row of cells whole,
        and the first 64 lines of a web. No line is left out, none is scored twice, and a defect that runs over the
        change stays one. A remark says from where on the new model scores.

        Args:
            detector: the model.
            identity: what the records call it.
            tiling: tile and cell size that it was trained with.

        Raises:
            RecipeError: as ``check_detector``.
        """
        self.check_detector(detector, tiling)
        self._next_model = make_roll_model(detector, identity, tiling, self._recipe)

    def push(self, item: Frame | Lost) -> Outcome:
        """Takes the next piece of web."""
        before = self._end_segment() if self._breaks(item) else Outcome()
        if item.starts_web:
            self._scale = replace(self._scale, origin_line=self.line)
            self._baseline, self._fabric, self._columns = None, None, None
            self._cloth.forget()
        return join_outcomes([before, self._lose(item) if isinstance(item, Lost) else self._inspect(item)])

    def finish(self) -> Outcome:
        """Ends the roll: everything that is still open is closed."""
        ended = self._end_segment()
        self._wanted_rate.keep()
        return join_outcomes([ended, self._check_account()])

    def give_up(self, reason: str) -> Outcome:
        """Ends the roll without the detector, which has failed: what was not scored becomes a gap."""
        self._wanted_rate.keep()
        segment, self._segment = self._segment, None
        if segment is None:
            return self._check_account()
        first_line = max(segment.first_line, self._reporter.complete_line)
        gap = self._gap(first_line, self.line - first_line, reason)
        closed = self._reporter.report(segment, segment.tracker.finish(), self._limits)
        return join_outcomes([closed, self._end_shade(segment), Outcome(gaps=(gap,)), self._check_account()])

    @property
    def _cell_px(self) -> int:
        return self._model.config.tiling.cell_px

    def _breaks(self, item: Frame | Lost) -> bool:
        """Whether the segment ends before a piece of web."""
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
        # The features of the backbone reach further than such a strip is wide.
        if frame.width_px < NARROWEST_CLOTH_PX:
            reason = (
                f"{frame.source} is {frame.width_px} px wide; less than {NARROWEST_CLOTH_PX} px cannot be inspected"
            )
            return join_outcomes([self._end_segment(), self._lose(Lost(frame.lines, reason, frame.source))])
        self._reporter.add_source(SourceSpan(frame.source, self.line, self.line + frame.lines, frame.width_px))
        if not self._recipe.find_shade:
            return self._inspect_lines(frame.image)
        return join_outcomes([self._inspect_run(frame, run) for run in runs_of_lines(frame.image)])

    def _inspect_run(self, frame: Frame, run: LineRun) -> Outcome:
        """Lines that show something are inspected, the others are a gap."""
        if run.blank is None:
            return self._inspect_lines(frame.image[run.first : run.end])
        lines = run.end - run.first
        return join_outcomes([self._end_segment(), self._lose(Lost(lines, _BLANK[run.blank], frame.source))])

    def _inspect_lines(self, image: Image) -> Outcome:
        first = self.line
        self.line += len(image)
        outcomes = []
        if self._next_model is not None:
            # The model before still owes the lines that fill its last row of cells.
            still = self._segment.lines_before_change(first) if self._segment is not None else 0
            if still < len(image):
                outcomes += [self._score(image[:still]), self._change_model(self._next_model, first + still)]
                first, image = first + still, image[still:]
        if self._segment is None:
            self._segment = self._begin_segment(first, image.shape[1])
        return join_outcomes([*outcomes, self._score(image)])

    def _begin_segment(self, line: int, width_px: int) -> Segment:
        self._reporter.begin_segment()
        recent = RecentWeb(width_px, self._model.config.tiling.tile_px)
        return Segment(
            line,
            width_px,
            WebInspection(self._model.detector, self._model.config, self._baseline, self._fabric),
            RegionTracker(RegionConfig(self._threshold, is_relative=self._model.config.baseline.enabled)),
            recent,
            self._cell_px,
            SampleTiles(recent, self._scale.mm_per_line) if self._keep_tiles else None,
            self._begin_shade(width_px) if self._recipe.find_shade else None,
        )

    def _begin_shade(self, width_px: int) -> SegmentShade:
        cell = self._cell_px
        columns = self._columns
        if columns is not None and len(columns.profile) != ceil_to(width_px, cell) // cell:
            columns = None
        return SegmentShade(
            ShadeConfig(self._recipe.shade_percent),
            CellScale(self._scale.width_mm(cell), self._scale.length_mm(cell)),
            self._threshold,
            columns,
        )

    def _score(self, image: Image) -> Outcome:
        segment = self._segment
        if segment is None or len(image) == 0:
            return Outcome()
        return join_outcomes([self._take_rows(segment, rows) for rows in segment.web.push(image)])

    def _change_model(self, model: RollModel, line: int) -> Outcome:
        """The next model goes on from a line of the roll."""
        segment = self._segment
        outcomes = [self._take_rows(segment, rows) for rows in segment.web.finish()] if segment is not None else []
        self._model, self._next_model = model, None
        self._baseline, self._fabric = None, None
        self._cloth = ClothRemarks(model.detector.calibrations, model.config.fabric)
        if segment is not None:
            web = WebInspection(model.detector, model.config)
            segment.go_on_with(web, line, _BANDS_SHOWN * model.config.tiling.tile_px)
        remark = self._remark("model", "", f"the model {model.identity} judges from here on", line)
        return join_outcomes([*outcomes, Outcome(remarks=(remark,))])

    def _end_segment(self) -> Outcome:
        segment = self._segment
        if segment is None:
            return Outcome()
        outcomes = [self._take_rows(segment, rows) for rows in segment.web.finish()]
        closed = self._reporter.report(segment, segment.tracker.finish(), self._limits)
        shade = self._end_shade(segment)
        # A gap does not change the cloth: the next segment of this web goes on with what is known of it.
        self._baseline, self._fabric, self._segment = segment.web.baseline, segment.web.fabric, None
        return join_outcomes([*outcomes, closed, shade])

    def _take_rows(self, segment: Segment, rows: ScoredRows) -> Outcome:
        """Finished rows as a band, and what follows from it. The order counts: the recipe of the cloth holds for the
        regions of these rows already, and a defect is cut out of the web while it is in memory.
        """
        is_short = len(rows.image) < NARROWEST_CLOTH_PX
        new = segment.newly_scored(rows)
        if new is None:
            return Outcome()
        fabric = self._model.fabrics[new.fabric] if inspected_lines_of(new).any() else None
        self._fabric_name = fabric or self._fabric_name
        band = ScoredBand(segment.web_line + new.first_line, new, fabric)
        self._account.add_band(band, self._model.config)
        segment.recent.add(band)
        self.tiles += new.tiles
        return join_outcomes(
            [
                Outcome(bands=(band,)),
                self._read_cloth(band),
                self._find_gaps(band, is_short=is_short),
                self._take_shade(segment, segment.shade.push(new)) if segment.shade is not None else Outcome(),
                self._reporter.take_rows(segment, band, self._limits),
                self._follow_rate(band),
            ]
        )

    def _take_shade(self, segment: Segment, found: ShadeFindings) -> Outcome:
        """Darker and lighter places as defects, and what the light did as remarks."""
        remarks = [
            self._remark("light", self._fabric_name, light_text(event), segment.first_line + event.row * self._cell_px)
            for event in found.events
        ]
        defects = self._reporter.report_shade(segment, found.regions, self._limits)
        return join_outcomes([defects, Outcome(remarks=tuple(remarks))])

    def _end_shade(self, segment: Segment) -> Outcome:
        """What is left of the shade of a segment; the next one goes on with its columns."""
        if segment.shade is None:
            return Outcome()
        found = self._take_shade(segment, segment.shade.finish())
        self._columns = segment.shade.memory
        return found

    def _read_cloth(self, band: ScoredBand) -> Outcome:
        """What the cloth of a band says: whose recipe holds, and what is to be remarked."""
        if band.fabric is None:
            return Outcome()
        followed = self._follow_recipe(self._active_recipe.follow_cloth(band.fabric), band.first_line)
        followed = join_outcomes([self._say_what_is_ignored(band.first_line), followed])
        remarks = self._cloth.read(band.rows, band.first_line, self._scale)
        return join_outcomes([followed, Outcome(remarks=tuple(remarks))])

    def _follow_recipe(self, text: str | None, line: int) -> Outcome:
        """Other limits hold, which ``text`` says."""
        if text is None:
            return Outcome()
        recipe = self._active_recipe.now
        if recipe.threshold != self._recipe_threshold:  # else what a hand has set stays
            self._recipe_threshold = recipe.threshold
            self._set_threshold(recipe.threshold)
        return Outcome(remarks=(self._remark("recipe", recipe.fabric or "", text, line),))

    def _say_what_is_ignored(self, line: int) -> Outcome:
        """Once in a roll: cloth that nobody looks at is told, whoever has ordered it."""
        if not self._recipe.ignored or self._has_said_what_is_ignored:
            return Outcome()
        self._has_said_what_is_ignored = True
        lanes = lanes_as_text(self._recipe.ignored)
        text = f"not inspected, as the recipe says: {lanes} (mm from the edge of the cloth)"
        return Outcome(remarks=(self._remark("recipe", self._recipe.fabric or "", text, line),))

    def _follow_rate(self, band: ScoredBand) -> Outcome:
        """The cloth teaches what it scores; where the recipe wants a rate of false alarms, the threshold follows."""
        recipe = self._active_recipe.now
        new = self._wanted_rate.take(band, recipe, self._model.identity, self._threshold)
        if new is None:
            return Outcome()
        self._set_threshold(new.value)
        return Outcome(remarks=(self._remark("recipe", band.fabric or "", new.text, band.end_line),))

    def _find_gaps(self, band: ScoredBand, *, is_short: bool) -> Outcome:
        """Lines of a band where nothing was inspected."""
        reason = "no cloth found in view"
        if is_short and band.fabric is None:
            reason = f"too short: {len(band.rows.image)} lines"
        missing = runs_of(~inspected_lines_of(band.rows))
        return Outcome(gaps=tuple(self._gap(band.first_line + a, b - a, reason) for a, b in missing))

    @property
    def _limits(self) -> Limits:
        """What holds now."""
        min_area_mm2 = self._active_recipe.now.min_area_mm2
        return Limits(self._scale, self.line, self._fabric_name, self._threshold, min_area_mm2)

    def _remark(self, kind: RemarkKind, fabric: str, text: str, line: int) -> Remark:
        return Remark(kind, fabric, line, self._scale.position_m(line), text)

    def _gap(self, first_line: int, lines: int, reason: str) -> Gap:
        length_m = self._scale.length_mm(lines) / 1000.0
        gap = Gap(first_line, lines, self._scale.position_m(first_line), length_m, reason)
        self._account.add_gap(gap)
        return gap

    def _check_account(self) -> Outcome:
        """The roll is over: whether all of it was inspected or recorded as a gap."""
        problem = self._account.problem(self.line)
        if problem is None:
            return Outcome()
        logger.error("%s", problem)
        return Outcome(remarks=(self._remark("unaccounted", "", problem, self.line),))
