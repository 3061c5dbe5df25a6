"""A whole list of checks against somebody's camera, and a report to send back."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import signal
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera.device import CameraConfig, CameraError
from aoi_app.sources.camera.discovery import discover_cameras, find_producers
from aoi_app.sources.camera.features import NODE_MAPS, Feature, FeatureError, Setting
from aoi_app.sources.camera.pixel_formats import FORMATS
from aoi_app.sources.camera.presets import describe_results
from aoi_app.sources.source import SourceError
from cras_core.errors import CrasError
from cras_core.messages import Sentence

Outcome = Literal["passed", "failed", "remark", "not possible"]
_FIRST_BLOCK_S = 5.0
_RECOVER_S = 30.0
LINE_SCAN_NAMES = (
    "DeviceScanType",
    "Width",
    "OffsetX",
    "Height",
    "PixelFormat",
    "ReverseX",
    "AcquisitionLineRate",
    "AcquisitionLineRateEnable",
    "ExposureTime",
    "Gain",
    "TriggerSelector",
    "TriggerMode",
    "TriggerSource",
    "TriggerActivation",
    "EncoderSelector",
    "EncoderSourceA",
    "EncoderSourceB",
    "EncoderMode",
    "EncoderDivider",
    "EncoderResolution",
    "EncoderValue",
    "EncoderReset",
    "ChunkModeActive",
    "ChunkFrameID",
    "ChunkTimestamp",
    "ChunkEncoderValue",
    "ChunkScanLineSelector",
)
"""What a line-scan camera is set up with, by the names of the standard (SFNC)."""


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one check.

    Attributes:
        name: what was tried.
        outcome: passed; failed; a remark: it works, but somebody should know; not possible with this camera.
        text: for a person.
        figures: what was measured.
        seconds: how long it took.
    """

    name: str
    outcome: Outcome
    text: str
    figures: dict[str, Any]
    seconds: float


Finding = tuple[Outcome, str, dict[str, Any]]


class NoBlockError(CrasError):
    """The camera is open, and nothing came."""


