"""The page on which an engineer sets how rolls are inspected, and how the program looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QGroupBox, QScrollArea, QVBoxLayout, QWidget

from aoi_app.settings.recipe import Recipe
from aoi_app.ui.settings.defect_types_form import DefectTypesForm
from aoi_app.ui.settings.mill_form import MillForm
from aoi_app.ui.settings.recipe_form import RecipeForm
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import PlainLabel
from aoi_app.ui.widgets.theme import THEMES
from aoi_app.ui.widgets.wheel import keep_from_wheel

_FORM_WIDTH_PX = 720


class SettingsPage(Page):
    """
    Attributes:
        form: the recipes.
        defect_types: the defect types; announces those that were kept.
        mill: whose reports they are; announces what was typed.

    Signals:
        recipe_kept: Recipe, and whether the work order of the next roll names its fabric.
        theme_chosen: name of a theme.
        sound_chosen: whether an alarm is heard.
        defect_sound_chosen: whether a defect is heard.
        order_chosen: whether the work order is asked for before each roll.
    """

    recipe_kept = Signal(object, bool)
    theme_chosen = Signal(str)
    sound_chosen = Signal(bool)
    defect_sound_chosen = Signal(bool)
    order_chosen = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.form = RecipeForm()
        self.form.kept.connect(self.recipe_kept)
        self.defect_types = DefectTypesForm()
        self.mill = MillForm()
        self._theme = QComboBox()
        self._theme.addItems(list(THEMES))
        self._theme.setAccessibleName("Colours")
        self._theme.setToolTip("Dark or light (T on the line page)")
        self._theme.textActivated.connect(self.theme_chosen)
        self._sound = QCheckBox("Sound until an alarm was seen")
        self._sound.setToolTip("An alarm is heard every few seconds until somebody acknowledges it (A)")
        self._sound.clicked.connect(self.sound_chosen)
        self._defect_sound = QCheckBox("Sound at every new defect")
        self._defect_sound.setToolTip("Once for each; alarms have a sound of their own")
        self._defect_sound.clicked.connect(self.defect_sound_chosen)
        self._order = QCheckBox("Ask for the work order before each roll")
        self._order.setToolTip("Start (F5) then shows the fields of the work order first")
        self._order.clicked.connect(self.order_chosen)
        self._places = PlainLabel()
        self._places.setWordWrap(True)
        self._places.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._places.setAccessibleName("Where the program keeps things")
        self._lay_out()

    def _lay_out(self) -> None:
        looks = QFormLayout()
        looks.addRow("&Colours", self._theme)
        looks.addRow("Alarms", self._sound)
        looks.addRow("Defects", self._defect_sound)
        looks.addRow("Rolls", self._order)
        places = QVBoxLayout()
        places.addWidget(self._places)
        inside = QWidget()
        inside.setMaximumWidth(_FORM_WIDTH_PX)
        column = QVBoxLayout(inside)
        recipe = QVBoxLayout()
        recipe.addWidget(self.form)
        types = QVBoxLayout()
        types.addWidget(self.defect_types)
        reports = QVBoxLayout()
        reports.addWidget(self.mill)
        groups = (
            ("Recipe", recipe),
            ("Defect types", types),
            ("Mill, for reports and statistics", reports),
            ("Looks, sounds and questions", looks),
            ("Files of this program", places),
        )
        for title, layout in groups:
            box = QGroupBox(title)
            box.setLayout(layout)
            column.addWidget(box)
        column.addStretch(1)
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        keep_from_wheel(inside)  # it is for scrolling here

    def show_recipes(self, line: Recipe, standard: Recipe, own: Mapping[str, Recipe], fabrics: Sequence[str]) -> None:
        """As of ``RecipeForm``; a recipe that is being edited stays as it is."""
        if not self.form.is_touched:
            self.form.show_recipes(line, standard, own, fabrics)

    def go_to_defect_types(self) -> None:
        """Scrolls to the defect types, and brings the keyboard there."""
        self._area.ensureWidgetVisible(self.defect_types)
        self.defect_types.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_theme(self, name: str) -> None:
        """The theme that holds."""
        self._theme.setCurrentText(name)

    def show_sound(self, on: bool) -> None:
        """Whether an alarm is heard."""
        self._sound.setChecked(on)

    def show_defect_sound(self, on: bool) -> None:
        """Whether a defect is heard."""
        self._defect_sound.setChecked(on)

    def show_order(self, on: bool) -> None:
        """Whether the work order is asked for before each roll."""
        self._order.setChecked(on)

    def show_places(self, places: Mapping[str, str]) -> None:
        """Where the program keeps things, by what they are."""
        self._places.setText("\n".join(f"{what}: {where}" for what, where in places.items()))
