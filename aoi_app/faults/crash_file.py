"""A crash: a library ended the process with a signal, and Python could catch nothing.

The interpreter's fault handler then writes the tracebacks of all threads into a file that was opened before. The next
start finds the file of a process that is gone, and makes a report of it.
"""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path
from typing import TextIO

import psutil

from aoi_app.faults.report import report_text, write_report

_CLOCK_S = 2.0  # a process may be told to have begun so much later than its file was written


class CrashFile:
    """Holds the file of this process; ``close`` it when the program ends in good order."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError when the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"crash-{os.getpid()}.log"
        self._file: TextIO | None = self._path.open("w", encoding="utf-8")
        faulthandler.enable(self._file)

    def close(self) -> None:
        """Nothing crashed; may be called twice."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)


def report_crashes(folder: Path, reports: Path, log: Path) -> None:
    """Makes reports of the crashes of processes that are gone. One that was only killed has left nothing to report.

    Args:
        folder: of the crash files.
        reports: folder of the reports.
        log: the log; its last lines are those before the crash as long as this start has logged nothing.
    """
    for path in sorted(folder.glob("crash-*.log")):
        pid = path.stem.removeprefix("crash-")
        try:
            if not pid.isdecimal() or _is_running(int(pid), path.stat().st_mtime):
                continue
            trace = path.read_text(encoding="utf-8", errors="replace")
            if trace.strip():
                write_report(reports, report_text("The program crashed.", trace, log))
            path.unlink()
        except OSError:  # another window that starts at the same time has just done it
            continue


def _is_running(pid: int, written_s: float) -> bool:
    """A process with this number runs that can have written a file at this time, seconds since 1970."""
    try:
        return psutil.Process(pid).create_time() <= written_s + _CLOCK_S
    except psutil.Error:
        return False
