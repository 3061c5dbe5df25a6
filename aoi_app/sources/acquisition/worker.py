"""The acquisition process: opens a camera, copies what it delivers into the ring, answers questions about it.

It ends by itself when the process that started it is gone. Before anything that may take long it promises when it will
give the next sign of life; who waits longer than that may kill it.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from aoi_app.sources.acquisition.messages import (
    FRAMES,
    INCOMPLETE,
    LINES,
    LOST_LINES,
    PROMISED_S,
    Attached,
    Failed,
    NeedsRing,
    Opened,
    Restarted,
    Unusable,
)
from aoi_app.sources.acquisition.ring import RingPlace, RingWriter, Written, slot_bytes_for
from aoi_app.sources.camera.device import CameraConfig, CameraDevice, CameraError, RawFrame
from aoi_app.sources.camera.features import FeatureError, Setting
from aoi_app.sources.camera.kinds import kind_of
from aoi_app.sources.camera.pixel_formats import decode_pixels, find_format
from aoi_app.sources.camera.presets import SettingResult, apply_settings
from aoi_app.sources.source import SourceError

_FETCH_S = 0.05  # so long at most an order waits while nothing comes
_IDLE_S = 0.1  # without a camera that runs there is nothing to hurry for
_LISTEN_S = 0.005  # between two looks into the pipes; a look for every frame would cost more than the frame
_SELF_END_S = 10.0  # after a broken promise this process ends itself, if nobody has killed it by then
_SILENT_S = 0.8  # a camera that waits for a trigger is as silent as one without its cable; then it is asked
_PING_LIMIT_S = 5.0  # a GigE camera that is gone is noticed by its heartbeat only after some seconds


def run_camera(config: CameraConfig, streams: bool, events: Connection, control: Connection, numbers: Any) -> None:
    """The process.

    Args:
        config: which camera.
        streams: begin to deliver at once.
        events: sends events, receives ``RingPlace`` and ``Quit``.
        control: receives requests, sends answers.
        numbers: shared, see ``PROMISED_S``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the program, which ends this
    _redirect(shows_output=config.shows_output)
    # Promised before the device is opened: opening is where producers hang most.
    worker = _Worker(config, events, control, numbers)
    worker.promise(config.open_limit_s)
    try:
        with _device(config) as device:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # harvesters has put a handler of its own there
            try:
                worker.run(device, streams)
            except SourceError as error:
                _tell(events, error)  # before the camera is closed, which may hang now
            worker.promise(config.open_limit_s)
    except SourceError as error:
        _tell(events, error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # who started this is gone
    except Exception as error:  # noqa: BLE001 (what nobody foresaw is told instead of a mere exit status)
        where = traceback.extract_tb(error.__traceback__)[-1]
        _tell(
            events,
            SourceError(
                "acquisition-broke-down",
                "The acquisition process broke down: {kind} in {file} line {line}: {reason}",
                kind=type(error).__name__,
                file=Path(where.filename).name,
                line=where.lineno,
                reason=error,
            ),
        )
    faulthandler.cancel_dump_traceback_later()


def _redirect(*, shows_output: bool) -> None:
    """Producers print, some of them without end; standard output belongs to the program."""
    with suppress(OSError):  # a program without a console has no standard output
        # On the level of file descriptors: producers are C++ and do not know sys.stdout.
        target = 2 if shows_output else os.open(os.devnull, os.O_WRONLY)
        for standard in (1,) if shows_output else (1, 2):
            os.dup2(target, standard)


def _device(config: CameraConfig) -> CameraDevice:
    return kind_of(config.producer).open(config)


def _tell(events: Connection, error: SourceError) -> None:
    """Says why this process ends, if somebody is left to hear it."""
    with suppress(OSError):
        events.send(Failed(str(error), getattr(error, "in_use", False)))


class _Worker:
    """The loop between camera, ring and the other process."""

    def __init__(self, config: CameraConfig, events: Connection, control: Connection, numbers: Any) -> None:
        self._config, self._events, self._control, self._numbers = config, events, control, numbers
        self._trace = 2 if config.shows_output else os.open(os.devnull, os.O_WRONLY)
        self._ring: RingWriter | None = None
        self._pending: RawFrame | None = None  # fetched, but there is no ring yet that it fits into
        self._is_streaming = self._quits = False
        self._lost_lines = 0
        self._seen_incomplete = 0
        self._unusable = ""
        self._asked_bytes = 0
        self._listened_s = self._armed_s = self._captured_at_s = self._pinged_s = 0.0

    def promise(self, seconds: float) -> None:
        """A sign of life comes within the time; otherwise this process ends, even if a producer holds everything."""
        now = time.monotonic()
        self._numbers[PROMISED_S] = now + seconds
        if seconds > 1.0 or now - self._armed_s > 1.0:
            self._armed_s = now + seconds
            # A timer of faulthandler needs no interpreter lock, which a producer that hangs may hold for ever.
            faulthandler.dump_traceback_later(seconds + _SELF_END_S, exit=True, file=self._trace)

    def run(self, device: CameraDevice, streams: bool) -> None:
        """Delivers until it is told to quit."""
        results = apply_settings(device, self._config.settings)
        self._events.send(Opened(device.info, tuple(results)))
        if streams:
            # Before the camera starts, so that its first frames have somewhere to go.
            self._wait_for_ring(device)
            self.promise(self._config.open_limit_s)
            self._start(device)
        while not self._quits:
            self.promise(self._config.silence_limit_s)
            self._listen(device)
            if self._pending is not None:
                wait([self._events, self._control], _IDLE_S)
            elif self._is_streaming:
                frame = device.fetch(_FETCH_S)
                self._count_incomplete(device, frame)  # before delivery: their lines are missing before this frame
                if frame is not None:
                    self._pending, self._captured_at_s = frame, time.monotonic()
                else:
                    self._ping(device)
            else:
                wait([self._events, self._control], _IDLE_S)
            if self._pending is not None:
                self._deliver(device, self._pending)
        if self._is_streaming:
            self.promise(self._config.open_limit_s)
            self._stop(device)

    def _ping(self, device: CameraDevice) -> None:
        """Finds out whether a camera that has been silent for a while is still there."""
        now = time.monotonic()
        if now - max(self._captured_at_s, self._pinged_s) > _SILENT_S:
            self.promise(_PING_LIMIT_S)
            device.ping()
            self._pinged_s = time.monotonic()  # now, not before: asking may have taken long

    def _wait_for_ring(self, device: CameraDevice) -> None:
        """Has a ring ready for frames as the camera announces them, so that none is lost while it is made."""
        try:
            kind = find_format(str(device.feature("remote", "PixelFormat").value))
            width, lines = (device.feature("remote", name).value for name in ("Width", "Height"))
        except FeatureError:
            return  # a frame grabber that keeps them elsewhere; the first frame will tell
        if not isinstance(width, int) or not isinstance(lines, int):
            return
        self._ask_for_ring(slot_bytes_for(kind.decoded_bytes(lines, width), lines))
        # The owner makes the memory, because it outlives this process; it answers with the place of the ring.
        while self._ring is None and not self._quits:
            self.promise(self._config.silence_limit_s)
            wait([self._events, self._control], _IDLE_S)
            self._listen(device)

    def _listen(self, device: CameraDevice) -> None:
        now = time.monotonic()
        if self._is_streaming and self._pending is None and now - self._listened_s < _LISTEN_S:
            return
        self._listened_s = now
        while self._events.poll():
            order = self._events.recv()
            if isinstance(order, RingPlace):
                self._attach(order)
            else:
                self._quits = True
        while self._control.poll():
            self.promise(self._config.open_limit_s)
            verb, arguments = self._control.recv()
            answer = self._answer(device, verb, arguments)
            self.promise(self._config.silence_limit_s)
            self._control.send(answer)

    def _attach(self, place: RingPlace) -> None:
        if self._ring is not None:
            self._ring.close()
        self._ring = RingWriter(place)
        self._asked_bytes = 0
        self._events.send(Attached(place.name))

    def _deliver(self, device: CameraDevice, frame: RawFrame) -> None:
        """Copies a frame into the ring and gives its buffer back; keeps it pending while there is no ring for it."""
        try:
            if frame.problem:
                raise SourceError("frame-incomplete", "{problem}", problem=frame.problem)
            kind = find_format(frame.pixel_format)
            shape = kind.shape(frame.lines, frame.width_px)
            image_bytes = kind.decoded_bytes(frame.lines, frame.width_px)
            counts = 0 if frame.encoder is None else len(frame.encoder)
            if self._ring is None or not self._ring.fits(image_bytes, counts):
                self._ask_for_ring(slot_bytes_for(image_bytes, counts))
                return
            # A full ring loses the frame, never waits: while one waits the producer's own buffers fill up unseen.
            slot = self._ring.take()
            if slot is None:
                self._lose(frame.lines)
            else:
                self._write(device, frame, self._ring, slot)
            self._unusable = ""
            self._numbers[FRAMES] += 1
            self._numbers[LINES] += shape[0]
        except SourceError as error:
            self._lose(frame.lines)
            # Once for each reason: at thousands of frames a second the pipe would be full of it.
            if str(error) != self._unusable:
                self._unusable = str(error)
                self._events.send(Unusable(self._unusable))
        self._pending = None
        frame.give_back()

    def _write(self, device: CameraDevice, frame: RawFrame, ring: RingWriter, slot: int) -> None:
        kind = find_format(frame.pixel_format)
        shape = kind.shape(frame.lines, frame.width_px)
        image = ring.image(slot, shape, kind.dtype)
        try:
            decode_pixels(
                kind,
                frame.data,
                frame.lines,
                frame.width_px,
                frame.padding_bytes,
                big_endian=frame.big_endian,
                out=image,
            )
        except SourceError:
            ring.untake(slot)
            raise
        if frame.encoder is not None:
            ring.put_encoder(slot, image.nbytes, frame.encoder)
        info = device.info
        # Pixels first, message second: what the reader is told of is there.
        written = Written(
            ring=ring.place.name,
            slot=slot,
            shape=shape,
            dtype=kind.dtype.str,
            bits=kind.bits,
            encoder_counts=0 if frame.encoder is None else len(frame.encoder),
            frame_id=frame.frame_id,
            timestamp_ns=frame.timestamp_ns,
            source=f"{info.model} {info.serial}" + ("" if frame.frame_id is None else f" frame {frame.frame_id}"),
            captured_at_s=self._captured_at_s,
            lost_lines=self._lost_lines,
        )
        self._lost_lines = 0
        self._events.send(written)

    def _ask_for_ring(self, slot_bytes: int) -> None:
        if self._asked_bytes != slot_bytes:
            self._asked_bytes = slot_bytes
            self._events.send(NeedsRing(slot_bytes))

    def _lose(self, lines: int) -> None:
        self._lost_lines += lines
        self._numbers[LOST_LINES] += lines

    def _count_incomplete(self, device: CameraDevice, frame: RawFrame | None) -> None:
        new = device.incomplete - self._seen_incomplete
        self._numbers[INCOMPLETE] += max(0, new)
        self._seen_incomplete = device.incomplete
        # Where frames are counted, the count tells; where not, the lines have to be told.
        if new > 0 and frame is not None and frame.frame_id is None:
            self._lose(new * frame.lines)

    def _start(self, device: CameraDevice) -> None:
        device.start()
        self._seen_incomplete = 0
        self._is_streaming = True

    def _stop(self, device: CameraDevice) -> None:
        if self._pending is not None:
            self._lose(self._pending.lines)
            # Queueing a buffer after stop() can crash a producer, so it goes back before.
            self._pending.give_back()
            self._pending = None
        self._is_streaming = False
        device.stop()

    def _answer(self, device: CameraDevice, verb: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
        """An answer and its kind, ``done`` or ``refused``."""
        verbs: dict[str, Callable[..., Any]] = {
            "features": device.list_features,
            "feature": device.feature,
            "write": device.write,
            "apply": lambda settings: apply_settings(device, settings),
            "change": lambda settings: self._change(device, settings),
            "info": lambda: device.info,
            "start": lambda: self._switch(device, on=True),
            "stop": lambda: self._switch(device, on=False),
        }
        try:
            return "done", verbs[verb](*arguments)
        except (FeatureError, CameraError) as error:
            return "refused", str(error)

    def _switch(self, device: CameraDevice, *, on: bool) -> None:
        if on and not self._is_streaming:
            self._start(device)
            self._events.send(Restarted())
        elif not on and self._is_streaming:
            self._stop(device)

    def _change(self, device: CameraDevice, settings: tuple[Setting, ...]) -> list[SettingResult]:
        """Makes settings that are locked while the camera runs."""
        was_streaming = self._is_streaming
        self._switch(device, on=False)
        try:
            return apply_settings(device, settings)
        finally:
            self._switch(device, on=was_streaming)
