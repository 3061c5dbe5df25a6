"""Pictures of rolls go by age, size and verdict; records stay, and so do the pictures of the roll that runs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from test_records import defect

from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.web.tiles import TilePlace, TileSample
from aoi_app.records.database import open_database
from aoi_app.records.reading import read_roll
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.records.roll_log import RollLog
from aoi_app.records.tiles import TileWriter
from aoi_app.records.upkeep.retention import (
    StoredPicture,
    Worth,
    keep_pictures,
    pictures_to_remove,
    stored_pictures,
)
from aoi_app.settings.settings import Pictures

DAY_S = 86_400.0
NOW_S = 1e9
PLENTY = 10**12


def picture(roll_id: int, worth: Worth, days: float = 0.0, size: int = 10**9) -> StoredPicture:
    return StoredPicture(Path(f"{roll_id}-{worth.name}.png"), size, NOW_S - days * DAY_S, roll_id, worth)


def gone(pictures: list[StoredPicture], rules: Pictures, *, free: int = PLENTY, running: int = 0) -> list[str]:
    return [p.path.stem for p in pictures_to_remove(pictures, rules, now_s=NOW_S, free=free, running=running)]


def test_the_oldest_that_nobody_has_reviewed_goes_first() -> None:
    stored = [picture(roll, worth) for roll in (3, 1, 2) for worth in (Worth.CONFIRMED, Worth.UNREVIEWED)]
    assert gone(stored, Pictures(most_gb=6)) == []
    assert gone(stored, Pictures(most_gb=4)) == ["1-UNREVIEWED", "2-UNREVIEWED"]
    assert gone(stored, Pictures(most_gb=2)) == ["1-UNREVIEWED", "2-UNREVIEWED", "3-UNREVIEWED", "1-CONFIRMED"]
    assert gone(stored, Pictures(most_gb=2), running=1) == ["2-UNREVIEWED", "3-UNREVIEWED"], "the roll that runs stays"
    assert gone(stored, Pictures(free_gb=2), free=10**9) == ["1-UNREVIEWED"], "a disk that fills"


def test_age_counts_by_verdict_and_never_for_the_latest_rolls() -> None:
    stored = [picture(roll, worth, days=100) for roll in range(1, 8) for worth in (Worth.REJECTED, Worth.CONFIRMED)]
    assert gone(stored, Pictures(unreviewed_days=90)) == ["1-REJECTED", "2-REJECTED"]
    assert gone(stored, Pictures(unreviewed_days=90, reviewed_days=95))[2:] == ["1-CONFIRMED", "2-CONFIRMED"]
    assert gone(stored, Pictures(unreviewed_days=200)) == []


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


def test_files_go_and_the_records_stay(engine: Engine, tmp_path: Path) -> None:
    top = tmp_path / "tiles"
    image = np.zeros((16, 16), np.uint8)
    rolls = []
    for name in ("a", "b"):
        log = RollLog(engine, name=name, source="s", model="m", recipe={}, threshold=1.0, tiles=top / name)
        log.write(Outcome(defects=(defect(1), defect(2))), {})
        log.close("finished")
        rolls.append(log.roll_id)
        place = TilePlace(0, 0, 16, 16, 0.0, 16.0)
        tiles = [TileSample(f"defect-{n:05d}-00", "twill", image, image, place, n) for n in (1, 2)]
        TileWriter(top / name, name).write([*tiles, TileSample("good-000000000", "twill", image, None, place)])
    ReviewRecorder(engine, "ana").decide(rolls[0], 2, "confirmed")
    ReviewRecorder(engine, "ana").decide(rolls[0], 1, "rejected")
    worths = {(p.roll_id, p.path.stem): p.worth for p in stored_pictures(engine, top)}
    assert worths[rolls[0], "a-defect-00002-00"] is worths[rolls[0], "a-defect-00002-00_mask"] is Worth.CONFIRMED
    assert worths[rolls[0], "a-defect-00001-00"] is Worth.REJECTED
    assert worths[rolls[1], "b-defect-00001-00"] is worths[rolls[1], "b-good-000000000"] is Worth.UNREVIEWED
    before = read_roll(engine, rolls[0])
    tight = Pictures(free_gb=1e6)  # no disk has as much
    assert keep_pictures(engine, top, tight, now_s=NOW_S, running=rolls[1]) == 5
    assert sorted(path.name for path in top.iterdir()) == ["b"], "the folder went with its last picture"
    assert keep_pictures(engine, top, tight, now_s=NOW_S) == 5
    assert list(top.iterdir()) == []
    assert read_roll(engine, rolls[0]) == before
    assert keep_pictures(engine, tmp_path / "none", tight, now_s=NOW_S) == 0
