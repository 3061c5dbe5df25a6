"""Recipes of fabrics: kept in a folder, and in force where the cloth proves to be theirs."""

from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, SeenBrightness, dark, frame, inspect_all, listed

from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.active_recipe import ActiveRecipe
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.settings.recipe_store import load_recipes, save_recipe
from cras_core.web.tiling import TilingConfig

TWILL = PLAIN.model_copy(update={"name": "twill 2/1", "fabric": "twill", "threshold": 1.5, "min_area_mm2": 20.0})


@pytest.mark.parametrize("fabric", ["twill", "denim 3/1", "..", "Köper/rot.json"])
def test_a_recipe_comes_back_whatever_the_fabric_is_called(tmp_path: Path, fabric: str) -> None:
    recipe = TWILL.model_copy(update={"fabric": fabric, "camera_preset": "/presets/a.json"})
    path = save_recipe(recipe, tmp_path / "recipes")
    assert path.parent == tmp_path / "recipes"
    save_recipe(recipe, tmp_path / "recipes")
    assert load_recipes(tmp_path / "recipes") == ({fabric: recipe}, [])


def test_a_folder_that_is_not_there_holds_no_recipes(tmp_path: Path) -> None:
    assert load_recipes(tmp_path / "nowhere") == ({}, [])


def test_a_bad_file_is_named_and_left_out(tmp_path: Path) -> None:
    save_recipe(TWILL, tmp_path)
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"fabric": "denim", "threshold": -1}')
    (tmp_path / "c.json").write_text('{"name": "no fabric"}')
    (tmp_path / "z.json").write_text(TWILL.model_dump_json())
    recipes, problems = load_recipes(tmp_path)
    assert recipes == {"twill": TWILL}
    assert len(problems) == 4
    for problem, words in zip(
        problems,
        (("a.json", "JSON"), ("b.json", "threshold"), ("c.json", "no fabric"), ("z.json", "twill")),
        strict=True,
    ):
        assert all(word in problem for word in (*words, "left out"))


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "recipes").write_text("a file where the folder should be")
    desk = RecipeBook(PLAIN, tmp_path / "recipes")
    with pytest.raises(RecipeError, match=r"twill\.json cannot be written"):
        desk.edit(TWILL, is_ordered=True)
    assert (desk.line, desk.own) == (TWILL, {"twill": TWILL})
    with pytest.raises(RecipeError, match="names no fabric"):
        save_recipe(PLAIN, tmp_path)


def test_an_order_is_given_and_taken_back(tmp_path: Path) -> None:
    desk = RecipeBook(PLAIN, tmp_path)
    desk.edit(TWILL, is_ordered=False)
    assert desk.line == PLAIN
    desk.edit(TWILL, is_ordered=True)
    assert desk.line == TWILL
    desk.edit(TWILL, is_ordered=False)
    assert desk.line == PLAIN
    assert RecipeBook(PLAIN, tmp_path).own == {"twill": TWILL}


def test_the_limits_follow_the_cloth() -> None:
    in_force = ActiveRecipe(PLAIN, {"twill": TWILL})
    assert in_force.follow_cloth("plain") is None
    text = in_force.follow_cloth("twill")
    assert text == "the recipe of twill holds: threshold 1.5, smallest defect 20 mm²"
    assert in_force.follow_cloth("twill") is None
    assert in_force.now == TWILL
    assert in_force.follow_cloth("plain") == "the recipe standard holds: threshold 1, smallest defect 0 mm²"


def test_what_cannot_change_in_mid_roll_is_said() -> None:
    coarse = TWILL.model_copy(update={"mm_per_px": 0.4})
    text = ActiveRecipe(PLAIN, {"twill": coarse}).follow_cloth("twill")
    assert text is not None
    assert text.endswith("its scale, overlap, margins and shade can only hold from the beginning of a roll")


def test_an_order_is_not_overruled_by_what_the_cloth_matches() -> None:
    in_force = ActiveRecipe(PLAIN.model_copy(update={"fabric": "plain"}), {"twill": TWILL})
    assert in_force.follow_cloth("twill") is None
    assert in_force.take_edits(PLAIN.model_copy(update={"threshold": 3.0}), {"twill": TWILL}) is None
    edited = PLAIN.model_copy(update={"fabric": "plain", "threshold": 2.0})
    assert "recipe of plain holds: threshold 2" in str(in_force.take_edits(PLAIN, {"plain": edited}))


class Matching(Brightness):
    """The cloth matches the second fabric."""

    def extract_features(self, tiles: np.ndarray) -> SeenBrightness:
        seen = super().extract_features(tiles)
        return SeenBrightness(seen.raw, seen.similarity[:, ::-1].copy())

    def __init__(self) -> None:
        super().__init__(("plain", "twill"))


def test_what_the_command_line_says_of_an_order_outlives_edits_of_other_recipes() -> None:
    ordered = TWILL.model_copy(update={"threshold": 3.0})
    in_force = ActiveRecipe(ordered, {"twill": TWILL})
    assert in_force.take_edits(PLAIN, {"twill": TWILL, "plain": PLAIN}) is None
    assert in_force.now == ordered


def spots(*grey: int) -> np.ndarray:
    image = dark(1000)
    for k, value in enumerate(grey):
        image[200 * k + 100 : 200 * k + 148, 100:148] = value
    return image


def judged(detector: Brightness, recipe: Recipe, **own: Recipe) -> tuple[RollInspection, list[float], list[str]]:
    inspection = RollInspection(detector, TilingConfig(), recipe, own_recipes=own)
    outcomes = inspect_all(inspection, [frame(spots(120, 160, 200))])
    peaks = [round(d.peak, 1) for d in listed(outcomes)]
    return inspection, peaks, [r.text for o in outcomes for r in o.remarks if r.kind == "recipe"]


def test_matched_cloth_is_judged_by_its_own_recipe_from_its_first_line_on() -> None:
    inspection, peaks, said = judged(Matching(), PLAIN, twill=TWILL)
    assert peaks == [1.6, 2.0]
    assert said == ["the recipe of twill holds: threshold 1.5, smallest defect 20 mm²"]
    assert inspection.threshold == 1.5
    assert judged(Brightness(), PLAIN, twill=TWILL)[1:] == ([1.2, 1.6, 2.0], [])


def test_the_smallest_defect_of_the_fabric_counts() -> None:
    large = TWILL.model_copy(update={"threshold": 1.0, "min_area_mm2": 1000.0})
    assert judged(Matching(), PLAIN, twill=large)[1] == []


def test_an_edited_recipe_acts_on_cloth_still_to_come() -> None:
    inspection = RollInspection(Brightness(), TilingConfig(), PLAIN)
    first = inspection.push(frame(spots(120, 120)))
    edited = inspection.use_recipes(PLAIN.model_copy(update={"threshold": 1.5}), {})
    assert [(r.kind, r.first_line) for r in edited.remarks] == [("recipe", 1000)]
    rest = inspect_all(inspection, [frame(spots(120, 120, 180))])
    assert [round(d.peak, 1) for d in listed([first, edited, *rest])] == [1.2, 1.2, 1.8]
    assert inspection.use_recipes(PLAIN.model_copy(update={"threshold": 1.5}), {}).remarks == ()


def test_a_threshold_set_by_hand_stays_when_another_setting_is_edited() -> None:
    inspection = RollInspection(Brightness(), TilingConfig(), PLAIN)
    inspection.threshold = 2.5
    assert inspection.use_recipes(PLAIN.model_copy(update={"min_area_mm2": 9.0}), {}).remarks
    assert inspection.threshold == 2.5
