"""Cameras: which there are, how one is set, and which one the line reads."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.feature_rows import LEVELS, Key, line_scan_panel, visible
from aoi_app.camera_setup.wording import camera_text
from aoi_app.ui.cameras.device_table import DeviceTable
from aoi_app.ui.cameras.feature_tree import FeatureTree
from aoi_app.ui.cameras.line_scan_panel import LineScanPanel
from aoi_app.ui.widgets.plain import plain_label, show_text
from aoi_app.ui.widgets.theme import Theme

_STOPS = "Stop the camera to set locked features (the web that passes meanwhile is a gap)"
_PRESETS = "Camera presets (*.json)"


class FeatureTab(QWidget):
    """
    Signals:
        find_asked: all producers are to be searched for cameras.
        choose_asked: producer and serial number of the camera that is to be opened.
        close_asked: the open camera is to be closed.
        start_asked: the line is to read the chosen camera.
        write_asked: key of a feature, the text for it, and whether the running camera is to be stopped for it.
        save_asked, load_asked: file of a preset.
    """

    find_asked = Signal()
    choose_asked = Signal(str, str)
    close_asked = Signal()
    start_asked = Signal()
    write_asked = Signal(object, str, bool)
    save_asked = Signal(str)
    load_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = CameraState()
        self._devices = DeviceTable()
        self._problems = _selectable("Problems of producers")
        self._about = _selectable("State of the camera")
        self._note = _selectable("Messages of the camera")
        self._preset = _selectable("Preset at the start")
        self._panel = LineScanPanel()
        self._tree = FeatureTree()
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search features")
        self._search.setAccessibleName("Search features")
        self._search.setToolTip("Show only features whose name holds this text")
        self._search.setClearButtonEnabled(True)
        self._level = QComboBox()
        self._level.addItems(LEVELS)
        self._level.setAccessibleName("Visibility")
        self._level.setToolTip("How many features are shown: those for beginners, experts, or all")
        self._stops_camera = QCheckBox(_STOPS)
        self._stops_camera.setToolTip("Some features can be set only while the camera does not deliver")
        self._buttons = {
            "find": _button("Fi&nd cameras", "Search all producers for cameras (Ctrl+F5)"),
            "choose": _button("&Choose", "Open the selected camera; it is the camera of this line from now on"),
            "start": _button("&Start the line with it", "End the roll and start another one with the chosen camera"),
            "close": _button("Clos&e the camera", "Close the camera, so that other programs can open it"),
            "save": _button("Save &preset…", "Write all settings of the camera to a file; the line applies it"),
            "load": _button("L&oad preset…", "Apply a file to the camera now and whenever the line opens it"),
        }
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        buttons = QVBoxLayout()
        for key in ("find", "choose", "start", "close"):
            buttons.addWidget(self._buttons[key])
        buttons.addStretch(1)
        top = QHBoxLayout()
        top.addWidget(self._devices, 1)
        top.addLayout(buttons)
        filters = QHBoxLayout()
        filters.addWidget(self._search, 1)
        filters.addWidget(self._level)
        bottom = QHBoxLayout()
        bottom.addWidget(self._buttons["save"])
        bottom.addWidget(self._buttons["load"])
        bottom.addWidget(self._preset, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        for widget in (self._problems, self._about, self._note, self._panel):
            column.addWidget(widget)
        column.addLayout(filters)
        column.addWidget(self._tree, 1)
        column.addWidget(self._stops_camera)
        column.addLayout(bottom)

    def _connect(self) -> None:
        self._buttons["find"].clicked.connect(self.find_asked)
        self._buttons["choose"].clicked.connect(self._devices.choose)
        self._buttons["start"].clicked.connect(self.start_asked)
        self._buttons["close"].clicked.connect(self.close_asked)
        self._buttons["save"].clicked.connect(self._ask_where_to_save)
        self._buttons["load"].clicked.connect(self._ask_what_to_load)
        self._devices.chosen.connect(self.choose_asked)
        self._search.textChanged.connect(self._show_features)
        self._level.currentTextChanged.connect(self._show_features)
        self._panel.edited.connect(self._write)
        self._tree.edited.connect(self._write)

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        self._panel.set_theme(theme)
        self._tree.set_theme(theme)

    # --- what the person asks for ---------------------------------------------------------------------------------

    def _write(self, key: Key, text: str) -> None:
        self.write_asked.emit(key, text, self._stops_camera.isChecked())

    def _ask_where_to_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save preset", "camera.json", _PRESETS)
        if path:
            self.save_asked.emit(path)

    def _ask_what_to_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load preset", "", _PRESETS)
        if path:
            self.load_asked.emit(path)

    # --- what is shown --------------------------------------------------------------------------------------------

    def show_state(self, state: CameraState) -> None:
        """Draws it."""
        before, self._shown = self._shown, state
        if (state.devices, state.serial) != (before.devices, before.serial):
            self._devices.show_devices(state.devices, state.producer, state.serial)
        show_text(self._about, camera_text(state))
        show_text(self._problems, "\n".join(state.problems))
        show_text(self._note, state.note)
        show_text(self._preset, f"Preset at the start: {state.preset}" if state.preset else "No preset at the start.")
        self._show_buttons(state)
        self._show_features()

    def _show_buttons(self, state: CameraState) -> None:
        is_open = bool(state.camera)
        able = {
            "start": bool(state.producer) and not state.busy,
            "close": is_open and not state.is_on_line,
            "save": is_open,
            "load": is_open,
        }
        for key, enabled in able.items():
            self._buttons[key].setEnabled(enabled)
        self._stops_camera.setVisible(state.is_on_line)

    def _show_features(self) -> None:
        state, search = self._shown, self._search.text()
        self._panel.show_rows(line_scan_panel(state.features) if state.features else [], state.errors)
        rows = visible(state.features, search, self._level.currentText())
        self._tree.show_rows(rows, state.errors, expand=bool(search.strip()))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _selectable(name: str) -> QLabel:
    """A text that may be copied, for a search or for the maker's support."""
    label = plain_label(name, wraps=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label
