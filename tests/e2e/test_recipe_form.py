"""The recipe as a form: nonsense is refused in words, and nothing changes that nobody touched."""

import pytest
from form_tools import field, press
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
)
from pytestqt.qtbot import QtBot

from aoi_app.settings.cutting import CutRules
from aoi_app.settings.grading import GradeLimit, GradingRules
from aoi_app.settings.recipe import Recipe
from aoi_app.ui.settings.recipe_form import RecipeForm

FABRICS = ("plain", "twill")


Kept = list[tuple[Recipe, bool]]


def opened(
    qtbot: QtBot,
    recipe: Recipe,
    fabrics: tuple[str, ...] = FABRICS,
    *,
    standard: Recipe | None = None,
    own: dict[str, Recipe] | None = None,
) -> tuple[RecipeForm, Kept]:
    """A form, and what it announces."""
    form = RecipeForm()
    qtbot.addWidget(form)
    form.show_recipes(recipe, standard or recipe, own or {}, fabrics)
    kept: Kept = []
    form.kept.connect(lambda recipe, is_ordered: kept.append((recipe, is_ordered)))
    return form, kept


def problem(form: RecipeForm) -> str:
    return " ".join(x.text() for x in form.findChildren(QLabel) if x.wordWrap())


def test_what_is_filled_in_becomes_the_recipe(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe())
    name, fabric, threshold = field(form, "Name"), field(form, "Fabric"), field(form, "Threshold")
    across, overlap, margin = field(form, "across"), field(form, "Overlap"), field(form, "Margin")
    assert isinstance(name, QLineEdit)
    assert isinstance(fabric, QComboBox)
    assert isinstance(overlap, QSpinBox)
    for box, value in ((threshold, 1.5), (across, 0.125), (margin, 12.0)):
        assert isinstance(box, QDoubleSpinBox)
        box.setValue(value)
    name.setText("denim 3/1")
    fabric.setCurrentText("twill")
    overlap.setValue(96)
    press(form, "Keep")
    assert len(kept) == 1
    r = kept[0][0]
    assert (r.name, r.fabric, r.threshold, r.mm_per_px) == ("denim 3/1", "twill", 1.5, 0.125)
    assert (r.overlap_px, r.selvedge_margin_mm) == (96, 12.0)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(name="b", fabric="twill", mm_per_px=0.1, mm_per_line=0.3, overlap_px=128, find_edges=False),
        Recipe(selvedge_margin_mm=0.0, threshold=0.05, min_area_mm2=12.5, relative=False),
        Recipe(grading=GradingRules(scheme="ten-point"), cutting=CutRules(shortest_m=5)),
        Recipe(
            grading=GradingRules(
                units="yard",
                holes="always most",
                hole_types=("G1", "G2"),
                ignored_types=("W1",),
                margin_mm=25.0,
                usable_width_mm=1500.0,
                count_unreviewed=False,
                limit=GradeLimit(points=28.0, per="100 yd2"),
            )
        ),
        Recipe(
            cutting=CutRules(
                lengths_m=(25.0, 50.5),
                stay_up_to_mm=3.25,
                stay_types=("G1",),
                most_staying=0,
                gaps_may_stay=True,
                splices_may_stay=True,
                beside_splice_m=0.5,
                price_per_m=2.5,
                price_per_piece=4.0,
                price_per_staying=0.75,
            )
        ),
        Recipe(threshold=100.0, mm_per_px=10.0, selvedge_margin_mm=200.0),
        Recipe(threshold=0.875, mm_per_px=0.08467),
        Recipe(find_shade=False, shade_percent=3.5),
        Recipe(proof_every_m=0.0, proof_mm=3.0),
    ],
)
def test_an_untouched_form_changes_nothing(qtbot: QtBot, recipe: Recipe) -> None:
    form, kept = opened(qtbot, recipe)
    press(form, "Keep")
    assert len(kept) == 1
    assert kept[0][0].model_dump(exclude={"mm_per_line"}) == recipe.model_dump(exclude={"mm_per_line"})
    assert kept[0][0].line_mm == recipe.line_mm


@pytest.mark.parametrize("fabrics", [(), FABRICS])
def test_a_fabric_that_the_model_does_not_have_is_not_dropped_silently(qtbot: QtBot, fabrics: tuple[str, ...]) -> None:
    form, kept = opened(qtbot, Recipe(fabric="denim"), fabrics)
    press(form, "Keep")
    assert kept[0][0].fabric == "denim"


def test_nonsense_is_refused_in_words_and_the_form_stays(qtbot: QtBot) -> None:
    before = Recipe(name="standard")
    form, kept = opened(qtbot, before)
    name, overlap = field(form, "Name"), field(form, "Overlap")
    assert isinstance(name, QLineEdit)
    assert isinstance(overlap, QSpinBox)
    overlap.setValue(50)
    press(form, "Keep")
    assert kept == []
    assert "overlap_px" in problem(form)
    assert "8" in problem(form)
    name.setText("   ")
    press(form, "Keep")
    assert "name" in problem(form)
    assert kept == []
    overlap.setValue(64)
    name.setText("good")
    press(form, "Keep")
    assert len(kept) == 1


