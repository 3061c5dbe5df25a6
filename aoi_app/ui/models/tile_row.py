"""A row of tiles with a line of text under each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from aoi_app.ui.widgets.plain import PlainLabel, plain_label, set_plain_tip

TILE_PX = 128


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture and what is written under it; ``tip`` is shown when the mouse rests on it."""

    path: Path
    caption: str
    tip: str = ""


class TileRow(QWidget):
    """Shows as many tiles as it was made for.

    Attributes:
        tiles: those that are shown.
    """

    def __init__(self, title: str, most: int, nothing: str) -> None:
        """
        Args:
            title: above them.
            most: tiles.
            nothing: said where there are none.
        """
        super().__init__()
        self.setAccessibleName(title)
        self._title, self._nothing = title, nothing
        self.tiles: list[Captioned] = []
        self._heading = PlainLabel(title)
        self._read: Mapping[Path, QPixmap | None] = {}
        self._pictures = [_picture() for _ in range(most)]
        self._captions = [_caption() for _ in range(most)]
        row = QHBoxLayout()
        row.setSpacing(8)
        for picture, caption in zip(self._pictures, self._captions, strict=True):
            cell = QVBoxLayout()
            cell.setSpacing(2)
            cell.addWidget(picture)
            cell.addWidget(caption)
            row.addLayout(cell)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.addWidget(self._heading)
        column.addLayout(row)

    def show_tiles(self, tiles: Sequence[Captioned], pictures: Mapping[Path, QPixmap | None]) -> None:
        """Draws the first of them; ``pictures`` are those that were read, None for one that cannot be."""
        self._read = pictures
        self.tiles = list(tiles[: len(self._pictures)])
        more = len(tiles) - len(self.tiles)
        many = f" ({len(tiles)}, {more} of them not shown)" if more else ""
        self._heading.setText(f"{self._title}{many}" if tiles else f"{self._title}: {self._nothing}")
        for i, (picture, caption) in enumerate(zip(self._pictures, self._captions, strict=True)):
            is_there = i < len(self.tiles)
            picture.setVisible(is_there)
            caption.setVisible(is_there)
            if is_there:
                _show(self.tiles[i], picture, caption, pictures)

    def are_all_read(self) -> bool:
        """Every picture that is shown was read, and could be."""
        return all(self._read.get(tile.path) is not None for tile in self.tiles)


def _show(tile: Captioned, picture: QLabel, caption: QLabel, pictures: Mapping[Path, QPixmap | None]) -> None:
    read = pictures.get(tile.path)
    if read is not None:
        picture.setPixmap(read)
    else:
        picture.setText("not there" if tile.path in pictures else "…")
    caption.setText(tile.caption)
    set_plain_tip(picture, tile.tip)
    picture.setAccessibleName(f"{tile.path.stem}, {tile.caption}")


def _picture() -> QLabel:
    label = plain_label()
    label.setFixedSize(TILE_PX, TILE_PX)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setObjectName("tile")
    return label


def _caption() -> QLabel:
    label = plain_label()
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    label.setObjectName("caption")
    return label
