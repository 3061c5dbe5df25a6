"""What goes on and what came of it, above the sections of the page."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from aoi_app.learning.state import LearningState
from aoi_app.learning.wording import training_text
from aoi_app.ui.models.message_line import MessageLine
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plain import plain_label


class JobStatus(QWidget):
    """Hidden parts take no place.

    Signals:
        stop_asked: end what goes on.
    """

    stop_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._problem = Banner("Problem of the history")
        self._note = MessageLine("Message about models")
        self._text = plain_label("What is being done")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress")
        self._stop = QPushButton("&Stop")
        self._stop.setToolTip("A training that is stopped can be resumed later")
        self._stop.clicked.connect(self.stop_asked)
        self._work = QWidget()
        row = QHBoxLayout(self._work)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text)
        row.addWidget(self._bar, 1)
        row.addWidget(self._stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._problem)
        column.addWidget(self._note)
        column.addWidget(self._work)

    def show_state(self, state: LearningState) -> None:
        """Draws how things stand; an enrolment or an evaluation is shown rather than a training beside it."""
        self._problem.say(state.problem, alarm=True)
        self._note.say(state.note, alarm=state.is_alarm)
        self._work.setVisible(bool(state.busy) or state.is_training)
        if state.training is not None and state.is_training and not state.busy:
            self._text.setText(training_text(state.training))
            self._show_share(state.training.share)
        else:
            self._text.setText(state.busy)
            self._show_share(state.progress)
        self._stop.setEnabled(state.is_training or state.progress is not None)

    def _show_share(self, share: float | None) -> None:
        self._bar.setRange(0, 0 if share is None else 1000)
        self._bar.setValue(round(1000 * (share or 0.0)))