def test_the_grade_of_a_roll_is_set_in_the_form(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe())
    boxes = {box.accessibleName(): box for box in form.findChildren(QComboBox)}
    texts = {box.accessibleName(): box for box in form.findChildren(QLineEdit)}
    numbers = {box.accessibleName(): box for box in form.findChildren(QDoubleSpinBox)}
    boxes["Points system"].setCurrentText("ten-point")
    texts["Types without points"].setText("W1,W2 , ")
    numbers["Most points of a roll that passes"].setValue(20)
    boxes["What the limit is per"].setCurrentText("100 m2")
    press(form, "Keep")
    grading = kept[0][0].grading
    assert (grading.scheme, grading.ignored_types) == ("ten-point", ("W1", "W2"))
    assert grading.limit == GradeLimit(points=20, per="100 m2")
    texts["Types that are holes"].setText("a code that is much too long")
    press(form, "Keep")
    assert len(kept) == 1
    assert "hole_types" in problem(form)


def test_the_cuts_of_a_roll_are_set_in_the_form(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe())
    checks = {box.accessibleName(): box for box in form.findChildren(QCheckBox)}
    texts = {box.accessibleName(): box for box in form.findChildren(QLineEdit)}
    assert not texts["Exact lengths of pieces"].isEnabled()
    checks["Cut plan"].setChecked(True)
    texts["Exact lengths of pieces"].setText("25, 50")
    checks["A piece may hold a splice"].setChecked(True)
    press(form, "Keep")
    cutting = kept[0][0].cutting
    assert (cutting.lengths_m, cutting.splices_may_stay) == ((25.0, 50.0), True)
    texts["Exact lengths of pieces"].setText("25, fifty")
    press(form, "Keep")
    assert len(kept) == 1
    assert "lengths_m" in problem(form)
    checks["Cut plan"].setChecked(False)
    press(form, "Keep")
    assert kept[1][0].cutting is None


def test_changes_that_are_undone_are_gone(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe())
    name = field(form, "Name")
    assert isinstance(name, QLineEdit)
    assert not form.is_touched
    name.setText("other")
    assert form.is_touched
    press(form, "Undo changes")
    assert (name.text(), form.is_touched, kept) == ("standard", False, [])


def test_the_fabric_that_is_looked_at_stays_when_recipes_are_shown_again(qtbot: QtBot) -> None:
    form, _ = opened(qtbot, Recipe(), own={"twill": OWN})
    chosen(form, "twill")
    form.show_recipes(Recipe(), Recipe(), {"twill": OWN.model_copy(update={"threshold": 2.5})}, FABRICS)
    threshold = field(form, "Threshold")
    assert isinstance(threshold, QDoubleSpinBox)
    assert threshold.value() == 2.5


def test_numbers_cannot_leave_their_range(qtbot: QtBot) -> None:
    form, _ = opened(qtbot, Recipe())
    for box in form.findChildren(QAbstractSpinBox):
        assert isinstance(box, QSpinBox | QDoubleSpinBox)
        box.setValue(type(box.value())(1e9))
        assert box.value() == box.maximum() < 1e9
        box.setValue(type(box.value())(-1e9))
        assert box.value() == box.minimum() >= -1


OWN = Recipe(name="twill 2/1", fabric="twill", threshold=1.75, min_area_mm2=4.0, camera_preset="/presets/t.json")


def chosen(form: RecipeForm, fabric: str) -> None:
    box = field(form, "Fabric")
    assert isinstance(box, QComboBox)
    box.setCurrentText(fabric)


def ordered(form: RecipeForm) -> QCheckBox:
    (box,) = [b for b in form.findChildren(QCheckBox) if "order" in b.text()]
    return box


def test_the_recipe_of_a_fabric_is_shown_and_edited_without_an_order(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe(), FABRICS, own={"twill": OWN})
    assert not ordered(form).isEnabled()
    chosen(form, "twill")
    press(form, "Keep")
    assert kept[0][0].model_copy(update={"mm_per_line": None}) == OWN
    assert not kept[0][1]


def test_back_at_the_standard_recipe_nothing_of_the_fabric_is_left(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe(), FABRICS, own={"twill": OWN})
    chosen(form, "twill")
    ordered(form).setChecked(True)
    chosen(form, "as the cloth matches")
    press(form, "Keep")
    assert kept[0][0] == Recipe()
    assert not kept[0][1]


def test_the_order_of_the_roll_is_shown(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, OWN, ("plain",), standard=Recipe())
    assert ordered(form).isChecked()
    press(form, "Keep")
    assert kept[0][1]
    assert kept[0][0].fabric == "twill"


def test_a_fabric_without_a_recipe_begins_with_what_stands_there_under_its_own_name(qtbot: QtBot) -> None:
    form, kept = opened(qtbot, Recipe(threshold=1.25), FABRICS)
    chosen(form, "plain")
    press(form, "Keep")
    assert (kept[0][0].name, kept[0][0].threshold) == ("plain", 1.25)
