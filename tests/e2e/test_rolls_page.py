"""The page of rolls: a roll that was inspected is found, reviewed and reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from window_tools import LOOM, PATIENCE_MS, Begin, figure, over

from aoi_app.app.pages.rolls_controller import RollsController
from aoi_app.records.reviews import read_reviews
from aoi_app.records.work_orders import change_order
from aoi_app.settings.work_order import WorkOrder


def test_a_roll_is_found_reviewed_and_reported(
    begin: Begin, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(LOOM)
    over(qtbot, application)
    engine, roll_id = application.program.engine, application.program.roll.roll_id
    change_order(engine, roll_id, WorkOrder(roll_number="4711"))
    application.show_page("rolls")
    controller = application.controllers["rolls"]
    assert isinstance(controller, RollsController)
    page = controller.page

    def shown() -> int:
        return page.rolls.model().rowCount()

    qtbot.waitUntil(lambda: shown() == 1, timeout=PATIENCE_MS)
    qtbot.keyClicks(page._search, "471 ")
    qtbot.waitUntil(lambda: shown() == 0, timeout=PATIENCE_MS)
    page._search.setText("4711")
    qtbot.waitUntil(lambda: shown() == 1, timeout=PATIENCE_MS)
    page.rolls.choose(roll_id)
    qtbot.waitUntil(lambda: controller.roll_id == roll_id and page.table.model().rowCount() > 0, timeout=PATIENCE_MS)
    assert figure(application, "Opened roll").startswith(f"Roll 4711 (No. {roll_id}): ")
    first = figure(application, "Grade of the roll")
    assert first.startswith(("PASSED", "FAILED"))
    assert len(page.map._layer.marks) == page.table.model().rowCount()

    for _ in range(page.table.model().rowCount()):  # every defect is called a false alarm, by keys
        page.table.move(1)
        qtbot.keyClick(page.table, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "0.0 points" in figure(application, "Grade of the roll"), timeout=PATIENCE_MS)
    assert {review.verdict for review in read_reviews(engine, roll_id).values()} == {"rejected"}
    assert figure(application, "Grade of the roll").startswith("PASSED")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "report"), ""))
    page.report_button.click()
    qtbot.waitUntil(lambda: (tmp_path / "report").exists() and controller.is_at_rest, timeout=PATIENCE_MS)
    assert sorted(path.suffix for path in (tmp_path / "report").iterdir()) == [".csv", ".json", ".pdf", ".xlsx"]
