"""The commands that list and export what was recorded."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aoi_app.commands.options import MOST, Database, console
from aoi_app.settings.settings import load_settings

if TYPE_CHECKING:
    from aoi_app.inspection.findings.roll_summary import RollSummary


class Separator(str, Enum):
    """What stands between the cells of a table."""

    COMMA, SEMICOLON, TAB = "comma", "semicolon", "tab"


class Decimal(str, Enum):
    """The sign of decimal numbers."""

    POINT, COMMA = "point", "comma"


SIGNS: dict[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "point": "."}
"""What these words stand for."""


def rolls(
    database: Database = None,
    last: Annotated[int, typer.Option(help="How many.", min=1, max=MOST)] = 20,
    search: Annotated[
        str, typer.Option(help="Only rolls that hold this text: number, article, order, lot, loom, date ...")
    ] = "",
) -> None:
    """List the latest rolls."""
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.records.interrupted import mark_interrupted
    from aoi_app.records.roll_list import read_summaries
    from aoi_app.reports.roll_columns import is_found

    with opened_database(chosen_url(database, load_settings()[0].database)) as engine:
        mark_interrupted(engine)
        # What is searched for may be older than the latest rolls.
        found = [roll for roll in read_summaries(engine, None if search else last) if is_found(roll, search)][:last]
    table = Table(
        "roll", "name", "roll number", "article", "state", "begun", "source", "fabric",
        "inspected, m", "reserve, m", "gaps, m", "defects",
    )  # fmt: skip
    for roll in found:
        table.add_row(*map(escape, _row(roll)))
    screen = Console()
    (screen if screen.is_terminal else Console(width=max(200, screen.width))).print(table)


def _row(roll: RollSummary) -> tuple[str, ...]:
    """A roll as a row of text; of a damaged one only what is known. Rejected defects are not counted."""
    names = (str(roll.roll_id), roll.name, roll.order.roll_number, roll.order.article, roll.state)
    defects = str(roll.defects - roll.rejected)
    if roll.started_at is None:
        return (*names, *[""] * 6, defects)
    return (
        *names,
        f"{roll.started_at.astimezone():%Y-%m-%d %H:%M}",
        roll.source,
        roll.fabric,
        f"{roll.inspected_m:.2f}",
        "" if roll.reserve_m is None else f"{roll.reserve_m:.2f}",
        f"{roll.gap_m:.2f}",
        defects,
    )


def export(
    roll: Annotated[int, typer.Argument(help="Number of the roll, as 'aoi rolls' lists it.", min=0, max=MOST)],
    out: Annotated[Path, typer.Option(help="Folder for defects.json, defects.csv and itdd/.")] = Path("exported"),
    database: Database = None,
    csv_separator: Annotated[Separator, typer.Option(help="Between the cells of defects.csv.")] = Separator.COMMA,
    csv_decimal: Annotated[Decimal, typer.Option(help="Decimal sign of numbers in defects.csv.")] = Decimal.POINT,
) -> None:
    """Write a recorded roll as files."""
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.records.export import CsvFormat, export_roll

    form = CsvFormat(SIGNS[csv_separator], SIGNS[csv_decimal])
    with opened_database(chosen_url(database, load_settings()[0].database)) as engine:
        written = export_roll(engine, roll, out, form)
    console.print(escape(f"{out}: {', '.join(written)}"))
