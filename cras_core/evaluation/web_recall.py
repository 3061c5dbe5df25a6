"""How many defects of a web are found at a given number of false alarms: the figure that a mill understands.

Judged are reported boxes against masks, strip by strip. Only the scores are kept, so any number of strips will do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects
from scipy.special import gammaincinv

FOUND_PX = 16
"""A defect is found when a box comes this near, pixels."""

FALSE_PX = 32
"""A box further than this from every defect is a false alarm, pixels; what lies between counts neither way."""

_JOINED_PX = 48  # parts of a mask closer than this are one defect
_LARGEST_SHARE = 0.5  # a box over more of the strip than this finds nothing
_POINT_PX = 24  # a defect of a few cells is a point
_ELONGATED = 3.0  # times as long as wide
_Z = 1.96  # standard deviations that hold 95 % of a normal distribution


Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of a strip; the last two are just outside."""

Place = Literal["inside", "end", "edge"]
"""Where a false alarm lies: at an end of the strip, where the web goes on and the picture does not; near an edge of the
cloth; or anywhere else.
"""

PLACES: tuple[Place, ...] = get_args(Place)

SHAPES = ("point", "along the warp", "along the weft", "area")
"""Of defects."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported defect in the pixels of one strip; ``right_px`` and ``bottom_px`` are just outside."""

    peak: float
    left_px: int
    top_px: int
    right_px: int
    bottom_px: int
    place: Place = "inside"

    @property
    def box(self) -> Box:
        """Where it is."""
        return self.left_px, self.top_px, self.right_px, self.bottom_px


@dataclass(frozen=True, slots=True)
class TrueDefect:
    """A defect of the mask.

    Attributes:
        box: around it.
        score: of the strongest box that finds it; -inf where none does.
    """

    box: Box
    score: float

    @property
    def shape(self) -> str:
        """One of ``SHAPES``, by the box."""
        left, top, right, bottom = self.box
        width, height = right - left, bottom - top
        if max(width, height) <= _POINT_PX:
            return "point"
        if max(width, height) < _ELONGATED * min(width, height):
            return "area"
        return "along the weft" if width > height else "along the warp"

    @property
    def size_px(self) -> int:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class StripResult:
    """What the reports about one strip are worth.

    Attributes:
        defects: those of its mask.
        false_alarms: reports that find nothing.
        area_m2: inspected cloth.
    """

    defects: tuple[TrueDefect, ...]
    false_alarms: tuple[Reported, ...]
    area_m2: float


def match_reports(
    mask: npt.NDArray[np.bool_], reported: Sequence[Reported], area_m2: float, unmarked: Sequence[Box] = ()
) -> StripResult:
    """Judges the reports about one strip.

    Args:
        mask: (H, W) bool, where the defects are.
        reported: boxes with their scores.
        area_m2: inspected cloth of the strip.
        unmarked: real defects that the mask leaves out: what touches one is neither found nor false.
    """
    truth = mask.astype(np.uint8)
    count, labels = cv2.connectedComponents(grown(truth, _JOINED_PX // 2))
    boxes = _boxes(np.where(mask, labels, 0))
    labels = labels * grown(truth, FOUND_PX)
    near = grown(truth, FALSE_PX)
    for left, top, right, bottom in unmarked:
        near[max(0, top - FOUND_PX) : bottom + FOUND_PX, max(0, left - FOUND_PX) : right + FOUND_PX] = 1
    height, width = mask.shape
    scores = np.full(count, -np.inf)
    false_alarms = []
    for one in reported:
        rows = slice(max(0, one.top_px), min(height, one.bottom_px))
        inside = rows, slice(max(0, one.left_px), min(width, one.right_px))
        touched = np.unique(labels[inside])
        touched = touched[touched > 0]
        if len(touched) and labels[inside].size <= _LARGEST_SHARE * mask.size:
            scores[touched] = np.maximum(scores[touched], one.peak)
        elif len(touched) or not near[inside].any():
            false_alarms.append(one)
    defects = [TrueDefect(box, float(score)) for box, score in zip(boxes, scores[1:], strict=True)]
    return StripResult(tuple(defects), tuple(false_alarms), area_m2)


def _boxes(labels: npt.NDArray[np.int32]) -> list[Box]:
    """Around each of the labels from 1 on."""
    return [(cols.start, rows.start, cols.stop, rows.stop) for rows, cols in find_objects(labels)]


def place_of(box: Box, cloth: tuple[float, float], shape: tuple[int, ...], near_px: float) -> Place:
    """Where a report lies.

    Args:
        box: of the report.
        cloth: left and right edge of the cloth, pixels; where the cloth runs out of view, that side of the strip.
        shape: (H, W) of the strip.
        near_px: reports that begin this near to an edge are near it.
    """
    left, top, right, bottom = box
    height, width = shape[:2]
    runs_on = (cloth[0] <= 0 and left <= 0) or (cloth[1] >= width and right >= width)
    if top <= 0 or bottom >= height or runs_on:
        return "end"
    at_left = cloth[0] > 0 and left - cloth[0] < near_px
    at_right = cloth[1] < width and cloth[1] - right < near_px
    return "edge" if at_left or at_right else "inside"


def grown(mask: npt.NDArray[np.uint8], by_px: int) -> npt.NDArray[np.uint8]:
    """(H, W) 0 or 1, wider by so many pixels on every side."""
    side = 2 * by_px + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), dtype=np.uint8)


def found_at(strips: Sequence[StripResult], false_alarms: float) -> int:
    """Number of defects that are found at the threshold where no more than so many false alarms are raised in all
    strips together.
    """
    alarms = sorted((alarm.peak for s in strips for alarm in s.false_alarms), reverse=True)
    allowed = int(false_alarms)
    threshold = alarms[allowed] if allowed < len(alarms) else -np.inf
    return sum(defect.score > threshold for s in strips for defect in s.defects)


def recall_at(strips: Sequence[StripResult], false_alarms: float) -> float:
    """Share of the defects that are found at the threshold where no more than so many false alarms are raised in all
    strips together; NaN without a defect.
    """
    return share(found_at(strips, false_alarms), sum(len(s.defects) for s in strips))


def share(found: int, of: int) -> float:
    """NaN of nothing."""
    return found / of if of else float("nan")


def share_interval(found: int, of: int) -> tuple[float, float]:
    """Between which two shares the true one lies with 95 % confidence (Wilson's interval); NaN of nothing."""
    if of == 0:
        return float("nan"), float("nan")
    middle = (found + _Z**2 / 2) / (of + _Z**2)
    half = _Z * math.sqrt(found * (of - found) / of + _Z**2 / 4) / (of + _Z**2)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_interval(events: int, area_m2: float) -> tuple[float, float]:
    """Between which two rates per m2 the true one lies with 95 % confidence (exact, Poisson); NaN of no cloth."""
    if area_m2 <= 0:
        return float("nan"), float("nan")
    low = float(gammaincinv(events, 0.025)) if events else 0.0
    return low / area_m2, float(gammaincinv(events + 1, 0.975)) / area_m2
