"""What the window answers when the person teaches it a fabric: collect samples, and look through them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from aoi_app.app.collection_controller import CollectionController
from aoi_app.app.program import Program
from aoi_app.inspection.defects import Defect
from aoi_app.inspection.review import Review
from aoi_app.samples.collection import Collection
from aoi_app.samples.from_reviews import ReviewLearner
from aoi_app.samples.service import SampleService
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.settings.folders import catalogue_path, library_folder
from aoi_app.settings.people import user
from aoi_app.ui.line.collect_bar import CollectBar
from aoi_app.ui.samples.sample_grid import THUMBNAIL_PX
from aoi_app.ui.samples.samples_window import EnrolWindow
from aoi_app.ui.widgets.theme import THEMES, Theme
from cras_core.data.samples.store import SampleStore


class SamplesController(QObject):
    """Holds the window of the fabrics, and what works behind it.

    Attributes:
        collecting: takes samples of the running web.
        enrolment: the window of the fabrics, with its desk; None before it was opened.

    Signals:
        types_changed: the types of defects are others now, on disk.
        fabric_shown: the fabric that a person looks at now.
    """

    types_changed = Signal()
    fabric_shown = Signal(str)

    def __init__(self, program: Program, bar: CollectBar) -> None:
        """``bar``: asks which fabric is running, and tells how collecting goes."""
        super().__init__()
        self._program = program
        store = SampleStore(library_folder())
        self.collecting = CollectionController(
            Collection(store, user()), store, bar, lambda: program.roll.running, program.notifier.warn
        )
        self._learner = ReviewLearner(store, user())
        self.enrolment: tuple[SampleService, Thumbnails, EnrolWindow] | None = None
        bar.begin_asked.connect(self.collecting.begin)
        bar.end_asked.connect(self.collecting.end)
        bar.enrol_asked.connect(self.open)
        program.bridge.ticked.connect(self.collecting.tick)
        program.bridge.ticked.connect(self._tell)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being collected or learnt."""
        return self.collecting.is_at_rest and self._learner.is_at_rest

    def open(self) -> None:
        """Shows the window in which fabrics are enrolled; the line goes on."""
        if self.enrolment is None:
            settings = self._program.settings.now
            desk = SampleService(SampleStore(library_folder()), catalogue_path(), user())
            thumbnails = Thumbnails(THUMBNAIL_PX)
            window = EnrolWindow(desk, thumbnails, THEMES[settings.theme])
            window.samples_page.fabrics.last_folder = settings.last_folder
            window.folder_used.connect(self._remember_folder)
            window.types_changed.connect(self.types_changed)
            window.fabric_shown.connect(self.fabric_shown)
            self.enrolment = desk, thumbnails, window
        window = self.enrolment[2]
        window.show()
        window.raise_()
        window.activateWindow()

    def learn_review(self, defect: Defect, review: Review) -> None:
        """What is said of a defect becomes a sample, or is none any more."""
        roll = self._program.roll.latest
        if roll is not None:
            self._learner.learn(roll, defect, review)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        if self.enrolment is not None:
            self.enrolment[2].set_theme(theme)

    def close(self) -> None:
        """Ends everything; what was collected, decided or learnt until now is on disk."""
        self.collecting.end()
        self._learner.close()
        if self.enrolment is not None:
            desk, thumbnails, window = self.enrolment
            window.close()
            thumbnails.close()
            desk.close()

    def _remember_folder(self, folder: str) -> None:
        self._program.settings.change(last_folder=folder)

    def _tell(self) -> None:
        said = self._learner.said()
        if said:
            self._program.notifier.warn(said)
