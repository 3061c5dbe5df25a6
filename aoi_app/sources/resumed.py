"""A source whose beginning was inspected before: what was read then is passed over."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType

from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import FrameSource, SourceStatus, TellsStatus


def waits_for_reader(source: FrameSource) -> bool:
    """Whether a source holds the same lines again when it is read again: pictures in a folder, a recording. The cloth
    before a camera has run on.
    """
    return not source.is_live and source.total_lines is not None


class ResumedSource:
    """Gives out a source from a line on."""

    def __init__(self, source: FrameSource, first_line: int) -> None:
        """
        Args:
            source: opened and closed by this one.
            first_line: that is given out, counted from 0.
        """
        self._source = source
        self._first_line = first_line
        self._to_pass = first_line

    @property
    def name(self) -> str:
        """For the window and the records."""
        return self._source.name

    @property
    def is_live(self) -> bool:
        """As of the source."""
        return self._source.is_live

    @property
    def total_lines(self) -> int | None:
        """Those that are passed over included."""
        return self._source.total_lines

    @property
    def status(self) -> SourceStatus | None:
        """Of the camera behind it; None where there is none."""
        return self._source.status if isinstance(self._source, TellsStatus) else None

    def __enter__(self) -> ResumedSource:
        """Opens the source. Raises SourceError."""
        self._source.__enter__()
        self._to_pass = self._first_line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives everything back."""
        self._source.__exit__(kind, error, trace)

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next piece of web; None also where it was passed over. Raises EndOfWeb or SourceError."""
        item = self._source.read(timeout_s)
        if item is None or self._to_pass == 0:
            return item
        passed = min(self._to_pass, item.lines)
        self._to_pass -= passed
        if passed == item.lines:
            return None
        if isinstance(item, Lost):
            return replace(item, lines=item.lines - passed)
        return replace(item, image=item.image[passed:])
