"""The defects of a recorded roll as they were when they were found, with their pictures and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from sqlalchemy import ColumnElement, Engine, select, true

from aoi_app.inspection.findings.defects import PICTURE_NOT_READ, Box, Defect
from aoi_app.inspection.findings.record_schema import record_fields
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.records.database import read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.reviews import read_reviews
from aoi_app.records.tables import DEFECTS
from cras_core.arrays import Image

_DEFECT, _REVIEW = record_fields(Defect), record_fields(Review)
DEFECT_COLUMNS = tuple(DEFECTS.c[field.name] for field in (*_DEFECT, *_REVIEW))
"""Of a defect and what was said of it."""

_NO_PICTURE = np.zeros((8, 8), np.uint8)


_MOST_NAMED = 500  # numbers in one question


def follow_defects(engine: Engine, roll_id: int, known: Iterable[Defect]) -> list[tuple[Defect, Review]]:
    """All defects of a roll as ``read_defects``, but with ``PICTURE_NOT_READ`` in the place of pictures; only those are
    read that are not known, or were open.

    Args:
        engine: the records.
        roll_id: of the roll.
        known: of the same roll, as they were read before.

    Raises:
        RecordsError: they cannot be read.
    """
    closed = {defect.number: defect for defect in known if not defect.is_open}
    mine = DEFECTS.c.roll_id == roll_id
    with read_session(engine) as session:
        numbers = set(session.scalars(select(DEFECTS.c.number).where(mine)))
    missing = numbers - closed.keys()
    chosen = DEFECTS.c.number.in_(missing) if len(missing) <= _MOST_NAMED else true()
    read = {defect.number: defect for defect, _ in _read(engine, roll_id, chosen, with_pictures=False)}
    reviews = read_reviews(engine, roll_id)
    found = {number: defect for number, defect in (closed | read).items() if number in numbers}
    return [(found[number], reviews.get(number, NO_REVIEW)) for number in sorted(found)]


def read_defects(engine: Engine, roll_id: int) -> list[tuple[Defect, Review]]:
    """All defects of a roll in the order of their numbers. A picture that cannot be read is black.

    Raises:
        RecordsError: they cannot be read.
    """
    return _read(engine, roll_id, true(), with_pictures=True)


def read_picture(engine: Engine, roll_id: int, number: int) -> Image:
    """The picture of one defect, (h, w) or (h, w, 3) uint8; black where there is none. Raises RecordsError."""
    mine = DEFECTS.c.roll_id == roll_id, DEFECTS.c.number == number
    with read_session(engine) as session:
        return _picture(session.scalar(select(DEFECTS.c.thumbnail).where(*mine)))


def _read(
    engine: Engine, roll_id: int, chosen: ColumnElement[bool], *, with_pictures: bool
) -> list[tuple[Defect, Review]]:
    columns = DEFECT_COLUMNS if with_pictures else [c for c in DEFECT_COLUMNS if c is not DEFECTS.c.thumbnail]
    query = select(*columns).where(DEFECTS.c.roll_id == roll_id, chosen).order_by(DEFECTS.c.number)
    try:
        with read_session(engine) as session:
            return [defect_of_row(row) for row in session.execute(query).mappings()]
    except (ValueError, TypeError, KeyError) as error:
        raise RecordsError(
            "roll-damaged",
            "The records of roll {roll_id} are damaged ({reason}). Restore a copy of them.",
            roll_id=roll_id,
            reason=error,
        ) from error


def defect_of_row(row: Mapping[Any, Any]) -> tuple[Defect, Review]:
    """Out of a row with ``DEFECT_COLUMNS``, or all of them but the picture.

    Raises:
        ValueError, TypeError, KeyError: it is damaged.
    """
    values = {field.name: row[field.name] for field in _DEFECT if not field.is_picture}
    values["boxes"] = tuple(Box(**box) for box in values["boxes"])
    values["thumbnail"] = _picture(row["thumbnail"]) if "thumbnail" in row else PICTURE_NOT_READ
    return Defect(**values), Review(**{field.name: row[field.name] for field in _REVIEW})


def _picture(data: object) -> Image:
    """(h, w) or (h, w, 3) uint8 out of a PNG file."""
    if not isinstance(data, bytes) or not data:
        return _NO_PICTURE
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8 or image.ndim not in (2, 3):
        return _NO_PICTURE
    return np.asarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
