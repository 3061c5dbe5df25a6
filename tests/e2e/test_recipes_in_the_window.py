"""Recipes of fabrics in the window: the slider follows the cloth, and what was edited acts on the running roll."""

from form_tools import keep
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import (
    ENDLESS,
    LOOM,
    PATIENCE_MS,
    Begin,
    banner,
    inspecting,
    over,
    press,
    recipe_form,
    start_next,
    stop,
)

from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.settings.folders import recipes_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.recipe_store import load_recipes, save_recipe

PLAIN = Recipe(name="plain", fabric="plain", threshold=1.5, min_area_mm2=2.0)


def test_the_recipe_of_the_matched_fabric_holds_and_the_slider_shows_it(
    begin: Begin, qtbot: QtBot, engine: Engine
) -> None:
    save_recipe(PLAIN, recipes_folder())
    application = begin(LOOM)
    over(qtbot, application)
    assert application.line.page.threshold == 1.5
    roll = read_roll(engine, 1)
    assert roll["roll"]["threshold"] == 1.5
    assert [r["kind"] for r in roll["remarks"] if r["kind"] != "proof"] == ["recipe", "matched"]
    assert all(d["area_mm2"] >= 2.0 for d in roll["defects"])
    start_next(qtbot, application)  # the next roll begins with the recipe of the line
    assert application.line.page.threshold == 1.0
    over(qtbot, application)
    assert read_roll(engine, 2)["roll"]["threshold"] == 1.5


def test_an_edited_recipe_acts_on_the_running_roll(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(ENDLESS, recipe=Recipe())
    inspecting(qtbot, application)
    qtbot.waitUntil(lambda: "matches plain" in banner(application), timeout=PATIENCE_MS)
    press(application, "recipe")
    keep(recipe_form(application), PLAIN)
    assert "act at once" in banner(application)
    qtbot.waitUntil(lambda: application.line.page.threshold == 1.5, timeout=PATIENCE_MS)
    assert load_recipes(recipes_folder()) == ({"plain": PLAIN}, [])
    stop(qtbot, application)
    over(qtbot, application)
    assert len(read_summaries(engine, 10)) == 1
    assert "the recipe of plain holds: threshold 1.5, smallest defect 2 mm²" in [
        r["text"] for r in read_roll(engine, 1)["remarks"]
    ]


def test_a_bad_recipe_is_named_at_the_start(begin: Begin) -> None:
    recipes_folder().mkdir(parents=True)
    (recipes_folder() / "denim.json").write_text("{")
    application = begin()
    assert "denim.json" in banner(application)
    assert "Loading the model small.cras" in banner(application)
