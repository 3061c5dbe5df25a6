"""A folder of pictures as a web: strips from a mill, or what a camera has recorded."""

from __future__ import annotations

import contextlib
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
from cras_core.images import (
    ENDINGS,
    OTHER_ENDINGS,
    image_size,
    images_below,
    in_natural_order,
    list_images,
    read_bits,
    read_image,
)

_TRUTH_FOLDERS = frozenset({"mask", "masks", "ground_truth"})  # of data sets; their pictures are no cloth


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """How a folder is read.

    Attributes:
        path: the folder. Pictures lie in it; where there are none, those in its sub-folders are taken, except folders
            of masks. What may be a picture and is not read is told.
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
        self._passed_over = ""
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
        """Lines of all pictures together; None when looping, and where there are too many to look at all."""
        if self._config.loop or len(self._paths) > _MOST_COUNTED:
            return None
        # Read from the heads of the files; decoding them all would take as long as inspecting them.
        return sum(size[0] for size in map(image_size, self._paths) if size is not None)

    def __enter__(self) -> FolderSource:
        path = self._config.path
        if not path.exists():
            raise SourceError(f"There is no folder {path}. Name a folder of pictures: --source folder:PATH")
        if not path.is_dir():
            raise SourceError(f"{path} is a file, not a folder. Name the folder that it lies in.")
        try:
            self._paths = list_images(path) or images_below(path, _TRUTH_FOLDERS)
            self._passed_over = _passed_over(path, {p.parent for p in self._paths} or {path})
        except OSError as error:
            raise SourceError(f"The folder {path} cannot be read: {error.strerror or error}") from error
        if not self._paths:
            recordings = sorted(p for p in path.iterdir() if is_recording(p))
            if recordings:
                raise SourceError(
                    f"{path} holds recordings of a camera. Name one of them, the last is {recordings[-1]}"
                )
            hint = f" {self._passed_over}" if self._passed_over else ""
            raise SourceError(f"There are no pictures in {path}. Known are {_KNOWN}.{hint}")
        self._next = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._paths = []

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next picture; one that cannot be used comes as lost lines with the reason."""
        if self._passed_over:
            text, self._passed_over = self._passed_over, ""
            return Lost(0, text, self.name, self._config.separate)
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
            if self._bits is None and (bits := read_bits(path)) is not None:
                self._bits = max(bits, self._bits_of_others())
            image = read_image(path, self._bits)
        except DataError as error:
            # A file that is cut off may still say how long it was: the metres behind it stay right.
            size = image_size(path)
            lost = Lost(size[0] if size else 0, str(error), label, self._config.separate)
            self._pace.took(lost.lines, waits=not self.is_live)
            return lost
        self._pace.took(len(image), waits=not self.is_live)
        return Frame(image, label, time.monotonic(), self._config.separate)

    def _bits_of_others(self) -> int:
        """The depth of the folder, by some of its pictures: a dark one at the beginning does not speak for all."""
        found = [0]
        for path in self._paths[:: max(1, len(self._paths) // _DEPTH_SAMPLES)]:
            with contextlib.suppress(DataError):  # told when its turn comes
                found.append(read_bits(path) or 0)
        return max(found)


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


def _passed_over(folder: Path, places: set[Path]) -> str:
    """A sentence about files that may show cloth and are not read as pictures; empty where there is none.

    Args:
        folder: the source.
        places: folders whose pictures are inspected.
    """
    others = [p for place in places for p in place.iterdir() if p.suffix.lower() in OTHER_ENDINGS and p.is_file()]
    if not others:
        return ""
    names = ", ".join(printable(p.relative_to(folder).as_posix()) for p in in_natural_order(others)[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"Not inspected, since only pictures are: {names}{more}. Known are {_KNOWN}."


_KNOWN = ", ".join(sorted(ENDINGS))
_MOST_NAMED = 5  # files in a sentence
_MOST_COUNTED = 5000  # pictures whose headers are read before the first is inspected
_DEPTH_SAMPLES = 50  # pictures whose depth is looked at; only those of 16 bits are decoded for it
