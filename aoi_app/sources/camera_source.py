"""A camera as a source of frames: its blocks recorded, corrected, brought to 8 bits, and placed on the web."""

from __future__ import annotations

import logging
from collections import deque
from types import TracebackType

import cv2
import numpy as np

from aoi_app.sources.block import Block, BlockSource, Outage
from aoi_app.sources.flat_field.correction import Correction, FlatField, FlatFieldError, RawImage
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.position.placement import Missing, Placement
from aoi_app.sources.position.web_position import WebPosition
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.source import EndOfWeb, SourceStatus
from cras_core.arrays import Image

logger = logging.getLogger(__name__)

_BLOCKS_TOLD = 16  # in a row without counts of the encoder: the lengths of the roll are doubtful from then on
_NO_COUNTS = (
    "the encoder gives no counts, so that lines are placed by the camera's count of frames; "
    "check ChunkModeActive and ChunkEncoderValue, or leave out the web per count"
)
_COUNTS_MISSING = (
    "a block came without counts of the encoder; its lines are placed by the camera's count of frames until the next "
    "counts come"
)
_TILE_LINES = 16  # what is converted at once stays in the cache


class CameraSource:
    """Turns the blocks of one camera into the frames of one web."""

    def __init__(
        self,
        blocks: BlockSource,
        position: PositionConfig | None = None,
        flat_field: FlatField | None = None,
        recorder: Recorder | None = None,
        *,
        mm_per_line: float | None = None,
    ) -> None:
        """
        Args:
            blocks: the camera or a recording of one; entered and left by this source.
            position: what is known of the web's travel.
            flat_field: taken out of every line; None leaves the lines as they are.
            recorder: given every block as it came; begun and closed by this source.
            mm_per_line: length of a line, for the speed.
        """
        self._blocks = blocks
        self._config = position or PositionConfig()
        self._flat = flat_field
        self._recorder = recorder
        self._mm_per_line = mm_per_line
        self._begin()

    def _begin(self) -> None:
        self._position = WebPosition(self._config)
        self._correction: tuple[int, Correction] | None = None  # for lines of so many bits
        self._line_shape: tuple[int, ...] = ()
        self._ready: deque[Frame | Lost] = deque()  # one block may become several pieces of web
        self._has_ended = False

    @property
    def name(self) -> str:
        """The camera."""
        return self._blocks.name

    @property
    def is_live(self) -> bool:
        """Whether cloth goes by when nobody reads."""
        return self._blocks.is_live

    @property
    def total_lines(self) -> int | None:
        """Nobody knows how long a web is while it runs."""
        return None

    @property
    def speed_m_min(self) -> float | None:
        """Metres a minute over the last seconds, negative while the web runs back; None without a scale."""
        return None if self._mm_per_line is None else self._position.lines_per_s * self._mm_per_line * 60 / 1000

    @property
    def repeated_lines(self) -> int:
        """Lines that showed cloth seen before, because the web stood still or ran back."""
        return self._position.repeated_lines

    @property
    def problem(self) -> str | None:
        """What a person should know while the line goes on, and at its end: of the recording, and of an encoder without
        counts. What was placed without them stays doubtful, so this stays as well, but for single blocks that the next
        counts have put right.
        """
        found = [self._recorder.problem] if self._recorder is not None else []
        position = self._position
        if position.blocks_without_counts > 0 or position.most_without_counts >= _BLOCKS_TOLD:
            found.append(_NO_COUNTS)
        return "; ".join(filter(None, found)) or None

    @property
    def flat_field_at(self) -> str:
        """When the flat field was recorded, ISO 8601; empty without one."""
        return self._flat.recorded_at if self._flat is not None else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What stands in the records of the roll from when it was seen; each is told once."""
        return (_COUNTS_MISSING,) if self._position.most_without_counts > 0 else ()

    @property
    def status(self) -> SourceStatus:
        """The same for who watches the source; of the camera itself nothing more is known here."""
        return SourceStatus("running", speed_m_min=self.speed_m_min, problem=self.problem or "", remarks=self.remarks)

    def __enter__(self) -> CameraSource:
        self._begin()
        self._blocks.__enter__()
        if self._recorder is not None:
            self._recorder.begin(self._blocks.name, self._config, self._flat)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._blocks.__exit__(kind, error, trace)
        finally:
            self._ready.clear()  # frames may lie in the camera's memory
            if self._recorder is not None:
                self._recorder.close()

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next piece of web; None also where the lines that came showed nothing new."""
        if not self._ready and not self._has_ended:
            self._fetch(timeout_s)
        if self._ready:
            return self._ready.popleft()
        if self._has_ended:
            raise EndOfWeb
        return None

    def _fetch(self, timeout_s: float) -> None:
        try:
            item = self._blocks.read(timeout_s)
        except EndOfWeb:
            self._has_ended = True
            self._deliver(self._position.finish(), None)
            return
        if item is None:
            return
        if self._recorder is not None:
            # As it came, before anything is done to it: a replay must meet the same faults.
            self._recorder.record(item)
        if isinstance(item, Outage):
            logger.warning("%s: %s (%.1f s)", self.name, item.reason, item.seconds)
            self._position.note(item)
            return
        # Somebody has changed width or colour of the camera in mid-roll; regions cannot go on over that.
        if item.image.shape[1:] != self._line_shape:
            self._begin_lines(item)
        self._deliver(self._position.take(item), item)

    def _begin_lines(self, block: Block) -> None:
        """The first block, or one with other lines than before: a web of its own."""
        before, self._line_shape = self._line_shape, block.image.shape[1:]
        self._correction = None
        fits = self._flat is None or self._flat.white.shape == self._line_shape
        if not before and not fits and self._flat is not None:
            raise FlatFieldError(
                "flat-field-misfits-camera",
                "The flat field of {camera} is for {wanted}, the camera delivers {delivered}. Record it again, or go "
                "on without it.",
                camera=self._flat.setup.camera,
                wanted=_words(self._flat.white.shape),
                delivered=_words(self._line_shape),
            )
        if before:
            without = "" if fits else "; the flat field does not fit it and is left out"
            reason = (
                f"the camera changed from {_words(before)} to {_words(self._line_shape)}: a new web begins{without}"
            )
            self._ready.append(Lost(0, reason, block.source, starts_web=True))

    def _deliver(self, placement: Placement, block: Block | None) -> None:
        source = block.source if block is not None else self.name
        for piece in placement:
            if isinstance(piece, Missing):
                self._ready.append(Lost(piece.lines, piece.reason, source))
            elif block is not None:
                rows = piece.rows
                first = int(rows.start if isinstance(rows, slice) else rows[0])
                # The usual case by far. Slicing costs nothing, but a new array object would keep the ring's slot by
                # itself.
                whole = isinstance(rows, slice) and rows.stop - rows.start == len(block.image)
                image = self._prepared(block.image if whole else block.image[rows], block.bits)
                where = source if first == 0 else f"{source} line {first}"
                self._ready.append(Frame(image, where, block.captured_at_s))

    def _prepared(self, raw: RawImage, bits: int) -> Image:
        if self._flat is None or self._flat.white.shape != raw.shape[1:]:
            return to_8_bits(raw, bits)
        if self._correction is None or self._correction[0] != bits:
            self._correction = bits, Correction(self._flat, bits)
        return self._correction[1].apply(raw)


def to_8_bits(raw: RawImage, bits: int) -> Image:
    """The upper 8 of so many bits; what is brighter than they can hold becomes 255. 8-bit lines are not copied."""
    if raw.dtype == np.uint8:
        return np.asarray(raw, dtype=np.uint8)
    out = np.empty(raw.shape, np.uint8)
    for first in range(0, len(raw), _TILE_LINES):
        tile = slice(first, first + _TILE_LINES)
        # Some cameras send values beyond the depth that they announce; wrapping would make black of white.
        cv2.convertScaleAbs(np.right_shift(raw[tile], bits - 8), out[tile])  # saturates
    return out


def _words(line_shape: tuple[int, ...]) -> str:
    return f"{line_shape[0]} px {'in colour' if len(line_shape) > 1 else 'grey'}"
