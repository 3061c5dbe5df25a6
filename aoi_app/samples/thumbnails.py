"""Thumbnails of tiles, read in a thread: only those that were asked for last are read."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from cras_core.arrays import Image
from cras_core.errors import DataError
from cras_core.images import read_image

_CONTRAST = np.float32(2.0)


class Thumbnails:
    """Reads what is on the screen. ``close`` it when the program ends."""

    def __init__(self, side_px: int) -> None:
        """``side_px``: longer side of a thumbnail, pixels."""
        self._side_px = side_px
        self._wanted: list[Path] = []
        self._ready: dict[Path, Image | None] = {}
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
        self._thread.start()

    def want(self, paths: Sequence[Path]) -> None:
        """Reads these, in their order, instead of what was wanted before."""
        with self._changed:
            self._wanted = [p for p in paths if p not in self._ready]
            self._changed.notify()

    def take(self) -> dict[Path, Image | None]:
        """What was read since the last call, (h, w) or (h, w, 3) uint8; None for what cannot be read."""
        with self._changed:
            ready, self._ready = self._ready, {}
            return ready

    def close(self) -> None:
        """Reads no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def wait(self, timeout_s: float) -> bool:
        """Whether the thread has ended, within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (path := self._next()) is not None:
            try:
                small: Image | None = clearer(shrunk(read_image(path), self._side_px))
            except DataError:  # shown as broken
                small = None
            with self._changed:
                self._ready[path] = small

    def _next(self) -> Path | None:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._is_closed)
            return None if self._is_closed else self._wanted.pop(0)


def shrunk(image: Image, side_px: int) -> Image:
    """(H, W[, 3]) so small that its longer side fits; one that fits is left as it is."""
    scale = side_px / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def clearer(image: Image) -> Image:
    """(h, w[, 3]) with twice the contrast around its mean, which stays: weave and defects fade when they are shrunk,
    and a tile that is darker than the others must still look darker.
    """
    mean = image.mean(axis=(0, 1), dtype=np.float32)
    return np.asarray(np.clip(mean + _CONTRAST * (image - mean), 0, 255), np.uint8)
