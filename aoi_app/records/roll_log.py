"""The log of the running roll: everything is committed before it is shown, and nothing is lost while the database
cannot be written.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.findings.defects import Defect, Remark
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.database import explain_database_error
from aoi_app.records.database_file import DatabaseFile
from aoi_app.records.errors import RecordsError
from aoi_app.records.process_identity import process_identity
from aoi_app.records.tables import DEFECTS, GAPS, REMARKS, WIDTHS, RollRow, plain_values, row_values, utc_now
from aoi_app.records.upkeep.left_roll import LeftRoll
from aoi_app.records.work_orders import columns_of
from aoi_app.settings.folders import log_path
from aoi_app.settings.printable import printable
from aoi_app.settings.work_order import NO_ORDER, WorkOrder
from cras_core.files import write_atomically
from cras_core.messages import Sentence

_RETRY_S = 1.0  # each try may wait for the lock as long, and the cloth runs on meanwhile
_LAST_TRIES_S = 5.0  # how long the end of a roll waits for a database that is locked

_REPLACED = (
    "somebody has removed or replaced the database while this roll was written. What was found until then went with "
    "it; what is found from now on is kept in memory. Stop the roll, put the database back and begin anew."
)

NOT_RECORDED = "not recorded"
"""What the problem of a log begins with while records wait in memory."""


class RollLog:
    """Writes one roll. Used by one thread.

    When a commit fails, what it held is kept in memory and tried again with the next one, at most once a second;
    ``problem`` says so meanwhile. The cloth goes on being inspected.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        source: str,
        model: str,
        recipe: dict[str, object],
        threshold: float,
        order: WorkOrder = NO_ORDER,
        tiles: Path | None = None,
        rescue: Path | None = None,
        left: LeftRoll | None = None,
    ) -> None:
        """Begins a roll, or goes on with one that was left.

        Args:
            engine: the records.
            name, source, model, recipe, threshold: columns of the roll.
            order: what the mill knows of it.
            tiles: folder where tiles of it are kept.
            left: the roll that goes on: its row is taken over as it is, and what was lost is recorded as gaps.
            rescue: folder for a file with what the database does not take, when the roll ends. Where that is full as
                well, it is written to the folder of the log, or to that of temporary files.

        Raises:
            RecordsError: the database cannot be written, or somebody else goes on with the roll already.
        """
        self.left = left
        """The roll that goes on, as it was; None of a new one."""
        self._engine = engine
        self._rescue = rescue
        self._file = DatabaseFile(engine)
        self._waiting: list[Outcome] = []
        self._figures: dict[str, object] = {}
        self._not_before_s = 0.0  # time.monotonic of the next try
        self.problem: str | None = None
        if left is not None:
            self.roll_id: int = left.roll_id
            self._take_over(left, model)
            return
        roll = RollRow(
            name=printable(name),
            state="running",
            started_at=utc_now(),
            process=os.getpid(),
            process_identity=process_identity(os.getpid()),
            source=printable(source),
            model=model,
            recipe=recipe,
            threshold=threshold,
            **columns_of(order),
            tiles=printable(tiles.resolve()) if tiles is not None else None,
        )
        try:
            with Session(engine) as session:
                session.add(roll)
                session.commit()
                self.roll_id = roll.id
        except SQLAlchemyError as error:
            raise RecordsError(
                "roll-not-begun",
                "The roll cannot be begun in the database: {reason}",
                reason=explain_database_error(error),
            ) from error

    def _take_over(self, left: LeftRoll, model: str) -> None:
        mine = RollRow.id == left.roll_id, RollRow.state == "interrupted", RollRow.ended_at.is_(None)
        ours = {"state": "running", "process": os.getpid(), "process_identity": process_identity(os.getpid())}
        try:
            with Session(self._engine) as session:
                # RETURNING and not rowcount: not every driver counts what it has changed.
                taken = update(RollRow).where(*mine).values(**ours, **left.columns()).returning(RollRow.id)
                if session.execute(taken).first() is None:
                    raise RecordsError(
                        "left-roll-taken",
                        "Roll {roll_id} cannot go on: somebody has ended it meanwhile, or goes on with it already.",
                        roll_id=left.roll_id,
                    )
                # Defects that were open have come to an end with the program: nobody will close them any more.
                session.execute(update(DEFECTS).where(DEFECTS.c.roll_id == left.roll_id).values(is_open=False))
                for gap in left.gaps:
                    session.execute(insert(GAPS).values(roll_id=left.roll_id, **row_values(gap)))
                if model != left.model:
                    text = f"the model {model} judges from here on"
                    remark = Remark("model", "", left.start.line, left.position_m, text)
                    session.execute(insert(REMARKS).values(roll_id=left.roll_id, at=utc_now(), **row_values(remark)))
                session.commit()
        except SQLAlchemyError as error:
            raise RecordsError(
                "roll-not-begun",
                "The roll cannot be begun in the database: {reason}",
                reason=explain_database_error(error),
            ) from error

    @property
    def waiting(self) -> int:
        """Records that are not in the database yet."""
        return sum(len(o.defects) + len(o.gaps) + len(o.remarks) for o in self._waiting)

    def write(self, outcome: Outcome, figures: dict[str, object]) -> bool:
        """Commits what became of a piece of web.

        Args:
            outcome: new defects, gaps and remarks.
            figures: columns of the roll that have changed, by name.

        Returns:
            Whether everything is in the database now.
        """
        # Kept before it is tried: whatever the database does, nothing that was found is dropped.
        if outcome.is_worth_recording:
            self._waiting.append(outcome.records())
        self._figures |= figures  # the latest of each count; what a failed commit held is overtaken
        if time.monotonic() < self._not_before_s:
            return False
        return self._commit()

    def close(self, state: str) -> None:
        """Ends the roll.

        Args:
            state: ``finished``, ``stopped`` or ``failed``.

        Raises:
            RecordsError: records are left that the database does not take; the text says where they are instead.
        """
        self._figures |= {"state": state, "ended_at": utc_now()}
        # The only place that waits: after this there is no next commit to try it with.
        deadline = time.monotonic() + _LAST_TRIES_S
        while not self._commit():
            if time.monotonic() > deadline:
                raise RecordsError(
                    "records-left-over",
                    "{count} records of roll {roll_id} are not in the database ({problem}); {where}",
                    count=self.waiting,
                    roll_id=self.roll_id,
                    problem=Sentence(self.problem),
                    where=Sentence(self._save_elsewhere(state)),
                )
            time.sleep(_RETRY_S / 4)

    def _save_elsewhere(self, state: str) -> str:
        """What waits goes into a file of its own; returns where it is, as half a sentence."""
        outcomes = self._waiting
        content = {
            "roll": self.roll_id,
            "state": state,
            "defects": [plain_values(d) for o in outcomes for d in o.defects],
            "withdrawn": [w for o in outcomes for w in o.withdrawn],
            "gaps": [plain_values(g) for o in outcomes for g in o.gaps],
            "remarks": [plain_values(r) for o in outcomes for r in o.remarks],
            "widths": [plain_values(w) for o in outcomes for w in o.widths],
        }
        name, data = f"roll-{self.roll_id}-unrecorded.json", (json.dumps(content, indent=1) + "\n").encode()
        reason = ""
        # The folder of the roll is often on the disk that is full; these seldom are on the same.
        for folder in filter(None, (self._rescue, log_path().parent, Path(tempfile.gettempdir()))):
            try:
                write_atomically(folder / name, data, durable=True)
            except OSError as error:
                reason = reason or f"{folder / name} cannot be written either ({error.strerror or error})"
            else:
                return f"they are in {folder / name}."
        return f"{reason}, so they are lost."

    def _commit(self) -> bool:
        try:
            if self._file.is_replaced:
                return self._failed(_REPLACED)
            with Session(self._engine) as session:
                mine = update(RollRow).where(RollRow.id == self.roll_id)
                # Also without new figures: a row that is not there any more is noticed.
                found = session.connection().execute(mine.values(**(self._figures or {"process": os.getpid()})))
                if found.rowcount == 0:
                    return self._failed(_REPLACED)
                # All that waits in one transaction, oldest first: a defect that has grown since is written as it was
                # last.
                for outcome in self._waiting:
                    self._add(session, outcome)
                session.commit()
        except SQLAlchemyError as error:
            return self._failed(str(explain_database_error(error)))
        self._waiting.clear()
        self._figures.clear()
        self.problem = None
        return True

    def _failed(self, reason: str) -> bool:
        self._not_before_s = time.monotonic() + _RETRY_S
        self.problem = f"{NOT_RECORDED}: {reason}"
        return False

    def _add(self, session: Session, outcome: Outcome) -> None:
        self._put_defects(session, outcome.defects)
        if outcome.withdrawn:
            session.execute(delete(DEFECTS).where(self._mine(outcome.withdrawn)))
        for gap in outcome.gaps:
            session.execute(insert(GAPS).values(roll_id=self.roll_id, **row_values(gap)))
        for remark in outcome.remarks:
            session.execute(insert(REMARKS).values(roll_id=self.roll_id, at=utc_now(), **row_values(remark)))
        for width in outcome.widths:
            session.execute(insert(WIDTHS).values(roll_id=self.roll_id, **row_values(width)))

    def _put_defects(self, session: Session, defects: Sequence[Defect]) -> None:
        """A running defect is told again as it grows: its row is written anew, but for what a person has said of it,
        which is in columns of its own.
        """
        latest = {defect.number: defect for defect in defects}
        known = set(session.scalars(select(DEFECTS.c.number).where(self._mine(list(latest)))))
        for number, defect in latest.items():
            values = row_values(defect)
            if number in known:
                session.execute(update(DEFECTS).where(self._mine([number])).values(**values))
            else:
                session.execute(insert(DEFECTS).values(roll_id=self.roll_id, found_at=utc_now(), **values))

    def _mine(self, numbers: Sequence[int]) -> ColumnElement[bool]:
        """Defects of this roll with some numbers."""
        return and_(DEFECTS.c.roll_id == self.roll_id, DEFECTS.c.number.in_(numbers))
