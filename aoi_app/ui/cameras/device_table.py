"""The cameras that were found, as a table in which one is selected."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from aoi_app.camera_setup.feature_rows import DeviceRow

_COLUMNS = ("vendor", "model", "serial", "transport", "access", "producer")
_HEIGHT_PX = 152


class DeviceTable(QTableWidget):
    """
    Signals:
        chosen: producer and serial number of the camera that the person chose with the mouse.
    """

    chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._devices: Sequence[DeviceRow] = ()
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.setAccessibleName("Cameras")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)  # Tab goes on to the buttons
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.setFixedHeight(_HEIGHT_PX)
        self.itemDoubleClicked.connect(self.choose)

    def show_devices(self, devices: Sequence[DeviceRow], producer: str, serial: str) -> None:
        """Lists cameras; the one with this producer and serial number is selected where none is."""
        selected = self.currentRow()
        self._devices = devices
        self.setRowCount(len(devices))
        for i, d in enumerate(devices):
            for column, text in enumerate((d.vendor, d.model, d.serial, d.transport, d.access, d.producer)):
                self.setItem(i, column, QTableWidgetItem(text))
            if selected < 0 and (d.producer, d.serial) == (producer, serial):
                self.selectRow(i)

    def choose(self) -> None:
        """Announces the selected camera; nothing where none is selected."""
        row = self.currentRow()
        if 0 <= row < len(self._devices):
            self.chosen.emit(self._devices[row].producer, self._devices[row].serial)
