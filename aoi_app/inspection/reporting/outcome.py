"""What a piece of web yields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aoi_app.inspection.findings.defects import Defect, Gap, Remark, WidthAt
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.source_spans import SourceSpan
from aoi_app.inspection.web.tiles import TileSample


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the last piece of web."""

    bands: tuple[ScoredBand, ...] = ()
    defects: tuple[Defect, ...] = ()
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()
    tiles: tuple[TileSample, ...] = ()
    sources: tuple[SourceSpan, ...] = ()
    """Source images of which every line is in the bands now."""
    widths: tuple[WidthAt, ...] = ()
    withdrawn: tuple[int, ...] = ()
    """Numbers of defects that have turned out to be part of another one."""

    @property
    def is_worth_recording(self) -> bool:
        """Whether there is anything for the records."""
        return bool(self.defects or self.gaps or self.remarks or self.widths or self.withdrawn)

    def records(self) -> Outcome:
        """The part that goes into the records, without the pictures of the web."""
        return Outcome(
            defects=self.defects,
            gaps=self.gaps,
            remarks=self.remarks,
            widths=self.widths,
            withdrawn=self.withdrawn,
        )


def join_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """What several pieces of web yield together, in their order."""
    return Outcome(
        bands=tuple(b for o in outcomes for b in o.bands),
        defects=tuple(d for o in outcomes for d in o.defects),
        gaps=tuple(g for o in outcomes for g in o.gaps),
        remarks=tuple(r for o in outcomes for r in o.remarks),
        tiles=tuple(t for o in outcomes for t in o.tiles),
        sources=tuple(s for o in outcomes for s in o.sources),
        widths=tuple(w for o in outcomes for w in o.widths),
        withdrawn=tuple(w for o in outcomes for w in o.withdrawn),
    )
