"""What a camera can do inside the acquisition process, and which one it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from aoi_app.sources.camera.features import Features, Setting
from aoi_app.sources.source import SourceError
from cras_core.messages import Sentence


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """Which camera, and how it is read.

    Attributes:
        producer: the GenTL producer (.cti), or ``synthetic``.
        serial: of the camera; None takes the first that the producer has.
        settings: set after opening, in this order; what cannot be set is reported, not fatal.
        buffers: that the producer fills in turn; 8 to 32 ride out a stall of the acquisition process. Fewer are made
            where they would need more than 256 MiB, but not fewer than 8.
        ring_bytes: shared memory between the acquisition process and the reader. At 8192 px and 100 000 lines/s a
            third of a second is 256 MiB.
        encoder: which counts of an encoder chunk are read: none, that of a block's first line, or that of each line,
            which costs 10 us a line.
        open_limit_s: how long opening may take, and any other call that is not fetching.
        silence_limit_s: how long the acquisition process may give no sign of life while it fetches.
        shows_output: what the producer prints goes to standard error instead of nowhere.
    """

    producer: str
    serial: str | None = None
    settings: tuple[Setting, ...] = ()
    # harvesters makes 3 unless it is told; a stall of a twentieth of a second would lose cloth.
    buffers: int = 32
    ring_bytes: int = 256 * 2**20  # a third of a second at 8192 px and 100 000 lines/s
    encoder: Literal["none", "first", "each"] = "first"
    open_limit_s: float = 30.0  # a frame grabber that loads its firmware takes this long
    silence_limit_s: float = 0.6  # a dozen fetches; longer than any of them may take
    shows_output: bool = False

    @property
    def label(self) -> str:
        """Which camera, for messages before it is open."""
        maker = Path(self.producer).name
        return f"camera {self.serial} of {maker}" if self.serial else f"the first camera of {maker}"


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A camera that was found.

    Attributes:
        producer: the file that found it, or ``synthetic``.
        id: of the producer's own.
        vendor, model, serial: as the camera says; empty where it does not.
        transport: of the transport layer: GEV, U3V, CL, CXP, Custom, ...
        access: ``free``, ``read only``, ``not reachable``, ``in use`` or ``unknown``.
        user_name: what somebody called this camera.
    """

    producer: str
    id: str
    vendor: str
    model: str
    serial: str
    transport: str
    access: str
    user_name: str = ""

    @property
    def name(self) -> str:
        """For a person."""
        return " ".join(filter(None, (self.vendor, self.model, self.serial or self.id)))


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One of the producer's buffers. Its bytes change after ``give_back``.

    Attributes:
        data: (n,) uint8, image first, what follows belongs to chunks.
        lines, width_px: of the image, as delivered.
        pixel_format: PFNC name.
        padding_bytes: behind every line.
        big_endian: order of the bytes of values above 8 bits.
        frame_id: the camera's count; None where it does not count.
        timestamp_ns: the camera's clock; None where it has none.
        encoder: (lines,) or (1,) int64; None without.
        give_back: lets the producer fill it again.
        problem: why it is no image, for a person; then the rest says nothing.
    """

    data: npt.NDArray[np.uint8]
    lines: int
    width_px: int
    pixel_format: str
    padding_bytes: int
    big_endian: bool
    frame_id: int | None
    timestamp_ns: int | None
    encoder: npt.NDArray[np.int64] | None
    give_back: Callable[[], None] = field(repr=False)
    problem: str = ""


class CameraError(SourceError):
    """The camera cannot be opened or read; the text is for a person.

    Attributes:
        in_use: another program has it.
    """

    def __init__(self, code: str, template: str, /, *, in_use: bool = False, hint: str = "", **values: object) -> None:
        super().__init__(code, template, hint=hint, **values)
        self.in_use = in_use


def binding_missing(error: ImportError) -> CameraError:
    """What to say when harvesters or genicam, which it needs, cannot be imported."""
    # The wheels of genicam link against libpython, which a Python that was built without it does not bring.
    way_out = "Install the program again."
    if "libpython" in str(error):
        way_out = "It needs Python as a shared library; on Debian and Ubuntu: sudo apt-get install libpython3-dev"
    elif isinstance(error, ModuleNotFoundError):
        way_out = "It exists for Windows and for Linux on x86_64 and aarch64; elsewhere the other sources work."
    return CameraError(
        "genicam-unusable",
        "GenICam cameras cannot be used: {reason}. {way_out}",
        reason=error,
        way_out=Sentence(way_out),
    )


class CameraDevice(Features, Protocol):
    """An open camera. Entered and left like a file; used by one thread."""

    @property
    def info(self) -> DeviceInfo:
        """Which camera it is."""

    @property
    def incomplete(self) -> int:
        """Buffers since the start that came with pixels missing; they are not delivered."""

    def __enter__(self) -> CameraDevice:
        """Opens it. Raises CameraError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops and closes it."""

    def start(self) -> None:
        """Begins to fill buffers. Raises CameraError."""

    def stop(self) -> None:
        """Ends it; every buffer has been given back before."""

    def fetch(self, timeout_s: float) -> RawFrame | None:
        """The next complete buffer; None when there is none within the time. Raises CameraError."""

    def ping(self) -> None:
        """Asks the camera itself, not a copy of what it said before. Raises CameraError when it does not answer:
        a camera without its cable and one that waits for a trigger look the same to who only fetches.
        """
