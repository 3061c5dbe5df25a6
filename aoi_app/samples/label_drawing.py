"""Drawing labels on a tile, decided without Qt: where the tile lies on the screen, what is under the mouse, and what a
tool makes of clicks and drags.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from cras_core.data.samples.labels import Label, Points

Tool = Literal["select", "box", "polygon", "brush"]
Point = tuple[float, float]
Labels = tuple[Label, ...]

_FILLED = 0.96  # of the canvas, so that the border of the tile can be reached
_LEAST_SCALE, _MOST_SCALE = 0.05, 64.0
_BRUSHES_PX = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a tile lies on the screen.

    Points of a tile count pixels from the middle of its first one, as ``mask_of`` reads them; those of the screen from
    the top left corner of the canvas.

    Attributes:
        scale: pixels of the screen for one of the tile.
        left, top: of the tile's corner, pixels of the screen.
    """

    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def to_screen(self, point: Point) -> Point:
        """A point of the tile on the screen; the inverse of ``to_tile``."""
        return (point[0] + 0.5) * self.scale + self.left, (point[1] + 0.5) * self.scale + self.top

    def to_tile(self, point: Point) -> Point:
        """A point of the screen on the tile; the inverse of ``to_screen``."""
        return (point[0] - self.left) / self.scale - 0.5, (point[1] - self.top) / self.scale - 0.5

    def zoomed(self, factor: float, at: Point) -> Placement:
        """Larger or smaller around a point of the screen, which stays where it is."""
        scale = min(_MOST_SCALE, max(_LEAST_SCALE, self.scale * factor))
        f = scale / self.scale
        return Placement(scale, at[0] - f * (at[0] - self.left), at[1] - f * (at[1] - self.top))

    def panned(self, dx: float, dy: float) -> Placement:
        """Shifted on the screen."""
        return replace(self, left=self.left + dx, top=self.top + dy)


def fitted(size: tuple[int, int], room: tuple[int, int]) -> Placement:
    """The whole of a tile, nearly as large as it goes, in the middle; both (width, height), pixels."""
    width, height = max(1, size[0]), max(1, size[1])
    scale = min(_MOST_SCALE, max(_LEAST_SCALE, _FILLED * min(room[0] / width, room[1] / height)))
    return Placement(scale, (room[0] - scale * width) / 2, (room[1] - scale * height) / 2)


# --- what is under the mouse --------------------------------------------------------------------------------------


def label_at(labels: Sequence[Label], at: Point, reach_px: float) -> int | None:
    """Which label is meant by a point of the tile: of those within reach the smallest, so that a small one on a large
    one can be had; None where there is none.
    """
    hits = [i for i, label in enumerate(labels) if distance_to(label, at) <= reach_px]
    return min(hits, key=lambda i: (_extent(labels[i]), -i)) if hits else None


def distance_to(label: Label, at: Point) -> float:
    """How far a point is from a label, pixels of the tile; 0 or less on it."""
    x, y = at
    if label.outline == "box":
        (left, top), (right, bottom) = corners(label.points)
        return max(left - 0.5 - x, x - right - 0.5, top - 0.5 - y, y - bottom - 0.5)
    points = np.array(label.points, np.float32)
    if label.outline == "polygon":
        return -float(cv2.pointPolygonTest(points.reshape(-1, 1, 2), (float(x), float(y)), measureDist=True))
    return _distance_to_path(label.points, at) - max(0.5, label.radius_px)


