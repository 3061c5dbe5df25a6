"""How a command line ends: whatever a person can mend is one line and an exit status, never a traceback."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from cras_core.errors import CrasError, command_line_text
from cras_core.messages import cut, printable, shown

USERS_MISTAKE, STOPPED = 2, 130
"""Exit statuses: it could not be done, and the person reads why; Ctrl-C."""

_CALM_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Threads of torch that wait for each other sleep, instead of turning in a loop that takes the time of those that work:
beside a line, a training took more than five times as long. The names are those of GNU's and of Intel's OpenMP."""

_NO_THREAD = "can't start new thread"  # Python has no error of its own for it; each needs memory for its stack


def run_program(run: Callable[[], object], say: Callable[[str], None]) -> int:
    """Runs a program and returns its exit status; ``SystemExit`` passes through.

    Args:
        run: the program.
        say: shows an error to the person, a line that may be long.
    """
    _prepare()
    try:
        run()
        sys.stdout.flush()  # a full disk is told here, not after everything
    except CrasError as error:
        say(command_line_text(error))
        return USERS_MISTAKE
    except OSError as error:  # of a name that no file can have, a terminal that is gone, a disk that is full
        say(_system_text(error))
        _drop_output()
        return USERS_MISTAKE
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and _NO_THREAD not in str(error):
            raise
        say("There is not enough memory for this. Close other programs, or take fewer or smaller pictures.")
        return USERS_MISTAKE
    except ImportError as error:  # too little memory to load a library is told so
        say(f"A part of the program cannot be loaded ({shown(error)}): memory is short, or it must be installed anew.")
        return USERS_MISTAKE
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return STOPPED
    return 0


def _prepare() -> None:
    """What holds for the whole process."""
    for name, value in _CALM_THREADS.items():
        os.environ.setdefault(name, value)  # before torch is loaded; for the trainings of the window as well
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be no text; they are shown all the same


def _system_text(error: OSError) -> str:
    what = f"{cut(printable(os.fsdecode(error.filename)))}: " if isinstance(error.filename, str | bytes) else ""
    return f"{what}{shown(error)}"


def _drop_output() -> None:
    """What a full disk or a closed pipe did not take is tried once more when Python ends, and would fail once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
