"""What the last defects ask of the operator: one word, beside that of the line's condition."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Verdict

SHOWN_M = 5.0
"""So much cloth runs by before a defect is not the news any more."""

_SURE = 1.5  # times the threshold; what is weaker a person should look at


class Attention(enum.Enum):
    """Read from five metres."""

    NONE = "–"
    """Nothing is inspected, or it is not certain: no word is better than a wrong one."""
    GOOD = "good"
    LOOK = "look here"
    """A place that reaches the threshold, but not by much."""
    DEFECT = "defect"


def latest_of(defects: Iterable[Defect], position_m: float) -> Defect | None:
    """The defect that is the news: of those that are near, or still run, the one that has begun last. A stripe that
    runs for metres does not hide a hole beside it, and is the news again when that is gone by.

    Args:
        defects: of a roll, in any order.
        position_m: where the roll is.
    """
    known = list(defects)
    near = [defect for defect in known if is_near(defect, position_m)]
    return max(near or known, key=lambda defect: (defect.position_m, defect.number), default=None)


def is_near(defect: Defect, position_m: float) -> bool:
    """Whether it still runs, or has gone by just now."""
    return defect.is_open or position_m - (defect.position_m + defect.length_mm / 1000.0) <= SHOWN_M


def attention_of(
    last: Defect | None, verdict: Verdict | None, *, position_m: float, threshold: float, is_proven: bool
) -> Attention:
    """What a roll asks for now.

    Args:
        last: the latest defect of the roll; None before the first.
        verdict: on it.
        position_m: where the roll is.
        threshold: score from which a place is a defect.
        is_proven: the cloth that runs is inspected, and nothing speaks against it; else nothing is good.
    """
    if last is not None and verdict != "rejected" and is_near(last, position_m):
        return Attention.DEFECT if last.peak >= _SURE * threshold or verdict == "confirmed" else Attention.LOOK
    return Attention.GOOD if is_proven else Attention.NONE
