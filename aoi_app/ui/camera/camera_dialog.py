"""Cameras: which there are, how one is set, and which one the line reads."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aoi_app.camera_setup.state import LEVELS, CameraState, Desk, DeviceRow, Key, line_scan_panel, visible
from aoi_app.ui.camera.feature_tree import FeatureTree
from aoi_app.ui.camera.line_scan_panel import LineScanPanel

_TICK_MS = 100
_COLUMNS = ("vendor", "model", "serial", "transport", "access", "producer")
_PRESETS = "Camera presets (*.json)"


class CameraDialog(QDialog):
    """Shows what the desk has, and hands it what the person asks for.

    Signals:
        chosen: producer, serial and preset, whenever one of them becomes another.
        start_asked: the line is to read the chosen camera.
    """

    chosen = Signal(str, str, str)
    start_asked = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Camera")
        self._desk = desk
        self._shown: CameraState | None = None
        self._devices = _device_table()
        self._problems = _words("Problems of producers")
        self._state = _words("State of the camera")
        self._notes = _words("Messages of the camera")
        self._preset = _words("Preset at the start")
        self.panel = LineScanPanel()
        self.tree = FeatureTree()
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search features")
        self._search.setAccessibleName("Search features")
        self._search.setClearButtonEnabled(True)
        self._level = QComboBox()
        self._level.addItems(LEVELS)
        self._level.setAccessibleName("Visibility")
        self._stops = QCheckBox("stop the camera to set what is locked while it runs; that cloth is a gap")
        self._buttons = {
            "look": _button("&Look again", "Ask all producers for their cameras"),
            "choose": _button("&Choose", "Open the selected camera; it is the camera of this line from now on"),
            "start": _button("&Start the line with it", "End the roll and begin another with the chosen camera"),
            "save": _button("Save &preset…", "Write what the camera is set to; it is set so at the start"),
            "load": _button("L&oad preset…", "Set the camera to a file, now and at the start"),
            "close": _button("Close", "Close this window; the line goes on"),
        }
        self._lay_out()
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.resize(1080, 820)
        desk.look()
        self._tick()

    def _lay_out(self) -> None:
        over = QGridLayout()
        over.addWidget(self._devices, 0, 0, 3, 1)
        for i, key in enumerate(("look", "choose", "start")):
            over.addWidget(self._buttons[key], i, 1)
        filters = QHBoxLayout()
        filters.addWidget(self._search, 1)
        filters.addWidget(self._level)
        filters.addWidget(self._stops)
        under = QHBoxLayout()
        under.addWidget(self._buttons["save"])
        under.addWidget(self._buttons["load"])
        under.addWidget(self._preset, 1)
        under.addWidget(self._buttons["close"])
        column = QVBoxLayout(self)
        column.addLayout(over)
        for widget in (self._problems, self._state, self.panel):
            column.addWidget(widget)
        column.addLayout(filters)
        column.addWidget(self.tree, 1)
        column.addWidget(self._notes)
        column.addLayout(under)

    def _connect(self) -> None:
        self._buttons["look"].clicked.connect(self._desk.look)
        self._buttons["choose"].clicked.connect(self._choose)
        self._buttons["start"].clicked.connect(self.start_asked)
        self._buttons["save"].clicked.connect(self._save)
        self._buttons["load"].clicked.connect(self._load)
        self._buttons["close"].clicked.connect(self.close)
        self._devices.itemDoubleClicked.connect(self._choose)
        self._search.textChanged.connect(self._show_features)
        self._level.currentTextChanged.connect(self._show_features)
        self.panel.edited.connect(self._write)
        self.tree.edited.connect(self._write)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Takes what is new while it is seen."""
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 (Qt's name)
        """Rests."""
        self._timer.stop()
        super().hideEvent(event)

    # --- what the person asks for -------------------------------------------------------------------------------

    def _choose(self) -> None:
        device = self._selected()
        if device is not None:
            self._desk.choose(device.producer, device.serial)

    def _selected(self) -> DeviceRow | None:
        row = self._devices.currentRow()
        devices = self._shown.devices if self._shown is not None else ()
        return devices[row] if 0 <= row < len(devices) else None

    def _write(self, key: Key, text: str) -> None:
        self._desk.write(key, text, stops=self._stops.isChecked())

    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save preset", "camera.json", _PRESETS)
        if path:
            self._desk.save_preset(path)

    def _load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load preset", "", _PRESETS)
        if path:
            self._desk.load_preset(path)

    # --- what is shown ------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        view, before = self._desk.view(), self._shown
        if before is not None and view.revision == before.revision:
            return
        self._shown = view
        now = (view.producer, view.serial, view.preset)
        if before is not None and now != (before.producer, before.serial, before.preset):
            self.chosen.emit(*now)
        if before is None or (view.devices, view.serial) != (before.devices, before.serial):
            self._show_devices(view)
        self._show_words(view)
        self._show_features()

    def _show_devices(self, view: CameraState) -> None:
        selected = self._devices.currentRow()
        self._devices.setRowCount(len(view.devices))
        for i, d in enumerate(view.devices):
            for column, text in enumerate((d.vendor, d.model, d.serial, d.transport, d.access, d.producer)):
                self._devices.setItem(i, column, QTableWidgetItem(text))
            if selected < 0 and (d.producer, d.serial) == (view.producer, view.serial):
                self._devices.selectRow(i)

    def _show_words(self, view: CameraState) -> None:
        where = ", read by the line" if view.on_the_line else ", not running"
        state = f"{view.camera}{where}." if view.camera else "No camera is open. Select one and choose it."
        _say(self._state, view.busy or state)
        _say(self._problems, "\n".join(view.problems))
        _say(self._notes, "\n".join(view.notes))
        _say(self._preset, f"Set at the start: {view.preset}" if view.preset else "No preset at the start.")
        is_open = bool(view.camera)
        self._buttons["save"].setEnabled(is_open)
        self._buttons["load"].setEnabled(is_open)
        self._buttons["start"].setEnabled(bool(view.producer) and not view.busy)
        self._stops.setVisible(view.on_the_line)

    def _show_features(self) -> None:
        if self._shown is None:
            return
        view, search = self._shown, self._search.text()
        self.panel.show_rows(line_scan_panel(view.rows) if view.rows else [], view.errors)
        self.tree.show_rows(
            visible(view.rows, search, self._level.currentText()), view.errors, expand=bool(search.strip())
        )


def _device_table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setHorizontalHeaderLabels(_COLUMNS)
    table.setAccessibleName("Cameras")
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.verticalHeader().hide()
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
    table.setFixedHeight(150)
    return table


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def _words(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _say(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
    label.setVisible(bool(text))
