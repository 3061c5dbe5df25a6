"""A full training in a process of its own, at low priority, while the line goes on inspecting.

The process is the command ``cras retrain``: what the window starts is what a person may start. It reports each step in
a line of JSON and stops when its input ends, so it does not outlive the window. Started again, a training that was
interrupted, by whatever, is resumed.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from aoi_app.learning.training_state import TrainingPhase, TrainingState, after_line

logger = logging.getLogger(__name__)

_MOST_ERRORS = 200  # lines of the process that are kept; what it died of is among the last ones


class TrainingJob:
    """One training. Everything but the constructor may be called from any thread."""

    def __init__(
        self,
        samples: Path,
        models: Path,
        *,
        promote: str = "no",
        more: Path | None = None,
        settings: Sequence[str] = (),
        device: str = "auto",
        fresh: bool = False,
        gives_way: bool = True,
    ) -> None:
        """Starts it; arguments as of ``cras retrain``.

        Args:
            samples, models, promote, more, settings, device, fresh: see there.
            gives_way: at the lowest priority, so that the line goes first.
        """
        command = [sys.executable, "-m", "cras_core", "retrain", str(samples), str(models), "--progress", "json"]
        command += ["--promote", promote, "--device", device, *(["--fresh"] if fresh else [])]
        command += [] if more is None else ["--data", str(more)]
        command += [part for s in settings for part in ("--set", s)]
        self._state = TrainingState()
        self._lock = threading.Lock()
        self._began_s = time.monotonic()
        self._cancelled = False
        self._errors: deque[str] = deque(maxlen=_MOST_ERRORS)
        self._process = _start(command)
        if gives_way:
            _give_way(self._process.pid)
        self._threads = [
            threading.Thread(target=run, name=f"training {run.__name__}", daemon=True)
            for run in (self._read_steps, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def state(self) -> TrainingState:
        """How it is doing."""
        with self._lock:
            return self._state

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def cancel(self) -> None:
        """Asks it to stop; what it has learnt is kept for the next time."""
        self._cancelled = True
        self._close_input()

    def wait(self, timeout_s: float) -> bool:
        """Waits for its end; False when it has not come."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _close_input(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def _read_steps(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._lock:
                    self._state = after_line(self._state, line, time.monotonic() - self._began_s)
        code = self._process.wait()
        self._threads[1].join()
        self._close_input()
        with self._lock:
            self._state = self._ended(code)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as errors:
            for line in errors:
                self._errors.append(line.rstrip())
                logger.info("training: %s", line.rstrip())

    def _ended(self, code: int) -> TrainingState:
        if code == 0 and self._state.model:
            return replace(self._state, phase=TrainingPhase.DONE, message="done")
        if self._cancelled:
            return replace(self._state, phase=TrainingPhase.CANCELLED, message="cancelled")
        said = " ".join(line for line in self._errors if line.strip()).partition("Error:")[2].strip()
        if not said:
            said = f"The training ended by itself (exit {code}). {self._errors[-1] if self._errors else ''}".strip()
        return replace(self._state, phase=TrainingPhase.FAILED, message=said)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    threads = str(max(1, (os.cpu_count() or 2) - 1))  # one processor stays with the line
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
    )


def _give_way(pid: int) -> None:
    """Everything else on this machine goes first."""
    try:
        process = psutil.Process(pid)
        process.nice(getattr(psutil, "IDLE_PRIORITY_CLASS", 19))
    except (psutil.Error, OSError) as error:
        logger.warning("the training runs at normal priority: %s", error)
