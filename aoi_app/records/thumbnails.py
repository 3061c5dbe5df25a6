"""The pictures of recorded defects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from aoi_app.records.database import read_session
from aoi_app.records.tables import DEFECTS

_AT_ONCE = 500  # numbers in one question; databases bound them


def read_thumbnails(engine: Engine, roll_id: int, numbers: Sequence[int]) -> dict[int, bytes]:
    """The pictures of some defects as PNG files, by their number; those that have none are missing.

    Raises:
        RecordsError: the records cannot be read.
    """
    found: dict[int, bytes] = {}
    with read_session(engine) as session:
        for first in range(0, len(numbers), _AT_ONCE):
            some = DEFECTS.c.number.in_(numbers[first : first + _AT_ONCE])
            query = select(DEFECTS.c.number, DEFECTS.c.thumbnail).where(DEFECTS.c.roll_id == roll_id, some)
            # SQLite keeps any value in any column; what is no picture is missing.
            found |= {number: data for number, data in session.execute(query) if isinstance(data, bytes)}
    return found
