"""The one place where frames wait: bounded, and it says what it lost."""

from __future__ import annotations

import threading
import time
from collections import deque

from aoi_app.sources.frame import Frame, Lost


class FrameQueue:
    """Frames between the thread that captures and the one that inspects.

    A source that can wait waits for room. For a live source cloth goes by meanwhile: when the queue is full, frames
    are left out until it is half empty again, and the loss goes through the queue in order as one ``Lost``. One long
    loss is better than many short ones, each of which would cut the web.
    """

    def __init__(self, capacity_lines: int, *, drops: bool) -> None:
        self._capacity = capacity_lines
        self._drops = drops
        self._items: deque[Frame | Lost] = deque()
        self._lines = 0
        self._dropping: Lost | None = None
        self._changed = threading.Condition()
        self._closed = False

    @property
    def fill(self) -> float:
        """How full it is, 0..1; a source that waits has no backlog."""
        return min(1.0, self._lines / self._capacity) if self._drops else 0.0

    @property
    def lines(self) -> int:
        """Lines that wait."""
        return self._lines

    def put(self, item: Frame | Lost, timeout_s: float) -> bool:
        """Hands an item over; False when there was no room within the time (only for a source that waits)."""
        with self._changed:
            if self._drops:
                self._put_or_drop(item)
            else:
                if not self._changed.wait_for(lambda: self._closed or self._has_room(item), timeout_s):
                    return False
                self._append(item)
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> Frame | Lost | None:
        """The next item; None when nothing came within the time, or the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._lines -= _size(item)
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            if self._dropping is not None:
                self._append(self._dropping)
                self._dropping = None
            self._closed = True
            self._changed.notify_all()

    @property
    def is_drained(self) -> bool:
        """Closed, and everything was taken."""
        return self._closed and not self._items

    def _has_room(self, item: Frame | Lost) -> bool:
        return not self._items or self._lines + _size(item) <= self._capacity

    def _append(self, item: Frame | Lost) -> None:
        self._items.append(item)
        self._lines += _size(item)

    def _put_or_drop(self, item: Frame | Lost) -> None:
        limit = self._capacity if self._dropping is None else self._capacity // 2
        if not self._items or self._lines + _size(item) <= limit:
            if self._dropping is not None:
                self._append(self._dropping)
                self._dropping = None
            self._append(item)
        elif self._dropping is None:
            self._dropping = Lost(
                item.lines,
                f"inspection could not keep up ({time.strftime('%H:%M:%S')}); run the line slower",
                item.source,
                item.starts_web,
            )
        else:
            self._dropping = Lost(
                self._dropping.lines + item.lines,
                self._dropping.reason,
                self._dropping.source,
                self._dropping.starts_web,
            )


def _size(item: Frame | Lost) -> int:
    """Lines that it holds in memory."""
    return item.lines if isinstance(item, Frame) else 0
