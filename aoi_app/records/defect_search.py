"""Defects of all rolls, found by what they are and what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, or_, select, tuple_

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.inspection.findings.wanted import NO_TYPE, DefectFilter
from aoi_app.records.database import read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.recorded_defects import DEFECT_COLUMNS, defect_of_row
from aoi_app.records.tables import DEFECTS, VERDICTS, RollRow

_PAGE = 200
_LONGEST_ID = 10  # digits; what is longer is no number of the records


@dataclass(frozen=True, slots=True, eq=False)
class FoundDefect:
    """
    Attributes:
        row_id: of its row: the page after this one begins behind it.
        roll_id: of its roll.
        roll_number: what the mill calls that; empty where it has no name.
        defect: as it was found, with its picture.
        review: what holds.
    """

    row_id: int
    roll_id: int
    roll_number: str
    defect: Defect
    review: Review

    @property
    def key(self) -> tuple[int, int]:
        """Number of the roll and of the defect."""
        return self.roll_id, self.defect.number


def find_defects(
    engine: Engine, wanted: DefectFilter, *, before: int | None = None, most: int = _PAGE
) -> list[FoundDefect]:
    """A page of defects, the latest found first.

    Args:
        engine: the records.
        wanted: what they are.
        before: ``row_id`` of the last one of the page before; None for the first page.
        most: so many at most.

    Raises:
        RecordsError: they cannot be read.
    """
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(DEFECTS.c.id < before)
    query = (
        select(DEFECTS.c.id.label("row_id"), DEFECTS.c.roll_id, RollRow.roll_number, *DEFECT_COLUMNS)
        .join(RollRow, RollRow.id == DEFECTS.c.roll_id)
        .where(*conditions)
        .order_by(DEFECTS.c.id.desc())
        .limit(most)
    )
    try:
        with read_session(engine) as session:
            return [_found(dict(row)) for row in session.execute(query).mappings()]
    except (ValueError, TypeError, KeyError) as error:
        raise RecordsError(
            "defects-damaged", "The records of defects are damaged ({reason}). Restore a copy of them.", reason=error
        ) from error


def read_opinions(engine: Engine, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Review]]:
    """The latest verdict of each reviewer on defects, also where another reviewer's holds; without those taken back.

    Args:
        engine: the records.
        keys: numbers of roll and defect, a few hundred at most.

    Raises:
        RecordsError: they cannot be read.
    """
    names = ("verdict", "type_code", "type_name", "reviewer", "at")
    said = (
        select(VERDICTS.c.roll_id, VERDICTS.c.number, *(VERDICTS.c[name] for name in names))
        .where(tuple_(VERDICTS.c.roll_id, VERDICTS.c.number).in_(keys))
        .order_by(VERDICTS.c.id)
    )
    opinions: dict[tuple[int, int], dict[str, Review]] = {}
    with read_session(engine) as session:
        for roll_id, number, *values in session.execute(said):
            review = Review(*values)
            of_defect = opinions.setdefault((roll_id, number), {})
            if review.verdict is None:
                of_defect.pop(review.reviewer or "", None)
            else:
                of_defect[review.reviewer or ""] = review
    return opinions


def _conditions(wanted: DefectFilter) -> list[ColumnElement[bool]]:
    column = DEFECTS.c
    found = _conditions_of_review(wanted)
    if wanted.roll:
        by_number = RollRow.roll_number == wanted.roll
        is_id = wanted.roll.isdecimal() and len(wanted.roll) < _LONGEST_ID
        found.append(or_(by_number, RollRow.id == int(wanted.roll)) if is_id else by_number)
    if wanted.fabric:
        found.append(column.fabric == wanted.fabric)
    if wanted.least_mm > 0:
        found.append(or_(column.length_mm >= wanted.least_mm, column.width_mm >= wanted.least_mm))
    if wanted.most_mm is not None:
        found += [column.length_mm <= wanted.most_mm, column.width_mm <= wanted.most_mm]
    if wanted.least_score > 0:
        found.append(column.peak >= wanted.least_score)
    return found


def _conditions_of_review(wanted: DefectFilter) -> list[ColumnElement[bool]]:
    column = DEFECTS.c
    found: list[ColumnElement[bool]] = []
    if wanted.type_code == NO_TYPE:
        found.append(column.type_code.is_(None))
    elif wanted.type_code:
        found.append(column.type_code == wanted.type_code)
    if wanted.reviewer:
        found.append(column.reviewer == wanted.reviewer)
    if wanted.verdict == "none":
        found.append(column.verdict.is_(None))
    elif wanted.verdict == "disputed":
        found.append(tuple_(column.roll_id, column.number).in_(_disputed()))
    elif wanted.verdict != "any":
        found.append(column.verdict == wanted.verdict)
    return found


def _disputed() -> Any:
    """Defects on which the latest verdicts of two reviewers differ."""
    latest = select(func.max(VERDICTS.c.id)).group_by(VERDICTS.c.roll_id, VERDICTS.c.number, VERDICTS.c.reviewer)
    return (
        select(VERDICTS.c.roll_id, VERDICTS.c.number)
        .where(VERDICTS.c.id.in_(latest), VERDICTS.c.verdict.is_not(None))
        .group_by(VERDICTS.c.roll_id, VERDICTS.c.number)
        .having(func.count(VERDICTS.c.verdict.distinct()) > 1)
    )


def _found(row: dict[str, Any]) -> FoundDefect:
    defect, review = defect_of_row(row)
    return FoundDefect(row["row_id"], row["roll_id"], row["roll_number"] or "", defect, review)
