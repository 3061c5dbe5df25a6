"""Statistics as pages: a table and a plot for each grouping, and the types of defects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from reportlab.platypus import Flowable

from aoi_app.records.roll_counts import RollCount
from aoi_app.reports.pdf.bars import Bar, BarChart
from aoi_app.reports.pdf.document import build_document, report_head
from aoi_app.reports.pdf.fonts import register_fonts
from aoi_app.reports.pdf.style import SMALL, TEXT_WIDTH, heading, listing, paragraph, space
from aoi_app.reports.progress import Progress, ignore_progress
from aoi_app.reports.statistics.statistics import (
    GROUPINGS,
    NOT_SAID,
    Grouping,
    StatisticsRow,
    group_rolls,
    pareto,
    total_row,
)
from aoi_app.reports.wording import number_text, time_text
from aoi_app.settings.settings import Mill

HEADINGS = (
    "rolls", "inspected, m", "reserve, m", "not inspected, m", "defects", "per 100 m²", "rejected of reviewed",
)  # fmt: skip
"""Of the figures of a group, behind its name."""

_MOST_BARS, _MOST_TYPES = 60, 30
_TITLES: dict[Grouping, str] = {
    "shift": "Shifts",
    "fabric": "Fabrics",
    "article": "Articles",
    "lot": "Lots",
    "loom": "Looms",
    "operator": "Operators",
    "source": "Sources",
    "day": "Days",
    "week": "Weeks",
    "month": "Months",
}


def row_texts(row: StatisticsRow) -> tuple[str, ...]:
    """The figures of a group as ``HEADINGS`` names them."""
    share = row.false_share
    return (
        f"{row.rolls:,}",
        f"{row.inspected_m:,.1f}",
        f"{row.reserve_m:,.1f}",
        f"{row.gap_m:,.1f}",
        f"{row.defects:,}",
        number_text(row.per_100_m2),
        "none reviewed" if share is None else f"{share:.0%}",
    )


def make_statistics_pdf(
    rolls: Sequence[RollCount],
    mill: Mill,
    shifts: Sequence[int],
    period: str,
    groupings: Sequence[Grouping] = GROUPINGS,
    progress: Progress = ignore_progress,
) -> bytes:
    """Statistics as a PDF file.

    Args:
        rolls: that are counted.
        mill: whose they are.
        shifts: hours at which a shift begins.
        period: that the rolls are of, in words.
        groupings: one section for each; none for a part of the work order that no roll has.
        progress: is told how far it has come.
    """
    register_fonts()
    story = [*report_head(mill, "Inspection statistics"), paragraph(f"Rolls begun {period}."), space(2)]
    story.append(_table("", [total_row(rolls)]))
    story += _types(rolls)
    for by in groupings:
        rows = group_rolls(rolls, by, shifts)
        if [row.name for row in rows] != [NOT_SAID]:  # a mill that does not say it needs no page of it
            story += _grouping(rows, by)
    made = f"made {time_text(datetime.now(timezone.utc))}"
    return build_document(story, title="Inspection statistics", foot=period, made=made, progress=progress)


def _types(rolls: Sequence[RollCount]) -> list[Flowable]:
    types = pareto(rolls)
    if not types:
        return []
    bars = [Bar(name, count, f"{count:,} ({share:.0%} with those above)") for name, count, share in types[:_MOST_TYPES]]
    more = [paragraph(f"And {len(types) - _MOST_TYPES} rarer types.", SMALL)] if len(types) > _MOST_TYPES else []
    return [heading("Types of defects"), BarChart(bars, TEXT_WIDTH), *more]


def _grouping(rows: Sequence[StatisticsRow], by: Grouping) -> list[Flowable]:
    """The plot and the table; of very many groups the latest by name."""
    shown = rows[-_MOST_BARS:]
    bars = [Bar(row.name, row.per_100_m2 or 0.0, f"{number_text(row.per_100_m2)} per 100 m²") for row in shown]
    left = len(rows) - len(shown)
    more = [paragraph(f"The last {len(shown)} of {len(rows)} are shown.", SMALL)] if left else []
    return [
        heading(f"{_TITLES[by]}: defects per 100 m²"),
        *more,
        BarChart(bars, TEXT_WIDTH),
        space(1),
        _table(by, shown),
    ]


def _table(by: str, rows: Sequence[StatisticsRow]) -> Flowable:
    cells = [(row.name, *row_texts(row)) for row in rows]
    return listing((by, *HEADINGS), cells, (4, 1.2, 2, 2, 2, 1.6, 1.6, 2), range(1, 8))
