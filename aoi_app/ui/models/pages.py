"""The three pages about models, kept up to date together; a window shows them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from aoi_app.learning.state import Models
from aoi_app.ui.models.candidate_page import ComparePage
from aoi_app.ui.models.learn_page import LearnPage
from aoi_app.ui.models.models_page import ModelsPage
from aoi_app.ui.widgets.theme import Theme

_TICK_MS = 100


class ModelPages(QObject):
    """Asks the desk while one of them is seen."""

    def __init__(self, desk: Models, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._revision = -1
        self.learn, self.compare, self.models = LearnPage(desk, theme), ComparePage(desk, theme), ModelsPage(desk)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()

    def add_to(self, add_page: Callable[[str, QWidget], object]) -> None:
        """Puts them into a window, in the order in which they are used."""
        add_page("&Learn", self.learn)
        add_page("&Compare", self.compare)
        add_page("&Models", self.models)

    def tick(self) -> None:
        """Takes what is new."""
        if not any(page.isVisible() for page in (self.learn, self.compare, self.models)):
            return
        view = self._desk.view()
        if view.revision != self._revision:
            self._revision = view.revision
            for page in (self.learn, self.compare, self.models):
                page.show_view(view)
        self.compare.tick()

    def close(self) -> None:
        """Nobody looks any more."""
        self._timer.stop()
        self.compare.close_thumbnails()
