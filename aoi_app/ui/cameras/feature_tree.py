"""The features of a camera as a tree that can be edited; whether a value is taken, the camera decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from aoi_app.camera_setup.feature_rows import FeatureRow, Key
from aoi_app.ui.cameras.value_editor import editor_text, value_editor
from aoi_app.ui.widgets.plain import plain_tip
from aoi_app.ui.widgets.theme import Theme

_COLUMNS = ("feature", "value", "unit", "range", "type", "access", "problem")
_VALUE, _ACCESS, _PROBLEM = _COLUMNS.index("value"), _COLUMNS.index("access"), _COLUMNS.index("problem")
_KEY = Qt.ItemDataRole.UserRole
_EDITABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
_FIXED = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_ROW_PX = 24

Index = QModelIndex | QPersistentModelIndex


class FeatureTree(QTreeWidget):
    """Node maps, their categories, their features.

    Signals:
        edited: key of a feature and the text that the person gave it; for a command, "1".
    """

    edited = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Features of the camera")
        self.setHeaderLabels(_COLUMNS)
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.SelectedClicked
        )
        self._items: dict[Key, QTreeWidgetItem] = {}
        self._rows: dict[Key, FeatureRow] = {}
        self._shape: tuple[tuple[Key, tuple[str, ...]], ...] = ()
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self._alarm = QBrush()

    def set_theme(self, theme: Theme) -> None:
        """Colours what is wrong."""
        self._alarm = QBrush(QColor(theme.alarm_text))
        for item in self._items.values():
            item.setForeground(_PROBLEM, self._alarm)

    def row(self, index: Index) -> FeatureRow | None:
        """The feature in a line of the tree; None for a category."""
        key = self.model().index(index.row(), 0, index.parent()).data(_KEY)
        return self._rows.get(tuple(key)) if key is not None else None

    def show_rows(self, rows: Sequence[FeatureRow], errors: Mapping[Key, str], *, expand: bool) -> None:
        """Shows features; what is being edited stays as the person typed it."""
        shape = tuple((r.key, r.category) for r in rows)
        self._rows = {r.key: r for r in rows}
        if shape != self._shape:
            self._rebuild(rows)
            self._shape = shape
            if expand:
                self.expandAll()
        edited = self.currentItem() if self.state() == QAbstractItemView.State.EditingState else None
        for row in rows:
            item = self._items[row.key]
            if item is not edited:
                self._fill(item, row, errors.get(row.key, ""))

    def _rebuild(self, rows: Sequence[FeatureRow]) -> None:
        opened = {_path(i) for i in self._branches() if i.isExpanded()}
        first = not self._items
        self.clear()
        self._items = {}
        branches: dict[tuple[str, ...], QTreeWidgetItem] = {}
        for row in rows:
            parent = self._branch((row.key[0], *(row.category or ("no category",))), branches)
            item = QTreeWidgetItem(parent)
            item.setData(0, _KEY, list(row.key))
            item.setForeground(_PROBLEM, self._alarm)
            self._items[row.key] = item
            if row.kind == "command":
                self.setItemWidget(item, _VALUE, self._button(row))
        for path, item in branches.items():
            item.setExpanded(path in opened or (first and path[0] == "remote"))
        for column, width in enumerate((290, 150, 60, 200, 90, 60)):
            if first:
                self.setColumnWidth(column, width)

    def _branch(self, path: tuple[str, ...], branches: dict[tuple[str, ...], QTreeWidgetItem]) -> QTreeWidgetItem:
        if path not in branches:
            parent = self._branch(path[:-1], branches) if len(path) > 1 else None
            item = QTreeWidgetItem(self) if parent is None else QTreeWidgetItem(parent)
            item.setText(0, path[-1])
            item.setFlags(_FIXED)
            branches[path] = item
        return branches[path]

    def _branches(self) -> list[QTreeWidgetItem]:
        found = [self.topLevelItem(i) for i in range(self.topLevelItemCount())]
        listed = [item for item in found if item is not None]
        for item in listed:  # grows while it is walked
            children = (item.child(i) for i in range(item.childCount()))
            listed += [c for c in children if c is not None and c.childCount()]
        return listed

    def _button(self, row: FeatureRow) -> QPushButton:
        button = QPushButton("Execute")
        button.setAccessibleName(f"Execute {row.label}")
        button.clicked.connect(lambda: self.edited.emit(row.key, "1"))
        return button

    def _fill(self, item: QTreeWidgetItem, row: FeatureRow, error: str) -> None:
        texts = (row.label, row.value, row.unit, "" if row.entries else row.range_text, row.kind, row.access, error)
        for column, text in enumerate(texts):
            if item.text(column) != text:
                item.setText(column, text)
        tip = plain_tip("\n".join(filter(None, (row.tip, row.range_text, row.level))))
        if item.toolTip(0) != tip:
            item.setToolTip(0, tip)
            item.setToolTip(_VALUE, tip)
        if error:
            item.setToolTip(_PROBLEM, plain_tip(error))
        flags = _EDITABLE if row.is_writable and row.kind != "command" else _FIXED
        if item.flags() != flags:
            item.setFlags(flags)
        button = self.itemWidget(item, _VALUE)
        if button is not None:
            button.setEnabled(row.is_writable)


def _path(item: QTreeWidgetItem) -> tuple[str, ...]:
    parent = item.parent()
    return (*(_path(parent) if parent is not None else ()), item.text(0))


class _Delegate(QStyledItemDelegate):
    """Makes the editor that a feature needs, and announces what was typed instead of believing it."""

    def __init__(self, tree: FeatureTree) -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802 (Qt's name)
        """High enough for an editor or a button."""
        return super().sizeHint(option, index).expandedTo(QSize(0, _ROW_PX))

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: N802
        row = self._tree.row(index)
        if index.column() != _VALUE or row is None:
            return None  # type: ignore[return-value]  # Qt: this cell has no editor
        return value_editor(row, parent)

    def setEditorData(self, editor: QWidget, index: Index) -> None:  # noqa: N802 (Qt's name)
        """The editor was made with the value; what is typed into it is not overwritten by a refresh."""

    def setModelData(self, editor: QWidget, _model: QAbstractItemModel, index: Index) -> None:  # noqa: N802
        row = self._tree.row(index)
        text = editor_text(editor)
        if row is not None and text != row.value:
            self._tree.edited.emit(row.key, text)
