"""How quick rolls are with many defects: run by hand, ``python -m tests.benchmarks --folder /tmp/benchmark``.

It makes a database of a year (a million defects with pictures: minutes, and some GB) and prints what was measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from rich.console import Console
from sqlalchemy import Engine, insert, text

from aoi_app.inspection.findings.defects import Box, Defect
from aoi_app.inspection.findings.wanted import DefectFilter
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.database import file_url, open_database
from aoi_app.records.defect_search import find_defects
from aoi_app.records.recorded_defects import follow_defects, read_defects
from aoi_app.records.roll_counts import count_rolls
from aoi_app.records.roll_list import RollList, follow_rolls
from aoi_app.records.roll_log import RollLog
from aoi_app.records.tables import DEFECTS, RollRow, row_values
from aoi_app.reports.roll.reading import read_report
from aoi_app.reports.roll.writing import write_report
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import Mill

say = Console(highlight=False, soft_wrap=True).print

_ROLL_M, _WIDTH_MM = 1000.0, 1500.0
_BATCH = 2000
_TYPES = (("W1", "broken end"), ("G1", "hole"), ("G2", "stain"), ("Y2", "knot"))


def picture(seed: int) -> np.ndarray:
    """(96, 96) uint8 that a PNG cannot make small: noise as of cloth."""
    return np.random.default_rng(seed).integers(90, 120, (96, 96)).astype(np.uint8)


def a_defect(number: int, chance: np.random.Generator) -> Defect:
    at_m, length = float(chance.uniform(0, _ROLL_M)), float(chance.exponential(20.0) + 2.0)
    return Defect(
        number=number,
        fabric="plain",
        shape="point",
        first_line=int(at_m * 5000),
        end_line=int(at_m * 5000) + 50,
        left_px=0,
        right_px=40,
        position_m=at_m,
        position_mm=float(chance.uniform(10, _WIDTH_MM - 10)),
        length_mm=length,
        width_mm=length / 2,
        area_mm2=length * length / 4,
        peak=float(1 + chance.exponential(0.5)),
        mean=1.0,
        raw_peak=2.0,
        boxes=(Box("a.png", 0, 0, 8, 8),),
        is_open=False,
        thumbnail=picture(number % 50),
    )


def make_rolls(engine: Engine, rolls: int, defects: int, begin: datetime) -> None:
    """So many rolls over a year with so many defects each, three of four judged."""
    chance = np.random.default_rng(7)
    values = [row_values(a_defect(number, chance)) for number in range(1, _BATCH + 1)]
    for roll in range(rolls):
        with engine.begin() as connection:  # a roll at a time: one transaction of a year fills the journal
            row = {
                "name": f"r{roll}", "state": "finished", "started_at": begin + timedelta(days=365 * roll / rolls),
                "process": 0, "source": "loom", "model": "m", "fabric": "plain", "threshold": 1.0,
                "recipe": Recipe().model_dump(mode="json"), "length_m": _ROLL_M, "inspected_m": _ROLL_M, "gap_m": 0.0,
                "width_mm": _WIDTH_MM, "roll_number": str(4000 + roll), "ended_at": begin,
            }  # fmt: skip
            roll_id = connection.execute(insert(RollRow).values(**row)).inserted_primary_key[0]
            for first in range(0, defects, _BATCH):
                rows = []
                for k, value in enumerate(values[: defects - first]):
                    number = first + k + 1
                    code, name = _TYPES[number % len(_TYPES)]
                    verdict = (None, "confirmed", "confirmed", "rejected")[number % 4]
                    said = {"verdict": verdict, "reviewer": "ana", "reviewed_at": begin} if verdict else {}
                    named = {"type_code": code, "type_name": name} if verdict == "confirmed" else {}
                    rows.append({"verdict": None, "type_code": None, "type_name": None, "reviewer": None,
                                 "reviewed_at": None, **value, **said, **named, "number": number, "roll_id": roll_id,
                                 "found_at": begin})  # fmt: skip
                connection.execute(insert(DEFECTS), rows)


def measure(what: str, do: Callable[[], object], times: int = 3) -> float:
    """Prints the median of several runs, the first one beside it: the disk is cold then."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        do()
        took.append(time.perf_counter() - begun)
    say(f"{what:60s} {statistics.median(took) * 1000:10.1f} ms   (first {took[0] * 1000:.1f})")
    return statistics.median(took)


