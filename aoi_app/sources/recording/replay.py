"""A recording as a camera: the same blocks, gaps and outages once more."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from aoi_app.settings.strict_json import ContentError, parse_json, read_json, read_whole
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.flat_field.correction import FlatField
from aoi_app.sources.flat_field.file import read_flat_field
from aoi_app.sources.recording.format import (
    BLOCKS,
    FLAT_FIELD,
    HEADER,
    VERSION,
    BlockEntry,
    Entry,
    Header,
    OutageEntry,
    outage_of,
    pairs_of,
    unpack_block,
)
from aoi_app.sources.source import EndOfWeb, SourceError

_MOST_LINE_BYTES = 256 << 20  # of one file of lines; the recorder begins another after a thousandth of it

logger = logging.getLogger(__name__)


class Replay:
    """Reads a recording block by block."""

    def __init__(self, path: Path, *, original_pace: bool = False) -> None:
        """
        Args:
            path: the recording, or a folder that holds just one.
            original_pace: blocks come when they came, whether or not somebody reads; else as fast as they are read.

        Raises:
            SourceError: there is no recording, or this program cannot read it.
        """
        self._path = _recording_in(path)
        self._is_paced = original_pace
        self.header = _read_header(self._path)
        flat = self._path / FLAT_FIELD
        self.flat_field: FlatField | None = read_flat_field(flat) if flat.exists() else None
        """The flat field of that day."""
        self._pairs: list[Path] = []
        self._lines: list[bytes] = []
        self._blocks: BinaryIO | None = None
        self._entry: BlockEntry | OutageEntry | None = None  # read, but not due yet
        self._later_s: float | None = None

    @property
    def name(self) -> str:
        """The camera, and when it was recorded."""
        return f"{self.header.name} (recorded {self.header.started_at})"

    @property
    def is_live(self) -> bool:
        """With its original pace it does not wait."""
        return self._is_paced

    def __enter__(self) -> Replay:
        self._close()
        try:
            self._pairs = pairs_of(self._path)
        except OSError as error:
            raise SourceError(
                "recording-unreadable", "The recording {path} cannot be read: {reason}", path=self._path, reason=error
            ) from error
        if not self._pairs:
            raise SourceError(
                "recording-empty", "The recording {path} is empty: nothing came from the camera.", path=self._path
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def read(self, timeout_s: float) -> Block | Outage | None:
        """The next block or outage."""
        entry = self._entry or self._next_entry()
        if isinstance(entry, OutageEntry):
            self._entry = None
            return outage_of(entry)
        if self._later_s is None:
            # From the first block on, all times are those of the recording, shifted by the same amount.
            self._later_s = time.monotonic() - entry.captured_at_s
        missing_s = entry.captured_at_s + self._later_s - time.monotonic()
        if self._is_paced and missing_s > 0:
            time.sleep(min(missing_s, timeout_s))
            if missing_s > timeout_s:
                self._entry = entry
                return None
        self._entry = None
        return self._block(entry)

    def _close(self) -> None:
        if self._blocks is not None:
            self._blocks.close()
        self._pairs, self._lines, self._blocks, self._entry, self._later_s = [], [], None, None, None

    def _next_entry(self) -> BlockEntry | OutageEntry:
        while not self._lines:
            if not self._pairs:
                raise EndOfWeb
            self._open(self._pairs.pop(0))
        line = self._lines.pop(0)
        try:
            return parse_json(line, Entry).item
        except ContentError as error:
            # Only the very last line may be cut off, by a kill. Anywhere else the file is damaged.
            if self._lines or self._pairs:
                raise SourceError(
                    "recording-line-damaged",
                    "The recording {path} is damaged: a line of it makes no sense.",
                    path=self._path,
                ) from error
            logger.warning("%s: the last line is cut off", self._path)
            raise EndOfWeb from error

    def _open(self, lines: Path) -> None:
        if self._blocks is not None:
            self._blocks.close()
        try:
            self._lines = read_whole(lines, _MOST_LINE_BYTES).splitlines()
            blocks = lines.with_suffix(BLOCKS)
            if not blocks.is_file() and blocks.exists():  # a pipe would keep the roll waiting
                raise SourceError("recording-blocks-no-file", "{path} is not a regular file.", path=blocks)
            self._blocks = blocks.open("rb")
        except (OSError, ContentError) as error:
            raise SourceError(
                "recording-unreadable", "The recording {path} cannot be read: {reason}", path=self._path, reason=error
            ) from error
        if self._pairs and int(self._pairs[0].stem) != int(lines.stem) + 1:
            raise SourceError(
                "recording-not-whole",
                "The recording {path} is not whole: files after {last} are missing.",
                path=self._path,
                last=lines.name,
            )

    def _block(self, entry: BlockEntry) -> Block:
        assert self._blocks is not None
        try:
            self._blocks.seek(entry.offset)
            there = os.fstat(self._blocks.fileno()).st_size  # what is asked for is reserved before it is read
            data = self._blocks.read(min(entry.bytes, there))
        except OSError as error:
            raise SourceError(
                "recording-unreadable", "The recording {path} cannot be read: {reason}", path=self._path, reason=error
            ) from error
        block = unpack_block(entry, data, self._later_s or 0.0)
        # The line says that the pixels were written, but a disk may keep the order of two files otherwise.
        if block is None and len(data) < entry.bytes and not self._pairs:
            logger.warning("%s: cut off at %s", self._path, entry.source)
            self._lines = []
            raise EndOfWeb
        if block is None:
            raise SourceError(
                "recording-block-damaged",
                "The recording {path} is damaged at {source}.",
                path=self._path,
                source=entry.source,
            )
        return block


def _recording_in(path: Path) -> Path:
    if not path.exists():
        raise SourceError("recording-missing", "There is no recording {path}.", path=path)
    if path.is_file():
        raise SourceError("recording-is-file", "{path} is a file; name the folder of the recording.", path=path)
    if (path / HEADER).exists():
        return path
    found = sorted(p.parent for p in path.glob(f"*/{HEADER}"))
    if not found:
        raise SourceError(
            "not-a-recording",
            "{path} is no recording of a camera: it has no {header}.",
            hint="For pictures: folder:{path}",
            path=path,
            header=HEADER,
        )
    if len(found) > 1:
        raise SourceError(
            "several-recordings",
            "{path} holds {count} recordings; name one. The latest is {latest}.",
            hint="For example: replay:{latest}",
            path=path,
            count=len(found),
            latest=found[-1],
        )
    return found[0]


def _read_header(path: Path) -> Header:
    try:
        header = read_json(path / HEADER, Header)
    except OSError as error:
        raise SourceError(
            "recording-unreadable", "The recording {path} cannot be read: {reason}", path=path, reason=error
        ) from error
    except ContentError as error:
        raise SourceError(
            "recording-header-wrong",
            "{path} does not describe a recording of this program: {reason}.",
            path=path / HEADER,
            reason=error,
        ) from error
    if header.version != VERSION:
        raise SourceError(
            "recording-version",
            "The recording {path} is of version {version}; this program reads {known}.",
            path=path,
            version=header.version,
            known=VERSION,
        )
    return header
