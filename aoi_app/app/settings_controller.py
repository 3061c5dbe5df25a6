"""The page of settings: recipes, looks, and where things are kept."""

from __future__ import annotations

from aoi_app.app.program import Program
from aoi_app.settings.folders import (
    catalogue_path,
    library_folder,
    log_path,
    models_folder,
    recipes_folder,
    settings_path,
)
from aoi_app.settings.recipe import Recipe
from aoi_app.ui.settings.settings_page import SettingsPage
from aoi_app.ui.widgets.theme import apply_theme


class SettingsController:
    """
    Attributes:
        page: the page.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        page = self.page = SettingsPage()
        page.recipe_kept.connect(self._keep)
        page.theme_chosen.connect(lambda name: use_theme(program, name))
        page.shown.connect(self._show)
        program.recipes.changed.connect(self._show)
        program.line_model.changed.connect(self._show)
        page.show_places(
            {
                "Records": program.engine.url.render_as_string(hide_password=True),
                "Recipes": str(recipes_folder()),
                "Types of defects": str(catalogue_path()),
                "Samples": str(library_folder()),
                "Models": str(models_folder()),
                "Settings": str(settings_path()),
                "Log": str(log_path()),
            }
        )

    @property
    def is_at_rest(self) -> bool:
        """It has no thread."""
        return True

    def close(self) -> None:
        """Nothing of it has to be ended."""

    def _show(self) -> None:
        book = self._program.recipes.book
        self.page.show_recipes(book.line, book.standard, book.own, self._program.line_model.fabrics)
        self.page.show_theme(self._program.settings.now.theme)

    def _keep(self, recipe: Recipe, is_ordered: bool) -> None:
        self._program.recipes.edit(recipe, is_ordered=is_ordered)


def use_theme(program: Program, name: str) -> None:
    """Colours the whole program, and remembers it."""
    program.settings.change(theme=name)
    program.window.set_theme(apply_theme(program.qt, name))
