"""What a person says of a defect: in the records, beside what the running roll writes there."""

import csv
import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.database import opened_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import export_roll
from aoi_app.records.reading import read_roll
from aoi_app.records.reviews import ReviewRecorder, read_history, read_reviews, write_review
from aoi_app.records.roll_log import RollLog
from aoi_app.settings.defect_types import STANDARD

VERSION_1 = Path(__file__).with_name("records_version_1.sql")
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
HOLE = next(t for t in STANDARD if t.name == "hole")


def defect(number: int = 1, *, is_open: bool = False, peak: float = 2.5) -> Defect:
    return Defect(
        number=number,
        fabric="twill",
        shape="block",
        first_line=100,
        end_line=140,
        left_px=40,
        right_px=80,
        position_m=0.02,
        position_mm=12.0,
        length_mm=8.0,
        width_mm=8.0,
        area_mm2=64.0,
        peak=peak,
        mean=1.5,
        raw_peak=7.25,
        boxes=(),
        is_open=is_open,
        thumbnail=np.full((8, 8), 9, np.uint8),
    )


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with opened_database(f"sqlite:///{tmp_path / 'records.db'}") as engine:
        yield engine


@pytest.fixture
def log(engine: Engine) -> RollLog:
    log = RollLog(engine, name="r", source="loom", model="m", recipe={}, threshold=1.0)
    log.write(Outcome(defects=(defect(1, is_open=True), defect(2))), {})
    return log


def test_a_verdict_comes_back_with_who_and_when(engine: Engine, log: RollLog) -> None:
    review = Review("confirmed", "G1", "hole", "ana", AT)
    write_review(engine, log.roll_id, 2, review, "ana")
    found = read_reviews(engine, log.roll_id)
    assert [(n, dataclasses.replace(r, reviewed_at=None)) for n, r in found.items()] == [
        (2, dataclasses.replace(review, reviewed_at=None))
    ]
    (said,) = [d for d in read_roll(engine, log.roll_id)["defects"] if d["id"] == 2]
    assert (said["verdict"], said["type_code"], said["type_name"], said["reviewer"]) == (
        "confirmed",
        "G1",
        "hole",
        "ana",
    )
    assert said["reviewed_at"].startswith("2026-03-04T05:06:07")


def test_a_verdict_outlives_what_the_running_roll_still_writes(engine: Engine, log: RollLog) -> None:
    write_review(engine, log.roll_id, 1, Review("rejected", reviewer="ana", reviewed_at=AT), "ana")
    log.write(Outcome(defects=(defect(1, peak=9.5),)), {})
    log.close("finished")
    first = read_roll(engine, log.roll_id)["defects"][0]
    assert (first["verdict"], first["peak"], first["is_open"]) == ("rejected", 9.5, False)


def test_a_defect_that_is_not_there_cannot_be_judged(engine: Engine, log: RollLog) -> None:
    with pytest.raises(RecordsError, match="Defect 7 of roll 1 is not in the records"):
        write_review(engine, log.roll_id, 7, Review("confirmed", reviewer="ana", reviewed_at=AT), "ana")


def test_records_that_cannot_be_written_are_said(engine: Engine, log: RollLog, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "records.db")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordsError, match=r"verdict on defect 1 is not recorded: it is locked"):
        write_review(engine, log.roll_id, 1, Review("confirmed", reviewer="ana", reviewed_at=AT), "ana")
    other.close()
    assert read_reviews(engine, log.roll_id) == {}


