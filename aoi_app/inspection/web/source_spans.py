"""Which lines of the roll came from which source image, as long as that is needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """Lines of the roll that came from one source image."""

    source: str
    first_line: int
    end_line: int
    width_px: int


class SourceSpans:
    """The source images of the last lines, oldest first."""

    def __init__(self) -> None:
        self._spans: deque[SourceSpan] = deque()
        self.complete_line = 0
        """Line of the roll up to which source images were given out as complete."""

    def __iter__(self) -> Iterator[SourceSpan]:
        return iter(self._spans)

    def add(self, span: SourceSpan) -> None:
        """Appends the next image."""
        self._spans.append(span)

    def complete(self, end_line: int) -> tuple[SourceSpan, ...]:
        """Images that are complete now that the roll is inspected up to a line, each once."""
        # Maps are written of complete pictures only, once all of their lines have a score.
        complete = tuple(s for s in self._spans if self.complete_line < s.end_line <= end_line)
        self.complete_line = end_line
        return complete

    def forget_before(self, line: int) -> None:
        """Forgets images that lie before a line as a whole: no defect that is still open touches them."""
        while self._spans and self._spans[0].end_line <= line:
            self._spans.popleft()
