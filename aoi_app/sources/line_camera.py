"""The camera of a line: found by its serial number, set up, opened, and read until a length or a time is reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.block import Block, BlockSource, Outage
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.discovery import find_camera
from aoi_app.sources.camera.presets import describe_results, load_preset, wrong_camera
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.chosen_camera import setup_of
from aoi_app.sources.flat_field.correction import CameraSetup
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import EndOfWeb, SourceError, SourceStatus

logger = logging.getLogger(__name__)

Build = Callable[[BlockSource, CameraSetup], tuple[CameraSource, list[str]]]


@dataclass(frozen=True, slots=True)
class LineCameraConfig:
    """Which camera, and how far it is read.

    Attributes:
        producer: a .cti, a folder of them, ``synthetic``, or empty for all that are known.
        serial: its serial number; None takes the first.
        preset: file of features that it is set to.
        lines: ends after so many; None does not.
        seconds: ends after so many; None does not.
    """

    producer: str = ""
    serial: str | None = None
    preset: Path | None = None
    lines: int | None = None
    seconds: float | None = None


class LineCamera:
    """A ``FrameSource`` that tells its status. It may be opened again after it was closed."""

    def __init__(self, config: LineCameraConfig, build: Build) -> None:
        """
        Args:
            config: which camera.
            build: makes a source of its open blocks, and says what a person should know of it.
        """
        self._config = config
        self._build = build
        self._blocks: CameraBlocks | None = None
        self._source: CameraSource | None = None
        self._remarks: tuple[str, ...] = ()
        self._lines = 0
        self._end_s: float | None = None

    @property
    def name(self) -> str:
        """The camera."""
        if self._blocks is not None:
            return self._blocks.name
        return f"camera {self._config.serial}" if self._config.serial else "the first camera"

    @property
    def is_live(self) -> bool:
        """Cloth goes by whether or not it is read."""
        return True

    @property
    def total_lines(self) -> int | None:
        """After how many lines it ends."""
        return self._config.lines

    @property
    def blocks(self) -> CameraBlocks | None:
        """The open camera, for who sets its features; None while it is closed."""
        blocks = self._blocks
        return blocks if blocks is not None and blocks.status.state != "closed" else None

    @property
    def status(self) -> SourceStatus | None:
        """How the camera is doing; None before it was opened."""
        blocks, source = self._blocks, self._source
        if blocks is None or source is None:
            return None
        now = blocks.status
        return SourceStatus(
            state=now.state,
            text=now.text,
            speed_m_min=source.speed_m_min if now.state == "running" else None,
            fill=now.fill,
            lost_lines=now.lost_lines,
            restarts=now.restarts,
            problem=source.problem or "",
            remarks=(*self._remarks, *source.remarks),
            flat_field_at=source.flat_field_at,
        )

    def __enter__(self) -> LineCamera:
        wanted = self._config
        device = find_camera(wanted.serial, [wanted.producer] if wanted.producer else [])
        preset = load_preset(wanted.preset) if wanted.preset is not None else None
        settings = preset.settings if preset is not None else ()
        # Opened here and not by the source: what holds for its flat field is only known of an open camera.
        blocks = CameraBlocks(CameraConfig(device.producer, device.serial or device.id, settings))
        blocks.__enter__()
        try:
            source, remarks = self._build(_Open(blocks), setup_of(blocks))
            source.__enter__()
        # Also of Ctrl-C: a camera that stays open cannot be opened again by anybody.
        except BaseException:
            blocks.__exit__(None, None, None)
            raise
        wrong = wrong_camera(preset, blocks.info) if preset is not None and blocks.info is not None else None
        refused = describe_results(blocks.results)
        self._remarks = (*([wrong] if wrong else []), *refused, *remarks)
        self._blocks, self._source, self._lines = blocks, source, 0
        # From the moment that it delivers; opening may take longer than the roll.
        self._end_s = None if wanted.seconds is None else time.monotonic() + wanted.seconds
        for remark in self._remarks:
            logger.info("%s: %s", blocks.name, remark)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._source is not None:
                self._source.__exit__(kind, error, trace)
        finally:
            if self._blocks is not None:
                self._blocks.__exit__(kind, error, trace)

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next piece of web, cut off where the length is reached."""
        if self._source is None:
            raise SourceError("source-not-open", "{name} is not open.", name=self.name)
        left = None if self._config.lines is None else self._config.lines - self._lines
        if left == 0 or (self._end_s is not None and time.monotonic() >= self._end_s):
            raise EndOfWeb
        item = self._source.read(timeout_s)
        if item is None:
            return None
        if left is not None and item.lines > left:
            # The last piece is cut, so that a roll of a number of lines has exactly as many.
            item = replace(item, lines=left) if isinstance(item, Lost) else replace(item, image=item.image[:left])
        self._lines += item.lines
        return item


class _Open:
    """A camera that is open already, for a source that opens what it is given."""

    def __init__(self, blocks: CameraBlocks) -> None:
        self._blocks = blocks

    @property
    def name(self) -> str:
        return self._blocks.name

    @property
    def is_live(self) -> bool:
        return self._blocks.is_live

    def __enter__(self) -> _Open:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closed by the one who opened it."""

    def read(self, timeout_s: float) -> Block | Outage | None:
        return self._blocks.read(timeout_s)
