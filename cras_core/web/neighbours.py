"""Whether pictures follow each other on one web: does the texture go on over the boundary between two of them?

Woven cloth repeats along the web: how much a line is like the lines 1, 2, ... 16 below it is a signature that is the
same all over a cloth, whatever its yarns. Over a boundary between neighbours the signature is that of the inside.
Between pictures that are not neighbours the weave jumps in phase, and the signature with it. Measured on the four
fabrics of AITEX: docs/measurements.md.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image

Floats = npt.NDArray[np.float32]

_LINES, _FEW_LINES = 16, 8  # on each side of a boundary that are compared; few of pictures that are low
_LEAST_LINES = 2 * _FEW_LINES + 1  # of a picture: a lower one has no inside
_ENOUGH_LINES = 3 * _LINES
_LEAST_WIDTH_PX = 64
_CUTS = 8  # inside a picture
_LIGHT_PX = 31  # what is wider is light, not texture
_LEAST_TEXTURE = 0.05  # standard deviation of a signature, below which nothing can be told
_BREAK = 0.7  # of that standard deviation: so far from it, the texture does not go on
_BREAK_INSIDE = 3.2  # and so many times what cuts inside a picture have, by their median
_LEAST_SHARE = 0.05  # of boundaries; a web of many pictures may have a splice
_BREAKS_OF_A_WEB = 1  # a splice, or a defect that lies on a boundary


class Layout(enum.Enum):
    """How the pictures of a folder lie on the cloth."""

    ONE_WEB = "one web"
    SEPARATE = "separate pictures"
    UNKNOWN = "nothing tells"


@dataclass(frozen=True, slots=True)
class Boundary:
    """Two pictures that would be neighbours: the last lines of one and the first of the next.

    Attributes:
        before, after: (lines, W) or (lines, W, 3) uint8, of the whole pictures or at least their ends.
    """

    before: Image
    after: Image


@dataclass(frozen=True, slots=True)
class NeighbourReport:
    """What was measured.

    Attributes:
        layout: what follows.
        boundaries: that were looked at.
        breaks: boundaries at which the texture clearly does not go on.
        widths_differ: pictures of different widths are no web.
        has_texture: there was something to compare.
    """

    layout: Layout
    boundaries: int = 0
    breaks: int = 0
    widths_differ: bool = False
    has_texture: bool = True


def find_layout(boundaries: Sequence[Boundary]) -> NeighbourReport:
    """Whether pictures are neighbours on one web.

    Args:
        boundaries: between pictures that follow each other, of one folder.
    """
    if any(b.before.shape[1] != b.after.shape[1] for b in boundaries):
        return NeighbourReport(Layout.SEPARATE, len(boundaries), widths_differ=True)
    usable = [b for b in boundaries if _is_usable(b.before) and _is_usable(b.after)]
    if not usable:
        return NeighbourReport(Layout.UNKNOWN, len(boundaries), has_texture=False)
    heights = [len(picture) for b in usable for picture in (b.before, b.after)]
    lines = _LINES if min(heights) >= _ENOUGH_LINES else _FEW_LINES
    sides = [_Side.of(b.before, lines) for b in usable], [_Side.of(b.after, lines) for b in usable]
    both = [*sides[0], *sides[1]]
    if float(np.median([side.strength for side in both])) < _LEAST_TEXTURE:
        return NeighbourReport(Layout.UNKNOWN, len(usable), has_texture=False)
    # Each picture is a measure for itself alone: a folder may hold cloth of several kinds, and what differs between
    # kinds is no measure for what differs inside of one.
    inside = float(np.median(np.concatenate([side.distances(side.cuts) for side in both])))
    limit = max(_BREAK, _BREAK_INSIDE * inside)
    breaks = 0
    for boundary, before, after in zip(usable, *sides, strict=True):
        over = _signature(boundary.before, boundary.after, lines)[None]
        breaks += bool(min(before.distances(over)[0], after.distances(over)[0]) > limit)
    return NeighbourReport(_layout(breaks, len(usable)), len(usable), breaks)


@dataclass(frozen=True, slots=True)
class _Side:
    """A picture beside a boundary.

    Attributes:
        cuts: (cuts, lines) signatures over cuts that are made in it.
        usual: (lines,) their median.
    """

    cuts: Floats
    usual: Floats

    @classmethod
    def of(cls, picture: Image, lines: int) -> _Side:
        cuts = _inside(picture, lines)
        return cls(cuts, np.median(cuts, axis=0))

    @property
    def strength(self) -> float:
        """How much its lines change along the web: of cloth whose lines are all alike, no place can be told."""
        return float(self.usual.std())

    def distances(self, signatures: Floats) -> Floats:
        """(n,) root mean square of the difference from the usual one, in multiples of its strength."""
        far = np.sqrt(((signatures - self.usual) ** 2).mean(axis=1))
        return np.asarray(far / max(self.strength, 1e-6))


def _layout(breaks: int, boundaries: int) -> Layout:
    share = breaks / boundaries
    is_separate = share > _LEAST_SHARE and (breaks > _BREAKS_OF_A_WEB or share >= 0.5)
    return Layout.SEPARATE if is_separate else Layout.ONE_WEB


def _is_usable(picture: Image) -> bool:
    return bool(picture.shape[0] >= _LEAST_LINES and picture.shape[1] >= _LEAST_WIDTH_PX)


def _inside(picture: Image, lines: int) -> Floats:
    """(cuts, lines) signatures over cuts that are made in a picture."""
    cuts = np.unique(np.linspace(lines, len(picture) - lines, _CUTS).astype(int))
    return np.array([_signature(picture[:cut], picture[cut:], lines) for cut in cuts])


def _signature(before: Image, after: Image, lines: int) -> Floats:
    """(lines,) how much lines are alike over a boundary, by how far apart they are; correlations -1..1."""
    above, below = _texture(before[-lines:]), _texture(after[:lines])
    alike = above @ below.T  # (lines, lines)
    rows, columns = np.indices(alike.shape)
    apart = lines - rows + columns  # 1 for the two lines at the boundary
    return np.array([alike[apart == lag].mean() for lag in range(1, lines + 1)], dtype=np.float32)


def _texture(lines: Image) -> Floats:
    """(n, W) lines without their light, each of length 1."""
    grey = lines.astype(np.float32)
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    rough = grey - cv2.blur(grey, (_LIGHT_PX, 1))
    rough -= rough.mean(axis=1, keepdims=True)
    return np.asarray(rough / (np.linalg.norm(rough, axis=1, keepdims=True) + 1e-6), dtype=np.float32)
