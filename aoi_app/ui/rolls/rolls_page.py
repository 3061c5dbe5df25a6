"""All rolls that were recorded, and the one that is looked at: its worth, its grade, its map, its defects."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from aoi_app.reports.rolls_state import OpenedRoll, RollsState
from aoi_app.reports.wording import grade_text, verdict_text
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.line.defect_table import DefectTable
from aoi_app.ui.rolls.map_content import map_content
from aoi_app.ui.rolls.roll_map import RollMap
from aoi_app.ui.rolls.roll_table import RollTable
from aoi_app.ui.widgets.actions import ActionRow, make_actions
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import plain_label, show_text
from aoi_app.ui.widgets.theme import Theme

KEYS = (
    ActionRow("next", "Next defect", "N", "Choose the next defect of the roll"),
    ActionRow("previous", "Previous defect", "P", "Choose the previous defect of the roll"),
    ActionRow("confirm", "Confirm", "C", "The chosen defect is one"),
    ActionRow("reject", "Reject", "R", "The chosen defect is a false alarm"),
    ActionRow("clear_verdict", "Clear verdict", "V", "Take back what was said of the chosen defect"),
    ActionRow("name_type", "Name its type", "D", "Say what kind of fault the chosen defect is"),
)
_SEARCH_AFTER_MS = 150  # somebody types on


class RollsPage(Page):
    """
    Signals:
        roll_chosen: number of the roll that is to be opened.
        report_asked: the report of the opened roll is to be written.
    """

    roll_chosen = Signal(int)
    report_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._opened: OpenedRoll | None = None
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search: number, article, order, loom, date …")
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search rolls")
        self._search.setToolTip("Show only rolls in which a column holds this text")
        self.rolls = RollTable()
        self._head = plain_label("Opened roll", wraps=True)
        self._head.setObjectName("headline")
        self._grade = plain_label("Grade of the roll", wraps=True)
        self.report_button = QPushButton("Report…")
        self.report_button.setToolTip("Write the report of this roll: PDF, workbook, CSV and JSON")
        self.report_button.setEnabled(False)
        self._progress = QProgressBar()
        self._progress.setRange(0, 100)
        self._progress.setAccessibleName("Progress of the report")
        self._progress.hide()
        self._note = Banner("About the rolls")
        self.map = RollMap()
        self.table = DefectTable()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_SEARCH_AFTER_MS)
        self._typing.timeout.connect(lambda: self.rolls.search(self._search.text()))
        self._search.textChanged.connect(self._typing.start)
        self.rolls.chosen.connect(self.roll_chosen)
        self.report_button.clicked.connect(self.report_asked)
        self.map.chosen.connect(self._choose_defect)
        self.table.chosen.connect(lambda defect: self.map.choose(defect.number))
        self._add_keys()
        self._lay_out()
        self.setFocusProxy(self._search)

    def _add_keys(self) -> None:
        answers = {
            "next": lambda: self.table.move(1),
            "previous": lambda: self.table.move(-1),
            "confirm": lambda: self.table.decide("confirmed"),
            "reject": lambda: self.table.decide("rejected"),
            "clear_verdict": lambda: self.table.decide(""),
            "name_type": self.table.ask_type,
        }
        for key, action in make_actions(self, KEYS).items():
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda _checked=False, answer=answers[key]: answer())
            self.addAction(action)

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(8, 8, 4, 8)
        column.addWidget(self._search)
        column.addWidget(self.rolls, 1)
        words = QVBoxLayout()
        words.addWidget(self._head)
        words.addWidget(self._grade)
        head = QHBoxLayout()
        head.addLayout(words, 1)
        head.addWidget(self.report_button, 0, Qt.AlignmentFlag.AlignTop)
        right = QWidget()
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.map)
        parts.addWidget(self.table)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 2)
        parts.setSizes([380, 260])
        parts.setChildrenCollapsible(False)
        shown = QVBoxLayout(right)
        shown.setContentsMargins(4, 8, 8, 8)
        shown.addLayout(head)
        shown.addWidget(self._progress)
        shown.addWidget(parts, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.addWidget(left)
        both.addWidget(right)
        both.setStretchFactor(0, 2)
        both.setStretchFactor(1, 3)
        both.setSizes([480, 780])
        both.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._note)
        whole.addWidget(both, 1)

    def keys(self) -> Sequence[ActionRow]:
        """For the list of all keys."""
        return KEYS

    def show_state(self, state: RollsState) -> None:
        """The list, and the roll that is opened."""
        self.rolls.show_rolls(state.rolls)
        self._note.say(state.note or state.busy, alarm=state.is_alarm)
        self._progress.setVisible(state.progress is not None)
        self._progress.setValue(round(100 * (state.progress or 0.0)))
        if state.opened is not None and state.opened is not self._opened:
            self._show_roll(state.opened)

    def show_types(self, types: Sequence[DefectType]) -> None:
        """What a person may call a defect."""
        self.table.set_types(types)

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        self.map.set_theme(theme)

    def _show_roll(self, opened: OpenedRoll) -> None:
        before, self._opened = self._opened, opened
        report = opened.report
        is_same = before is not None and before.report.roll.roll_id == report.roll.roll_id
        of_mill = report.roll.order.roll_number
        name = f"Roll {of_mill} (No. {report.roll.roll_id})" if of_mill else f"Roll {report.roll.roll_id}"
        show_text(self._head, f"{name}: {report.worth.text}")
        show_text(self._grade, f"{verdict_text(report)}. {grade_text(report)}")
        self.report_button.setEnabled(True)
        self.map.show_roll(map_content(report), keeps_view=is_same)
        defects = self.table.defects
        if not is_same:
            defects.clear()
        known = {d.number: d for d in defects.all_defects()}
        defects.add([d for d in opened.defects if d.number not in known or known[d.number].is_open])
        defects.remove([number for number in known if number not in opened.reviews])
        for number, review in opened.reviews.items():
            if review != defects.review(number):
                defects.set_review(number, review)

    def _choose_defect(self, number: int) -> None:
        self.table.choose(number)
        self.map.choose(number)
