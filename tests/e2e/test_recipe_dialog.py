"""The recipe as a form: nonsense is refused in words, and nothing changes that nobody touched."""

import pytest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
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
from pytestqt.qtbot import QtBot

from aoi_app.settings.recipe import Recipe
from aoi_app.ui.recipe.recipe_dialog import RecipeDialog

FABRICS = ("plain", "twill")


def opened(qtbot: QtBot, recipe: Recipe, fabrics: tuple[str, ...] = FABRICS) -> RecipeDialog:
    dialog = RecipeDialog(recipe, fabrics)
    qtbot.addWidget(dialog)
    return dialog


def field(dialog: RecipeDialog, label: str) -> QWidget:
    """The field beside a label of the form."""
    form = dialog.layout()
    assert isinstance(form, QFormLayout)
    for row in range(form.rowCount()):
        item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        text = item.widget() if item is not None else None
        if isinstance(text, QLabel) and label in text.text().replace("&", ""):
            return form.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
    raise AssertionError(f"there is no field {label}")


def accept(dialog: RecipeDialog) -> None:
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(buttons, QDialogButtonBox)
    buttons.button(QDialogButtonBox.StandardButton.Ok).click()


def problem(dialog: RecipeDialog) -> str:
    return " ".join(x.text() for x in dialog.findChildren(QLabel) if x.wordWrap())


def test_what_is_filled_in_becomes_the_recipe(qtbot: QtBot) -> None:
    dialog = opened(qtbot, Recipe())
    name, fabric, threshold = field(dialog, "Name"), field(dialog, "Fabric"), field(dialog, "Threshold")
    across, overlap, margin = field(dialog, "across"), field(dialog, "Overlap"), field(dialog, "Margin")
    assert isinstance(name, QLineEdit)
    assert isinstance(fabric, QComboBox)
    assert isinstance(overlap, QSpinBox)
    for box, value in ((threshold, 1.5), (across, 0.125), (margin, 12.0)):
        assert isinstance(box, QDoubleSpinBox)
        box.setValue(value)
    name.setText("denim 3/1")
    fabric.setCurrentText("twill")
    overlap.setValue(96)
    accept(dialog)
    assert dialog.result() == QDialog.DialogCode.Accepted
    r = dialog.recipe
    assert (r.name, r.fabric, r.threshold, r.mm_per_px) == ("denim 3/1", "twill", 1.5, 0.125)
    assert (r.overlap_px, r.selvedge_margin_mm) == (96, 12.0)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(name="b", fabric="twill", mm_per_px=0.1, mm_per_line=0.3, overlap_px=128, find_edges=False),
        Recipe(selvedge_margin_mm=0.0, threshold=0.05, min_area_mm2=12.5, relative=False),
        Recipe(threshold=100.0, mm_per_px=10.0, selvedge_margin_mm=200.0),
        Recipe(threshold=0.875, mm_per_px=0.08467),
    ],
)
def test_an_untouched_form_changes_nothing(qtbot: QtBot, recipe: Recipe) -> None:
    dialog = opened(qtbot, recipe)
    accept(dialog)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.recipe.model_dump(exclude={"mm_per_line"}) == recipe.model_dump(exclude={"mm_per_line"})
    assert dialog.recipe.line_mm == recipe.line_mm


@pytest.mark.parametrize("fabrics", [(), FABRICS])
def test_a_fabric_that_the_model_does_not_have_is_not_dropped_silently(qtbot: QtBot, fabrics: tuple[str, ...]) -> None:
    dialog = opened(qtbot, Recipe(fabric="denim"), fabrics)
    accept(dialog)
    assert dialog.recipe.fabric == "denim"


def test_nonsense_is_refused_in_words_and_the_form_stays(qtbot: QtBot) -> None:
    before = Recipe(name="standard")
    dialog = opened(qtbot, before)
    name, overlap = field(dialog, "Name"), field(dialog, "Overlap")
    assert isinstance(name, QLineEdit)
    assert isinstance(overlap, QSpinBox)
    overlap.setValue(50)
    accept(dialog)
    assert dialog.result() != QDialog.DialogCode.Accepted
    assert "overlap_px" in problem(dialog)
    assert "8" in problem(dialog)
    name.setText("   ")
    accept(dialog)
    assert "name" in problem(dialog)
    assert dialog.recipe == before
    overlap.setValue(64)
    name.setText("good")
    accept(dialog)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_cancelling_keeps_the_recipe(qtbot: QtBot) -> None:
    before = Recipe()
    dialog = opened(qtbot, before)
    name = field(dialog, "Name")
    assert isinstance(name, QLineEdit)
    name.setText("other")
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(buttons, QDialogButtonBox)
    buttons.button(QDialogButtonBox.StandardButton.Cancel).click()
    assert dialog.result() == QDialog.DialogCode.Rejected
    assert dialog.recipe is before


def test_numbers_cannot_leave_their_range(qtbot: QtBot) -> None:
    dialog = opened(qtbot, Recipe())
    for box in dialog.findChildren(QAbstractSpinBox):
        assert isinstance(box, QSpinBox | QDoubleSpinBox)
        box.setValue(type(box.value())(1e9))
        assert box.value() == box.maximum() < 1e9
        box.setValue(type(box.value())(-1e9))
        assert box.value() == box.minimum() >= -1


OWN = Recipe(name="twill 2/1", fabric="twill", threshold=1.75, min_area_mm2=4.0, camera_preset="/presets/t.json")


def chosen(dialog: RecipeDialog, fabric: str) -> None:
    box = field(dialog, "Fabric")
    assert isinstance(box, QComboBox)
    box.setCurrentText(fabric)


def ordered(dialog: RecipeDialog) -> QCheckBox:
    (box,) = [b for b in dialog.findChildren(QCheckBox) if "order" in b.text()]
    return box


def test_the_recipe_of_a_fabric_is_shown_and_edited_without_an_order(qtbot: QtBot) -> None:
    dialog = RecipeDialog(Recipe(), FABRICS, own={"twill": OWN})
    qtbot.addWidget(dialog)
    assert not ordered(dialog).isEnabled()
    chosen(dialog, "twill")
    accept(dialog)
    assert dialog.recipe.model_copy(update={"mm_per_line": None}) == OWN
    assert not dialog.is_ordered


def test_back_at_the_standard_recipe_nothing_of_the_fabric_is_left(qtbot: QtBot) -> None:
    dialog = RecipeDialog(Recipe(), FABRICS, own={"twill": OWN})
    qtbot.addWidget(dialog)
    chosen(dialog, "twill")
    ordered(dialog).setChecked(True)
    chosen(dialog, "as the cloth matches")
    accept(dialog)
    assert dialog.recipe == Recipe()
    assert not dialog.is_ordered


def test_the_order_of_the_roll_is_shown(qtbot: QtBot) -> None:
    dialog = RecipeDialog(OWN, ("plain",), standard=Recipe())
    qtbot.addWidget(dialog)
    assert ordered(dialog).isChecked()
    accept(dialog)
    assert dialog.is_ordered
    assert dialog.recipe.fabric == "twill"


def test_a_fabric_without_a_recipe_begins_with_what_stands_there_under_its_own_name(qtbot: QtBot) -> None:
    dialog = RecipeDialog(Recipe(threshold=1.25), FABRICS)
    qtbot.addWidget(dialog)
    chosen(dialog, "plain")
    accept(dialog)
    assert (dialog.recipe.name, dialog.recipe.threshold) == ("plain", 1.25)
