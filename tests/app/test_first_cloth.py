"""The first cloth of a roll is held back until its model is made; nothing of it is lost, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from aoi_app.live.first_cloth import FirstCloth, TaughtModel, pieces_of
from aoi_app.sources.frame import Frame, Lost
from cras_core.arrays import Image
from cras_core.errors import EnrolError

MODEL = TaughtModel(None, "abc", "this web", "0.4 m2")


def frame(lines: int = 10, width: int = 100, *, starts_web: bool = False) -> Frame:
    return Frame(np.zeros((lines, width), np.uint8), "loom", 0.0, starts_web)


def test_nothing_is_given_out_before_the_model_and_everything_after_in_its_order() -> None:
    may_end = threading.Event()

    def teach(pieces: Sequence[Image]) -> TaughtModel:
        may_end.wait(10)
        return MODEL

    first = FirstCloth(teach, 25)
    items = [frame(), Lost(5, "the camera lost them", "loom"), frame(), frame(), frame()]
    for item in items[:4]:
        first.hold(item)
    assert first.next() is None
    assert first.take_model(0.01) is None
    first.hold(items[4])  # comes while the model learns
    may_end.set()
    assert first.take_model(10) == MODEL
    assert first.take_model(10) is None
    assert [first.next() for _ in items] == items
    assert first.next() is None
    assert first.is_over


def test_it_learns_from_unbroken_pieces_of_what_came_first() -> None:
    given: list[list[tuple[int, ...]]] = []

    def teach(pieces: Sequence[Image]) -> TaughtModel:
        given.append([piece.shape for piece in pieces])
        return MODEL

    first = FirstCloth(teach, 40)
    for item in (frame(), frame(), Lost(1, "x", "loom"), frame(), frame(starts_web=True)):
        first.hold(item)
    assert first.take_model(10) == MODEL
    assert given == [[(20, 100), (10, 100), (10, 100)]]
    assert [p.shape for p in pieces_of([frame(), frame(width=90)])] == [(10, 100), (10, 90)]


def test_a_web_that_ends_early_teaches_with_what_there_is() -> None:
    first = FirstCloth(lambda pieces: MODEL, 1000)
    first.hold(frame())
    assert "1%" in first.text
    assert first.take_model(0.0) is None
    first.end()
    assert first.take_model(10) == MODEL
    assert first.text == ""


@pytest.mark.parametrize("error", [EnrolError("x", "too little cloth"), ValueError("too little cloth")])
def test_cloth_that_cannot_teach_is_inspected_with_the_model_before(error: Exception) -> None:
    def teach(pieces: Sequence[Image]) -> TaughtModel:
        raise error

    first = FirstCloth(teach, 5)
    item = frame()
    first.hold(item)
    taught = first.take_model(10)
    assert taught is not None
    assert taught.detector is None
    assert "too little cloth" in taught.text
    assert first.next() is item


def test_a_roll_that_is_ended_at_once_does_not_wait_for_the_model() -> None:
    never = threading.Event()

    def teach(pieces: Sequence[Image]) -> TaughtModel:
        never.wait(10)
        return MODEL

    first = FirstCloth(teach, 5)
    item = frame()
    first.hold(item)
    first.give_up()
    assert first.next() is item
    assert first.is_over
    never.set()


def test_it_takes_no_more_than_its_memory() -> None:
    first = FirstCloth(lambda pieces: MODEL, 1 << 30)
    big = Frame(np.zeros((1 << 15, 1 << 14), np.uint8), "loom", 0.0)  # 512 MiB that nobody touches
    assert not first.is_full
    first.hold(big)
    assert first.is_full
    assert first.take_model(60) == MODEL, "what can take no more has to do with what it has"
    assert first.next() is big
    assert not first.is_full
