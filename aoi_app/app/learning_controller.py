"""The pages about models with the desk behind them, as one thing that the program makes and closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aoi_app.learning.service import LearningService
from aoi_app.settings.folders import library_folder, models_folder
from aoi_app.settings.settings import Learning
from aoi_app.ui.models.pages import ModelPages
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.store import SampleStore
from cras_core.registry.store import ModelStore


class LearningController:
    """
    Attributes:
        desk: learns and keeps models.
        pages: show and ask it; a window shows them.
    """

    def __init__(
        self,
        theme: Theme,
        learning: Learning,
        *,
        running: Callable[[], Path | None],
        on_promoted: Callable[[Path], None],
        on_learning: Callable[[Learning], None],
        device: str,
    ) -> None:
        """Arguments as of ``LearningService``."""
        self.desk = LearningService(
            SampleStore(library_folder()),
            ModelStore(models_folder()),
            running=running,
            on_promoted=on_promoted,
            learning=learning,
            on_learning=on_learning,
            device=device,
        )
        self.pages = ModelPages(self.desk, theme)

    def close(self) -> None:
        """Ends what is being learnt; a training goes on where it was the next time."""
        self.pages.close()
        self.desk.close()
