"""What goes on and what came of it, on top of every page about models."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from aoi_app.learning.state import ModelView
from aoi_app.learning.wording import remaining_text
from aoi_app.ui.widgets.banner import Banner


class DeskStatus(QWidget):
    """Hidden parts take no place.

    Signals:
        stop_asked: end what goes on.
    """

    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None, *, alarms_only: bool = False) -> None:
        """``alarms_only``: what went well is seen on the page itself."""
        super().__init__(parent)
        self._alarms_only = alarms_only
        self._problem = Banner("Problem of the history")
        self._note = Banner("Message about models")
        self._text = QLabel()
        self._text.setAccessibleName("What is being learnt")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("How far the learning is")
        self._stop = QPushButton("&Stop")
        self._stop.setToolTip("End it; what a training has learnt is kept and goes on the next time")
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

    def show_view(self, view: ModelView) -> None:
        """Draws how things stand."""
        self._problem.say(view.problem, alarm=True)
        training = view.training
        runs = training is not None and training.is_running
        is_seen = view.is_alarm or not (runs or self._alarms_only)
        self._note.say(view.note if is_seen else "", alarm=view.is_alarm)
        self._work.setVisible(bool(view.busy) or runs)
        if training is not None and runs:
            self._text.setText(f"Full training. {training.stage}; {remaining_text(training.remaining_s)}")
            self._show_share(training.share)
        else:
            self._text.setText(view.busy)
            self._show_share(view.progress)
        self._stop.setEnabled(runs or view.progress is not None)

    def _show_share(self, share: float | None) -> None:
        self._bar.setRange(0, 0 if share is None else 1000)
        self._bar.setValue(round(1000 * (share or 0.0)))
