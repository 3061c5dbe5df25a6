"""The page of the operator: carries news from the line to the views, and what is asked there to whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from aoi_app.alarms.condition import NO_ROLL
from aoi_app.app.pages.cloth_marking import ClothMarking
from aoi_app.app.pages.latest_defect import LatestDefect
from aoi_app.app.pages.program import Program
from aoi_app.app.pages.review_controller import ReviewController
from aoi_app.inspection import overlay
from aoi_app.inspection.findings.defects import Defect, Remark
from aoi_app.inspection.roll_model import ignored_lanes
from aoi_app.inspection.web.web_history import WebHistory
from aoi_app.live.session import Session
from aoi_app.live.state import News, Snapshot, State
from aoi_app.records.errors import RecordsError
from aoi_app.records.recorded_defects import read_defects
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.records.upkeep.left_roll import LeftRoll
from aoi_app.settings.recipe import Recipe
from aoi_app.ui.line.line_page import LinePage

_THRESHOLD_STEP = 0.05
_SHOWN_ELSEWHERE = ("camera", "mismatch", "unaccounted", "unknown", "level", "proof")
"""Kinds of remarks that are alarms or figures."""


class LineController(QObject):
    """
    Attributes:
        page: the page.

    Signals:
        remarked: remarks of the running roll, a sequence of Remark.
        reviewed: Defect and Review; what was recorded of a defect.
    """

    remarked = Signal(object)
    reviewed = Signal(object, object)

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self.page = LinePage(program.window.actions_by_key)
        self._history = WebHistory()
        self._marks = overlay.DefectMarks()
        self._cloth_marking = ClothMarking(program, self.page.live_view)
        self._is_relative = True  # of the roll that is shown
        self._threshold_is_of_cloth = False  # the slider has followed a recipe, not a hand
        self._latest_defect = LatestDefect(program, self.page)
        self._connect()
        self._show_settings()

    @property
    def is_at_rest(self) -> bool:
        """It has no thread."""
        return True

    def close(self) -> None:
        """Nothing of it has to be ended."""

    def _connect(self) -> None:
        program, page = self._program, self.page
        page.threshold_changed.connect(self._threshold_changed)
        page.threshold_proposed.connect(self._threshold_proposed)
        page.opacity_changed.connect(self._opacity_changed)
        view, table = page.live_view, page.table
        view.followed.connect(program.window.actions_by_key["follow"].setChecked)
        view.place_chosen.connect(table.select_at)
        table.chosen.connect(self._show_defect)
        reviews = self._reviews = ReviewController(
            ReviewRecorder(program.engine),
            lambda: program.roll.roll_id,
            table.defects.set_review,
            program.notifier.warn,
            self.reviewed.emit,
        )
        table.decided.connect(reviews.decide)
        table.type_named.connect(reviews.name_type)
        bridge = program.bridge
        bridge.ticked.connect(view.tick)
        bridge.news_came.connect(self._show_news)
        bridge.snapshot_taken.connect(self._show_snapshot)
        program.line_model.loading.connect(self._loading)
        program.line_model.changed.connect(self._loaded)
        program.line_model.refused.connect(self._loaded)
        program.roll.ending.unreviewed = lambda: table.unreviewed
        program.roll.begins.connect(self._clear)
        program.roll.began.connect(self._begun)
        program.roll.went_on.connect(self._went_on)
        program.roll.ended.connect(self._ended)
        program.defect_types.changed.connect(self._show_defect_types)
        program.recipes.line_changed.connect(self._recipe_changed)

    def _show_settings(self) -> None:
        actions = self._program.window.actions_by_key
        for key in ("heat", "follow"):
            actions[key].setChecked(True)
        opacity = self._program.settings.now.heat_opacity
        self.page.set_opacity(opacity)
        recipe = self._program.recipes.book.line
        self.page.set_threshold(recipe.threshold)
        self.page.live_view.set_scale(recipe.mm_per_px, recipe.line_mm)
        self.page.live_view.set_heat(True, opacity)
        self._show_defect_types()

    # --- what a person asks for -----------------------------------------------------------------------------------

    def answers(self) -> dict[str, Callable[[], object]]:
        """To the actions of the main window that concern this page."""
        actions, page = self._program.window.actions_by_key, self.page
        return {
            "follow": lambda: page.live_view.follow(actions["follow"].isChecked()),
            "next": lambda: page.table.move(1),
            "previous": lambda: page.table.move(-1),
            "heat": lambda: self._opacity_changed(self._program.settings.now.heat_opacity),
            "unlock": page.threshold_control.unlock,
            "lower": lambda: self._step_threshold(-_THRESHOLD_STEP),
            "raise": lambda: self._step_threshold(_THRESHOLD_STEP),
            "table": page.table.setFocus,
            "confirm": lambda: self._about_defect(page.table.decide("confirmed")),
            "reject": lambda: self._about_defect(page.table.decide("rejected")),
            "clear_verdict": lambda: self._about_defect(page.table.decide("")),
            "name_type": lambda: self._about_defect(page.table.ask_type()),
            "leave_out": lambda: self._cloth_marking.mark_lane(actions["leave_out"].isChecked()),
            "measure": lambda: self._program.recipes.ask_to_measure(actions["measure"].isChecked()),
        }

    def _show_defect_types(self) -> None:
        self.page.table.set_types(self._program.defect_types.now)

    def _about_defect(self, one_is_chosen: bool) -> None:
        if not one_is_chosen:
            self._program.notifier.note("Choose a defect in the table first.")

    def _threshold_changed(self, value: float) -> None:
        self._threshold_is_of_cloth = False
        session = self._program.roll.session
        if session is not None:
            session.set_threshold(value)
        self._threshold_shown()

    def _step_threshold(self, by: float) -> None:
        if not self.page.threshold_control.step(by):
            self._program.notifier.note("The threshold is locked. Unlock it first (L).")

    def _threshold_proposed(self, value: float) -> None:
        """What is on the screen, under the threshold that holds and under the one that a person tries out."""
        now, then = (len(self._marks_at(threshold)) for threshold in (self.page.threshold, value))
        self.page.threshold_control.show_effect(
            f"On the cloth that is shown: {now} defects with {self.page.threshold:.2f}, {then} with {value:.2f}. "
            "It holds for what is to come; what is recorded stays."
        )

    def _opacity_changed(self, value: float) -> None:
        self._program.settings.change(heat_opacity=value)
        self.page.live_view.set_heat(self._program.window.actions_by_key["heat"].isChecked(), value)

    # --- what is shown of a roll ----------------------------------------------------------------------------------

    def _clear(self, recipe: Recipe) -> None:
        """A roll begins: what is shown of the one before goes."""
        if self._threshold_is_of_cloth:
            self.page.set_threshold(recipe.threshold)
        self._is_relative = recipe.relative
        self._program.window.say("", is_alarm=False)
        self.page.table.defects.clear()
        self._latest_defect.clear()
        self._history.clear()
        self._marks.clear()
        self.page.live_view.show_picture(None)
        self.page.live_view.set_scale(recipe.mm_per_px, recipe.line_mm)
        self.page.live_view.set_ignored(ignored_lanes(recipe))
        self.page.live_view.follow(True)
        self._program.window.actions_by_key["follow"].setChecked(True)

    def _loading(self) -> None:
        if self._program.roll.session is None:  # else a roll runs, or it is said what the last one was worth
            self._program.window.condition.show_loading()

    def _loaded(self) -> None:
        if self._program.roll.session is None:
            self._program.window.condition.show_status(NO_ROLL)

    def _begun(self, session: Session) -> None:
        session.set_threshold(self.page.threshold)

    def _went_on(self, left: LeftRoll) -> None:
        """What an earlier program has found of this roll is in the table as well."""
        try:
            found = read_defects(self._program.engine, left.roll_id)
        except RecordsError as error:
            self._program.notifier.warn(str(error))
            return
        defects = self.page.table.defects
        defects.add([defect for defect, _ in found])
        self._latest_defect.go_on([defect for defect, _ in found])
        for defect, review in found:
            if review.reviewed_at is not None:
                defects.set_review(defect.number, review)

    def _recipe_changed(self, recipe: Recipe) -> None:
        if not self._program.roll.is_running:
            self.page.set_threshold(recipe.threshold)

    def _ended(self, session: Session) -> None:
        snapshot = session.snapshot()
        self._show_snapshot(snapshot)
        if session.state is State.ENDED:
            self._program.window.condition.show_worth(snapshot.roll_id, snapshot.worth, snapshot.defects)

    def _show_news(self, news: News) -> None:
        table = self.page.table
        table.defects.add(news.defects)
        table.defects.remove(news.withdrawn)  # last: it may have been found since the last look
        self._marks.take(news.defects, news.withdrawn)
        for band in news.bands:
            self._history.add(band)
        if news.bands:
            self.page.live_view.show_picture(self._history.picture())
        self._latest_defect.take(news.defects, news.withdrawn)
        if news.bands or news.defects or news.withdrawn:
            self._show_marks()
        if news.remarks:
            self._tell(news.remarks)
            self.remarked.emit(news.remarks)

    def _tell(self, remarks: Sequence[Remark]) -> None:
        """The latest remark; what there is to say of the camera stays beside what the first cloth has to say."""
        notifier, roll = self._program.notifier, self._program.roll
        of_camera = [r.text for r in remarks if r.kind == "camera"]
        if of_camera:
            notifier.keep(" ".join(of_camera))
        # What stays wrong is told by the condition of the line and its alarms.
        of_cloth = [f"At {r.position_m:.2f} m {r.text}." for r in remarks if r.kind not in _SHOWN_ELSEWHERE]
        if of_cloth:
            notifier.note(of_cloth[-1])
        if any(r.kind == "recipe" for r in remarks) and roll.session is not None:
            self._threshold_is_of_cloth = True
            self.page.show_threshold(roll.session.snapshot().threshold)
            self._threshold_shown()

    def _threshold_shown(self) -> None:
        self.page.live_view.set_threshold(self.page.threshold)

    def _show_marks(self) -> None:
        picture = self._history.picture()
        if picture is not None:
            self._marks.forget_before(picture.first_line)
            self.page.live_view.show_marks(self._marks.marks())

    def _marks_at(self, threshold: float) -> list[overlay.Mark]:
        """The boxes that there would be on the cloth in memory under a threshold."""
        picture = self._history.picture()
        if picture is None:
            return []
        marks = overlay.find_marks(
            picture.score,
            picture.first_line,
            picture.cell_px,
            threshold,
            is_relative=self._is_relative,
        )
        return [*marks, *self._marks.marks_of_shade(threshold)]

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self.page.figures.show_snapshot(snapshot)
        self._latest_defect.show(snapshot)
        self._program.window.show_snapshot(snapshot)
        self._program.notifier.tick()

    def _show_defect(self, defect: Defect) -> None:
        middle_px = (defect.left_px + defect.right_px) / 2
        line = min((defect.first_line + defect.end_line) / 2, defect.first_line + 400)
        if not self.page.live_view.jump(line, middle_px):
            self._program.notifier.note(
                f"Defect {defect.number} at {defect.position_m:.2f} m is no longer on the screen; "
                "its picture is in the table."
            )
