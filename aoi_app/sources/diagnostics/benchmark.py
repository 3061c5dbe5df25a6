"""How fast the way from the acquisition process to its reader is, with the synthetic camera and a reader that does
nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import psutil

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.block import Block
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.features import Setting
from aoi_app.sources.camera.synthetic import SYNTHETIC

_TICK_S = 0.005
_READ_S = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        wanted_lines_per_s: that the camera was set to.
        lines_per_s: that were read.
        gaps: times that lines were missing.
        missing_lines: of all gaps.
        fullest: highest fill of the ring, 0..1.
        tick_p99_ms, tick_worst_ms: how late a timer of 5 ms was in the reader's process, as a window's would be.
        reader_cores, camera_cores: processor time of the two processes, in cores.
        grown_mib: memory that the two processes have more at the end than after the first tenth.
        seconds: how long.
    """

    wanted_lines_per_s: float
    lines_per_s: float
    gaps: int
    missing_lines: int
    fullest: float
    tick_p99_ms: float
    tick_worst_ms: float
    reader_cores: float
    camera_cores: float
    grown_mib: float
    seconds: float


@dataclass
class _Seen:
    lines: int = 0
    gaps: int = 0
    missing_lines: int = 0
    fullest: float = 0.0
    began_s: float = 0.0
    ended_s: float = 0.0
    next_id: int | None = None
    problem: BaseException | None = None
    began: threading.Event = field(default_factory=threading.Event)


def measure_throughput(
    width_px: int, lines_per_s: float, seconds: float, frame_lines: int, pixel_format: str
) -> Measured:
    """Runs the synthetic camera for a while.

    Raises:
        SourceError: there is not enough shared memory.
    """
    settings = (
        Setting("remote", "Width", width_px),
        Setting("remote", "Height", frame_lines),
        Setting("remote", "PixelFormat", pixel_format),
        Setting("remote", "AcquisitionLineRate", lines_per_s),
    )
    seen = _Seen()
    with CameraBlocks(CameraConfig(SYNTHETIC, settings=settings)) as camera:
        reader = threading.Thread(target=_read, args=(camera, seconds, seen), daemon=True)
        reader.start()
        seen.began.wait()
        own, other = psutil.Process(), psutil.Process(camera.pid)
        begun = _cpu_s(own), _cpu_s(other)
        late_ms, early_bytes = _tick(reader, own, other, seconds)
        grown = _private_bytes(own) + _private_bytes(other) - early_bytes
        used = _cpu_s(own) - begun[0], _cpu_s(other) - begun[1]
        reader.join()
    if seen.problem is not None:
        raise seen.problem
    took_s = seen.ended_s - seen.began_s
    return Measured(
        wanted_lines_per_s=lines_per_s,
        lines_per_s=seen.lines / took_s,
        gaps=seen.gaps,
        missing_lines=seen.missing_lines,
        fullest=seen.fullest,
        tick_p99_ms=float(np.percentile(late_ms, 99)),
        tick_worst_ms=float(late_ms.max()),
        reader_cores=used[0] / took_s,
        camera_cores=used[1] / took_s,
        grown_mib=grown / 2**20,
        seconds=took_s,
    )


def _tick(
    reader: threading.Thread, own: psutil.Process, other: psutil.Process, seconds: float
) -> tuple[npt.NDArray[np.float64], int]:
    """How late each tick was, ms; and the memory after a tenth of the time, bytes."""
    late_ms = np.zeros(int(2 * seconds / _TICK_S) + 1000)  # made before, so that it does not count as grown memory
    early_bytes = ticks = 0
    due_s = time.perf_counter() + _TICK_S
    settled_s = due_s + seconds / 10
    while reader.is_alive():
        time.sleep(max(0.0, due_s - time.perf_counter()))
        now = time.perf_counter()
        late_ms[min(ticks, len(late_ms) - 1)] = (now - due_s) * 1000
        ticks += 1
        due_s = max(due_s + _TICK_S, now)
        if not early_bytes and now > settled_s:
            early_bytes = _private_bytes(own) + _private_bytes(other)
    return late_ms[:ticks], early_bytes


def _read(camera: CameraBlocks, seconds: float, seen: _Seen) -> None:
    try:
        while not seen.began_s or time.monotonic() - seen.began_s < seconds:
            block = camera.read(_READ_S)
            if isinstance(block, Block):
                _note(block, seen)
                seen.fullest = max(seen.fullest, camera.fill)
    except BaseException as error:  # noqa: BLE001 (raised again by the one who waits)
        seen.problem = error
    seen.ended_s = time.monotonic()
    seen.began.set()


def _note(block: Block, seen: _Seen) -> None:
    lines = len(block.image)
    if not seen.began_s:
        seen.began_s = time.monotonic()
        seen.began.set()
    else:
        seen.lines += lines
    if seen.next_id is not None and block.frame_id != seen.next_id and block.frame_id is not None:
        seen.gaps += 1
        seen.missing_lines += (block.frame_id - seen.next_id) * lines
    seen.next_id = None if block.frame_id is None else block.frame_id + 1


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _private_bytes(process: psutil.Process) -> int:
    """Memory of its own; the ring is shared and has one size."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))
