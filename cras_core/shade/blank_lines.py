"""Lines in which the camera has seen nothing: the lens is covered, the lamp is off, or everything is overexposed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from cras_core.arrays import Image

Blank = Literal["black", "white"]

_BLACK, _WHITE = 6, 250  # grey values at and beyond which a pixel shows nothing
_SHARE = 0.98  # of the pixels of a line; some are dust, or hot
_LEAST_LINES = 16  # fewer are a defect of the cloth, or of the camera, and are looked at
_EVERY_PX = 4  # is looked at


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
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    names: tuple[Blank | None, ...] = (None, "black", "white")
    runs: list[LineRun] = []
    for first, end in pairwise(edges):
        blank = names[kinds[first]] if end - first >= _LEAST_LINES else None
        if runs and runs[-1].blank == blank:
            runs[-1] = LineRun(runs[-1].first, end, blank)
        elif end > first:
            runs.append(LineRun(first, end, blank))
    return runs
