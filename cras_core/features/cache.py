"""Vectors of one fabric, kept while the heads train on them.

The backbone is frozen and nothing is augmented behind it, so its features never change: the heads train on this cache
and the images are read only once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.features.rows import FileRows, MemoryRows, Rows, RowStore
from cras_core.files import written_whole

_LARGEST_HALF = 65504.0
_ROWS_AT_ONCE = 4096


class FeatureCache:
    """Vectors of one fabric, float16, in memory or in a file; never more than planned.

    Attributes:
        dimension: length D of a vector.
    """

    def __init__(self, dimension: int, capacity: int, where: str) -> None:
        """``where`` is ``memory``, or ``disk`` for a temporary file. Raises DataError where there is no room for it in
        memory. Room on disk is taken as it is needed.
        """
        self.dimension = dimension
        self._capacity = capacity
        self._rows: RowStore = (
            FileRows.temporary(dimension) if where == "disk" else MemoryRows.planned(capacity, dimension)
        )
        self._positions: list[npt.NDArray[np.int32]] = []
        self._places: list[npt.NDArray[np.float16]] = []
        self._n = 0

    def __len__(self) -> int:
        return self._n

    @property
    def positions(self) -> npt.NDArray[np.int32]:
        """(n,) where each vector lay in its picture, in row order; means something only where
        ``FabricFeatures.mean_map`` is.
        """
        if len(self._positions) != 1:
            self._positions = [np.concatenate([np.zeros(0, np.int32), *self._positions])]
        return self._positions[0]

    @property
    def places(self) -> npt.NDArray[np.float16]:
        """(n, 2) where each vector lay in its tile, row and column in -1..1; see ``patches.cell_places``."""
        if len(self._places) != 1:
            self._places = [np.concatenate([np.zeros((0, 2), np.float16), *self._places])]
        return self._places[0]

    def add(self, vectors: Tensor, positions: Tensor | None = None, places: Tensor | None = None) -> None:
        """Appends (n, D) vectors, their (n,) positions and their (n, 2) places in their tiles; those beyond the
        capacity are left out.

        Raises:
            DataError: the disk is full.
        """
        n = min(len(vectors), self._capacity - self._n)
        # Beyond its range half precision has infinities, which no mean and no distance would survive.
        rows = vectors[:n].clamp(-_LARGEST_HALF, _LARGEST_HALF).cpu().numpy().astype(np.float16)  # (n, D)
        self._rows.write(self._n, rows)
        self._positions.append(np.zeros(n, np.int32) if positions is None else positions[:n].numpy().astype(np.int32))
        self._places.append(np.zeros((n, 2), np.float16) if places is None else places[:n].numpy().astype(np.float16))
        self._n += n

    def take(self, index: npt.NDArray[np.int64]) -> Tensor:
        """(n,) indices -> (n, D) float32. Raises DataError where a file of them is gone."""
        return torch.from_numpy(self._rows.read(index).astype(np.float32))

    def save(self, path: Path) -> str:
        """Writes the vectors to a file and returns its checksum; positions and places are the caller's to keep.

        Raises:
            OSError: it cannot be written; nothing is left behind.
            DataError: the vectors cannot be read any more.
        """
        digest = hashlib.blake2b(digest_size=16)
        with written_whole(path, durable=False) as file:
            for rows in self._in_order():
                data = np.ascontiguousarray(rows, "<f2").tobytes()
                digest.update(data)
                file.write(data)
        return digest.hexdigest()

    @classmethod
    def load(
        cls,
        path: Path,
        positions: npt.NDArray[np.int32],
        places: npt.NDArray[np.float16],
        dimension: int,
        checksum: str,
        where: str,
    ) -> FeatureCache:
        """The inverse of ``save``; ``where`` is ``memory``, or ``disk`` to leave the vectors in their file.

        Raises:
            OSError, ValueError: there is none, or it is damaged.
        """
        count = len(positions)
        if path.stat().st_size != 2 * count * dimension or places.shape != (count, 2):
            raise ValueError(f"{path} holds something else")
        found = cls.__new__(cls)
        found.dimension, found._n, found._capacity = dimension, count, count
        found._positions, found._places = [positions], [places]
        found._rows = FileRows.opened(path, dimension)
        digest = hashlib.blake2b(digest_size=16)
        parts = []
        for rows in found._in_order():
            digest.update(np.ascontiguousarray(rows, "<f2").tobytes())
            parts += [rows] if where != "disk" else []
        if digest.hexdigest() != checksum:
            raise ValueError(f"{path} is damaged")
        if where != "disk":
            found._rows = MemoryRows(np.concatenate([np.zeros((0, dimension), np.float16), *parts]))
        return found

    def _in_order(self) -> Iterator[Rows]:
        """All vectors, some at a time."""
        for first in range(0, self._n, _ROWS_AT_ONCE):
            yield self._rows.read(np.arange(first, min(self._n, first + _ROWS_AT_ONCE)))
