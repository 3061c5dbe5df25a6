"""The tools of the label editor, as rows, buttons and keys."""

from __future__ import annotations

from functools import partial
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QToolBar, QWidget

from aoi_app.samples.label_drawing import Tool
from aoi_app.ui.widgets.actions import ActionRow, make_actions

ROWS = (
    ActionRow("select", "Select (V)", "V", "Click a label, drag it, or move it with the arrow keys", True),
    ActionRow("box", "Box (B)", "B", "Drag from corner to corner", True),
    ActionRow("polygon", "Polygon (P)", "P", "Click the corners; a double click or Enter closes it, Esc cancels", True),
    ActionRow("brush", "Brush (S)", "S", "Paint over the defect", True),
    ActionRow("smaller", "Smaller brush", "[", "Make the brush smaller"),
    ActionRow("larger", "Larger brush", "]", "Make the brush larger"),
    ActionRow("undo", "Undo", "Ctrl+Z", "Undo the last change of this tile"),
    ActionRow("redo", "Redo", "Ctrl+Shift+Z", "Redo it"),
    ActionRow("delete", "Delete", "Del", "Remove the selected label; a tile without labels is good cloth"),
    ActionRow("label", "Next label", "L", "Select the next label"),
    ActionRow("in", "+", "+", "Zoom in; the wheel zooms where the mouse is"),
    ActionRow("out", "−", "-", "Zoom out"),
    ActionRow("fit", "Fit", "0", "Show the whole tile"),
    ActionRow("before", "Previous tile", "Shift+N", "Open the sample before this one"),
    ActionRow("after", "Next tile", "N", "Open the sample after this one"),
    ActionRow("again", "Save again", "Ctrl+S", "Try again to save labels that could not be saved"),
)
_BUTTONS = (
    "select", "box", "polygon", "brush", "", "undo", "redo", "delete", "", "out", "in", "fit", "", "before", "after",
)  # fmt: skip


class LabelToolbar(QToolBar):
    """Its keys act while the keyboard is inside the editor, and nowhere else.

    Signals:
        asked: key of the row that the person asked for.
    """

    asked = Signal(str)

    def __init__(self, editor: QWidget) -> None:
        """``editor``: inside which the keys act."""
        super().__init__("Tools")
        self.actions_by_key = make_actions(editor, ROWS)
        for key, action in self.actions_by_key.items():
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(partial(self._ask, key))
        editor.addActions(list(self.actions_by_key.values()))
        tools = QActionGroup(self)
        for tool in get_args(Tool):
            tools.addAction(self.actions_by_key[tool])
        for key in _BUTTONS:
            if key:
                self.addAction(self.actions_by_key[key])
            else:
                self.addSeparator()

    def show_tool(self, tool: Tool) -> None:
        """Marks the tool in use."""
        self.actions_by_key[tool].setChecked(True)

    def show_possible(self, **possible: bool) -> None:
        """What can be asked for now, by the keys of the rows."""
        for key, is_possible in possible.items():
            self.actions_by_key[key].setEnabled(is_possible)

    def _ask(self, key: str, _checked: bool = False) -> None:
        self.asked.emit(key)
