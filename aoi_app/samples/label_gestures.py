"""What a hand does on a tile, by mouse or keyboard, decided without Qt: it draws, moves and selects labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from aoi_app.samples.label_drawing import Draft, Labels, Point, Tool, begun, label_at, moved, with_label
from cras_core.data.samples.labels import Label


@dataclass(frozen=True, slots=True)
class Pen:
    """What new labels are drawn with.

    Attributes:
        tool: what the mouse does.
        radius_px: of the brush, pixels of the tile.
        code: of the type that new labels have; empty for none.
    """

    tool: Tool = "box"
    radius_px: float = 8.0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A new label."""

    label: Label


@dataclass(frozen=True, slots=True)
class Moved:
    """All labels, one of them elsewhere than before."""

    labels: Labels


@dataclass(frozen=True, slots=True)
class Selected:
    """Index of the label that was clicked; -1 for none."""

    index: int


@dataclass(frozen=True, slots=True)
class Gesture:
    """What is going on on a tile of (width, height). Every method gives the gesture that follows.

    Attributes:
        size: of the tile, (width, height) in pixels.
        labels: as they are shown, also while one is being moved.
        selected: index of the selected one; -1 for none.
        pen: what the hand holds.
        draft: the label that is being drawn.
        held: where a label was taken hold of, and what it was then.
        cursor: of the keyboard, on the tile; the mouse takes it away.
    """

    size: tuple[int, int] = (1, 1)
    labels: Labels = ()
    selected: int = -1
    pen: Pen = field(default_factory=Pen)
    draft: Draft | None = None
    held: tuple[Point, Label] | None = None
    cursor: Point | None = None

    @property
    def is_going_on(self) -> bool:
        """A label is being drawn or moved."""
        return self.draft is not None or self.held is not None

    # --- what comes from outside ----------------------------------------------------------------------------------

    def on_tile(self, size: tuple[int, int]) -> Gesture:
        """Another tile of (width, height); what was going on is forgotten."""
        return replace(self, size=size, draft=None, held=None, cursor=None)

    def with_labels(self, labels: Labels, selected: int) -> Gesture:
        """Other labels; one that is being moved is let go."""
        selected = selected if selected < len(labels) else -1
        if (labels, selected) == (self.labels, self.selected):
            return self  # the editor shows them anew after every click, also while the button is down
        return replace(self, labels=labels, selected=selected, held=None)

    def with_pen(self, pen: Pen) -> Gesture:
        """Another pen; with another tool, what was going on is forgotten. A stroke gets as wide as the brush is now."""
        if pen.tool != self.pen.tool:
            return replace(self, pen=pen, draft=None, held=None)
        draft = self.draft
        if draft is not None and draft.tool == "brush":
            draft = replace(draft, radius_px=pen.radius_px)
        return replace(self, pen=pen, draft=draft)

    def by_mouse(self) -> Gesture:
        """The mouse is used: the cross of the keyboard goes."""
        return replace(self, cursor=None)

    # --- what the hand does ---------------------------------------------------------------------------------------

    def pressed(self, at: Point, reach_px: float) -> tuple[Gesture, Selected | None]:
        """The button goes down at a point of the tile: it selects, begins a label, or sets a corner of a polygon.

        Args:
            at: where.
            reach_px: how far from a label it is still meant, pixels of the tile.
        """
        if self.pen.tool == "select":
            hit = label_at(self.labels, at, reach_px)
            selected = -1 if hit is None else hit
            held = None if hit is None else (at, self.labels[hit])
            return replace(self, selected=selected, held=held), Selected(selected)
        if self.draft is not None and self.pen.tool == "polygon":
            return replace(self, draft=self.draft.with_corner(at)), None
        return replace(self, draft=begun(self.pen.tool, at, self.pen.radius_px)), None

    def followed(self, at: Point) -> Gesture:
        """The hand goes to a point of the tile, with what it draws or holds."""
        if self.draft is not None:
            return replace(self, draft=self.draft.followed(at))
        if self.held is not None:
            (x, y), label = self.held
            there = moved(label, at[0] - x, at[1] - y, self.size)
            return replace(self, labels=with_label(self.labels, self.selected, there))
        return self

    def released(self) -> tuple[Gesture, Drawn | Moved | None]:
        """The button goes up: a box, a stroke or a move is over; a polygon goes on."""
        if self.held is not None:
            is_elsewhere = self.labels[self.selected] != self.held[1]
            return replace(self, held=None), Moved(self.labels) if is_elsewhere else None
        if self.draft is not None and self.draft.tool != "polygon":
            return self.finished()
        return self, None

    def finished(self) -> tuple[Gesture, Drawn | None]:
        """What is being drawn is a label now, unless it is nothing."""
        if self.draft is None:
            return self, None
        label = self.draft.finished(self.size, self.pen.code)
        return replace(self, draft=None), None if label is None else Drawn(label)

    def cancelled(self) -> Gesture:
        """What is being drawn is forgotten; what is being moved goes back."""
        labels = self.labels if self.held is None else with_label(self.labels, self.selected, self.held[1])
        return replace(self, labels=labels, draft=None, held=None)

    # --- the same by keyboard -------------------------------------------------------------------------------------

    def stepped(self, dx: int, dy: int) -> Gesture:
        """An arrow key moves the selected label, or the cursor, so many pixels of the tile."""
        if self.pen.tool == "select" and self.selected >= 0:
            label = self.labels[self.selected]
            there = moved(label, dx, dy, self.size)
            held = self.held or ((0.0, 0.0), label)  # the key going up ends it, so that one move is one step of undo
            return replace(self, labels=with_label(self.labels, self.selected, there), held=held)
        width, height = self.size
        x, y = self.cursor or (width // 2, height // 2)
        cursor = min(width - 1.0, max(0.0, x + dx)), min(height - 1.0, max(0.0, y + dy))
        return replace(self, cursor=cursor).followed(cursor)

    def clicked(self, reach_px: float) -> tuple[Gesture, Drawn | Moved | Selected | None]:
        """What a click of the mouse would do where the cursor is; box and brush end with a second one."""
        if self.cursor is None:
            return self, None
        if self.draft is not None and self.draft.tool != "polygon":
            return self.followed(self.cursor).released()
        there, said = self.pressed(self.cursor, reach_px)
        return replace(there, held=None), said  # no button is down that would drag the label
