"""How collecting goes, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectionState:
    """How collecting goes.

    Attributes:
        fabric: what is being collected.
        collected: samples on disk.
        defective: tiles left out because the running model flags something in them.
        duplicates: tiles left out because they look like others.
        without_cloth: tiles left out because nothing of them is inspected.
        missed: tiles left out because this thread was late.
        cloth_is_strange: the running model flags most of this cloth, so what it flags is collected as well and has to
            be looked at.
        is_over: enough, or stopped, or failed.
        problem: why it ended before its time; empty otherwise.
    """

    fabric: str
    collected: int = 0
    defective: int = 0
    duplicates: int = 0
    without_cloth: int = 0
    missed: int = 0
    cloth_is_strange: bool = False
    is_over: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CollectStatus:
    """Collecting as it is shown.

    Attributes:
        text: for a person; empty before the first.
        is_running: tiles are being collected.
        is_alarm: it did not go as wanted.
        collected: samples of this time.
    """

    text: str = ""
    is_running: bool = False
    is_alarm: bool = False
    collected: int = 0


def described(view: CollectionState) -> str:
    """How collecting goes, in a sentence."""
    left_out = [
        f"{n} {why}"
        for n, why in (
            (view.defective, "flagged by the model"),
            (view.duplicates, "seen before"),
            (view.missed, "missed because this machine was busy"),
        )
        if n
    ]
    text = f"Collecting {view.fabric}: {view.collected} samples" + (
        f"; left out: {', '.join(left_out)}." if left_out else "."
    )
    if view.cloth_is_strange:
        text += " The model does not know this cloth, so nothing is left out for being flagged: look at the samples."
    return text
