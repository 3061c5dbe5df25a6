"""The recipe as a form."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from aoi_app.recipes import Recipe, describe

_BY_CLOTH = "as the cloth matches"


class RecipeDialog(QDialog):
    """Asks for a recipe; what is out of range is said in the form and cannot be accepted."""

    def __init__(self, recipe: Recipe, fabrics: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Recipe")
        self.recipe = recipe
        self._name = QLineEdit(recipe.name)
        self._fabric = QComboBox()
        self._fabric.addItems([_BY_CLOTH, *fabrics])
        if recipe.fabric is not None and recipe.fabric not in fabrics:  # the model is not loaded, or another one
            self._fabric.addItem(recipe.fabric)
        self._fabric.setCurrentText(recipe.fabric or _BY_CLOTH)
        self._mm_per_px = _millimetres(recipe.mm_per_px, 0.001, 10, 6)
        self._mm_per_line = _millimetres(recipe.mm_per_line or 0.0, 0.0, 10, 6)
        self._mm_per_line.setSpecialValueText("as across")
        self._overlap = QSpinBox()
        self._overlap.setRange(48, 256)
        self._overlap.setSingleStep(8)
        self._overlap.setSuffix(" px")
        self._overlap.setValue(recipe.overlap_px)
        self._edges = QCheckBox("find the edges of the cloth")
        self._edges.setChecked(recipe.find_edges)
        self._selvedge = _millimetres(
            -1.0 if recipe.selvedge_margin_mm is None else recipe.selvedge_margin_mm, -1, 200, 1
        )
        self._selvedge.setSpecialValueText("as the selvedge is found")
        self._threshold = QDoubleSpinBox()
        self._threshold.setDecimals(4)
        self._threshold.setRange(0.05, 100)
        self._threshold.setSingleStep(0.05)
        self._threshold.setValue(recipe.threshold)
        self._min_area = _millimetres(recipe.min_area_mm2, 0, 1e6, 2, " mm²")
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("&Name", self._name)
        form.addRow("&Fabric", self._fabric)
        form.addRow("Pixel, &across", self._mm_per_px)
        form.addRow("Line, a&long", self._mm_per_line)
        form.addRow("&Overlap of tiles", self._overlap)
        form.addRow("", self._edges)
        form.addRow("&Margin from the edge", self._selvedge)
        form.addRow("&Threshold (1 = limit)", self._threshold)
        form.addRow("&Smallest defect", self._min_area)
        form.addRow(self._problem)
        form.addRow(buttons)

    def _accept(self) -> None:
        fabric = self._fabric.currentText()
        try:
            self.recipe = Recipe(
                name=self._name.text().strip(),
                fabric=None if fabric == _BY_CLOTH else fabric,
                mm_per_px=self._mm_per_px.value(),
                mm_per_line=self._mm_per_line.value() or None,
                overlap_px=self._overlap.value(),
                find_edges=self._edges.isChecked(),
                selvedge_margin_mm=None if self._selvedge.value() < 0 else self._selvedge.value(),
                threshold=self._threshold.value(),
                min_area_mm2=self._min_area.value(),
                relative=self.recipe.relative,
            )
        except ValidationError as error:
            self._problem.setText(describe(error))
            return
        self.accept()


def _millimetres(value: float, low: float, high: float, digits: int, suffix: str = " mm") -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(digits)
    box.setRange(low, high)
    box.setSingleStep(10.0 ** -min(digits, 2))
    box.setSuffix(suffix)
    box.setValue(value)
    return box
