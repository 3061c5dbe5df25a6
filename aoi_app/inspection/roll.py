"""One roll, from frames to defects: the whole way without threads, window, torch or database.

What happens to a frame: ``push`` gives its lines to the segment, which scores them a band at a time; ``BandOutcomes``
makes of each band what the outcome tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aoi_app.inspection.account import Balance
from aoi_app.inspection.band_outcomes import BandOutcomes
from aoi_app.inspection.imaging.imaging_watch import ImagingSetup
from aoi_app.inspection.reporting.outcome import Outcome, join_outcomes
from aoi_app.inspection.roll_model import RollModel, make_roll_model
from aoi_app.inspection.roll_start import FIRST_LINE, RollStart
from aoi_app.inspection.threshold.roll_threshold import RollThreshold
from aoi_app.inspection.threshold.wanted_rate import WantedRate
from aoi_app.inspection.web.recent_web import RecentWeb
from aoi_app.inspection.web.sample_tiles import SampleTiles
from aoi_app.inspection.web.segment import Segment
from aoi_app.inspection.web.segment_shade import SegmentShade
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.running_tails import RunningTails
from aoi_app.sources.frame import Frame, Lost
from cras_core.arrays import Image
from cras_core.shade.blank_lines import Blank, LineRun, is_same_picture, runs_of_lines
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.warp import ColumnMemory
from cras_core.web.baseline import RunningBaseline
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.protocols import TileDetector
from cras_core.web.regions import RegionConfig, RegionTracker
from cras_core.web.scoring import WebInspection
from cras_core.web.tiling import TilingConfig, ceil_to

_BLANK: dict[Blank, str] = {
    "black": "the camera saw nothing: black lines; check lamp, lens cover and exposure",
    "white": "the camera saw nothing: overexposed lines; check lamp and exposure",
    "frozen": "the camera delivers the same picture again and again; check it, its trigger and its driver",
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
        imaging: ImagingSetup | None = None,
        start: RollStart = FIRST_LINE,
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
            imaging: how the camera saw earlier cloth; None where nothing is known of it, and nothing kept.
            start: where the inspection begins, of a roll that goes on.

        Raises:
            RecipeError: the recipe names a fabric that the model does not know; the text lists those it knows.
        """
        self._recipe = recipe
        self._model = make_roll_model(detector, identity, tiling, recipe)
        self._next_model: RollModel | None = None
        self._threshold = RollThreshold(recipe, own_recipes or {}, wanted_rate or WantedRate(RunningTails(None)))
        self._bands = BandOutcomes(recipe, self._model, self._threshold, imaging, start)
        self._segment: Segment | None = None
        self._baseline: RunningBaseline | None = None  # of the web, handed on from segment to segment
        self._fabric: int | None = None  # likewise, the one that was matched
        self._columns: ColumnMemory | None = None  # likewise, how bright they were
        self._keep_tiles = keep_tiles
        self._picture: Image | None = None  # of the latest frame
        self.line = start.line
        """Lines of the roll that were taken in, lost ones included."""

    @property
    def inspected_lines(self) -> int:
        """Lines whose cloth was scored."""
        return self._bands.inspected_lines

    @property
    def balance(self) -> Balance:
        """What has become of every line and every cell of cloth so far."""
        return self._bands.balance(self.line)

    @property
    def told_line(self) -> int:
        """Line of the roll before which every defect was told. A program that is killed leaves no more of the roll
        unknown than what comes from here on.
        """
        return self.line if self._segment is None else self._segment.told_line(self._bands.complete_line)

    @property
    def bands(self) -> BandOutcomes:
        """What the finished rows have come to: doubts about the cloth, the latest proof of the line."""
        return self._bands

    @property
    def promised_threshold(self) -> float:
        """The threshold that the recipe or the wanted rate gives; a hand may have set another one."""
        return self._threshold.promised

    @property
    def threshold(self) -> float:
        """Score from which a place is a defect; holds for cloth that is still to come."""
        return self._threshold.value

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._threshold.set_by_hand(value)
        if self._segment is not None:
            self._segment.set_threshold(value)

    def use_recipes(self, standard: Recipe, own: Mapping[str, Recipe]) -> Outcome:
        """Recipes were edited: threshold and smallest defect of the one that holds act on cloth still to come; the rest
        is for the next roll.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        told = self._bands.take_edits(standard, own, self.line)
        if self._segment is not None:
            self._segment.set_threshold(self._threshold.value)
        return told

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

    def be_taught(
        self, detector: TileDetector, identity: str, tiling: TilingConfig, fabric: str, rests_on: str
    ) -> None:
        """As ``use_detector``, with a model that the first cloth of this roll has taught: what comes is compared with
        ``fabric``, which is that cloth, as if it had been ordered, until another model is used.

        Args:
            detector, identity, tiling: as for ``use_detector``.
            fabric: name of the cloth in the model.
            rests_on: what the model rests on, for a person.
        """
        self.check_detector(detector, tiling)
        recipe = self._recipe.model_copy(update={"fabric": fabric})
        self._next_model = replace(make_roll_model(detector, identity, tiling, recipe), taught=rests_on)

    def remark_model(self, text: str) -> Outcome:
        """A sentence on the model, in the records at the line that the roll has come to."""
        return self._bands.remark("model", "", text, self.line)

    def push(self, item: Frame | Lost) -> Outcome:
        """Takes the next piece of web."""
        before = self._end_segment() if self._breaks(item) else Outcome()
        if item.starts_web:
            self._begin_web()
        return join_outcomes([before, self._lose(item) if isinstance(item, Lost) else self._inspect(item)])

    def splice(self) -> Outcome:
        """The cloth is spliced at the line that comes next: what follows is another web, and nothing that was learnt of
        the one before holds for it.
        """
        ended = self._end_segment()
        self._begin_web()
        told = self._bands.remark("splice", "", "splice, marked by the operator", self.line)
        return join_outcomes([ended, told])

    def finish(self) -> Outcome:
        """Ends the roll: everything that is still open is closed."""
        return join_outcomes([self._end_segment(), self._bands.end_roll(self.line)])

    def give_up(self, reason: str, waiting: Iterable[Frame | Lost] = ()) -> Outcome:
        """Ends the roll without the detector, which has failed: what was not scored becomes a gap, and so does what was
        ``waiting`` to be pushed.
        """
        segment, self._segment = self._segment, None
        closed = self._bands.give_up(segment, self.line, reason) if segment is not None else Outcome()
        lost = [self._lose(Lost(item.lines, reason, item.source)) for item in waiting]
        return join_outcomes([closed, *lost, self._bands.end_roll(self.line)])

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

    def _begin_web(self) -> None:
        self._baseline, self._fabric, self._columns = None, None, None
        self._bands.begin_web()

    def _lose(self, lost: Lost) -> Outcome:
        if lost.is_wanted:
            self._bands.forget_proof()
        gap = self._bands.gap(self.line, lost.lines, lost.reason, is_wanted=lost.is_wanted)
        self.line += lost.lines
        return gap

    def _inspect(self, frame: Frame) -> Outcome:
        # The features of the backbone reach further than such a strip is wide.
        if frame.width_px < NARROWEST_CLOTH_PX:
            reason = (
                f"{frame.source} is {frame.width_px} px wide; less than {NARROWEST_CLOTH_PX} px cannot be inspected"
            )
            return join_outcomes([self._end_segment(), self._lose(Lost(frame.lines, reason, frame.source))])
        self._bands.add_source(SourceSpan(frame.source, self.line, self.line + frame.lines, frame.width_px))
        if not self._recipe.find_shade:
            return self._inspect_lines(frame.image)
        before, self._picture = self._picture, frame.image
        if not frame.starts_web and is_same_picture(frame.image, before):
            return self._inspect_run(frame, LineRun(0, frame.lines, "frozen"))
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
        self._bands.begin_segment()
        recent = RecentWeb(width_px, self._model.config.tiling.tile_px)
        return Segment(
            line,
            width_px,
            WebInspection(self._model.detector, self._model.config, self._baseline, self._fabric),
            RegionTracker(RegionConfig(self._threshold.value, is_relative=self._model.config.baseline.enabled)),
            recent,
            self._cell_px,
            SampleTiles(recent, self._bands.scale.mm_per_line) if self._keep_tiles else None,
            self._begin_shade(width_px) if self._recipe.find_shade else None,
        )

    def _begin_shade(self, width_px: int) -> SegmentShade:
        cell, scale = self._cell_px, self._bands.scale
        columns = self._columns
        if columns is not None and len(columns.profile) != ceil_to(width_px, cell) // cell:
            columns = None
        return SegmentShade(
            ShadeConfig(self._recipe.shade_percent),
            CellScale(scale.width_mm(cell), scale.length_mm(cell)),
            self._threshold.value,
            columns,
        )

    def _score(self, image: Image) -> Outcome:
        segment = self._segment
        if segment is None or len(image) == 0:
            return Outcome()
        return join_outcomes([self._bands.take(segment, rows, self.line) for rows in segment.web.push(image)])

    def _change_model(self, model: RollModel, line: int) -> Outcome:
        """The next model goes on from a line of the roll."""
        segment = self._segment
        ended = self._rest_of(segment) if segment is not None else Outcome()
        self._model, self._next_model = model, None
        self._baseline, self._fabric = None, None
        told = self._bands.use_model(model, line)
        if segment is not None:
            web = WebInspection(model.detector, model.config)
            segment.go_on_with(web, line, _BANDS_SHOWN * model.config.tiling.tile_px)
        return join_outcomes([ended, told])

    def _rest_of(self, segment: Segment) -> Outcome:
        """The rows that the web of a segment still owes."""
        return join_outcomes([self._bands.take(segment, rows, self.line) for rows in segment.web.finish()])

    def _end_segment(self) -> Outcome:
        segment = self._segment
        if segment is None:
            return Outcome()
        rest = self._rest_of(segment)
        closed = self._bands.end_segment(segment, self.line)
        # A gap does not change the cloth: the next segment of this web goes on with what is known of it.
        self._baseline, self._fabric, self._segment = segment.web.baseline, segment.web.fabric, None
        if segment.shade is not None:
            self._columns = segment.shade.memory
        return join_outcomes([rest, closed])
