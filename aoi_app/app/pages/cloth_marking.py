"""Two clicks on the cloth: the ends of a ruler, or the sides of a lane that is left out."""

from __future__ import annotations

from PySide6.QtCore import QObject

from aoi_app.app.pages.program import Program
from aoi_app.settings.ignored_lanes import IgnoredLaneError, lane_between
from aoi_app.ui.line.live_view import LiveView


class ClothMarking(QObject):
    """Knows what the next two clicks are for."""

    def __init__(self, program: Program, view: LiveView) -> None:
        super().__init__()
        self._program, self._view = program, view
        view.measured.connect(self._two_places_marked)
        program.recipes.measure_asked.connect(self._measure)

    def mark_lane(self, on: bool) -> None:
        """Two clicks on the cloth are the sides of a lane that is left out; not without cloth."""
        self._mark("leave_out", on, "Click on both sides of the lane that shall not be inspected.")

    def _measure(self, on: bool) -> None:
        """Two clicks on the cloth are the ends of a ruler; not without cloth."""
        self._mark(
            "measure", on, "Click on the two ends of a known length on the cloth, straight across the web or along it."
        )

    def _mark(self, key: str, on: bool, what_to_do: str) -> None:
        """The next two clicks are for the action with this key, or no longer."""
        actions, notifier = self._program.window.actions_by_key, self._program.notifier
        if on and self._view.picture is None:
            actions[key].setChecked(False)
            notifier.note("There is no cloth on the screen to mark anything on; begin a roll first.")
            return
        self._view.measure(on)
        for other in ("measure", "leave_out"):
            actions[other].setChecked(on and other == key)
        if on:
            notifier.note(what_to_do)

    def _two_places_marked(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """The two clicks have come; (x px, line) each."""
        if self._program.window.actions_by_key["measure"].isChecked():
            self._program.recipes.measured(begin, end)
            return
        self.mark_lane(on=False)
        picture = self._view.picture
        if picture is None:
            return
        scale = self._program.recipes.book.line.mm_per_px
        try:
            lane = lane_between(begin[0], end[0], picture.cloth_at(begin[1]), scale)
        except IgnoredLaneError as error:
            self._program.notifier.note(str(error))
            return
        self._program.recipes.ask_to_leave_out(lane)
