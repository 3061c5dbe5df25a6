"""Cameras as sources: the one of the line, the synthetic one, and what one of them has recorded."""

from __future__ import annotations

import functools
from pathlib import Path

from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.block import BlockSource
from aoi_app.sources.camera.kinds import CameraKind
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.flat_field.correction import CameraSetup, flat_field_problems
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field
from aoi_app.sources.line_camera import LineCamera, LineCameraConfig
from aoi_app.sources.options import SourceOptions
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.source import SourceError


def make_camera(kind: CameraKind, serial: str, options: SourceOptions, recipe: Recipe) -> LineCamera:
    """The camera of the line. It is looked for when it is opened.

    Args:
        kind: of the camera; one that needs no producer goes before the producer of the options.
        serial: its serial number; empty takes that of the options, or the first camera.
        options: which camera, and how far it is read.
        recipe: gives the scale of its web, and a preset that goes before that of the camera.

    Raises:
        SourceError: an option does not go with a camera.
    """
    if options.lines_per_s is not None:
        raise SourceError(
            "camera-has-own-line-rate",
            "A camera has a line rate of its own: leave --line-rate out, and set AcquisitionLineRate in a preset.",
        )
    camera = options.camera
    if kind.find is not None:
        camera = camera.model_copy(update={"producer": kind.name})
    # A recipe may need another exposure than the line usually has; so it goes before.
    preset = recipe.camera_preset or camera.preset
    config = LineCameraConfig(
        producer=camera.producer,
        serial=serial or camera.serial or None,
        preset=Path(preset).expanduser() if preset else None,
        lines=options.lines,
        seconds=options.seconds,
    )
    # Gigabytes as disks are sold: 1e9 bytes.
    recorder = Recorder(options.record, round(options.record_gb * 1e9)) if options.record is not None else None
    build = functools.partial(
        make_camera_source,
        recipe=recipe,
        flat_fields=flat_fields_folder(),
        mm_per_count=camera.mm_per_count,
        recorder=recorder,
    )
    return LineCamera(config, build)


def make_recorded_camera(path: str, options: SourceOptions, _recipe: Recipe) -> CameraSource:
    """What a camera has recorded, with the flat field and the position settings of its day.

    Raises:
        SourceError: there is no recording, it cannot be read, or an option does not go with it.
    """
    if options.lines_per_s is not None:
        raise SourceError(
            "recording-has-own-pace",
            "A recording has a pace of its own: leave out the line rate, and name --live to keep to it.",
        )
    replay = Replay(Path(path).expanduser(), original_pace=options.is_live)
    return CameraSource(replay, replay.header.position, replay.flat_field)


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
    # The recipe says how long a line is meant to be; the encoder says how far the web has gone.
    lines_per_count = None if mm_per_count is None else mm_per_count / recipe.line_mm
    path = flat_field_path(flat_fields, setup.camera)
    flat = read_flat_field(path) if path.exists() else None
    remarks = flat_field_problems(flat, setup) if flat is not None else ["No flat field was recorded for this camera."]
    config = PositionConfig(lines_per_count=lines_per_count, encoder_bits=encoder_bits)
    return CameraSource(blocks, config, flat, recorder, mm_per_line=recipe.line_mm), remarks
