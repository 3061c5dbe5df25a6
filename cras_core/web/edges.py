"""Where the cloth begins and ends across the web.

What lies beside the cloth may be white, dark or a table with a texture of its own, and the selvedge differs from the
cloth as well. The search therefore starts in the middle of the web, where cloth must be, and walks outwards until the
appearance of the columns changes and never changes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from cras_core.arrays import Image
from cras_core.validated import Number, Whole, validated

FloatArray = npt.NDArray[np.float64]


@validated("edges")
class EdgeConfig:
    """How cloth edges are recognised.

    Attributes:
        enabled: off means that the whole width of the image is cloth.
        block_lines: lines that share one pair of edges; in between the edges are interpolated.
        step: smallest change at an edge, in the logarithm of brightness or texture (0.22 is a change by a quarter).
        selvedge_px: widest selvedge that is looked for outside the even cloth, pixels.
        margin_px: what is left out inside the even cloth, pixels, on each side where an edge was found.
        from_edge_px: what is left out from the physical edge inwards instead, pixels; None leaves out the selvedge as
            it is found, and the margin.
    """

    enabled: bool = True
    block_lines: Annotated[Whole, Field(ge=16)] = 128
    step: Annotated[Number, Field(gt=0)] = 0.22
    selvedge_px: Annotated[Whole, Field(ge=0)] = 200
    margin_px: Annotated[Whole, Field(ge=0)] = 8
    from_edge_px: Annotated[Whole, Field(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class ClothEdges:
    """The cloth in a band of lines; four positions per line, pixels from the left of the image, float64 (lines,).

    Attributes:
        left, right: the physical edges of the cloth, 0 and the image width where the cloth runs out of view.
        inner_left, inner_right: where the selvedge ends and the even cloth begins.
        found_left, found_right: whether there is an edge at all on that side.
    """

    left: FloatArray
    inner_left: FloatArray
    inner_right: FloatArray
    right: FloatArray
    found_left: bool
    found_right: bool

    @property
    def width_px(self) -> float:
        """Median width of the cloth in view, pixels."""
        return float(np.median(self.right - self.left))

    def inspected(self, config: EdgeConfig) -> tuple[FloatArray, FloatArray]:
        """Where inspection begins and ends in each line, (lines,) each, pixels."""
        if config.from_edge_px is not None:
            return (
                self.left + config.from_edge_px * self.found_left,
                self.right - config.from_edge_px * self.found_right,
            )
        return (
            self.inner_left + config.margin_px * self.found_left,
            self.inner_right - config.margin_px * self.found_right,
        )

    def lines(self, first: int, end: int) -> ClothEdges:
        """The edges in some of the lines."""
        part = slice(first, end)
        return ClothEdges(
            self.left[part],
            self.inner_left[part],
            self.inner_right[part],
            self.right[part],
            self.found_left,
            self.found_right,
        )


def whole_width(lines: int, width_px: int) -> ClothEdges:
    """Edges of a web that fills the image."""
    zero, full = np.zeros(lines), np.full(lines, float(width_px))
    return ClothEdges(zero, zero, full, full, found_left=False, found_right=False)


def find_edges(gray: Image, config: EdgeConfig) -> ClothEdges:
    """The cloth edges in a band of web.

    Args:
        gray: (lines, W) uint8.
        config: what counts as an edge.

    Edges are searched in blocks of lines; blocks that contradict most others (a defect across the web can hide the
    edge) take the edge of their neighbours. A side counts as found when at least half of the blocks agree.
    """
    lines, width = gray.shape
    if not config.enabled or width < _NARROWEST_PX:
        return whole_width(lines, width)
    n_blocks = max(1, round(lines / config.block_lines))
    bounds = np.linspace(0, lines, n_blocks + 1).astype(int)
    appearances = [_column_appearance(gray[a:b]) for a, b in pairwise(bounds)]
    centres = (bounds[:-1] + bounds[1:]) / 2
    left, inner_left, found_left = _agree([_find_left(columns, config) for columns in appearances], centres, lines)
    mirrored_right, mirrored_inner, found_right = _agree(
        [_find_left(columns[:, ::-1], config) for columns in appearances], centres, lines
    )
    return ClothEdges(left, inner_left, width - mirrored_inner, width - mirrored_right, found_left, found_right)


_NEAR_PX = 24  # a change is judged over this distance, wider than a yarn and narrower than a selvedge
_CLOTH_PX = 160  # width of the strip of cloth that a column is compared with
_GROUPS = 7
_BEYOND_YARNS = 1.2  # times what the columns of cloth differ from their median by
_LEAST_BACKGROUND_PX = 8  # of table in view; less is a gap between yarns
_WALK_PX = 4  # step of the walk outwards
_NARROWEST_PX = 4 * _CLOTH_PX  # narrower images show too little cloth to tell its edge from its pattern


def _column_appearance(gray: Image) -> FloatArray:
    """(lines, W) -> (3, W): logarithms of brightness and of the texture across and along the web, one value per
    column.
    """
    brightness = np.median(gray[:: max(1, len(gray) // 32)], axis=0)  # a sample of the lines is enough and much faster
    across = _typical(np.asarray(cv2.absdiff(gray[:, 1:], gray[:, :-1]), dtype=np.uint8))
    along = _typical(np.asarray(cv2.absdiff(gray[1:], gray[:-1]), dtype=np.uint8))
    appearance = np.stack([brightness, np.append(across, across[-1]), along])
    appearance = cv2.blur(appearance, (9, 1), borderType=cv2.BORDER_REPLICATE)
    # The offsets keep the logarithm calm where there is nothing: a black background, a saturated one without texture.
    return np.asarray(np.log(appearance + np.array([[4.0], [0.7], [0.7]])), dtype=np.float64)


def _typical(change: Image) -> FloatArray:
    """(lines, W) -> (W,): mean over the lines, taken in a few groups of which the middle one counts: a defect is in
    few of them.
    """
    groups = [cv2.reduce(part, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F)[0] for part in np.array_split(change, _GROUPS)]
    return np.asarray(np.median(groups, axis=0))


def _find_left(appearance: FloatArray, config: EdgeConfig) -> tuple[int, int] | None:
    """(edge, inner end of the selvedge) on the left of (3, W) column appearances; None where the cloth runs out of
    view.
    """
    inner, cloth = _walk_out(appearance, config)
    if inner is None or inner <= _LEAST_BACKGROUND_PX:
        return None
    # The background is modelled well away from the selvedge; when too little of it is in view, on its outermost
    # columns.
    stop = inner - config.selvedge_px if inner - config.selvedge_px > 2 * _NEAR_PX else max(_WALK_PX, inner // 3)
    background = np.median(appearance[:, max(0, stop - 2 * _CLOTH_PX) : stop], axis=1)
    contrast = cloth - background
    clearest = int(np.abs(contrast).argmax())
    towards_cloth = (appearance[clearest, :inner] - background[clearest]) / contrast[clearest]
    outside = np.flatnonzero(towards_cloth[stop:] > 0.5)
    edge = stop + int(outside[0]) if len(outside) else inner
    return edge, inner


def _walk_out(appearance: FloatArray, config: EdgeConfig) -> tuple[int | None, FloatArray]:
    """The first column, from the middle to the left, where the appearance changes and stays changed up to the border;
    and the appearance of the cloth there.
    """
    coarse = appearance[:, : appearance.shape[1] // _WALK_PX * _WALK_PX].reshape(3, -1, _WALK_PX).mean(axis=2)
    near, cloth_width = _NEAR_PX // _WALK_PX, _CLOTH_PX // _WALK_PX
    inside = _sliding_median(coarse, cloth_width)
    outside = _sliding_median(coarse, near)
    for x in range(coarse.shape[1] // 2, 0, -1):
        cloth = inside[:, x + near]
        just_outside = coarse[:, max(0, x - 4) : x].mean(axis=1)
        change_close, change_far = (
            np.abs(just_outside - cloth).max(),
            np.abs(outside[:, max(0, x - near)] - cloth).max(),
        )
        if change_close < config.step or change_far < 0.8 * config.step:
            continue
        # Sharpness and light fall off slowly towards the side; the trend inside the cloth is carried on so that it
        # does not pass for an edge.
        further = coarse[:, x + near + cloth_width : x + near + 4 * cloth_width]
        if further.shape[1] < near:
            further = cloth[:, None]
        trend = np.clip((cloth - np.median(further, axis=1)) / (2.0 * cloth_width), -0.004, 0.004)
        expected = cloth[:, None] + trend[:, None] * (x + near + cloth_width / 2 - np.arange(x))[None, :]
        # Columns of coarse cloth differ from their median as well: yarns beside gaps. Only what differs by more than
        # nearly all of them do is foreign.
        usual = np.quantile(np.abs(coarse[:, x + near : x + near + cloth_width] - cloth[:, None]).max(axis=0), 0.9)
        foreign = np.minimum(np.abs(coarse[:, :x] - cloth[:, None]), np.abs(coarse[:, :x] - expected)).max(
            axis=0
        ) > max(0.7 * config.step, _BEYOND_YARNS * usual)
        if foreign.mean() > 0.85 and foreign[:2].mean() > 0.5:
            return x * _WALK_PX, cloth
    return None, appearance[:, 0]


def _sliding_median(appearance: FloatArray, window: int) -> FloatArray:
    """(3, n) -> (3, n - window + 1): median over each run of ``window`` columns."""
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(appearance, window, axis=1), axis=2))


def _agree(found: list[tuple[int, int] | None], centres: FloatArray, lines: int) -> tuple[FloatArray, FloatArray, bool]:
    """Edges per block -> edge and inner edge per line (lines,), and whether there is one; zeros where not."""
    hits = [(c, *f) for c, f in zip(centres, found, strict=True) if f is not None]
    if 2 * len(hits) < len(found):
        return np.zeros(lines), np.zeros(lines), False
    at, edge, inner = (np.array(column, dtype=np.float64) for column in zip(*hits, strict=True))
    keep = (np.abs(inner - np.median(inner)) <= 4 * _NEAR_PX) & (np.abs(edge - np.median(edge)) <= 4 * _NEAR_PX)
    if not keep.any():  # two blocks, two opinions: the median is as good as either
        at, edge, inner, keep = at[:1], np.array([np.median(edge)]), np.array([np.median(inner)]), np.array([True])
    y = np.arange(lines) + 0.5
    return np.interp(y, at[keep], edge[keep]), np.interp(y, at[keep], inner[keep]), True
