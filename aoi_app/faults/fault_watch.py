"""Log, reports and crash file of one run of the window, begun and ended together."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aoi_app.faults.crash_file import CrashFile, report_crashes
from aoi_app.faults.fault_handler import FaultHandler, report_unhandled_errors
from aoi_app.faults.log import log_to_file
from cras_core.version import __version__

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultWatch:
    """
    Attributes:
        log: the log.
        reports: folder of the reports.
        handler: writes them; None in a program that watches nothing, as in tests.
        crash_file: of this process; None where it cannot be written.
    """

    log: Path
    reports: Path
    handler: FaultHandler | None = None
    crash_file: CrashFile | None = None

    def close(self) -> None:
        """The program ends in good order; may be called twice."""
        if self.crash_file is not None:
            self.crash_file.close()


@contextmanager
def watch_faults(log: Path) -> Iterator[FaultWatch]:
    """Logs to a file and has every error that nobody foresees leave a report in ``reports`` beside it.

    Args:
        log: the log file; crash files lie beside it as well.
    """
    reports = log.parent / "reports"
    report_crashes(log.parent, reports, log)  # first: the last lines of the log are still those before the crash
    log_to_file(log)
    logger.info("version %s starts as process %d", __version__, os.getpid())
    handler = FaultHandler(reports, log)
    logging.getLogger().addHandler(handler)
    report_unhandled_errors()
    try:
        crash_file = CrashFile(log.parent)
    except OSError as error:
        logger.warning("a crash would leave no report: %s", error)
        crash_file = None
    watch = FaultWatch(log, reports, handler, crash_file)
    try:
        yield watch
    finally:
        watch.close()
