"""Which producers and cameras there are. Every producer is asked in a process of its own with a time limit, so that
one that crashes or hangs costs a line in the report and nothing else.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import struct
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aoi_app.sources.camera.device import CameraError, DeviceInfo, binding_missing
from aoi_app.sources.camera.kinds import kind_of
from aoi_app.sources.source import SourceError
from cras_core.messages import Sentence, shown

_LIMIT_S = 15.0  # GigE cameras are looked for by broadcast on every network card, one after the other
_VARIABLE = "GENICAM_GENTL64_PATH"  # where the installers of producers put their folders, by the GenTL standard
_ELF_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64"}  # e_machine of an ELF file
_PE_MACHINES = {0x14C: "x86", 0x8664: "x86_64", 0xAA64: "aarch64"}  # Machine of the COFF header
_SAME = {"amd64": "x86_64", "arm64": "aarch64", "i386": "x86", "i686": "x86"}


@dataclass(frozen=True, slots=True)
class ProducerReport:
    """What came of asking a producer.

    Attributes:
        path: the file.
        origin: why it was asked: the environment, a setting, or the installed package.
        devices: that it found.
        problem: why it could not be used, for a person; empty if it could.
        seconds: that it took.
    """

    path: str
    origin: str
    devices: tuple[DeviceInfo, ...]
    problem: str
    seconds: float


def package_producer() -> Path | None:
    """The producer with simulated cameras inside the installed ``genicam`` package; None where it has none."""
    spec = importlib.util.find_spec("genicam")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("viky.cti")
    return path if path.is_file() else None


def find_producers(named: Sequence[str] = (), *, elsewhere: bool = True) -> tuple[list[tuple[Path, str]], list[str]]:
    """The producers of this machine.

    Args:
        named: files, or folders of files, that a setting or an option names.
        elsewhere: also those of the environment and of the installed package.

    Returns:
        Files with their origins, each once; and sentences about places that could not be used.
    """
    places = [(Path(n).expanduser(), "named") for n in named]
    if elsewhere:
        places += [(Path(p), _VARIABLE) for p in os.environ.get(_VARIABLE, "").split(os.pathsep) if p]
        inside = package_producer()
        # The package's own simulated cameras come last: who has a real one means that.
        places += [] if inside is None else [(inside, "the package genicam, simulated cameras")]
    found: dict[Path, tuple[Path, str]] = {}
    remarks = []
    for place, origin in places:
        try:
            files = sorted(place.glob("*.cti")) if place.is_dir() else [place]
            if not files:
                remarks.append(f"{place} ({origin}) holds no producer (*.cti).")
            for file in files:
                found.setdefault(file.resolve(), (file, origin))
        except OSError as error:
            remarks.append(f"{place} ({origin}) cannot be read: {error.strerror or error}.")
    return list(found.values()), remarks


def discover_cameras(producers: Iterable[tuple[Path, str]], limit_s: float = _LIMIT_S) -> list[ProducerReport]:
    """Asks producers for their cameras, all at the same time.

    Args:
        producers: files with their origins.
        limit_s: how long each may take.
    """
    # A library for another system is told by its header; loading it would only say "cannot open".
    asked = [(path, origin, problem_of(path)) for path, origin in producers]
    # All at once: one that hangs costs its own time limit, not that of the others.
    running = [None if problem else _Question(path) for path, _, problem in asked]
    end_s = time.monotonic() + limit_s
    reports = []
    for (path, origin, problem), question in zip(asked, running, strict=True):
        if question is None:
            reports.append(ProducerReport(str(path), origin, (), str(problem), 0.0))
        else:
            devices, why = question.answer(end_s)
            reports.append(ProducerReport(str(path), origin, devices, why, time.monotonic() - question.began_s))
    return reports


def find_camera(serial: str | None, named: Sequence[str] = ()) -> DeviceInfo:
    """The camera with a serial number, or the first one; the simulated ones of the package come last.

    Args:
        serial: what the camera says, or the producer's own name for it; None takes the first.
        named: producers, or folders of them; only these are asked. None asks all of this machine. ``synthetic`` is the
            built-in camera.

    Raises:
        SourceError: there is none; the text says what was found and what is wrong with what was not.
    """
    find = kind_of(named[0]).find if len(named) == 1 else None
    if find is not None:
        return find(serial)[0]
    producers, remarks = find_producers(named, elsewhere=not named)
    reports = discover_cameras(producers)
    devices = [d for r in reports for d in r.devices]
    for device in devices:
        if serial is None or serial in {device.serial, device.id}:
            return device
    problems = remarks + [r.problem for r in reports if r.problem]
    if not problems:
        problems.append("The producers find none.")
    if devices:
        problems.insert(0, f"Found: {', '.join(shown(d.name) for d in devices)}.")
    if not reports:
        problems.insert(0, f"No producer is known: set {_VARIABLE}, or name its .cti file with --producer.")
    told = Sentence(" ".join(problems))
    if serial is None:
        raise SourceError("no-camera-found", "There is no camera. {problems}", problems=told)
    raise SourceError(
        "camera-not-found",
        "There is no camera with the serial number {serial}. {problems}",
        serial=serial,
        problems=told,
    )


def problem_of(path: Path) -> str | None:
    """What can be said against a producer without loading it; None if nothing."""
    if not path.exists():
        return f"There is no producer {path}."
    if not path.is_file():
        return f"{path} is no file; a producer is a file that ends in .cti."
    try:
        with path.open("rb") as file:
            built_for = _architecture(file.read(4096))
    except OSError as error:
        return f"The producer {path} cannot be read: {error.strerror or error}."
    machine = _SAME.get(platform.machine().lower(), platform.machine().lower())
    if built_for is None:
        return f"{path} is no producer: it is not a library for this system."
    if built_for != (platform.system(), machine):
        return (
            f"The producer {path} is built for {built_for[0]} on {built_for[1]}; this is {platform.system()} on "
            f"{machine}. Install its maker's software for this system."
        )
    return None


def _architecture(head: bytes) -> tuple[str, str] | None:
    """System and machine that a library is built for; None if it is none."""
    if head[:4] == b"\x7fELF" and len(head) >= 20:
        order = "<" if head[5] == 1 else ">"
        (machine,) = struct.unpack_from(f"{order}H", head, 18)  # e_machine
        return "Linux", _ELF_MACHINES.get(machine, f"machine {machine}")
    if head[:2] == b"MZ" and len(head) >= 64:
        (at,) = struct.unpack_from("<I", head, 60)  # e_lfanew, where the PE header begins
        if len(head) >= at + 6 and head[at : at + 4] == b"PE\0\0":
            (machine,) = struct.unpack_from("<H", head, at + 4)
            return "Windows", _PE_MACHINES.get(machine, f"machine {machine:#x}")
    return None


class _Question:
    """A producer that is being asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.began_s = time.monotonic()
        # A process of its own: a producer that crashes while it is loaded takes only that one along.
        context = get_context("spawn")
        self._answer, answer = context.Pipe(duplex=False)
        # What a producer prints is worth something only when it fails.
        handle, self._printed = tempfile.mkstemp(prefix="aoi-producer-")
        os.close(handle)
        self._process = context.Process(target=_ask, args=(str(path), answer, self._printed), daemon=True)
        self._process.start()
        answer.close()

    def answer(self, end_s: float) -> tuple[tuple[DeviceInfo, ...], str]:
        """Cameras, and what is wrong."""
        try:
            if not self._answer.poll(max(0.0, end_s - time.monotonic())):
                seconds = time.monotonic() - self.began_s
                return (), f"The producer {self._path} did not answer for {seconds:.0f} s. {self._last_line()}".rstrip()
            found: Any = self._answer.recv()
            return (found, "") if isinstance(found, tuple) else ((), str(found))
        except (EOFError, OSError):
            self._process.join(1.0)
            return (), f"The producer {self._path} crashed{_by(self._process.exitcode)}. {self._last_line()}".rstrip()
        finally:
            self._end()

    def _end(self) -> None:
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
        self._process.join(2.0)
        self._answer.close()
        Path(self._printed).unlink(missing_ok=True)

    def _last_line(self) -> str:
        text = Path(self._printed).read_text(errors="replace")
        lines = [n for n in text.strip().splitlines() if "does not implement" not in n]  # older standards; harmless
        return f"It printed last: {lines[-1].strip()}" if lines else ""


def _by(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f" ({signal.Signals(-exit_code).name})" if exit_code < 0 else f" (exit status {exit_code:#x})"


def _ask(path: str, answer: Connection, printed: str) -> None:
    """The process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Producers print from C++; the file descriptors are what they print to.
    handle = os.open(printed, os.O_WRONLY | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(handle, standard)
    try:
        from aoi_app.sources.camera.genicam.producer import list_devices

        answer.send(tuple(list_devices(path)))
    except ImportError as error:
        answer.send(str(binding_missing(error)))
    except CameraError as error:
        answer.send(str(error))
