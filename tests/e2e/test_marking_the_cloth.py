"""What two clicks on the cloth change in a recipe: its scale, or a lane that is left out."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QDoubleSpinBox, QLabel, QMessageBox
from pytestqt.qtbot import QtBot
from window_tools import PATIENCE_MS, Begin, banner, start_next

from aoi_app.app.application import Application
from aoi_app.inspection.web.web_history import WebPicture
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.settings.scale_dialog import ScaleDialog


def text(dialog: ScaleDialog, name: str) -> str:
    (label,) = [x for x in dialog.findChildren(QLabel) if x.accessibleName() == name]
    return label.text()


def plot_of(application: Application) -> pg.PlotWidget:
    return application.line.page.live_view.findChild(pg.PlotWidget)


def at(application: Application, x_px: float, line: float) -> QPoint:
    """Where a place of the web is in the view."""
    plot = plot_of(application)
    return plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x_px, line)))


def click(application: Application, qtbot: QtBot, x_px: float, line: float) -> None:
    viewport = plot_of(application).viewport()
    QTest.mouseMove(viewport, at(application, x_px, line))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at(application, x_px, line))
    qtbot.wait(20)


def test_measuring_needs_cloth(begin: Begin) -> None:
    application = begin(start=False)
    action = application.window.actions_by_key["measure"]
    action.trigger()
    assert "no cloth on the screen" in banner(application)
    assert not action.isChecked()


@pytest.mark.parametrize(
    ("ends", "length_mm", "before", "after"),
    [
        (((200, 600), (1200, 600)), 150.0, Recipe(), Recipe(mm_per_px=0.15)),
        (((700, 300), (700, 900)), 60.0, Recipe(), Recipe(mm_per_line=0.1)),
    ],
)
def test_two_clicks_on_a_ruler_give_the_scale_of_the_next_roll(
    begin: Begin,
    qtbot: QtBot,
    ends: tuple[tuple[float, float], tuple[float, float]],
    length_mm: float,
    before: Recipe,
    after: Recipe,
) -> None:
    source = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1100)
    application = begin(choice=source, recipe=before)
    qtbot.waitUntil(lambda: application.line.page.table.model().rowCount() > 0, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.wait(150)  # the views take the last news at the next ticks
    view, action = application.line.page.live_view, application.window.actions_by_key["measure"]
    view.jump(600, 700)
    action.trigger()
    assert "two ends of a known length" in banner(application)
    for x_px, line in ends:
        click(application, qtbot, x_px, line)
    qtbot.waitUntil(lambda: bool(application.window.findChildren(ScaleDialog)), timeout=PATIENCE_MS)
    (dialog,) = application.window.findChildren(ScaleDialog)
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    length = dialog.findChild(QDoubleSpinBox)
    length.setValue(9e4)
    assert "more than 10 mm cannot be" in text(dialog, "Scale")
    assert not ok.isEnabled()
    length.setValue(length_mm)
    assert ok.isEnabled()
    ok.click()
    pixel = 2 * np.hypot(*plot_of(application).getViewBox().viewPixelSize()) / 600  # as exactly as the screen shows it
    assert application.program.recipes.book.line.mm_per_px == pytest.approx(after.mm_per_px, rel=pixel)
    assert application.program.recipes.book.line.line_mm == pytest.approx(after.line_mm, rel=pixel)
    assert "holds from the next roll on" in banner(application)
    assert not action.isChecked()
    click(application, qtbot, 300, 500)
    assert [d for d in application.window.findChildren(ScaleDialog) if d.isVisible()] == []


def test_two_clicks_leave_out_a_lane_of_the_next_roll(begin: Begin, qtbot: QtBot) -> None:
    source = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1100)
    application = begin(choice=source)
    qtbot.waitUntil(lambda: application.line.page.table.model().rowCount() > 0, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.wait(150)  # the views take the last news at the next ticks
    view, action = application.line.page.live_view, application.window.actions_by_key["leave_out"]
    view.jump(600, 700)
    action.trigger()
    assert "both sides of the lane" in banner(application)
    for x_px in (10, 20):  # beside the cloth
        click(application, qtbot, x_px, 600)
    assert "no cloth between the two marks" in banner(application)
    assert not action.isChecked()
    action.trigger()
    for x_px in (200, 300):
        click(application, qtbot, x_px, 600)
    qtbot.waitUntil(lambda: bool(application.window.findChildren(QMessageBox)), timeout=PATIENCE_MS)
    (question,) = application.window.findChildren(QMessageBox)
    question.button(QMessageBox.StandardButton.Yes).click()
    (lane,) = application.program.recipes.book.line.ignored
    assert lane.edge == "left"
    assert lane.to_mm - lane.from_mm == pytest.approx(100 * 0.2, abs=1.0)
    assert "holds from the next roll on" in banner(application)
    picture = history(application)
    start_next(qtbot, application)
    qtbot.waitUntil(lambda: not application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.wait(150)
    before, after = picture.score, history(application).score
    assert before.shape == after.shape
    left_out = np.isfinite(before) & ~np.isfinite(after)  # (rows, cols)
    cells = left_out.sum(axis=1)
    assert 100 / 8 <= np.median(cells) <= 100 / 8 + 3
    assert not left_out[:, 310 // 8 + 2 :].any()


def history(application: Application) -> WebPicture:
    picture = application.line.page.live_view.picture
    assert picture is not None
    return picture
