"""The samples of a fabric as rows, with thumbnails that come when they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPixmap

from aoi_app.samples.wording import sample_text
from aoi_app.ui.widgets.plain import plain_tip
from aoi_app.ui.widgets.qimage import to_qimage
from cras_core.data.samples.values import Sample

Index = QModelIndex | QPersistentModelIndex
_INVALID = QModelIndex()
_MOST_PIXMAPS = 4000  # scrolled past long ago; read again when needed

SAMPLE = Qt.ItemDataRole.UserRole
IS_BROKEN = Qt.ItemDataRole.UserRole + 1
IS_UNSAVED = Qt.ItemDataRole.UserRole + 2


class SampleModel(QAbstractListModel):
    """Rows change in place, so that the selection and the place in the list stay."""

    def __init__(self) -> None:
        super().__init__()
        self._samples: list[Sample] = []
        self._row_of: dict[str, int] = {}
        self._pixmaps: dict[str, QPixmap | None] = {}  # None: it cannot be read
        self._unsaved: Mapping[str, str] = {}
        self._folder: Path | None = None

    def show_samples(self, samples: Sequence[Sample], folder: Path | None, unsaved: Mapping[str, str]) -> None:
        """Other rows, in this order."""
        if folder != self._folder:
            self.beginResetModel()
            self._folder, self._pixmaps = folder, {}
            self._samples = list(samples)
            self._number()
            self.endResetModel()
        elif [s.id for s in samples] != [s.id for s in self._samples]:
            self._rearrange(list(samples))
        self._unsaved, was_unsaved = unsaved, self._unsaved
        for row, (old, new) in enumerate(zip(self._samples, samples, strict=True)):
            if old != new or (new.id in unsaved) != (new.id in was_unsaved):
                self._samples[row] = new
                self.dataChanged.emit(self.index(row), self.index(row))

    def sample(self, row: int) -> Sample:
        """The sample of a row."""
        return self._samples[row]

    def row_of(self, name: str) -> int:
        """The row of a sample, -1 without."""
        return self._row_of.get(name, -1)

    def wanted(self, rows: Sequence[int]) -> list[Path]:
        """Pictures of rows that have no thumbnail yet."""
        if self._folder is None:
            return []
        names = [self._samples[r].id for r in rows if 0 <= r < len(self._samples)]
        return [self._folder / f"{name}.png" for name in names if name not in self._pixmaps]

    def take_thumbnails(self, ready: Mapping[Path, npt.NDArray[np.uint8] | None]) -> None:
        """Thumbnails that were read, (h, w[, 3]); None for a picture that cannot be read."""
        if len(self._pixmaps) > _MOST_PIXMAPS:
            self._pixmaps.clear()
        for path, image in ready.items():
            if path.parent == self._folder:
                self._pixmaps[path.stem] = None if image is None else QPixmap.fromImage(to_qimage(image))
                row = self.row_of(path.stem)
                if row >= 0:
                    self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of samples."""
        return 0 if parent.isValid() else len(self._samples)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What is shown of a sample."""
        sample = self._samples[index.row()]
        if role == SAMPLE:
            return sample
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pixmaps.get(sample.id)
        if role == IS_BROKEN:
            return sample.id in self._pixmaps and self._pixmaps[sample.id] is None
        if role == IS_UNSAVED:
            return sample.id in self._unsaved
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole):
            broken = "the picture cannot be read; " if self.data(index, IS_BROKEN) else ""
            text = broken + sample_text(sample, self._unsaved.get(sample.id, ""))
            return plain_tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
        return None

    def _number(self) -> None:
        self._row_of = {s.id: row for row, s in enumerate(self._samples)}

    def _rearrange(self, samples: list[Sample]) -> None:
        """Takes rows out and puts rows in; where the rest has another order, all is new."""
        wanted = {s.id for s in samples}
        if [s.id for s in self._samples if s.id in wanted] != [s.id for s in samples if s.id in self._row_of]:
            self.beginResetModel()
            self._samples = samples
            self._number()
            self.endResetModel()
            return
        for first, last in reversed(_runs([s.id in wanted for s in self._samples], of=False)):
            self.beginRemoveRows(_INVALID, first, last)
            del self._samples[first : last + 1]
            self.endRemoveRows()
        self._number()
        for first, last in _runs([s.id in self._row_of for s in samples], of=False):
            self.beginInsertRows(_INVALID, first, last)
            self._samples[first:first] = samples[first : last + 1]
            self.endInsertRows()
        self._number()


def _runs(flags: Sequence[bool], *, of: bool) -> list[tuple[int, int]]:
    """(first, last) of each unbroken run of a value."""
    found = []
    for value, group in groupby(enumerate(flags), key=lambda item: item[1]):
        rows = [i for i, _ in group]
        if value == of:
            found.append((rows[0], rows[-1]))
    return found
