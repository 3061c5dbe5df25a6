"""A second window on the same data says who has it, before it begins a roll."""

from __future__ import annotations

from collections.abc import Callable

from aoi_app.app.ground.asker import Asker
from aoi_app.settings.folder_holder import Hold, Holder
from aoi_app.settings.folders import data_folder
from aoi_app.ui.main.question_bar import Answer, Question

_CLOSE, _USE, _STAY = "close", "use", "stay"


class SecondWindow:
    """
    Attributes:
        other: who has the data already; None where nobody has.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._hold = Hold(data_folder(), "window")
        self.other: Holder | None = self._hold.take()

    def begin(self, begin: Callable[[], object], close: Callable[[], object]) -> None:
        """Begins, after a question where another window has the data."""
        if self.other is None:
            begin()
            return
        question = Question(
            f"Another window of this program uses the same records, samples and models ({self.other}). "
            "No roll was begun here.",
            (Answer(_CLOSE, "Close this window"), Answer(_USE, "Use both windows")),
            _STAY,
        )
        answers = {_CLOSE: close, _USE: begin}
        self._asker.ask(question, lambda key: answers[key]() if key in answers else None)

    def give_back(self) -> None:
        """The program ends."""
        self._hold.give_back()
