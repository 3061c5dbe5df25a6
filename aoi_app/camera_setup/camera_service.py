"""Finds cameras, opens one, and reads and sets its features, in a thread, so that no page waits for a camera.

While the line reads a camera, it is the line's camera that is set; otherwise one is opened in a process of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import Job, SerialWorker
from aoi_app.camera_setup.camera_hold import CameraHold
from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.feature_rows import FeatureRow, Key, device_row, feature_row
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.camera.device import CameraConfig, CameraError, DeviceInfo
from aoi_app.sources.camera.discovery import discover_cameras, find_producers
from aoi_app.sources.camera.features import NODE_MAPS, Feature, FeatureError, NodeMap, Setting, parse_value
from aoi_app.sources.camera.kinds import found_without_producer, needs_producer
from aoi_app.sources.camera.presets import (
    SettingResult,
    describe_results,
    load_preset,
    preset_of,
    save_preset,
    wrong_camera,
)
from aoi_app.sources.source import SourceError

_REFRESH_S = 1.0
_REST_FACTOR = 4  # the pause after reading all features, in times of reading: a slow camera is not kept busy with it
_SEEN_S = 2.0  # features are read again only while somebody looks at them


class OpenCamera(Protocol):
    """The line's camera, or one in a process of its own."""

    @property
    def info(self) -> DeviceInfo | None:
        """Which camera it is."""

    def features(self, node_map: NodeMap) -> list[Feature]:
        """All features of a node map. Raises CameraError."""

    def feature(self, node_map: NodeMap, name: str) -> Feature:
        """One feature. Raises FeatureError, CameraError."""

    def write(self, setting: Setting) -> Feature:
        """Sets a feature. Raises FeatureError, CameraError."""

    def change(self, settings: Sequence[Setting]) -> list[SettingResult]:
        """Sets features while the camera stands. Raises CameraError."""


