"""A camera as a source of blocks that survives its cable, its driver and its process."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal

from aoi_app.sources.acquisition import messages
from aoi_app.sources.acquisition.process import CameraProcess, Ended
from aoi_app.sources.acquisition.ring import Written
from aoi_app.sources.acquisition.ring_pair import RingPair
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo
from aoi_app.sources.camera.features import Feature, NodeMap, Setting
from aoi_app.sources.camera.presets import SettingResult
from aoi_app.sources.source import SourceError
from cras_core.messages import Sentence

logger = logging.getLogger(__name__)

State = Literal["closed", "running", "starting", "waiting"]
_LOOK_S = 0.1  # how often a hung process is looked for while blocks are waited for
_LONGEST_PAUSE_S = 10.0  # between two attempts; an operator who plugs the cable in again does not want to wait longer
_STEADY_S = 10.0  # a camera that has run for so long is tried again at once the next time


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """How a camera is doing.

    Attributes:
        state: closed; running, which includes waiting for a trigger; starting; waiting to try again.
        text: for a person; what is wrong, where something is.
        fill: of the ring, 0..1.
        frames, lines: delivered by the camera since the source was opened, lost ones included.
        lost_lines: of these, those that could not be kept because the reader was late or they could not be read.
        incomplete: buffers that came with pixels missing.
        restarts: how often the acquisition process was started anew.
    """

    state: State
    text: str
    fill: float
    frames: int
    lines: int
    lost_lines: int
    incomplete: int
    restarts: int


class CameraBlocks:
    """The blocks of one camera, a ``BlockSource``.

    A process of its own reads the camera. When that crashes, is killed, or gives no sign of life, it is started anew,
    with growing pauses and without end, and ``read`` returns an ``Outage`` before the first block that follows.
    ``read`` belongs to one thread; status and features may be asked from any.
    """

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._settings = KeptSettings(config.settings)
        self._process: CameraProcess | None = None
        self._rings = RingPair()
        self._ready: deque[Block] = deque()
        self._info: DeviceInfo | None = None
        self._results: tuple[SettingResult, ...] = ()
        self._state: State = "closed"
        self._text = ""
        # Why the camera was away; told with the outage, before the first block that follows.
        self._down: str | None = None
        # None before the first block: until then a fault is an error, later it is an outage.
        self._last_block_s: float | None = None
        self._attempts = self._restarts = 0
        self._retry_at_s = self._opened_at_s = 0.0
        self._counts_before = messages.Counts()  # of the processes that are gone
        self._away_at = ""

    @property
    def name(self) -> str:
        """The camera."""
        return self._info.name if self._info is not None else self._config.label

    @property
    def is_live(self) -> bool:
        """Cloth goes by whether or not it is read."""
        return True

    @property
    def info(self) -> DeviceInfo | None:
        """Which camera it is; None before it is open."""
        return self._info

    @property
    def results(self) -> tuple[SettingResult, ...]:
        """What became of the settings when the camera was opened last."""
        return self._results

    @property
    def fill(self) -> float:
        """How full the ring is, 0..1."""
        return self._rings.fill

    @property
    def pid(self) -> int | None:
        """Of the acquisition process, while there is one."""
        process = self._process
        return process.pid if process is not None else None

    @property
    def status(self) -> CameraStatus:
        """How it is doing."""
        process, counts = self._process, self._counts_before
        if process is not None:
            counts = counts + process.counts
        return CameraStatus(
            self._state,
            self._text,
            self.fill,
            counts.frames,
            counts.lines,
            counts.lost_lines,
            counts.incomplete,
            self._restarts,
        )

    def __enter__(self) -> CameraBlocks:
        """Opens the camera. Raises CameraError, which is a SourceError."""
        self._state = "starting"
        # The first opening fails at once and loudly: a wrong serial number is not something to wait for.
        process = CameraProcess(self._config, streams=True)
        try:
            process.wait_open()
        except BaseException:
            process.end(kill=True)
            self._state = "closed"
            raise
        self._process = process
        self._is_open(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._drop_process(self._process, kill=False)
        self._ready.clear()
        self._state, self._text = "closed", ""

    def read(self, timeout_s: float) -> Block | Outage | None:
        """The next block; an ``Outage`` when the camera has come back; None when nothing comes within the time.

        Raises:
            SourceError: what the camera sends cannot be read at all, or there is no memory for it.
        """
        # Everything happens in the reading thread: no further thread that could hold a ring while it is being closed.
        end_s = time.monotonic() + timeout_s
        while True:
            found = self._take()
            if found is not None:
                return found
            left_s = max(0.0, end_s - time.monotonic())
            if self._process is not None:
                self._listen(self._process, min(left_s, _LOOK_S))
            elif time.monotonic() >= self._retry_at_s:
                self._respawn()
            else:
                time.sleep(min(left_s, _LOOK_S, max(0.0, self._retry_at_s - time.monotonic())))
            if not self._ready and time.monotonic() >= end_s:
                return None

    def features(self, node_map: NodeMap) -> list[Feature]:
        """All features of a node map as they are now. Raises CameraError."""
        return self._asked().features(node_map)

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature as it is now. Raises FeatureError, CameraError."""
        return self._asked().feature(node_map, name)

    def write(self, setting: Setting) -> Feature:
        """Sets a feature or executes a command; a value is set again when the camera has to be opened anew.

        Raises:
            FeatureError: it cannot be set; the text says why.
            CameraError: the camera is away.
        """
        feature = self._asked().write(setting)
        if feature.type != "command":
            self._settings.remember(setting)
        return feature

    def change(self, settings: Sequence[Setting]) -> list[SettingResult]:
        """Makes settings that are locked while the camera runs: stops it, sets them, starts it again. What went by
        meanwhile is an ``Outage``. Raises CameraError.
        """
        results = self._asked().change(settings)
        for result in results:
            if result.outcome == "set":
                self._settings.remember(result.setting)
        return results

    def _asked(self) -> CameraProcess:
        process = self._process
        if process is None or process.info is None:
            if self._text:
                raise CameraError("camera-failed", "{reason}", reason=Sentence(self._text))
            raise CameraError("source-not-open", "{name} is not open.", name=self.name)
        return process

    def _take(self) -> Block | Outage | None:
        """The block that is ready, or the outage before it."""
        if not self._ready:
            return None
        # The outage is told with the first block after it, because only then is it known how long it was.
        if self._down is not None:
            reason, self._down, self._text = self._down, None, ""
            if self._last_block_s is not None:
                return Outage(max(0.0, self._ready[0].captured_at_s - self._last_block_s), reason)
        block = self._ready.popleft()
        self._last_block_s = block.captured_at_s
        if self._attempts and block.captured_at_s - self._opened_at_s > _STEADY_S:
            self._attempts = 0
        return block

    def _listen(self, process: CameraProcess, timeout_s: float) -> None:
        event = process.next_event(timeout_s)
        if isinstance(event, Written):
            block = self._rings.block(event)
            if block is not None:
                self._ready.append(block)
        # Nothing came. Only then is the question whether the process can still answer.
        elif event is None:
            if process.is_hung():
                self._failed("its driver did not answer", kill=True)
        elif isinstance(event, Ended):
            self._failed(event.text, kill=True)
        elif isinstance(event, messages.Failed):
            self._failed(event.text.rstrip("."), kill=False)
        else:
            self._answer(process, event)

    def _answer(self, process: CameraProcess, event: messages.Event) -> None:
        if isinstance(event, messages.Opened):
            self._is_open(process)
        # Frames have become larger, or the first one is about to come: the process copies nothing until it has room.
        elif isinstance(event, messages.NeedsRing):
            self._make_ring(process, event.slot_bytes)
        elif isinstance(event, messages.Attached):
            self._rings.switch()
        elif isinstance(event, messages.Restarted):
            self._down = self._down or "The camera was stopped and started again to change its settings."
        elif isinstance(event, messages.Unusable):
            if self._last_block_s is None:
                raise SourceError("camera-frames-unusable", "{reason}", reason=Sentence(event.text))
            self._text = event.text
            self._down = self._down or event.text

    def _make_ring(self, process: CameraProcess, slot_bytes: int) -> None:
        """Gives the process memory. Once the line runs, memory that is short is no reason to end it: what is held of
        the ring before may be free again soon.
        """
        try:
            place = self._rings.prepare(slot_bytes, self._config.ring_bytes)
        except SourceError as error:
            if self._last_block_s is None:
                raise
            self._failed(str(error).rstrip("."), kill=True)
        else:
            process.send_ring(place)

    def _is_open(self, process: CameraProcess) -> None:
        self._info, self._results = process.info, process.results
        self._state, self._text = "running", ""
        self._opened_at_s = time.monotonic()

    def _failed(self, why: str, *, kill: bool) -> None:
        """The process is of no use any more, or could not be started; another one is started after a pause."""
        if self._process is not None:
            self._drop_process(self._process, kill=kill)
        # The first attempt follows at once: most outages are a process that crashed, not a cable.
        pause_s = min(_LONGEST_PAUSE_S, 0.25 * 2 ** min(self._attempts, 10)) if self._attempts else 0.0
        self._attempts += 1
        self._retry_at_s = time.monotonic() + pause_s
        if self._down is None:  # what began it stays the reason until blocks come again
            self._away_at = time.strftime("%H:%M:%S")  # for a person; nothing is computed from it
            self._down = f"{self.name} was away: {why}. Look at its cable, its power and its driver."
        self._state = "waiting"
        self._text = f"{self.name} is away since {self._away_at}: {why}. Attempt {self._attempts} follows."
        logger.warning("%s: %s; next attempt in %.2f s", self.name, why, pause_s)

    def _respawn(self) -> None:
        self._state = "starting"
        self._restarts += 1
        try:
            self._process = CameraProcess(replace(self._config, settings=self._settings.in_order), streams=True)
        except CameraError as error:
            self._failed(str(error).rstrip("."), kill=True)

    def _drop_process(self, process: CameraProcess, *, kill: bool) -> None:
        self._counts_before = self._counts_before + process.counts  # its numbers go with it
        self._process = None
        process.end(kill=kill)
        self._rings.close()


class KeptSettings:
    """What a camera was set to, in order, so that it is set so again when it has to be opened anew."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self._settings = list(settings)

    @property
    def in_order(self) -> tuple[Setting, ...]:
        """All of them."""
        return tuple(self._settings)

    def remember(self, setting: Setting) -> None:
        """Appends one. It replaces the last one where that set the same feature, as somebody who turns a knob does; one
        further back may have been set behind another selector, and stays.
        """
        last = self._settings[-1] if self._settings else None
        if last is not None and (last.node_map, last.name) == (setting.node_map, setting.name):
            self._settings.pop()
        self._settings.append(setting)
