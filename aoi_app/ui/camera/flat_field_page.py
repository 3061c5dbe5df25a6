"""Recording of a flat field: dark, white, what they do to the lines, and the one that is kept."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSpinBox, QVBoxLayout, QWidget

from aoi_app.camera_setup.focus_state import AidSnapshot, EvennessView, Phase, StoredView
from aoi_app.ui.widgets.plots import plot
from aoi_app.ui.widgets.theme import Theme

_HOW = (
    "1. Cover the lens and record the dark.  2. Open it, hold an even white reference under the lamp that fills the "
    "whole width, move it slowly, and record the white.  3. Look at the profile, then save."
)


class FlatFieldPage(QWidget):
    """Announces what is to be recorded.

    Signals:
        record_asked: ``dark`` or ``white``, and of how many lines.
        cancel_asked: record no further.
        save_asked, discard_asked: what was recorded.
        remove_asked: the one that is kept.
    """

    record_asked = Signal(str, int)
    cancel_asked = Signal()
    save_asked = Signal()
    discard_asked = Signal()
    remove_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = plot("Lines without and with the flat field", "column, px", "brightness", theme)
        self._plot.addLegend(labelTextColor=theme.text)
        self._plot.setYRange(0, 255, padding=0.02)
        self._before = self._plot.plot(pen=pg.mkPen(theme.warning), name="without")
        self._after = self._plot.plot(pen=pg.mkPen(theme.good, width=2), name="with")
        self._evenness, self._stored = _text("Evenness"), _text("Stored flat field")
        self._lines = QSpinBox()
        self._lines.setRange(16, 1_000_000)
        self._lines.setSingleStep(1024)
        self._lines.setValue(4096)
        self._lines.setSuffix(" lines")
        self._lines.setAccessibleName("Lines to record")
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Progress of the recording")
        self._buttons = {
            "dark": _button("Record &dark", lambda: self.record_asked.emit("dark", self._lines.value())),
            "white": _button("Record &white", lambda: self.record_asked.emit("white", self._lines.value())),
            "cancel": _button("S&top recording", self.cancel_asked.emit),
            "save": _button("&Save", self.save_asked.emit),
            "discard": _button("D&iscard", self.discard_asked.emit),
            "remove": _button("&Remove the stored one", self.remove_asked.emit),
        }
        how = _text("How to record")
        how.setText(_HOW)
        column = QVBoxLayout(self)
        column.addWidget(how)
        column.addLayout(_row(self._lines, *(self._buttons[k] for k in ("dark", "white", "cancel")), self._progress))
        column.addWidget(self._plot, 1)
        column.addWidget(self._evenness)
        column.addWidget(self._stored)
        column.addLayout(_row(*(self._buttons[k] for k in ("save", "discard", "remove"))))

    def show_snapshot(self, now: AidSnapshot) -> None:
        """Draws how things stand, and which buttons make sense."""
        self._show_evenness(now.evenness)
        self._stored.setText(stored_text(now.stored))
        self._progress.setValue(round(100 * now.progress))
        dark = "Record &dark again" if now.has_dark else "Record &dark"
        if self._buttons["dark"].text() != dark:
            self._buttons["dark"].setText(dark)
        able = {
            "dark": now.phase is Phase.LIVE,
            "white": now.phase is Phase.LIVE,
            "cancel": now.phase.is_recording,
            "save": now.phase is Phase.LIVE and now.is_unsaved,
            "discard": now.phase is Phase.LIVE and (now.is_unsaved or now.has_dark),
            "remove": now.phase is Phase.LIVE and now.stored is not None,
        }
        for key, enabled in able.items():
            self._buttons[key].setEnabled(enabled)

    def _show_evenness(self, view: EvennessView | None) -> None:
        if view is None:
            self._before.clear()
            self._after.clear()
            self._evenness.setText("There is no flat field to compare with.")
            return
        self._before.setData(view.columns, view.before)
        self._after.setData(view.columns, view.after)
        which = "the stored flat field" if view.is_stored else "the flat field that was just recorded"
        self._evenness.setText(
            f"Non-uniformity of the running lines: {view.before_percent:.1f} % without, {view.after_percent:.1f} % "
            f"with {which}. Only an even white tells how good it is; cloth is uneven itself."
        )


def stored_text(stored: StoredView | None) -> str:
    """What is said of the flat field that is kept."""
    if stored is None:
        return "No flat field is stored for this camera."
    said = f"Stored: {stored.text}." if stored.text else ""
    return " ".join([*([said] if said else []), *stored.problems])


def _button(text: str, clicked: object) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked=False: clicked())  # type: ignore[operator]
    return button


def _text(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    return label


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
