"""The page about cameras: their features, light and focus, and the flat field."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.focus_state import FocusState
from aoi_app.ui.cameras.feature_tab import FeatureTab
from aoi_app.ui.cameras.flat_field_tab import FlatFieldTab
from aoi_app.ui.cameras.focus_bar import FocusBar
from aoi_app.ui.cameras.light_tab import LightTab
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import Button, ask
from aoi_app.ui.widgets.theme import Theme

FEATURES, LIGHT, FLAT_FIELD = range(3)
_TITLES = ("Ca&meras and features", "&Light and focus", "Fla&t field")


class CamerasPage(Page):
    """Three tabs; two of them look through the camera and share the bar that opens and closes it.

    Attributes:
        feature_tab, light_tab, flat_field_tab: the tabs.
        focus_bar: over the tabs that look through the camera.

    Signals:
        focus_left: no tab that looks through the camera is in front any more.
    """

    focus_left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.feature_tab = FeatureTab()
        self.light_tab = LightTab(theme)
        self.flat_field_tab = FlatFieldTab(theme)
        self.focus_bar = FocusBar()
        self._tabs = QTabBar()
        self._tabs.setAccessibleName("Parts of the page")
        self._tabs.setExpanding(False)
        self._tabs.setDrawBase(False)  # a bright line in the dark theme
        self._stack = QStackedWidget()
        for title, tab in zip(_TITLES, (self.feature_tab, self.light_tab, self.flat_field_tab), strict=True):
            self._tabs.addTab(title)
            self._stack.addWidget(tab)
        self._tabs.currentChanged.connect(self._turn)
        self._lay_out()
        self.set_theme(theme)
        self._turn(FEATURES)

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(self.focus_bar)
        column.addWidget(self._stack, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._tabs)
        whole.addWidget(inside, 1)
        self.setFocusProxy(self._tabs)

    @property
    def looks_through_camera(self) -> bool:
        """One of the tabs that show the running lines is in front."""
        return self._tabs.currentIndex() != FEATURES

    def show_tab(self, tab: int) -> None:
        """Brings ``FEATURES``, ``LIGHT`` or ``FLAT_FIELD`` to the front."""
        self._tabs.setCurrentIndex(tab)

    def show_cameras(self, state: CameraState) -> None:
        """Draws which cameras there are, and the features of one."""
        self.feature_tab.show_state(state)

    def show_focus(self, state: FocusState, obstacle: str, serial: str) -> None:
        """Draws light, focus and flat field; the arguments are those of ``FocusBar.show_state``."""
        self.focus_bar.show_state(state, obstacle, serial)
        self.light_tab.show_light(state.light)
        self.flat_field_tab.show_state(state)

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        for tab in (self.feature_tab, self.light_tab, self.flat_field_tab):
            tab.set_theme(theme)

    def ask_to_save(self) -> Button:
        """Asks what becomes of a flat field that would be lost: Save, Discard or Cancel."""
        question = "A flat field was recorded and is not saved."
        buttons = Button.Save | Button.Discard | Button.Cancel
        return ask(self, "Flat field", question, buttons, Button.Save)

    def _turn(self, tab: int) -> None:
        self._stack.setCurrentIndex(tab)
        self.focus_bar.setVisible(self.looks_through_camera)
        if not self.looks_through_camera:
            self.focus_left.emit()
