"""The word of the last defect: defect, look here, good, or none where nothing is proven."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from test_records import defect

from aoi_app.inspection.findings.attention import SHOWN_M, Attention, attention_of, latest_of
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Verdict
from aoi_app.ui.line.last_defect import LastDefectPanel


def found(peak: float, *, is_open: bool = False) -> Defect:
    return replace(defect(7), peak=peak, position_m=10.0, length_mm=500.0, is_open=is_open)


@pytest.mark.parametrize(
    ("last", "verdict", "position_m", "is_proven", "expected"),
    [
        (None, None, 3.0, True, Attention.GOOD),
        (None, None, 3.0, False, Attention.NONE),
        (found(2.0), None, 11.0, True, Attention.DEFECT),
        (found(2.0), None, 11.0, False, Attention.DEFECT),
        (found(1.2), None, 11.0, True, Attention.LOOK),
        (found(1.2), "confirmed", 11.0, True, Attention.DEFECT),
        (found(2.0), "rejected", 11.0, True, Attention.GOOD),
        (found(2.0), None, 10.5 + SHOWN_M + 0.1, True, Attention.GOOD),
        (found(2.0, is_open=True), None, 90.0, True, Attention.DEFECT),
    ],
)
def test_the_word_follows_the_last_defect(
    last: Defect | None, verdict: Verdict | None, position_m: float, is_proven: bool, expected: Attention
) -> None:
    said = attention_of(last, verdict, position_m=position_m, threshold=1.0, is_proven=is_proven)
    assert said is expected


def test_what_runs_for_metres_does_not_hide_what_is_new() -> None:
    stripe, hole = replace(found(1.1, is_open=True), position_m=0.0), found(4.0)
    assert latest_of([], 1.0) is None
    assert latest_of([stripe, hole], 11.0) is hole
    assert latest_of([stripe, hole], 30.0) is stripe, "it still runs"
    assert latest_of([replace(stripe, is_open=False), hole], 90.0) is hole


def test_it_is_shown_with_its_picture_and_its_place(qtbot: QtBot) -> None:
    panel = LastDefectPanel()
    qtbot.addWidget(panel)
    labels = {label.accessibleName(): label for label in panel.findChildren(QLabel)}
    assert labels["The last defect"].text() == "No defect yet"
    panel.show_attention(Attention.LOOK)
    panel.show_defect(found(1.2), replace(NO_REVIEW, type_name="Hole"))
    assert labels["What was found"].text() == "LOOK HERE"
    assert labels["The last defect"].text().startswith("7: Hole\n10.00 m\n12 mm across\n500 × 8 mm")
    assert not labels["Picture of the last defect"].pixmap().isNull()
