"""Writing down what a camera delivers, as it delivers it, so that a fault on the line can be run again.

A killed program leaves a recording that is good up to its last whole line. When a recording has reached its size, its
oldest cloth goes: what led to a fault is what matters.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import shutil
import threading
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

from aoi_app.sources.block import Block, Outage
from aoi_app.sources.flat_field.correction import FlatField, FlatFieldError
from aoi_app.sources.flat_field.file import write_flat_field
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.recording.format import (
    BLOCKS,
    FLAT_FIELD,
    HEADER,
    LINES,
    BlockEntry,
    Header,
    OutageEntry,
    entry_of,
    line_of,
    pack_block,
)
from cras_core.files import write_atomically

logger = logging.getLogger(__name__)

_PAIRS = 16  # the oldest cloth goes in steps of this part of the whole
_WAITING_BYTES = 256 << 20  # for a slow disk; more than that is not recorded


class Recorder:
    """Records in a thread of its own: a slow or full disk costs the recording, never cloth."""

    def __init__(
        self, folder: Path, limit_bytes: int, *, free_bytes: int = 1 << 30, waiting_bytes: int = _WAITING_BYTES
    ) -> None:
        """
        Args:
            folder: of recordings; each begins one below it, named by date and time.
            limit_bytes: size of a recording, above 0; it keeps the latest.
            free_bytes: what stays free on the disk, for the records of the rolls.
            waiting_bytes: what may wait in memory for a slow disk.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._free = free_bytes
        self._most_waiting = waiting_bytes
        self._changed = threading.Condition()
        self._waiting: deque[tuple[BlockEntry | OutageEntry, bytes]] = deque()
        self._waiting_bytes = 0
        self._unrecorded_lines = 0
        self._is_open = False
        self._thread: threading.Thread | None = None
        self.path: Path | None = None
        """The recording that is being made, or was made last; None before anything came."""
        self.problem: str | None = None
        """What is not being recorded and why, for a person; None while all is well."""

    def begin(self, name: str, position: PositionConfig, flat_field: FlatField | None) -> None:
        """Begins a recording; its files are made when something comes.

        Args:
            name: of the camera.
            position, flat_field: what a replay needs to make the same web of it.
        """
        self.close()
        header = Header(name=name, started_at=time.strftime("%Y-%m-%d %H:%M:%S"), position=position)
        self.problem, self._unrecorded_lines, self._is_open = None, 0, True
        self._thread = threading.Thread(target=self._run, args=(header, flat_field), name="record", daemon=True)
        self._thread.start()

    def record(self, item: Block | Outage) -> None:
        """Takes what the camera delivered; copies it and returns at once."""
        if not self._is_open:
            return
        # Copied at once: the block lies in the camera's ring, whose slot is needed again.
        data = pack_block(item) if isinstance(item, Block) else b""
        with self._changed:
            if isinstance(item, Outage):
                entry: BlockEntry | OutageEntry = OutageEntry(seconds=item.seconds, reason=item.reason)
            # An empty queue takes a block of any size: one above the bound would else never be recorded.
            elif self._waiting and self._waiting_bytes + len(data) > self._most_waiting:
                self._unrecorded_lines += item.lost_lines + len(item.image)
                self._say("the disk is too slow for the recording; parts of the web are not in it")
                return
            else:
                entry = entry_of(item, item.lost_lines + self._unrecorded_lines)
                self._unrecorded_lines = 0
            self._waiting.append((entry, data))
            self._waiting_bytes += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the recording once everything is written."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _say(self, problem: str) -> None:
        if self.problem is None:
            self.problem = problem
            logger.warning("%s: %s", self.path or self._folder, problem)

    def _next(self) -> tuple[BlockEntry | OutageEntry, bytes] | None:
        """What is to be written next; None once the recording is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            if not self._waiting:
                return None
            entry, data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            return entry, data

    def _run(self, header: Header, flat_field: FlatField | None) -> None:
        pairs: _Pairs | None = None
        try:
            while (item := self._next()) is not None:
                if pairs is None:
                    self.path = _begin_folder(self._folder, header, flat_field)
                    pairs = _Pairs(self.path, self._limit, self._free)
                pairs.write(*item)
        except (OSError, FlatFieldError) as error:
            why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            with self._changed:
                self._is_open = False
                self._waiting.clear()
                self._waiting_bytes = 0
                self.problem = None  # what came before matters less
                self._say(f"the recording in {self.path or self._folder} has ended: {why}; the line goes on without it")
        finally:
            if pairs is not None:
                pairs.close()


class _Pairs:
    """The files of a recording, as many as it may hold."""

    def __init__(self, folder: Path, limit_bytes: int, free_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._free = free_bytes
        self._kept: deque[tuple[Path, int]] = deque()  # (path without ending, bytes), finished ones
        self._current: Path | None = None
        self._files: list[BinaryIO] = []
        self._bytes = 0  # of the current pair
        self._offset = 0
        self._next_number = 0

    def write(self, entry: BlockEntry | OutageEntry, data: bytes) -> None:
        """Appends one block or outage. Raises OSError."""
        line = line_of(entry, data, self._offset)
        size = len(line) + len(data)
        if size > self._limit:
            raise OSError(f"a block of {size:,} bytes is more than the {self._limit:,} that it may hold")
        total = self._bytes + size
        if self._current is None or self._bytes >= self._limit // _PAIRS or total > self._limit:
            self._begin_pair()
            line = line_of(entry, data, self._offset)
        # Before writing, not after: the bound is of the disk, which may have no room for one block more.
        while self._kept and self._bytes + size + sum(n for _, n in self._kept) > self._limit:
            self._forget_oldest()
        blocks, lines = self._files
        for file, content in ((blocks, data), (lines, line)):  # the line says that the pixels are there
            file.write(content)
            file.flush()
        self._offset += len(data)
        self._bytes += size

    def close(self) -> None:
        """Ends the current pair."""
        for file in self._files:
            with contextlib.suppress(OSError):  # a full disk has been said already
                file.close()
        self._files = []
        if self._current is not None:
            self._kept.append((self._current, self._bytes))
        self._current, self._bytes, self._offset = None, 0, 0

    def _begin_pair(self) -> None:
        self.close()
        while (free := shutil.disk_usage(self._folder).free) < self._free:
            if not self._kept:
                raise OSError(f"only {free / 1e9:.1f} GB are free on the disk")
            self._forget_oldest()
        current = self._folder / f"{self._next_number:08d}"
        self._next_number += 1
        self._current = current
        # Mode x: a recording never writes over another.
        self._files = [current.with_suffix(ending).open("xb") for ending in (BLOCKS, LINES)]

    def _forget_oldest(self) -> None:
        oldest, _ = self._kept.popleft()
        for ending in (LINES, BLOCKS):  # never a line without its pixels
            oldest.with_suffix(ending).unlink(missing_ok=True)


def _begin_folder(folder: Path, header: Header, flat_field: FlatField | None) -> Path:
    """A folder of its own for a recording, with what a replay has to know. Raises OSError, FlatFieldError."""
    begun = time.strftime("%Y%m%d-%H%M%S")
    for name in itertools.chain([begun], (f"{begun}-{n}" for n in itertools.count(2))):
        path = folder / name
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not path.is_dir():
                raise
            continue
        if flat_field is not None:
            write_flat_field(flat_field, path / FLAT_FIELD)
        write_atomically(path / HEADER, header.model_dump_json(indent=1).encode())
        return path
    raise AssertionError("unreachable")
