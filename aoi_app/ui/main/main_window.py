"""The window of the operator: the web on the left, figures and defects on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QSizePolicy, QSlider, QSplitter, QVBoxLayout, QWidget

from aoi_app.live.state import Snapshot, State
from aoi_app.ui.line.collect_bar import CollectBar
from aoi_app.ui.line.defect_table import DefectTable
from aoi_app.ui.line.figures_panel import FiguresPanel
from aoi_app.ui.line.live_view import LiveView
from aoi_app.ui.main.actions import MENUS, ROWS, TOOLBAR
from aoi_app.ui.main.alarm_bar import AlarmBar
from aoi_app.ui.widgets.actions import fill_menus, make_actions
from aoi_app.ui.widgets.theme import Theme

_THRESHOLD_STEPS = 100  # slider steps for one unit of score
_HIGHEST_THRESHOLD = 4.0


class MainWindow(QMainWindow):
    """Puts the views together and announces what the person asks for.

    Signals:
        threshold_changed: score that the person set.
        opacity_changed: of the heat map, 0..1.
        close_asked: the person wants to leave.
    """

    threshold_changed = Signal(float)
    opacity_changed = Signal(float)
    close_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Cloth inspection")
        self.actions_by_key = make_actions(self, ROWS)
        fill_menus(self.menuBar(), self.actions_by_key, MENUS)
        self.live_view = LiveView()
        self.figures = FiguresPanel()
        self.table = DefectTable()
        self.alarms = AlarmBar()
        self.collect_bar = CollectBar()
        self._banner = QLabel()
        self._banner.setObjectName("banner")
        self._banner.setWordWrap(True)
        self._banner.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._banner.hide()
        self._threshold = _slider(
            round(0.3 * _THRESHOLD_STEPS), round(_HIGHEST_THRESHOLD * _THRESHOLD_STEPS), "Threshold"
        )
        self._threshold_text = QLabel()
        self._threshold_text.setObjectName("figure")
        self._threshold_text.setAccessibleName("Threshold as a number")
        self._opacity = _slider(0, 100, "Opacity of the heat map")
        self._may_close = False
        self._lay_out()
        self.set_threshold(1.0)
        self._threshold.valueChanged.connect(self._threshold_moved)
        self._opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        self.show_snapshot(Snapshot())
        self.resize(1366, 768)

    def _lay_out(self) -> None:
        bar = self.addToolBar("Roll")
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        for key in TOOLBAR:
            if key:
                bar.addAction(self.actions_by_key[key])
            else:
                bar.addSeparator()
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(spacer)
        bar.addWidget(_captioned("threshold", self._threshold, self._threshold_text))
        bar.addWidget(_captioned("heat", self._opacity))
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.figures)
        column.addWidget(self.table, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.live_view)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([860, 500])
        splitter.setChildrenCollapsible(False)
        middle = QWidget()
        whole = QVBoxLayout(middle)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.alarms)
        whole.addWidget(self.collect_bar)
        whole.addWidget(self._banner)
        whole.addWidget(splitter, 1)
        self.setCentralWidget(middle)
        self._about = QLabel()
        self.statusBar().addPermanentWidget(self._about)

    @property
    def threshold(self) -> float:
        """The threshold that the slider shows."""
        return self._threshold.value() / _THRESHOLD_STEPS

    def set_threshold(self, value: float) -> None:
        """Moves the slider."""
        step = round(value * _THRESHOLD_STEPS)
        self._threshold.setRange(min(step, self._threshold.minimum()), max(step, self._threshold.maximum()))
        self._threshold.setValue(step)
        self._threshold_text.setText(f"{self.threshold:.2f}")

    def show_threshold(self, value: float) -> None:
        """Moves the slider after a threshold that holds already; nothing is announced."""
        before = self._threshold.blockSignals(True)
        self.set_threshold(value)
        self._threshold.blockSignals(before)

    def set_opacity(self, value: float) -> None:
        """Moves the slider of the heat map; 0..1."""
        self._opacity.setValue(round(100 * value))

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        self.live_view.set_theme(theme)

    def show_about(self, text: str) -> None:
        """What is inspected with what, in the status bar."""
        self._about.setText(text)

    def say(self, text: str, *, alarm: bool) -> None:
        """A message above the web; an empty one hides it."""
        kind = "alarm" if alarm else "note"
        if self._banner.property("kind") != kind:
            self._banner.setProperty("kind", kind)
            self._banner.style().unpolish(self._banner)
            self._banner.style().polish(self._banner)
        if self._banner.text() != text:
            self._banner.setText(text)
        self._banner.setVisible(bool(text))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Figures, and which actions make sense now."""
        self.figures.show_snapshot(snapshot)
        state = snapshot.state
        able = {
            "start": state in (State.IDLE, State.PAUSED) or state.is_over,
            "pause": state is State.RUNNING,
            "stop": state in (State.OPENING, State.RUNNING, State.PAUSED, State.FINISHING),
            "export": snapshot.roll_id > 0,
        }
        for key, enabled in able.items():
            if self.actions_by_key[key].isEnabled() != enabled:
                self.actions_by_key[key].setEnabled(enabled)

    def allow_close(self) -> None:
        """The roll is closed; the window may go."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """Asks first, so that the roll is closed properly."""
        if self._may_close:
            event.accept()
            return
        event.ignore()
        self.close_asked.emit()

    def _threshold_moved(self) -> None:
        self._threshold_text.setText(f"{self.threshold:.2f}")
        self.threshold_changed.emit(self.threshold)


def _slider(low: int, high: int, name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setPageStep(10)
    slider.setFixedWidth(170)
    slider.setAccessibleName(name)
    return slider


def _captioned(caption: str, *widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(6, 0, 6, 0)
    label = QLabel(caption)
    label.setObjectName("caption")
    row.addWidget(label)
    for widget in widgets:
        row.addWidget(widget)
    return box
