"""The fabrics of the store and what can be done with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aoi_app.samples.state import FabricRow, SampleDesk, fabric_text
from aoi_app.ui.widgets.actions import ActionRow, connect, make_actions

ROWS = (
    ActionRow("new", "&New fabric…", "Ctrl+N", "Begin a fabric; then add pictures of its good cloth"),
    ActionRow("add_files", "Add &pictures…", "Ctrl+P", "Add tiles or strips from files"),
    ActionRow("add_folder", "Add a &folder…", "Ctrl+O", "Add all pictures of a folder"),
    ActionRow("rename", "&Rename…", "F2", "Give the fabric another name"),
    ActionRow("merge", "&Merge into…", "", "Move all its samples into another fabric"),
    ActionRow("retire", "Re&tire", "", "Learn it no more; its samples stay"),
    ActionRow("restore", "Re&store", "", "Learn it again"),
    ActionRow("export", "&Export…", "Ctrl+E", "Write it with all its samples into one file, for another machine"),
    ActionRow("import", "&Import…", "Ctrl+I", "Read a fabric from a file of another machine"),
    ActionRow("export_set", "Export data &set…", "Ctrl+Shift+E", "Write all fabrics as a data set in ITDD's layout"),
    ActionRow("import_set", "Import &data set…", "Ctrl+Shift+I", "Read the fabrics of a data set in ITDD's layout"),
    ActionRow("delete", "&Delete…", "", "Delete the fabric and all its samples"),
)
_PICTURES = "Pictures (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp)"
_ENDING = ".fabric"
_FABRICS = f"Fabrics (*{_ENDING})"
_NEEDS_FABRIC = ("add_files", "add_folder", "rename", "merge", "retire", "restore", "export", "delete")
_WIDTH_PX = 230


class FabricList(QWidget):
    """Shows the fabrics and hands the desk what the person asks for.

    Signals:
        folder_used: a folder that pictures came from, to begin with next time.
    """

    folder_used = Signal(str)

    def __init__(self, desk: SampleDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(_WIDTH_PX)
        self._desk = desk
        self._rows: tuple[FabricRow, ...] = ()
        self._fabric = ""
        self.last_folder = ""
        self.list = QListWidget()
        self.list.setAccessibleName("Fabrics")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.actions_by_key = make_actions(self, ROWS)
        self.addActions(list(self.actions_by_key.values()))
        self._more = QPushButton("&More")
        self._lay_out()
        self._enable(None)
        connect(self.actions_by_key, self._answers())
        self.list.currentRowChanged.connect(self._row_chosen)
        self.list.customContextMenuRequested.connect(self._show_menu)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list, 1)
        for key in ("new", "add_folder", "add_files"):
            button = QPushButton(self.actions_by_key[key].text())
            button.setToolTip(self.actions_by_key[key].toolTip())
            button.clicked.connect(self.actions_by_key[key].trigger)
            button.setObjectName(f"{key}_button")
            self.actions_by_key[key].changed.connect(
                lambda b=button, a=self.actions_by_key[key]: b.setEnabled(a.isEnabled())
            )
            column.addWidget(button)
        self._more.setMenu(self._menu())
        column.addWidget(self._more)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for key in ("rename", "merge", "retire", "restore", "export", "import", "export_set", "import_set", "delete"):
            menu.addAction(self.actions_by_key[key])
        return menu

    def _answers(self) -> dict[str, Callable[[], object]]:
        return {
            "new": self._new,
            "add_files": self._add_files,
            "add_folder": self._add_folder,
            "rename": self._rename,
            "merge": self._merge,
            "retire": lambda: self._desk.retire(self._fabric, is_retired=True),
            "restore": lambda: self._desk.retire(self._fabric, is_retired=False),
            "export": self._export,
            "import": self._import,
            "export_set": self._export_set,
            "import_set": self._import_set,
            "delete": self._delete,
        }

    def show_fabrics(self, rows: Sequence[FabricRow], fabric: str) -> None:
        """The fabrics and which one is looked at."""
        if (tuple(rows), fabric) == (self._rows, self._fabric):
            return
        names = [r.name for r in rows]
        with QSignalBlocker(self.list):
            if names != [r.name for r in self._rows]:
                self.list.clear()
                self.list.addItems(names)
            self._rows, self._fabric = tuple(rows), fabric
            for i, row in enumerate(rows):
                item = self.list.item(i)
                item.setText(fabric_text(row))
                _slant(item, row.record.is_retired)
            self.list.setCurrentRow(names.index(fabric) if fabric in names else -1)
        self._enable(next((r for r in rows if r.name == fabric), None))

    def _enable(self, chosen: FabricRow | None) -> None:
        for key in _NEEDS_FABRIC:
            self.actions_by_key[key].setEnabled(chosen is not None)
        is_retired = chosen is not None and chosen.record.is_retired
        self.actions_by_key["retire"].setVisible(not is_retired)
        self.actions_by_key["restore"].setVisible(is_retired)
        self.actions_by_key["merge"].setEnabled(len(self._rows) > 1)

    # --- questions ------------------------------------------------------------------------------------------------

    def _new(self) -> None:
        name, ok = QInputDialog.getText(self, "New fabric", "What is the cloth called?")
        if ok and name.strip():
            self._desk.begin(name.strip())

    def _rename(self) -> None:
        name, ok = QInputDialog.getText(self, "Rename", f"Another name for {self._fabric}:", text=self._fabric)
        if ok and name.strip() and name.strip() != self._fabric:
            self._desk.rename(self._fabric, name.strip())

    def _merge(self) -> None:
        others = [r.name for r in self._rows if r.name != self._fabric]
        text = f"Move all samples of {self._fabric} into this fabric; {self._fabric} is gone then:"
        name, ok = QInputDialog.getItem(self, "Merge", text, others, 0, False)
        if ok:
            self._desk.merge(self._fabric, name)

    def _delete(self) -> None:
        row = next(r for r in self._rows if r.name == self._fabric)
        counted = "" if row.counts is None else f" ({fabric_text(row).splitlines()[-1]})"
        text = f"Delete {self._fabric} and all its samples{counted} from the disk? This cannot be undone."
        box = QMessageBox.StandardButton
        if QMessageBox.question(self, "Delete", text, box.Yes | box.Cancel, box.Cancel) == box.Yes:
            self._desk.delete(self._fabric)

    def _add_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, f"Pictures of {self._fabric}", self.last_folder, _PICTURES)
        if files:
            self._use_folder(str(Path(files[0]).parent))
            self._desk.add_pictures(self._fabric, [Path(f) for f in files])

    def _add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, f"Pictures of {self._fabric}", self.last_folder)
        if folder:
            self._use_folder(folder)
            self._desk.add_pictures(self._fabric, [Path(folder)])

    def _export(self) -> None:
        place = str(Path(self.last_folder) / f"{self._fabric.replace('/', '_')}{_ENDING}")
        path, _ = QFileDialog.getSaveFileName(self, f"Export {self._fabric}", place, _FABRICS)
        if path:
            self._desk.export(self._fabric, Path(path))

    def _export_set(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Empty folder for the data set", self.last_folder)
        if folder:
            self._desk.export_data_set(Path(folder))

    def _import_set(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a data set", self.last_folder)
        if folder:
            self._desk.import_data_set(Path(folder))

    def _import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import a fabric", self.last_folder, _FABRICS)
        if path:
            self._desk.import_(Path(path))

    def _use_folder(self, folder: str) -> None:
        self.last_folder = folder
        self.folder_used.emit(folder)

    def _row_chosen(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self._desk.choose(self._rows[row].name)

    def _show_menu(self, where: QPoint) -> None:
        if self.list.itemAt(where) is not None:
            self._menu().popup(self.list.viewport().mapToGlobal(where))


def _slant(item: QListWidgetItem, is_retired: bool) -> None:
    font = item.font()
    font.setItalic(is_retired)
    item.setFont(font)
