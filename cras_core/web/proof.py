"""A test piece for a running line: spots and threads of known size, painted on a copy of good cloth.

Inspection lines for food and medicine are challenged with a test piece every hour, so that one knows that they still
see. Here the piece is painted: what the detector makes of it says which sizes are found on this cloth, with this lamp,
lens, model and threshold. Nothing of it ever counts as a defect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from cras_core.arrays import FloatArray, Image
from cras_core.web.threshold import reaches

SPOT_SIZES_MM = (1.0, 2.0, 3.0, 5.0, 8.0)
"""Diameters of the painted spots."""
_CONTRAST = 0.35  # of the brightness around it; holes, oil and slubs have more, shade has its own channel
_THREAD_MM = (0.6, 25.0)  # width and length
_APART_MM = 12.0  # between two pieces, so that none is seen in the light of another
_CLEAN = 0.7  # score below which cloth is good enough to be painted on
_TRIES = 400


@dataclass(frozen=True, slots=True)
class PaintedPiece:
    """One painted defect.

    Attributes:
        kind: a round spot, or a thread along the warp or the weft.
        size_mm: diameter of a spot, length of a thread.
        is_dark: darker than the cloth, or brighter.
        x_px, y_px: its middle.
        width_px, height_px: its extent.
    """

    kind: Literal["spot", "warp thread", "weft thread"]
    size_mm: float
    is_dark: bool
    x_px: int
    y_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What a line has seen of a test piece.

    Attributes:
        smallest_mm: from this size on every spot was found; None where not even the largest was.
        spots_found, spots: of those that were painted.
        threads_found, threads: likewise.
    """

    smallest_mm: float | None
    spots_found: int
    spots: int
    threads_found: int
    threads: int


def plan_pieces(
    score: FloatArray, cell_px: int, mm_per_px: float, mm_per_line: float, rng: np.random.Generator
) -> tuple[PaintedPiece, ...] | None:
    """Where test pieces can be painted on a stretch of cloth.

    Args:
        score: (rows, cols) float32 of the cloth as it is; NaN where it was not inspected.
        cell_px: side of a cell.
        mm_per_px, mm_per_line: scale.
        rng: chooses the places.

    Returns:
        One spot of every size and two threads, or None where there is not room for all of them on good cloth.
    """
    free = np.isfinite(score) & (score < _CLEAN)  # (rows, cols)
    placed: list[PaintedPiece] = []
    for k, size_mm in enumerate(sorted(SPOT_SIZES_MM, reverse=True)):
        width = max(2, round(size_mm / mm_per_px))
        height = max(2, round(size_mm / mm_per_line))
        placed.append(PaintedPiece("spot", size_mm, k % 2 == 0, 0, 0, width, height))
    thick, long = _THREAD_MM
    across, along = max(1, round(thick / mm_per_px)), max(1, round(thick / mm_per_line))
    placed.append(PaintedPiece("warp thread", long, True, 0, 0, across, round(long / mm_per_line)))
    placed.append(PaintedPiece("weft thread", long, False, 0, 0, round(long / mm_per_px), along))
    gap_px, gap_lines = round(_APART_MM / mm_per_px / 2), round(_APART_MM / mm_per_line / 2)
    done = []
    for piece in sorted(placed, key=lambda p: -p.width_px * p.height_px):
        there = _place(free, piece, cell_px, (gap_px, gap_lines), rng)
        if there is None:
            return None
        done.append(there)
    return tuple(done)


def _place(
    free: np.ndarray, piece: PaintedPiece, cell_px: int, gap: tuple[int, int], rng: np.random.Generator
) -> PaintedPiece | None:
    """The piece at a place where all cells around it are free, which are taken; None where none is found."""
    rows, cols = free.shape
    half_w = -(-(piece.width_px // 2 + gap[0]) // cell_px)
    half_h = -(-(piece.height_px // 2 + gap[1]) // cell_px)
    if rows <= 2 * half_h or cols <= 2 * half_w:
        return None
    for _ in range(_TRIES):
        row = int(rng.integers(half_h, rows - half_h))
        col = int(rng.integers(half_w, cols - half_w))
        around = free[row - half_h : row + half_h + 1, col - half_w : col + half_w + 1]
        if around.all():
            around[:] = False
            middle = cell_px // 2
            return PaintedPiece(
                piece.kind,
                piece.size_mm,
                piece.is_dark,
                col * cell_px + middle,
                row * cell_px + middle,
                piece.width_px,
                piece.height_px,
            )
    return None


def paint_pieces(image: Image, pieces: Sequence[PaintedPiece]) -> Image:
    """A copy of the cloth, (lines, W) or (lines, W, 3) uint8, with the pieces on it; their borders are soft."""
    cover = np.zeros(image.shape[:2], np.float32)
    for piece in pieces:
        sign = -_CONTRAST if piece.is_dark else _CONTRAST
        axes = (max(1, piece.width_px // 2), max(1, piece.height_px // 2))
        at = (piece.x_px, piece.y_px)
        if piece.kind == "spot":
            cv2.ellipse(cover, at, axes, 0, 0, 360, sign, thickness=-1)
        else:
            top_left = (at[0] - piece.width_px // 2, at[1] - piece.height_px // 2)
            end = (top_left[0] + piece.width_px - 1, top_left[1] + piece.height_px - 1)
            cv2.rectangle(cover, top_left, end, sign, thickness=-1)
    soft = 1.0 + np.asarray(cv2.GaussianBlur(cover, (3, 3), 0))
    factor = soft if image.ndim == 2 else soft[..., None]
    painted: Image = np.clip(image * factor + 0.5, 0, 255).astype(np.uint8)
    return painted


def read_proof(score: FloatArray, pieces: Sequence[PaintedPiece], cell_px: int, threshold: float) -> Proof:
    """Which of the pieces were found.

    Args:
        score: (rows, cols) float32 of the painted cloth.
        pieces: that were painted.
        cell_px: side of a cell.
        threshold: in force.
    """
    found = {piece: _is_found(score, piece, cell_px, threshold) for piece in pieces}
    spots = sorted((p for p in pieces if p.kind == "spot"), key=lambda p: -p.size_mm)
    threads = [p for p in pieces if p.kind != "spot"]
    smallest = None
    for piece in spots:
        if not found[piece]:
            break
        smallest = piece.size_mm
    return Proof(smallest, sum(found[p] for p in spots), len(spots), sum(found[p] for p in threads), len(threads))


def _is_found(score: FloatArray, piece: PaintedPiece, cell_px: int, threshold: float) -> bool:
    rows = slice(
        max(0, (piece.y_px - piece.height_px // 2) // cell_px - 1), (piece.y_px + piece.height_px // 2) // cell_px + 2
    )
    cols = slice(
        max(0, (piece.x_px - piece.width_px // 2) // cell_px - 1), (piece.x_px + piece.width_px // 2) // cell_px + 2
    )
    return bool(reaches(score[rows, cols], threshold).any())
