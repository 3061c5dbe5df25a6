"""The recipes: edited, given to the running roll, and measured with a ruler on the cloth."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.settings.ignored_lanes import MOST_LANES, IgnoredLane
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.settings.scale_dialog import ScaleDialog
from aoi_app.ui.widgets.plain import when_sure


class RecipeController(QObject):
    """
    Attributes:
        book: the recipes.

    Signals:
        changed: some recipe is another one.
        line_changed: Recipe of the next roll, after an edit.
        measure_asked: whether the next two clicks on the cloth are the ends of a ruler.
        scale_changed: somebody has measured or typed another one.
    """

    changed = Signal()
    line_changed = Signal(object)
    measure_asked = Signal(bool)
    scale_changed = Signal()

    def __init__(self, window: MainWindow, notifier: Notifier, book: RecipeBook, roll: RollController) -> None:
        super().__init__()
        self._window, self._notifier, self._roll = window, notifier, roll
        self.book = book

    def thresholds(self) -> tuple[dict[str, float], float]:
        """Of the recipes of fabrics, by fabric, and of the standard one."""
        own = {fabric: recipe.threshold for fabric, recipe in self.book.own.items()}
        return own, self.book.standard.threshold

    def use_threshold(self, fabric: str, threshold: float) -> None:
        """Puts a threshold into the recipe of a fabric; where it has none, it gets one like the standard."""
        book = self.book
        own = book.own.get(fabric, book.standard.model_copy(update={"fabric": fabric, "name": fabric[:80]}))
        self.edit(own.model_copy(update={"threshold": threshold}), is_ordered=book.line.fabric == fabric)

    def edit(self, recipe: Recipe, *, is_ordered: bool) -> None:
        """Takes a recipe as it was edited, and tells from when on it holds.

        Args:
            recipe: of its fabric, or of cloth that has none of its own.
            is_ordered: the work order of the next roll names the fabric of this recipe.
        """
        problem = ""
        before = self.book.line
        if (recipe.mm_per_px, recipe.line_mm) != (before.mm_per_px, before.line_mm):
            self.scale_changed.emit()
        try:
            self.book.edit(recipe, is_ordered=is_ordered)
        except RecipeError as error:
            problem = f"{error}. It holds until the program ends. "
        session = self._roll.session
        if session is not None and not session.state.is_over:
            session.use_recipes(self.book.standard, self.book.own)
            when = "Threshold and smallest defect act at once, everything else from the next roll on."
        else:
            when = "The recipe holds from the next roll on."
        self.changed.emit()
        self.line_changed.emit(self.book.line)
        self._notifier.say(problem + when, is_alarm=bool(problem))

    def ask_to_measure(self, on: bool) -> None:
        """Two clicks on the cloth shall be the ends of a ruler, or no longer."""
        self.measure_asked.emit(on)

    def measured(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Asks for the true length between two places, (x px, line) each, and takes the scale that follows."""
        dialog = ScaleDialog(self.book.line, begin, end, self._window)
        dialog.accepted.connect(lambda: self.edit(dialog.recipe, is_ordered=dialog.recipe.fabric is not None))
        dialog.finished.connect(lambda _: self.measure_asked.emit(False))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_to_leave_out(self, lane: IgnoredLane) -> None:
        """Asks whether a lane that was marked on the cloth shall not be inspected, and puts it into the recipe."""
        recipe = self.book.line
        when_sure(
            self._window,
            "Leave out a lane",
            f"Do not inspect {lane.from_mm:g} to {lane.to_mm:g} mm from the {lane.edge} edge of the cloth?\n\n"
            f"The recipe {recipe.name} keeps it, from the next roll on. What lies there is never reported. "
            "It can be taken out again on the page of the settings.",
            lambda: self._leave_out(lane),
        )

    def _leave_out(self, lane: IgnoredLane) -> None:
        recipe = self.book.line
        if len(recipe.ignored) == MOST_LANES:
            self._notifier.warn(f"The recipe {recipe.name} leaves out {MOST_LANES} lanes already; take one out first.")
            return
        changed = recipe.model_copy(update={"ignored": (*recipe.ignored, lane)})
        self.edit(changed, is_ordered=changed.fabric is not None)
