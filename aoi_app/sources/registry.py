"""The kinds of sources that there are: one row each, from which help texts, messages and checks are made.

To add a source, write it in a file of its own with a function that makes it, and add a row to ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aoi_app.settings.recipe import Recipe
from aoi_app.sources.camera.kinds import KINDS as CAMERA_KINDS
from aoi_app.sources.camera_factory import make_camera, make_recorded_camera
from aoi_app.sources.folder import make_folder
from aoi_app.sources.loom import make_loom
from aoi_app.sources.options import SourceOptions
from aoi_app.sources.recording.format import is_recording
from aoi_app.sources.side_by_side_file import KIND as SIDE_BY_SIDE
from aoi_app.sources.side_by_side_file import make_side_by_side
from aoi_app.sources.source import FrameSource, SourceError


@dataclass(frozen=True, slots=True)
class Argument:
    """What stands behind the colon of a specification.

    Attributes:
        placeholder: as help texts show it.
        meaning: what it is, for a message about one that is missing.
        is_required: the source cannot do without.
        is_path: it names a file or folder; in a file of ours such a path is relative to that file.
    """

    placeholder: str
    meaning: str
    is_required: bool = False
    is_path: bool = False


Factory = Callable[[str, SourceOptions, Recipe], FrameSource]
"""Makes a source of its argument, which is empty where none was given. Raises SourceError."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source.

    Attributes:
        name: what stands before the colon.
        argument: what may stand behind it.
        help: what it is, for the help of ``--source``.
        make: makes one.
        is_live: cloth always goes by, whether or not it is read. What such a source delivers can be recorded.
        holds_camera: a roll from it may hold a camera that nobody else can open meanwhile.
        reads: whether a path that was named without a kind is of this one; None where no path is.
    """

    name: str
    argument: Argument
    help: str
    make: Factory
    is_live: bool = False
    holds_camera: bool = False
    reads: Callable[[Path], bool] | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """How it can be written, for help texts."""
        with_argument = f"{self.name}:{self.argument.placeholder}"
        return (with_argument,) if self.argument.is_required else (self.name, with_argument)


def _make_side_by_side(file: str, options: SourceOptions, recipe: Recipe) -> FrameSource:
    return make_side_by_side(file, lambda spec, folder: make_from_spec(resolve(spec, folder), options, recipe))


_SERIAL = Argument("SERIAL", "its serial number")
_PATH = Argument("PATH", "its path", is_required=True, is_path=True)
_CAMERAS_FILE = Argument("FILE.json", "the file that names the cameras", is_required=True, is_path=True)

KINDS: tuple[SourceKind, ...] = (
    SourceKind("loom", Argument("WEAVE", "its weave"), "procedural cloth", make_loom),
    *(
        SourceKind(kind.name, _SERIAL, kind.text, partial(make_camera, kind), is_live=True, holds_camera=True)
        for kind in CAMERA_KINDS
    ),
    SourceKind(
        SIDE_BY_SIDE,
        _CAMERAS_FILE,
        "several sources across one web",
        _make_side_by_side,
        holds_camera=True,  # the file may name one; it is not read to find out
        reads=lambda path: path.suffix == ".json",
    ),
    SourceKind("replay", _PATH, "the recording of a camera", make_recorded_camera, reads=is_recording),
    SourceKind("folder", _PATH, "pictures", make_folder, reads=lambda _: True),  # the last, for it takes every path
)
_BY_NAME = {kind.name: kind for kind in KINDS}


def find_kind(spec: str) -> SourceKind | None:
    """The kind that a specification such as ``folder:PATH`` names; None where there is no such kind."""
    return _BY_NAME.get(spec.partition(":")[0])


def describe_sources() -> str:
    """All kinds with their arguments, for the help of ``--source``."""
    return "; ".join(f"{' or '.join(kind.forms)}: {kind.help}" for kind in KINDS) + "."


def make_from_spec(spec: str, options: SourceOptions, recipe: Recipe) -> FrameSource:
    """The source that a specification names.

    Args:
        spec: kind and argument, as after ``--source``.
        options: how it runs.
        recipe: gives a camera the scale of its web.

    Raises:
        SourceError: there is no such source, or it cannot be made; the text says what to do.
    """
    kind = find_kind(spec)
    if kind is None:
        *others, last = [form for known in KINDS for form in known.forms]
        raise SourceError(
            "source-unknown",
            "There is no source {source!r}. Known are {others} and {last}.",
            source=spec,
            others=others,
            last=last,
        )
    argument = spec.partition(":")[2]
    if kind.argument.is_required and not argument:
        raise SourceError(
            "source-lacks-argument",
            "The source {source} needs {meaning}: --source {form}",
            source=kind.name,
            meaning=kind.argument.meaning,
            form=kind.forms[0],
        )
    if options.record is not None and not kind.is_live:
        raise SourceError(
            "only-cameras-are-recorded",
            "Only what a camera delivers can be recorded: --record goes with --source genicam.",
        )
    return kind.make(argument, options, recipe)


def spec_of(path: Path) -> str:
    """The specification of a source in the file system, such as ``replay:PATH`` for the recording of a camera."""
    # The row of folders takes every path, so there is always one.
    kind = next(kind for kind in KINDS if kind.reads is not None and kind.reads(path))
    return f"{kind.name}:{path}"


def resolve(spec: str, folder: Path) -> str:
    """A specification from a file: its path, if it has one, begins at the folder of that file and not where the
    program was started.
    """
    kind, argument = find_kind(spec), spec.partition(":")[2]
    if kind is None or not kind.argument.is_path or not argument:
        return spec
    return f"{kind.name}:{folder / Path(argument).expanduser()}"
