"""What people call a model: what it knows and when it was made. The hash that programs call it by is shown on hover."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cras_core.registry.entries import Entry

_MOST_FABRICS = 2
_MINUTES, _SECONDS = "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"
_SHORT_HASH = 4


def time_text(made_s: float, form: str = _MINUTES) -> str:
    """A time in seconds since 1970, as people of this place read it; empty where nobody knows it."""
    return time.strftime(form, time.localtime(made_s)) if made_s else ""


def model_name(fabrics: Sequence[str], made: str) -> str:
    """A name that can be said, such as ``plain, twill and 3 more of 2026-11-28 17:40``."""
    more = len(fabrics) - _MOST_FABRICS
    known = ", ".join(fabrics[:_MOST_FABRICS]) + (f" and {more} more" if more > 0 else "")
    return f"{known} of {made}" if made else known


def _precise(entry: Entry) -> str:
    return model_name(entry.fabrics, time_text(entry.made_s, _SECONDS))


def _with_hash(entry: Entry) -> str:
    return f"{_precise(entry)} ({entry.identity[:_SHORT_HASH]})"


def names_of(entries: Sequence[Entry]) -> dict[str, str]:
    """The name of every sound model of a history, by its identity; no two have the same.

    Two of one minute are told apart by the second, and two of one second by the beginning of their hash.
    """
    sound = [e for e in entries if not e.problem]
    names = {e.identity: model_name(e.fabrics, time_text(e.made_s)) for e in sound}
    for form in (_precise, _with_hash):
        given = list(names.values())
        names |= {e.identity: form(e) for e in sound if given.count(names[e.identity]) > 1}
    return names


def name_of_file(bundle: Path, identity: str, fabrics: Sequence[str], made_at: str) -> str:
    """The name of the line's model: that of its file where a person has given one, else as in the history.

    Args:
        bundle: its file.
        identity: of the model; the history names its files by it.
        fabrics: that it knows.
        made_at: when it was made (ISO 8601); empty where it does not tell.
    """
    return bundle.name if bundle.stem != identity else model_name(fabrics, made_at[:16].replace("T", " "))
