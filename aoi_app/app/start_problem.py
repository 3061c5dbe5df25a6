"""A start that failed, told in a window: who starts the program from a menu has no terminal to read."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from PySide6.QtWidgets import QApplication

from aoi_app.faults.report import report_text
from aoi_app.ui.main.problem_dialog import ProblemDialog
from aoi_app.ui.widgets.theme import apply_theme
from cras_core.errors import CrasError

_WITHOUT_SCREEN = ("offscreen", "minimal", "vnc")


def is_told_in_a_window(platform: str, *, has_terminal: bool) -> bool:
    """Whether a window has to tell it: there is a screen, and nobody reads a terminal.

    Args:
        platform: name of Qt's platform.
        has_terminal: what the program prints goes to a terminal.
    """
    return not has_terminal and platform not in _WITHOUT_SCREEN


def tell_start_problem(error: Exception, log: Path) -> None:
    """Tells why the program does not start, and returns when the person has closed the window.

    Args:
        error: why.
        log: the log.
    """
    qt = QApplication.instance()
    has_terminal = sys.stderr is not None and sys.stderr.isatty()
    if isinstance(qt, QApplication) and is_told_in_a_window(qt.platformName(), has_terminal=has_terminal):
        apply_theme(qt, "dark")
        problem_dialog(error, log).exec()


def problem_dialog(error: Exception, log: Path) -> ProblemDialog:
    """The window that tells it; not shown yet."""
    trace = "".join(traceback.format_exception(error))
    return ProblemDialog(
        "Cloth inspection cannot start", start_problem_text(error), _details(error, trace, log), log.parent
    )


def start_problem_text(error: Exception) -> str:
    """What happened and what to do."""
    if isinstance(error, CrasError):
        return f"The program cannot start.\n\n{error}"
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        return f"The program cannot start.\n\n{what}\n\nCheck that the file or folder is there and may be written to."
    return (
        f"The program cannot start, for a reason that nobody foresaw ({what}).\n\n"
        "Start it again. If that does not help, install it anew, or send the details below to who maintains it. No "
        "pictures of cloth are in them; names of files and fabrics may be."
    )


def _details(error: Exception, trace: str, log: Path) -> str:
    hint = f"\n{error.hint}\n" if isinstance(error, CrasError) and error.hint else ""
    return report_text(f"The program does not start: {error}{hint}", trace, log)
