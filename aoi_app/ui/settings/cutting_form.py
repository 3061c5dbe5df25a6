"""The rules of the cut plan as a part of the recipe's form."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QSpinBox, QWidget

from aoi_app.settings.cutting import CutRules
from aoi_app.ui.settings.form_fields import list_field, parts_of
from aoi_app.ui.widgets.plain import PlainLabel

_CODES = "none; for example G1, W3"


class CuttingForm(QWidget):
    """Shows rules and tells what stands in the fields; nothing is announced."""

    def __init__(self) -> None:
        super().__init__()
        self._is_wanted = QCheckBox("with a cut plan")
        self._is_wanted.setAccessibleName("Cut plan")
        self._is_wanted.setToolTip("The report of a roll says where to cut it")
        self._shortest = _number("Shortest piece", "A piece is at least so long", 0.1, 100_000, " m")
        self._longest = _number("Longest piece", "A piece is at most so long", 0.1, 100_000, " m")
        self._lengths = list_field(
            "any; for example 25, 50", "Exact lengths of pieces", "Metres, with commas between them; then nothing else"
        )
        self._stay_mm = _number("Defects that may stay, up to", "0 cuts out every defect", 0, 100_000, " mm")
        self._stay_types = list_field(_CODES, "Types that may stay", "Codes of defect types, whatever their size")
        self._most = QSpinBox()
        self._most.setRange(-1, 100_000)
        self._most.setSpecialValueText("any number")
        self._most.setAccessibleName("Defects that may stay in one piece")
        self._most.setToolTip("At most so many")
        self._gaps = _check("cloth that was not inspected", "Off: it is cut out")
        self._splices = _check("a splice", "Off: a cut lies on each splice")
        self._beside = _number(
            "Cut out beside a splice", "So much on either side, where no splice may stay", 0, 100, " m"
        )
        self._per_m = _number("Price of a lost metre", "In any money", 0, 1_000_000, " per lost m")
        self._per_piece = _number("Price of a piece", "Cutting, packing, an end to sew", 0, 1_000_000, " per piece")
        self._per_defect = _number("Price of a defect that stays", "What is paid back", 0, 1_000_000, " per defect")
        self._fields = QWidget()
        self._lay_out()
        self._is_wanted.toggled.connect(self._fields.setEnabled)
        self.show_rules(None)

    def _lay_out(self) -> None:
        form = QFormLayout(self._fields)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("A piece has", _row(self._shortest, PlainLabel("to"), self._longest))
        form.addRow("Or exactly, m", self._lengths)
        form.addRow("Defects may stay up to", self._stay_mm)
        form.addRow("Types that may stay", self._stay_types)
        form.addRow("In one piece at most", self._most)
        form.addRow("A piece may hold", _row(self._gaps, self._splices))
        form.addRow("Cut out beside a splice", self._beside)
        form.addRow("Prices", _row(self._per_m, self._per_piece, self._per_defect))
        whole = QFormLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addRow(self._is_wanted)
        whole.addRow(self._fields)

    def show_rules(self, rules: CutRules | None) -> None:
        """Shows rules, or that no plan is wanted; what was typed is gone."""
        self._is_wanted.setChecked(rules is not None)
        self._fields.setEnabled(rules is not None)
        shown = rules or CutRules()
        self._shortest.setValue(shown.shortest_m)
        self._longest.setValue(shown.longest_m)
        self._lengths.setText(", ".join(f"{length:g}" for length in shown.lengths_m))
        self._stay_mm.setValue(shown.stay_up_to_mm)
        self._stay_types.setText(", ".join(shown.stay_types))
        self._most.setValue(-1 if shown.most_staying is None else shown.most_staying)
        self._gaps.setChecked(shown.gaps_may_stay)
        self._splices.setChecked(shown.splices_may_stay)
        self._beside.setValue(shown.beside_splice_m)
        self._per_m.setValue(shown.price_per_m)
        self._per_piece.setValue(shown.price_per_piece)
        self._per_defect.setValue(shown.price_per_staying)

    def rules(self) -> CutRules | None:
        """What stands in the fields; None where no plan is wanted. Raises ValidationError."""
        if not self._is_wanted.isChecked():
            return None
        values = {
            "shortest_m": self._shortest.value(),
            "longest_m": self._longest.value(),
            "lengths_m": tuple(map(_length, parts_of(self._lengths.text()))),
            "stay_up_to_mm": self._stay_mm.value(),
            "stay_types": parts_of(self._stay_types.text()),
            "most_staying": None if self._most.value() < 0 else self._most.value(),
            "gaps_may_stay": self._gaps.isChecked(),
            "splices_may_stay": self._splices.isChecked(),
            "beside_splice_m": self._beside.value(),
            "price_per_m": self._per_m.value(),
            "price_per_piece": self._per_piece.value(),
            "price_per_staying": self._per_defect.value(),
        }
        return CutRules.model_validate(values)


def _length(text: str) -> float | str:
    """A number where it is one; what is none is told by the rules, which want one."""
    try:
        return float(text)
    except ValueError:
        return text


def _row(*widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return box


def _check(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(f"A piece may hold {text}")
    box.setToolTip(tip)
    return box


def _number(name: str, tip: str, low: float, high: float, suffix: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(2)
    box.setSuffix(suffix)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box
