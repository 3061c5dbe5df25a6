"""The page of the samples: what is asked there goes to the services of the samples, and what came of it is shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh, while_shown
from aoi_app.samples.services import SamplesServices
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.settings.folders import library_folder
from aoi_app.settings.people import user_name
from aoi_app.ui.samples.sample_cell import THUMBNAIL_PX
from aoi_app.ui.samples.samples_page import SamplesPage
from aoi_app.ui.widgets.theme import THEMES
from cras_core.data.samples.store import SampleStore

_THUMBNAILS_MS = 50


class SamplesController(QObject):
    """
    Attributes:
        page: the page.
        services: what works behind it.
        chosen_fabric: the one that a person chose last; empty before that.

    Signals:
        fabric_shown: the fabric that a person looks at now.
        types_asked: the defect types are to be edited.
    """

    fabric_shown = Signal(str)
    types_asked = Signal()

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self.chosen_fabric = ""
        line = program.line_model
        self.services = SamplesServices(
            SampleStore(library_folder()),
            user_name(),
            lambda: line.loaded.detector if line.loaded is not None else None,
        )
        self._thumbnails = Thumbnails(THUMBNAIL_PX)
        settings = program.settings.now
        self.page = SamplesPage(THEMES[settings.theme])
        self.page.browser.fabrics.last_folder = settings.last_folder
        self._refresh = Refresh(self.page, self.services.state, self.page.show_state)
        self._ticks = while_shown(self.page, self._show_thumbnails, _THUMBNAILS_MS)
        self._connect()
        self._show_types()

    def _connect(self) -> None:
        page, fabrics = self.page, self.page.browser.fabrics
        services, samples = self.services, self.services.samples
        fabrics.chosen.connect(samples.show_fabric)
        fabrics.begin_asked.connect(services.fabrics.begin)
        fabrics.renaming_asked.connect(services.fabrics.rename)
        fabrics.merging_asked.connect(services.fabrics.merge)
        fabrics.retirement_asked.connect(lambda fabric, wanted: services.fabrics.retire(fabric, is_retired=wanted))
        fabrics.deletion_asked.connect(services.fabrics.delete)
        fabrics.export_asked.connect(services.fabrics.export)
        fabrics.import_asked.connect(services.fabrics.import_fabric)
        fabrics.data_set_export_asked.connect(services.fabrics.export_data_set)
        fabrics.data_set_import_asked.connect(services.fabrics.import_data_set)
        fabrics.pictures_chosen.connect(samples.add_pictures)
        fabrics.read_asked.connect(services.read_again)
        fabrics.folder_used.connect(lambda folder: self._program.settings.change(last_folder=folder))
        page.browser.decided.connect(samples.decide)
        page.browser.undo_asked.connect(samples.undo)
        page.browser.grid.thumbnails_wanted.connect(self._thumbnails.want)
        page.tile_wanted.connect(services.labels.open_tile)
        page.editor.labelled.connect(services.labels.keep)
        page.editor.types_asked.connect(self.types_asked)
        page.work.stop_asked.connect(services.stop)
        page.fabric_shown.connect(self._tell_fabric)
        # A decision is shown at once, not at the next tick: the next key is meant for the sample that follows.
        page.browser.decided.connect(self._refresh.now)
        page.browser.undo_asked.connect(self._refresh.now)
        self._program.defect_types.changed.connect(self._show_types)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read or written."""
        return self.services.is_at_rest

    def close(self) -> None:
        """Ends what takes long; what was decided or labelled until now is on disk, or the person is asked about it."""
        if self.page.is_labelling:
            self.page.editor.leave()
        self._refresh.stop()
        self._ticks.stop()
        self._thumbnails.close()
        self.services.close()

    def _tell_fabric(self, fabric: str) -> None:
        self.chosen_fabric = fabric
        self.fabric_shown.emit(fabric)

    def _show_types(self) -> None:
        self.page.show_types(self._program.defect_types.now)

    def _show_thumbnails(self) -> None:
        ready = self._thumbnails.take()
        if ready:
            self.page.show_thumbnails(ready)
