"""Lines in which the camera has seen nothing new.

The lens is covered, the lamp is off, everything is overexposed, or the same picture comes again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image

Blank = Literal["black", "white", "frozen"]

_BLACK, _WHITE = 6, 250  # grey values at and beyond which a pixel shows nothing
_SHARE = 0.98  # of the pixels of a line; some are dust, or hot
_LEAST_LINES = 16  # fewer are a defect of the cloth, or of the camera, and are looked at
_EVERY_PX = 4  # is looked at
_SHOWS_SOMETHING = 8  # grey values between the brightest and the darkest pixel of a line


@dataclass(frozen=True, slots=True)
class LineRun:
    """Consecutive lines.

    Attributes:
        first, end: of them.
        blank: what they show instead of cloth; None where they show something.
    """

    first: int
    end: int
    blank: Blank | None


def runs_of_lines(image: Image) -> list[LineRun]:
    """(lines, W) or (lines, W, 3) uint8 -> runs of lines that show something and of such that do not, in order."""
    seen = image[:, ::_EVERY_PX]
    kinds = np.zeros(len(image), np.int8)
    for kind, is_blank in ((1, seen <= _BLACK), (2, seen >= _WHITE)):
        share = is_blank.reshape(len(image), -1).mean(axis=1)
        kinds[share >= _SHARE] = kind
    kinds[(kinds == 0) & _repeats_line_before(seen)] = 3
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    names: tuple[Blank | None, ...] = (None, "black", "white", "frozen")
    runs: list[LineRun] = []
    for first, end in pairwise(edges):
        blank = names[kinds[first]] if end - first >= _LEAST_LINES else None
        if runs and runs[-1].blank == blank:
            runs[-1] = LineRun(runs[-1].first, end, blank)
        elif end > first:
            runs.append(LineRun(first, end, blank))
    return runs


def _repeats_line_before(seen: Image) -> npt.NDArray[np.bool_]:
    """(lines,) bool, whether a line is the one before, pixel for pixel, which no sensor gives; plain grey is none."""
    flat = seen.reshape(len(seen), -1)
    same = np.zeros(len(flat), np.bool_)
    same[1:] = (flat[1:] == flat[:-1]).all(axis=1)
    shown: npt.NDArray[np.bool_] = np.ptp(flat, axis=1) >= _SHOWS_SOMETHING
    return same & shown


def is_same_picture(now: Image, before: Image | None) -> bool:
    """Whether a frame is the one before, pixel for pixel: a camera, or its driver, hands out an old buffer again.

    Args:
        now, before: (lines, W) or (lines, W, 3) uint8; ``before`` is None where there is none. Frames of a few lines,
            and such that show nothing, are not compared.
    """
    if before is None or now.shape != before.shape or len(now) < _LEAST_LINES:
        return False
    middle = len(now) // 2  # one line tells nearly all frames apart
    if not np.array_equal(now[middle], before[middle]):
        return False
    return bool(np.ptp(now[middle]) >= _SHOWS_SOMETHING) and np.array_equal(now, before)
