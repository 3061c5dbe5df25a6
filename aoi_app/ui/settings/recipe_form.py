"""Recipes as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStyle,
    QWidget,
)

from aoi_app.settings.ignored_lanes import IgnoredLaneError, lanes_as_text, lanes_of_text
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.strict_json import describe_errors
from aoi_app.ui.settings.cutting_form import CuttingForm
from aoi_app.ui.settings.grading_form import GradingForm
from aoi_app.ui.widgets.plain import PlainLabel

_BY_CLOTH = "as the cloth matches"


class RecipeForm(QWidget):
    """Edits the recipe of a fabric, or the one of cloth that has none. What is out of range is said in the form and
    not announced.

    Signals:
        kept: Recipe as it was edited, and whether the work order of the next roll names its fabric.
    """

    kept = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = self._standard = Recipe()
        self._own: dict[str, Recipe] = {}
        self._chosen: str | None = None  # fabric, or of all, that the person looks at
        self._make_fields()
        self._lay_out()
        self.show_recipes(self._line, self._standard, {}, ())
        self._fabric.currentTextChanged.connect(self._fabric_chosen)

    def show_recipes(self, line: Recipe, standard: Recipe, own: Mapping[str, Recipe], fabrics: Sequence[str]) -> None:
        """Shows the recipe that was looked at, else the one of the next roll; what was typed and not kept is gone.

        Args:
            line: of the next roll.
            standard: of cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
            fabrics: that the model knows.
        """
        self._line, self._standard, self._own = line, standard, dict(own)
        others = sorted({*own, *([line.fabric] if line.fabric is not None else [])} - set(fabrics))
        before = self._fabric.blockSignals(True)
        self._fabric.clear()
        self._fabric.addItems([_BY_CLOTH, *fabrics, *others])  # others: the model is not loaded, or another one
        is_known = self._chosen is not None and self._fabric.findText(self._chosen) >= 0
        chosen = self._chosen if is_known and self._chosen is not None else line.fabric or _BY_CLOTH
        self._fabric.setCurrentText(chosen)
        self._fabric.blockSignals(before)
        self._ordered.setChecked(line.fabric == chosen)
        self._ordered.setEnabled(chosen != _BY_CLOTH)
        self._self_taught.setEnabled(chosen == _BY_CLOTH)
        self._problem.setText("")
        self._show(line if line.fabric == chosen else self._own.get(chosen, standard))

    @property
    def is_touched(self) -> bool:
        """Something was typed that is not kept."""
        try:
            return self._recipe() != self._shown
        except (ValidationError, IgnoredLaneError):
            return True

    def _make_fields(self) -> None:
        self._name = QLineEdit()
        self._fabric = QComboBox()
        self._ordered = QCheckBox("the work order names it: warn of other cloth")
        self._self_taught = QCheckBox("each roll is taught by its own first cloth; no fabric has to be known")
        self._first_cloth = _millimetres(0.05, 2, 2, " m")
        self._self_taught.toggled.connect(self._first_cloth.setEnabled)
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
        self._ignored = QLineEdit()
        self._ignored.setPlaceholderText("nothing; for example left 20-45, right 0-12.5")
        self._ignored.setToolTip(
            "Lanes along the web that are not inspected, in millimetres from an edge of the cloth; "
            "on the page of the line they are marked with two clicks"
        )
        self._threshold = QDoubleSpinBox()
        self._threshold.setDecimals(4)
        self._threshold.setRange(0.05, 100)
        self._threshold.setSingleStep(0.05)
        self._wanted_rate = QDoubleSpinBox()
        self._wanted_rate.setRange(0, 1000)
        self._wanted_rate.setDecimals(1)
        self._wanted_rate.setSpecialValueText("the threshold stays")
        self._wanted_rate.setToolTip(
            "So many false alarms are wanted; the threshold follows from the cloth that runs, once 2 m² of it were seen"
        )
        self._lowest, self._highest = (QDoubleSpinBox() for _ in range(2))
        for box, name in ((self._lowest, "Lowest threshold"), (self._highest, "Highest threshold")):
            box.setRange(0.05, 100)
            box.setSingleStep(0.05)
            box.setAccessibleName(name)
            box.setToolTip("The threshold follows the cloth between these two")
        self._min_area = _millimetres(0, 1e6, 2, " mm²")
        self._shade = QCheckBox("find what is only darker or lighter: stripes, bars, stains")
        self._contrast = _millimetres(0.2, 50, 2, " %")
        self._proof_every = _millimetres(0, 10_000, 1, " m")
        self._proof_every.setSpecialValueText("never")
        self._proof_size = _millimetres(1, 8, 1, " mm")
        self._shade.toggled.connect(self._contrast.setEnabled)
        self._preset = QLineEdit()
        self._preset.setPlaceholderText("as the camera is set up")
        self._grading = GradingForm()
        self._cutting = CuttingForm()
        self._explain()
        self._problem = PlainLabel()
        self._problem.setWordWrap(True)
        self._problem.setAccessibleName("What is wrong with the recipe")

    def _explain(self) -> None:
        tips: tuple[tuple[QWidget, str], ...] = (
            (self._fabric, "Each fabric has a recipe of its own; this one is of cloth that has none"),
            (self._ordered, "The fabric of the next roll is this one; other cloth raises an alarm"),
            (self._self_taught, "The model learns the cloth from the beginning of the roll, which is then inspected"),
            (self._first_cloth, "So much cloth teaches; it is held back until the model is ready, and lost nowhere"),
            (self._name, "How the recipe is called in the status bar and in the records"),
            (self._mm_per_px, "Width of one pixel on the cloth; M on the line page measures it"),
            (self._mm_per_line, "Length of one line on the cloth; M on the line page measures it"),
            (self._overlap, "How far tiles overlap; more costs time and sees more at their borders"),
            (self._edges, "What lies beyond the edges of the cloth is not inspected"),
            (self._selvedge, "So wide a margin at both edges is not inspected"),
            (self._threshold, "Score from which a place is a defect; 1 is calibrated on good cloth"),
            (self._min_area, "Smaller places are not told"),
            (self._shade, "Stripes, bars and stains that are only darker or lighter than the cloth beside them"),
            (self._contrast, "What a stripe 8 mm wide must differ by to be a defect"),
            (self._proof_every, "After so many metres painted spots show whether the line still sees"),
            (self._proof_size, "Spots of this size and more must be found; else it is an alarm"),
            (self._preset, "Settings that the camera gets when a roll begins; a file of the page Cameras"),
        )
        for widget, tip in tips:
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        keep = QPushButton("&Keep")
        keep.setObjectName("main")
        keep.setToolTip("Write the recipe; the next roll, and where it can the running one, is inspected with it")
        keep.clicked.connect(self._keep)
        undo = QPushButton("&Undo changes")
        undo.setToolTip("Show the recipe again as it is kept")
        undo.clicked.connect(self._undo)
        buttons = QHBoxLayout()
        buttons.addWidget(keep)
        buttons.addWidget(undo)
        buttons.addStretch(1)
        choose = self._preset.addAction(
            self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon), QLineEdit.ActionPosition.TrailingPosition
        )
        choose.setToolTip("Choose a file")
        choose.triggered.connect(self._choose_preset)
        form = QFormLayout(self)
        form.addRow("&Fabric", self._fabric)
        form.addRow("", self._ordered)
        form.addRow("", self._self_taught)
        form.addRow("F&irst cloth that teaches", self._first_cloth)
        form.addRow("&Name", self._name)
        form.addRow("Pixel, &across", self._mm_per_px)
        form.addRow("Line, a&long", self._mm_per_line)
        form.addRow("&Overlap of tiles", self._overlap)
        form.addRow("", self._edges)
        form.addRow("Ma&rgin from the edge", self._selvedge)
        form.addRow("Lea&ve out lanes, mm", self._ignored)
        form.addRow("&Threshold (1 = calibrated)", self._threshold)
        both = QWidget()  # a label has a key for a widget, not for a row of them
        both.setFocusProxy(self._lowest)
        bounds = QHBoxLayout(both)
        bounds.setContentsMargins(0, 0, 0, 0)
        for widget in (PlainLabel("from"), self._lowest, PlainLabel("to"), self._highest):
            bounds.addWidget(widget)
        bounds.addStretch(1)
        form.addRow("False alarms per 100 m², &wanted", self._wanted_rate)
        form.addRow("Threshold may &go", both)
        form.addRow("S&mallest defect", self._min_area)
        form.addRow("", self._shade)
        form.addRow("Contrast of s&hade, 8 mm wide", self._contrast)
        form.addRow("&Prove that the line sees, every", self._proof_every)
        form.addRow("Painted spots that m&ust be found, from", self._proof_size)
        form.addRow("&Camera preset", self._preset)
        form.addRow("Grade of a roll", self._grading)
        form.addRow("Cuts of a roll", self._cutting)
        form.addRow(self._problem)
        form.addRow(buttons)

    def _show(self, recipe: Recipe) -> None:
        self._shown = recipe
        self._name.setText(recipe.name)
        self._self_taught.setChecked(recipe.self_taught)
        self._first_cloth.setValue(recipe.first_cloth_m)
        self._first_cloth.setEnabled(recipe.self_taught)
        self._mm_per_px.setValue(recipe.mm_per_px)
        self._mm_per_line.setValue(recipe.mm_per_line or 0.0)
        self._overlap.setValue(recipe.overlap_px)
        self._edges.setChecked(recipe.find_edges)
        self._selvedge.setValue(-1.0 if recipe.selvedge_margin_mm is None else recipe.selvedge_margin_mm)
        self._ignored.setText(lanes_as_text(recipe.ignored))
        self._threshold.setValue(recipe.threshold)
        self._wanted_rate.setValue(recipe.false_alarms_per_100_m2 or 0.0)
        self._lowest.setValue(recipe.lowest_threshold)
        self._highest.setValue(recipe.highest_threshold)
        self._min_area.setValue(recipe.min_area_mm2)
        self._shade.setChecked(recipe.find_shade)
        self._contrast.setValue(recipe.shade_percent)
        self._contrast.setEnabled(recipe.find_shade)
        self._proof_every.setValue(recipe.proof_every_m)
        self._proof_size.setValue(recipe.proof_mm)
        self._preset.setText(recipe.camera_preset or "")
        self._grading.show_rules(recipe.grading)
        self._cutting.show_rules(recipe.cutting)

    def _fabric_chosen(self, fabric: str) -> None:
        """Shows the fabric's own recipe; where it has none, what stands there is the beginning of one."""
        self._chosen = fabric
        by_cloth = fabric == _BY_CLOTH
        self._ordered.setEnabled(not by_cloth)
        if by_cloth:
            self._ordered.setChecked(False)
        self._self_taught.setEnabled(by_cloth)
        known = self._standard if by_cloth else self._own.get(fabric)
        if known is not None:
            self._show(known)
        elif not by_cloth and self._name.text() == self._shown.name:
            self._name.setText(fabric)

    def _choose_preset(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Camera preset", self._preset.text(), "Presets (*.json)")
        if path:
            self._preset.setText(path)

    def _recipe(self) -> Recipe:
        """What stands in the form. Raises ValidationError, or IgnoredLaneError."""
        fabric = self._fabric.currentText()
        is_for_all = fabric == _BY_CLOTH
        return Recipe(
            name=self._name.text().strip(),
            fabric=None if is_for_all else fabric,
            self_taught=is_for_all and self._self_taught.isChecked(),
            first_cloth_m=self._first_cloth.value(),
            mm_per_px=self._mm_per_px.value(),
            mm_per_line=self._mm_per_line.value() or None,
            overlap_px=self._overlap.value(),
            find_edges=self._edges.isChecked(),
            selvedge_margin_mm=None if self._selvedge.value() < 0 else self._selvedge.value(),
            ignored=lanes_of_text(self._ignored.text()),
            threshold=self._threshold.value(),
            false_alarms_per_100_m2=self._wanted_rate.value() or None,
            lowest_threshold=self._lowest.value(),
            highest_threshold=self._highest.value(),
            min_area_mm2=self._min_area.value(),
            relative=self._shown.relative,
            find_shade=self._shade.isChecked(),
            shade_percent=self._contrast.value(),
            proof_every_m=self._proof_every.value(),
            proof_mm=self._proof_size.value(),
            camera_preset=self._preset.text().strip() or None,
            grading=self._grading.rules(),
            cutting=self._cutting.rules(),
        )

    def _keep(self) -> None:
        try:
            recipe = self._recipe()
        except ValidationError as error:
            self._problem.setText(describe_errors(error))
            return
        except IgnoredLaneError as error:
            self._problem.setText(str(error))
            return
        self._problem.setText("")
        self._shown = recipe
        self.kept.emit(recipe, self._ordered.isChecked() and recipe.fabric is not None)

    def _undo(self) -> None:
        self.show_recipes(self._line, self._standard, self._own, self._fabrics())

    def _fabrics(self) -> list[str]:
        return [self._fabric.itemText(i) for i in range(1, self._fabric.count())]


def _millimetres(low: float, high: float, digits: int, suffix: str = " mm") -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(digits)
    box.setRange(low, high)
    box.setSingleStep(10.0 ** -min(digits, 2))
    box.setSuffix(suffix)
    return box
