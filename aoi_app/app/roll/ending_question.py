"""Whether a person is asked before a roll is ended or its table leaves the screen, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from aoi_app.ui.main.question_bar import Answer, Question

STAY, DO = "stay", "do"
"""Keys of the answers."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants that may end the running roll.

    Attributes:
        question: what is wanted, as a question.
        action: on the button that does it.
        takes_table: the defects on the screen leave it.
        ends_program: what else goes on in the program ends as well.
        needs_roll: without a running roll there is nothing to do.
    """

    question: str
    action: str
    takes_table: bool = True
    ends_program: bool = False
    needs_roll: bool = False


@dataclass(frozen=True, slots=True)
class AtStake:
    """What would be ended or leave the screen now.

    Attributes:
        is_running: a roll runs or is paused.
        unreviewed: defects on the screen that nobody has said anything of.
        work: what else goes on and would end with the program, a sentence each.
    """

    is_running: bool
    unreviewed: int = 0
    work: tuple[str, ...] = ()


def ending_question(wish: Wish, stake: AtStake, asked_of: AtStake | None = None) -> Question | None:
    """What is to be asked before a wish is done; None where nothing is at stake.

    Args:
        wish: what a person wants.
        stake: what it would cost.
        asked_of: what was at stake when the question was put; None before that. An open question stays open until
            somebody answers it, although what it was about may have ended by itself: nothing happens by itself because
            a roll is over.
    """
    costs = []
    if stake.is_running and not wish.needs_roll:
        costs.append("The running roll is ended.")
    elif not stake.is_running and asked_of is not None and asked_of.is_running:
        costs.append("The roll has ended by itself meanwhile.")
    if wish.takes_table and stake.unreviewed:
        costs.append(_unreviewed(stake.unreviewed))
    if wish.ends_program:
        costs.extend(stake.work)
    if not costs and not stake.is_running and asked_of is None:
        return None
    if wish.needs_roll and not stake.is_running:
        return None
    stay = "Go on with the roll" if stake.is_running else "Stay"
    return Question(" ".join([wish.question, *costs]), (Answer(STAY, stay), Answer(DO, wish.action)), STAY)


def source_words(spec: str) -> str:
    """How a person calls a source, from what the command line calls it; one that is not known is shown as it is."""
    kind, _, rest = spec.partition(":")
    last = PurePath(rest).name or rest
    match kind:
        case "loom":
            return "the built-in loom"
        case "folder":
            return f"the folder {last}"
        case "replay":
            return f"the recording {last}"
        case "genicam" | "synthetic":
            return f"the camera {rest}".rstrip()
        case _:
            return spec


def _unreviewed(count: int) -> str:
    if count == 1:
        return "1 defect has no verdict yet; it leaves the screen and stays in the records."
    return f"{count} defects have no verdict yet; they leave the screen and stay in the records."