def test_the_other_choice_undoes_and_clearing_leaves_nothing(engine: Engine, log: RollLog) -> None:
    desk = ReviewRecorder(engine, who="ben")
    assert desk.name(log.roll_id, 1, HOLE).text == "confirmed\nhole"
    assert desk.decide(log.roll_id, 1, "rejected").text == "rejected"
    assert desk.decide(log.roll_id, 1, "confirmed").text == "confirmed\nhole"
    assert desk.decide(log.roll_id, 2, "rejected").reviewer == "ben"
    assert set(read_reviews(engine, log.roll_id)) == {1, 2}
    assert desk.clear(log.roll_id, 1) == NO_REVIEW
    assert set(read_reviews(engine, log.roll_id)) == {2}
    assert ReviewRecorder(engine, who="ana").name(log.roll_id, 2, HOLE).verdict == "confirmed"


def test_nothing_that_was_said_is_overwritten(engine: Engine, log: RollLog) -> None:
    ben, ana = ReviewRecorder(engine, who="ben"), ReviewRecorder(engine, who="ana")
    ben.decide(log.roll_id, 1, "rejected")
    ana.name(log.roll_id, 1, HOLE)
    ben.clear(log.roll_id, 1)
    ana.decide(log.roll_id, 2, "confirmed")
    said = [(r.verdict, r.type_name, r.reviewer) for r in read_history(engine, log.roll_id, 1)]
    assert said == [("rejected", None, "ben"), ("confirmed", "hole", "ana"), (None, None, "ben")]
    assert all(r.reviewed_at is not None for r in read_history(engine, log.roll_id, 1))


def test_a_desk_that_is_opened_later_knows_what_was_said(engine: Engine, log: RollLog) -> None:
    ReviewRecorder(engine, who="ben").name(log.roll_id, 1, HOLE)
    assert ReviewRecorder(engine, who="ana").decide(log.roll_id, 1, "rejected").type_name == "hole"


def test_verdicts_are_exported(engine: Engine, log: RollLog, tmp_path: Path) -> None:
    ReviewRecorder(engine, who="ben").name(log.roll_id, 1, HOLE)
    export_roll(engine, log.roll_id, tmp_path / "out")
    defects = json.loads((tmp_path / "out" / "defects.json").read_text())["defects"]
    assert [(d["verdict"], d["type_name"], d["reviewer"]) for d in defects] == [
        ("confirmed", "hole", "ben"),
        (None, None, None),
    ]
    with (tmp_path / "out" / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["verdict"], r["type_code"]) for r in rows] == [("confirmed", "G1"), ("", "")]


def test_a_rejected_defect_is_exported_without_the_type_that_it_had(engine: Engine, log: RollLog) -> None:
    recorder = ReviewRecorder(engine, who="ben")
    recorder.name(log.roll_id, 1, HOLE)
    recorder.decide(log.roll_id, 1, "rejected")
    first = read_roll(engine, log.roll_id)["defects"][0]
    assert (first["verdict"], first["type_code"], first["type_name"]) == ("rejected", None, None)
    recorder.decide(log.roll_id, 1, "confirmed")  # it was rejected by mistake
    assert read_roll(engine, log.roll_id)["defects"][0]["type_name"] == "hole"


def old_file(path: Path, more: str = "") -> str:
    """A database as the program of version 1 left it."""
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text(encoding="utf-8") + more)
    connection.close()
    return f"sqlite:///{path}"


def test_a_database_of_version_1_is_brought_up_to_date_in_place(tmp_path: Path) -> None:
    with opened_database(old_file(tmp_path / "old.db")) as engine:
        roll = read_roll(engine, 1)
        assert (roll["roll"]["name"], roll["roll"]["length_m"], len(roll["gaps"])) == ("20260101-060000", 1.5, 1)
        assert [(d["id"], d["peak"], d["verdict"]) for d in roll["defects"]] == [(1, 2.5, None), (2, 2.5, None)]
        ReviewRecorder(engine, who="ben").decide(1, 2, "confirmed")
        assert [r.reviewer for r in read_history(engine, 1, 2)] == ["ben"]
    with opened_database(f"sqlite:///{tmp_path / 'old.db'}") as engine:  # and once only
        assert [d["verdict"] for d in read_roll(engine, 1)["defects"]] == [None, "confirmed"]
