"""Makes the source of frames that a command or the window names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice
from aoi_app.settings.strict_json import describe_errors
from aoi_app.sources.camera.kinds import kind_of
from aoi_app.sources.options import SourceOptions
from aoi_app.sources.registry import find_kind, make_from_spec
from aoi_app.sources.source import FrameSource, SourceError


@dataclass(frozen=True, slots=True)
class SourceChoice(SourceOptions):
    """Which source, and how it runs.

    Attributes:
        spec: a kind of ``sources.registry`` and its argument, such as ``loom``, ``folder:PATH`` or ``genicam:SERIAL``.
    """

    spec: str = "loom"

    @property
    def is_camera(self) -> bool:
        """A camera delivers, real or synthetic."""
        return is_camera(self.spec)


def is_camera(spec: str) -> bool:
    """Whether a specification names a camera, real or synthetic."""
    kind = find_kind(spec)
    return kind is not None and kind.is_live and kind.holds_camera


def camera_choice(
    spec: str, kept: CameraChoice, producer: str | None, preset: Path | None, mm_per_count: float | None
) -> CameraChoice:
    """The camera that a command names, with what the settings keep of it where the command is silent.

    Args:
        spec: of the source.
        kept: from the settings.
        producer, preset, mm_per_count: from the command.

    Raises:
        SourceError: a value is out of range.
    """
    kind, _, argument = spec.partition(":")
    serial = argument if is_camera(spec) else ""
    given = {"preset": str(preset) if preset is not None else None, "mm_per_count": mm_per_count}
    if kind_of(kind).find is not None:
        base = {"producer": kind, "serial": serial}
    elif producer is not None or (serial and serial != kept.serial):  # another camera: what is kept is not of it
        base = {"producer": producer or "", "serial": serial}
    else:
        base = kept.model_dump()
    try:
        return CameraChoice.model_validate(base | {k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise SourceError(
            "options-name-no-camera", "The options do not name a camera: {problems}", problems=describe_errors(error)
        ) from error


def make_source(choice: SourceChoice, recipe: Recipe | None = None) -> FrameSource:
    """The source that was chosen.

    Args:
        choice: which one, and how it runs.
        recipe: gives a camera the scale of its web; None is the standard one.

    Raises:
        SourceError: there is no such source; the text lists those there are.
    """
    return make_from_spec(choice.spec, choice, recipe or Recipe())
