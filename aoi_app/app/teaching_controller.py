"""The pages about models, as the tabs of one page."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget, QVBoxLayout

from aoi_app.app.learning_controller import LearningController
from aoi_app.app.program import Program
from aoi_app.settings.settings import Learning
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.theme import THEMES


class TeachingController:
    """
    Attributes:
        page: the page.
        tabs: the pages about models.
        teaching: them, with what works behind them.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        models, settings = program.models, program.settings.now
        self.teaching = LearningController(
            THEMES[settings.theme],
            settings.learning,
            running=lambda: models.bundle,
            on_promoted=models.promoted,
            on_learning=self._keep_learning,
            device=models.device,
        )
        self.page, self.tabs = Page(), QTabWidget()
        QVBoxLayout(self.page).addWidget(self.tabs)
        pages = self.teaching.pages
        pages.add_to(lambda title, page: self.tabs.addTab(page, title))
        pages.models.compare_asked.connect(lambda: self.tabs.setCurrentWidget(pages.compare))
        pages.compare.threshold_chosen.connect(self._use_threshold)
        self.page.shown.connect(self._show_thresholds)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being learnt."""
        return self.teaching.desk.is_at_rest

    def close(self) -> None:
        """Ends what is being learnt."""
        self.teaching.close()

    def choose_fabric(self, fabric: str) -> None:
        """The fabric that a person looks at elsewhere."""
        self.teaching.pages.learn.choose(fabric)

    def _use_threshold(self, fabric: str, threshold: float) -> None:
        self._program.recipes.use_threshold(fabric, threshold)
        self._show_thresholds()

    def _show_thresholds(self) -> None:
        self.teaching.pages.compare.show_thresholds(*self._program.recipes.thresholds())

    def _keep_learning(self, learning: Learning) -> None:
        self._program.settings.change(learning=learning)
        self._program.settings.save()
