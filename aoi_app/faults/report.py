"""A report of a fault: what somebody needs who is to mend the program. Text only; no picture of cloth is in it."""

from __future__ import annotations

import logging
import platform
import time
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aoi_app.faults.log import last_lines
from cras_core.files import write_atomically
from cras_core.version import __version__

logger = logging.getLogger(__name__)

_LIBRARIES = ("PySide6-Essentials", "numpy", "opencv-python", "torch", "timm", "SQLAlchemy", "pydantic", "genicam")
_LOG_LINES = 60
_MOST_REPORTS = 20
_NEW, _TOLD = ".new.txt", ".txt"


def report_text(what: str, traceback: str, log: Path) -> str:
    """The text of a report.

    Args:
        what: one sentence.
        traceback: of the error, or of a crash in all threads.
        log: the log, whose last lines are in the report.
    """
    return "\n".join(
        [
            what,
            "",
            f"at: {time.strftime('%Y-%m-%dT%H:%M:%S%z')}",
            f"program: {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"libraries: {', '.join(f'{name} {_version(name)}' for name in _LIBRARIES)}",
            f"log: {log}",
            "",
            traceback.rstrip(),
            "",
            f"The last lines of the log, at most {_LOG_LINES}:",
            *last_lines(log, _LOG_LINES),
            "",
        ]
    )


def _version(library: str) -> str:
    try:
        return version(library)  # without importing it: that may be what failed
    except PackageNotFoundError:
        return "missing"


def write_report(folder: Path, text: str) -> Path | None:
    """Writes a report that nobody has been told of yet, and deletes the oldest ones over the most that are kept.

    Returns:
        Its path; None where it cannot be written, which is in the log.
    """
    # To the microsecond, so that their names are in their order.
    path = folder / f"fault-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}{_NEW}"
    try:
        write_atomically(path, text.encode("utf-8", errors="backslashreplace"))
        for old in sorted(folder.glob(f"fault-*{_TOLD}"))[:-_MOST_REPORTS]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("a report of a fault cannot be written to %s: %s", path, error)
        return None
    return path


def new_reports(folder: Path) -> list[Path]:
    """Reports that nobody has been told of, the oldest first."""
    return sorted(folder.glob(f"fault-*{_NEW}"))


def mark_told(report: Path) -> Path:
    """Somebody is told of a report; returns where it lies from now on. One that cannot be moved is told once more."""
    told = report.with_name(report.name.removesuffix(_NEW) + _TOLD)
    try:
        return report.replace(told)
    except OSError as error:
        logger.warning("%s stays new: %s", report, error)
        return report
