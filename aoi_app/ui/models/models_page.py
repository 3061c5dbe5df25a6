"""The page on which fabrics are taught, a candidate is decided about, and the history of models is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QTabWidget, QVBoxLayout

from aoi_app.learning.state import LearningState
from aoi_app.ui.models.candidate_section import CandidateSection
from aoi_app.ui.models.history_section import HistorySection
from aoi_app.ui.models.job_status import JobStatus
from aoi_app.ui.models.learn_section import LearnSection
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.theme import Theme
from cras_core.arrays import Image


class ModelsPage(Page):
    """
    Attributes:
        status: what goes on, above all sections.
        learn, candidate, history: the sections; each has the signals for what is asked there.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.status = JobStatus()
        self.learn, self.candidate, self.history = LearnSection(theme), CandidateSection(theme), HistorySection()
        self._tabs = QTabWidget()
        self._tabs.addTab(self.learn, "&Learn")
        self._tabs.addTab(self.candidate, "&Candidate")
        self._tabs.addTab(self.history, "Histor&y")
        self.history.candidate_asked.connect(self.show_candidate)
        column = QVBoxLayout(self)
        column.addWidget(self.status)
        column.addWidget(self._tabs, 1)
        self.setFocusProxy(self._tabs)

    def show_learn(self) -> None:
        """Brings the section to the front."""
        self._tabs.setCurrentWidget(self.learn)

    def show_candidate(self) -> None:
        """Brings the section to the front."""
        self._tabs.setCurrentWidget(self.candidate)

    def show_history(self) -> None:
        """Brings the section to the front."""
        self._tabs.setCurrentWidget(self.history)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the plots."""
        self.learn.set_theme(theme)
        self.candidate.set_theme(theme)

    def show_state(self, state: LearningState) -> None:
        """Draws how things stand."""
        self.status.show_state(state)
        self.learn.show_state(state)
        self.candidate.show_state(state)
        self.history.show_state(state)

    def show_pictures(self, read: Mapping[Path, Image | None]) -> None:
        """Pictures of tiles that were read; None for one that cannot be."""
        self.candidate.show_pictures(read)