def corners(points: Points) -> tuple[Point, Point]:
    """(left, top) and (right, bottom) of what the points reach."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return (min(xs), min(ys)), (max(xs), max(ys))


def _extent(label: Label) -> float:
    (left, top), (right, bottom) = corners(label.points)
    return (right - left + 1 + 2 * label.radius_px) * (bottom - top + 1 + 2 * label.radius_px)


def _distance_to_path(points: Points, at: Point) -> float:
    ends = list(pairwise(points)) or [(points[0], points[0])]
    return min(_distance_to_segment(a, b, at) for a, b in ends)


def _distance_to_segment(a: Point, b: Point, at: Point) -> float:
    along = (b[0] - a[0], b[1] - a[1])
    length2 = along[0] ** 2 + along[1] ** 2
    t = ((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / length2 if length2 else 0.0
    t = min(1.0, max(0.0, t))
    return math.hypot(at[0] - a[0] - t * along[0], at[1] - a[1] - t * along[1])


# --- what a tool makes of clicks and drags ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """A label that is being drawn.

    Attributes:
        tool: what draws it.
        points: so far, of the tile; the last one follows the mouse.
        radius_px: of the brush.
    """

    tool: Tool
    points: Points
    radius_px: float = 0.0

    def followed(self, at: Point) -> Draft:
        """The mouse is elsewhere: a brush has been there, a box and a polygon only reach there for now."""
        if self.tool == "brush":
            return replace(self, points=(*self.points, at)) if at != self.points[-1] else self
        return replace(self, points=(*self.points[:-1], at))

    def with_corner(self, at: Point) -> Draft:
        """A polygon gets a corner where the mouse is, and another that follows it."""
        return replace(self, points=(*self.points[:-1], at, at))

    def finished(self, size: tuple[int, int], code: str) -> Label | None:
        """What was drawn, cut at the border of a tile of (width, height); None where that is nothing.

        What follows the mouse of a polygon is no corner of it.
        """
        within = ((0.0, 0.0), (size[0] - 1.0, size[1] - 1.0))
        if self.tool == "box":
            box = corners((self.points[0], self.points[-1]))
            if not _overlap(box, within):
                return None
            return Label("box", (_clamped(box[0], size), _clamped(box[1], size)), code)
        if self.tool == "polygon":
            points = _without_repeats(tuple(_clamped(p, size) for p in self.points[:-1]))
            return Label("polygon", points, code) if len(points) >= 3 else None
        near = _overlap(corners(self.points), within, self.radius_px)
        return Label("brush", thinned_path(self.points), code, self.radius_px) if near else None


def begun(tool: Tool, at: Point, radius_px: float) -> Draft:
    """The first point of a label; a polygon's first corner is there, and another follows the mouse."""
    points = (at, at) if tool in ("box", "polygon") else (at,)
    return Draft(tool, points, radius_px if tool == "brush" else 0.0)


def thinned_path(points: Points, least_px: float = 1.0) -> Points:
    """The path of a brush without points nearer to each other than that; the first and the last stay."""
    kept = [points[0]]
    for point in points[1:-1]:
        if math.dist(point, kept[-1]) >= least_px:
            kept.append(point)
    return (*kept, points[-1]) if len(points) > 1 and points[-1] != kept[-1] else tuple(kept)


def next_brush_px(radius_px: float, step: int) -> float:
    """The next larger (1) or smaller (-1) brush, pixels."""
    if step > 0:
        return next((r for r in _BRUSHES_PX if r > radius_px), _BRUSHES_PX[-1])
    return next((r for r in reversed(_BRUSHES_PX) if r < radius_px), _BRUSHES_PX[0])


def moved(label: Label, dx: float, dy: float, size: tuple[int, int]) -> Label:
    """A label elsewhere; it goes no further than that a part of it stays on a tile of (width, height): of a box a
    side, of the others a point.
    """
    (left, top), (right, bottom) = corners(label.points)
    there = _shifted(label, min(size[0] - 1 - left, max(-right, dx)), min(size[1] - 1 - top, max(-bottom, dy)))
    if label.outline == "box" or any(_clamped(p, size) == p for p in there.points):
        return there
    x, y = there.points[0]
    within = _clamped((x, y), size)
    return _shifted(there, within[0] - x, within[1] - y)


def _shifted(label: Label, dx: float, dy: float) -> Label:
    return replace(label, points=tuple((x + dx, y + dy) for x, y in label.points))


def with_label(labels: Labels, index: int, label: Label | None) -> Labels:
    """The labels with another in the place of one, or without that one."""
    return (*labels[:index], *(() if label is None else (label,)), *labels[index + 1 :])


def _clamped(point: Point, size: tuple[int, int]) -> Point:
    return min(size[0] - 1.0, max(0.0, point[0])), min(size[1] - 1.0, max(0.0, point[1]))


def _overlap(a: tuple[Point, Point], b: tuple[Point, Point], reach: float = 0.0) -> bool:
    return all(a[0][i] - reach <= b[1][i] and b[0][i] <= a[1][i] + reach for i in (0, 1))


def _without_repeats(points: Points) -> Points:
    """A double click gives its corner twice."""
    kept = [p for p, before in zip(points, (None, *points), strict=False) if before is None or math.dist(p, before) > 1]
    return tuple(kept)
