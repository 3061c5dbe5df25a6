"""The command line as a person meets it: in this process or, where a process matters, in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import aoi_app
from aoi_app.__main__ import main


class CommandLine:
    """Runs ``aoi`` in an empty folder, without the settings of whoever tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def __call__(
        self, *arguments: object, typed: str = "", **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Runs it in this process, which has everything imported; a command that is told to end, or a window, is
        started apart.
        """
        argv = ["aoi", *map(str, arguments)]
        out, err = io.StringIO(), io.StringIO()
        before = Path.cwd()
        code: object = 0
        os.chdir(self.folder)
        try:
            with (
                patch.object(sys, "argv", argv),
                patch.object(sys, "stdin", io.StringIO(typed)),
                patch.dict(os.environ, _given(environment), clear=True),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                try:
                    main()
                except SystemExit as end:
                    code = end.code
        finally:
            os.chdir(before)
        return subprocess.CompletedProcess(argv, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())

    def apart(self, *arguments: object, typed: str = "", **environment: str | None) -> subprocess.CompletedProcess[str]:
        """Runs it in a process of its own and waits for it."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(typed, timeout=180)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: object, **environment: str | None) -> subprocess.Popen[str]:
        """Starts it in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "aoi_app", *map(str, arguments)],
            cwd=self.folder,
            env=_given(environment) | {"PYTHONPATH": str(Path(str(aoi_app.__file__)).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Kills what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def _given(environment: dict[str, str | None]) -> dict[str, str]:
    """The environment of a command; None takes a variable out."""
    given = os.environ | {"COLUMNS": "240", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    given |= {k: v for k, v in environment.items() if v is not None}
    return {k: v for k, v in given.items() if environment.get(k, "") is not None}
