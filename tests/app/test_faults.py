"""What an error that nobody foresaw leaves, and a crash: a report that can be sent to who maintains the program."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aoi_app.faults.crash_file import report_crashes
from aoi_app.faults.fault_handler import FaultHandler
from aoi_app.faults.log import last_lines
from aoi_app.faults.report import mark_told, new_reports, report_text, write_report

TOP = Path(__file__).parents[2]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=TOP,
        env=os.environ | environment,
        timeout=120,
    )


def the_report(folder: Path) -> str:
    (path,) = new_reports(folder)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "aoi.log"
    path.write_text("".join(f"line {number}\n" for number in range(500)), encoding="utf-8")
    return path


def test_a_report_tells_versions_traceback_and_the_last_lines_of_the_log(log: Path) -> None:
    text = report_text("A thread ended.", "Traceback: boom", log)
    for part in ("A thread ended.", "Traceback: boom", "Python 3.", "numpy ", "torch ", "line 499", "line 440"):
        assert part in text
    assert "line 439" not in text


def test_the_last_lines_of_a_log_that_is_not_there_are_none(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "nothing.log", 10) == []


def raised(text: str) -> BaseException:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def logged(handler: logging.Handler, error: BaseException | None) -> None:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    handler.handle(logging.LogRecord("x", logging.ERROR, __file__, 1, "reading a roll", (), exc_info))


def test_a_logged_error_with_a_traceback_leaves_a_report_and_the_same_one_only_once(tmp_path: Path, log: Path) -> None:
    handler = FaultHandler(tmp_path / "reports", log)
    error = raised("no such thing")
    for _ in range(3):
        logged(handler, error)
    logged(handler, None)
    text = the_report(tmp_path / "reports")
    assert "reading a roll" in text
    assert "ValueError: no such thing" in text
    assert handler.take() == new_reports(tmp_path / "reports")
    assert handler.take() == []


def test_an_error_that_comes_again_and_again_does_not_fill_the_disk(tmp_path: Path, log: Path) -> None:
    handler = FaultHandler(tmp_path / "reports", log)
    for number in range(50):
        logged(handler, raised(f"number {number}"))
    assert len(new_reports(tmp_path / "reports")) == 10


def test_only_the_latest_reports_are_kept(tmp_path: Path) -> None:
    for number in range(30):
        path = write_report(tmp_path, f"report {number}")
        assert path is not None
        if number % 2:
            mark_told(path)
    kept = sorted(tmp_path.glob("fault-*.txt"))
    assert len(kept) == 20
    assert kept[-1].read_text(encoding="utf-8") == "report 29"


def test_a_report_that_cannot_be_written_is_told_in_the_log_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "file"
    place.write_text("", encoding="utf-8")
    assert write_report(place / "reports", "text") is None
    assert "cannot be written" in caplog.text


def test_a_report_that_was_told_is_no_new_one_and_is_still_there(tmp_path: Path) -> None:
    path = write_report(tmp_path, "text")
    assert path is not None
    told = mark_told(path)
    assert new_reports(tmp_path) == []
    assert told.read_text(encoding="utf-8") == "text"


WATCHED = """
import sys, threading
from pathlib import Path
from aoi_app.faults.fault_watch import watch_faults
with watch_faults(Path(sys.argv[1]) / "aoi.log") as watch:
"""


def watched(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process that watches its faults."""
    body = "\n".join(f"    {line}" for line in code.splitlines())
    return python(f"import sys; sys.argv.append({str(folder)!r}){WATCHED}{body}\n", QT_QPA_PLATFORM="offscreen")


def test_an_error_that_ends_the_program_leaves_a_report(tmp_path: Path) -> None:
    done = watched(tmp_path, "raise ValueError('nobody caught it')")
    assert done.returncode == 1
    assert "ValueError: nobody caught it" in done.stderr  # on the terminal as well
    assert "ValueError: nobody caught it" in the_report(tmp_path / "reports")


def test_an_error_that_ends_a_thread_leaves_a_report(tmp_path: Path) -> None:
    done = watched(tmp_path, "t = threading.Thread(target=lambda: 1 / 0, name='counter')\nt.start()\nt.join()")
    assert done.returncode == 0
    text = the_report(tmp_path / "reports")
    assert "ZeroDivisionError" in text
    assert "the thread counter ended" in text


def test_an_error_in_a_slot_of_the_window_leaves_a_report(tmp_path: Path) -> None:
    code = """
from PySide6.QtCore import QCoreApplication, QTimer
qt = QCoreApplication([])
QTimer.singleShot(0, lambda: [].pop())
QTimer.singleShot(50, qt.quit)
qt.exec()
"""
    assert watched(tmp_path, code).returncode == 0
    assert "IndexError: pop from empty list" in the_report(tmp_path / "reports")


def test_a_program_that_ends_in_good_order_leaves_nothing_but_its_log(tmp_path: Path) -> None:
    assert watched(tmp_path, "pass").returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["aoi.log"]
    assert "starts as process" in (tmp_path / "aoi.log").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_crash_is_reported_at_the_next_start(tmp_path: Path) -> None:
    done = watched(
        tmp_path, "import logging, os, signal\nlogging.info('just before')\nos.kill(os.getpid(), signal.SIGSEGV)"
    )
    assert done.returncode == -signal.SIGSEGV
    assert not (tmp_path / "reports").exists()
    assert watched(tmp_path, "print(*watch.reports.iterdir())").returncode == 0
    text = the_report(tmp_path / "reports")
    assert "Segmentation fault" in text
    assert "just before" in text
    assert not list(tmp_path.glob("crash-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_who_was_only_killed_leaves_nothing_to_report(tmp_path: Path) -> None:
    watched(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert list(tmp_path.glob("crash-*"))
    assert watched(tmp_path, "pass").returncode == 0
    assert not (tmp_path / "reports").exists()
    assert not list(tmp_path.glob("crash-*"))


def test_the_crash_file_of_a_program_that_runs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"crash-{os.getpid()}.log").write_text("it is still being written", encoding="utf-8")
    report_crashes(tmp_path, tmp_path / "reports", tmp_path / "aoi.log")
    assert (tmp_path / f"crash-{os.getpid()}.log").exists()
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("", encoding="utf-8")
    done = watched(place, "print('it runs')")
    assert done.returncode == 0
    assert "it runs" in done.stdout
    assert "cannot be written" in done.stderr


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    code = "import logging\nfor _ in range(60):\n    logging.info('x' * 200_000)"
    assert watched(tmp_path, code).returncode == 0
    logs = sorted(p.name for p in tmp_path.iterdir())
    assert logs == ["aoi.log", "aoi.log.1", "aoi.log.2", "aoi.log.3"]
    assert all(p.stat().st_size <= 2_000_000 for p in tmp_path.iterdir())
