"""The program as a person meets it: its command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import aoi_app


class CommandLine:
    """Runs ``python -m aoi_app`` in an empty folder, without the settings of whoever tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object, **environment: str | None) -> subprocess.Popen[str]:
        home = Path(str(aoi_app.__file__)).parents[1]
        given = os.environ | {"PYTHONPATH": str(home), "COLUMNS": "240", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
        given |= {k: v for k, v in environment.items() if v is not None}
        process = subprocess.Popen(
            [sys.executable, "-m", "aoi_app", *map(str, arguments)],
            cwd=self.folder,
            env={k: v for k, v in given.items() if environment.get(k, "") is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def __call__(
        self, *arguments: object, typed: str = "", **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(typed, timeout=180)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
