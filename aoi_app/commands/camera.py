"""``aoi camera``: finds cameras, shows and sets their features, checks them, and measures."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from aoi_app.commands import camera_setup as camera_aid_commands
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.features import (
    NODE_MAPS,
    VISIBILITIES,
    Feature,
    FeatureError,
    NodeMap,
    Setting,
    parse_value,
)
from aoi_app.sources.source import SourceError

if TYPE_CHECKING:
    from aoi_app.sources.acquisition.process import CameraProcess
    from aoi_app.sources.diagnostics.check import Check

app = typer.Typer(help="Cameras: what there is, how it is set, whether it works, how fast it is.")
app.command()(camera_aid_commands.focus)
app.add_typer(camera_aid_commands.flat_field, name="flat-field")
out = Console()
notes = Console(stderr=True)

Producer = Annotated[
    str | None,
    typer.Option(
        help="GenTL producer (.cti), a folder of them, or 'synthetic'; otherwise those of GENICAM_GENTL64_PATH and the "
        "simulated cameras of the package genicam."
    ),
]
Serial = Annotated[str | None, typer.Option(help="Serial number; otherwise the first camera.")]


@app.command("list")
def list_cameras(producer: Producer = None) -> None:
    """List producers and cameras."""
    from aoi_app.sources.camera.discovery import discover_cameras, find_producers
    from aoi_app.sources.camera.kinds import found_without_producer, needs_producer

    named = [producer] if producer is not None and needs_producer(producer) else []
    producers, remarks = find_producers(named, elsewhere=producer is None)
    reports = discover_cameras(producers)
    table = Table("producer", "vendor", "model", "serial", "name", "transport", "access")
    for report in reports:
        for d in report.devices:
            table.add_row(*map(escape, (Path(d.producer).name, d.vendor, d.model, d.serial or d.id, d.user_name)),
                          escape(d.transport), d.access)  # fmt: skip
    for d in found_without_producer() if not named else []:
        table.add_row(d.producer, d.vendor, d.model, "any", "", d.transport, d.access)
    _wide().print(table)
    for report in reports:
        state = report.problem or f"{len(report.devices)} cameras in {report.seconds:.1f} s"
        out.print(escape(f"{report.path} ({report.origin}): {state}"), highlight=False, soft_wrap=True)
    for remark in remarks:
        out.print(escape(remark), highlight=False, soft_wrap=True)
    if any(r.problem for r in reports) or remarks:
        raise typer.Exit(3)


@app.command()
def features(
    producer: Producer = None,
    serial: Serial = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Name=value or map.Name=value, in this order; 1 runs a command.")
    ] = None,
    preset: Annotated[Path | None, typer.Option(help="Apply a preset before --set.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write what the camera is set to as a preset.")] = None,
    node_map: Annotated[str | None, typer.Option("--map", help=f"Only one of {', '.join(NODE_MAPS)}.")] = None,
    level: Annotated[str, typer.Option(help=f"{', '.join(VISIBILITIES)}.")] = "Guru",
    search: Annotated[str, typer.Option(help="Only features with this in their name.")] = "",
) -> None:
    """Show the features of a camera as a tree, and set them. Exit status 3: something could not be set."""
    from aoi_app.sources.acquisition.process import CameraProcess

    maps = _one_of(node_map, NODE_MAPS, "--map") if node_map else NODE_MAPS
    (shown,) = _one_of(level.capitalize(), VISIBILITIES, "--level")
    config, remarks = _config(producer, serial), []
    with CameraProcess(config) as camera:
        remarks += _apply_preset(camera, preset) if preset is not None else []
        remarks += [problem for text in settings or [] for problem in _set(camera, text)]
        listed = {m: camera.features(m) for m in maps}
        assert camera.info is not None
        tree = Tree(escape(f"{camera.info.name}, {camera.info.transport}"))
        info = camera.info
    for m, found in listed.items():
        visible = [f for f in found if VISIBILITIES.index(f.visibility) <= VISIBILITIES.index(shown)]
        _grow(tree, m, [f for f in visible if search.lower() in f.name.lower()])
    _wide().print(tree)
    if save is not None:
        from aoi_app.sources.camera.presets import preset_of, save_preset

        save_preset(save, preset_of(info, [f for found in listed.values() for f in found]))
    for remark in remarks:
        notes.print(escape(remark), style="yellow", highlight=False, soft_wrap=True)
    if remarks:
        raise typer.Exit(3)


@app.command()
def check(
    producer: Producer = None,
    serial: Serial = None,
    out_file: Annotated[Path, typer.Option("--out", help="The report; readable text lies beside it as .txt.")] = Path(
        "camera-check.json"
    ),
    seconds: Annotated[float, typer.Option(help="How long to read at full rate.", min=1)] = 20.0,
    restarts: Annotated[int, typer.Option(help="How often to stop and start the camera.", min=1)] = 20,
) -> None:
    """Try everything that this program does with a camera, and write a report to send back.

    Without a producer the simulated camera of the package genicam is checked. Exit status 3: a check failed.
    """
    from aoi_app.sources.camera.discovery import package_producer
    from aoi_app.sources.diagnostics.check import check_camera, report_as_json, report_as_text
    from cras_core.files import write_atomically

    if producer is None and serial is None:
        inside = package_producer()
        if inside is None:
            raise SourceError(
                "no-producer-in-package",
                "The package genicam has no producer here.",
                hint="Name yours: --producer FILE.cti",
            )
        producer = str(inside)
    config = _config(producer, serial)
    notes.print(escape(f"{config.label}: the web should run, or the camera should not wait for a trigger."))
    checks = check_camera(config, seconds, restarts, _say)
    try:
        write_atomically(out_file, json.dumps(report_as_json(checks), indent=1).encode())
        write_atomically(out_file.with_suffix(".txt"), report_as_text(checks).encode())
    except OSError as error:
        raise SourceError(
            "report-unwritable", "The report {path} cannot be written: {reason}.", path=out_file, reason=error
        ) from error
    notes.print(escape(f"Written: {out_file} and {out_file.with_suffix('.txt')}. Please send both."))
    if any(c.outcome == "failed" for c in checks):
        raise typer.Exit(3)


@app.command()
def benchmark(
    width_px: Annotated[int, typer.Option(help="Pixels of a line.", min=8, max=16384)] = 8192,
    line_rate: Annotated[list[float] | None, typer.Option(help="Lines per second; several are tried in turn.")] = None,
    seconds: Annotated[float, typer.Option(help="For each rate.", min=1)] = 10.0,
    frame_lines: Annotated[int, typer.Option(help="Lines of a frame.", min=1, max=4096)] = 256,
    pixel_format: Annotated[str, typer.Option(help="Mono8, Mono12 or RGB8.")] = "Mono8",
) -> None:
    """Measure the way from camera to reader: synthetic camera, real process and ring, a reader that does nothing."""
    from aoi_app.sources.diagnostics.benchmark import measure_throughput

    table = Table(
        "lines/s set", "lines/s read", "gaps", "lines missing", "ring at most", "5 ms timer late, ms p99 / worst",
        "cores reader / camera", "memory grown, MiB",
    )  # fmt: skip
    for rate in line_rate or [25_000.0, 50_000.0, 100_000.0]:
        m = measure_throughput(width_px, rate, seconds, frame_lines, pixel_format)
        table.add_row(
            f"{m.wanted_lines_per_s:,.0f}", f"{m.lines_per_s:,.0f}", str(m.gaps), str(m.missing_lines),
            f"{m.fullest:.0%}", f"{m.tick_p99_ms:.1f} / {m.tick_worst_ms:.1f}",
            f"{m.reader_cores:.2f} / {m.camera_cores:.2f}", f"{m.grown_mib:+.1f}",
        )  # fmt: skip
    _wide().print(table)
    out.print(f"{width_px} px, {pixel_format}, frames of {frame_lines} lines, {seconds:g} s for each rate.")


def _config(producer: str | None, serial: str | None) -> CameraConfig:
    """The camera that the options name."""
    from aoi_app.sources.camera.discovery import find_camera

    device = find_camera(serial, [producer] if producer else [])
    return CameraConfig(device.producer, device.serial or device.id)


def _apply_preset(camera: CameraProcess, path: Path) -> list[str]:
    from aoi_app.sources.camera.presets import describe_results, load_preset, wrong_camera

    wanted = load_preset(path)
    assert camera.info is not None
    wrong = wrong_camera(wanted, camera.info)
    return ([wrong] if wrong else []) + describe_results(camera.change(wanted.settings))


def _set(camera: CameraProcess, text: str) -> list[str]:
    """What did not come out as wanted of ``[map.]Name=value``."""
    from aoi_app.sources.camera.presets import describe_results

    place, equals, value = text.partition("=")
    prefix, dot, name = place.partition(".")
    if not equals:
        raise SourceError("set-option-malformed", "--set {text!r} is not of the form Name=value.", text=text)
    node_map: NodeMap = "remote"
    if dot:
        (node_map,) = _one_of(prefix, NODE_MAPS, f"--set {text}")
    else:
        name = place
    try:
        wanted = parse_value(camera.feature(node_map, name), value)
    except FeatureError as error:
        return [str(error)]
    return describe_results(camera.change([Setting(node_map, name, wanted)]))


_T = TypeVar("_T", bound=str)


def _one_of(value: str, known: tuple[_T, ...], option: str) -> tuple[_T]:
    for one in known:
        if one == value:
            return (one,)
    raise SourceError(
        "option-value-unknown",
        "{option}: there is no {value!r}. Known are {known}.",
        option=option,
        value=value,
        known=known,
    )


def _grow(tree: Tree, node_map: NodeMap, found: list[Feature]) -> None:
    branch = tree.add(f"[bold]{node_map}[/bold] ({len(found)})")
    for category, members in groupby(found, lambda f: f.category):
        twig = branch.add(escape(" / ".join(category) or "(no category)"))
        for f in members:
            value = "" if f.value is None else f" = {f.value}"
            unit = f" {f.unit}" if f.unit and f.value is not None else ""
            span = f"  [{f.range_text}]" if f.range_text and f.is_writable else ""
            twig.add(escape(f"{f.name}{value}{unit}  {f.access} {f.type}, {f.visibility}{span}"), highlight=False)


def _say(done: Check) -> None:
    colour = {"passed": "green", "failed": "red", "remark": "yellow", "not possible": "dim"}[done.outcome]
    out.print(f"[{colour}]{done.outcome:13}[/{colour}]{escape(done.name)} ({done.seconds:.1f} s)", highlight=False)
    for line in done.text.splitlines():
        out.print(escape(f"             {line}"), highlight=False, soft_wrap=True)
    for name, value in done.figures.items():
        if isinstance(value, int | float | str):
            shown = f"{value:.3g}" if isinstance(value, float) else value
            out.print(escape(f"             {name} = {shown}"), highlight=False)


def _wide() -> Console:
    return out if out.is_terminal else Console(width=max(200, out.width))
