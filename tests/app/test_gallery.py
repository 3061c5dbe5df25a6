"""Defects of many rolls: found, judged at once, taken back, and likened to those that were reviewed."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from test_records import defect

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.inspection.findings.wanted import NO_TYPE, DefectFilter
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.database import open_database
from aoi_app.records.defect_search import find_defects, read_opinions
from aoi_app.records.errors import RecordsError
from aoi_app.records.reviews import ReviewRecorder, Said, read_history, write_reviews
from aoi_app.records.roll_log import RollLog
from aoi_app.review.gallery_service import GalleryService
from aoi_app.review.gallery_state import GalleryItem, GalleryState
from aoi_app.review.suggestion import Suggestion, TypeSuggestions
from aoi_app.settings.defect_types import STANDARD, DefectType
from aoi_app.settings.work_order import WorkOrder
from aoi_app.ui.gallery.gallery_page import GalleryPage

TYPES = {kind.code: kind for kind in STANDARD}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


def record(engine: Engine, defects: list[Defect], number: str = "") -> int:
    log = RollLog(
        engine, name="r", source="s", model="m", recipe={}, threshold=1.0, order=WorkOrder(roll_number=number)
    )
    log.write(Outcome(defects=tuple(defects)), {})
    log.close("finished")
    return log.roll_id


def stripe(number: int, shift: int = 0) -> Defect:
    image = np.full((96, 96), 90, np.uint8)
    image[:, 40 + shift : 46 + shift] = 200
    return replace(defect(number), length_mm=300.0 + 10 * shift, width_mm=3.0, area_mm2=800.0, thumbnail=image)


def spot(number: int, shift: int = 0) -> Defect:
    image = np.full((96, 96), 90, np.uint8)
    image[40 + shift : 54 + shift, 40:54] = 20
    return replace(defect(number), length_mm=5.0 + shift / 4, width_mm=5.0, area_mm2=20.0, peak=1.2, thumbnail=image)


def keys(engine: Engine, **wanted: object) -> list[tuple[int, int]]:
    return [f.key for f in find_defects(engine, DefectFilter(**wanted))]  # type: ignore[arg-type]


def test_defects_are_found_by_what_they_are_and_what_was_said(engine: Engine) -> None:
    first = record(engine, [stripe(1), spot(2)], "4711")
    second = record(engine, [replace(spot(1), fabric="satin")])
    ana, ben = ReviewRecorder(engine, "ana"), ReviewRecorder(engine, "ben")
    ana.name(first, 1, TYPES["K2"])
    ben.decide(first, 1, "rejected")
    ana.decide(first, 2, "confirmed")
    assert keys(engine) == [(second, 1), (first, 2), (first, 1)], "the latest first"
    assert keys(engine, roll="4711") == keys(engine, roll=str(first)) == [(first, 2), (first, 1)]
    assert keys(engine, roll="9" * 40) == []
    assert keys(engine, fabric="satin") == keys(engine, verdict="none") == [(second, 1)]
    assert keys(engine, type_code="K2") == keys(engine, verdict="rejected") == [(first, 1)]
    assert keys(engine, type_code=NO_TYPE) == [(second, 1), (first, 2)]
    assert keys(engine, least_mm=100.0) == [(first, 1)]
    assert keys(engine, most_mm=100.0) == [(second, 1), (first, 2)]
    assert keys(engine, least_score=2.0) == [(first, 1)]
    assert keys(engine, reviewer="ana") == [(first, 2)]
    assert keys(engine, verdict="disputed") == [(first, 1)]
    opinions = read_opinions(engine, [(first, 1), (second, 1)])
    assert {who: review.verdict for who, review in opinions[first, 1].items()} == {
        "ana": "confirmed",
        "ben": "rejected",
    }
    assert (second, 1) not in opinions
    page = find_defects(engine, DefectFilter(), most=2)
    assert [f.key for f in find_defects(engine, DefectFilter(), before=page[-1].row_id)] == [(first, 1)]


def test_verdicts_on_many_are_of_all_or_of_none(engine: Engine) -> None:
    roll = record(engine, [spot(1), spot(2)])
    said = Review("confirmed", reviewer="ana")
    with pytest.raises(RecordsError, match="Defect 9"):
        write_reviews(engine, [Said(roll, 1, said), Said(roll, 9, said)], "ana")
    assert keys(engine, verdict="none") == [(roll, 2), (roll, 1)]


def wait(service: GalleryService) -> GalleryState:
    done = threading.Event()
    service._worker.put(done.set)
    assert done.wait(60)
    return service.state


def test_many_are_judged_at_once_and_taken_back(engine: Engine) -> None:
    roll = record(engine, [spot(n) for n in range(1, 4)])
    ReviewRecorder(engine, "ben").decide(roll, 1, "rejected")
    service = GalleryService(engine, "ana")
    service.find(DefectFilter())
    service.decide([(roll, 1), (roll, 2)], "confirmed")
    service.name([(roll, 2)], TYPES["G2"])
    state = wait(service)
    by_number = {item.defect.number: item for item in state.items}
    assert [by_number[n].review.verdict for n in (1, 2, 3)] == ["confirmed", "confirmed", None]
    assert by_number[1].is_disputed
    assert by_number[2].review.type_code == "G2"
    assert state.undoable == "1 defect named stain"
    service.undo()
    assert wait(service).undoable == "2 defects confirmed"
    service.undo()
    service.undo()
    state = wait(service)
    assert (state.undoable, state.note) == ("", "There is nothing to take back.")
    by_number = {item.defect.number: item for item in state.items}
    assert by_number[1].review.verdict == "rejected"
    assert by_number[1].review.reviewer == "ben"
    assert by_number[2].review == NO_REVIEW
    said = [(review.verdict, review.reviewer) for review in read_history(engine, roll, 1)]
    assert said == [("rejected", "ben"), ("confirmed", "ana"), (None, "ana")], "ana has never rejected it"
    service.close()


def test_pages_follow_each_other(engine: Engine) -> None:
    record(engine, [spot(n) for n in range(1, 251)])
    service = GalleryService(engine, "ana")
    service.find(DefectFilter())
    state = wait(service)
    assert (len(state.items), state.has_more) == (200, True)
    service.more()
    state = wait(service)
    assert (len(state.items), state.has_more) == (250, False)
    assert len({item.key for item in state.items}) == 250
    service.close()


def test_a_type_is_suggested_from_those_that_look_alike(engine: Engine) -> None:
    def named(found: Defect, code: str) -> tuple[Defect, Review]:
        return found, Review("confirmed", code, TYPES[code].name, "ana")

    known = [named(stripe(n, n), "K2") for n in range(6)] + [named(spot(n, n), "G2") for n in range(6)]
    suggestions = TypeSuggestions(known)
    assert suggestions.right == 1.0
    assert suggestions.suggest([stripe(90, 6), spot(91, 6)]) == [
        Suggestion("K2", "needle line", 5, 5),
        Suggestion("G2", "stain", 5, 5),
    ]
    noise = replace(defect(92, noise=True), length_mm=9000.0, width_mm=900.0, area_mm2=1e6)
    assert suggestions.suggest([noise]) == [None], "what looks like none is given none"
    assert TypeSuggestions(known[:4]).suggest([spot(1)]) == [None], "too few are known"
    rejected = [(d, Review("rejected", r.type_code, r.type_name)) for d, r in known]
    assert TypeSuggestions(rejected).known == 0


def test_the_page_announces_what_is_said_of_the_chosen(qtbot: QtBot) -> None:
    page = GalleryPage()
    qtbot.addWidget(page)
    page.show_types(STANDARD)
    guess = Suggestion("G2", "stain", 4, 5)
    items = [GalleryItem((1, n), "4711", spot(n), NO_REVIEW, {}, guess if n == 1 else None) for n in range(1, 4)]
    page.show_state(GalleryState(revision=1, items=tuple(items), undoable="2 defects confirmed"))
    told: list[tuple[list[int], str]] = []
    page.decided.connect(lambda chosen, verdict: told.append(([i.defect.number for i in chosen], verdict)))
    taken: list[list[GalleryItem]] = []
    page.suggestions_taken.connect(taken.append)
    named: list[DefectType] = []
    page.type_named.connect(lambda _, kind: named.append(kind))
    actions = {action.objectName(): action for action in page.view.actions()}
    labels = {label.accessibleName(): label for label in page.findChildren(QLabel)}
    assert "looks like G2 stain (4 of the 5 most alike)" in labels["Chosen defects"].text()
    actions["take_type"].trigger()
    assert [item.key for item in taken[0]] == [(1, 1)]
    page.view.selectAll()
    assert labels["Chosen defects"].text().startswith("3 defects are chosen; a type is suggested for 1")
    actions["reject"].trigger()
    assert told == [([1, 2, 3], "rejected")]
    page._name(TYPES["G1"])
    assert named == [TYPES["G1"]]
    with qtbot.waitSignal(page.wanted_changed) as looked:
        page.filter._score.setValue(1.5)
    assert looked.args[0].least_score == 1.5
