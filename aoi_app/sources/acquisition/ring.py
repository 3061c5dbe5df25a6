"""Shared memory between the acquisition process and the reader: slots of one size, written once, read without a copy.

The reader's process makes the memory, the acquisition process attaches to it; then its name is removed, so that
nothing is left behind however the two end. Which slot holds what travels through a pipe, in order; the memory holds
pixels, and one byte per slot that says whether it is free. Only the writer turns free into taken, only the reader turns
it back, so neither ever waits for the other, and none of them can leave a lock behind when it is killed.
"""

from __future__ import annotations

import os
import secrets
import weakref
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block
from aoi_app.sources.source import SourceError

_HEADER_BYTES = 4096  # one byte for each slot, up to 256, and the rest of the page
_ALIGNMENT = 4096  # of a slot: a page, so that no two slots share one and copies run at full speed
_FEWEST_SLOTS = 4  # one is written, one read, and two ride out a moment in which the reader is late
_MOST_SLOTS = 256  # more would only let a reader that is too slow fall further behind
_SHM = Path("/dev/shm")  # where Linux shows shared memory; elsewhere the system does not say how much is left
_RESUME_FILL = 0.5  # of the slots must be free again before lines are taken after a loss


@dataclass(frozen=True, slots=True)
class RingPlace:
    """Where a ring lies and how it is divided; travels to the writer.

    Attributes:
        name: of the shared memory.
        slots: how many, 4..256.
        slot_bytes: size of each.
    """

    name: str
    slots: int
    slot_bytes: int

    @property
    def total_bytes(self) -> int:
        """Size of the memory."""
        return _HEADER_BYTES + self.slots * self.slot_bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What lies in a slot; travels to the reader. The attributes are those of ``Block``; ``ring`` is its name."""

    ring: str
    slot: int
    shape: tuple[int, ...]
    dtype: str
    bits: int
    encoder_counts: int
    frame_id: int | None
    timestamp_ns: int | None
    source: str
    captured_at_s: float
    lost_lines: int


# SharedMemory.close raises BufferError while an array lies in it; here that is the usual case, not an error.
class _Memory(SharedMemory):
    """Shared memory that arrays may outlive: it stays until ``sweep`` finds that nobody holds one any more."""

    is_closed = False

    @property
    def view(self) -> memoryview:
        """All of it, while it is open."""
        assert self.buf is not None
        return self.buf

    def close(self) -> None:
        with suppress(BufferError):
            super().close()
            self.is_closed = True


_LINGERING: list[_Memory] = []  # closed by its owner, still held by somebody


def _let_go(memory: _Memory) -> None:
    """Closes memory as soon as no array lies in it any more: now, or when the next ring is made or closed."""
    _LINGERING.append(memory)
    for one in list(_LINGERING):
        one.close()
        if one.is_closed:
            _LINGERING.remove(one)


def slots_for(slot_bytes: int, ring_bytes: int) -> tuple[int, int]:
    """How a ring is divided.

    Args:
        slot_bytes: that the largest block needs.
        ring_bytes: that may be used.

    Returns:
        Slots, and their size rounded up to whole pages.

    Raises:
        SourceError: the ring is too small for four blocks.
    """
    size = -(-slot_bytes // _ALIGNMENT) * _ALIGNMENT  # rounded up
    slots = min(_MOST_SLOTS, ring_bytes // size)
    if slots < _FEWEST_SLOTS:
        raise SourceError(
            "block-too-large-for-ring",
            "A block of the camera needs {block}, four of them {four}, but the ring between camera and inspection has "
            "{ring}. Let the camera send fewer lines per frame (Height), or enlarge it.",
            block=_mb(size),
            four=_mb(4 * size),
            ring=_mb(ring_bytes),
        )
    return slots, size


class RingReader:
    """The reader's side; makes the memory.

    Raises:
        SourceError: there is not enough shared memory.
    """

    def __init__(self, slot_bytes: int, ring_bytes: int) -> None:
        free = _free_bytes()
        slots, size = slots_for(slot_bytes, ring_bytes)
        if free is not None and free < _HEADER_BYTES + slots * size:
            if free < _HEADER_BYTES + _FEWEST_SLOTS * size:
                raise _too_small(_HEADER_BYTES + _FEWEST_SLOTS * size, free)
            # Not all of it: the next ring may be made while images of this one are still held.
            slots = max(_FEWEST_SLOTS, (free // 2 - _HEADER_BYTES) // size)
        # The process number lets a check find what a killed program has left; the rest makes the name unique.
        self.place = RingPlace(f"aoi-{os.getpid()}-{secrets.token_hex(4)}", slots, size)
        try:
            memory = _Memory(self.place.name, create=True, size=self.place.total_bytes)
        except OSError as error:
            raise _too_small(self.place.total_bytes, free) from error
        try:
            _reserve(self.place)
        except OSError as error:
            memory.unlink()
            _let_go(memory)
            raise _too_small(self.place.total_bytes, _free_bytes()) from error
        self._memory = memory
        # The header, which the writer maps as well.
        self._taken: npt.NDArray[np.uint8] = np.frombuffer(memory.view, np.uint8, slots)
        self._taken[:] = 0
        self._is_named = True

    @property
    def fill(self) -> float:
        """Share of the slots that are written or still held, 0..1."""
        return float(np.count_nonzero(self._taken)) / self.place.slots

    def attached(self) -> None:
        """The writer has the memory: its name is removed, and it lives only as long as somebody holds it."""
        if self._is_named:
            self._is_named = False
            self._memory.unlink()

    def block(self, written: Written) -> Block:
        """What a slot holds, without a copy. The slot is free again when neither the image nor an array that was made
        from it without a copy is held any more.
        """
        dtype, count = np.dtype(written.dtype), int(np.prod(written.shape))
        start = _HEADER_BYTES + written.slot * self.place.slot_bytes
        encoder = None
        if written.encoder_counts:
            at = start + _encoder_offset(count * dtype.itemsize)
            encoder = np.frombuffer(self._memory.view, np.int64, written.encoder_counts, at).copy()
        # An array of its own over the memory: every array made from it without a copy keeps it, whereas views of one
        # array over all slots would only keep that.
        pixels: npt.NDArray[Any] = np.frombuffer(self._memory.view, dtype, count, start)
        # A view that somebody writes to would change what another holder of the same slot sees.
        pixels.flags.writeable = False
        # atexit is off: at the end of the program the memory may be gone before the array.
        weakref.finalize(pixels, _give_back, self._taken, written.slot).atexit = False
        return Block(
            image=pixels.reshape(written.shape),
            bits=written.bits,
            frame_id=written.frame_id,
            timestamp_ns=written.timestamp_ns,
            encoder=encoder,
            source=written.source,
            captured_at_s=written.captured_at_s,
            lost_lines=written.lost_lines,
        )

    def close(self) -> None:
        """Lets go of the memory; arrays that are still held stay valid. Nothing can be asked of the ring any more."""
        self.attached()
        self._taken = np.zeros(self.place.slots, np.uint8)  # whoever still asks for the fill gets 0
        _let_go(self._memory)


class RingWriter:
    """The acquisition process's side.

    Args:
        place: what the reader made.
    """

    def __init__(self, place: RingPlace) -> None:
        self.place = place
        self._memory = _Memory(place.name)
        whole = np.frombuffer(self._memory.view, np.uint8, place.total_bytes)
        self._taken, self._pixels = whole[: place.slots], whole[_HEADER_BYTES:]
        self._is_dropping = False

    def close(self) -> None:
        """Lets go of the memory."""
        del self._taken, self._pixels
        _let_go(self._memory)

    def fits(self, image_bytes: int, encoder_counts: int) -> bool:
        """Whether a slot is large enough."""
        return slot_bytes_for(image_bytes, encoder_counts) <= self.place.slot_bytes

    def take(self) -> int | None:
        """A free slot, the lowest, so that few are used and stay in the cache; None when there is none.

        Once none was free, none is handed out until half of them are, so that a reader that is late loses one long
        stretch of cloth instead of every other block.
        """
        # One byte is written at once or not at all on every processor that we run on, so no lock is needed.
        free = np.flatnonzero(self._taken == 0)
        if self._is_dropping and len(free) < _RESUME_FILL * self.place.slots:
            return None
        self._is_dropping = not len(free)
        if self._is_dropping:
            return None
        slot = int(free[0])
        self._taken[slot] = 1
        return slot

    def untake(self, slot: int) -> None:
        """Gives back a slot that was not written after all."""
        self._taken[slot] = 0

    def image(self, slot: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Where the image of a slot is written."""
        start = slot * self.place.slot_bytes
        size = int(np.prod(shape)) * dtype.itemsize
        return self._pixels[start : start + size].view(dtype).reshape(shape)

    def put_encoder(self, slot: int, image_bytes: int, encoder: npt.NDArray[np.int64]) -> None:
        """Writes the counts behind the image."""
        at = slot * self.place.slot_bytes + _encoder_offset(image_bytes)
        self._pixels[at : at + 8 * len(encoder)].view(np.int64)[:] = encoder


