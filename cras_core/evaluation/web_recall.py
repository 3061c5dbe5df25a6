"""How many defects of a web are found at a given number of false alarms: the figure that a mill understands.

Judged are reported boxes against masks, strip by strip. Only the scores are kept, so any number of strips will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FOUND_PX = 16
"""A defect is found when a box comes this near, pixels."""

FALSE_PX = 32
"""A box further than this from every defect is a false alarm, pixels; what lies between counts neither way."""

_JOINED_PX = 48  # parts of a mask closer than this are one defect
_LARGEST_SHARE = 0.5  # a box over more of the strip than this finds nothing


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported defect in the pixels of one strip; ``right_px`` and ``bottom_px`` are just outside."""

    peak: float
    left_px: int
    top_px: int
    right_px: int
    bottom_px: int


@dataclass(frozen=True, slots=True)
class StripResult:
    """What the reports about one strip are worth.

    Attributes:
        defects: number of defects in its mask.
        found: (score, defect) of every box that finds a defect.
        false_alarms: score of every false alarm.
        area_m2: inspected cloth.
    """

    defects: int
    found: tuple[tuple[float, int], ...]
    false_alarms: tuple[float, ...]
    area_m2: float


def match_reports(mask: npt.NDArray[np.bool_], reported: Sequence[Reported], area_m2: float) -> StripResult:
    """Judges the reports about one strip.

    Args:
        mask: (H, W) bool, where the defects are.
        reported: boxes with their scores.
        area_m2: inspected cloth of the strip.
    """
    truth = mask.astype(np.uint8)
    count, labels = cv2.connectedComponents(grown(truth, _JOINED_PX // 2))
    labels = labels * grown(truth, FOUND_PX)
    near = grown(truth, FALSE_PX)
    height, width = mask.shape
    found, false_alarms = [], []
    for box in reported:
        top, bottom, left, right = max(0, box.top_px), min(height, box.bottom_px), max(0, box.left_px), box.right_px
        inside = slice(top, bottom), slice(left, min(width, right))
        touched = np.unique(labels[inside])
        touched = touched[touched > 0]
        if len(touched) and labels[inside].size <= _LARGEST_SHARE * mask.size:
            found += [(box.peak, int(k)) for k in touched]
        elif len(touched) or not near[inside].any():
            false_alarms.append(box.peak)
    return StripResult(count - 1, tuple(found), tuple(false_alarms), area_m2)


def grown(mask: npt.NDArray[np.uint8], by_px: int) -> npt.NDArray[np.uint8]:
    """(H, W) 0 or 1, wider by so many pixels on every side."""
    side = 2 * by_px + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), dtype=np.uint8)


def recall_at(strips: Sequence[StripResult], false_alarms: float) -> float:
    """Share of the defects that are found at the threshold where no more than so many false alarms are raised in all
    strips together; NaN without a defect.
    """
    defects = sum(s.defects for s in strips)
    if defects == 0:
        return float("nan")
    alarms = sorted((peak for s in strips for peak in s.false_alarms), reverse=True)
    allowed = int(false_alarms)
    threshold = alarms[allowed] if allowed < len(alarms) else -np.inf
    found = {(i, defect) for i, s in enumerate(strips) for peak, defect in s.found if peak > threshold}
    return len(found) / defects
