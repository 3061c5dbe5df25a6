"""What came of the last command, and how far the present work is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from aoi_app.samples.state import SamplesState
from aoi_app.ui.widgets.plain import plain_label


class WorkBar(QWidget):
    """Parts with nothing to say are hidden; the message keeps its place, so that nothing jumps.

    Signals:
        stop_asked: end the present work.
    """

    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note = plain_label("Message", wraps=True)
        self._note.setMinimumHeight(self._note.fontMetrics().height() + 4)
        self._busy = plain_label("What is being done")
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Progress")
        self._stop = QPushButton("&Stop")
        self._stop.setToolTip("End this work; what is done until then stays")
        self._stop.clicked.connect(self.stop_asked)
        row = QHBoxLayout()
        row.addWidget(self._busy)
        row.addWidget(self._progress, 1)
        row.addWidget(self._stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._note)
        column.addLayout(row)

    def show_state(self, state: SamplesState) -> None:
        """Draws how things stand; an alarm is told elsewhere."""
        self._note.setText("" if state.is_alarm else state.note)
        self._busy.setText(state.busy)
        self._busy.setVisible(bool(state.busy))
        self._progress.setVisible(bool(state.busy))
        self._progress.setRange(0, 0 if state.progress is None else 100)
        self._progress.setValue(round(100 * (state.progress or 0.0)))
        self._stop.setVisible(bool(state.busy) and state.progress is not None)
