"""``aoi camera focus`` and ``aoi camera flat-field``: what the window's set-up does, without a window."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.settings import CameraChoice, load_settings
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.source import SourceError

if TYPE_CHECKING:
    from aoi_app.sources.acquisition.blocks import CameraBlocks
    from aoi_app.sources.diagnostics.focus import FocusMetrics

flat_field = typer.Typer(help="Record, show or remove the flat field of a camera.")
out = Console()
notes = Console(stderr=True)

Producer = Annotated[
    str | None,
    typer.Option(help="GenTL producer (.cti), a folder of them, or 'synthetic'; otherwise that of the line's camera."),
]
Serial = Annotated[str | None, typer.Option(help="Serial number; otherwise the line's camera, or the first.")]
Preset = Annotated[Path | None, typer.Option(help="Set the camera to this preset; otherwise to that of the line.")]


def focus(
    producer: Producer = None,
    serial: Serial = None,
    preset: Preset = None,
    seconds: Annotated[float, typer.Option(help="How long; otherwise until Ctrl-C.", min=0.1)] = math.inf,
) -> None:
    """Print light and focus of a running camera once a second, for whoever turns the lens and the lamp."""
    from aoi_app.sources.diagnostics.focus import measure_focus, shows_cloth

    best = math.nan
    said: tuple[str, ...] = ()
    with _opened(producer, serial, preset) as camera:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            block = _newest(camera, min(1.0, max(0.0, end_s - time.monotonic())))
            if block is None:
                _note(camera.status.text or "Nothing comes from the camera. Let the web run, or check its trigger.")
                continue
            figures = measure_focus(block)
            if shows_cloth(figures):
                best = figures.sharpness if math.isnan(best) else max(best, figures.sharpness)
            out.print(_line(figures, best), highlight=False, soft_wrap=True)
            if figures.words != said:
                said = figures.words
                for words in said:
                    _note(words)


@flat_field.command()
def record(
    producer: Producer = None,
    serial: Serial = None,
    preset: Preset = None,
    lines: Annotated[int, typer.Option(help="How many to average.", min=16)] = 4096,
    dark: Annotated[bool, typer.Option(help="Record the dark, too; without, dark is taken as 0.")] = True,
) -> None:
    """Record dark and white, asking for each, and keep the flat field for the camera."""
    from aoi_app.sources.chosen_camera import setup_of
    from aoi_app.sources.flat_field.correction import evenness, flat_field_problems
    from aoi_app.sources.flat_field.file import flat_field_path, write_flat_field
    from aoi_app.sources.flat_field.levels import make_flat_field, record_level

    with _opened(producer, serial, preset) as camera:
        setup = setup_of(camera)
        dark_level = None
        if dark:
            _ask("Cover the lens, then press Enter.")
            _skip(camera)
            dark_level = record_level(camera, lines)
        _ask("Let an even white move under the lamp, over the whole width, then press Enter.")
        _skip(camera)
        white_level = record_level(camera, lines)
        flat = make_flat_field(white_level, dark_level, setup)
        path = flat_field_path(flat_fields_folder(), setup.camera)
        write_flat_field(flat, path)
        block = _newest(camera, 1.0)
    out.print(escape(f"{path}: mean of {flat.lines} lines."), highlight=False, soft_wrap=True)
    if block is not None:
        found = evenness(flat, block)
        out.print(f"Non-uniformity {found.before_percent:.1f} % before, {found.after_percent:.1f} % after.")
    for problem in flat_field_problems(flat, setup):
        _note(problem)


@flat_field.command()
def show(producer: Producer = None, serial: Serial = None, preset: Preset = None) -> None:
    """Show the flat field of a camera. Exit status 3: it does not fit the camera as it is now."""
    from aoi_app.camera_setup.wording import describe_flat_field
    from aoi_app.sources.chosen_camera import setup_of
    from aoi_app.sources.flat_field.correction import flat_field_problems, non_uniformity
    from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field

    with _opened(producer, serial, preset) as camera:
        setup = setup_of(camera)
    flat = read_flat_field(flat_field_path(flat_fields_folder(), setup.camera))
    out.print(escape(describe_flat_field(flat)), highlight=False, soft_wrap=True)
    out.print(f"White is uneven by {non_uniformity(flat.white - flat.dark):.1f} %.", highlight=False)
    found = flat_field_problems(flat, setup)
    for problem in found:
        _note(problem)
    if found:
        raise typer.Exit(3)


@flat_field.command()
def remove(producer: Producer = None, serial: Serial = None) -> None:
    """Remove the flat field of a camera; its rolls go on without one."""
    from aoi_app.sources.flat_field.file import flat_field_path, remove_flat_field

    choice = _choice(producer, serial, None)
    number = choice.serial
    if not number:  # the camera need not be there to remove what is kept for it
        from aoi_app.sources.chosen_camera import config_of

        number = config_of(choice.producer).serial or ""
    path = flat_field_path(flat_fields_folder(), number)
    if not remove_flat_field(path):
        raise SourceError("flat-field-file-missing", "There is no flat field {path}.", path=path)
    out.print(escape(f"{path} is removed."), highlight=False, soft_wrap=True)


def _choice(producer: str | None, serial: str | None, preset: Path | None) -> CameraChoice:
    """What the options say; the line's camera where they name none."""
    kept = load_settings()[0].camera if producer is None and serial is None else CameraChoice()
    return CameraChoice(
        producer=producer or kept.producer,
        serial=serial or kept.serial,
        preset=str(preset) if preset is not None else kept.preset,
    )


def _opened(producer: str | None, serial: str | None, preset: Path | None) -> CameraBlocks:
    from aoi_app.sources.acquisition.blocks import CameraBlocks
    from aoi_app.sources.chosen_camera import config_of

    choice = _choice(producer, serial, preset)
    return CameraBlocks(config_of(choice.producer, choice.serial, choice.preset))


def _newest(camera: CameraBlocks, seconds: float) -> Block | None:
    """Reads for so long; the last block that came."""
    newest = None
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        item = camera.read(left_s)
        if isinstance(item, Outage):
            _note(item.reason)
        elif item is not None:
            newest = item
    return newest


def _skip(camera: CameraBlocks) -> None:
    """Leaves out what came while the person was busy."""
    _newest(camera, 0.5)


def _line(figures: FocusMetrics, best: float) -> str:
    zones = " ".join(_figure(float(z), 2) for z in figures.zones)
    return (
        f"sharpness {_figure(figures.sharpness)} (best {_figure(best)})  left to right {zones}  "
        f"brightness {figures.mean.mean():.0f} ({figures.minimum.min():.0f} to {figures.maximum.max():.0f})  "
        f"saturated {figures.saturated:.2%}  black {figures.black:.2%}"
    )


def _figure(value: float, digits: int = 3) -> str:
    return "--" if math.isnan(value) else f"{value:.{digits}f}"


def _ask(text: str) -> None:
    notes.print(text)
    try:
        input()
    except EOFError:
        raise SourceError("recording-not-confirmed", "Nobody answered; nothing was recorded.") from None


def _note(text: str) -> None:
    notes.print(escape(text), style="yellow", highlight=False, soft_wrap=True)
