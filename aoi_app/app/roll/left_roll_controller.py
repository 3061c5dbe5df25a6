"""A roll that an earlier program has left without ending it: before the first roll begins, the person is asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from sqlalchemy import Engine

from aoi_app.app.ground.asker import Asker
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.records.errors import RecordsError
from aoi_app.records.upkeep.left_roll import LeftRoll, end_left_roll, latest_left_roll
from aoi_app.settings.printable import printable
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import make_source
from aoi_app.ui.main.question_bar import Answer, Question

_GO_ON, _END, _LATER = "go_on", "end", "later"


class LeftRollController(QObject):
    """Only the first roll of a program can be one that goes on: later ones are begun by a person who knows what ran."""

    def __init__(self, asker: Asker, notifier: Notifier, engine: Engine, roll: RollController) -> None:
        super().__init__()
        self._asker, self._notifier, self._engine, self._roll = asker, notifier, engine, roll

    def begin(self, begin: Callable[[], object]) -> None:
        """Begins a roll, after a question where one was left; ``begin`` begins a new one."""
        left = self._left() if self._roll.session is None else None
        if left is None:
            begin()
            return
        question = Question(
            f"Roll {printable(left.title)} was not ended. It stands at {left.position_m:.1f} m. "
            "No roll runs until you answer.",
            (Answer(_GO_ON, "Go on with this roll"), Answer(_END, "End it, start a new roll")),
            _LATER,
        )
        self._asker.ask(question, lambda key: self._answered(key, left, begin))

    def _answered(self, key: str, left: LeftRoll, begin: Callable[[], object]) -> None:
        if key == _GO_ON:
            self._roll.go_on_with(left)
        elif key == _END:
            try:
                end_left_roll(self._engine, left.roll_id)
            except RecordsError as error:
                self._notifier.warn(str(error))
            begin()
        else:
            self._notifier.note("No roll was begun. Start (F5) asks again.")

    def _left(self) -> LeftRoll | None:
        try:
            source = make_source(self._roll.choice, self._roll.recipe_of_line).name
        except SourceError:  # told when a roll is to begin with it
            return None
        try:
            return latest_left_roll(self._engine, source)
        except RecordsError as error:
            self._notifier.warn(str(error))
            return None
