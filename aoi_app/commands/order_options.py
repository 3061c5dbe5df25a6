"""The options that name the work order of a roll."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from aoi_app.settings.recipe import RecipeError
from aoi_app.settings.strict_json import describe_errors
from aoi_app.settings.work_order import HEAVIEST_GSM, WIDEST_MM, WorkOrder

_PANEL = "Work order"

RollNumber = Annotated[str, typer.Option(help="What the mill calls the roll.", rich_help_panel=_PANEL)]
OrderNumber = Annotated[str, typer.Option("--order", help="The order that it belongs to.", rich_help_panel=_PANEL)]
Article = Annotated[str, typer.Option(help="The style that is woven.", rich_help_panel=_PANEL)]
Lot = Annotated[str, typer.Option(help="Of the yarn or the dyeing.", rich_help_panel=_PANEL)]
Loom = Annotated[str, typer.Option(help="The machine that wove it.", rich_help_panel=_PANEL)]
Operator = Annotated[str, typer.Option(help="Who watches the line.", rich_help_panel=_PANEL)]
NominalWidthMm = Annotated[
    float | None,
    typer.Option(help="Width as ordered, millimetres.", min=1, max=WIDEST_MM, rich_help_panel=_PANEL),
]
Gsm = Annotated[
    float | None,
    typer.Option(help="Weight, grams per square metre.", min=1, max=HEAVIEST_GSM, rich_help_panel=_PANEL),
]


def chosen_order(**given: str | float | None) -> WorkOrder:
    """The work order of a command.

    Raises:
        RecipeError: a text is too long.
    """
    try:
        return WorkOrder(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise RecipeError(
            "options-make-no-order", "The options do not make a work order: {problems}", problems=describe_errors(error)
        ) from error
