"""The labels of one tile while somebody edits them: what each command makes of them, and what undo brings back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from aoi_app.samples.label_drawing import Labels, Tool, next_brush_px, with_label
from aoi_app.samples.label_gestures import Pen
from cras_core.data.samples.labels import Label


@dataclass(frozen=True, slots=True)
class History:
    """The labels of one tile, and what they were before.

    Attributes:
        now: as they are.
        past, future: what undo and redo bring, the nearest last.
    """

    now: Labels
    past: tuple[Labels, ...] = field(default=())
    future: tuple[Labels, ...] = field(default=())

    def done(self, labels: Labels) -> History:
        """Something was changed; what was undone before cannot be redone any more."""
        return self if labels == self.now else History(labels, (*self.past, self.now))

    def undone(self) -> History:
        """As before the last change; the same where there is none."""
        return History(self.past[-1], self.past[:-1], (*self.future, self.now)) if self.past else self

    def redone(self) -> History:
        """The inverse of ``undone``."""
        return History(self.future[-1], (*self.past, self.now), self.future[:-1]) if self.future else self


@dataclass(frozen=True, slots=True)
class LabelEditing:
    """Every method gives what follows.

    Attributes:
        history: of the labels.
        selected: index of a label; -1 for none.
        pen: what new labels are drawn with.
    """

    history: History = field(default=History(()))
    selected: int = -1
    pen: Pen = field(default_factory=Pen)

    @property
    def labels(self) -> Labels:
        """As they are now."""
        return self.history.now

    @property
    def has_selection(self) -> bool:
        """A label is selected."""
        return 0 <= self.selected < len(self.labels)

    @property
    def code(self) -> str:
        """The type of the selected label, else of new ones; empty for none."""
        return self.labels[self.selected].code if self.has_selection else self.pen.code

    def on_tile(self, labels: Labels) -> LabelEditing:
        """Another tile, or labels that somebody else made; the pen stays."""
        return LabelEditing(History(labels), pen=self.pen)

    def added(self, label: Label) -> LabelEditing:
        """A new label, which is selected."""
        return replace(self, history=self.history.done((*self.labels, label)), selected=len(self.labels))

    def changed(self, labels: Labels) -> LabelEditing:
        """The same labels, some of them moved."""
        return replace(self, history=self.history.done(labels))

    def without_selected(self) -> LabelEditing:
        """The selected label is removed."""
        if not self.has_selection:
            return self
        labels = with_label(self.labels, self.selected, None)
        return replace(self, history=self.history.done(labels), selected=-1)

    def undone(self) -> LabelEditing:
        """As before the last change."""
        return replace(self, history=self.history.undone(), selected=-1) if self.history.past else self

    def redone(self) -> LabelEditing:
        """The inverse of ``undone``."""
        return replace(self, history=self.history.redone(), selected=-1) if self.history.future else self

    def select(self, index: int) -> LabelEditing:
        """Another label is selected; -1 for none."""
        return replace(self, selected=index)

    def select_next(self) -> LabelEditing:
        """The label after the selected one, with the tool that moves it."""
        if not self.labels:
            return self
        return replace(self.with_tool("select"), selected=(self.selected + 1) % len(self.labels))

    def with_type(self, code: str) -> LabelEditing:
        """The type of the selected label, and of those that are drawn next."""
        there = replace(self, pen=replace(self.pen, code=code))
        if not self.has_selection:
            return there
        label = replace(self.labels[self.selected], code=code)
        return there.changed(with_label(self.labels, self.selected, label))

    def with_tool(self, tool: Tool) -> LabelEditing:
        """Another tool."""
        return replace(self, pen=replace(self.pen, tool=tool))

    def with_brush(self, step: int) -> LabelEditing:
        """The next larger (1) or smaller (-1) brush."""
        return replace(self, pen=replace(self.pen, radius_px=next_brush_px(self.pen.radius_px, step)))
