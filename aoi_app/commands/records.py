"""The commands that list and export what was recorded."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aoi_app.commands.options import MOST, Database, console
from aoi_app.settings.settings import load_settings


class Separator(str, Enum):
    """What stands between the cells of a table."""

    COMMA, SEMICOLON, TAB = "comma", "semicolon", "tab"


class Decimal(str, Enum):
    """The sign of decimal numbers."""

    POINT, COMMA = "point", "comma"


SIGNS: dict[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "point": "."}
"""What these words stand for."""


def rolls(
    database: Database = None, last: Annotated[int, typer.Option(help="How many.", min=1, max=MOST)] = 20
) -> None:
    """List the latest rolls."""
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.records.interrupted import mark_interrupted
    from aoi_app.records.reading import list_rolls

    table = Table(
        "roll", "name", "state", "begun", "source", "fabric", "inspected, m", "reserve, m", "gaps, m", "defects"
    )
    with opened_database(chosen_url(database, load_settings()[0].database)) as engine:
        mark_interrupted(engine)
        for roll in list_rolls(engine, last):
            table.add_row(*map(escape, roll))
    screen = Console()
    (screen if screen.is_terminal else Console(width=max(160, screen.width))).print(table)


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
