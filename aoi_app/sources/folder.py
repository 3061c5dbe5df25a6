"""A folder of pictures as a web: strips from a mill, or what a camera has recorded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from aoi_app.settings.printable import printable
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.options import SourceOptions
from aoi_app.sources.recording.format import is_recording
from aoi_app.sources.source import EndOfWeb, Pace, SourceError
from cras_core.errors import DataError
from cras_core.images import image_size, in_natural_order, list_images, read_bits, read_image

_TRUTH_FOLDERS = frozenset({"mask", "masks", "ground_truth"})  # of data sets; their pictures are no cloth


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """How a folder is read.

    Attributes:
        path: the folder. Pictures lie in it; where there are none, those in its sub-folders are taken, except folders
            of masks.
        lines_per_s: line rate; None is as fast as inspection goes.
        is_live: with a line rate, do not wait for a reader that is late.
        loop: begin again at the end, for ever.
        separate: every picture is a web of its own.
        bits: depth of 16-bit pictures; None guesses from the first.
    """

    path: Path
    lines_per_s: float | None = None
    is_live: bool = False
    loop: bool = False
    separate: bool = False
    bits: int | None = None


class FolderSource:
    """Reads the pictures of a folder in natural order."""

    def __init__(self, config: FolderConfig) -> None:
        self._config = config
        self._paths: list[Path] = []
        self._next = 0
        self._bits = config.bits  # of 16-bit pictures; guessed once, so that all of a roll are shown alike
        self._pace = Pace(config.lines_per_s)

    @property
    def name(self) -> str:
        """The folder."""
        return printable(self._config.path)

    @property
    def is_live(self) -> bool:
        """Whether lines are lost when nobody takes them."""
        return self._config.is_live and self._config.lines_per_s is not None

    @property
    def total_lines(self) -> int | None:
        """Lines of all pictures together; None when looping."""
        # Read from the heads of the files; decoding them all would take as long as inspecting them.
        return None if self._config.loop else sum(size[0] for size in map(image_size, self._paths) if size is not None)

    def __enter__(self) -> FolderSource:
        path = self._config.path
        if not path.exists():
            raise SourceError(f"There is no folder {path}. Name a folder of pictures: --source folder:PATH")
        if not path.is_dir():
            raise SourceError(f"{path} is a file, not a folder. Name the folder that it lies in.")
        try:
            self._paths = list_images(path) or _below(path)
        except OSError as error:
            raise SourceError(f"The folder {path} cannot be read: {error.strerror or error}") from error
        if not self._paths:
            recordings = sorted(p for p in path.iterdir() if is_recording(p))
            if recordings:
                raise SourceError(
                    f"{path} holds recordings of a camera. Name one of them, the last is {recordings[-1]}"
                )
            raise SourceError(f"There are no pictures in {path}. Known are .png, .jpg, .bmp, .tif and .webp.")
        self._next = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._paths = []

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next picture; one that cannot be used comes as lost lines with the reason."""
        if self._next >= len(self._paths):
            if not self._config.loop:
                raise EndOfWeb
            self._next = 0
        if not self._pace.wait(timeout_s):
            return None
        path = self._paths[self._next]
        self._next += 1
        label = printable(path.relative_to(self._config.path).as_posix())
        try:
            if self._bits is None:
                self._bits = read_bits(path)
            image = read_image(path, self._bits)
        except DataError as error:
            # A file that is cut off may still say how long it was: the metres behind it stay right.
            size = image_size(path)
            lost = Lost(size[0] if size else 0, str(error), label, self._config.separate)
            self._pace.took(lost.lines, waits=not self.is_live)
            return lost
        self._pace.took(len(image), waits=not self.is_live)
        return Frame(image, label, time.monotonic(), self._config.separate)


def make_folder(path: str, options: SourceOptions, _recipe: Recipe) -> FolderSource:
    """The pictures of a folder; it is looked at when it is opened."""
    return FolderSource(
        FolderConfig(
            Path(path).expanduser(),
            options.lines_per_s,
            options.is_live,
            options.loop,
            options.separate,
            options.bits,
        )
    )


def _below(folder: Path) -> list[Path]:
    """Pictures in all sub-folders but those of masks, in natural order."""
    found: list[Path] = []
    for child in in_natural_order(p for p in folder.iterdir() if p.is_dir() and p.name.lower() not in _TRUTH_FOLDERS):
        found += list_images(child) + _below(child)
    return found
