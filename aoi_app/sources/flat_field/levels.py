"""Recording a flat field: how bright every column is in the dark and on an even white."""

from __future__ import annotations

from datetime import datetime, timezone

import cv2
import numpy as np

from aoi_app.sources.block import Block, BlockSource, Outage
from aoi_app.sources.flat_field.correction import MOST_DEAD_SHARE, CameraSetup, FlatField, FlatFieldError
from aoi_app.sources.source import EndOfWeb
from cras_core.arrays import FloatArray
from cras_core.messages import Sentence

_MOST_SATURATED = 0.01  # share of columns
_SATURATED = 0.99  # of full scale
_DARKEST_WHITE = 0.05  # of full scale, above the dark
_CHUNK_LINES = 64  # sums of 16-bit pixels over so many lines are exact in float32


class ColumnLevel:
    """Mean of every column over some lines, as the median of the means of short stretches: a fleck that passes on the
    reference does not count. What lies still on it does; move the reference while it is being recorded.
    """

    def __init__(self, lines: int = 1024) -> None:
        """
        Args:
            lines: how many to take; at least 1.
        """
        self._wanted = max(1, lines)
        self._means: list[FloatArray] = []
        self.lines = 0
        """Lines taken so far."""
        self.bits = 0
        """Significant bits of the raw values."""

    @property
    def is_complete(self) -> bool:
        """Whether there are enough lines."""
        return self.lines >= self._wanted

    def add(self, block: Block) -> None:
        """Takes the lines of a block.

        Raises:
            FlatFieldError: width, channels or depth differ from the blocks before.
        """
        image = block.image
        if self._means and (image.shape[1:] != self._means[0].shape or block.bits != self.bits):
            raise FlatFieldError(
                "camera-changed-while-recording",
                "The camera changed its width or pixel format during the recording; record it again.",
            )
        self.bits = block.bits
        flat = image.reshape(len(image), -1)
        for first in range(0, len(flat), _CHUNK_LINES):
            mean = cv2.reduce(flat[first : first + _CHUNK_LINES], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
            self._means.append(np.asarray(mean, dtype=np.float32).reshape(image.shape[1:]))
        self.lines += len(image)

    def level(self) -> FloatArray:
        """(W,) or (W, 3) float32 raw values.

        Raises:
            FlatFieldError: there were no lines.
        """
        if not self._means:
            raise FlatFieldError(
                "no-lines-to-record", "No lines came from the camera; nothing was recorded. Check its trigger."
            )
        # The median of short means: a fleck that wanders by is in some of them, never in half.
        return np.asarray(np.median(np.stack(self._means), axis=0), dtype=np.float32)


def record_level(blocks: BlockSource, lines: int = 1024, patience_s: float = 5.0) -> ColumnLevel:
    """Takes lines from an open camera.

    Args:
        blocks: the camera, entered by the caller.
        lines: how many.
        patience_s: how long it may be silent.

    Raises:
        FlatFieldError: too few lines came, or they changed on the way.
        SourceError: the camera cannot go on.
    """
    level = ColumnLevel(lines)
    while not level.is_complete:
        try:
            item = blocks.read(patience_s)
        except EndOfWeb:
            item = None
        if isinstance(item, Outage):
            raise FlatFieldError(
                "camera-away-while-recording",
                "The camera was away meanwhile ({reason}); record the flat field again.",
                reason=Sentence(item.reason),
            )
        if item is None:
            raise FlatFieldError(
                "too-few-lines-to-record",
                "Only {count} of {wanted} lines came from the camera. Check its trigger.",
                count=level.lines,
                wanted=lines,
            )
        level.add(item)
    return level


def make_flat_field(
    white: ColumnLevel, dark: ColumnLevel | None, setup: CameraSetup, target: float | None = None
) -> FlatField:
    """A flat field from recorded levels.

    Args:
        white: recorded on an even white under the lamp.
        dark: recorded with the lens covered; None takes 0.
        setup: the camera as it was meanwhile.
        target: what white becomes, above 0 and up to 255; None keeps the brightness of its middle column.

    Raises:
        FlatFieldError: the levels do not make one; the text says what to change.
    """
    bright = white.level()
    black = dark.level() if dark is not None else np.zeros_like(bright)
    if black.shape != bright.shape or (dark is not None and dark.bits != white.bits):
        raise FlatFieldError(
            "flat-field-references-differ",
            "Dark and white were recorded with different widths or pixel formats; record both again.",
        )
    full = (1 << white.bits) - 1
    saturated = float((bright >= _SATURATED * full).mean())
    if saturated > _MOST_SATURATED:
        raise FlatFieldError(
            "white-reference-saturated",
            "The white reference is saturated in {share:.0%} of the columns; lower the exposure or the light.",
            share=saturated,
        )
    if float(np.median(bright - black)) < _DARKEST_WHITE * full:
        raise FlatFieldError(
            "white-hardly-brighter",
            "White is hardly brighter than dark. Is the lamp on, the lens open, and dark recorded with it covered?",
        )
    if target is not None and not 0 < target <= 255:
        raise FlatFieldError(
            "white-target-out-of-range",
            "White cannot become {target:g}; the target lies above 0 and up to 255.",
            target=target,
        )
    # White keeps its brightness, so that exposure and scores stay what they were; only its slope goes.
    usual = float(np.median(bright)) * 255 / full
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    flat = FlatField(black, bright, white.bits, target or usual, white.lines, now, setup)
    dead = float(flat.dead.mean())
    if dead > MOST_DEAD_SHARE:
        raise FlatFieldError(
            "white-reference-dark",
            "{share:.0%} of the columns see no light on the white reference; it must fill the whole width.",
            share=dead,
        )
    return flat
