"""The page of rolls: opened, reviewed, reported; the roll that runs is followed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh, while_shown
from aoi_app.app.pages.review_controller import ReviewController
from aoi_app.inspection.findings.defects import PICTURE_NOT_READ
from aoi_app.inspection.findings.review import Review
from aoi_app.records.errors import RecordsError
from aoi_app.records.recorded_defects import read_picture
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.reports.roll.writing import KINDS
from aoi_app.reports.rolls_service import RollsService
from aoi_app.reports.wording import file_stem
from aoi_app.ui.rolls.rolls_page import RollsPage
from cras_core.arrays import Image

_LOOK_MS = 3000  # a running roll grows


class RollsController:
    """
    Attributes:
        page: the page.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._service = RollsService(program.engine, lambda: program.settings.now.mill)
        page = self.page = RollsPage()
        self._refresh = Refresh(page, self._service.ask, page.show_state)
        self._looking = while_shown(page, self._look, _LOOK_MS)
        self._reviews = ReviewController(
            ReviewRecorder(program.engine), lambda: self.roll_id, self._reviewed, program.notifier.warn
        )
        page.shown.connect(self._service.refresh)
        page.roll_chosen.connect(self._service.open)
        page.report_asked.connect(self._report)
        page.table.defects.read_picture = self._read_picture
        page.table.decided.connect(self._reviews.decide)
        page.table.type_named.connect(self._reviews.name_type)
        program.defect_types.changed.connect(self._show_types)
        self._show_types()

    @property
    def roll_id(self) -> int:
        """Number of the opened roll; 0 before one is opened."""
        opened = self._service.state.opened
        return opened.report.roll.roll_id if opened is not None else 0

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read or written."""
        return self._service.is_at_rest

    def close(self) -> None:
        """Ends its thread."""
        self._looking.stop()
        self._refresh.stop()
        self._service.close()

    def _show_types(self) -> None:
        self.page.show_types(self._program.defect_types.now)

    def _read_picture(self, number: int) -> Image:
        try:
            return read_picture(self._program.engine, self.roll_id, number)
        except RecordsError as error:
            self._program.notifier.warn(str(error))
            return PICTURE_NOT_READ

    def _look(self) -> None:
        self._service.follow()
        roll = self._program.roll
        if roll.is_running and self.roll_id == roll.roll_id and self._service.is_at_rest:
            self._service.open(self.roll_id)

    def _reviewed(self, number: int, review: Review) -> None:
        self.page.table.defects.set_review(number, review)
        self._service.open(self.roll_id)  # graded with the verdict

    def _report(self) -> None:
        opened, settings = self._service.state.opened, self._program.settings
        if opened is None:
            return
        proposed = Path(settings.now.last_export or Path.home()) / file_stem(opened.report)
        # A dialog for a folder takes only one that is there.
        folder, _ = QFileDialog.getSaveFileName(self.page, "Write the report into a folder", str(proposed))
        if folder:
            settings.change(last_export=str(Path(folder).parent))
            self._service.write(Path(folder), KINDS)
