"""The shade of one segment while it runs: from scored rows to regions that are darker or lighter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cras_core.shade.brightness import log_brightness
from cras_core.shade.channel import ShadeChannel
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.light import LightEvent
from cras_core.shade.rows import SHADE_KINDS, ShadeKind, ShadeRows
from cras_core.shade.warp import ColumnMemory
from cras_core.web.canvas import as_gray
from cras_core.web.regions import Region, RegionConfig, RegionTracker
from cras_core.web.scoring import ScoredRows
from cras_core.web.threshold import reaches

_REACH_CELLS = 2  # a stripe that pales for a few cells stays one
_RUNNING_ROWS = 64  # from this length on an open region is told before it ends


@dataclass(frozen=True, slots=True)
class ShadeRegion:
    """A region of one kind; its raw scores are contrasts in per cent."""

    kind: ShadeKind
    region: Region


@dataclass(frozen=True, slots=True)
class ShadeFindings:
    """What rows have brought: regions that are closed now, long ones that still run, and what the light did."""

    regions: tuple[ShadeRegion, ...]
    events: tuple[LightEvent, ...]


class SegmentShade:
    """Finds the darker and lighter places of one segment. Its rows are counted as those of the segment's tracker."""

    def __init__(
        self, config: ShadeConfig, scale: CellScale, threshold: float, memory: ColumnMemory | None = None
    ) -> None:
        """
        Args:
            config: what counts.
            scale: of the cells.
            threshold: score from which a region is a defect.
            memory: of the columns, from the segment before.
        """
        self._threshold = threshold
        self._channel = ShadeChannel(config, scale, memory)
        self._trackers = {
            kind: RegionTracker(RegionConfig(threshold, reach_cells=_REACH_CELLS)) for kind in SHADE_KINDS
        }
        self.next_row = 0
        """First row of cells that is still to be scored."""

    @property
    def memory(self) -> ColumnMemory | None:
        """What the columns were like so far, for the segment that follows."""
        return self._channel.memory

    @property
    def oldest_open_row(self) -> int:
        """First row of cells that may still become part of a region."""
        rows = [tracker.oldest_open_row for tracker in self._trackers.values()]
        return min([self.next_row, *(row for row in rows if row is not None)])

    def set_threshold(self, threshold: float) -> None:
        """Score from which regions count, for cloth that is still to come."""
        self._threshold = threshold
        for tracker in self._trackers.values():
            tracker.threshold = threshold

    def push(self, rows: ScoredRows) -> ShadeFindings:
        """Takes the next rows; only cells that have a score are cloth."""
        brightness = log_brightness(as_gray(rows.image), rows.cell_px, np.isfinite(rows.score))
        return self._take(self._channel.push(brightness, reaches(rows.score, self._threshold)))

    def finish(self) -> ShadeFindings:
        """Ends the segment: what is left of it."""
        last = self._take(self._channel.finish())
        closed = [ShadeRegion(kind, r) for kind, tracker in self._trackers.items() for r in tracker.finish()]
        return ShadeFindings((*last.regions, *closed), last.events)

    def _take(self, scored: list[ShadeRows]) -> ShadeFindings:
        regions: list[ShadeRegion] = []
        for rows in scored:
            for kind, tracker in self._trackers.items():
                regions += [ShadeRegion(kind, r) for r in tracker.push(rows.scores[kind], rows.contrasts[kind])]
            self.next_row = rows.end_row
        for kind, tracker in self._trackers.items():
            regions += [ShadeRegion(kind, r) for r in tracker.open_regions(_RUNNING_ROWS)]
        return ShadeFindings(tuple(regions), tuple(event for rows in scored for event in rows.events))
