"""Cloth carried on beyond its borders.

A tile at the edge of the cloth would show the network something that is not cloth: white background, a table, the
zeros of its own padding. Each of them lights up in the anomaly map, and mirroring does as well, because a mirrored
twill runs the other way. So the weave itself is carried on: the last strip of cloth is looked up further inside, and
what follows there is put in its place (the idea of texture synthesis by patches, Efros and Freeman, 2001). What is
filled in is never scored; it only keeps the neighbourhood of the scored cells natural.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image

STRIP_PX = 24
"""Width of the strip that is looked up."""
_SEARCH_PX = 192  # how far inside it is looked for
_SLIDE_PX = 24  # how far the match may slide along the border
_BLOCK_PX = 128  # length of border that is matched at once
_BLEND_PX = 16  # blocks cross-fade over twice this length


def continue_cloth(
    image: Image,
    left: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    first_col: int,
    end_col: int,
    above: int = 0,
    below: int = 0,
    strip_px: int = STRIP_PX,
    holes: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = (),
) -> Image:
    """A canvas of nothing but cloth around the cloth of a band.

    Args:
        image: (lines, W) or (lines, W, 3) uint8.
        left, right: (lines,) where the cloth begins and ends in each line, pixels; 0 <= left < right <= W.
        first_col, end_col: columns of the canvas, in pixels of the image; may lie outside it.
        above, below: lines to add before the first and after the last line.
        strip_px: width of the strip that is looked up; another width finds other cloth to carry on with.
        holes: lanes inside the cloth that shall not be seen, (lines,) begin and end of each.

    Returns:
        (above + lines + below, end_col - first_col[, 3]) uint8; pixels inside the cloth are those of the image, without
        the holes.
    """
    lines = len(image)
    left_px, right_px = np.ceil(left).astype(int) - first_col, np.floor(right).astype(int) - first_col
    canvas = _place(image, first_col, end_col)
    for begin, end in holes:
        hole = (np.floor(begin).astype(int) - first_col, np.ceil(end).astype(int) - first_col)
        canvas = _fill_hole(canvas, hole, int(left_px.max()), int(right_px.min()), strip_px)
    canvas = _fill_left(canvas, left_px, int(right_px.min()), strip_px)
    width = canvas.shape[1]
    canvas = _fill_left(canvas[:, ::-1], width - right_px, int(width - left_px.max()), strip_px)[:, ::-1]
    if above or below:
        turned = np.swapaxes(np.pad(canvas, [(above, below), *[(0, 0)] * (canvas.ndim - 1)], mode="edge"), 0, 1)
        turned = _fill_left(turned, np.full(width, above), above + lines, strip_px)
        turned = _fill_left(turned[:, ::-1], np.full(width, below), below + lines + above, strip_px)[:, ::-1]
        canvas = np.swapaxes(turned, 0, 1)
    return np.ascontiguousarray(canvas)


def _fill_hole(
    canvas: Image, hole: tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]], left: int, right: int, strip_px: int
) -> Image:
    """Fills ``canvas[y, hole[0][y]:hole[1][y]]`` with the cloth of that side where there is more of it."""
    begin, end = hole
    if int(begin.min()) - left > right - int(end.max()):
        width = canvas.shape[1]
        mirrored = (width - end, width - begin)
        turned: Image = _fill_hole(canvas[:, ::-1], mirrored, width - right, width - left, strip_px)[:, ::-1]
        return turned
    first = int(begin.min())
    filled: Image = canvas.copy()
    filled[:, first:right] = _fill_left(canvas[:, first:right], end - first, right - first, strip_px)
    column = np.arange(canvas.shape[1])
    outside = (column[None, :] < begin[:, None]) | (column[None, :] >= end[:, None])
    filled[outside] = canvas[outside]
    return filled


def _place(image: Image, first_col: int, end_col: int) -> Image:
    """Columns ``first_col`` to ``end_col`` of the image; what lies outside repeats the border."""
    columns = np.clip(np.arange(first_col, end_col), 0, image.shape[1] - 1)
    return image[:, columns]


def _fill_left(canvas: Image, start: npt.NDArray[np.int_], end: int, strip_px: int) -> Image:
    """Fills ``canvas[y, :start[y]]`` with cloth looked up in ``canvas[y, start[y]:end]``."""
    if not (start > 0).any():
        return canvas
    canvas = canvas.copy()
    gray = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY) if canvas.ndim == 3 else canvas, dtype=np.uint8)
    lines = len(canvas)
    n_blocks = max(1, lines // _BLOCK_PX)
    bounds = np.linspace(0, lines, n_blocks + 1).astype(int)
    total = np.zeros(canvas.shape, np.float32)
    weight = np.zeros((lines, 1), np.float32)
    for y0, y1 in pairwise(bounds):
        a, b = max(0, y0 - _BLEND_PX), min(lines, y1 + _BLEND_PX)
        border = int(start[a:b].max())
        fade = _fade(b - a, rise=a > 0, fall=b < lines)
        total[a:b, :border] += _continuation(canvas, gray, a, b, border, end, strip_px) * fade.reshape(
            -1, *[1] * (canvas.ndim - 1)
        )
        weight[a:b, 0] += fade
    filled = total / weight.reshape(-1, *[1] * (canvas.ndim - 1))
    outside = np.arange(canvas.shape[1])[None, :] < start[:, None]
    canvas[outside] = np.clip(filled[outside] + 0.5, 0, 255).astype(np.uint8)
    return canvas


def _fade(length: int, rise: bool, fall: bool) -> npt.NDArray[np.float32]:
    """Weights of one block, (length,); neighbours add up to about 1 where they overlap."""
    fade = np.ones(length, np.float32)
    ramp = np.linspace(0.02, 1.0, min(2 * _BLEND_PX, length), dtype=np.float32)
    if rise:
        fade[: len(ramp)] = np.minimum(fade[: len(ramp)], ramp)
    if fall:
        fade[length - len(ramp) :] = np.minimum(fade[length - len(ramp) :], ramp[::-1])
    return fade


def _continuation(
    canvas: Image, gray: Image, a: int, b: int, border: int, end: int, strip_px: int
) -> npt.NDArray[np.float32]:
    """Cloth for ``canvas[a:b, :border]`` -> (b - a, border[, 3]) float32."""
    room = end - (
        2 * border + strip_px
    )  # what is left of the cloth behind a match that has `border` columns of cloth in front of it
    if room < 1:
        columns = border + np.abs(
            (np.arange(border) - border) % (2 * max(1, end - border)) - max(1, end - border)
        )  # too narrow: mirrored to and fro
        return canvas[a:b, np.clip(columns, border, end - 1)].astype(np.float32)
    strip = gray[a:b, border : border + strip_px]
    top, bottom = max(0, a - _SLIDE_PX), min(len(gray), b + _SLIDE_PX)
    area = gray[top:bottom, 2 * border : 2 * border + strip_px + min(room, _SEARCH_PX)]
    misfit = cv2.matchTemplate(area, strip, cv2.TM_SQDIFF)
    _, _, (dx, dy), _ = cv2.minMaxLoc(misfit)
    y, x = top + dy, 2 * border + dx
    level = canvas[a:b, border : border + strip_px].mean(axis=(0, 1)) - canvas[y : y + b - a, x : x + strip_px].mean(
        axis=(0, 1)
    )
    return np.asarray(canvas[y : y + b - a, x - border : x] + level, dtype=np.float32)
