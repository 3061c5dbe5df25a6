"""What was promised, how often it was tried, and what did not hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from aoi_app.records.database import file_url, opened_database
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from cras_core.errors import CrasError
from cras_core.registry.bundle import read_bundle
from cras_core.registry.store import ModelStore

_NEAR_M = 1e-6
_TRIES_SAID = 3


@dataclass
class Promise:
    """
    Attributes:
        text: what holds, whatever happens.
        tried: how often it was looked at.
        broken: what was found where it did not hold.
    """

    text: str
    tried: int = 0
    broken: list[str] = field(default_factory=list)


class Book:
    """All promises of a run, in the order in which they were first tried."""

    def __init__(self) -> None:
        self._promises: dict[tuple[str, str], Promise] = {}

    def try_all(self, subject: str, found: Iterable[tuple[str, str]]) -> bool:
        """Takes (promise, what is wrong or empty) pairs of a trial; whether all held."""
        is_well = True
        for text, wrong in found:
            promise = self._promises.setdefault((subject, text), Promise(text))
            promise.tried += 1
            if wrong:
                promise.broken.append(wrong)
                is_well = False
        return is_well

    @property
    def is_kept(self) -> bool:
        """Nothing was broken."""
        return not any(p.broken for p in self._promises.values())

    def table(self) -> Table:
        """For a terminal."""
        table = Table("what", "promise", "held", "what was found")
        for (subject, text), promise in self._promises.items():
            held = promise.tried - len(promise.broken)
            said = "; ".join(promise.broken[:_TRIES_SAID])[:600]
            table.add_row(subject, text, f"{held} of {promise.tried}", said)
        return table


def records_are_sound(database: Path, told: dict[int, set[int]] | None = None) -> Iterator[tuple[str, str]]:
    """What is promised of a database whose writer is gone.

    Args:
        database: its file.
        told: numbers of defects that a person has seen, by roll.
    """
    if not database.exists():  # it was killed before the first roll
        return
    connection = sqlite3.connect(database)
    try:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
        yield "the database is sound", "" if said == "ok" else str(said)
    except sqlite3.DatabaseError as error:
        yield "the database is sound", str(error)
        return
    finally:
        connection.close()
    try:
        with opened_database(file_url(database)) as engine:
            mark_interrupted(engine)
            rolls = [read_roll(engine, row.roll_id) for row in read_summaries(engine)]
    except CrasError as error:
        yield "every roll can be read", str(error)
        return
    yield "every roll can be read", ""
    for roll in rolls:
        told_of, row = f"roll {roll['roll']['id']}", roll["roll"]
        is_open = row["state"] == "running"
        yield "a roll that was cut off is told as interrupted", f"{told_of} runs for ever" if is_open else ""
        over = row["inspected_m"] + row["gap_m"] - row["length_m"]
        has_ended = row["state"] in ("finished", "stopped")
        is_off = abs(over) > _NEAR_M if has_ended else over > _NEAR_M
        yield "metres inspected and gaps are the metres run", f"{told_of} is off by {over:.6f} m" if is_off else ""
        gaps_m = sum(gap["length_m"] for gap in roll["gaps"])
        is_off = abs(gaps_m - row["gap_m"]) > _NEAR_M
        yield "the gaps are those of the roll", f"{told_of}: {gaps_m:.6f} and {row['gap_m']:.6f} m" if is_off else ""
        if told is not None:
            lost = told.get(row["id"], set()) - {defect["id"] for defect in roll["defects"]}
            yield "no defect that was told is lost", f"{told_of} lacks {sorted(lost)}" if lost else ""


def model_is_whole(path: Path) -> Iterator[tuple[str, str]]:
    """A bundle is whole or not there."""
    wrong = ""
    if path.exists():
        try:
            read_bundle(path)
        except CrasError as error:
            wrong = str(error)
    yield "a model file is whole or not there", wrong


def store_is_sound(folder: Path) -> Iterator[tuple[str, str]]:
    """A history of models whose writer is gone."""
    store = ModelStore(folder)
    try:
        problems = [entry.problem for entry in store.entries() if entry.problem]
        in_use = store.in_use
        if in_use is not None:
            store.read(in_use.identity)
    except CrasError as error:
        problems = [str(error)]
    yield "the history of models is sound, and so is the model in use", "; ".join(problems)
