"""The rules of grading as a part of the recipe's form."""

from __future__ import annotations

from typing import get_args

from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QWidget

from aoi_app.settings.grading import GradeLimit, GradingRules, HoleRule, LimitUnit, Scheme, Units
from aoi_app.ui.settings.form_fields import choice_field, list_field, parts_of

_CODES = "none; for example G1, W3"
_USUAL = "the usual limit"
_UNITS = {"metric": "metres and millimetres", "yard": "yards and inches"}
_HOLES = {"by size": "2 points up to 1 inch, else 4", "always most": "always 4 points", "as others": "as other defects"}


class GradingForm(QWidget):
    """Shows rules and tells what stands in the fields; nothing is announced."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = GradingRules()
        self._scheme = choice_field(get_args(Scheme), "Points system", "How the defects of a roll are counted")
        self._units = choice_field(
            [_UNITS[unit] for unit in get_args(Units)], "Units of the grade", "Points per metre, or per yard"
        )
        self._holes = choice_field([_HOLES[rule] for rule in get_args(HoleRule)], "Points of a hole", "Four-point only")
        self._hole_types = list_field(_CODES, "Types that are holes", "Codes of defect types, with commas between them")
        self._ignored_types = list_field(
            _CODES, "Types without points", "Codes of defect types, with commas between them"
        )
        self._margin = QDoubleSpinBox()
        self._margin.setRange(0, 200)
        self._margin.setSuffix(" mm")
        self._margin.setAccessibleName("Margin without points")
        self._margin.setToolTip("What lies wholly in it, at either edge, gets no points")
        self._unreviewed = QCheckBox("also what nobody has confirmed")
        self._unreviewed.setAccessibleName("Defects that count")
        self._unreviewed.setToolTip("Off: only confirmed defects get points. Rejected ones never do")
        self._limit = QDoubleSpinBox()
        self._limit.setRange(-1, 100_000)
        self._limit.setDecimals(3)
        self._limit.setSpecialValueText(_USUAL)
        self._limit.setAccessibleName("Most points of a roll that passes")
        self._limit.setToolTip(
            "A roll with more fails; usual are 40 per 100 yd², and 1 per yard in the ten-point system"
        )
        self._per = choice_field(
            get_args(LimitUnit), "What the limit is per", "What the points of the limit are counted on"
        )
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Points s&ystem", self._scheme)
        form.addRow("Counted &in", self._units)
        form.addRow("A ho&le has", self._holes)
        form.addRow("Types that are holes", self._hole_types)
        form.addRow("Types without points", self._ignored_types)
        form.addRow("Margin without points", self._margin)
        form.addRow("Points for", self._unreviewed)
        limit = QHBoxLayout()
        limit.addWidget(self._limit)
        limit.addWidget(self._per)
        limit.addStretch(1)
        form.addRow("A roll passes with at most", limit)

    def show_rules(self, rules: GradingRules) -> None:
        """Shows rules; what was typed is gone."""
        self._shown = rules
        self._scheme.setCurrentText(rules.scheme)
        self._units.setCurrentText(_UNITS[rules.units])
        self._holes.setCurrentText(_HOLES[rules.holes])
        self._hole_types.setText(", ".join(rules.hole_types))
        self._ignored_types.setText(", ".join(rules.ignored_types))
        self._margin.setValue(rules.margin_mm)
        self._unreviewed.setChecked(rules.count_unreviewed)
        self._limit.setValue(rules.limit.points if rules.limit is not None else -1)
        self._per.setCurrentText(rules.effective_limit.per)

    def rules(self) -> GradingRules:
        """What stands in the fields. Raises ValidationError where a code is none."""
        points = self._limit.value()
        limit = GradeLimit(points=points, per=get_args(LimitUnit)[self._per.currentIndex()]) if points >= 0 else None
        return GradingRules(
            scheme=get_args(Scheme)[self._scheme.currentIndex()],
            units=get_args(Units)[self._units.currentIndex()],
            holes=get_args(HoleRule)[self._holes.currentIndex()],
            hole_types=parts_of(self._hole_types.text()),
            ignored_types=parts_of(self._ignored_types.text()),
            margin_mm=self._margin.value(),
            usable_width_mm=self._shown.usable_width_mm,
            count_unreviewed=self._unreviewed.isChecked(),
            limit=limit,
        )
