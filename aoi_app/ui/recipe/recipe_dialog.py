"""Recipes as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QStyle,
    QWidget,
)

from aoi_app.settings.recipe import Recipe, describe

_BY_CLOTH = "as the cloth matches"


class RecipeDialog(QDialog):
    """Asks for the recipe of a fabric, or for the one of cloth that has none; what is out of range is said in the form
    and cannot be accepted.
    """

    def __init__(
        self,
        recipe: Recipe,
        fabrics: Sequence[str],
        parent: QWidget | None = None,
        *,
        standard: Recipe | None = None,
        own: Mapping[str, Recipe] | None = None,
    ) -> None:
        """
        Args:
            recipe: shown first, the one of the next roll.
            fabrics: that the model knows.
            parent: window.
            standard: of cloth that has no recipe of its own; None is ``recipe`` where that names no fabric.
            own: the recipes of fabrics, by fabric.
        """
        super().__init__(parent)
        self.setWindowTitle("Recipe")
        self.recipe = recipe
        self._standard = standard or (recipe if recipe.fabric is None else None)
        self._own = dict(own or {})
        self._make_fields()
        others = sorted({*self._own, *([recipe.fabric] if recipe.fabric is not None else [])} - set(fabrics))
        self._fabric.addItems([_BY_CLOTH, *fabrics, *others])  # others: the model is not loaded, or another one
        self._fabric.setCurrentText(recipe.fabric or _BY_CLOTH)
        self._ordered.setChecked(recipe.fabric is not None)
        self._ordered.setEnabled(recipe.fabric is not None)
        self._show(recipe)
        self._fabric.currentTextChanged.connect(self._fabric_chosen)
        self._lay_out()

    @property
    def is_ordered(self) -> bool:
        """The order of the next roll names the fabric of this recipe; its cloth is not matched."""
        return self._ordered.isChecked() and self.recipe.fabric is not None

    def _make_fields(self) -> None:
        self._name = QLineEdit()
        self._fabric = QComboBox()
        self._ordered = QCheckBox("the order names it: compare with it, and warn of other cloth")
        self._mm_per_px = _millimetres(0.001, 10, 6)
        self._mm_per_line = _millimetres(0.0, 10, 6)
        self._mm_per_line.setSpecialValueText("as across")
        self._overlap = QSpinBox()
        self._overlap.setRange(48, 256)
        self._overlap.setSingleStep(8)
        self._overlap.setSuffix(" px")
        self._edges = QCheckBox("find the edges of the cloth")
        self._selvedge = _millimetres(-1, 200, 1)
        self._selvedge.setSpecialValueText("as the selvedge is found")
        self._threshold = QDoubleSpinBox()
        self._threshold.setDecimals(4)
        self._threshold.setRange(0.05, 100)
        self._threshold.setSingleStep(0.05)
        self._min_area = _millimetres(0, 1e6, 2, " mm²")
        self._preset = QLineEdit()
        self._preset.setPlaceholderText("as the camera is set up")
        self._problem = QLabel()
        self._problem.setWordWrap(True)

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        choose = self._preset.addAction(
            self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon), QLineEdit.ActionPosition.TrailingPosition
        )
        choose.setToolTip("Choose a file")
        choose.triggered.connect(self._choose_preset)
        form = QFormLayout(self)
        form.addRow("&Fabric", self._fabric)
        form.addRow("", self._ordered)
        form.addRow("&Name", self._name)
        form.addRow("Pixel, &across", self._mm_per_px)
        form.addRow("Line, a&long", self._mm_per_line)
        form.addRow("&Overlap of tiles", self._overlap)
        form.addRow("", self._edges)
        form.addRow("&Margin from the edge", self._selvedge)
        form.addRow("&Threshold (1 = limit)", self._threshold)
        form.addRow("&Smallest defect", self._min_area)
        form.addRow("&Camera preset", self._preset)
        form.addRow(self._problem)
        form.addRow(buttons)

    def _show(self, recipe: Recipe) -> None:
        self._shown = recipe
        self._name.setText(recipe.name)
        self._mm_per_px.setValue(recipe.mm_per_px)
        self._mm_per_line.setValue(recipe.mm_per_line or 0.0)
        self._overlap.setValue(recipe.overlap_px)
        self._edges.setChecked(recipe.find_edges)
        self._selvedge.setValue(-1.0 if recipe.selvedge_margin_mm is None else recipe.selvedge_margin_mm)
        self._threshold.setValue(recipe.threshold)
        self._min_area.setValue(recipe.min_area_mm2)
        self._preset.setText(recipe.camera_preset or "")

    def _fabric_chosen(self, fabric: str) -> None:
        """Shows the fabric's own recipe; where it has none, what stands there is the beginning of one."""
        by_cloth = fabric == _BY_CLOTH
        self._ordered.setEnabled(not by_cloth)
        if by_cloth:
            self._ordered.setChecked(False)
        known = self._standard if by_cloth else self._own.get(fabric)
        if known is not None:
            self._show(known)
        elif not by_cloth and self._name.text() == self._shown.name:
            self._name.setText(fabric)

    def _choose_preset(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Camera preset", self._preset.text(), "Presets (*.json)")
        if path:
            self._preset.setText(path)

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
                relative=self._shown.relative,
                camera_preset=self._preset.text().strip() or None,
            )
        except ValidationError as error:
            self._problem.setText(describe(error))
            return
        self.accept()


def _millimetres(low: float, high: float, digits: int, suffix: str = " mm") -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(digits)
    box.setRange(low, high)
    box.setSingleStep(10.0 ** -min(digits, 2))
    box.setSuffix(suffix)
    return box
