"""Makes the source of frames that a command or the window names."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.block import BlockSource
from aoi_app.sources.camera.device import SYNTHETIC
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.flat_field.correction import CameraSetup, problems
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field
from aoi_app.sources.folder import FolderConfig, FolderSource
from aoi_app.sources.line_camera import LineCamera, LineCameraConfig
from aoi_app.sources.loom import LoomConfig, LoomSource
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.recording.format import is_recording
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.side_by_side_file import KIND as SIDE_BY_SIDE
from aoi_app.sources.side_by_side_file import make_side_by_side
from aoi_app.sources.source import FrameSource, SourceError


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """Which source, and how it runs.

    Attributes:
        spec: ``loom``, ``loom:WEAVE``, ``folder:PATH``, ``replay:PATH``, ``genicam``, ``genicam:SERIAL``,
            ``synthetic`` or ``side-by-side:FILE.json``.
        lines_per_s: line rate; None is the source's own, for a folder or a recording as fast as inspection goes.
        is_live: lines are lost when inspection is late; a recording runs at the pace that it was recorded at.
        loop: a folder begins again at its end.
        separate: every picture of a folder is a web of its own.
        bits: depth of 16-bit pictures.
        seed: of the loom.
        lines: length of the loom's roll; after so many the roll of a camera ends.
        seconds: after so many the roll of a camera ends.
        camera: which one ``genicam`` is, and how it is set up.
        record: folder of recordings; None records nothing.
        record_gb: size of a recording.
    """

    spec: str = "loom"
    lines_per_s: float | None = None
    is_live: bool = False
    loop: bool = False
    separate: bool = False
    bits: int | None = None
    seed: int = 0
    lines: int | None = None
    seconds: float | None = None
    camera: CameraChoice = dataclasses.field(default_factory=CameraChoice)
    record: Path | None = None
    record_gb: float = 20.0

    @property
    def is_camera(self) -> bool:
        """A camera delivers, real or synthetic."""
        return self.spec.partition(":")[0] in _CAMERAS


_CAMERAS = ("genicam", SYNTHETIC)


def camera_choice(
    spec: str, kept: CameraChoice, producer: str | None, preset: Path | None, mm_per_count: float | None
) -> CameraChoice:
    """The camera that a command names, with what the settings keep of it where the command is silent.

    Args:
        spec: of the source.
        kept: from the settings.
        producer, preset, mm_per_count: from the command.
    """
    kind, _, serial = spec.partition(":")
    if kind == SYNTHETIC:
        base = CameraChoice(producer=SYNTHETIC, serial=serial)
    elif producer is not None or (serial and serial != kept.serial):  # another camera: what is kept is not of it
        base = CameraChoice(producer=producer or "", serial=serial)
    else:
        base = kept
    given = {"preset": str(preset) if preset is not None else None, "mm_per_count": mm_per_count}
    return base.model_copy(update={k: v for k, v in given.items() if v is not None})


def make_source(choice: SourceChoice, recipe: Recipe | None = None) -> FrameSource:
    """The source that a specification names.

    Args:
        choice: which one.
        recipe: gives a camera the scale of its web; None is the standard one.

    Raises:
        SourceError: there is no such source; the text lists those there are.
    """
    kind, _, rest = choice.spec.partition(":")
    if choice.is_camera:
        return _line_camera(choice, recipe or Recipe())
    if choice.record is not None:
        raise SourceError("Only what a camera delivers can be recorded: --record goes with --source genicam.")
    if kind == "folder":
        if not rest:
            raise SourceError("A folder needs its path: --source folder:PATH")
        return FolderSource(
            FolderConfig(
                Path(rest).expanduser(), choice.lines_per_s, choice.is_live, choice.loop, choice.separate, choice.bits
            )
        )
    if kind == "loom":
        config = LoomConfig(seed=choice.seed, is_live=choice.is_live, total_lines=choice.lines)
        if rest:
            config = dataclasses.replace(config, weave=rest)
        if choice.lines_per_s is not None:
            config = dataclasses.replace(config, lines_per_s=choice.lines_per_s)
        return LoomSource(config)
    if kind == "replay":
        return _replay(choice, rest)
    if kind == SIDE_BY_SIDE:
        return make_side_by_side(rest, lambda spec: make_source(dataclasses.replace(choice, spec=spec), recipe))
    raise SourceError(
        f"There is no source {choice.spec!r}. Known are folder:PATH, replay:PATH, side-by-side:FILE.json, loom, "
        "loom:WEAVE, genicam, genicam:SERIAL and synthetic."
    )


def _replay(choice: SourceChoice, path: str) -> CameraSource:
    if not path:
        raise SourceError("A recording needs its path: --source replay:PATH")
    if choice.lines_per_s is not None:
        raise SourceError("A recording has a pace of its own: leave out the line rate, and name --live to keep to it.")
    replay = Replay(Path(path).expanduser(), original_pace=choice.is_live)
    return CameraSource(replay, replay.header.position, replay.flat_field)


def _line_camera(choice: SourceChoice, recipe: Recipe) -> LineCamera:
    if choice.lines_per_s is not None:
        raise SourceError(
            "A camera has a line rate of its own: leave --line-rate out, and set AcquisitionLineRate in a preset."
        )
    camera = choice.camera
    preset = recipe.camera_preset or camera.preset
    _, _, serial = choice.spec.partition(":")
    config = LineCameraConfig(
        producer=SYNTHETIC if choice.spec.startswith(SYNTHETIC) else camera.producer,
        serial=serial or camera.serial or None,
        preset=Path(preset).expanduser() if preset else None,
        lines=choice.lines,
        seconds=choice.seconds,
    )
    recorder = Recorder(choice.record, round(choice.record_gb * 1e9)) if choice.record is not None else None
    build = functools.partial(
        make_camera_source,
        recipe=recipe,
        flat_fields=flat_fields_folder(),
        mm_per_count=camera.mm_per_count,
        recorder=recorder,
    )
    return LineCamera(config, build)


def spec_of(path: Path) -> str:
    """How a source in the file system is named: ``replay:PATH`` for the recording of a camera,
    ``side-by-side:FILE.json`` for a file that names several, else ``folder:PATH``.
    """
    if path.suffix == ".json":
        return f"{SIDE_BY_SIDE}:{path}"
    return f"replay:{path}" if is_recording(path) else f"folder:{path}"


def make_camera_source(
    blocks: BlockSource,
    setup: CameraSetup,
    recipe: Recipe,
    *,
    flat_fields: Path,
    mm_per_count: float | None = None,
    encoder_bits: int = 32,
    recorder: Recorder | None = None,
) -> tuple[CameraSource, list[str]]:
    """A camera as a source, with its flat field where one was recorded.

    Args:
        blocks: the camera.
        setup: the camera as it is set now.
        recipe: gives the scale of the web.
        flat_fields: folder of the flat fields.
        mm_per_count: web per count of the encoder, negative where it counts down; None leaves the encoder out.
        encoder_bits: of the encoder's counter.
        recorder: given every block.

    Returns:
        the source, and what a person should know of it.

    Raises:
        SourceError: the flat field or the encoder's settings cannot be used.
    """
    lines_per_count = None if mm_per_count is None else mm_per_count / recipe.line_mm
    path = flat_field_path(flat_fields, setup.camera)
    flat = read_flat_field(path) if path.exists() else None
    remarks = problems(flat, setup) if flat is not None else ["No flat field was recorded for this camera."]
    config = PositionConfig(lines_per_count=lines_per_count, encoder_bits=encoder_bits)
    return CameraSource(blocks, config, flat, recorder, mm_per_line=recipe.line_mm), remarks
