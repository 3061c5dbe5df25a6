"""The window in which one tile is labelled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup, QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QToolBar, QVBoxLayout, QWidget

from aoi_app.samples.label_drawing import History, Labels, Tool, next_brush_px, with_label
from aoi_app.samples.state import SamplesState
from aoi_app.ui.labels.canvas import LabelCanvas
from aoi_app.ui.labels.defect_types_dialog import CatalogueDialog
from aoi_app.ui.labels.label_sidebar import LabelSide
from aoi_app.ui.widgets.actions import ActionRow, connect, make_actions, shortcuts_text
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.labels import Label
from cras_core.data.samples.values import Sample

ROWS = (
    ActionRow("select", "Select (&V)", "V", "Click a label, drag it, or move it with the arrow keys", True),
    ActionRow("box", "&Box (B)", "B", "Drag from corner to corner", True),
    ActionRow(
        "polygon", "&Polygon (P)", "P", "Click the corners; a double click or Enter closes, Escape cancels", True
    ),
    ActionRow("brush", "Bru&sh (S)", "S", "Paint over the defect", True),
    ActionRow("smaller", "Smaller", "[", "A smaller brush"),
    ActionRow("larger", "Larger", "]", "A larger brush"),
    ActionRow("undo", "Undo", "Ctrl+Z", "Take the last change of this tile back"),
    ActionRow("redo", "Redo", "Ctrl+Shift+Z", "Do it again"),
    ActionRow("delete", "Delete", "Del", "Remove the selected label; without labels the tile is good cloth"),
    ActionRow("label", "Next label", "L", "Select one label after the other"),
    ActionRow("in", "+", "+", "Zoom in; so does the wheel, where the mouse is"),
    ActionRow("out", "−", "-", "Zoom out"),
    ActionRow("fit", "Fit", "0", "Show the whole tile"),
    ActionRow("before", "Previous tile", "Shift+N", "The tile before this one in the grid"),
    ActionRow("after", "Next tile", "N", "The tile after this one in the grid"),
    ActionRow("again", "Try again", "Ctrl+S", "Write labels that could not be written"),
    ActionRow("types", "Types…", "Ctrl+T", "Edit the types of defects"),
    ActionRow("keys", "Keys", "F1", "List all keys"),
)

_BAR = (
    "select",
    "box",
    "polygon",
    "brush",
    "",
    "undo",
    "redo",
    "delete",
    "",
    "out",
    "in",
    "fit",
    "",
    "before",
    "after",
)
_MORE_KEYS = (
    "Escape\tForget what is being drawn; unselect; close\n"
    "Enter\tClose the polygon\n"
    "1 … 9\tType of the selected label, or of the next ones\n"
    "Space\tHeld down, the mouse moves the tile; so does the middle button\n"
    "Arrows\tMove the selected label, or a cross that draws without a mouse (Shift: 10 px)\n"
    "Space\tClick where the cross is"
)
_ZOOM = 1.25


class LabelEditor(QWidget):
    """Draws a tile with its labels, and announces what was made of them.

    Signals:
        labelled: id of the sample and its labels, whenever they are others.
        step_asked: 1 for the next tile, -1 for the one before.
        types_changed: tuple of DefectType.
    """

    labelled = Signal(str, object)
    step_asked = Signal(int)
    types_changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._sample: Sample | None = None
        self._history = History(())
        self._selected = -1
        self._view = SamplesState()
        self._shown_tile = ""
        self._code = ""
        self._radius_px = 8.0
        self.canvas = LabelCanvas(theme)
        self.side = LabelSide()
        self._banner = Banner("State of the tile")
        self.actions_by_key = make_actions(self, ROWS)
        self._lay_out()
        self._connect()
        self._use_tool("box")
        self.resize(1180, 720)

    def _lay_out(self) -> None:
        bar = QToolBar("Tools")
        for key in _BAR:
            if key:
                bar.addAction(self.actions_by_key[key])
            else:
                bar.addSeparator()
        self.addActions(list(self.actions_by_key.values()))
        tools = QActionGroup(self)
        for tool in get_args(Tool):
            tools.addAction(self.actions_by_key[tool])
        keys_line = QLabel(
            "B box   P polygon   S brush   V select   [ ] size   1–9 type   N next tile   Ctrl+Z undo   F1 all keys"
        )
        keys_line.setObjectName("caption")
        middle = QHBoxLayout()
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(bar)
        column.addWidget(self._banner)
        column.addLayout(middle, 1)
        column.addWidget(keys_line)

    def _connect(self) -> None:
        answers: dict[str, Callable[[], object]] = {
            **{tool: partial(self._use_tool, tool) for tool in get_args(Tool)},
            "smaller": lambda: self._use_brush(-1),
            "larger": lambda: self._use_brush(1),
            "undo": lambda: self._go_to(self._history.undone()),
            "redo": lambda: self._go_to(self._history.redone()),
            "delete": self._delete,
            "label": self._next_label,
            "in": lambda: self.canvas.zoom(_ZOOM),
            "out": lambda: self.canvas.zoom(1 / _ZOOM),
            "fit": self.canvas.fit,
            "before": lambda: self._step(-1),
            "after": lambda: self._step(1),
            "again": self._announce,
            "types": self._edit_types,
            "keys": self._show_keys,
        }
        connect(self.actions_by_key, answers)
        self.canvas.drawn.connect(self._add)
        self.canvas.changed.connect(self._change)
        self.canvas.selected.connect(self._select)
        self.side.label_chosen.connect(self._select)
        self.side.type_chosen.connect(self._use_type)
        self.side.types_asked.connect(self._edit_types)
        self.side.brush_asked.connect(self._use_brush)

    # --- which tile -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Id of the sample; empty without."""
        return "" if self._sample is None else self._sample.id

    @property
    def is_ready(self) -> bool:
        """Its picture was read, or cannot be."""
        return self._shown_tile == self.name

    @property
    def is_not_kept(self) -> bool:
        """What is drawn could not be written."""
        return self.name in self._view.not_kept

    def open(self, sample: Sample) -> None:
        """Shows another sample; its picture comes with a later view."""
        self._sample, self._history, self._selected, self._shown_tile = sample, History(sample.labels), -1, ""
        self.setWindowTitle(f"Label {sample.web}, {sample.position_m:.2f} m, {sample.position_mm:.0f} mm across")
        self.canvas.show_tile(None, "Reading …")
        self._draw()

    def show_view(self, view: SamplesState) -> None:
        """Takes what is new: the picture, whether the labels are on disk, the types."""
        self._view = view
        if view.tile is not None and view.tile.name == self.name and self._shown_tile != self.name:
            self._shown_tile = self.name
            self.canvas.show_tile(view.tile.image, view.tile.problem)
            self._draw()
        self.side.show_types(view.catalogue)
        if self._sample is not None:
            self._compare({s.id: s for s in view.samples}.get(self.name))

    def _compare(self, now: Sample | None) -> None:
        """What is on disk against what is drawn."""
        if now is None:
            self._banner.say("This sample is not in the store any more; somebody removed it.", alarm=True)
        elif self.is_not_kept:
            text = f"What is drawn is NOT on disk. {self._view.not_kept[self.name]} Ctrl+S tries again."
            self._banner.say(text, alarm=True)
        elif now.labels != self._history.now:  # somebody else labelled it
            self._history, self._selected = History(now.labels), -1
            self._draw()
        else:
            self._banner.say("Thrown out; it is not learnt from." if now.choice == "thrown out" else "")

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.canvas.set_theme(theme)

    # --- what the person does -------------------------------------------------------------------------------------

    def _add(self, label: Label) -> None:
        self._selected = len(self._history.now)
        self._go_to(self._history.done((*self._history.now, label)), selected=self._selected)

    def _change(self, labels: Labels) -> None:
        self._go_to(self._history.done(labels), selected=self._selected)

    def _delete(self) -> None:
        if 0 <= self._selected < len(self._history.now):
            self._change(with_label(self._history.now, self._selected, None))
            self._select(-1)

    def _select(self, index: int) -> None:
        self._selected = index
        self._draw()

    def _next_label(self) -> None:
        if self._history.now:
            self.actions_by_key["select"].setChecked(True)
            self._use_tool("select")
            self._select((self._selected + 1) % len(self._history.now))
            self.canvas.setFocus()

    def _use_type(self, code: str) -> None:
        self._code = code
        self.canvas.set_code(code)
        labels = self._history.now
        if 0 <= self._selected < len(labels):
            old = labels[self._selected]
            new = Label(old.outline, old.points, code, old.radius_px)
            self._change(with_label(labels, self._selected, new))
        self._draw()

    def _go_to(self, history: History, selected: int = -1) -> None:
        if history is not self._history:
            self._history, self._selected = history, selected
            self._draw()
            self._announce()

    def _announce(self) -> None:
        if self._sample is not None and self.is_ready:
            self.labelled.emit(self.name, self._history.now)

    def _draw(self) -> None:
        labels = self._history.now
        self.canvas.show_labels(labels, self._selected)
        code = labels[self._selected].code if 0 <= self._selected < len(labels) else self._code
        self.side.show_labels(labels, self._selected, code)
        self.actions_by_key["undo"].setEnabled(bool(self._history.past))
        self.actions_by_key["redo"].setEnabled(bool(self._history.future))
        self.actions_by_key["delete"].setEnabled(0 <= self._selected < len(labels))

    def _use_tool(self, tool: Tool) -> None:
        self.actions_by_key[tool].setChecked(True)
        self.canvas.set_tool(tool)
        self.canvas.setFocus()

    def _use_brush(self, step: int) -> None:
        self._radius_px = next_brush_px(self._radius_px, step)
        self.canvas.set_brush(self._radius_px)
        self.side.show_brush(self._radius_px)

    def _step(self, step: int) -> None:
        if self._may_leave():
            self.step_asked.emit(step)

    def _edit_types(self) -> None:
        used = [label.code for s in self._view.samples for label in s.labels] + [v.code for v in self._history.now]
        dialog = CatalogueDialog(self._view.catalogue, used, self)
        dialog.accepted.connect(lambda: self.types_changed.emit(dialog.types))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_keys(self) -> None:
        QMessageBox.information(self, "Keys", f"{shortcuts_text(ROWS)}\n{_MORE_KEYS}")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Escape goes one step back; digits choose a type."""
        if event.key() == Qt.Key.Key_Escape:
            if self.canvas.cancel():
                return
            if self._selected >= 0:
                self._select(-1)
            else:
                self.close()
        elif event.text() in tuple("123456789") and int(event.text()) <= len(self._view.catalogue):
            self._use_type(self._view.catalogue[int(event.text()) - 1].code)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """Asks where something drawn would be lost."""
        if self._may_leave():
            event.accept()
        else:
            event.ignore()

    def _may_leave(self) -> bool:
        if not self.is_not_kept:
            return True
        box = QMessageBox.StandardButton
        text = f"The labels of this tile are not on disk. {self._view.not_kept[self.name]}"
        answer = QMessageBox.question(self, "Labels", text, box.Retry | box.Discard | box.Cancel, box.Retry)
        if answer == box.Retry:
            self._announce()
        return answer == box.Discard
