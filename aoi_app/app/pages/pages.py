"""The pages of the window, in the order of their buttons. A new page is one row here, its controller and its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aoi_app.app.pages.cameras_controller import CamerasController
from aoi_app.app.pages.gallery_controller import GalleryController
from aoi_app.app.pages.line_controller import LineController
from aoi_app.app.pages.models_controller import ModelsController
from aoi_app.app.pages.program import PageController, Program
from aoi_app.app.pages.rolls_controller import RollsController
from aoi_app.app.pages.samples_controller import SamplesController
from aoi_app.app.pages.settings_controller import SettingsController


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page.

    Attributes:
        key: what the program calls it; its icon is ``icons/<key>.svg`` of the resources.
        title: on its button.
        shortcut: key sequence.
        tip: one sentence.
        make: its controller; called when the page is shown for the first time.
    """

    key: str
    title: str
    shortcut: str
    tip: str
    make: Callable[[Program], PageController]


PAGES = (
    PageRow("line", "Line", "Ctrl+1", "The running web, its figures and its defects", LineController),
    PageRow("rolls", "Rolls", "Ctrl+J", "All rolls: their maps, defects, grades and reports", RollsController),
    PageRow(
        "review",
        "Review",
        "Ctrl+D",
        "Defects of all rolls: find them, judge many at once",
        GalleryController,
    ),
    PageRow("samples", "Samples", "Ctrl+N", "Samples of each fabric: add, sort and label them", SamplesController),
    PageRow("models", "Models", "Ctrl+M", "Teach fabrics, evaluate new models, choose which is used", ModelsController),
    PageRow(
        "cameras",
        "Cameras",
        "Ctrl+K",
        "Find and set cameras, set light and focus, record flat fields",
        CamerasController,
    ),
    PageRow("settings", "Settings", "Ctrl+R", "Recipes of the fabrics, defect types, colours", SettingsController),
)
