"""Alarms in the records: one row for each, written anew as it moves on in its life."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.alarms.alarm import Alarm
from aoi_app.records.database import explain_database_error
from aoi_app.records.tables import ALARMS, row_values

logger = logging.getLogger(__name__)

_RETRY_S = 1.0


class AlarmLog:
    """May be used from any thread: the line raises alarms, a person acknowledges them when no roll runs any more.

    What the database does not take is kept and tried again, at most once a second.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: dict[tuple[int, int], Alarm] = {}
        self._not_before_s = 0.0
        self.problem: str | None = None
        """Why alarms wait in memory; None while none do."""

    def write(self, alarms: Iterable[Alarm]) -> None:
        """Records alarms as they are now; also those that wait."""
        with self._lock:
            self._waiting |= {(alarm.roll_id, alarm.number): alarm for alarm in alarms}
            if not self._waiting or time.monotonic() < self._not_before_s:
                return
            try:
                self._commit()
            except SQLAlchemyError as error:
                self._not_before_s = time.monotonic() + _RETRY_S
                problem = (
                    f"Alarms are not recorded ({len(self._waiting)} wait in memory): {explain_database_error(error)}"
                )
                if problem != self.problem:
                    logger.error("%s", problem)
                self.problem = problem
                return
            self._waiting.clear()
            self.problem = None

    def _commit(self) -> None:
        with Session(self._engine) as session:
            for (roll_id, number), alarm in self._waiting.items():
                session.execute(delete(ALARMS).where(ALARMS.c.roll_id == roll_id, ALARMS.c.number == number))
                session.execute(insert(ALARMS).values(**row_values(alarm)))
            session.commit()
