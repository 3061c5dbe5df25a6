"""Where the inspection of a roll begins: at its first line, or where an earlier program has left it."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.inspection.account import Balance

_NOTHING = Balance(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class RollStart:
    """
    Attributes:
        line: of the roll that comes first; everything before is inspected or recorded as a gap.
        last_number: of the defects so far; no later one gets it again.
        balance: what has become of the lines before.
    """

    line: int = 0
    last_number: int = 0
    balance: Balance = _NOTHING


FIRST_LINE = RollStart()
"""A new roll."""
