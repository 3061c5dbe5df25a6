"""Forms as a person fills them in."""

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QPushButton, QWidget

from aoi_app.settings.recipe import Recipe
from aoi_app.ui.settings.recipe_form import RecipeForm


def field(form: RecipeForm, label: str) -> QWidget:
    """The field beside a label of the form."""
    layout = form.layout()
    assert isinstance(layout, QFormLayout)
    for row in range(layout.rowCount()):
        item = layout.itemAt(row, QFormLayout.ItemRole.LabelRole)
        text = item.widget() if item is not None else None
        if isinstance(text, QLabel) and label in text.text().replace("&", ""):
            return layout.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
    raise AssertionError(f"there is no field {label}")


def press(form: RecipeForm, text: str) -> None:
    (button,) = [b for b in form.findChildren(QPushButton) if b.text().replace("&", "") == text]
    button.click()


def keep(form: RecipeForm, recipe: Recipe) -> None:
    """Types the fabric, the name, the scale, the threshold and the smallest defect of a recipe, and keeps it."""
    fabric, name = field(form, "Fabric"), field(form, "Name")
    assert isinstance(fabric, QComboBox)
    assert isinstance(name, QLineEdit)
    fabric.setCurrentText(recipe.fabric or "as the cloth matches")
    name.setText(recipe.name)
    values = {"across": recipe.mm_per_px, "Threshold": recipe.threshold, "Smallest": recipe.min_area_mm2}
    for label, value in values.items():
        box = field(form, label)
        assert isinstance(box, QDoubleSpinBox)
        box.setValue(value)
    press(form, "Keep")
