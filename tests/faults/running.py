"""Programs that are started to be hurt, each with a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

TOP = Path(__file__).parents[2]
AOI, CRAS = (sys.executable, "-m", "aoi_app"), (sys.executable, "-m", "cras_core")
_GONE_WITHIN_S = 15.0  # a camera's process ends when its pipe does, or by a timer


@dataclass(frozen=True, slots=True)
class Ended:
    """
    Attributes:
        code: exit status, negative where a signal ended it.
        said: what it printed, both ways together.
        took_s: how long it ran.
        left: its children that did not end with it.
    """

    code: int
    said: str
    took_s: float
    left: tuple[str, ...] = ()

    @property
    def is_traceback(self) -> bool:
        """It ended as no program of ours should."""
        return "Traceback (most recent call last)" in self.said


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a program whose files all lie below ``home``."""
    own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    calm = {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    return {**os.environ, **own, **calm, "PYTHONPATH": str(TOP), **(more or {})}


def run(
    command: Sequence[str],
    home: Path,
    *,
    kill_after_s: float | None = None,
    most_s: float = 300.0,
    more: Mapping[str, str] | None = None,
) -> Ended:
    """Runs a program to its end, or kills it (SIGKILL, as the kernel does when memory is out).

    Args:
        command: program and arguments.
        home: its folder.
        kill_after_s: after so long; None lets it end by itself.
        most_s: longer than this is a failure.
        more: of its environment.
    """
    output = home / "said.txt"
    home.mkdir(parents=True, exist_ok=True)
    begun_s = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment(home, more),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(most_s if kill_after_s is None else kill_after_s)
        except subprocess.TimeoutExpired:
            children = _children_of(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        else:
            children = []
    _, alive = psutil.wait_procs(children, timeout=_GONE_WITHIN_S)
    left = tuple(" ".join(child.cmdline())[:100] for child in alive)
    for child in alive:
        child.kill()
    said = output.read_text(encoding="utf-8", errors="replace")
    return Ended(process.returncode, said, time.monotonic() - begun_s, left)


def _children_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def started(
    command: Sequence[str], home: Path, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A program that runs beside the harness; it is killed at the end where it still does. Its output is in a pipe."""
    home.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        command,
        cwd=home,
        env=environment(home, more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
