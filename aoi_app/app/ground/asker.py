"""Asks a person one question at a time, below the page, while the roll goes on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from aoi_app.ui.main.question_bar import Question, QuestionBar

Answered = Callable[[str], object]
"""Told the key of the answer."""


class Asker(QObject):
    """A second question takes the place of the first, which is answered by what changes nothing: what a person asks
    for last is what is wanted, and a question that waits unseen behind another would be answered by a stray key.
    """

    def __init__(self, bar: QuestionBar) -> None:
        super().__init__()
        self._bar = bar
        self._answered: Answered | None = None
        bar.answered.connect(self._take)

    def ask(self, question: Question, answered: Answered) -> None:
        """Asks; ``answered`` is called once."""
        self.withdraw()
        self._answered = answered
        self._bar.ask(question)

    def change(self, question: Question) -> None:
        """Other words for the question that is open."""
        self._bar.change(question)

    def withdraw(self) -> None:
        """Takes the open question away, as if it had been answered by what changes nothing."""
        if self._bar.question is not None:
            self._take(self._bar.question.safe)

    def _take(self, key: str) -> None:
        answered, self._answered = self._answered, None
        self._bar.withdraw()
        if answered is not None:
            answered(key)
