"""The commands that make reports of recorded rolls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aoi_app.commands.options import MOST, Database, console
from aoi_app.commands.records import SIGNS, Decimal, Separator
from aoi_app.settings.cutting import CutRules
from aoi_app.settings.recipe import RecipeError, load_recipe
from aoi_app.settings.settings import load_settings
from aoi_app.settings.strict_json import describe_errors
from cras_core.messages import Sentence

Roll = Annotated[int, typer.Argument(help="Number of the roll, as 'aoi rolls' lists it.", min=0, max=MOST)]
Rules = Annotated[
    Path | None,
    typer.Option("--recipe", help="Grade and cut by this recipe; else by the one that the roll was inspected with."),
]


class By(str, Enum):
    """What the rolls of a statistic are put together by."""

    SHIFT, FABRIC, SOURCE = "shift", "fabric", "source"
    ARTICLE, LOT, LOOM, OPERATOR = "article", "lot", "loom", "operator"
    DAY, WEEK, MONTH = "day", "week", "month"


def report(
    roll: Roll,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("reports"),
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF to sign and to give away.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="A workbook.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The table of defects.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    recipe: Rules = None,
    database: Database = None,
    csv_separator: Annotated[Separator, typer.Option(help="Between the cells of the CSV file.")] = Separator.COMMA,
    csv_decimal: Annotated[Decimal, typer.Option(help="Decimal sign of numbers in the CSV file.")] = Decimal.POINT,
) -> None:
    """Write the report of a roll: its data, map, grade, defects with pictures. Without a kind of file, all four.

    The mill's name, address and logo come from the settings.
    """
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.records.export import CsvFormat
    from aoi_app.reports.roll.reading import read_report
    from aoi_app.reports.roll.writing import KINDS, write_report
    from aoi_app.reports.wording import grade_text, verdict_text

    wanted = [kind for kind, is_wanted in zip(KINDS, (pdf, xlsx, csv, json), strict=True) if is_wanted] or KINDS
    form = CsvFormat(SIGNS[csv_separator], SIGNS[csv_decimal])
    rules = load_recipe(recipe) if recipe is not None else None
    settings = load_settings()[0]
    with opened_database(chosen_url(database, settings.database)) as engine, _bar() as bar:
        task = bar.add_task(f"roll {roll}", total=None)  # how long reading takes is not known
        read = read_report(
            engine,
            roll,
            settings.mill,
            grading=rules.grading if rules is not None else None,
            cutting=rules.cutting if rules is not None else None,
        )
        bar.update(task, total=1.0)
        written = write_report(engine, read, out, wanted, lambda done: bar.update(task, completed=done), form)
    for path in written:
        console.print(escape(str(path)), highlight=False, soft_wrap=True)
    console.print(escape(f"{verdict_text(read)}: {grade_text(read)}"), highlight=False, soft_wrap=True)


def cut_plan(
    roll: Roll,
    shortest: Annotated[float | None, typer.Option(help="Shortest piece, metres.", min=0.1)] = None,
    longest: Annotated[float | None, typer.Option(help="Longest piece, metres.", min=0.1)] = None,
    length: Annotated[
        list[float] | None, typer.Option(help="Instead: a length that a piece may have; may be given several times.")
    ] = None,
    stay_up_to_mm: Annotated[float | None, typer.Option(help="Defects up to this size may stay.", min=0)] = None,
    most_staying: Annotated[int | None, typer.Option(help="So many in one piece.", min=0, max=MOST)] = None,
    price_per_m: Annotated[float | None, typer.Option(help="What a metre is worth that is lost.", min=0)] = None,
    price_per_piece: Annotated[float | None, typer.Option(help="What each piece costs.", min=0)] = None,
    price_per_staying: Annotated[float | None, typer.Option(help="What a defect that stays costs.", min=0)] = None,
    recipe: Rules = None,
    database: Database = None,
) -> None:
    """Say where to cut a roll so that it costs least. What is not given comes from the recipe.

    No plan with cuts at whole centimetres costs less.
    """
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.reports.errors import ReportError
    from aoi_app.reports.roll.reading import read_cut_rules, read_report

    given = {
        "shortest_m": shortest,
        "longest_m": longest,
        "lengths_m": tuple(length) if length else None,
        "stay_up_to_mm": stay_up_to_mm,
        "most_staying": most_staying,
        "price_per_m": price_per_m,
        "price_per_piece": price_per_piece,
        "price_per_staying": price_per_staying,
    }
    rules = load_recipe(recipe) if recipe is not None else None
    settings = load_settings()[0]
    with opened_database(chosen_url(database, settings.database)) as engine:
        base = rules.cutting if rules is not None else read_cut_rules(engine, roll)
        read = read_report(
            engine,
            roll,
            settings.mill,
            grading=rules.grading if rules is not None else None,
            cutting=_changed(base or CutRules(), given),
        )
    plan = read.cut_plan
    if plan is None:
        raise ReportError("cut-plan-impossible", "{problem}", problem=Sentence(read.cut_problem))
    table = Table("piece", "from, m", "to, m", "length, m", "defects that stay")
    for piece in plan.pieces:
        row = (
            f"{piece.start_m:.2f}",
            f"{piece.end_m:.2f}",
            f"{piece.length_m:.2f}",
            ", ".join(map(str, piece.staying)),
        )
        table.add_row(str(piece.number), *row)
    Console().print(table)
    console.print(f"{plan.lost_m:.2f} m lost of {plan.roll_m:.2f} m; cost {plan.cost:.2f}", highlight=False)


def statistics(
    by: Annotated[By, typer.Option(help="What the rolls are put together by.")] = By.MONTH,
    since: Annotated[datetime | None, typer.Option(help="First day.", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option(help="Last day.", formats=["%Y-%m-%d"])] = None,
    pdf: Annotated[Path | None, typer.Option(help="Also write all of them, with plots, into this PDF file.")] = None,
    database: Database = None,
) -> None:
    """Count rolls and defects by shift, fabric, work order, source or time, and the types of defects.

    Shifts begin at the hours that the settings name. Rejected defects are not counted.
    """
    from aoi_app.records.database import chosen_url, opened_database
    from aoi_app.records.files import write_file
    from aoi_app.records.roll_counts import count_rolls
    from aoi_app.reports.statistics.statistics import group_rolls, pareto, total_row
    from aoi_app.reports.statistics.statistics_pdf import HEADINGS, make_statistics_pdf, row_texts

    settings = load_settings()[0]
    begin, end = _local_days(since, until)
    with opened_database(chosen_url(database, settings.database)) as engine:
        rolls = count_rolls(engine, begin, end)
    table = Table(by.value, *HEADINGS)
    for row in [*group_rolls(rolls, by.value, settings.shifts), total_row(rolls)]:
        table.add_row(escape(row.name), *row_texts(row))
    screen = Console()
    wide = screen if screen.is_terminal else Console(width=max(160, screen.width))
    wide.print(table)
    types = Table("type", "defects", "with those above")
    for name, count, share in pareto(rolls):
        types.add_row(escape(name), str(count), f"{share:.0%}")
    wide.print(types)
    if pdf is not None:
        with _bar() as bar:
            task = bar.add_task("statistics", total=1.0)
            data = make_statistics_pdf(
                rolls,
                settings.mill,
                settings.shifts,
                _period_text(since, until),
                progress=lambda done: bar.update(task, completed=done),
            )
        write_file(pdf, data, durable=True)
        console.print(escape(str(pdf)), highlight=False, soft_wrap=True)


def _period_text(since: datetime | None, until: datetime | None) -> str:
    begin, end = f"{since:%Y-%m-%d}" if since else "", f"{until:%Y-%m-%d}" if until else ""
    if begin and end:
        return f"from {begin} to {end}"
    return f"from {begin} on" if begin else f"until {end}" if end else "at any time"


def _local_days(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """From the begin of the first day to the end of the last, in the time of this place."""
    end = until + timedelta(days=1) if until is not None else None
    return since.astimezone() if since is not None else None, end.astimezone() if end is not None else None


def _changed(rules: CutRules, given: Mapping[str, object]) -> CutRules:
    """Rules with what the command line says on top. Raises RecipeError."""
    try:
        return CutRules.model_validate(rules.model_dump() | {k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise RecipeError(
            "options-make-no-cut-rules",
            "The options do not make rules for a cut plan: {problems}",
            problems=describe_errors(error),
        ) from error


def _bar() -> Progress:
    """A bar on a terminal; nothing is drawn where the output goes into a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
