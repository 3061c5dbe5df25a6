"""The recipes as the person at the line edits them: one for the next roll, and one for each fabric."""

from __future__ import annotations

from pathlib import Path

from aoi_app.settings.recipe import Recipe
from aoi_app.settings.recipe_store import load_recipes, save_recipe


class RecipeBook:
    """Keeps the recipes of fabrics in their folder, and the one that the next roll begins with.

    Attributes:
        line: recipe of the next roll; it names a fabric where the order does.
        standard: recipe of cloth that has none of its own.
        own: the recipes of fabrics, by fabric.
        problems: sentences about recipes that could not be read.
    """

    def __init__(self, line: Recipe, folder: Path) -> None:
        self._folder = folder
        self.line = line
        self.standard = line if line.fabric is None else line.model_copy(update={"fabric": None})
        self.own, self.problems = load_recipes(folder)

    def edit(self, recipe: Recipe, *, is_ordered: bool) -> None:
        """Takes a recipe as it was edited.

        Args:
            recipe: the new one; with a fabric it is that fabric's, and kept.
            is_ordered: the order of the next roll names the fabric of this recipe.

        Raises:
            RecipeError: it cannot be kept; it holds until the program ends.
        """
        if recipe.fabric is None:
            self.line = self.standard = recipe
            return
        self.own[recipe.fabric] = recipe
        if is_ordered:
            self.line = recipe
        elif self.line.fabric == recipe.fabric:
            self.line = self.standard
        save_recipe(recipe, self._folder)
