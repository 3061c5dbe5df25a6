"""The fabrics of the store and what can be asked for one."""

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
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aoi_app.samples.state import FabricRow
from aoi_app.samples.wording import counts_text, fabric_text
from aoi_app.ui.widgets.actions import ActionRow, connect, make_actions
from aoi_app.ui.widgets.plain import is_sure

ROWS = (
    ActionRow("new", "&New fabric…", "Ctrl+Shift+N", "Create a fabric; then add pictures of defect-free cloth"),
    ActionRow("add_files", "Add &pictures…", "Ctrl+P", "Add tiles or strips from picture files"),
    ActionRow("add_folder", "Add a f&older…", "Ctrl+Shift+P", "Add all pictures of a folder"),
    ActionRow("rename", "&Rename…", "F2", "Give this fabric another name"),
    ActionRow("merge", "&Merge into…", "", "Move all samples of this fabric into another one"),
    ActionRow("retire", "Re&tire", "", "Do not teach models this fabric any more; its samples stay"),
    ActionRow("restore", "Re&store", "", "Teach models this fabric again"),
    ActionRow("export", "&Export…", "Ctrl+Shift+E", "Write this fabric with all its samples to one file"),
    ActionRow("import", "&Import…", "Ctrl+Shift+I", "Read a fabric from a file that another computer exported"),
    ActionRow("export_set", "Export data &set…", "", "Write all fabrics as a data set in the layout of ITDD"),
    ActionRow("import_set", "Import &data set…", "", "Read the fabrics of a data set in the layout of ITDD"),
    ActionRow("read", "Read &again", "Ctrl+F5", "Read all samples from the disk"),
    ActionRow("delete", "&Delete…", "", "Delete this fabric and all its samples"),
)
_BUTTONS = ("new", "add_folder", "add_files")
_MENU = (
    "rename", "merge", "retire", "restore", "", "export", "import", "export_set", "import_set", "", "read", "",
    "delete",
)  # fmt: skip
_NEEDS_FABRIC = ("add_files", "add_folder", "rename", "merge", "retire", "restore", "export", "delete")
_PICTURES = "Pictures (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp)"
_ENDING = ".fabric"
_DATA_SET = "data set"
_FABRICS = f"Fabrics (*{_ENDING})"
_WIDTH_PX = 230


