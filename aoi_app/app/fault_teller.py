"""Tells the person of reports of faults: of those of this run at once, of those before it at the start."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from aoi_app.app.ground.notifier import Notifier
from aoi_app.faults.fault_watch import FaultWatch
from aoi_app.faults.report import mark_told, new_reports
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.main.problem_dialog import ProblemDialog

_LOOK_MS = 1000


class FaultTeller(QObject):
    """Lives as long as the window."""

    def __init__(self, window: MainWindow, notifier: Notifier, watch: FaultWatch) -> None:
        super().__init__(window)
        self._window, self._notifier, self._watch = window, notifier, watch
        # A timer: errors come from any thread, and no other thread may call Qt.
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._tell_new_ones)
        self._timer.start()

    def tell_earlier_ones(self) -> None:
        """Shows the reports that were left by the runs before, once; returns at once."""
        reports = [mark_told(report) for report in new_reports(self._watch.reports)]
        if reports:
            dialog = ProblemDialog(
                "What went wrong before", earlier_text(reports), _read(reports[-1]), self._watch.reports, self._window
            )
            dialog.finished.connect(dialog.deleteLater)
            dialog.show()  # the line begins behind it

    def _tell_new_ones(self) -> None:
        taken = self._watch.handler.take() if self._watch.handler is not None else []
        if taken:
            self._notifier.keep(f"An error in the program was reported to {taken[-1].parent}. The program goes on.")


def earlier_text(reports: list[Path]) -> str:
    """What the person reads of reports of runs before; the latest report is the last one."""
    several = f" {len(reports)} reports were written, the latest is below." if len(reports) > 1 else ""
    return (
        "When the program ran the last time, something went wrong in it that nobody foresaw."
        f"{several} What was inspected until then is in the records.\n\n"
        f"Please send the report to who maintains the program: {reports[-1]}\n"
        "No pictures of cloth are in it; names of files and fabrics may be."
    )


def _read(report: Path) -> str:
    try:
        return report.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"The report {report} cannot be read: {error}"
