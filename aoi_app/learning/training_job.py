"""A full training in a process of its own, at low priority, while the line goes on inspecting.

The process is the command ``cras retrain``: what the window starts is what a person may start. It says each step in a
line of JSON and stops when its input ends, so it does not outlive the window. A training that was cut off, by whatever,
goes on where it was when it is started again.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import psutil

logger = logging.getLogger(__name__)

_SHARES = {"features": 0.40, "drawn defects": 0.13, "training": 0.27, "calibration": 0.08, "comparison": 0.12}
"""How long the stages take of the whole, measured on four fabrics of AITEX; for the remaining time only."""


class JobState(Enum):
    """Where a training is. RUNNING -> DONE, CANCELLED or FAILED."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobView:
    """A training as it is shown.

    Attributes:
        state: where it is.
        stage: of the training.
        share: of all its work, 0..1.
        message: one line for a person; of a training that failed, why.
        losses: on held-back cloth after each epoch.
        remaining_s: about so long; None while nobody can tell.
        model: identity of the new model; empty before there is one.
        is_in_use: the new model was put into use.
        worse: what it does worse than the model before.
        stage_began: share and seconds when the present stage began; how fast it goes is told from there, because stages
            that an earlier training had done take no time.
        told_s: when it was heard of last, seconds since it was started.
    """

    state: JobState = JobState.RUNNING
    stage: str = ""
    share: float = 0.0
    message: str = "starting"
    losses: tuple[float, ...] = ()
    remaining_s: float | None = None
    model: str = ""
    is_in_use: bool = False
    worse: tuple[str, ...] = ()
    stage_began: tuple[float, float] = (0.0, 0.0)
    told_s: float = 0.0


def taken_in(view: JobView, line: str, elapsed_s: float) -> JobView:
    """A view after another line of the process; one that is not understood changes nothing but the message."""
    try:
        told = json.loads(line)
        if "model" in told:
            return replace(
                view,
                share=1.0,
                model=told["model"],
                is_in_use=told["in_use"],
                worse=tuple(told["worse"]),
                remaining_s=0.0,
            )
        stage, done, total = str(told["stage"]), int(told["done"]), max(1, int(told["total"]))
        losses = view.losses if told["loss"] is None else (*view.losses, float(told["loss"]))
    except (ValueError, KeyError, TypeError):
        return replace(view, message=line.strip())
    before = list(_SHARES)[: list(_SHARES).index(stage)] if stage in _SHARES else list(_SHARES)
    first = sum(_SHARES[s] for s in before)
    share = first + _SHARES.get(stage, 0.0) * done / total
    began = view.stage_began if stage == view.stage else (first, view.told_s)
    gained, seconds = share - began[0], elapsed_s - began[1]
    remaining = seconds * (1 - share) / gained if gained > 0.02 else view.remaining_s
    message = str(told["message"]).rsplit("/", 1)[-1]
    return replace(
        view,
        stage=stage,
        share=share,
        message=message,
        losses=losses,
        remaining_s=remaining,
        stage_began=began,
        told_s=elapsed_s,
    )


class TrainingJob:
    """One training. ``view`` may be asked from any thread."""

    def __init__(
        self,
        samples: Path,
        models: Path,
        *,
        promote: str = "no",
        more: Path | None = None,
        like: Path | None = None,
        fabrics: Sequence[str] = (),
        settings: Sequence[str] = (),
        device: str = "auto",
        fresh: bool = False,
    ) -> None:
        """Starts it; arguments as of ``cras retrain``."""
        command = [sys.executable, "-m", "cras_core", "retrain", str(samples), str(models), "--progress", "json"]
        command += ["--promote", promote, "--device", device, *(["--fresh"] if fresh else [])]
        command += [] if more is None else ["--data", str(more)]
        command += [] if like is None else ["--like", str(like)]
        command += [part for f in fabrics for part in ("--fabric", f)]
        command += [part for s in settings for part in ("--set", s)]
        self._view = JobView()
        self._lock = threading.Lock()
        self._began_s = time.monotonic()
        self._cancelled = False
        threads = str(max(1, (os.cpu_count() or 2) - 1))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
        )
        _give_way(self._process.pid)
        self._errors: list[str] = []
        self._threads = [
            threading.Thread(target=run, name=f"training {run.__name__}", daemon=True)
            for run in (self._follow, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def view(self) -> JobView:
        """How it is doing."""
        with self._lock:
            return self._view

    def cancel(self) -> None:
        """Asks it to stop; what it has learnt is kept for the next time."""
        self._cancelled = True
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def kill(self) -> None:
        """Ends it at once; what it had put aside is kept."""
        self._cancelled = True
        self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Waits for its end; False when it has not come."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._lock:
                    self._view = taken_in(self._view, line, time.monotonic() - self._began_s)
        code = self._process.wait()
        self._threads[1].join()
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        with self._lock:
            self._view = self._ended(code)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as errors:
            for line in errors:
                self._errors.append(line.rstrip())
                logger.info("training: %s", line.rstrip())

    def _ended(self, code: int) -> JobView:
        if code == 0 and self._view.model:
            return replace(self._view, state=JobState.DONE, message="done")
        if self._cancelled:
            return replace(
                self._view, state=JobState.CANCELLED, message="cancelled; started again, it goes on from here"
            )
        said = " ".join(line for line in self._errors if line.strip()).partition("Error:")[2].strip()
        if not said:
            said = f"The training ended by itself (exit {code}). {self._errors[-1] if self._errors else ''}".strip()
        return replace(self._view, state=JobState.FAILED, message=said)


def _give_way(pid: int) -> None:
    """Everything else on this machine goes first."""
    try:
        process = psutil.Process(pid)
        process.nice(getattr(psutil, "IDLE_PRIORITY_CLASS", 19))
    except (psutil.Error, OSError) as error:
        logger.warning("the training runs at normal priority: %s", error)
