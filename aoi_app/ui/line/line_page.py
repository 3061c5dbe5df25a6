"""The page of the operator: the web on the left, figures and defects on the right."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QSplitter,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from aoi_app.live.state import Snapshot
from aoi_app.ui.line.collect_bar import CollectBar
from aoi_app.ui.line.defect_table import DefectTable
from aoi_app.ui.line.figures_panel import FiguresPanel
from aoi_app.ui.line.last_defect import LastDefectPanel
from aoi_app.ui.line.live_view import LiveView
from aoi_app.ui.line.threshold_control import ThresholdControl
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import PlainLabel
from aoi_app.ui.widgets.theme import Theme
from aoi_app.ui.widgets.wheel import keep_from_wheel
from cras_core.web.threshold import CALIBRATED_THRESHOLD

TOOLBAR = ("start", "pause", "splice", "stop", "", "follow", "heat")


class LinePage(Page):
    """Puts the views together.

    Signals:
        threshold_changed: score from which a place is a defect from now on.
        threshold_proposed: score that the person tries out.
        opacity_changed: of the heat map, 0..1.
    """

    threshold_changed = Signal(float)
    threshold_proposed = Signal(float)
    opacity_changed = Signal(float)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        """``actions``: of the main window, by key; some are buttons here."""
        super().__init__()
        self.live_view = LiveView()
        self.figures = FiguresPanel()
        self.last_defect = LastDefectPanel()
        self.table = DefectTable()
        self.collect_bar = CollectBar()
        self.threshold_control = ThresholdControl(CALIBRATED_THRESHOLD)
        self._opacity = _slider(0, 100, "Opacity of the heat map")
        self._lay_out(actions)
        self.threshold_control.changed.connect(self.threshold_changed)
        self.threshold_control.proposed.connect(self.threshold_proposed)
        self._opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        self.figures.show_snapshot(Snapshot())
        keep_from_wheel(self)

    def _lay_out(self, actions: Mapping[str, QAction]) -> None:
        bar = QToolBar("Roll")
        bar.setObjectName("toolbar")
        for key in TOOLBAR:
            if key:
                bar.addAction(actions[key])
                # Qt keeps the buttons of such a bar for the mouse.
                bar.widgetForAction(actions[key]).setFocusPolicy(Qt.FocusPolicy.TabFocus)
            else:
                bar.addSeparator()
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(spacer)
        bar.addWidget(self.threshold_control)
        bar.addWidget(_captioned("heat", self._opacity))
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        above = QHBoxLayout()
        above.setContentsMargins(0, 6, 8, 6)
        above.addWidget(self.figures, 1)
        above.addWidget(self.last_defect, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(above)
        column.addWidget(self.table, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.live_view)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([660, 602])
        splitter.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(bar)
        whole.addWidget(self.threshold_control.change_bar)
        whole.addWidget(self.collect_bar)
        whole.addWidget(splitter, 1)

    @property
    def threshold(self) -> float:
        """The threshold that holds."""
        return self.threshold_control.value

    def set_threshold(self, value: float) -> None:
        """Another threshold holds; announced where it is another one."""
        self.threshold_control.use(value)

    def show_threshold(self, value: float) -> None:
        """Shows a threshold that holds already; nothing is announced."""
        self.threshold_control.use(value, announces=False)

    def set_opacity(self, value: float) -> None:
        """Moves the slider of the heat map; 0..1."""
        self._opacity.setValue(round(100 * value))

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        self.live_view.set_theme(theme)


def _slider(low: int, high: int, name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setPageStep(10)
    slider.setFixedWidth(170)
    slider.setAccessibleName(name)
    slider.setToolTip(f"{name}; H hides it")
    return slider


def _captioned(caption: str, *widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(6, 0, 6, 0)
    label = PlainLabel(caption)
    label.setObjectName("caption")
    row.addWidget(label)
    for widget in widgets:
        row.addWidget(widget)
    return box
