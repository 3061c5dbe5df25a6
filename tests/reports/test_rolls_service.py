"""Recorded rolls: listed, opened, reported."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reports_tools import defect, record_roll, recorded_defect
from sqlalchemy import Engine
from typer.testing import CliRunner

from aoi_app.command_line import app
from aoi_app.inspection.findings.defects import PICTURE_NOT_READ, Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.records.recorded_defects import follow_defects, read_defects, read_picture
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.records.roll_list import RollList, follow_rolls, read_summaries
from aoi_app.records.work_orders import change_order
from aoi_app.reports.roll_columns import is_found
from aoi_app.reports.rolls_service import RollsService
from aoi_app.reports.rolls_state import RollsState
from aoi_app.settings.settings import Mill
from aoi_app.settings.work_order import WorkOrder

NOTHING = np.zeros((1, 1), np.uint8)
MARKS = [defect(1, at_m=0.5), defect(2, at_m=2.0, length_mm=400.0), defect(3, at_m=7.0)]


def wait(service: RollsService) -> RollsState:
    done = threading.Event()
    service._worker.put(done.set)
    assert done.wait(60)
    return service.state


def test_rolls_are_listed_the_latest_first_with_what_was_said(engine: Engine) -> None:
    first, second = record_roll(engine, MARKS), record_roll(engine, MARKS[:1])
    change_order(engine, first, WorkOrder(roll_number="4711", loom="L 2"))
    ReviewRecorder(engine, "ana").decide(first, 3, "rejected")
    rolls = read_summaries(engine)
    assert [(r.roll_id, r.defects, r.rejected, r.order.roll_number) for r in rolls] == [
        (second, 1, 0, ""),
        (first, 3, 1, "4711"),
    ]
    assert read_summaries(engine, last=1) == rolls[:1]
    assert all(r.started_at is not None and r.started_at.tzinfo is not None for r in rolls)


def test_only_rolls_that_have_changed_are_read_again(engine: Engine) -> None:
    first, second = record_roll(engine, MARKS), record_roll(engine, MARKS[:1])
    known = follow_rolls(engine, RollList())
    assert list(known.rolls) == read_summaries(engine)
    assert follow_rolls(engine, known) is known, "nothing has changed"
    ReviewRecorder(engine, "ana").decide(first, 3, "rejected")
    third = record_roll(engine, MARKS[:2])
    now = follow_rolls(engine, known)
    assert [(roll.roll_id, roll.defects, roll.rejected) for roll in now.rolls] == [
        (third, 2, 0),
        (second, 1, 0),
        (first, 3, 1),
    ]
    assert now.rolls[1] is known.rolls[0], "the roll between was not read"
    assert list(now.rolls) == read_summaries(engine)


def test_pictures_are_read_once(engine: Engine) -> None:
    roll = record_roll(engine, MARKS)
    before = read_defects(engine, roll)
    ReviewRecorder(engine, "ana").decide(roll, 2, "confirmed")
    now = follow_defects(engine, roll, [defect for defect, _ in before])
    assert [review.verdict for _, review in now] == [None, "confirmed", None]
    assert all(new is old for (new, _), (old, _) in zip(now, before, strict=True))
    open_one = replace(before[0][0], is_open=True)
    again = follow_defects(engine, roll, [open_one])
    assert [defect.number for defect, _ in again] == [1, 2, 3]
    assert not again[0][0].is_open, "one that was open is read again"
    assert again[0][0].thumbnail is PICTURE_NOT_READ, "its picture is read when somebody sees it"
    assert np.array_equal(read_picture(engine, roll, 1), before[0][0].thumbnail)
    assert read_picture(engine, roll, 99).max() == 0


def test_the_command_lists_and_searches_like_the_window(engine: Engine) -> None:
    first, second = record_roll(engine, MARKS), record_roll(engine, MARKS)
    change_order(engine, first, WorkOrder(roll_number="4711", article="[b]Köper", loom="L 2"))
    ReviewRecorder(engine, "ana").decide(first, 3, "rejected")
    database = str(engine.url)
    done = CliRunner().invoke(app, ["rolls", "--search", "KÖPER", "--last", "1", "--database", database])
    assert done.exit_code == 0, done.output
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.output.splitlines() if "│" in line]
    assert [(row[0], row[2], row[3], row[-1]) for row in rows] == [(str(first), "4711", "[b]Köper", "2")]
    found = [[roll.roll_id for roll in read_summaries(engine) if is_found(roll, text)] for text in ("l 2", "", "?")]
    assert found == [[first], [second, first], []]


def test_a_roll_that_is_damaged_stands_in_its_place(engine: Engine, tmp_path: Path) -> None:
    ids = [record_roll(engine, MARKS) for _ in range(3)]
    connection = sqlite3.connect(tmp_path / "records.db")
    connection.execute("UPDATE rolls SET started_at = 'yesterday', loom = x'00ff' WHERE id = ?", (ids[1],))
    connection.commit()
    connection.close()
    rolls = read_summaries(engine)
    assert [r.roll_id for r in rolls] == ids[::-1]
    assert [r.state for r in rolls] == ["finished", "damaged", "finished"]
    assert [r.defects for r in rolls] == [3, 3, 3]


def test_defects_come_back_as_they_were_found(engine: Engine) -> None:
    roll = record_roll(engine, MARKS)
    ReviewRecorder(engine, "ana").decide(roll, 2, "confirmed")
    found = read_defects(engine, roll)
    assert [d.number for d, _ in found] == [1, 2, 3]
    assert [review.verdict for _, review in found] == [None, "confirmed", None]
    for (read, _), place in zip(found, MARKS, strict=True):
        assert repr(replace(read, thumbnail=NOTHING)) == repr(replace(recorded_defect(place), thumbnail=NOTHING))
        assert read.thumbnail.dtype == np.uint8
        assert read.thumbnail.max() == 255


def test_a_roll_is_opened_graded_again_and_reported(engine: Engine, tmp_path: Path) -> None:
    roll = record_roll(engine, MARKS)
    service = RollsService(engine, lambda: Mill(name="Weberei Ähre"))
    service.refresh()
    service.open(roll)
    opened = wait(service).opened
    assert opened is not None
    assert (len(opened.defects), set(opened.reviews)) == (3, {1, 2, 3})
    before = opened.report.grade.points
    ReviewRecorder(engine, "ana").decide(roll, 2, "rejected")
    service.open(roll)
    again = wait(service).opened
    assert again is not None
    assert again.report.grade.points < before
    service.write(tmp_path / "out", ["pdf", "csv"])
    state = wait(service)
    assert state.note.startswith("Written: ")
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".csv", ".pdf"]
    service.open(roll)  # read again for a verdict: what was told before still stands
    assert wait(service).note.startswith("Written: ")
    again = service.state.opened
    service.open(999)
    state = wait(service)
    assert (state.is_alarm, "no roll 999" in state.note) == (True, True)
    assert state.opened is again
    service.close()


def test_of_many_wishes_only_the_last_is_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rolls = [record_roll(engine, MARKS[:1]) for _ in range(3)]
    read: list[int] = []

    def counted(engine: Engine, roll_id: int, known: Iterable[Defect]) -> list[tuple[Defect, Review]]:
        read.append(roll_id)
        return follow_defects(engine, roll_id, known)

    monkeypatch.setattr("aoi_app.reports.rolls_service.follow_defects", counted)
    service, gate = RollsService(engine, Mill), threading.Event()
    service._worker.put(gate.wait)
    for roll in [*rolls, *rolls]:
        service.open(roll)
    gate.set()
    opened = wait(service).opened
    assert opened is not None
    assert (opened.report.roll.roll_id, read) == (rolls[-1], [rolls[-1]])
    service.close()
