"""How much of a roll was inspected well, and how much with reserve."""

from __future__ import annotations

from collections import deque

_KEPT_LINES = 8192  # a doubt about the cloth is told after 1024 lines that show it (``work_order.LASTS_LINES``)


class InspectedLines:
    """
    Attributes:
        good: lines that were inspected with nothing speaking against it.
        reserve: lines that were inspected while something did.
    """

    def __init__(self) -> None:
        self.good = 0
        self.reserve = 0
        self._recent: deque[tuple[int, int]] = deque()  # (first line, lines), of good ones

    def add(self, first_line: int, lines: int, *, spoiled: bool) -> None:
        """Lines were inspected; ``spoiled`` says that something spoke against it."""
        if spoiled:
            self.reserve += lines
            return
        self.good += lines
        self._recent.append((first_line, lines))
        while first_line - self._recent[0][0] > _KEPT_LINES:
            self._recent.popleft()

    def spoil_from(self, line: int) -> None:
        """A doubt that is told only now holds since a line of the roll: what counted as good from there on does not."""
        while self._recent and self._recent[-1][0] >= line:
            _, lines = self._recent.pop()
            self.good -= lines
            self.reserve += lines
