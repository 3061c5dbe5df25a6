"""The window in which fabrics are enrolled, with a real store on disk behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from aoi_app.samples.service import SampleService
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.ui.labels.editor import LabelEditor
from aoi_app.ui.samples.sample_grid import THUMBNAIL_PX, SampleGrid
from aoi_app.ui.samples.samples_window import EnrolWindow
from aoi_app.ui.widgets.theme import THEMES
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample

PATIENCE_MS = 10_000
FABRIC = "denim"
LEFT = Qt.MouseButton.LeftButton


class Mill:
    """A store with some samples, and the window that shows it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder, self.qtbot = folder, qtbot
        self.store = SampleStore(folder / "library")
        self.catalogue = folder / "types.json"

    def fill(self, count: int = 6, fabric: str = FABRIC, **more: object) -> list[Sample]:
        if fabric not in {f.name for f in self.store.fabrics()}:
            self.store.begin(FabricRecord(fabric))
        return [
            self.store.add(
                Sample(f"s{i}", fabric, "file", "roll-1", first_line=64 * i, position_m=i / 10, **more),  # type: ignore[arg-type]
                tile(i),
            )
            for i in range(count)
        ]

    def open(self) -> EnrolWindow:
        self.desk = SampleService(self.store, self.catalogue)
        self.thumbnails = Thumbnails(THUMBNAIL_PX)
        self.window = EnrolWindow(self.desk, self.thumbnails, THEMES["dark"])
        self.qtbot.addWidget(self.window, before_close_func=lambda _: self.close_editor())
        self.window.show()
        self.qtbot.waitExposed(self.window)
        self.until(lambda: not self.desk.view().busy and self.desk.view().catalogue)
        self.window.tick()
        return self.window

    def close(self) -> None:
        self.close_editor()
        self.window.close()
        self.thumbnails.close()
        self.desk.close()
        assert self.desk.is_at_rest
        assert self.thumbnails.wait(10)

    def close_editor(self) -> None:
        editor = self.window.samples_page.editor
        if editor is not None:
            editor.hide()

    @property
    def grid(self) -> SampleGrid:
        return self.window.samples_page.grid

    @property
    def editor(self) -> LabelEditor:
        editor = self.window.samples_page.editor
        assert editor is not None
        return editor

    def until(self, is_so: Callable[[], object]) -> None:
        def check() -> None:
            assert is_so()

        self.qtbot.waitUntil(check, timeout=PATIENCE_MS)

    def shown(self) -> list[str]:
        return [self.grid.samples.sample(r).id for r in range(self.grid.samples.rowCount())]

    def on_disk(self, name: str) -> Sample:
        return self.store.sample(FABRIC, name)

    def press(self, *keys: Qt.Key, on: QWidget | None = None) -> None:
        for key in keys:
            QTest.keyClick(on or self.grid, key)

    def text(self, name: str) -> str:
        """What a label of the window says; empty while it is hidden."""
        (found,) = [x for x in self.window.findChildren(QLabel) if x.accessibleName() == name]
        return found.text() if found.isVisible() else ""

    def edit(self, name: str) -> LabelEditor:
        """Opens a sample as a double click does, and waits for its picture."""
        self.grid.select_row(self.grid.samples.row_of(name))
        self.press(Qt.Key.Key_Return)
        self.until(lambda: self.desk.view().tile is not None and self.editor.is_ready)
        return self.editor

    def at(self, x: float, y: float) -> QPoint:
        """A point of the tile on the canvas."""
        left, top = self.editor.canvas.placement.to_screen((x, y))
        return QPoint(round(left), round(top))

    def drag(self, *way: tuple[float, float]) -> None:
        canvas = self.editor.canvas
        QTest.mousePress(canvas, LEFT, Qt.KeyboardModifier.NoModifier, self.at(*way[0]))
        for point in way[1:]:
            QTest.mouseMove(canvas, self.at(*point))
        QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, self.at(*way[-1]))

    def click(self, *points: tuple[float, float]) -> None:
        for point in points:
            QTest.mouseClick(self.editor.canvas, LEFT, Qt.KeyboardModifier.NoModifier, self.at(*point))


def tile(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(80, 150, (64, 96)).astype(np.uint8)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
