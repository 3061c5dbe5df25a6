"""Recording of a flat field: dark, white, what they do to the lines, and the one that is stored."""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSpinBox, QVBoxLayout, QWidget

from aoi_app.camera_setup.focus_curves import EvennessCurves
from aoi_app.camera_setup.focus_state import FocusState, Phase
from aoi_app.camera_setup.wording import stored_text, unsaved_text
from aoi_app.ui.widgets.plain import plain_label, show_text
from aoi_app.ui.widgets.plots import color_plot, plot, show_values
from aoi_app.ui.widgets.theme import Theme

_HOW = (
    "1. Cover the lens and record the dark reference.  2. Uncover the lens, hold an even white surface under the lamp "
    "over the whole width, move it slowly, and record the white reference.  3. Check the profile, then save."
)


class FlatFieldTab(QWidget):
    """
    Signals:
        record_asked: ``dark`` or ``white``, and how many lines.
        cancel_asked: the recording is to be stopped.
        save_asked, discard_asked: of what was recorded.
        remove_asked: of the stored one.
    """

    record_asked = Signal(str, int)
    cancel_asked = Signal()
    save_asked = Signal()
    discard_asked = Signal()
    remove_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._plot = plot("Lines without and with the flat field", "column, px", "brightness", theme)
        self._plot.addLegend(labelTextColor=theme.text)
        self._plot.setYRange(0, 255, padding=0.02)
        self._before, self._after = (self._plot.plot(name=name) for name in ("without", "with"))
        self._evenness = plain_label("Evenness", wraps=True)
        self._unsaved = plain_label("Recorded flat field", wraps=True)
        self._stored = plain_label("Stored flat field", wraps=True)
        self._lines = QSpinBox()
        self._lines.setRange(16, 1_000_000)
        self._lines.setSingleStep(1024)
        self._lines.setValue(4096)
        self._lines.setSuffix(" lines")
        self._lines.setAccessibleName("Lines to record")
        self._lines.setToolTip("More lines average out more of the noise and of dust on the reference")
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Progress of the recording")
        self._buttons = {
            "dark": _button("Record dar&k", "With the lens covered", lambda: self._record("dark")),
            "white": _button(
                "Record &white", "An even white, as wide as the web; move it", lambda: self._record("white")
            ),
            "cancel": _button("Stop recordin&g", "Forget what was recorded of it", self.cancel_asked.emit),
            "save": _button("&Save", "Correct every line of this camera with it from now on", self.save_asked.emit),
            "discard": _button("D&iscard", "Forget the flat field that was just recorded", self.discard_asked.emit),
            "remove": _button("Remove the stored o&ne", "Lines are not corrected any more", self.remove_asked.emit),
        }
        self._lines.setMinimumHeight(self._buttons["dark"].sizeHint().height())  # else its text is cut off
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        how = plain_label("How to record", wraps=True)
        how.setText(_HOW)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(how)
        column.addLayout(_row(self._lines, *(self._buttons[k] for k in ("dark", "white", "cancel")), self._progress))
        column.addWidget(self._plot, 1)
        for label in (self._evenness, self._unsaved, self._stored):
            column.addWidget(label)
        column.addLayout(_row(*(self._buttons[k] for k in ("save", "discard", "remove"))))

    def set_theme(self, theme: Theme) -> None:
        """Colours the plot."""
        color_plot(self._plot, theme)
        self._before.setPen(pg.mkPen(theme.warning))
        self._after.setPen(pg.mkPen(theme.good, width=2))

    def show_state(self, state: FocusState) -> None:
        """Draws it, and which buttons make sense. What was recorded can be saved with the camera closed, too."""
        flat = state.flat_field
        is_open = state.phase is Phase.OPEN
        self._show_evenness(state.evenness, is_open=is_open)
        show_text(self._unsaved, unsaved_text(state))
        show_text(self._stored, stored_text(flat.stored, is_open=is_open))
        self._progress.setValue(round(100 * flat.progress))
        self._progress.setVisible(bool(flat.recording))
        self._buttons["dark"].setText("Record dar&k again" if flat.has_dark else "Record dar&k")
        is_free = not state.busy and not flat.recording
        able = {
            "dark": state.is_ready,
            "white": state.is_ready,
            "cancel": is_open and bool(flat.recording),
            "save": is_free and bool(flat.unsaved),
            "discard": is_free and (bool(flat.unsaved) or flat.has_dark),
            "remove": state.is_ready and flat.stored is not None,
        }
        for key, enabled in able.items():
            self._buttons[key].setEnabled(enabled)

    def _show_evenness(self, curves: EvennessCurves | None, *, is_open: bool) -> None:
        show_values(self._plot, across=curves is not None)
        if curves is None:
            self._before.clear()
            self._after.clear()
            show_text(self._evenness, "There is no flat field to compare with." if is_open else "")
            return
        self._before.setData(curves.columns, curves.before)
        self._after.setData(curves.columns, curves.after)
        which = "the stored flat field" if curves.is_stored else "the flat field that was just recorded"
        show_text(
            self._evenness,
            f"Non-uniformity of the running lines: {curves.before_percent:.1f} % without, "
            f"{curves.after_percent:.1f} % with {which}. Only an even white surface shows how good the flat field is; "
            "fabric is uneven itself.",
        )

    def _record(self, reference: str) -> None:
        self.record_asked.emit(reference, self._lines.value())


def _button(text: str, tip: str, clicked: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: clicked())
    return button


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
