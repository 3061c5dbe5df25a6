"""How far a long piece of work has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the share that is done, 0..1. What it raises ends the work: that is how somebody stops it."""


def ignore_progress(_done: float) -> None:
    """For whoever does not watch."""
