"""The test piece of a running line: where it is painted, how, and which parts of it were found."""

from __future__ import annotations

import numpy as np
import pytest

from cras_core.web.proof import SPOT_SIZES_MM, PaintedPiece, paint_pieces, plan_pieces, read_proof

CELL = 8


def good_cloth(rows: int = 64, cols: int = 128) -> np.ndarray:
    return np.full((rows, cols), 0.2, np.float32)


def planned(score: np.ndarray, seed: int = 0) -> tuple[PaintedPiece, ...]:
    pieces = plan_pieces(score, CELL, 0.2, 0.2, np.random.default_rng(seed))
    assert pieces is not None
    return pieces


@pytest.mark.parametrize("seed", range(10))
def test_every_size_is_painted_once_on_good_cloth_with_room_between(seed: int) -> None:
    score = good_cloth()
    score[:, :10] = np.nan  # table
    score[20:30, 60:70] = 3.0  # a defect
    pieces = planned(score, seed)
    assert sorted(p.size_mm for p in pieces if p.kind == "spot") == sorted(SPOT_SIZES_MM)
    assert sorted(p.kind for p in pieces if p.kind != "spot") == ["warp thread", "weft thread"]
    for p in pieces:
        rows = slice((p.y_px - p.height_px // 2) // CELL, (p.y_px + p.height_px // 2) // CELL + 1)
        cols = slice((p.x_px - p.width_px // 2) // CELL, (p.x_px + p.width_px // 2) // CELL + 1)
        assert (score[rows, cols] == np.float32(0.2)).all()
    for k, a in enumerate(pieces):
        for b in pieces[:k]:
            apart_x = abs(a.x_px - b.x_px) - (a.width_px + b.width_px) / 2
            apart_y = abs(a.y_px - b.y_px) - (a.height_px + b.height_px) / 2
            assert max(apart_x, apart_y) * 0.2 > 9, "none is seen in the light of another"


def test_cloth_that_is_defective_itself_is_not_painted_on() -> None:
    assert plan_pieces(good_cloth() * 5, CELL, 0.2, 0.2, np.random.default_rng(0)) is None
    assert plan_pieces(good_cloth(3, 128), CELL, 0.2, 0.2, np.random.default_rng(0)) is None
    assert plan_pieces(good_cloth(64, 3), CELL, 0.2, 0.2, np.random.default_rng(0)) is None


@pytest.mark.parametrize("shape", [(512, 1024), (512, 1024, 3)])
def test_the_pieces_are_darker_and_brighter_and_the_rest_stays_as_it_was(shape: tuple[int, ...]) -> None:
    cloth = np.full(shape, 100, np.uint8)
    pieces = planned(good_cloth())
    painted = paint_pieces(cloth, pieces)
    assert painted.shape == cloth.shape
    assert painted.dtype == np.uint8
    assert (cloth == 100).all(), "a copy"
    changed = (painted != 100).reshape(*shape[:2], -1).any(axis=2)
    for p in pieces:
        middle = painted[p.y_px, p.x_px]
        assert (middle < 80).all() if p.is_dark else (middle > 120).all()
        rows = slice(p.y_px - p.height_px // 2 - 3, p.y_px + p.height_px // 2 + 4)
        changed[rows, p.x_px - p.width_px // 2 - 3 : p.x_px + p.width_px // 2 + 4] = False
    assert not changed.any()


def score_with(found: list[PaintedPiece]) -> np.ndarray:
    score = good_cloth()
    for p in found:
        score[p.y_px // CELL, p.x_px // CELL] = 1.5
    return score


def test_the_smallest_size_is_that_from_which_on_all_were_found() -> None:
    pieces = planned(good_cloth())
    spots = {p.size_mm: p for p in pieces if p.kind == "spot"}
    threads = [p for p in pieces if p.kind != "spot"]
    proof = read_proof(score_with([spots[8.0], spots[5.0], spots[2.0], threads[0]]), pieces, CELL, 1.0)
    assert (proof.smallest_mm, proof.spots_found, proof.spots) == (5.0, 3, 5)
    assert (proof.threads_found, proof.threads) == (1, 2)
    assert read_proof(score_with([spots[5.0]]), pieces, CELL, 1.0).smallest_mm is None
    assert read_proof(score_with(list(pieces)), pieces, CELL, 1.0).smallest_mm == 1.0
    assert read_proof(score_with(list(pieces)), pieces, CELL, 2.0).smallest_mm is None, "the threshold counts"
