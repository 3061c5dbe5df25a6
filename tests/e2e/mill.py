"""The page of the samples in the real window, with a real store on disk behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from aoi_app.app.application import Application
from aoi_app.app.pages.samples_controller import SamplesController
from aoi_app.samples.state import SamplesState
from aoi_app.settings.folders import library_folder
from aoi_app.ui.labels.editor import LabelEditor
from aoi_app.ui.samples.fabric_list import FabricList
from aoi_app.ui.samples.sample_browser import SampleBrowser
from aoi_app.ui.samples.sample_grid import SampleGrid
from aoi_app.ui.samples.samples_page import SamplesPage
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample

PATIENCE_MS = 10_000
FABRIC = "denim"
LEFT = Qt.MouseButton.LeftButton


class Mill:
    """A store with some samples, and the program that shows them.

    Attributes:
        folder: for files of a test.
        store: the one of the program.
        asked: texts of the questions that the person was asked.
    """

    def __init__(self, folder: Path, qtbot: QtBot, begin: Callable[[], Application]) -> None:
        self.folder, self.qtbot, self._begin = folder, qtbot, begin
        self.store = SampleStore(library_folder())
        self.asked: list[str] = []
        self.answer: QMessageBox.StandardButton | None = None

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

    def open(self) -> SamplesPage:
        self.application = self._begin()
        self.application.window.activateWindow()
        self.until(self.application.window.isActiveWindow)  # keys go nowhere before
        self.application.show_page("samples")
        self.until(lambda: not self.text("What is being done"))
        return self.page

    def reply(self, box: QMessageBox) -> QMessageBox.StandardButton:
        """What the person answers; a question that a test does not expect ends it instead of waiting."""
        self.asked.append(box.text())
        if self.answer is None:
            raise AssertionError(box.text())
        return self.answer

    @property
    def controller(self) -> SamplesController:
        controller = self.application.controllers["samples"]
        assert isinstance(controller, SamplesController)
        return controller

    @property
    def state(self) -> SamplesState:
        return self.controller.services.state()

    @property
    def page(self) -> SamplesPage:
        return self.controller.page

    @property
    def browser(self) -> SampleBrowser:
        return self.page.browser

    @property
    def fabrics(self) -> FabricList:
        return self.browser.fabrics

    @property
    def grid(self) -> SampleGrid:
        return self.browser.grid

    @property
    def editor(self) -> LabelEditor:
        return self.page.editor

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
        """What a label of the page says; empty while it is hidden."""
        (found,) = [x for x in self.page.findChildren(QLabel) if x.accessibleName() == name]
        return found.text() if found.isVisible() else ""

    def edit(self, name: str) -> LabelEditor:
        """Opens a sample as a double click does, and waits for its picture."""
        self.grid.select_row(self.grid.samples.row_of(name))
        self.press(Qt.Key.Key_Return)
        self.until(lambda: self.page.is_labelling and self.editor.is_ready)
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
