"""A roll that a program has left without ending it, as at a power cut, and what it takes to go on with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.account import Balance
from aoi_app.inspection.findings.defects import Gap
from aoi_app.inspection.findings.record_schema import record_fields
from aoi_app.inspection.roll_start import RollStart
from aoi_app.records.database import explain_database_error, read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import DAMAGED
from aoi_app.records.tables import ALARMS, DEFECTS, GAPS, VERDICTS, RollRow, utc_now
from aoi_app.records.work_orders import order_of
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.work_order import WorkOrder

logger = logging.getLogger(__name__)

_NOT_TOLD = "the program ended before this was inspected"
_NOT_RUNNING = "the program was not running; nobody knows how much cloth went by until it was started again"


@dataclass(frozen=True, slots=True)
class LeftRoll:
    """What a roll had come to, and what follows from its being cut off.

    Attributes:
        roll_id, name: of the roll.
        order: its work order.
        source: name of the source that it was inspected from.
        model: identity of the model that scored it.
        recipe: that it was inspected with.
        start: where it goes on.
        gaps: cloth that was taken in and not inspected when the program ended; not in the records yet.
        kept_gaps: those that are.
        last_alarm: number of its latest alarm.
        defects: numbers of its defects.
        fabric, width_mm: of the cloth that was seen last; None and 0 where none was.
        inspected_m, reserve_m: of it, metres; only of what still counts as inspected.
        tiles: folder of its tiles; None where none are kept.
    """

    roll_id: int
    name: str
    order: WorkOrder
    source: str
    model: str
    recipe: Recipe
    start: RollStart
    gaps: tuple[Gap, ...]
    kept_gaps: tuple[Gap, ...]
    last_alarm: int
    defects: frozenset[int]
    fabric: str | None
    width_mm: float
    inspected_m: float
    reserve_m: float
    tiles: Path | None

    @property
    def position_m(self) -> float:
        """Where the roll stands."""
        return self.start.line * self.recipe.line_mm / 1000.0

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.order.roll_number or f"No. {self.roll_id}"

    @property
    def all_gaps(self) -> tuple[Gap, ...]:
        """Those of before, and what was lost by the end of the program."""
        return (*self.kept_gaps, *self.gaps)

    def without_source(self) -> LeftRoll:
        """The roll where its source has run on, or nobody knows: a gap more, of a length that nobody knows."""
        line = self.start.line
        return replace(self, gaps=(*self.gaps, Gap(line, 0, self.position_m, 0.0, _NOT_RUNNING)))

    def columns(self) -> dict[str, object]:
        """Of the roll in the records, when it goes on."""
        return {
            "length_m": self.position_m,
            "inspected_m": self.inspected_m,
            "reserve_m": self.reserve_m,
            "gap_m": sum(gap.length_m for gap in self.all_gaps),
            "account": asdict(self.start.balance),
            "told_line": self.start.line,
            "last_number": self.start.last_number,
        }


def latest_left_roll(engine: Engine, source: str) -> LeftRoll | None:
    """The latest roll, where it was left without being ended and comes from this source. None of an earlier one: its
    cloth is gone, another roll has begun since.

    Raises:
        RecordsError: the records cannot be read.
    """
    latest = select(RollRow.id, RollRow.state, RollRow.ended_at, RollRow.source).order_by(RollRow.id.desc()).limit(1)
    try:
        with read_session(engine) as session:
            row = session.execute(latest).first()
    except ValueError:  # a time that is none; whatever the roll is, it is not gone on with
        return None
    if row is None or row.state != "interrupted" or row.ended_at is not None or row.source != source:
        return None
    try:
        return read_left_roll(engine, row.id)
    except RecordsError as error:
        logger.warning("%s", error)
        return None


def read_left_roll(engine: Engine, roll_id: int) -> LeftRoll:
    """What a roll that was left has come to.

    Raises:
        RecordsError: there is no such roll, it was ended, it is damaged, or it was written by a program that did not
            keep where it stood.
    """
    try:
        with read_session(engine) as session:
            row = session.get(RollRow, roll_id)
            if row is None:
                raise RecordsError("left-roll-unknown", "There is no roll {roll_id} that could go on.", roll_id=roll_id)
            if row.state != "interrupted" or row.ended_at is not None:
                raise RecordsError(
                    "roll-not-left",
                    "Roll {roll_id} cannot go on: it is {state}. Only a roll that was left by a crash or a power cut, "
                    "and that nobody has ended since, can go on.",
                    roll_id=roll_id,
                    state="ended" if row.ended_at is not None else row.state,
                )
            if row.told_line is None or row.last_number is None or row.account is None:
                raise RecordsError(
                    "left-roll-too-old",
                    "Roll {roll_id} cannot go on: an earlier version of the program wrote it, or it had not begun yet.",
                    roll_id=roll_id,
                )
            return _left(session, row)
    except DAMAGED as error:
        raise RecordsError(
            "left-roll-damaged",
            "Roll {roll_id} cannot go on: its records are damaged ({reason}).",
            roll_id=roll_id,
            reason=error,
        ) from error


def end_left_roll(engine: Engine, roll_id: int) -> None:
    """A person ends a roll that was left: nobody is asked about it again. Raises RecordsError."""
    mine = RollRow.id == roll_id, RollRow.state == "interrupted"
    try:
        with Session(engine) as session:
            session.execute(update(RollRow).where(*mine).values(ended_at=utc_now()))
            session.execute(update(DEFECTS).where(DEFECTS.c.roll_id == roll_id).values(is_open=False))
            session.commit()
    except SQLAlchemyError as error:
        raise RecordsError(
            "left-roll-not-ended",
            "Roll {roll_id} is not ended in the records: {reason}",
            roll_id=roll_id,
            reason=explain_database_error(error),
        ) from error


def _left(session: Session, row: RollRow) -> LeftRoll:
    recipe = Recipe.model_validate_json(json.dumps(row.recipe))  # as JSON: it keeps lists where a recipe has tuples
    m_per_line = recipe.line_mm / 1000.0
    balance = Balance(**(row.account or {}))
    told, line = int(row.told_line or 0), balance.lines
    names = [field.name for field in record_fields(Gap)]
    rows = session.execute(select(*(GAPS.c[name] for name in names)).where(GAPS.c.roll_id == row.id))
    kept = tuple(Gap(**dict(zip(names, values, strict=True))) for values in rows)
    missing = tuple(
        Gap(first, end - first, first * m_per_line, (end - first) * m_per_line, _NOT_TOLD)
        for first, end in _uncovered(told, line, kept)
    )
    gap_lines = sum(gap.lines for gap in (*kept, *missing))
    inspected = line - gap_lines
    numbers = frozenset(session.scalars(select(DEFECTS.c.number).where(DEFECTS.c.roll_id == row.id)))
    said = session.scalar(select(func.max(VERDICTS.c.number)).where(VERDICTS.c.roll_id == row.id)) or 0
    alarm = session.scalar(select(func.max(ALARMS.c.number)).where(ALARMS.c.roll_id == row.id)) or 0
    inspected_m = inspected * m_per_line
    return LeftRoll(
        roll_id=row.id,
        name=row.name,
        order=order_of(_order_columns(row)),
        source=row.source,
        model=row.model,
        recipe=recipe,
        start=RollStart(
            line,
            max([int(row.last_number or 0), said, *numbers]),
            replace(balance, inspected_lines=inspected, gap_lines=gap_lines),
        ),
        gaps=missing,
        kept_gaps=kept,
        last_alarm=alarm,
        defects=numbers,
        fabric=row.fabric,
        width_mm=float(row.width_mm or 0.0),
        inspected_m=inspected_m,
        reserve_m=min(float(row.reserve_m or 0.0), inspected_m),
        tiles=Path(row.tiles) if row.tiles is not None else None,
    )


def _order_columns(row: RollRow) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in WorkOrder.model_fields}


def _uncovered(first: int, end: int, gaps: Iterable[Gap]) -> Sequence[tuple[int, int]]:
    """Lines from ``first`` to ``end`` that lie in no gap -> [(first, end), ...]."""
    left = []
    for gap in sorted(gaps, key=lambda gap: gap.first_line):
        if gap.first_line > first:
            left.append((first, min(gap.first_line, end)))
        first = max(first, gap.first_line + gap.lines)
    left.append((first, end))
    return [(a, b) for a, b in left if a < b]
