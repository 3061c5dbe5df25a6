"""Rows of half-precision numbers, in memory or in a file: more than memory holds, written once and read at random.

A file is read and written, not mapped into memory: a map whose file is shortened, or whose disk is full, ends the whole
program by a signal; here both are errors.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from cras_core.errors import DataError
from cras_core.messages import Sentence

Rows = npt.NDArray[np.float16]
"""(n, D)."""

_HALF_BYTES = 2


class RowStore(ABC):
    """So many rows as were planned, each of D values."""

    @abstractmethod
    def write(self, first: int, rows: Rows) -> None:
        """Puts (n, D) rows in their place. Raises DataError where there is no room."""

    @abstractmethod
    def read(self, index: npt.NDArray[np.int64]) -> Rows:
        """(n,) numbers of rows that were written -> (n, D). Raises DataError where they are gone."""


class MemoryRows(RowStore):
    """Rows in memory."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @classmethod
    def planned(cls, capacity: int, dimension: int) -> MemoryRows:
        """Room for so many rows. Raises DataError where there is none."""
        try:
            return cls(np.empty((capacity, dimension), np.float16))
        except (MemoryError, ValueError) as error:
            raise no_room(capacity, dimension, "in memory", error) from error

    def write(self, first: int, rows: Rows) -> None:
        """See ``RowStore.write``."""
        self._rows[first : first + len(rows)] = rows

    def read(self, index: npt.NDArray[np.int64]) -> Rows:
        """See ``RowStore.read``."""
        return self._rows[index]


class FileRows(RowStore):
    """Rows in a file that is open while this lives."""

    def __init__(self, file: IO[bytes], dimension: int) -> None:
        """``file``: not buffered, and nobody else's."""
        self._file, self._dimension = file, dimension
        weakref.finalize(self, file.close)

    @classmethod
    def temporary(cls, dimension: int) -> FileRows:
        """In a file without a name, which the system removes with the process. Raises DataError."""
        try:
            return cls(tempfile.TemporaryFile(prefix="cras-features-", buffering=0), dimension)
        except OSError as error:
            raise no_room(0, dimension, _on_disk(), error) from error

    @classmethod
    def opened(cls, path: Path, dimension: int) -> FileRows:
        """Those of a file that was written before. Raises OSError."""
        return cls(path.open("rb", buffering=0), dimension)

    def write(self, first: int, rows: Rows) -> None:
        """See ``RowStore.write``; room on disk is taken as it is needed."""
        try:
            self._file.seek(first * self._row_bytes)
            left = np.ascontiguousarray(rows).data.cast("B") if rows.size else memoryview(b"")
            while left:  # the system may take a part at a time
                left = left[self._file.write(left) :]
        except OSError as error:
            raise no_room(first + len(rows), self._dimension, _on_disk(), error) from error

    def read(self, index: npt.NDArray[np.int64]) -> Rows:
        """See ``RowStore.read``; neighbours are read in one piece."""
        wanted, place = np.unique(index, return_inverse=True)
        rows = np.empty((len(wanted), self._dimension), np.float16)
        first = 0
        for run in np.split(wanted, np.flatnonzero(np.diff(wanted) != 1) + 1):
            self._read_into(rows[first : first + len(run)], int(run[0]) if len(run) else 0)
            first += len(run)
        return rows[place]

    @property
    def _row_bytes(self) -> int:
        return _HALF_BYTES * self._dimension

    def _read_into(self, rows: Rows, first: int) -> None:
        if not rows.size:
            return
        left = rows.data.cast("B")
        try:
            self._file.seek(first * self._row_bytes)
            while left:
                count = os.readv(self._file.fileno(), [left]) if hasattr(os, "readv") else self._read_some(left)
                if count == 0:
                    raise DataError(
                        "features-shortened",
                        "The file of features was shortened while it was read. Begin the training anew.",
                    )
                left = left[count:]
        except OSError as error:
            raise DataError(
                "features-unreadable", "The file of features cannot be read any more: {reason}", reason=error
            ) from error

    def _read_some(self, left: memoryview) -> int:
        data = self._file.read(len(left))
        left[: len(data)] = data
        return len(data)


def no_room(rows: int, dimension: int, place: str, error: Exception) -> DataError:
    """What is said where rows find no room."""
    size = f"{rows * dimension * _HALF_BYTES / 1e6:.0f} MB"
    return DataError(
        "no-room-for-features",
        "No room for {size} of features {place} ({reason}). Lower train.cache_mb.",
        size=size,
        place=Sentence(place),
        reason=error,
    )


def _on_disk() -> str:
    return f"on disk, in {tempfile.tempdir or 'the temporary folder'}"