def check_camera(config: CameraConfig, stream_s: float, restarts: int, said: Callable[[Check], None]) -> list[Check]:
    """Tries everything that the program does with a camera. Its pixel format and chunk mode are as before afterwards.

    Args:
        config: which camera.
        stream_s: how long to read at its full rate.
        restarts: how often to stop and start it.
        said: is told of every check as soon as it is done.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("this machine", _machine),
        ("the producer finds cameras", lambda: _producer(config)),
        ("the camera opens and tells its features", lambda: _features(config)),
        ("a second program is refused", lambda: _second_program(config)),
        ("blocks come", lambda: _first_block(config)),
        (f"starts and stops {restarts} times", lambda: _restarts(config, restarts)),
        ("every pixel format", lambda: _pixel_formats(config)),
        ("chunks", lambda: _chunks(config)),
        (f"runs for {stream_s:g} s", lambda: _stream(config, stream_s)),
        ("comes back when its process is killed", lambda: _comes_back(config, "SIGKILL")),
        ("comes back when its driver hangs", lambda: _comes_back(config, "SIGSTOP")),
        ("leaves nothing behind", _nothing_left),
    ]
    found = []
    for name, check in checks:
        result = _run(name, check)
        said(result)
        found.append(result)
    return found


def report_as_text(checks: list[Check]) -> str:
    """The report for a person."""
    lines = ["Camera check", time.strftime("%Y-%m-%d %H:%M:%S %Z"), ""]
    for check in checks:
        lines.append(f"{check.outcome.upper():13}{check.name} ({check.seconds:.1f} s)")
        lines += [f"             {line}" for line in check.text.splitlines()]
        lines += [
            f"               {name} = {value}"
            for name, value in check.figures.items()
            if isinstance(value, int | float | str)
        ]
    bad = sum(c.outcome == "failed" for c in checks)
    lines += ["", f"{len(checks) - bad} of {len(checks)} checks did not fail."]
    return "\n".join(lines) + "\n"


def report_as_json(checks: list[Check]) -> dict[str, Any]:
    """The report with everything that was measured, and all features."""
    return {"format": 1, "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "checks": [asdict(c) for c in checks]}


def _run(name: str, check: Callable[[], Finding]) -> Check:
    began_s = time.monotonic()
    try:
        outcome, text, figures = check()
    except NoBlockError as error:
        outcome, text, figures = "not possible", str(error), {}
    except (SourceError, CameraError, FeatureError) as error:
        outcome, text, figures = "failed", str(error), {}
    return Check(name, outcome, text, figures, time.monotonic() - began_s)


def _machine() -> Finding:
    versions = {n: importlib.metadata.version(n) for n in ("cras-aoi", "harvesters", "genicam", "numpy") if _has(n)}
    text = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    return "passed", text, {**versions, "memory_mib": psutil.virtual_memory().total // 2**20}


def _has(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _producer(config: CameraConfig) -> Finding:
    if not os.path.exists(config.producer):  # noqa: PTH110 (a word like synthetic is no path)
        return "remark", f"{config.producer} is built in.", {}
    (report,) = discover_cameras(find_producers([config.producer], elsewhere=False)[0])
    if report.problem:
        return "failed", report.problem, {}
    found = "\n".join(f"{d.name}: {d.transport}, {d.access}" for d in report.devices)
    return "passed", found or "It finds no camera.", {"devices": [asdict(d) for d in report.devices]}


def _features(config: CameraConfig) -> Finding:
    with CameraProcess(config) as camera:
        maps = {m: camera.features(m) for m in NODE_MAPS}
        info, results = camera.info, camera.results
    names = {f.name for features in maps.values() for f in features if f.access != "NA"}
    lacks = [n for n in LINE_SCAN_NAMES if n not in names]
    scan = next((str(f.value) for f in maps["remote"] if f.name == "DeviceScanType"), "unknown")
    text = "\n".join(
        [
            f"{info.name if info else ''}, scan type {scan}",
            *(f"{m}: {len(f)} features" for m, f in maps.items()),
            f"has not or not now: {', '.join(lacks) or 'nothing of what a line-scan camera is set up with'}",
            *describe_results(results),
        ]
    )
    everything = {m: [f.to_json() for f in features] for m, features in maps.items()}
    return "passed", text, {"info": asdict(info) if info else None, "features": everything}


def _second_program(config: CameraConfig) -> Finding:
    with CameraProcess(config):
        try:
            with CameraProcess(config):
                pass
        except CameraError as error:
            return ("passed" if error.in_use else "remark"), str(error), {}
    return "remark", "The producer lets two programs open the camera; simulated ones do. Open it only once.", {}


def _first_block(config: CameraConfig) -> Finding:
    with CameraBlocks(config) as camera:
        block = _next_block(camera)
        image = block.image
        text = (
            f"{image.shape[0]} lines of {image.shape[1]} px, {image.shape[2] if image.ndim == 3 else 1} channel(s), "
            f"{block.bits} bit; frame id {block.frame_id}, timestamp {block.timestamp_ns} ns, encoder "
            f"{'none' if block.encoder is None else block.encoder[0]}"
        )
        return "passed", text, {"darkest": int(image.min()), "brightest": int(image.max()), "mean": float(image.mean())}


def _restarts(config: CameraConfig, count: int) -> Finding:
    with CameraBlocks(config) as camera:
        _next_block(camera)
        seconds = []
        for _ in range(count):
            began_s = time.monotonic()
            camera.change(())
            _next_block(camera, after_restart=True)
            seconds.append(time.monotonic() - began_s)
        broke_down = camera.status.restarts
    if broke_down:
        return "failed", f"The acquisition process broke down {broke_down} times.", {}
    return "passed", "", {"median_s": statistics.median(seconds), "longest_s": max(seconds)}


def _pixel_formats(config: CameraConfig) -> Finding:
    with CameraBlocks(config) as camera:
        _next_block(camera)
        before = camera.feature("remote", "PixelFormat")
        try:
            lines = [_try_format(camera, name) for name in before.entries]
        finally:
            _set(camera, "PixelFormat", before)
    unread = [n for n in before.entries if n not in FORMATS]
    failed = [line for line in lines if line.startswith("failed")]
    outcome: Outcome = "failed" if failed else "remark" if unread else "passed"
    return outcome, "\n".join(lines), {"formats": list(before.entries), "cannot_be_read": unread}


def _try_format(camera: CameraBlocks, name: str) -> str:
    if name not in FORMATS:
        return f"{name}: this program cannot read it"
    problems = describe_results(camera.change([Setting("remote", "PixelFormat", name)]))
    if problems:
        return f"{name}: {' '.join(problems)}"
    try:
        block = _next_block(camera, after_restart=True)
    except NoBlockError as error:
        return f"failed: {name}: {error}"
    kind = FORMATS[name]
    fits = (block.bits, block.image.dtype, block.image.ndim) == (kind.bits, kind.dtype, 2 if kind.channels == 1 else 3)
    top = int(block.image.max())
    if not fits or top >= 2**kind.bits:
        sent = f"{block.bits} bit {block.image.dtype} {block.image.shape}, values up to {top}"
        return f"failed: {name}: its blocks are {sent}; the producer may not say what it sends"
    return f"{name}: {block.bits} bit, values {int(block.image.min())} to {top}"


def _chunks(config: CameraConfig) -> Finding:
    with CameraBlocks(config) as camera:
        try:
            before = camera.feature("remote", "ChunkModeActive")
        except FeatureError as error:
            return "not possible", str(error), {}
        _next_block(camera)
        camera.change([Setting("remote", "ChunkModeActive", True)])
        try:
            block = _next_block(camera, after_restart=True)
            found = [f for f in camera.features("remote") if f.name.startswith("Chunk") and f.access in {"RO", "RW"}]
        finally:
            _set(camera, "ChunkModeActive", before)
    values = {f.name: f.value for f in found}
    encoder = "no encoder counts" if block.encoder is None else f"encoder at {block.encoder[0]}"
    return "passed", f"{encoder}; frame id {block.frame_id}", {"chunks": values}


def _set(camera: CameraBlocks, name: str, before: Feature) -> None:
    """Puts a feature back as it was."""
    if before.value is not None and camera.feature("remote", name).value != before.value:
        camera.change([Setting("remote", name, before.value)])


def _stream(config: CameraConfig, seconds: float) -> Finding:
    frames = lines = gaps = missing = backwards = 0
    longest_s, last_s, last_id = 0.0, 0.0, None
    with CameraBlocks(config) as camera:
        first = _next_block(camera)
        last_s, last_id = first.captured_at_s, first.frame_id
        del first
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            block = camera.read(0.2)
            if not isinstance(block, Block):
                continue
            frames, lines = frames + 1, lines + len(block.image)
            longest_s, last_s = max(longest_s, block.captured_at_s - last_s), block.captured_at_s
            if block.frame_id is not None and last_id is not None and block.frame_id != last_id + 1:
                gaps, missing = gaps + 1, missing + max(0, block.frame_id - last_id - 1)
                backwards += block.frame_id <= last_id
            last_id = block.frame_id
        status = camera.status
    figures = {
        "frames_per_s": frames / seconds,
        "lines_per_s": lines / seconds,
        "gaps_of_frame_ids": gaps,
        "frames_missing": missing,
        "frame_ids_not_rising": backwards,
        "incomplete_buffers": status.incomplete,
        "lines_lost_in_the_ring": status.lost_lines,
        "longest_pause_s": longest_s,
        "restarts": status.restarts,
    }
    is_whole = not (gaps or status.incomplete or status.lost_lines or status.restarts)
    text = "" if last_id is not None else "The camera does not count its frames; lost ones cannot be noticed."
    return ("passed" if is_whole and not text else "remark"), text, figures


def _comes_back(config: CameraConfig, how: str) -> Finding:
    if how == "SIGSTOP" and sys.platform == "win32":
        return "not possible", "Windows cannot stop a process from outside.", {}
    with CameraBlocks(config) as camera:
        _next_block(camera)
        pid, began_s = camera.pid, time.monotonic()
        assert pid is not None
        noticed_s = None
        if how == "SIGKILL":
            psutil.Process(pid).kill()
        else:
            os.kill(pid, signal.SIGSTOP)
        while time.monotonic() - began_s < _RECOVER_S:
            found = camera.read(0.1)
            if noticed_s is None and (camera.status.state != "running" or camera.pid != pid):
                noticed_s = time.monotonic() - began_s
            if isinstance(found, Outage):
                again_s = time.monotonic() - began_s
                return "passed", found.reason, {"noticed_s": noticed_s, "blocks_again_s": again_s}
        return "failed", f"No block for {_RECOVER_S:g} s. {camera.status.text}", {"noticed_s": noticed_s}


def _nothing_left() -> Finding:
    children = psutil.Process().children(recursive=True)
    left = [c.pid for c in children if "resource_tracker" not in " ".join(c.cmdline())]  # ends with the program
    shared = [p.name for p in Path("/dev/shm").glob(f"aoi-{os.getpid()}-*")]
    if left or shared:
        return "failed", f"Processes {left}, shared memory {shared}", {}
    return "passed", "", {}


def _next_block(camera: CameraBlocks, *, after_restart: bool = False) -> Block:
    """The next block; after a restart that was just made, the first that follows it."""
    end_s = time.monotonic() + _FIRST_BLOCK_S
    while time.monotonic() < end_s:
        found = camera.read(0.1)
        after_restart = after_restart and not isinstance(found, Outage)
        if isinstance(found, Block) and not after_restart:
            return found
    try:
        trigger = camera.feature("remote", "TriggerMode").value
    except FeatureError:
        trigger = "unknown"
    why = camera.status.text or f"TriggerMode is {trigger}; let the web run, or switch the trigger off."
    raise NoBlockError(
        "no-block-came", "No block came for {seconds:g} s. {why}", seconds=_FIRST_BLOCK_S, why=Sentence(why)
    )