def slot_bytes_for(image_bytes: int, encoder_counts: int) -> int:
    """What a block needs in a slot."""
    return _encoder_offset(image_bytes) + 8 * encoder_counts


def _encoder_offset(image_bytes: int) -> int:
    return -(-image_bytes // 8) * 8  # counts are int64 and lie on a multiple of 8


def _give_back(taken: npt.NDArray[np.uint8], slot: int) -> None:
    taken[slot] = 0


def _free_bytes() -> int | None:
    """Shared memory that is left; None where the system does not say."""
    if not _SHM.is_dir():
        return None
    # /dev/shm is a file system in memory with a size of its own; 64 MB is usual in a container.
    state = os.statvfs(_SHM)
    return state.f_bavail * state.f_frsize


def _reserve(place: RingPlace) -> None:
    """Makes sure that the memory is really there: writing into what is not ends a process without a word."""
    path = _SHM / place.name
    if not path.exists():
        return
    handle = os.open(path, os.O_RDWR)
    try:
        # Memory that is mapped but not there ends a process with SIGBUS at the first byte written to it.
        os.posix_fallocate(handle, 0, place.total_bytes)
    finally:
        os.close(handle)


def _too_small(needed: int, free: int | None) -> SourceError:
    if free is None:
        return SourceError(
            "shared-memory-too-small",
            "The camera needs {needed} of shared memory. In a container start it with more, for example "
            "docker run --shm-size=1g, or let the camera send fewer lines per frame (Height).",
            needed=_mb(needed),
        )
    return SourceError(
        "shared-memory-too-full",
        "The camera needs {needed} of shared memory; {free} are free in {place}. In a container start it with more, "
        "for example docker run --shm-size=1g, or let the camera send fewer lines per frame (Height).",
        needed=_mb(needed),
        free=_mb(free),
        place=_SHM,
    )


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
