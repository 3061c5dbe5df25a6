"""The numbers of the defects of a roll."""

from __future__ import annotations

from cras_core.web.regions import Region


class DefectNumbers:
    """Counts defects from 1. A region that was told while it was open keeps its number until it is closed; two that
    grow together keep the lower one. Regions of different channels count from 1 each, so a channel goes with a number.
    """

    def __init__(self, last: int = 0) -> None:
        """``last``: number of the latest defect, of a roll that goes on."""
        self.last = last
        """The highest number that was given, also to a defect that has become part of another one."""
        self._open: dict[tuple[str, int], int] = {}  # channel and number of the region -> number of the defect

    def begin_segment(self) -> None:
        """Regions are counted anew; none of those before is open any more."""
        self._open.clear()

    def knows(self, region: Region, channel: str = "") -> bool:
        """Whether the region, or one that it has grown together with, was told already."""
        return any((channel, number) in self._open for number in (region.number, *region.absorbed))

    def take(self, region: Region, channel: str = "") -> tuple[int, tuple[int, ...]]:
        """The number of the defect that a region is, and those of defects that have become part of it."""
        keys = [(channel, number) for number in (region.number, *region.absorbed)]
        # Popped: whichever of them is still open is put back below under the number that stays.
        told = sorted(self._open.pop(key) for key in keys if key in self._open)
        if not told:
            self.last += 1
            told = [self.last]
        if region.is_open:
            self._open[keys[0]] = told[0]
        return told[0], tuple(told[1:])
