"""What a list of rolls shows of each, and what a search looks into: alike in the window and in the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aoi_app.inspection.findings.roll_summary import RollSummary


@dataclass(frozen=True, slots=True)
class RollColumn:
    """One column.

    Attributes:
        heading: with its unit.
        key: what it is sorted by; a number stands to the right.
        text: what is shown.
    """

    heading: str
    key: Callable[[RollSummary], float | str]
    text: Callable[[RollSummary], str]


def _of_text(heading: str, value: Callable[[RollSummary], str]) -> RollColumn:
    return RollColumn(heading, lambda roll: value(roll).casefold(), value)


def _of_number(heading: str, value: Callable[[RollSummary], float], digits: int = 0) -> RollColumn:
    return RollColumn(heading, value, lambda roll: f"{value(roll):.{digits}f}")


COLUMNS = (
    _of_number("No.", lambda roll: roll.roll_id),
    _of_text("begun", lambda roll: f"{roll.started_at.astimezone():%Y-%m-%d %H:%M}" if roll.started_at else ""),
    _of_text("roll number", lambda roll: roll.order.roll_number),
    _of_text("article", lambda roll: roll.order.article),
    _of_number("defects", lambda roll: roll.defects - roll.rejected),
    _of_number("good, m", lambda roll: roll.inspected_m - (roll.reserve_m or 0.0), 1),
    _of_number("reserve, m", lambda roll: roll.reserve_m or 0.0, 1),
    _of_number("not inspected, m", lambda roll: roll.gap_m, 1),
    _of_text("fabric", lambda roll: roll.fabric),
    _of_text("order", lambda roll: roll.order.order_number),
    _of_text("lot", lambda roll: roll.order.lot),
    _of_text("loom", lambda roll: roll.order.loom),
    _of_text("state", lambda roll: roll.state),
    _of_text("source", lambda roll: roll.source),
)


def is_found(roll: RollSummary, text: str) -> bool:
    """Whether a column of a roll holds a text, in capitals or not; any roll holds an empty one."""
    searched = text.casefold()
    return any(searched in column.text(roll).casefold() for column in COLUMNS)
