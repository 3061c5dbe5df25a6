"""A question above the page, so that the cloth stays in sight while it is open."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QWidget

from aoi_app.ui.widgets.keyboard import drop_keyboard, hide_with_keyboard
from aoi_app.ui.widgets.plain import PlainLabel


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        key: what the program calls it.
        text: on its button.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Attributes:
        text: one to three short sentences.
        answers: from left to right. The first is that of the Enter key.
        safe: key of the answer that changes nothing: that of the Esc key.
    """

    text: str
    answers: tuple[Answer, ...]
    safe: str


class QuestionBar(QFrame):
    """Shows one question; hidden while there is none.

    Signals:
        answered: key of the answer.
    """

    answered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("question")
        self._question: Question | None = None
        self._focus_before: QWidget | None = None
        self._text = PlainLabel()
        self._text.setObjectName("question_text")
        self._text.setWordWrap(True)
        self._text.setAccessibleName("Question")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 8, 12, 8)
        self._row.addWidget(self._text, 1)
        self._buttons: list[QPushButton] = []
        self.hide()

    @property
    def question(self) -> Question | None:
        """What is asked now; None while nothing is."""
        return self._question

    def ask(self, question: Question) -> None:
        """Shows a question in place of the one before, and brings the keyboard to its first answer."""
        if self._question is None:
            self._focus_before = QApplication.focusWidget()
        self._show(question)
        self._buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def change(self, question: Question) -> None:
        """Other words for the same question; the keyboard stays where it is."""
        if self._question is None or question == self._question:
            return
        if [a.key for a in question.answers] != [a.key for a in self._question.answers]:
            self.ask(question)
            return
        self._question = question
        self._text.setText(question.text)
        for button, answer in zip(self._buttons, question.answers, strict=True):
            button.setText(answer.text)

    def withdraw(self) -> None:
        """Takes the question away; nothing is announced."""
        if self._question is None:
            return
        had_focus = any(button.hasFocus() for button in self._buttons)
        self._question = None
        hide_with_keyboard(self)
        if had_focus and self._focus_before is not None:
            self._focus_before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._focus_before = None

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Enter is the answer that has the keyboard, Esc the one that changes nothing."""
        question = self._question
        if question is not None and event.key() == Qt.Key.Key_Escape:
            self.answered.emit(question.safe)
        elif question is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            next((b for b in self._buttons if b.hasFocus()), self._buttons[0]).click()
        else:
            super().keyPressEvent(event)

    def _show(self, question: Question) -> None:
        self._question = question
        self._text.setText(question.text)
        drop_keyboard(self)  # before its buttons go; the new ones take it
        for button in self._buttons:
            button.hide()  # at once; it is deleted when the event that it may be in is over
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(answer, is_first=k == 0) for k, answer in enumerate(question.answers)]
        self.show()

    def _button(self, answer: Answer, *, is_first: bool) -> QPushButton:
        button = QPushButton(answer.text)
        button.setObjectName("first_answer" if is_first else "answer")
        button.setAccessibleName(answer.text)
        button.setAutoRepeat(False)
        button.clicked.connect(lambda _=False: self.answered.emit(answer.key))
        self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return button
