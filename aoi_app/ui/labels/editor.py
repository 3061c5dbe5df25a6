"""The view in which one tile is labelled: tools above, the tile in the middle, its labels at the side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from aoi_app.samples.label_drawing import Tool
from aoi_app.samples.label_editing import LabelEditing
from aoi_app.samples.state import SamplesState
from aoi_app.samples.wording import place_text
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.labels.canvas import LabelCanvas
from aoi_app.ui.labels.label_sidebar import LabelSidebar
from aoi_app.ui.labels.toolbar import ROWS, LabelToolbar
from aoi_app.ui.labels.unsaved import Answer, ask_about_unsaved
from aoi_app.ui.widgets.actions import ActionRow
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plain import PlainLabel, plain_label
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.values import Sample

KEYS = (
    ActionRow("back", "Back", "Esc", "Cancel what is being drawn; unselect; back to all samples"),
    *ROWS,
    ActionRow("close", "Close", "Enter", "Close the polygon"),
    ActionRow("type", "Type", "1 … 9", "Type of the selected label, or of the next ones"),
    ActionRow("pan", "Move the tile", "Space", "Hold it down and drag; the middle mouse button does the same"),
    ActionRow("cross", "Draw without a mouse", "Arrows", "Move the selected label, or a cross; Shift: 10 px"),
    ActionRow("click", "Click", "Space", "Click where the cross is"),
)
"""All keys of the editor, for the list of keys."""

_REMINDER = "B box   P polygon   S brush   V select   [ ] brush size   1–9 type   N next tile   Esc back   F1 all keys"
_ZOOM = 1.25


class LabelEditor(QWidget):
    """Draws a tile with its labels, and announces what was made of them.

    Signals:
        labelled: id of the sample and its labels, whenever they are others.
        step_asked: 1 for the next tile, -1 for the one before.
        types_asked: the defect types are to be edited.
        left: back to all samples.
    """

    labelled = Signal(str, object)
    step_asked = Signal(int)
    types_asked = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sample: Sample | None = None
        self._state = SamplesState()
        self._tile_id = ""  # of the sample whose picture is shown
        self._types: tuple[DefectType, ...] = ()
        self._editing = LabelEditing()
        self.canvas = LabelCanvas(theme)
        self.sidebar = LabelSidebar()
        self.toolbar = LabelToolbar(self)
        self._title = plain_label("Place of the tile")
        self._banner = Banner("State of the tile")
        self._lay_out()
        self._connect()
        self._use(self._editing)

    def _lay_out(self) -> None:
        back = QPushButton("← All sam&ples")
        back.setToolTip("Back to all samples (Esc)")
        back.clicked.connect(self.leave)
        head = QHBoxLayout()
        head.addWidget(back)
        head.addWidget(self._title, 1)
        reminder = PlainLabel(_REMINDER)
        reminder.setObjectName("caption")
        middle = QHBoxLayout()
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.sidebar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.toolbar)
        column.addWidget(self._banner)
        column.addLayout(middle, 1)
        column.addWidget(reminder)

    def _connect(self) -> None:
        commands: dict[str, Callable[[], object]] = {
            **{tool: partial(self._use_tool, tool) for tool in get_args(Tool)},
            "smaller": lambda: self._use(self._editing.with_brush(-1)),
            "larger": lambda: self._use(self._editing.with_brush(1)),
            "undo": lambda: self._use(self._editing.undone()),
            "redo": lambda: self._use(self._editing.redone()),
            "delete": lambda: self._use(self._editing.without_selected()),
            "label": self._select_next,
            "in": lambda: self.canvas.zoom(_ZOOM),
            "out": lambda: self.canvas.zoom(1 / _ZOOM),
            "fit": self.canvas.fit,
            "before": lambda: self._step(-1),
            "after": lambda: self._step(1),
            "again": self._announce,
        }
        self.toolbar.asked.connect(lambda key: commands[key]())
        self.canvas.drawn.connect(lambda label: self._use(self._editing.added(label)))
        self.canvas.moved.connect(lambda labels: self._use(self._editing.changed(labels)))
        self.canvas.selected.connect(self._select)
        self.sidebar.label_chosen.connect(self._select)
        self.sidebar.type_chosen.connect(lambda code: self._use(self._editing.with_type(code)))
        self.sidebar.types_asked.connect(self.types_asked)
        self.sidebar.brush_asked.connect(lambda step: self._use(self._editing.with_brush(step)))

    # --- which tile -----------------------------------------------------------------------------------------------

    @property
    def sample_id(self) -> str:
        """Of the sample; empty without."""
        return "" if self._sample is None else self._sample.id

    @property
    def is_ready(self) -> bool:
        """Its picture was read, or cannot be."""
        return self._tile_id == self.sample_id

    @property
    def is_unsaved(self) -> bool:
        """What is drawn could not be written."""
        return self.sample_id in self._state.unsaved

    def open(self, sample: Sample) -> None:
        """Shows another sample; its picture comes with a later state."""
        self._sample, self._tile_id = sample, ""
        self._title.setText(place_text(sample))
        self.canvas.show_tile(None, "Reading …")
        self._show(self._editing.on_tile(sample.labels))

    def show_state(self, state: SamplesState) -> None:
        """Takes what is new: the picture, and whether the labels are on disk."""
        self._state = state
        tile = state.tile
        if tile is not None and tile.sample_id == self.sample_id and not self.is_ready:
            self._tile_id = self.sample_id
            self.canvas.show_tile(tile.image, tile.problem)
            self._show(self._editing)
        if self._sample is not None:
            self._compare(next((s for s in state.samples if s.id == self.sample_id), None))

    def show_types(self, types: tuple[DefectType, ...]) -> None:
        """The defect types that can be chosen."""
        self._types = types
        self.sidebar.show_types(types)
        self._show(self._editing)

    def _compare(self, now: Sample | None) -> None:
        """What is on disk against what is drawn."""
        if now is None:
            self._banner.say("This sample is no longer in the store; somebody removed it.", alarm=True)
        elif self.is_unsaved:
            reason = self._state.unsaved[self.sample_id]
            self._banner.say(f"The labels are NOT saved. {reason} Press Ctrl+S to try again.", alarm=True)
        elif now.labels != self._editing.labels:  # somebody else labelled it
            self._show(self._editing.on_tile(now.labels))
        else:
            is_out = now.choice == "thrown out"
            self._banner.say("This sample is thrown out: models are not taught with it." if is_out else "")

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.canvas.set_theme(theme)

    # --- what the person does -------------------------------------------------------------------------------------

    def _use(self, editing: LabelEditing) -> None:
        """Shows what follows, and announces labels that are others."""
        are_others = editing.labels != self._editing.labels
        self._show(editing)
        if are_others:
            self._announce()

    def _announce(self) -> None:
        if self._sample is not None and self.is_ready:  # nobody labels a tile that is not seen yet
            self.labelled.emit(self.sample_id, self._editing.labels)

    def _show(self, editing: LabelEditing) -> None:
        self._editing = editing
        self.canvas.set_pen(editing.pen)
        self.canvas.show_labels(editing.labels, editing.selected)
        self.sidebar.show_labels(editing.labels, editing.selected, editing.code)
        self.sidebar.show_brush(editing.pen.radius_px)
        self.toolbar.show_tool(editing.pen.tool)
        self.toolbar.show_possible(
            undo=bool(editing.history.past), redo=bool(editing.history.future), delete=editing.has_selection
        )

    def _use_tool(self, tool: Tool) -> None:
        self._use(self._editing.with_tool(tool))
        self.canvas.setFocus()

    def _select(self, index: int) -> None:
        self._use(self._editing.select(index))

    def _select_next(self) -> None:
        self._use(self._editing.select_next())
        self.canvas.setFocus()

    def _step(self, step: int) -> None:
        if self._may_leave():
            self.step_asked.emit(step)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Escape goes one step back; digits choose a type."""
        if event.key() == Qt.Key.Key_Escape:
            self._go_back()
        elif event.text() in tuple("123456789") and int(event.text()) <= len(self._types):
            self._use(self._editing.with_type(self._types[int(event.text()) - 1].code))
        else:
            super().keyPressEvent(event)

    def _go_back(self) -> None:
        if self.canvas.cancel():
            return
        if self._editing.selected >= 0:
            self._select(-1)
        else:
            self.leave()

    def leave(self) -> bool:
        """Back to all samples, unless the person stays because labels are not saved; whether it was left."""
        if self._may_leave():
            self.left.emit()
            return True
        return False

    def _may_leave(self) -> bool:
        """Asks where something drawn would be lost."""
        if not self.is_unsaved:
            return True
        answer = ask_about_unsaved(self, self._state.unsaved[self.sample_id])
        if answer is Answer.RETRY:
            self._announce()
        return answer is Answer.DISCARD
