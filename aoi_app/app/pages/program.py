"""What the controllers of pages share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtWidgets import QApplication
from sqlalchemy import Engine

from aoi_app.app.ground.defect_types_holder import DefectTypesHolder
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.qt_bridge import QtBridge
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.roll.line_model import LineModel
from aoi_app.app.roll.recipe_controller import RecipeController
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.widgets.page import Page


@dataclass(frozen=True)
class Program:
    """
    Attributes:
        qt: the application of Qt.
        window: the one window.
        engine: the records.
        settings: of this machine and user.
        notifier: says things to the person.
        bridge: announces news of the running roll.
        line_model: the model of the line.
        roll: the roll, and the state of the program.
        recipes: the recipes.
        defect_types: the defect types.
        before_end: asked before the program ends, whether it may; whoever objects tells the person why.
    """

    qt: QApplication
    window: MainWindow
    engine: Engine
    settings: SettingsHolder
    notifier: Notifier
    bridge: QtBridge
    line_model: LineModel
    roll: RollController
    recipes: RecipeController
    defect_types: DefectTypesHolder
    before_end: list[Callable[[], bool]] = field(default_factory=list)


class PageController(Protocol):
    """Answers one page of the window; made when the page is shown for the first time."""

    @property
    def page(self) -> Page:
        """The page."""

    @property
    def is_at_rest(self) -> bool:
        """No thread of its services is alive that has work to do."""

    def close(self) -> None:
        """Ends what goes on; the program ends."""
