"""The acquisition process as its owner sees it: started, asked, watched, ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from aoi_app.sources.acquisition import messages, worker
from aoi_app.sources.acquisition.ring import RingPlace
from aoi_app.sources.acquisition.starved import waited_s
from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo
from aoi_app.sources.camera.features import Feature, FeatureError, NodeMap, Setting
from aoi_app.sources.camera.presets import SettingResult
from cras_core.messages import Sentence

_END_S = 3.0  # for a process to end by itself; a producer may take a second to close
_CONFIRM_S = 0.1  # so long must a promise stay broken; this process may have been late itself


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is no more; the text says how it came."""

    text: str


class CameraProcess:
    """One acquisition process, from start to end. Its events are read by one thread; anybody may ask it.

    Used on its own, as ``with CameraProcess(config) as camera``, it reads and sets the features of a camera that does
    not run.

    Args:
        config: which camera.
        streams: it begins to deliver as soon as it is open.

    Raises:
        CameraError: the system cannot start a process now.
    """

    def __init__(self, config: CameraConfig, *, streams: bool = False) -> None:
        self.config = config
        self.info: DeviceInfo | None = None
        self.results: tuple[SettingResult, ...] = ()
        # Not fork: the child would inherit the window, its threads and their locks, and producers do not survive it.
        context = get_context("spawn")
        self._numbers: Any = context.RawArray("d", messages.NUMBERS)
        self._numbers[messages.PROMISED_S] = time.monotonic() + config.open_limit_s
        # Two pipes: what the process tells comes at its own pace, answers belong to one question each.
        self._events, events = context.Pipe()
        self._control, control = context.Pipe()
        self._lock = threading.Lock()
        self._late_since_s: float | None = None
        self._looked_s = 0.0
        self._promised_s, self._waited_s = float(self._numbers[messages.PROMISED_S]), 0.0
        self._process = context.Process(
            target=worker.run_camera,
            args=(config, streams, events, control, self._numbers),
            name=f"camera {config.serial or ''}",
            daemon=True,
        )
        try:
            self._process.start()
        except OSError as error:
            self._events.close()
            self._control.close()
            raise CameraError(
                "acquisition-not-started", "The acquisition process cannot be started: {reason}.", reason=error
            ) from error
        finally:
            # Our copies of the child's ends: while one is open, the pipe does not tell that the process is gone.
            events.close()
            control.close()
        self.pid = self._process.pid

    @property
    def counts(self) -> messages.Counts:
        """What the camera has delivered since the process began."""
        places = (messages.FRAMES, messages.LINES, messages.LOST_LINES, messages.INCOMPLETE)
        return messages.Counts(*(int(self._numbers[place]) for place in places))

    def __enter__(self) -> CameraProcess:
        """Waits until the camera is open. Raises CameraError."""
        try:
            self.wait_open()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def wait_open(self) -> None:
        """Waits until the camera is open.

        Raises:
            CameraError: it cannot be opened, or its producer crashes or hangs over it.
        """
        while self.info is None:
            event = self.next_event(0.1)
            if isinstance(event, messages.Failed):
                raise CameraError("camera-failed", "{reason}", reason=Sentence(event.text), in_use=event.in_use)
            if isinstance(event, Ended):
                raise CameraError(
                    "camera-ended-while-opening",
                    "{camera} cannot be opened: {reason}.",
                    camera=self.config.label,
                    reason=Sentence(event.text),
                )
            if event is None and self.is_hung():
                raise CameraError(
                    "camera-open-timeout",
                    "{camera} cannot be opened: its producer did not answer for {seconds:g} s.",
                    camera=self.config.label,
                    seconds=self.config.open_limit_s,
                )

    def next_event(self, timeout_s: float) -> messages.Event | Ended | None:
        """What the process says next; None when it says nothing within the time. What it said before it ended comes
        before its end.
        """
        # The sentinel wakes us when the process dies, also while it holds its end of the pipe open.
        if not self._events.poll(0):
            wait([self._events, self._process.sentinel], timeout_s)
        try:
            if self._events.poll(0):
                event: messages.Event = self._events.recv()
                if isinstance(event, messages.Opened):
                    self.info, self.results = event.info, event.results
                return event
        except (EOFError, OSError):
            self._process.join(_END_S)
        if self._process.is_alive():
            return None
        return Ended(_how(self._process.exitcode))

    def send_ring(self, place: RingPlace) -> None:
        """Gives it memory to write into. A process that is gone shows in ``next_event``."""
        self._order(place)

    def is_hung(self) -> bool:
        """Whether it has broken its promise of a sign of life. To be asked often: one look is not enough, because the
        one who looks may have been late, too. What it waits for a processor is added to its time: trainings beside a
        camera made it fail that had done nothing wrong.
        """
        now = time.monotonic()
        # Whoever asks rarely cannot tell a process that hangs from one that he has not looked at for a while.
        is_regular = now - self._looked_s < 2 * _CONFIRM_S + 0.1
        self._looked_s = now
        promised_s, waited_now_s = float(self._numbers[messages.PROMISED_S]), waited_s(self.pid)
        if promised_s != self._promised_s:
            self._promised_s, self._waited_s = promised_s, waited_now_s
        if now <= promised_s + waited_now_s - self._waited_s:
            self._late_since_s = None
            return False
        if self._late_since_s is None or not is_regular:
            self._late_since_s = now
        return now - self._late_since_s > _CONFIRM_S

    def features(self, node_map: NodeMap) -> list[Feature]:
        """All features of a node map as they are now. Raises CameraError."""
        found: list[Feature] = self._ask("features", node_map)
        return found

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature as it is now. Raises FeatureError, CameraError."""
        found: Feature = self._ask("feature", node_map, name)
        return found

    def write(self, setting: Setting) -> Feature:
        """Sets a feature, or executes a command. Raises FeatureError, CameraError."""
        feature: Feature = self._ask("write", setting)
        return feature

    def change(self, settings: Sequence[Setting]) -> list[SettingResult]:
        """Stops the camera if it runs, sets features in order, and starts it again. Raises CameraError."""
        results: list[SettingResult] = self._ask("change", tuple(settings))
        return results

    def run(self, *, on: bool) -> None:
        """Starts or stops it. Raises FeatureError, CameraError."""
        self._ask("start" if on else "stop")

    def end(self, *, kill: bool = False) -> None:
        """Ends the process, and kills it if it does not end by itself."""
        if not kill and self._process.is_alive():
            self._order(messages.Quit())
            deadline_s = time.monotonic() + _END_S
            while self._process.is_alive() and time.monotonic() < deadline_s:
                self.next_event(0.05)  # so that it does not wait for room in the pipe
        if self._process.is_alive():
            self._process.kill()
        self._process.join(_END_S)
        self._events.close()
        with self._lock:
            self._control.close()
        if not self._process.is_alive():
            self._process.close()

    def _order(self, order: RingPlace | messages.Quit) -> None:
        try:
            self._events.send(order)
        except OSError:
            self._late_since_s = None  # it is gone, which ``next_event`` tells

    def _is_answered(self) -> bool:
        """Whether an answer comes within the time, to which is added what the process waits for a processor."""
        left_s, waited_before_s = self.config.open_limit_s, waited_s(self.pid)
        while left_s > 0.0:
            if self._control.poll(left_s):
                return True
            waited_now_s = waited_s(self.pid)
            left_s, waited_before_s = waited_now_s - waited_before_s, waited_now_s
        return False

    def _ask(self, verb: str, *arguments: Any) -> Any:
        with self._lock:
            try:
                # The lock is held over question and answer: two threads that ask would read each other's answers.
                self._control.send((verb, arguments))
                if not self._is_answered():
                    raise CameraError(
                        "camera-answer-timeout",
                        "{camera} did not answer for {seconds:g} s.",
                        camera=self.config.label,
                        seconds=self.config.open_limit_s,
                    )
                outcome, value = self._control.recv()
            except (EOFError, OSError) as error:
                raise CameraError(
                    "camera-connected-anew",
                    "{camera} is being connected anew; try again in a moment.",
                    camera=self.config.label,
                ) from error
        if outcome == "refused":
            raise FeatureError("feature-request-refused", "{reason}", reason=Sentence(value))
        return value


def _how(exit_code: int | None) -> str:
    """How a process came to its end, for a person."""
    if exit_code is not None and exit_code < 0:
        # A negative exit status is the signal that has ended the process.
        name = signal.Signals(-exit_code).name
        if name in {"SIGKILL", "SIGTERM"}:
            return f"its acquisition process was killed ({name})"
        return f"its driver crashed ({name})"
    if exit_code is not None and exit_code > 255:  # Windows: status of an exception
        return f"its driver crashed (0x{exit_code:08X})"
    return f"its acquisition process ended (exit status {exit_code})"
