"""One word for the line: whether the cloth that runs is inspected. It fails safe: green has to be proven."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from aoi_app.alarms.causes import Cause, causes_of
from aoi_app.alarms.facts import Facts
from aoi_app.alarms.severity import Severity

_ENDING_TEXT = "What has come is still inspected. Stop (F8) once more to end at once."


class Condition(enum.Enum):
    """What somebody sees from five metres away."""

    INSPECTING = "inspecting"
    RESERVE = "inspecting with reserve"
    NOT_INSPECTING = "not inspecting"
    PAUSED = "paused"
    ENDING = "ending the roll"
    NO_ROLL = "no roll"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """
    Attributes:
        condition: the one word.
        causes: why it is not better, the worst first.
    """

    condition: Condition = Condition.NO_ROLL
    causes: tuple[Cause, ...] = ()

    @property
    def text(self) -> str:
        """Why the condition is what it is, with the way out; empty where there is nothing to add."""
        if self.causes:
            return self.causes[0].text
        return _ENDING_TEXT if self.condition is Condition.ENDING else ""

    @property
    def spoils_cloth(self) -> bool:
        """Whether cloth that is inspected now counts as inspected with reserve."""
        return any(cause.spoils_cloth for cause in self.causes)


NO_ROLL = LineStatus()
"""Nothing runs, and nothing is wrong."""


def status_of(facts: Facts) -> LineStatus:
    """What follows from the facts. Green is what is left when nothing speaks against it *and* the proof is there: cloth
    of this roll has been inspected, and the last of it just now. What nobody has thought of is therefore not green.
    """
    causes = tuple(sorted(causes_of(facts), key=lambda cause: cause.severity.value))
    return LineStatus(_condition(facts, causes), causes)


def _condition(facts: Facts, causes: tuple[Cause, ...]) -> Condition:
    is_blind = any(cause.severity is Severity.NOT_INSPECTING for cause in causes)
    rules = (  # the first that holds
        (bool(facts.failure), Condition.NOT_INSPECTING),
        (not facts.is_running, Condition.NO_ROLL),
        (facts.is_paused, Condition.PAUSED),
        (is_blind, Condition.NOT_INSPECTING),
        (facts.is_ending, Condition.ENDING),
        (bool(causes) or not facts.is_proven, Condition.RESERVE),
    )
    return next((condition for holds, condition in rules if holds), Condition.INSPECTING)