class FabricList(QWidget):
    """Shows the fabrics, asks what has to be known, and announces what the person wants.

    Signals:
        chosen: name of the fabric to show.
        begin_asked: name of a new fabric.
        renaming_asked: a fabric and its new name.
        merging_asked: the fabric whose samples move, and the one that they move to.
        retirement_asked: a fabric, and whether it is to be retired.
        deletion_asked: a fabric.
        pictures_chosen: a fabric, and a list of Path of its pictures and folders.
        export_asked: a fabric, and the Path of the file to write.
        import_asked: Path of a file.
        data_set_export_asked, data_set_import_asked: Path of a folder.
        read_asked: read the store again.
        folder_used: a folder that pictures came from, to begin with next time.
    """

    chosen = Signal(str)
    begin_asked = Signal(str)
    renaming_asked = Signal(str, str)
    merging_asked = Signal(str, str)
    retirement_asked = Signal(str, bool)
    deletion_asked = Signal(str)
    pictures_chosen = Signal(str, object)
    export_asked = Signal(str, object)
    import_asked = Signal(object)
    data_set_export_asked = Signal(object)
    data_set_import_asked = Signal(object)
    read_asked = Signal()
    folder_used = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(_WIDTH_PX)
        self._rows: tuple[FabricRow, ...] = ()
        self._fabric = ""
        self.last_folder = ""
        self.list = QListWidget()
        self.list.setAccessibleName("Fabrics")
        self.list.setSpacing(3)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.actions_by_key = make_actions(self, ROWS)
        self.addActions(list(self.actions_by_key.values()))
        self._lay_out()
        self._enable(None)
        connect(self.actions_by_key, self._commands())
        self.list.currentRowChanged.connect(self._row_chosen)
        self.list.customContextMenuRequested.connect(self._show_menu)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list, 1)
        for key in _BUTTONS:
            action = self.actions_by_key[key]
            button = QPushButton(action.text())
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            button.setObjectName(f"{key}_button")
            action.changed.connect(lambda b=button, a=action: b.setEnabled(a.isEnabled()))
            column.addWidget(button)
        more = QPushButton("&More")
        more.setToolTip("Rename, merge, retire or delete a fabric, or carry it to another computer")
        more.setMenu(self._menu())
        column.addWidget(more)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for key in _MENU:
            if key:
                menu.addAction(self.actions_by_key[key])
            else:
                menu.addSeparator()
        return menu

    def _commands(self) -> dict[str, Callable[[], object]]:
        return {
            "new": self._ask_new,
            "add_files": self._ask_files,
            "add_folder": self._ask_folder,
            "rename": self._ask_name,
            "merge": self._ask_target,
            "retire": lambda: self.retirement_asked.emit(self._fabric, True),
            "restore": lambda: self.retirement_asked.emit(self._fabric, False),
            "export": self._ask_export,
            "import": self._ask_import,
            "export_set": self._ask_export_set,
            "import_set": self._ask_import_set,
            "read": self.read_asked.emit,
            "delete": self._ask_delete,
        }

    def show_fabrics(self, rows: Sequence[FabricRow], fabric: str) -> None:
        """The fabrics and which one is shown."""
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

    def _enable(self, shown: FabricRow | None) -> None:
        for key in _NEEDS_FABRIC:
            self.actions_by_key[key].setEnabled(shown is not None)
        is_retired = shown is not None and shown.record.is_retired
        self.actions_by_key["retire"].setVisible(not is_retired)
        self.actions_by_key["restore"].setVisible(is_retired)
        self.actions_by_key["merge"].setEnabled(shown is not None and len(self._rows) > 1)

    # --- questions: names of fabrics stand in titles, which Qt never reads as HTML --------------------------------

    def _ask_new(self) -> None:
        name, ok = QInputDialog.getText(self, "New fabric", "Name of the fabric:")
        if ok and name.strip():
            self.begin_asked.emit(name.strip())

    def _ask_name(self) -> None:
        name, ok = QInputDialog.getText(self, f"Rename {self._fabric}", "New name:", text=self._fabric)
        if ok and name.strip() and name.strip() != self._fabric:
            self.renaming_asked.emit(self._fabric, name.strip())

    def _ask_target(self) -> None:
        others = [r.name for r in self._rows if r.name != self._fabric]
        text = "Move all its samples to the fabric below. Its name is removed."
        name, ok = QInputDialog.getItem(self, f"Merge {self._fabric}", text, others, 0, False)
        if ok:
            self.merging_asked.emit(self._fabric, name)

    def _ask_delete(self) -> None:
        row = next(r for r in self._rows if r.name == self._fabric)
        counted = "" if row.counts is None else f" ({counts_text(row.counts)})"
        text = f"Delete {self._fabric} and all its samples{counted} from the disk? This cannot be undone."
        if is_sure(self, "Delete", text):
            self.deletion_asked.emit(self._fabric)

    def _ask_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, f"Pictures of {self._fabric}", self.last_folder, _PICTURES)
        if files:
            self._use_folder(str(Path(files[0]).parent))
            self.pictures_chosen.emit(self._fabric, [Path(f) for f in files])

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, f"Pictures of {self._fabric}", self.last_folder)
        if folder:
            self._use_folder(folder)
            self.pictures_chosen.emit(self._fabric, [Path(folder)])

    def _ask_export(self) -> None:
        place = str(Path(self.last_folder) / f"{self._fabric.replace('/', '_')}{_ENDING}")
        path, _ = QFileDialog.getSaveFileName(self, f"Export {self._fabric}", place, _FABRICS)
        if path:
            self.export_asked.emit(self._fabric, Path(path))

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import a fabric", self.last_folder, _FABRICS)
        if path:
            self.import_asked.emit(Path(path))

    def _ask_export_set(self) -> None:
        place = str(Path(self.last_folder) / _DATA_SET)
        # A dialog for a folder takes only one that is there; this one is made.
        folder, _ = QFileDialog.getSaveFileName(self, "New folder for the data set", place)
        if folder:
            self.data_set_export_asked.emit(Path(folder))

    def _ask_import_set(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a data set", self.last_folder)
        if folder:
            self.data_set_import_asked.emit(Path(folder))

    def _use_folder(self, folder: str) -> None:
        self.last_folder = folder
        self.folder_used.emit(folder)

    def _row_chosen(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self.chosen.emit(self._rows[row].name)

    def _show_menu(self, where: QPoint) -> None:
        if self.list.itemAt(where) is not None:
            self._menu().popup(self.list.viewport().mapToGlobal(where))


def _slant(item: QListWidgetItem, is_retired: bool) -> None:
    font = item.font()
    font.setItalic(is_retired)
    item.setFont(font)
