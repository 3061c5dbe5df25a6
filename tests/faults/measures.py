"""What a program costs its machine while it runs, measured from within, and whether that grows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtWidgets import QApplication

_SHM = Path("/dev/shm")
_WARM_UP = 0.25
"""Of the time, the part in which caches fill and every page is opened for the first time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The program at one moment; MB are 1e6 bytes.

    Attributes:
        after_s: since the beginning.
        rss_mb, uss_mb: memory of the program's own process; USS is what would be free if it ended.
        camera_mb: USS of all its children that do not train.
        handles: open files, sockets and pipes.
        threads: of the operating system.
        widgets: of Qt.
        children: processes.
        shared: files in shared memory.
        disk_mb: what lies in its folders.
        free_mb: room on their disk.
    """

    after_s: float
    rss_mb: float
    uss_mb: float
    camera_mb: float
    handles: int
    threads: int
    widgets: int
    children: int
    shared: int
    disk_mb: float
    free_mb: float


@dataclass(frozen=True, slots=True)
class Bound:
    """How much more a figure may be at the end than after the warm-up: a part of it, and so much on top."""

    name: str
    part: float
    more: float
    unit: str = ""


BOUNDS = (
    Bound("uss_mb", 0.05, 10.0, "MB"),
    Bound("rss_mb", 0.05, 10.0, "MB"),
    Bound("camera_mb", 0.05, 10.0, "MB"),
    Bound("handles", 0.0, 4, ""),
    Bound("threads", 0.0, 3, ""),
    Bound("widgets", 0.0, 0, ""),
    Bound("shared", 0.0, 0, ""),
)


def measure(began_s: float, folder: Path, trains: int | None) -> Measured:
    """This process now.

    Args:
        began_s: ``time.monotonic`` of the beginning.
        folder: in which it writes.
        trains: number of the process that trains; its memory is another matter.
    """
    me = psutil.Process()
    memory = me.memory_full_info()
    children = [child for child in me.children(recursive=True) if child.pid != trains]
    return Measured(
        after_s=time.monotonic() - began_s,
        rss_mb=memory.rss / 1e6,
        uss_mb=memory.uss / 1e6,
        camera_mb=sum(_uss(child) for child in children) / 1e6,
        handles=me.num_fds() if hasattr(me, "num_fds") else me.num_handles(),
        threads=me.num_threads(),
        widgets=len(QApplication.allWidgets()),
        children=len(children),
        shared=sum(1 for _ in _SHM.iterdir()) if _SHM.is_dir() else 0,
        disk_mb=sum(_size(path) for path in folder.rglob("*")) / 1e6,
        free_mb=shutil.disk_usage(folder).free / 1e6,
    )


def verdicts(series: Sequence[Measured]) -> list[tuple[str, str, bool]]:
    """(what, in words, whether it is flat) of every bounded figure: the median of the last quarter of the time beside
    that of the quarter after the warm-up, and the slope by the hour over all after the warm-up.
    """
    times_s = np.array([m.after_s for m in series])
    end_s = float(times_s[-1])
    warm = times_s >= _WARM_UP * end_s
    early, late = warm & (times_s < 2 * _WARM_UP * end_s), times_s >= (1 - _WARM_UP) * end_s
    told = []
    for bound in BOUNDS:
        values = np.array([getattr(m, bound.name) for m in series], np.float64)
        before, after = float(np.median(values[early])), float(np.median(values[late]))
        slope = float(np.polyfit(times_s[warm] / 3600, values[warm], 1)[0])
        text = f"{before:.1f} -> {after:.1f} {bound.unit}".rstrip() + f", {slope:+.2f} an hour"
        told.append((bound.name, text, after <= before * (1 + bound.part) + bound.more))
    return told


def _uss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.NoSuchProcess:  # it ended while it was looked at
        return 0


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # likewise a file
        return 0
