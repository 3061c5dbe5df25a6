"""The page of cameras as a person uses it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox, QTableWidget, QWidget
from pytestqt.qtbot import QtBot
from window_tools import PATIENCE_MS, answer, stop

from aoi_app.app.application import Application
from aoi_app.app.pages.cameras_controller import CamerasController
from aoi_app.camera_setup.feature_rows import FeatureRow
from aoi_app.sources.camera.features import Setting
from aoi_app.ui.cameras.feature_tree import FeatureTree

BeginAtCameras = Callable[..., "Cameras"]


def camera_processes() -> list[BaseProcess]:
    """Those that hold a camera; a search for cameras, which may still go on, has processes of its own."""
    return [p for p in multiprocessing.active_children() if p.name.startswith("camera ")]


class Cameras:
    """The program with its page of cameras in front."""

    def __init__(self, application: Application, qtbot: QtBot) -> None:
        self.application = application
        self._bot = qtbot
        self.press_key("camera")

    # --- the page

    @property
    def controller(self) -> CamerasController:
        controller = self.application.controllers["cameras"]
        assert isinstance(controller, CamerasController)
        return controller

    @property
    def page(self) -> QWidget:
        return self.controller.page

    def press_key(self, action: str) -> None:
        self.application.window.actions_by_key[action].trigger()

    def stop_roll(self, *, at_once: bool = False) -> None:
        """Ends the roll, as a person does who means it."""
        stop(self._bot, self.application)
        if at_once:
            self.press_key("stop")
            if self.application.window.question_bar.question is not None:
                answer(self._bot, self.application, "End at once")

    def wait(self, until: Callable[[], bool]) -> None:
        self._bot.waitUntil(until, timeout=PATIENCE_MS)

    def text(self, name: str) -> str:
        """Of a label with this name, if it can be seen."""
        (label,) = [x for x in self.page.findChildren(QLabel) if x.accessibleName() == name]
        return label.text() if label.isVisible() else ""

    def says(self, name: str, words: str) -> None:
        self.wait(lambda: words in self.text(name))

    def button(self, words: str) -> QPushButton:
        """The visible button whose text begins so."""
        found = [b for b in self.page.findChildren(QPushButton) if b.text().replace("&", "").startswith(words)]
        (button,) = [b for b in found if b.isVisible()]
        return button

    def press(self, words: str) -> None:
        self.wait(lambda: self.button(words).isEnabled())
        self.button(words).click()

    # --- cameras and features

    @property
    def table(self) -> QTableWidget:
        table = self.page.findChild(QTableWidget)
        assert isinstance(table, QTableWidget)
        return table

    @property
    def tree(self) -> FeatureTree:
        tree = self.page.findChild(FeatureTree)
        assert isinstance(tree, FeatureTree)
        return tree

    def field(self, name: str) -> QLineEdit:
        """Waits until it is there: the page draws a little after the camera has answered."""

        def found() -> list[QLineEdit]:
            return [x for x in self.page.findChildren(QLineEdit) if x.accessibleName() == name]

        self.wait(lambda: len(found()) == 1)
        return found()[0]

    def set_field(self, name: str, value: str) -> None:
        """Types a value and presses Enter."""
        field = self.field(name)
        field.setText(value)
        self._bot.keyClick(field, Qt.Key.Key_Return)

    def listed(self) -> list[list[str]]:
        """Vendor, model, serial, transport, access of the cameras that were found."""
        return [[self.table.item(r, c).text() for c in range(5)] for r in range(self.table.rowCount())]

    def choose(self, vendor: str, serial: str) -> None:
        """Selects a camera in the table and opens it."""
        self.wait(lambda: [vendor, serial] in [row[0:3:2] for row in self.listed()])
        self.table.selectRow([row[0:3:2] for row in self.listed()].index([vendor, serial]))
        self.press("Choose")
        self.wait(lambda: self.row("Width") is not None)

    def row(self, name: str) -> FeatureRow | None:
        return next((r for r in self.controller.cameras.state.features if r.label == name), None)

    def value(self, name: str) -> str:
        row = self.row(name)
        return row.value if row is not None else ""

    def error(self, name: str) -> str:
        return self.controller.cameras.state.errors.get(("remote", name), "")

    def shown(self, name: str, column: int) -> str:
        """A cell of the tree of features; empty where the feature is not shown."""
        found = self.tree.findItems(name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
        return found[0].text(column) if found else ""

    def show_level(self, level: str) -> None:
        (levels,) = [c for c in self.page.findChildren(QComboBox) if c.accessibleName() == "Visibility"]
        levels.setCurrentText(level)

    # --- light and focus, flat field

    def show_tab(self, tab: int) -> None:
        self.controller.page.show_tab(tab)

    def open_camera(self) -> None:
        """Ctrl+F, until the first lines are seen."""
        self.press_key("set_up")
        self.is_live()

    def is_live(self) -> None:
        self.wait(lambda: self.controller.focus.state.light is not None)

    def bar(self) -> str:
        return self.text("Camera of light and focus")

    def bar_says(self, words: str) -> None:
        self.says("Camera of light and focus", words)

    def measure_focus(self, scene: str) -> None:
        """What the synthetic camera sees."""
        self.set_feature("Scene", scene)
        self._bot.wait(300)  # blocks of the scene before are still on their way

    def set_feature(self, name: str, value: str) -> None:
        blocks = self.controller.focus.blocks
        assert blocks is not None
        blocks.write(Setting("remote", name, value))

    def record(self, reference: str, scene: str) -> None:
        """Records a reference of what the camera sees."""
        self.measure_focus(scene)
        (lines,) = [b for b in self.page.findChildren(QSpinBox) if b.accessibleName() == "Lines to record"]
        lines.setValue(1024)
        self.press(f"Record {reference}")

    def record_white(self) -> None:
        """Until a flat field is there that is not saved."""
        self.record("white", "White")
        self.bar_says("The white reference is recorded.")

    def is_closed(self) -> None:
        """Until the camera of light and focus is free again."""
        self.wait(lambda: not self.controller.focus.holds_camera)
