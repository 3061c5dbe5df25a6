"""The line proves that it can see: when, with what, and without leaving a trace in what it finds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, frame

from aoi_app.inspection.line_proof import LineProof
from aoi_app.inspection.reporting.outcome import Outcome, join_outcomes
from aoi_app.inspection.roll import RollInspection
from aoi_app.sources.frame import Lost
from cras_core.web.tiling import TilingConfig

RECIPE = PLAIN.model_copy(update={"proof_every_m": 1.0, "threshold": 1.0})


class Bright(Brightness):
    """Scores what is darker or brighter than the cloth; 25 grey values are the limit. Counts its tiles."""

    tiles = 0

    def extract_features(self, tiles):  # type: ignore[no-untyped-def]
        Bright.tiles += len(tiles)
        return super().extract_features((np.abs(tiles.astype(np.int16) - 100) * 4).clip(0, 255).astype(np.uint8))


def cloth(lines: int = 512, width_px: int = 1024) -> np.ndarray:
    return np.full((lines, width_px), 100, np.uint8)


def inspection(**changes: float) -> RollInspection:
    return RollInspection(Bright(), TilingConfig(), RECIPE.model_copy(update=changes))


def proofs(outcome: Outcome) -> list[str]:
    return [r.text for r in outcome.remarks if r.kind == "proof"]


def run(roll: RollInspection, lines: int) -> Outcome:
    return join_outcomes([roll.push(frame(cloth())) for _ in range(lines // 512)])


def test_the_line_is_proven_at_the_start_and_every_so_many_metres() -> None:
    roll = inspection()
    told = join_outcomes([run(roll, 20_480), roll.finish()])
    positions = [r.position_m for r in told.remarks if r.kind == "proof"]
    assert 4 <= len(positions) <= 5
    assert positions[0] < 0.12
    assert all(0.9 < b - a < 1.3 for a, b in pairwise(positions))
    assert proofs(told)[0].startswith("the line sees spots of ")
    assert proofs(told)[0].endswith("painted on this cloth, at threshold 1.00")


def test_a_proof_is_no_defect_and_no_inspected_cloth() -> None:
    with_proof, without = inspection(), inspection(proof_every_m=0.0)
    a, b = (join_outcomes([run(roll, 5120), roll.finish()]) for roll in (with_proof, without))
    assert proofs(a)
    assert not proofs(b)
    assert a.defects == b.defects == ()
    assert with_proof.inspected_lines == without.inspected_lines
    assert with_proof.bands.tiles == without.bands.tiles
    assert [band.rows.score.tolist() for band in a.bands] == [band.rows.score.tolist() for band in b.bands]


def test_a_threshold_that_makes_the_line_blind_is_noticed_soon_and_counts_up() -> None:
    roll = inspection()
    run(roll, 2048)
    proof = roll.bands.line_proof
    assert isinstance(proof, LineProof)
    assert proof.misses == 0
    roll.threshold = 50.0
    run(roll, 10_240 + 512)
    assert roll.bands.line_proof is not None
    assert roll.bands.line_proof.misses == 2
    roll.threshold = 1.0
    run(roll, 10_240)
    assert roll.bands.line_proof.misses == 0


def test_cloth_that_is_defective_itself_is_left_alone() -> None:
    roll = inspection()
    told = join_outcomes([roll.push(frame(np.full((512, 1024), 250, np.uint8))) for _ in range(12)])
    assert not proofs(told)
    assert roll.bands.line_proof is None


def test_after_a_pause_the_line_is_proven_again() -> None:
    roll = inspection(proof_every_m=1000.0)
    before = run(roll, 10_752)
    roll.push(Lost(100, "paused by the operator", "camera", is_wanted=True))
    after = run(roll, 2048)
    assert (len(proofs(before)), len(proofs(after))) == (1, 1)


def test_it_costs_less_than_a_hundredth() -> None:
    """Counted in tiles: a proof is a row of them, twice, because the copy has two ends."""
    Bright.tiles = 0
    run(inspection(proof_every_m=20.0), 1024)  # the start, and its proof
    proven = Bright.tiles
    Bright.tiles = 0
    roll = inspection(proof_every_m=0.0)
    run(roll, 1024)
    proof = proven - Bright.tiles
    run(roll, 100_352)  # 20 m
    assert 0 < proof / Bright.tiles < 0.01


@pytest.mark.parametrize("lines", [8, 64, 191, 300, 511])
def test_short_webs_are_proven_where_there_is_room_and_never_fail(lines: int) -> None:
    roll = inspection()
    told = join_outcomes([roll.push(replace(frame(cloth(lines)), starts_web=True)), roll.finish()])
    assert len(proofs(told)) == (1 if lines >= 300 else 0)
