"""Lists, opens and reports recorded rolls, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.records.recorded_defects import follow_defects
from aoi_app.records.roll_list import RollList, follow_rolls
from aoi_app.reports.roll.reading import read_report
from aoi_app.reports.roll.writing import ReportKind, write_report
from aoi_app.reports.rolls_state import OpenedRoll, RollsState
from aoi_app.settings.settings import Mill


class RollsService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, engine: Engine, mill: Callable[[], Mill]) -> None:
        """
        Args:
            engine: the records.
            mill: whose reports they are, asked for each report.
        """
        self._engine, self._mill = engine, mill
        self._holder = StateHolder(RollsState())
        self._worker = SerialWorker("rolls", self._holder.fail)
        self._list = RollList()
        self._turn = 0  # of the latest wish to read a roll

    @property
    def state(self) -> RollsState:
        """The newest one."""
        return self._holder.state

    def ask(self) -> RollsState:
        """The newest one, for somebody who shows it."""
        return self._holder.ask()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read or written."""
        return self._worker.is_idle

    def refresh(self) -> None:
        """Reads the list of rolls again, all of it: somebody comes to look at it."""
        self._worker.put(lambda: self._follow(RollList()))

    def follow(self) -> None:
        """Reads what has changed in the list of rolls; not while it is being read, because pages ask often."""
        if self._worker.is_idle:
            self._worker.put(lambda: self._follow(self._list))

    def open(self, roll_id: int) -> None:
        """Reads a roll, graded with the verdicts that hold now. Of several wishes that wait only the last is fulfilled:
        a person gives verdicts faster than a long roll is read.
        """
        self._turn += 1
        turn = self._turn
        self._worker.put(lambda: self._open(roll_id) if turn == self._turn else None)

    def write(self, folder: Path, kinds: Sequence[ReportKind]) -> None:
        """Writes the report of the opened roll into a folder."""
        self._worker.put(lambda: self._write(folder, kinds))

    def close(self) -> None:
        """Ends after what was asked for."""
        self._worker.close()

    def _follow(self, known: RollList) -> None:
        self._list = follow_rolls(self._engine, known)
        if self._list.rolls != self.state.rolls:
            self._holder.change(rolls=self._list.rolls)

    def _open(self, roll_id: int) -> None:
        opened = self.state.opened
        if opened is not None and opened.report.roll.roll_id == roll_id:  # it has grown, or was judged: no news as such
            self._holder.change(opened=self._read(roll_id))
            return
        with self._holder.doing(f"Reading roll {roll_id} …"):
            self._holder.change(opened=self._read(roll_id), note="", is_alarm=False)

    def _read(self, roll_id: int) -> OpenedRoll:
        opened = self.state.opened
        is_same = opened is not None and opened.report.roll.roll_id == roll_id
        found = follow_defects(self._engine, roll_id, opened.defects if is_same and opened is not None else ())
        report = read_report(self._engine, roll_id, self._mill())
        return OpenedRoll(report, tuple(d for d, _ in found), {defect.number: review for defect, review in found})

    def _write(self, folder: Path, kinds: Sequence[ReportKind]) -> None:
        opened = self.state.opened
        if opened is None:
            return
        roll_id = opened.report.roll.roll_id
        with self._holder.doing(f"Writing the report of roll {roll_id} …"):
            report = read_report(self._engine, roll_id, self._mill())
            files = write_report(self._engine, report, folder, kinds, lambda done: self._holder.change(progress=done))
            self._holder.say(f"Written: {', '.join(file.name for file in files)} in {folder}")