class CameraService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, kept: CameraChoice, line: Callable[[], OpenCamera | None], turn: threading.Lock) -> None:
        """
        Args:
            kept: the camera of the settings; its producer is searched, too.
            line: the camera that the line reads now, or None; asked from another thread.
            turn: held by whoever has a camera open, the line excepted.
        """
        self._named = [kept.producer] if needs_producer(kept.producer) else []
        self._line = line
        self._hold: CameraHold[CameraProcess] = CameraHold(turn)
        self._holder = StateHolder(CameraState(producer=kept.producer, serial=kept.serial, preset=kept.preset))
        self._worker = SerialWorker(
            "cameras",
            self._holder.fail,
            on_idle=self._refresh_while_seen,
            idle_s=_REFRESH_S,
            on_end=self._hold.let_go,
            told=(SourceError, FeatureError),
        )

    # --- what any thread may ask ----------------------------------------------------------------------------------

    @property
    def state(self) -> CameraState:
        """The newest state."""
        return self._holder.state

    def ask(self) -> CameraState:
        """The newest state, for somebody who shows it and will ask again."""
        return self._holder.ask()

    @property
    def holds_camera(self) -> bool:
        """A camera is open here, or about to be, which nobody else can open now."""
        return self._worker.is_alive and (self._hold.camera is not None or not self._worker.is_idle)

    def find(self) -> None:
        """Searches all producers for cameras."""
        self._do("Searching for cameras …", self._find)

    def choose(self, producer: str, serial: str) -> None:
        """Opens a camera, or turns to the line's if that is the one; it is the camera of this line from now on."""
        self._hold.want()
        self._do(f"Opening camera {serial} …", lambda: self._choose(producer, serial))

    def write(self, key: Key, text: str, *, stops: bool) -> None:
        """Sets a feature, or executes a command; ``stops`` stops and starts the line's camera for it."""
        self._do(f"Setting {key[1]} …", lambda: self._write(key, text, stops=stops))

    def save_preset(self, path: str) -> None:
        """Writes what the camera is set to into a file, to which it is set at the start from now on."""
        self._do("Reading the camera …", lambda: self._save(Path(path)))

    def load_preset(self, path: str) -> None:
        """Sets the camera to a file, now and at the start."""
        self._do("Setting the camera …", lambda: self._load(Path(path)))

    def release(self) -> None:
        """Closes the camera that is open here, in a moment."""
        if self._hold.give_up():
            self._do("Closing the camera …", self._close_camera)

    def close(self) -> None:
        """Ends after what was asked before; a camera that is open here is closed."""
        self._hold.give_up()
        self._worker.close()

    def wait(self, timeout_s: float) -> bool:
        """Whether the thread has ended and its camera is closed, within the time."""
        return self._worker.wait(timeout_s)

    # --- what runs in the thread ----------------------------------------------------------------------------------

    def _do(self, busy: str, job: Job) -> None:
        def do() -> None:
            with self._holder.doing(busy):
                self._while_open(job)

        self._worker.put(do)

    def _while_open(self, job: Job) -> None:
        """Does a job; a camera of its own that does not answer any more is closed, so that it can be chosen again."""
        try:
            job()
        except CameraError:
            if self._hold.camera is None:
                raise
            name = self._holder.state.camera or "The camera"
            self._close_camera()
            self._holder.fail(f"{name} was disconnected and is closed. Choose it again.")

    def _refresh_while_seen(self) -> None:
        if self._holder.was_asked_within(_SEEN_S):
            self._while_open(self._refresh)

    def _find(self) -> None:
        producers, remarks = find_producers(self._named)
        reports = discover_cameras(producers)
        devices = [*(d for r in reports for d in r.devices), *found_without_producer()]
        problems = (*remarks, *(r.problem for r in reports if r.problem))
        self._holder.change(devices=tuple(map(device_row, devices)), problems=problems)
        self._refresh()

    def _choose(self, producer: str, serial: str) -> None:
        before = self._holder.state
        preset = before.preset if (producer, serial) == (before.producer, before.serial) else ""
        self._close_camera()
        self._holder.change(producer=producer, serial=serial, preset=preset, errors={}, note="", is_alarm=False)
        line = self._line()
        info = line.info if line is not None else None
        if info is None or (info.producer, info.serial or info.id) != (producer, serial):
            own = self._hold.take(lambda: CameraProcess(CameraConfig(producer, serial)))
            if own is not None and preset:
                self._load(Path(preset))
        self._refresh()

    def _refresh(self) -> None:
        began_s = time.monotonic()
        camera = self._hold.camera or self._line()
        if camera is None or camera.info is None:
            self._tell_features("", (), is_on_line=False)
            return
        rows = tuple(feature_row(f) for f in _all_features(camera))
        self._tell_features(camera.info.name, rows, is_on_line=camera is not self._hold.camera)
        if not self._holder.state.serial:  # the line took the first that it found; from now on it is this one
            self._holder.change(producer=camera.info.producer, serial=camera.info.serial or camera.info.id)
        self._worker.idle_s = max(_REFRESH_S, _REST_FACTOR * (time.monotonic() - began_s))

    def _tell_features(self, camera: str, features: tuple[FeatureRow, ...], *, is_on_line: bool) -> None:
        now = self._holder.state
        if (camera, features, is_on_line) != (now.camera, now.features, now.is_on_line):
            self._holder.change(camera=camera, features=features, is_on_line=is_on_line)

    def _camera_to_set(self) -> OpenCamera:
        camera = self._hold.camera or self._line()
        if camera is None:
            raise SourceError("no-camera-open", "No camera is open. Choose one in the list.")
        return camera

    def _write(self, key: Key, text: str, *, stops: bool) -> None:
        camera = self._camera_to_set()
        errors = {k: v for k, v in self._holder.state.errors.items() if k != key}
        try:
            setting = Setting(*key, parse_value(camera.feature(*key), text))
            if stops and camera is not self._hold.camera:
                problems = describe_results(camera.change([setting]))
            else:
                camera.write(setting)
                problems = []
        except FeatureError as error:
            problems = [str(error)]
        if problems:
            errors[key] = " ".join(problems)
        self._holder.change(errors=errors, note="", is_alarm=False)
        self._refresh()

    def _save(self, path: Path) -> None:
        camera = self._camera_to_set()
        if camera.info is None:
            raise SourceError("camera-reconnecting", "The camera is being connected again; try again in a moment.")
        preset = preset_of(camera.info, _all_features(camera))
        save_preset(path, preset)
        self._holder.change(preset=str(path))
        self._holder.say(f"{len(preset.features)} features were written to {path}.")

    def _load(self, path: Path) -> None:
        camera = self._camera_to_set()
        preset = load_preset(path)
        wrong = wrong_camera(preset, camera.info) if camera.info is not None else None
        results = camera.change(preset.settings)
        differences = describe_results(results)
        done = f"{len(results) - len(differences)} of {len(results)} features of {path} were set."
        self._holder.change(preset=str(path), errors={})
        text = "\n".join(filter(None, (done, wrong, *differences)))
        self._holder.say(text, is_alarm=bool(wrong or differences))
        self._refresh()

    def _close_camera(self) -> None:
        self._hold.let_go()
        self._tell_features("", (), is_on_line=False)


def _all_features(camera: OpenCamera) -> list[Feature]:
    return [f for node_map in NODE_MAPS for f in camera.features(node_map)]
