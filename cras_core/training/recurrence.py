"""Which cells of a web recur elsewhere in it: cloth does, in other lanes and at other metres; a defect does not.

A defect lies in one place, or runs on in one lane (a warp fault) or at one metre (a bar along the weft). So a cell is
looked up in pieces of the web that share neither its lane nor its metre, each seen from its own middle, so that lamp
and lens do not make one of them strange. Near the edges, cloth differs from lane to lane: there a cell is also looked
up in its own lane at other metres, and where there are none it counts as cloth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.arrays import FloatArray

_LANES = 8  # across the cloth
_METRE_ROWS = 32  # cells along the web: 51 mm at 0.2 mm
_EDGE_CELLS = (16, 64)  # from an edge of the cloth: two lanes where it differs from the rest, 26 and 102 mm at 0.2 mm
_MOST_LANES = _LANES + 2 * len(_EDGE_CELLS)
_MOST_OF_WIDTH = 0.15  # that the lanes at an edge take of narrow cloth
_LOOKED_UP = 12_288  # cells; which of their neighbours are alike follows from them
_PIECE_CELLS = 64  # of every piece of the web, to look them up in
_MIDDLE_CELLS = 512  # of every piece, for its middle
_OUTER_SHARE = 0.2  # of the values on each side, that do not count for it
_SHARE_OF_PIECES = 0.25  # a cell is cloth when it recurs in so many of the others, not in all: a repeat may be wide
_SHARE_AT_EDGES = 0.05  # fewer are alike there: those of one lane
_SPREADS = 6.0  # interquartile ranges above the median distance from which a cell counts as strange


@dataclass(frozen=True, slots=True)
class Places:
    """Where cells lie on the web, counted in cells.

    Attributes:
        row: (N,) int64 along the web, from the beginning of the first piece.
        from_left, from_right: (N,) float64 distance from the edges of the cloth.
    """

    row: npt.NDArray[np.int64]
    from_left: npt.NDArray[np.float64]
    from_right: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What was looked up.

    Attributes:
        index: (M,) int64 the cells that were looked up, at random.
        recurs: (M,) bool whether each is found elsewhere.
        strangeness: how many times further a cell usually is from what is alike elsewhere than from what is alike
            beside it; about 1 for cloth, more for a view whose places are unlike each other.
    """

    index: npt.NDArray[np.int64]
    recurs: npt.NDArray[np.bool_]
    strangeness: float


def look_up(vectors: Tensor, places: Places, rng: np.random.Generator) -> Recurrence:
    """Looks cells of a web up in the rest of it.

    Args:
        vectors: (N, D) normalised features.
        places: of the same cells.
        rng: chooses which are looked up, and in which others.
    """
    index = np.sort(rng.permutation(len(vectors))[:_LOOKED_UP])
    lane, side = _lanes(places)
    metre = places.row // _METRE_ROWS
    keys = metre * _MOST_LANES + lane
    of_key, number = np.unique(keys, return_inverse=True)
    pieces, middles = [], []
    is_looked_up_in = np.zeros(len(vectors), np.bool_)
    for key in of_key:
        cells = rng.permutation(np.flatnonzero(keys == key))
        is_looked_up_in[cells[:_PIECE_CELLS]] = True
        middles.append(_middle_of(vectors[cells[:_MIDDLE_CELLS]]))
        pieces.append(vectors[cells[:_PIECE_CELLS]] - middles[-1])
    asked = vectors[index] - torch.stack(middles)[torch.from_numpy(number[index])]
    distances = [torch.cdist(asked, piece).amin(dim=1).cpu().numpy() for piece in pieces]
    of_metre, of_lane = of_key // _MOST_LANES, of_key % _MOST_LANES
    nearest = np.stack(distances, axis=1)  # (M, pieces)
    apart = _are_apart(metre[index], lane[index], of_metre, of_lane)
    elsewhere = np.full(len(index), np.nan, np.float32)
    recurs = np.ones(len(index), np.bool_)
    for at_edge, share in ((False, _SHARE_OF_PIECES), (True, _SHARE_AT_EDGES)):
        these = side[index] == at_edge
        elsewhere[these] = _distances(np.where(apart[these], nearest[these], np.nan), share)
        recurs[these] = _are_usual(elsewhere[these])
    beside = nearest[np.arange(len(index)), number[index]]  # in the own piece
    known = np.isfinite(elsewhere) & ~is_looked_up_in[index] & (beside > 0)
    strangeness = float(np.median(elsewhere[known] / beside[known])) if known.any() else 1.0
    return Recurrence(index, recurs, strangeness)


def _middle_of(vectors: Tensor) -> Tensor:
    """(n, D) -> (D,) mean without the outer values: what few defective cells do not move. The median of a weave of two
    kinds of cells would be one of them by chance.
    """
    outer = int(_OUTER_SHARE * len(vectors))
    return vectors.sort(dim=0).values[outer : len(vectors) - outer].mean(dim=0)


def _lanes(places: Places) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """(N,) lane of every cell, across the inner cloth and then from the edges, and whether it lies at an edge."""
    width = np.maximum(places.from_left + places.from_right, 1)
    lane = np.clip(places.from_left / width * _LANES, 0, _LANES - 1).astype(np.int64)
    at_edge = np.zeros(len(lane), np.bool_)
    number = _LANES
    for distance in (places.from_left, places.from_right):
        for cells in sorted(_EDGE_CELLS, reverse=True):
            here = distance < np.minimum(cells, _MOST_OF_WIDTH * cells / max(_EDGE_CELLS) * width)
            lane[here], number = number, number + 1
            at_edge |= here
    return lane, at_edge


def _are_apart(
    metre: npt.NDArray[np.int64],
    lane: npt.NDArray[np.int64],
    of_metre: npt.NDArray[np.int64],
    of_lane: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """(M, pieces) in which pieces of the web each cell is looked up."""
    has_metres = len(np.unique(of_metre)) > 1
    same_metre = of_metre[None] == metre[:, None]
    same_lane = of_lane[None] == lane[:, None]
    inside = ~same_lane & (~same_metre if has_metres else True)
    at_edge = ~same_metre if has_metres else np.zeros_like(same_lane)
    return np.asarray(np.where((lane >= _LANES)[:, None], at_edge, inside))


def _distances(nearest: FloatArray, share: float) -> FloatArray:
    """(n,) how near cells come to so many of the pieces that they were looked up in, (n, pieces) with NaN where they
    were not; NaN where they were looked up in none.
    """
    distance = np.full(len(nearest), np.nan, np.float32)
    known = np.isfinite(nearest).any(axis=1)
    if known.any():
        distance[known] = np.nanquantile(nearest[known], share, axis=1)
    return distance


def _are_usual(distance: FloatArray) -> npt.NDArray[np.bool_]:
    """(n,) bool, whether cells are no further away than cells usually are; where nothing is known they are."""
    known = np.isfinite(distance)
    if not known.any():
        return np.ones(len(distance), np.bool_)
    low, middle, high = np.percentile(distance[known], [25, 50, 75])
    return np.asarray(~known | (distance <= middle + _SPREADS * (high - low)))
