"""Rolls that a program left running when it ended without closing them."""

from __future__ import annotations

import os
from datetime import timezone

import psutil
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from aoi_app.records.database import read_session
from aoi_app.records.process_identity import process_identity
from aoi_app.records.tables import RollRow


def mark_interrupted(engine: Engine) -> list[int]:
    """Marks the rolls whose process is gone, and returns their numbers; called at start-up.

    Raises:
        RecordsError: the database cannot be read or written.
    """
    running = select(RollRow.id, RollRow.process, RollRow.process_identity).where(RollRow.state == "running")
    with read_session(engine) as session:
        gone = [
            roll_id
            for roll_id, process, identity in session.execute(running).all()
            if not (
                process_identity(process) == identity
                if identity is not None
                else _ran_at_its_beginning(session, roll_id, process)
            )
        ]
        # A database that is only read is not written to: `aoi rolls` on a copy must work.
        if gone:
            session.execute(update(RollRow).where(RollRow.id.in_(gone)).values(state="interrupted"))
            session.commit()
        return gone


def _ran_at_its_beginning(session: Session, roll_id: int, process: int) -> bool:
    """Of a roll that a program of version 0.1 wrote, by the number of its process and the time of day: whether there is
    a process of that number that began before the roll.
    """
    if process == os.getpid():  # called before this program begins a roll
        return False
    try:
        started_at = session.execute(select(RollRow.started_at).where(RollRow.id == roll_id)).scalar_one()
        started_s = started_at.replace(tzinfo=started_at.tzinfo or timezone.utc).timestamp()
        there = psutil.Process(process)
        return bool(there.status() != psutil.STATUS_ZOMBIE and there.create_time() < started_s + 1)
    except (psutil.Error, ValueError):  # no such process, or a time that is damaged
        return False
