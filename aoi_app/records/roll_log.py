"""The log of the running roll: everything is committed before it is shown, and nothing is lost while the database
cannot be written.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from datetime import timezone
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import psutil
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.defects import Defect, Gap
from aoi_app.inspection.outcome import Outcome
from aoi_app.records.database import DefectRow, GapRow, RemarkRow, RollRow, explain, now
from aoi_app.records.errors import RecordsError
from cras_core.files import write_atomically

_RETRY_S = 1.0
_LAST_TRIES_S = 5.0  # how long the end of a roll waits for a database that is locked


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
        tiles: Path | None = None,
        rescue: Path | None = None,
    ) -> None:
        """Begins a roll.

        Args:
            engine: the records.
            name, source, model, recipe, threshold: columns of the roll.
            tiles: folder where tiles of it are kept.
            rescue: folder for a file with what the database does not take, when the roll ends.

        Raises:
            RecordsError: the database cannot be written.
        """
        self._engine = engine
        self._rescue = rescue
        self._waiting: list[Outcome] = []
        self._figures: dict[str, object] = {}
        self._not_before_s = 0.0
        self.problem: str | None = None
        roll = RollRow(
            name=name,
            state="running",
            started_at=now(),
            process=os.getpid(),
            source=source,
            model=model,
            recipe=recipe,
            threshold=threshold,
            tiles=str(tiles.resolve()) if tiles is not None else None,
        )
        try:
            with Session(engine) as session:
                session.add(roll)
                session.commit()
                self.roll_id: int = roll.id
        except SQLAlchemyError as error:
            raise RecordsError(f"The roll cannot be begun in the database: {explain(error)}") from error

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
        if outcome.is_worth_recording:
            self._waiting.append(outcome.records())
        self._figures |= figures
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
        self._figures |= {"state": state, "ended_at": now()}
        deadline = time.monotonic() + _LAST_TRIES_S
        while not self._commit():
            if time.monotonic() > deadline:
                lost = f"{self.waiting} records of roll {self.roll_id} are not in the database ({self.problem})"
                raise RecordsError(f"{lost}; {self._save_elsewhere(state)}")
            time.sleep(_RETRY_S / 4)

    def _save_elsewhere(self, state: str) -> str:
        """What waits goes into a file of its own; returns where it is, as half a sentence."""
        if self._rescue is None:
            return "they are lost."
        path = self._rescue / f"roll-{self.roll_id}-unrecorded.json"
        outcomes = self._waiting
        content = {
            "roll": self.roll_id,
            "state": state,
            "defects": [plain_defect(d) for o in outcomes for d in o.defects],
            "withdrawn": [w for o in outcomes for w in o.withdrawn],
            "gaps": [asdict(g) for o in outcomes for g in o.gaps],
            "remarks": [asdict(r) for o in outcomes for r in o.remarks],
        }
        try:
            write_atomically(path, (json.dumps(content, indent=1) + "\n").encode(), durable=True)
        except OSError as error:
            return f"{path} cannot be written either ({error.strerror or error}), so they are lost."
        return f"they are in {path}."

    def _commit(self) -> bool:
        try:
            with Session(self._engine) as session:
                for outcome in self._waiting:
                    self._add(session, outcome)
                if self._figures:
                    session.execute(update(RollRow).where(RollRow.id == self.roll_id).values(**self._figures))
                session.commit()
        except SQLAlchemyError as error:
            self._not_before_s = time.monotonic() + _RETRY_S
            self.problem = f"not recorded: {explain(error)}"
            return False
        self._waiting.clear()
        self._figures.clear()
        self.problem = None
        return True

    def _add(self, session: Session, outcome: Outcome) -> None:
        numbers = [d.number for d in outcome.defects]
        mine = select(DefectRow).where(DefectRow.roll_id == self.roll_id, DefectRow.number.in_(numbers))
        known = {row.number: row for row in session.scalars(mine)}
        for defect in outcome.defects:
            row = known.get(defect.number)
            if row is None:
                row = DefectRow(roll_id=self.roll_id, number=defect.number, found_at=now())
                known[defect.number] = row
                session.add(row)
            for name, value in defect_columns(defect).items():
                setattr(row, name, value)
        if outcome.withdrawn:
            gone = DefectRow.roll_id == self.roll_id, DefectRow.number.in_(outcome.withdrawn)
            session.execute(delete(DefectRow).where(*gone))
        session.add_all(_gap_row(self.roll_id, gap) for gap in outcome.gaps)
        session.add_all(RemarkRow(roll_id=self.roll_id, at=now(), **asdict(r)) for r in outcome.remarks)
        session.flush()


def defect_columns(defect: Defect) -> dict[str, object]:
    """The columns of a defect, without its place in the table."""
    plain = plain_defect(defect)
    del plain["number"]
    return plain | {"thumbnail": encode_png(defect.thumbnail)}


def plain_defect(defect: Defect) -> dict[str, object]:
    """A defect in values that JSON can hold, without its picture."""
    plain = {name: getattr(defect, name) for name in defect.__slots__ if name not in ("boxes", "thumbnail")}
    return plain | {"boxes": [asdict(box) for box in defect.boxes]}


def encode_png(image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """(H, W) grey or (H, W, 3) RGB as a PNG file."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)
    if not ok:
        raise ValueError(f"an image of {image.shape} cannot be encoded")
    return data.tobytes()


def mark_interrupted(engine: Engine) -> list[int]:
    """Marks the rolls that a program left running when it ended without closing them, and returns their numbers;
    called at start-up.

    Raises:
        RecordsError: the database cannot be read or written.
    """
    try:
        with Session(engine) as session:
            rows = [r for r in session.scalars(select(RollRow).where(RollRow.state == "running")) if not _is_running(r)]
            for row in rows:
                row.state = "interrupted"
            session.commit()
            return [r.id for r in rows]
    except SQLAlchemyError as error:
        raise RecordsError(f"The records cannot be read: {explain(error)}") from error


def _is_running(roll: RollRow) -> bool:
    """Whether the process that began a roll is still there, and is not another one with its number."""
    if roll.process == os.getpid():  # called before this program begins a roll
        return False
    started_s = roll.started_at.replace(tzinfo=roll.started_at.tzinfo or timezone.utc).timestamp()
    try:
        process = psutil.Process(roll.process)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() < started_s + 1)
    except psutil.Error:
        return False


def _gap_row(roll_id: int, gap: Gap) -> GapRow:
    return GapRow(roll_id=roll_id, **asdict(gap))
