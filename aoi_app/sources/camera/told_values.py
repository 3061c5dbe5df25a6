"""Which values a producer can tell of its buffers, learnt while it delivers them."""

from __future__ import annotations

_TRIES = 8  # buffers


class ToldValues:
    """Says what is still worth asking for.

    A value that has not come with any of the first buffers is not asked for again in this run: each refusal is an
    exception through the binding, and there may be thousands of buffers a second. A value that has come once is asked
    for with every buffer, however often it is missing; a chunk that was damaged on its way says nothing about the next.
    """

    def __init__(self) -> None:
        self._came: set[str] = set()
        self._refused: dict[str, int] = {}

    def is_worth_asking(self, name: str) -> bool:
        """Whether the value may come with the next buffer."""
        return name in self._came or self._refused.get(name, 0) < _TRIES

    def came(self, name: str) -> None:
        """The value was told."""
        self._came.add(name)

    def was_refused(self, name: str) -> None:
        """The producer has not told the value this time."""
        self._refused[name] = self._refused.get(name, 0) + 1

    def forget(self) -> None:
        """Another run begins, perhaps with other settings."""
        self._came.clear()
        self._refused.clear()