def measure_map(count: int) -> None:
    """One pan of the map, as it is drawn in a window of 1280 x 600 pixels."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from aoi_app.ui.rolls.defect_layer import MapMark
    from aoi_app.ui.rolls.roll_map import RollMap, RollMapContent

    qt = QApplication.instance() or QApplication([])
    chance = np.random.default_rng(3)
    at, across = chance.uniform(0, _ROLL_M, count), chance.uniform(0, _WIDTH_MM, count)
    marks = [
        MapMark(n, float(at[n]), float(at[n]) + 0.01, float(across[n]), float(across[n]) + 5, n % 5, False, "")
        for n in range(count)
    ]
    view = RollMap()
    view.resize(1280, 600)
    view.show_roll(RollMapContent(_ROLL_M, _WIDTH_MM, marks, [], [], [], 1.0, {}, "m"))
    view.show()
    for shown_m in (900.0, 100.0, 5.0):
        places = iter(np.linspace(0, _ROLL_M - shown_m, 60))

        def pan(shown_m: float = shown_m, places: object = places) -> None:
            begin = float(next(places))  # type: ignore[call-overload]
            view._map.setXRange(begin, begin + shown_m, padding=0)
            view.grab()
            qt.processEvents()

        measure(f"map of {count} defects, one pan, {shown_m:.0f} m shown", pan, 50)


def measure_records(engine: Engine) -> None:
    """What a commit costs the line: every frame has one, and every tenth a defect."""
    log = RollLog(engine, name="line", source="loom", model="m", recipe={}, threshold=1.0)
    chance, numbers, took = np.random.default_rng(5), iter(range(1, 10_000)), []
    for frame in range(300):
        found = (a_defect(next(numbers), chance),) if frame % 10 == 0 else ()
        begun = time.perf_counter()
        log.write(Outcome(defects=found), {"length_m": frame * 0.1, "inspected_m": frame * 0.1})
        took.append(time.perf_counter() - begun)
    log.close("finished")
    mean_s, frame_s = statistics.mean(took), 512 / 5000.0
    say(
        f"{'records, one commit per 512 lines':60s} {mean_s * 1000:10.1f} ms   "
        f"({mean_s / frame_s:.1%} of the time at 60 m/min and 0.2 mm)",
    )


def main() -> None:
    """Makes the database where it is missing, and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rolls", type=int, default=100)
    parser.add_argument("--defects", type=int, default=10_000, help="of each roll")
    told = parser.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    path = told.folder / f"{told.rolls}x{told.defects}.db"
    is_new = not path.exists()
    engine = open_database(file_url(path))
    if is_new:
        begun = time.perf_counter()
        make_rolls(engine, told.rolls, told.defects, datetime(2026, 1, 1, tzinfo=timezone.utc))
        small = open_database(file_url(path))  # one of 1000 defects beside them, for its report
        make_rolls(small, 1, 1000, datetime(2027, 1, 1, tzinfo=timezone.utc))
        say(f"made in {time.perf_counter() - begun:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
    with engine.connect() as connection:
        total = connection.execute(text("SELECT count(*) FROM defects")).scalar()
    say(f"{total} defects on {told.rolls + 1} rolls")
    roll = told.rolls // 2
    before = read_defects(engine, roll)
    measure("list of all rolls", lambda: follow_rolls(engine, RollList()))
    known = follow_rolls(engine, RollList())
    measure("list of all rolls, nothing has changed", lambda: follow_rolls(engine, known))
    measure(f"opening a roll of {told.defects} defects: list", lambda: follow_defects(engine, roll, ()))
    measure("the same with all pictures, as nobody opens it", lambda: read_defects(engine, roll), 1)
    measure("the same after a verdict", lambda: follow_defects(engine, roll, [defect for defect, _ in before]))
    measure("opening it: grade and report", lambda: read_report(engine, roll, Mill()))
    measure("gallery, first page", lambda: find_defects(engine, DefectFilter()))
    for name, wanted in (
        ("rejected", DefectFilter(verdict="rejected")),
        ("of one roll and type", DefectFilter(roll=str(4000 + roll), type_code="G1")),
        ("large ones", DefectFilter(least_mm=150.0)),
        ("none is like that", DefectFilter(fabric="no such fabric")),
    ):
        measure(f"gallery, {name}", lambda wanted=wanted: find_defects(engine, wanted), 2)
    measure("statistics of the year", lambda: count_rolls(engine), 2)
    report = read_report(engine, told.rolls + 1, Mill())
    measure("report of 1000 defects, PDF", lambda: write_report(engine, report, told.folder / "report", ["pdf"]), 1)
    measure_records(engine)
    measure_map(100_000)
    engine.dispose()


if __name__ == "__main__":
    main()
