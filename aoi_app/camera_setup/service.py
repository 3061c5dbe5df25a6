"""Where cameras are found and set up: a thread that does it, so that no window waits for a camera.

While the line runs, it speaks to the line's camera; otherwise it opens one in a process of its own, and lets go of it
before the line needs it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from aoi_app.camera_setup.state import CameraState, Key, device_row, feature_row
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.camera.device import SYNTHETIC, CameraConfig, CameraError, DeviceInfo
from aoi_app.sources.camera.discovery import discover_cameras, find_producers
from aoi_app.sources.camera.features import NODE_MAPS, Feature, FeatureError, NodeMap, Setting, parse_value
from aoi_app.sources.camera.presets import (
    SettingResult,
    describe_results,
    load_preset,
    preset_of,
    save_preset,
    wrong_camera,
)
from aoi_app.sources.camera.synthetic import synthetic_info
from aoi_app.sources.source import SourceError

logger = logging.getLogger(__name__)

_REFRESH_S = 1.0
_SHARE = 4  # of the time between two refreshes, so much more than a refresh takes: a slow camera is not kept busy


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
    """A ``Desk`` for the dialog. ``close`` it when the dialog goes."""

    def __init__(self, kept: CameraChoice, line: Callable[[], OpenCamera | None]) -> None:
        """
        Args:
            kept: the camera of the settings; its producer is also looked at.
            line: the camera that the line reads now, or None; asked from another thread.
        """
        self._named = [kept.producer] if kept.producer not in {"", SYNTHETIC} else []
        self._line = line
        self._own: CameraProcess | None = None
        self._pause_s = _REFRESH_S
        self._lock = threading.Lock()
        self._view = CameraState(producer=kept.producer, serial=kept.serial, preset=kept.preset)
        self._jobs: queue.Queue[tuple[str, Callable[[], object]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="camera desk", daemon=True)
        self._thread.start()

    @property
    def holds_camera(self) -> bool:
        """A camera is open here, or about to be, which the line cannot open now."""
        is_at_work = self._own is not None or not self._jobs.empty() or bool(self.view().busy)
        return is_at_work and self._thread.is_alive()

    def view(self) -> CameraState:
        """What there is to show now."""
        with self._lock:
            return self._view

    def look(self) -> None:
        """Looks for producers and cameras."""
        self._jobs.put(("Looking for cameras …", self._look))

    def choose(self, producer: str, serial: str) -> None:
        """Opens a camera, or speaks to the line's if that is the one."""
        self._jobs.put((f"Opening camera {serial} …", lambda: self._choose(producer, serial)))

    def write(self, key: Key, text: str, *, stops: bool) -> None:
        """Sets a feature, or executes a command."""
        self._jobs.put((f"Setting {key[1]} …", lambda: self._write(key, text, stops=stops)))

    def save_preset(self, path: str) -> None:
        """Writes what the camera is set to; it is set to that at the start from now on."""
        self._jobs.put(("Reading the camera …", lambda: self._save(Path(path))))

    def load_preset(self, path: str) -> None:
        """Sets the camera to a file, now and at the start."""
        self._jobs.put(("Setting the camera …", lambda: self._load(Path(path))))

    def release(self) -> None:
        """Lets go of a camera that is open here."""
        self._jobs.put(("Closing the camera …", self._drop))

    def close(self) -> None:
        """Ends; what is open is closed by the thread."""
        self._jobs.put(None)

    # --- in the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                try:
                    job = self._jobs.get(timeout=self._pause_s)
                except queue.Empty:
                    self._guarded(self._refresh)
                    continue
                if job is None:
                    return
                busy, do = job
                self._show(busy=busy)
                self._guarded(do)
                self._show(busy="")
        finally:
            self._drop()

    def _guarded(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (SourceError, FeatureError) as error:
            notes = (str(error),)
            if isinstance(error, CameraError) and self._own is not None:
                name = self._view.camera
                self._drop()
                notes = (f"{name} went away and was closed. Choose it again.",)
            self._show(notes=notes)
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("the camera dialog")
            self._show(notes=(f"That failed ({type(error).__name__}: {error}). Please report it with the log file.",))

    def _show(self, **changes: Any) -> None:
        with self._lock:
            changed = replace(self._view, **changes)
            if changed != self._view:
                self._view = replace(changed, revision=self._view.revision + 1)

    def _camera(self) -> OpenCamera:
        camera = self._own or self._line()
        if camera is None:
            raise CameraError("No camera is open. Choose one above.")
        return camera

    def _look(self) -> None:
        producers, remarks = find_producers(self._named)
        reports = discover_cameras(producers)
        devices = [device_row(d) for r in reports for d in r.devices]
        problems = (*remarks, *(r.problem for r in reports if r.problem))
        self._show(devices=(*devices, device_row(synthetic_info())), problems=problems)
        self._refresh()

    def _choose(self, producer: str, serial: str) -> None:
        is_same = (producer, serial) == (self._view.producer, self._view.serial)
        preset = self._view.preset if is_same else ""
        self._drop()
        self._show(producer=producer, serial=serial, preset=preset, errors={}, notes=())
        line = self._line()
        info = line.info if line is not None else None
        if info is None or (info.producer, info.serial or info.id) != (producer, serial):
            own = CameraProcess(CameraConfig(producer, serial))
            own.__enter__()
            self._own = own
        if preset and self._own is not None:
            self._load(Path(preset))
        self._refresh()

    def _refresh(self) -> None:
        began_s = time.monotonic()
        camera = self._own or self._line()
        if camera is None or camera.info is None:
            self._show(camera="", rows=(), on_the_line=False)
            return
        rows = tuple(feature_row(f) for f in self._features(camera))
        self._show(camera=camera.info.name, rows=rows, on_the_line=camera is not self._own)
        if not self._view.serial:  # the line took the first that it found; from now on it is this one
            self._show(producer=camera.info.producer, serial=camera.info.serial or camera.info.id)
        self._pause_s = max(_REFRESH_S, _SHARE * (time.monotonic() - began_s))

    def _features(self, camera: OpenCamera) -> list[Feature]:
        return [f for m in NODE_MAPS for f in camera.features(m)]

    def _write(self, key: Key, text: str, *, stops: bool) -> None:
        camera = self._camera()
        errors = {k: v for k, v in self._view.errors.items() if k != key}
        try:
            setting = Setting(*key, parse_value(camera.feature(*key), text))
            if stops and camera is not self._own:
                problems = describe_results(camera.change([setting]))
            else:
                camera.write(setting)
                problems = []
        except FeatureError as error:
            problems = [str(error)]
        if problems:
            errors[key] = " ".join(problems)
        self._show(errors=errors, notes=())
        self._refresh()

    def _save(self, path: Path) -> None:
        camera = self._camera()
        if camera.info is None:
            raise CameraError("The camera is being connected anew; try again in a moment.")
        preset = preset_of(camera.info, self._features(camera))
        save_preset(path, preset)
        self._show(preset=str(path), notes=(f"{len(preset.features)} features written to {path}.",))

    def _load(self, path: Path) -> None:
        camera = self._camera()
        preset = load_preset(path)
        wrong = wrong_camera(preset, camera.info) if camera.info is not None else None
        results = camera.change(preset.settings)
        differences = describe_results(results)
        done = f"{len(results) - len(differences)} of {len(results)} features of {path} were set."
        self._show(preset=str(path), errors={}, notes=tuple(filter(None, (done, wrong, *differences))))
        self._refresh()

    def _drop(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            own.end()
        self._show(camera="", rows=(), on_the_line=False)
