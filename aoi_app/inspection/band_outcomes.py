"""What finished rows of a web come to: a band for the views, defects, gaps, remarks, and the account of it all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from aoi_app.inspection.account import Account, Balance
from aoi_app.inspection.cloth.remarks import ClothRemarks, light_text
from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.findings.defects import Gap, Remark, RemarkKind
from aoi_app.inspection.imaging.imaging_watch import ImagingSetup, ImagingWatch
from aoi_app.inspection.line_proof import LineProof, Prover
from aoi_app.inspection.reporting.outcome import Outcome, join_outcomes
from aoi_app.inspection.reporting.reporting import DefectReporter, Limits
from aoi_app.inspection.roll_model import RollModel
from aoi_app.inspection.roll_start import FIRST_LINE, RollStart
from aoi_app.inspection.threshold.roll_threshold import RollThreshold
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.segment import Segment, inspected_lines_of
from aoi_app.inspection.web.segment_shade import ShadeFindings
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.inspection.web.web_scale import WebScale
from aoi_app.inspection.web.width_curve import WidthCurve
from aoi_app.settings.ignored_lanes import lanes_as_text
from aoi_app.settings.recipe import Recipe
from cras_core.arrays import runs_of
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.scoring import ScoredRows

logger = logging.getLogger(__name__)


class BandOutcomes:
    """
    Attributes:
        scale: of the web that runs.
        tiles: that were scored.
        imaging: how the camera sees the cloth.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: RollModel,
        threshold: RollThreshold,
        imaging: ImagingSetup | None = None,
        start: RollStart = FIRST_LINE,
    ) -> None:
        """
        Args:
            recipe: settings of the roll.
            model: that scores it.
            threshold: of the roll; follows the cloth that is taken.
            imaging: how the camera saw earlier cloth; None where nothing is known of it, and nothing kept.
            start: where the inspection begins.
        """
        self._recipe, self._model, self._threshold = recipe, model, threshold
        self.scale = WebScale(recipe.mm_per_px, recipe.line_mm)
        self.tiles = 0
        self._fabric_name = ""  # of the cloth that was scored last
        self._reporter = DefectReporter(start.last_number)
        self._cloth = ClothRemarks(model.detector.calibrations, model.config.fabric)
        self._account = Account(start.balance)
        self._prover = Prover(recipe)
        self.imaging = ImagingWatch(imaging or ImagingSetup(), self.scale)
        self._width = WidthCurve()
        self._has_said_what_is_ignored = False

    @property
    def inspected_lines(self) -> int:
        """Lines whose cloth was scored."""
        return self._account.inspected_lines

    @property
    def doubts(self) -> tuple[ClothDoubt, ...]:
        """What speaks against comparing the cloth that was scored last with its fabric."""
        return self._cloth.doubts

    @property
    def line_proof(self) -> LineProof | None:
        """What the line was last shown to see; None before the first proof."""
        return self._prover.latest

    @property
    def last_number(self) -> int:
        """The highest number of a defect so far."""
        return self._reporter.last_number

    @property
    def complete_line(self) -> int:
        """Line of the roll up to which bands were given out."""
        return self._reporter.complete_line

    def balance(self, lines: int) -> Balance:
        """The account of the roll, which has come to so many lines."""
        return self._account.balance(lines)

    def forget_proof(self) -> None:
        """The line stood still or was changed: it is to be proven anew."""
        self._prover.forget()

    def add_source(self, span: SourceSpan) -> None:
        """Lines of an image of the source come next."""
        self._reporter.add_source(span)

    def begin_segment(self) -> None:
        """The numbers of regions begin anew."""
        self._reporter.begin_segment()

    def begin_web(self) -> None:
        """Another web begins: what is to be said of its cloth is said anew."""
        self._cloth.forget()
        self.imaging.begin_web()

    def use_model(self, model: RollModel, line: int) -> Outcome:
        """Another model scores from a line of the roll on."""
        self._model = model
        self._cloth = ClothRemarks(model.detector.calibrations, model.config.fabric, model.taught)
        text = f"the model {model.identity} judges from here on" + (f", {model.taught}" if model.taught else "")
        return self.remark("model", "", text, line)

    def take(self, segment: Segment, rows: ScoredRows, end_line: int) -> Outcome:
        """Finished rows as a band, and what follows from it. The order counts: the recipe of the cloth holds for the
        regions of these rows already, and a defect is cut out of the web while it is in memory.

        Args:
            segment: that they are of.
            rows: as the segment's web has scored them.
            end_line: of the roll so far.
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
        read = self._read_cloth(band)
        segment.set_threshold(self._threshold.value)
        limits = self._limits(end_line)
        shade = self._shade(segment, segment.shade.push(new), limits) if segment.shade is not None else Outcome()
        found = self._reporter.take_rows(segment, band, limits)
        text = self._threshold.follow_rate(band, self._model.identity)
        followed = self.remark("recipe", band.fabric or "", text, band.end_line) if text is not None else Outcome()
        segment.set_threshold(self._threshold.value)
        gaps = self._find_gaps(band, is_short=is_short)
        widths = self._width.add(band, self.scale)
        told = replace(band, doubts=self._cloth.doubts if band.fabric is not None else ())
        self.imaging.read(told)
        return join_outcomes(
            [Outcome(bands=(told,), widths=widths), read, gaps, shade, found, followed, self._prove(segment)]
        )

    def end_segment(self, segment: Segment, end_line: int) -> Outcome:
        """A segment is over, of which all rows were taken: what is still open on it is closed."""
        limits = self._limits(end_line)
        closed = self._reporter.report(segment, segment.tracker.finish(), limits)
        if segment.shade is None:
            return closed
        return join_outcomes([closed, self._shade(segment, segment.shade.finish(), limits)])

    def give_up(self, segment: Segment, end_line: int, reason: str) -> Outcome:
        """A segment is over, of which no more rows will come: what was not scored is a gap."""
        first_line = max(segment.first_line, self._reporter.complete_line)
        gap = self.gap(first_line, end_line - first_line, reason)
        return join_outcomes([self.end_segment(segment, end_line), gap])

    def end_roll(self, end_line: int) -> Outcome:
        """The roll is over: whether all of it was inspected or recorded as a gap."""
        self._threshold.keep()
        self.imaging.keep()
        last = Outcome(widths=self._width.finish())
        problem = self._account.balance(end_line).problem
        if problem is None:
            return last
        logger.error("%s", problem)
        return join_outcomes([last, self.remark("unaccounted", "", problem, end_line)])

    def take_edits(self, standard: Recipe, own: Mapping[str, Recipe], line: int) -> Outcome:
        """Recipes were edited; what holds for cloth that is still to come is told where it is another."""
        return self._say_recipe(self._threshold.take_edits(standard, own), line)

    def gap(self, first_line: int, lines: int, reason: str, *, is_wanted: bool = False) -> Outcome:
        """Lines of the roll that were not inspected; ``is_wanted`` says that a person wanted it so."""
        length_m = self.scale.length_mm(lines) / 1000.0
        gap = Gap(first_line, lines, self.scale.position_m(first_line), length_m, reason, is_wanted)
        self._account.add_gap(gap)
        return Outcome(gaps=(gap,))

    def remark(self, kind: RemarkKind, fabric: str, text: str, line: int) -> Outcome:
        """A sentence about the roll from a line on."""
        return Outcome(remarks=(Remark(kind, fabric, line, self.scale.position_m(line), text),))

    def _prove(self, segment: Segment) -> Outcome:
        """What the line sees of a test piece, where that is due."""
        proof = self._prover.prove(segment, self._model, self._threshold.value, self.scale)
        if proof is None:
            return Outcome()
        text = f"the line {proof.text} of those painted on this cloth, at threshold {self._threshold.value:.2f}"
        return self.remark("proof", self._fabric_name, text, proof.line)

    def _limits(self, end_line: int) -> Limits:
        """What holds now."""
        smallest_mm2 = self._threshold.recipe.min_area_mm2
        return Limits(self.scale, end_line, self._fabric_name, self._threshold.value, smallest_mm2)

    def _read_cloth(self, band: ScoredBand) -> Outcome:
        """What the cloth of a band says: whose recipe holds, and what is to be remarked."""
        if band.fabric is None:
            return Outcome()
        ignored = self._say_what_is_ignored(band.first_line)
        followed = self._say_recipe(self._threshold.follow_cloth(band.fabric), band.first_line)
        remarks = self._cloth.read(band.rows, band.first_line, self.scale)
        return join_outcomes([ignored, followed, Outcome(remarks=tuple(remarks))])

    def _say_recipe(self, text: str | None, line: int) -> Outcome:
        """Other limits hold, which ``text`` says."""
        return self.remark("recipe", self._threshold.recipe.fabric or "", text, line) if text is not None else Outcome()

    def _say_what_is_ignored(self, line: int) -> Outcome:
        """Once in a roll: cloth that nobody looks at is told, whoever has ordered it."""
        if not self._recipe.ignored or self._has_said_what_is_ignored:
            return Outcome()
        self._has_said_what_is_ignored = True
        lanes = lanes_as_text(self._recipe.ignored)
        text = f"not inspected, as the recipe says: {lanes} (mm from the edge of the cloth)"
        return self.remark("recipe", self._recipe.fabric or "", text, line)

    def _find_gaps(self, band: ScoredBand, *, is_short: bool) -> Outcome:
        """Lines of a band where nothing was inspected."""
        reason = "no cloth found in view"
        if is_short and band.fabric is None:
            reason = f"too short: {len(band.rows.image)} lines"
        missing = runs_of(~inspected_lines_of(band.rows))
        return join_outcomes([self.gap(band.first_line + a, b - a, reason) for a, b in missing])

    def _shade(self, segment: Segment, found: ShadeFindings, limits: Limits) -> Outcome:
        """Darker and lighter places as defects, and what the light did as remarks."""
        lights = [
            self.remark("light", self._fabric_name, light_text(e), segment.first_line + e.row * segment.cell_px)
            for e in found.events
        ]
        return join_outcomes([self._reporter.report_shade(segment, found.regions, limits), *lights])
