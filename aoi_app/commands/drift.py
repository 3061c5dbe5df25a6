"""The command that shows how the picture of the cloth has changed over the rolls."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aoi_app.commands.options import MOST, console
from aoi_app.settings.folders import imaging_folder
from aoi_app.settings.imaging_history import CameraImaging, ImagingHistory
from aoi_app.settings.imaging_trend import Trend, TrendRow, trends_of
from aoi_app.settings.settings import load_settings
from cras_core.errors import CrasError
from cras_core.imaging.drift import DriftLimits
from cras_core.imaging.profile import FIGURES

_UNITS = {"brightness": "0-255", "contrast": "%", "focus": "0-1", "noise": "grey values"}


def drift(
    last: Annotated[int, typer.Option(help="How many rolls of each fabric.", min=1, max=MOST)] = 20,
    begin_anew: Annotated[
        str,
        typer.Option(
            help="Name of a fabric: its next good metre under each camera is what later ones are compared with. After "
            "a new lamp or lens, or another exposure."
        ),
    ] = "",
) -> None:
    """Show brightness, contrast, focus and noise of the latest rolls, camera by camera, with their limits."""
    history = ImagingHistory(imaging_folder())
    cameras = history.cameras
    for problem in history.problems:
        console.print(f"[yellow]Problem:[/yellow] {escape(problem)}", highlight=False, soft_wrap=True)
    if begin_anew:
        _begin_anew(history, cameras, begin_anew)
        return
    limits = load_settings()[0].drift.limits
    trends = [trend for camera in cameras for trend in trends_of(camera, limits, last)]
    if not trends:
        console.print("No roll was measured yet. A fabric is measured after its first good metre on the line.")
    for trend in trends:
        console.print(_table(trend, limits))


def _begin_anew(history: ImagingHistory, cameras: list[CameraImaging], fabric: str) -> None:
    """Raises CrasError where no camera has seen the fabric."""
    known = [camera for camera in cameras if fabric in camera.profiles]
    if not known:
        raise CrasError(
            "fabric-not-measured",
            "No camera of this line has measured {fabric}; measured are {known}.",
            fabric=fabric,
            known=sorted({name for camera in cameras for name in camera.profiles}) or "none",
        )
    for camera in known:
        history.keep(camera.without_profile(fabric))
        console.print(escape(f"{camera.camera}: the next good metre of {fabric} is the new profile."))


def _table(trend: Trend, limits: DriftLimits) -> Table:
    since = f"compared with {trend.since[:10]}" if trend.since else "compared with nothing yet"
    table = Table(title=escape(f"{trend.fabric}, {trend.camera}, {since}"), title_justify="left")
    for heading in ("roll", "ended"):
        table.add_column(heading)
    for figure in FIGURES:
        table.add_column(f"{figure}, {_UNITS[figure]} (limit {limits.of(figure):g} %)", justify="right")
    for row in trend.rows:
        ended = row.roll.ended[:16].replace("T", " ")
        table.add_row(escape(row.roll.roll), escape(ended), *(_cell(row, figure) for figure in FIGURES))
    return table


def _cell(row: TrendRow, figure: str) -> str:
    value = f"{getattr(row.roll, figure):.3g}"
    if figure not in row.percent:
        return value
    text = f"{value} ({row.percent[figure]:+.0f} %)"
    return f"[bold yellow]{text} ![/bold yellow]" if figure in row.beyond else text
