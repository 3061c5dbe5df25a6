"""One alarm, from when it is raised until it is gone and somebody has seen it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class AlarmLife(enum.Enum):
    """Where an alarm is in its life; the states and words of ISA-18.2 and IEC 62682."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    GONE_UNSEEN = "gone unseen"
    SHELVED = "shelved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Its fields are the columns of the records.

    Attributes:
        roll_id, number: of the roll in the records, and of the alarm within it, from 1.
        cause: ``Cause.key``.
        severity: ``not inspecting`` or ``reserve``.
        text: what was wrong, as it was told last.
        position_m: where the roll was when it was raised.
        raised_at: when.
        times: how often the cause came back before anybody had seen it.
        acknowledged_at, acknowledged_by: when and who; None and empty while nobody has.
        gone_at: when the cause went; None while it is there.
        shelved_until, shelved_by, shelved_why: a person does not want to hear of it until then.
    """

    roll_id: int
    number: int
    cause: str
    severity: str
    text: str
    position_m: float
    raised_at: datetime
    times: int = 1
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    gone_at: datetime | None = None
    shelved_until: datetime | None = None
    shelved_by: str = ""
    shelved_why: str = ""

    @property
    def life(self) -> AlarmLife:
        """To acknowledge does not end an alarm: it stays while its cause does. What nobody has seen stays, too."""
        if self.gone_at is not None and self.acknowledged_at is not None:
            return AlarmLife.CLOSED
        if self.shelved_until is not None:
            return AlarmLife.SHELVED
        if self.acknowledged_at is not None:
            return AlarmLife.ACKNOWLEDGED
        return AlarmLife.RAISED if self.gone_at is None else AlarmLife.GONE_UNSEEN

    @property
    def must_be_seen(self) -> bool:
        """It blinks and sounds."""
        return self.life in (AlarmLife.RAISED, AlarmLife.GONE_UNSEEN)
