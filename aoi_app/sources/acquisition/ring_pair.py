"""The ring in use and the one that takes its place when frames become larger."""

from __future__ import annotations

from aoi_app.sources.acquisition.ring import RingPlace, RingReader, Written
from aoi_app.sources.block import Block


class RingPair:
    """The reader's side of both. The old ring is read until the acquisition process has the new one: what it has
    written before that is not lost. Belongs to the thread that reads the camera; the fill may be asked by any.
    """

    def __init__(self) -> None:
        self._current: RingReader | None = None
        self._next: RingReader | None = None

    @property
    def fill(self) -> float:
        """How full the ring in use is, 0..1."""
        ring = self._current
        return ring.fill if ring is not None else 0.0

    def block(self, written: Written) -> Block | None:
        """What a slot holds; None where it is of a ring that is gone."""
        # Messages travel through a pipe and may be read after the ring that they speak of was given up.
        if self._current is None or written.ring != self._current.place.name:
            return None
        return self._current.block(written)

    def prepare(self, slot_bytes: int, ring_bytes: int) -> RingPlace:
        """Makes the next ring, for the acquisition process to attach to.

        Raises:
            SourceError: there is not enough shared memory.
        """
        self._drop_next()
        self._next = RingReader(slot_bytes, ring_bytes)
        return self._next.place

    def switch(self) -> None:
        """The acquisition process has attached to the next ring and writes there from now on."""
        if self._next is None:
            return
        # From here on the memory has no name: whichever way both processes end, the system frees it.
        self._next.attached()
        if self._current is not None:
            self._current.close()
        self._current, self._next = self._next, None

    def close(self) -> None:
        """Lets go of both; blocks that are still held stay valid."""
        self._drop_next()
        if self._current is not None:
            self._current.close()
            self._current = None

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.close()
            self._next = None
