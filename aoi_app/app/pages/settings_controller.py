"""The page of settings: recipes, defect types, looks, and where things are kept."""

from __future__ import annotations

from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh
from aoi_app.samples.label_codes_service import LabelCodesService
from aoi_app.settings.defect_types import DefectType, DefectTypesError
from aoi_app.settings.folders import (
    defect_types_path,
    library_folder,
    log_path,
    models_folder,
    recipes_folder,
    settings_path,
)
from aoi_app.settings.recipe import Recipe
from aoi_app.ui.settings.settings_page import SettingsPage
from aoi_app.ui.widgets.theme import apply_theme
from cras_core.data.samples.store import SampleStore


class SettingsController:
    """
    Attributes:
        page: the page.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        page = self.page = SettingsPage()
        self._label_codes = LabelCodesService(SampleStore(library_folder()))
        page.recipe_kept.connect(self._keep)
        page.theme_chosen.connect(lambda name: use_theme(program, name))
        page.sound_chosen.connect(lambda on: program.settings.change(alarm_sound=on))
        page.defect_sound_chosen.connect(lambda on: program.settings.change(defect_sound=on))
        page.order_chosen.connect(lambda on: program.settings.change(asks_work_order=on))
        page.mill.changed.connect(lambda mill: program.settings.change(mill=mill))
        page.mill.shifts_changed.connect(lambda hours: program.settings.change(shifts=hours))
        page.defect_types.kept.connect(self._keep_types)
        page.shown.connect(self._show)
        page.shown.connect(self._label_codes.read)
        self._refresh = Refresh(
            page, self._label_codes.state, lambda state: page.defect_types.show_codes_in_use(state.codes)
        )
        program.defect_types.changed.connect(self._show)
        program.recipes.changed.connect(self._show)
        program.line_model.changed.connect(self._show)
        page.show_places(
            {
                "Records": program.engine.url.render_as_string(hide_password=True),
                "Recipes": str(recipes_folder()),
                "Types of defects": str(defect_types_path()),
                "Samples": str(library_folder()),
                "Models": str(models_folder()),
                "Settings": str(settings_path()),
                "Log": str(log_path()),
            }
        )

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read."""
        return self._label_codes.is_at_rest

    def close(self) -> None:
        """Ends its thread."""
        self._refresh.stop()
        self._label_codes.close()

    def show_defect_types(self) -> None:
        """Somebody elsewhere wants to edit them."""
        self.page.go_to_defect_types()

    def _show(self) -> None:
        book = self._program.recipes.book
        self.page.show_recipes(book.line, book.standard, book.own, self._program.line_model.fabrics)
        self.page.defect_types.show_types(self._program.defect_types.now)
        self.page.show_theme(self._program.settings.now.theme)
        self.page.show_sound(self._program.settings.now.alarm_sound)
        self.page.show_defect_sound(self._program.settings.now.defect_sound)
        self.page.mill.show_mill(self._program.settings.now.mill)
        self.page.mill.show_shifts(self._program.settings.now.shifts)
        self.page.show_order(self._program.settings.now.asks_work_order)

    def _keep_types(self, types: tuple[DefectType, ...]) -> None:
        try:
            self._program.defect_types.keep(types)
        except DefectTypesError as error:
            self.page.defect_types.show_problem(str(error))
        else:
            self._program.notifier.note("The defect types are saved.")

    def _keep(self, recipe: Recipe, is_ordered: bool) -> None:
        self._program.recipes.edit(recipe, is_ordered=is_ordered)


def use_theme(program: Program, name: str) -> None:
    """Colours the whole program, and remembers it."""
    program.settings.change(theme=name)
    program.window.set_theme(apply_theme(program.qt, name))
