"""The work order of a roll: typed, scanned, remembered, recorded, corrected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine

from aoi_app.records.database import opened_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_log import RollLog
from aoi_app.records.work_orders import change_order, earlier_rolls
from aoi_app.settings.work_order import LONGEST_TEXT, NO_ORDER, WorkOrder, load_work_order, save_work_order

ORDER = WorkOrder(
    roll_number="4711", order_number="A-12", article="Köper 3/1", lot="L7", loom="L 23", operator="Ana",
    nominal_width_mm=1600.0, gsm=245.0,
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with opened_database(f"sqlite:///{tmp_path / 'records.db'}") as engine:
        yield engine


def begin(engine: Engine, order: WorkOrder) -> int:
    return RollLog(engine, name="r", source="loom", model="m", recipe={}, threshold=1.0, order=order).roll_id


def test_a_roll_keeps_its_order_and_one_without_has_none(engine: Engine) -> None:
    first, second = begin(engine, ORDER), begin(engine, NO_ORDER)
    assert {name: read_roll(engine, first)["roll"][name] for name in WorkOrder.model_fields} == ORDER.model_dump()
    assert all(read_roll(engine, second)["roll"][name] is None for name in WorkOrder.model_fields)


def test_a_label_that_was_scanned_late_is_put_right(engine: Engine) -> None:
    roll = begin(engine, ORDER)
    change_order(engine, roll, ORDER.model_copy(update={"roll_number": "4712", "lot": ""}))
    now = read_roll(engine, roll)["roll"]
    assert (now["roll_number"], now["lot"], now["article"]) == ("4712", None, "Köper 3/1")
    with pytest.raises(RecordsError, match="no roll 99"):
        change_order(engine, 99, ORDER)


def test_two_rolls_with_one_number_are_two_and_are_told(engine: Engine) -> None:
    first, second, _ = begin(engine, ORDER), begin(engine, ORDER), begin(engine, NO_ORDER)
    assert [roll.roll_id for roll in earlier_rolls(engine, "4711")] == [second, first]
    assert [roll.roll_id for roll in earlier_rolls(engine, "4711", but=second)] == [first]
    assert earlier_rolls(engine, "") == []


def test_the_order_is_remembered_without_the_number_of_the_roll(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    assert load_work_order(path) == (NO_ORDER, None)
    save_work_order(ORDER.for_next_roll(), path)
    assert load_work_order(path) == (ORDER.model_copy(update={"roll_number": ""}), None)


@pytest.mark.parametrize("content", ["", "[]", '{"gsm": "heavy"}', '{"gsm": NaN}', '{"colour": "red"}'])
def test_a_file_that_is_broken_is_said_and_stops_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "order.json"
    path.write_text(content)
    order, problem = load_work_order(path)
    assert order == NO_ORDER
    assert problem is not None
    assert os.fspath(path) in problem


@given(st.text(max_size=LONGEST_TEXT))
def test_whatever_is_scanned_becomes_one_line_that_can_be_printed(text: str) -> None:
    number = WorkOrder(roll_number=text).roll_number
    assert number.isprintable()
    assert number == " ".join(number.split(" ")).strip()
    assert WorkOrder(roll_number=number).roll_number == number


def test_a_text_that_is_no_label_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 80"):
        WorkOrder(article="x" * 81)
    with pytest.raises(ValidationError):
        WorkOrder(nominal_width_mm=-1.0)


def test_the_order_in_words() -> None:
    assert ORDER.text == "roll 4711 · order A-12 · article Köper 3/1 · lot L7 · loom L 23"
    assert NO_ORDER.text == ""
