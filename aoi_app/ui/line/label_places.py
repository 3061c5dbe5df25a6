"""Where labels beside boxes are written, so that none covers another and all lie in the view. Pure geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Edges of a rectangle on the screen, pixels; y counts downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether they share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def moved(self, left: float, top: float) -> Box:
        """The same size elsewhere."""
        return Box(left, top, left + self.right - self.left, top + self.bottom - self.top)


def place_labels(
    boxes: Sequence[Box], widths_px: Sequence[float], height_px: float, view: Box
) -> list[tuple[int, Box]]:
    """Places for labels, the important first.

    A label stands at the right of the upper edge of its box; where another one or the rim of the view is in the way, at
    the left, above, below, or lower at the side. What finds no place is left out: the box is there, and the table says
    the rest.

    Args:
        boxes: what the labels belong to; an earlier one goes before a later one.
        widths_px: of their labels.
        height_px: of every label.
        view: that all of them lie in. A box that begins beyond it has its label where it comes into sight.

    Returns:
        (index of the box, place of its label), for those that have a place.
    """
    placed: list[tuple[int, Box]] = []
    for k, (box, width) in enumerate(zip(boxes, widths_px, strict=True)):
        if not box.overlaps(view):
            continue
        for label in _candidates(box, width, height_px, view):
            is_inside = (
                label.left >= view.left
                and label.right <= view.right
                and label.top >= view.top
                and label.bottom <= view.bottom
            )
            if is_inside and not any(label.overlaps(other) for _, other in placed):
                placed.append((k, label))
                break
    return placed


def _candidates(box: Box, width: float, height: float, view: Box) -> list[Box]:
    label = Box(0, 0, width, height)
    top, bottom = max(box.top, view.top), min(box.bottom, view.bottom)
    left = max(view.left, min(box.left, view.right - width))
    return [
        label.moved(box.right + _APART_PX, top),
        label.moved(box.left - _APART_PX - width, top),
        label.moved(left, box.top - _APART_PX - height),
        label.moved(left, box.bottom + _APART_PX),
        label.moved(box.right + _APART_PX, bottom - height),
        label.moved(box.left - _APART_PX - width, bottom - height),
    ]


_APART_PX = 2.0
