"""A threshold that follows the cloth: from the first metres to the next roll."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, frame

from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.threshold.wanted_rate import WantedRate
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.running_tails import RunningTails
from cras_core.web.tiling import TilingConfig

WANTED = PLAIN.model_copy(update={"false_alarms_per_100_m2": 100.0, "mm_per_px": 1.0})


def inspection(recipe: Recipe, tails: RunningTails) -> RollInspection:
    return RollInspection(Brightness(), TilingConfig(), recipe, wanted_rate=WantedRate(tails), identity="m1")


def run(roll: RollInspection, lines: int, brightest: int = 60, seed: int = 0) -> list[str]:
    """Noisy cloth, 1 m wide; what is said of its threshold."""
    rng = np.random.default_rng(seed)
    said = []
    for _ in range(lines // 512):
        cells = rng.exponential(brightest / 12, (64, 128)).clip(0, 250).astype(np.uint8)
        outcome = roll.push(frame(np.repeat(np.repeat(cells, 8, axis=0), 8, axis=1)))
        said += [r.text for r in outcome.remarks if r.kind == "recipe"]
    return said


def test_the_threshold_follows_once_enough_cloth_was_seen(tmp_path: Path) -> None:
    roll = inspection(WANTED, RunningTails(tmp_path))
    assert run(roll, 1536) == []
    (first, *_) = run(roll, 8192)
    assert first.startswith("threshold 1.00 → 0.7")
    assert "of plain, 100 false alarms per 100 m² are expected at it" in first
    assert 0.7 <= roll.threshold < 0.9


def test_the_bounds_of_the_recipe_hold_and_are_told(tmp_path: Path) -> None:
    recipe = WANTED.model_copy(update={"lowest_threshold": 0.95})
    roll = inspection(recipe, RunningTails(tmp_path))
    (said,) = run(roll, 8192)
    assert roll.threshold == 0.95
    assert "would be beyond what the recipe allows" in said


def test_without_a_wanted_rate_the_threshold_stays_and_the_cloth_teaches_all_the_same(tmp_path: Path) -> None:
    tails = RunningTails(tmp_path)
    roll = inspection(WANTED.model_copy(update={"false_alarms_per_100_m2": None}), tails)
    assert run(roll, 4096) == []
    assert roll.threshold == 1.0
    assert tails.of("plain").area_m2 > 3.0


def test_a_hand_at_the_threshold_ends_the_following_for_this_roll(tmp_path: Path) -> None:
    roll = inspection(WANTED, RunningTails(tmp_path))
    roll.threshold = 1.0  # as it is
    run(roll, 1536)
    roll.threshold = 1.4
    assert run(roll, 8192) == []
    assert roll.threshold == 1.4


def test_the_next_roll_begins_with_what_was_learnt(tmp_path: Path) -> None:
    first = inspection(WANTED, RunningTails(tmp_path))
    run(first, 8192)
    first.finish()
    tails = RunningTails(tmp_path)
    second = inspection(WANTED, tails)
    assert len(run(second, 1024, seed=1)) == 1, "at once"
    assert second.threshold == pytest.approx(first.threshold, abs=0.05)
    assert tails.of("plain").model == "m1"


def test_a_line_that_has_seen_hundreds_of_square_metres_still_follows(tmp_path: Path) -> None:
    """What is forgotten is then as much as what comes, so that the cloth that counts does not grow any more."""
    tails = RunningTails(tmp_path)
    run(inspection(WANTED, tails), 4096)
    tail = tails.of("plain")
    full_m2 = 500.0 / np.log(2)
    tail.counts, tail.area_m2 = tail.counts * full_m2 / tail.area_m2, full_m2
    cloth = np.random.default_rng(1).integers(0, 30, (4096, 1024), dtype=np.uint8)
    roll = RollInspection(Brightness(), TilingConfig(), WANTED)
    bands = [b for o in (roll.push(frame(cloth)), roll.finish()) for b in o.bands]
    rate = WantedRate(tails)
    wanted = [rate.take(band, WANTED, "m1", 1.9) is not None for band in bands]
    assert sum(wanted) >= 3, "once every half square metre"


def test_a_fabric_with_a_long_name_does_not_end_the_roll(tmp_path: Path) -> None:
    tails = RunningTails(tmp_path)
    tails.of("x" * 220)
    tails.of("y" * 2000)
    tails.keep()
    assert RunningTails(tmp_path).of("x" * 220).area_m2 == 0.0
    assert len(tails.problems) == 2, "that name is too long for a file, to be read and to be written"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"fabric": "plain", "model": "m", "area_m2": -1, "counts": []}'])
def test_a_file_that_is_none_is_named_and_learnt_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plain.json").write_bytes(content)
    tails = RunningTails(tmp_path)
    assert tails.of("plain").area_m2 == 0.0
    assert len(tails.problems) == 1
    assert "plain.json cannot be used" in tails.problems[0]
    run(inspection(WANTED, tails), 4096)
    tails.keep()
    assert RunningTails(tmp_path).of("plain").area_m2 > 3.0


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "tails").write_text("no folder")
    tails = RunningTails(tmp_path / "tails")
    tails.of("plain")
    tails.keep()
    tails.keep()
    assert [p for p in tails.problems if "cannot be kept" in p] == tails.problems[-1:]
