"""Errors that nobody foresaw: whatever is logged with a traceback becomes a report."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from aoi_app.faults.report import report_text, write_report

logger = logging.getLogger(__name__)

_MOST_A_RUN = 10  # an error in what is drawn thirty times a second must not fill the disk


class FaultHandler(logging.Handler):
    """Writes a report for every logged error with a traceback; for the same one only once. From any thread."""

    def __init__(self, folder: Path, log: Path) -> None:
        """
        Args:
            folder: of the reports.
            log: the log, whose last lines are in each report.
        """
        super().__init__(logging.ERROR)
        self._folder, self._log = folder, log
        self._seen: set[str] = set()
        self._untold: list[Path] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by the logging of the standard library, which holds the lock of this handler."""
        if record.exc_info is None or record.exc_info[0] is None:
            return
        trace = "".join(traceback.format_exception(*record.exc_info))
        if trace in self._seen or len(self._seen) >= _MOST_A_RUN:
            return
        self._seen.add(trace)
        path = write_report(self._folder, report_text(record.getMessage(), trace, self._log))
        if path is not None:
            self._untold.append(path)

    def take(self) -> list[Path]:
        """The reports that were written since the last call."""
        self.acquire()
        try:
            taken, self._untold = self._untold, []
        finally:
            self.release()
        return taken


def report_unhandled_errors() -> None:
    """From now on an error that nothing catches is logged, and so becomes a report: in the main thread, in slots of Qt
    (PySide hands them to the same hook), and in other threads.
    """

    def of_program(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, Exception):
            logger.critical("an error that nothing caught", exc_info=(kind, error, trace))
        sys.__excepthook__(kind, error, trace)

    def of_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None and issubclass(told.exc_type, Exception):
            name = told.thread.name if told.thread is not None else "?"
            logger.critical("the thread %s ended", name, exc_info=(told.exc_type, told.exc_value, told.exc_traceback))
        threading.__excepthook__(told)

    sys.excepthook = of_program
    threading.excepthook = of_thread
