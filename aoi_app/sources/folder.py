"""A folder of pictures as a web: strips from a mill, or what a camera has recorded.

Every picture is either delivered or comes as lost lines with the reason, also one of a kind that is not read, and a
sub-folder of pictures that lies beside pictures: nothing is passed over without a word.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
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
from cras_core.images import image_size, in_natural_order, is_deep, list_images, measured_bits, read_image

_TRUTH_FOLDERS = frozenset({"mask", "masks", "ground_truth"})  # of data sets; their pictures are no cloth
_OUTPUT = "records.db"  # marks a folder that an inspection has written to; its tiles and maps are no cloth either
_MOST_HEADERS = 2000  # that are read before the first picture: more would keep a person waiting


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
        bits: depth of pictures of more than 8 bits; None measures it over all of them.
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
        self._lines: dict[Path, int] = {}
        self._passed_over: list[Path] = []
        self._failure: SourceError | None = None
        self._next = 0
        self._bits = config.bits
        self._pace = Pace(config.lines_per_s)

    @property
    def name(self) -> str:
        """The folder."""
        return printable(self._config.path)

    @property
    def pictures(self) -> tuple[Path, ...]:
        """In the order in which they are read; empty while it is not open."""
        return tuple(self._paths)

    @property
    def is_live(self) -> bool:
        """Whether lines are lost when nobody takes them."""
        return self._config.is_live and self._config.lines_per_s is not None

    @property
    def total_lines(self) -> int | None:
        """Lines of all pictures together; None when looping, or where there are very many."""
        return None if self._config.loop or len(self._paths) > _MOST_HEADERS else sum(self._lines.values())

    def __enter__(self) -> FolderSource:
        path = self._config.path
        if not path.exists():
            raise SourceError(
                "picture-folder-missing",
                "There is no folder {path}.",
                hint="Name a folder of pictures: --source folder:PATH",
                path=path,
            )
        if not path.is_dir():
            raise SourceError(
                "picture-folder-is-file", "{path} is a file, not a folder. Name the folder that it lies in.", path=path
            )
        try:
            self._paths = list_images(path)
            below = list(_folders_below(path))
            if not self._paths:
                self._paths = [picture for folder in below for picture in list_images(folder)]
                below = []
            self._passed_over = [folder for folder in below if list_images(folder)]
        except OSError as error:
            raise SourceError(
                "picture-folder-unreadable", "The folder {path} cannot be read: {reason}", path=path, reason=error
            ) from error
        if not self._paths:
            recordings = sorted(p for p in path.iterdir() if is_recording(p))
            if recordings:
                raise SourceError(
                    "folder-holds-recordings",
                    "{path} holds recordings of a camera. Name one of them, the last is {last}",
                    path=path,
                    last=recordings[-1],
                )
            raise SourceError(
                "picture-folder-empty",
                "There are no pictures in {path}. Known are .png, .jpg, .bmp, .tif, .webp and .pgm.",
                path=path,
            )
        # From the heads of the files; decoding them all would take as long as inspecting them.
        sizes = {p: image_size(p) for p in self._paths[:_MOST_HEADERS]}
        self._lines = {p: size[0] for p, size in sizes.items() if size is not None}
        self._next, self._failure = 0, None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._paths, self._lines, self._passed_over = [], {}, []

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next picture; one that cannot be used comes as lost lines with the reason."""
        if self._failure is not None:
            raise self._failure
        if self._passed_over:
            return self._left_out(self._passed_over.pop(0))
        if self._next >= len(self._paths):
            if not self._config.loop:
                raise EndOfWeb
            self._next = 0
        if not self._pace.wait(timeout_s):
            return None
        path = self._paths[self._next]
        self._next += 1
        item = self._picture(path)
        self._pace.took(item.lines, waits=not self.is_live)
        return item

    def _picture(self, path: Path) -> Frame | Lost:
        label = self._label(path)
        try:
            if self._bits is None and is_deep(path):
                self._bits = measured_bits(self._paths)
            image = read_image(path, self._bits)
        except DataError as error:
            if not self._config.path.is_dir():
                return self._gone()
            # A file that is cut off may still say how long it was: the metres behind it stay right.
            size = image_size(path)
            lines = size[0] if size is not None else self._lines.get(path, 0)
            return Lost(lines, str(error), label, self._config.separate)
        return Frame(image, label, time.monotonic(), self._config.separate)

    def _gone(self) -> Lost:
        """The folder is not there any more, as when a stick or a share is taken away: what it held is lost, and the
        roll has failed.
        """
        left = self._paths[self._next - 1 :]
        lines = sum(self._lines.get(path, 0) for path in left)
        self._failure = SourceError(
            "picture-folder-gone",
            "The folder {folder} is gone; pictures of it that were not inspected: {count}",
            folder=self._config.path,
            count=len(left),
        )
        return Lost(lines, str(self._failure), self.name)

    def _left_out(self, folder: Path) -> Lost:
        reason = (
            f"the sub-folder {folder.name} holds pictures and was not read, because pictures lie beside it; inspect it "
            "by itself, or move it away"
        )
        return Lost(0, reason, self._label(folder), self._config.separate)

    def _label(self, path: Path) -> str:
        return printable(path.relative_to(self._config.path).as_posix())


def make_folder(path: str, options: SourceOptions, _recipe: Recipe) -> FolderSource:
    """The pictures of a folder; it is looked at when it is opened."""
    return FolderSource(
        FolderConfig(
            Path(path).expanduser(),
            options.lines_per_s,
            options.is_live,
            options.loop,
            options.separate or False,
            options.bits,
        )
    )


def _folders_below(root: Path) -> Iterator[Path]:
    """All sub-folders but those of masks, hidden ones and outputs of inspections, in natural order, each once however
    many links lead to it. Raises OSError.
    """
    waiting, seen = [root], {_identity(root)}
    while waiting:
        folder = waiting.pop()
        if folder != root:
            yield folder
        children = [p for p in folder.iterdir() if p.is_dir() and _may_hold_cloth(p)]
        for child in reversed(in_natural_order(children)):
            if _identity(child) not in seen:
                seen.add(_identity(child))
                waiting.append(child)


def _may_hold_cloth(folder: Path) -> bool:
    is_hidden = folder.name.startswith(".")
    return not is_hidden and folder.name.lower() not in _TRUTH_FOLDERS and not (folder / _OUTPUT).exists()


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
