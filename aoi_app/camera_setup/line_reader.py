"""Reads the lines of an open camera while light and focus are set."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aoi_app.sources.block import Block, BlockSource, Outage

_READ_S = 0.05
_SILENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Silence:
    """No lines have come for some seconds."""

    seconds: float


class LineReader:
    """What comes from a camera, with a word where nothing comes."""

    def __init__(self, blocks: BlockSource) -> None:
        """``blocks``: the open camera."""
        self._blocks = blocks
        self._heard_s = time.monotonic()

    def read(self) -> Block | Outage | Silence | None:
        """What comes next, within a moment; None when nothing does. Raises SourceError as the camera does."""
        item = self._blocks.read(_READ_S)
        now_s = time.monotonic()
        if isinstance(item, Block):
            self._heard_s = now_s
        elif item is None and now_s - self._heard_s > _SILENCE_S:
            silence = Silence(now_s - self._heard_s)
            self._heard_s = now_s
            return silence
        return item
