"""Helps to set up light and focus of the line's camera, and records its flat field, in a thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from aoi_app.camera_setup.focus_state import AidSnapshot, EvennessView, Phase, StoredView
from aoi_app.camera_setup.focus_text import describe_flat_field, effect_text, evenness_view, light_view
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera.device import CameraError
from aoi_app.sources.camera.presets import describe_results
from aoi_app.sources.chosen_camera import config_of, setup_of
from aoi_app.sources.diagnostics.focus import measure_focus, shows_cloth
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError, flat_field_problems
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field, remove_flat_field, write_flat_field
from aoi_app.sources.flat_field.recording import FlatFieldRecording, Reference
from aoi_app.sources.source import SourceError

logger = logging.getLogger(__name__)

_PERIOD_S = 0.1
_SILENCE_S = 5.0
_AWAY_NOTE_S = 5.0  # so long it is said that the camera was away
_LINES = 128  # of a block that are looked at
_PHASES: dict[Reference | None, Phase] = {None: Phase.LIVE, "dark": Phase.DARK, "white": Phase.WHITE}
_SILENT = "Nothing comes from the camera. Let the web run, or check its trigger."


class FocusService:
    """Reads a camera that no roll uses. What is asked of it is done in its thread; what came of it is in the snapshot.

    Of the blocks the newest is looked at, ten times a second; while something is recorded, every block is taken.
    """

    def __init__(self, choice: CameraChoice, flat_fields: Path) -> None:
        """
        Args:
            choice: the camera.
            flat_fields: folder of the flat fields.
        """
        self._choice = choice
        self._folder = flat_fields
        self._now = AidSnapshot()
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._ending = threading.Event()
        self._recording = FlatFieldRecording()
        self._setup = CameraSetup("")
        self._stored: FlatField | None = None
        self._best = float("nan")
        self._trouble_until_s = math.inf  # then a word about a camera that delivers again is old
        self.blocks: CameraBlocks | None = None
        """The open camera, for who sets its features; None while it is closed."""
        self._thread = threading.Thread(target=self._run, name="camera aid", daemon=True)
        self._thread.start()

    def snapshot(self) -> AidSnapshot:
        """How things stand."""
        return self._now

    def record(self, reference: Reference, lines: int) -> None:
        """Records the dark or the white."""
        self._orders.put(lambda: self._begin(reference, lines))

    def cancel(self) -> None:
        """Records no further."""
        self._orders.put(self._cancel)

    def save(self) -> None:
        """Keeps the flat field that was recorded for this camera."""
        self._orders.put(self._save)

    def discard(self) -> None:
        """Forgets what was recorded."""
        self._orders.put(self._discard)

    def remove(self) -> None:
        """Deletes the flat field that is kept for this camera."""
        self._orders.put(self._remove)

    def forget_best(self) -> None:
        """Looks for the best sharpness anew."""
        self._orders.put(self._forget_best)

    def close(self) -> None:
        """Lets the camera go, in a moment; what was asked before is done first."""
        self._ending.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether the camera is free again and the thread has ended, within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # --- what runs in the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            config = config_of(self._choice.producer, self._choice.serial, self._choice.preset)
            if not self._ending.is_set():
                with CameraBlocks(config) as blocks:
                    self.blocks = blocks
                    self._watch(blocks)
        except SourceError as error:
            self._tell(str(error), alarm=True, phase=Phase.FAILED)
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("setting up the camera")
            text = f"The camera cannot be read ({type(error).__name__}: {error})."
            self._tell(text, alarm=True, phase=Phase.FAILED)
        else:
            self._update(phase=Phase.CLOSED)
        finally:
            self.blocks = None

    def _watch(self, blocks: CameraBlocks) -> None:
        self._setup = setup_of(blocks)
        self._load()
        self._tell(" ".join(describe_results(blocks.results)), alarm=True, phase=Phase.LIVE, camera=blocks.name)
        newest: Block | None = None
        look_s = 0.0
        heard_s = time.monotonic()
        while not self._ending.is_set():
            self._obey()
            item = blocks.read(0.05)
            now_s = time.monotonic()
            if isinstance(item, Outage):
                self._came_back(item, blocks)
            elif item is not None:
                newest, heard_s = item, now_s
                self._take(item)
            elif now_s - heard_s > _SILENCE_S:
                heard_s = now_s
                self._is_silent(blocks)
            if newest is not None and now_s >= look_s:
                self._look(newest)
                newest, look_s = None, now_s + _PERIOD_S
        self._obey()

    def _obey(self) -> None:
        while not self._orders.empty():
            try:
                self._orders.get()()
            except SourceError as error:
                self._tell(str(error), alarm=True)

    def _begin(self, reference: Reference, lines: int) -> None:
        assert self.blocks is not None
        self._setup = setup_of(self.blocks)
        self._recording.begin(reference, lines, self._setup)
        self._tell(f"Recording the {reference} …")

    def _cancel(self) -> None:
        if self._recording.reference is not None:
            self._recording.cancel()
            self._tell("Nothing was recorded.")

    def _save(self) -> None:
        flat = self._recording.flat
        if flat is None:
            return
        write_flat_field(flat, self._path)
        self._recording = FlatFieldRecording()
        self._load()
        self._tell("The flat field is saved; it holds from the next roll on.")

    def _discard(self) -> None:
        self._recording = FlatFieldRecording()
        self._tell("What was recorded is discarded.")

    def _remove(self) -> None:
        removed = remove_flat_field(self._path)
        self._load()
        self._tell("The flat field is removed." if removed else "There is no flat field.")

    def _forget_best(self) -> None:
        self._best = float("nan")

    def _take(self, block: Block) -> None:
        reference = self._recording.reference
        if reference is None:
            if time.monotonic() >= self._trouble_until_s:
                self._tell("")
            return
        try:
            is_done = self._recording.add(block)
        except FlatFieldError as error:
            self._tell(str(error), alarm=True)
            return
        if is_done:
            flat = self._recording.flat
            rest = "" if flat is None else f" {effect_text(flat, block)}" if reference == "white" else ""
            self._tell(f"The {reference} is recorded.{rest}")

    def _came_back(self, outage: Outage, blocks: CameraBlocks) -> None:
        if self._recording.reference is not None:
            self._recording.cancel()
            self._tell(f"The camera was away meanwhile ({outage.reason}); record it again.", alarm=True)
        else:
            self._tell(outage.reason, alarm=True)
            self._trouble_until_s = time.monotonic() + _AWAY_NOTE_S
        try:
            self._setup = setup_of(blocks)
        except CameraError as error:  # away again; it comes with the next outage
            logger.info("%s", error)

    def _is_silent(self, blocks: CameraBlocks) -> None:
        reference = self._recording.reference
        self._recording.cancel()
        trouble = blocks.status.text
        if reference is not None:
            self._tell(
                f"Too few lines came from the camera; the {reference} is not recorded. {trouble or _SILENT}", alarm=True
            )
        else:
            self._tell(trouble or _SILENT, alarm=True)
            self._trouble_until_s = 0.0

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return flat_field_path(self._folder, self._setup.camera)

    def _load(self) -> None:
        """The flat field that is kept, and what is to be said of it."""
        self._stored, view = None, None
        if self._path.exists():
            try:
                self._stored = read_flat_field(self._path)
                view = StoredView(
                    describe_flat_field(self._stored), tuple(flat_field_problems(self._stored, self._setup))
                )
            except FlatFieldError as error:
                view = StoredView("", (str(error),))
        self._update(stored=view)

    def _look(self, block: Block) -> None:
        figures = measure_focus(block)
        if shows_cloth(figures):
            self._best = float(np.fmax(self._best, figures.sharpness))
        light = light_view(figures, self._best)
        self._update(light=light, evenness=self._compared(replace(block, image=block.image[:_LINES])))

    def _compared(self, block: Block) -> EvennessView | None:
        recorded = self._recording.flat
        flat = recorded or self._stored
        if flat is None:
            return None
        if flat.white.shape != block.image.shape[1:]:
            self._does_not_fit(flat, block)
            return None
        return evenness_view(flat, block, is_stored=recorded is None)

    def _does_not_fit(self, flat: FlatField, block: Block) -> None:
        view = self._now.stored
        width_px = block.image.shape[1]
        text = f"It is for lines of {flat.width_px} px, the camera delivers others ({width_px} px). Record it again."
        if flat is self._stored and view is not None and text not in view.problems:
            self._update(stored=replace(view, problems=(*view.problems, text)))

    def _tell(self, message: str, *, alarm: bool = False, **changes: Any) -> None:
        self._trouble_until_s = math.inf
        self._update(message=message, is_alarm=alarm and bool(message), **changes)

    def _update(self, **changes: Any) -> None:
        """Only the thread writes, so that a reader always sees one whole state."""
        recording = self._recording
        if not self._now.phase.is_over and self._now.phase is not Phase.OPENING:
            changes.setdefault("phase", _PHASES[recording.reference])
        self._now = replace(
            self._now,
            progress=recording.progress,
            has_dark=recording.has_dark,
            is_unsaved=recording.flat is not None,
            **changes,
        )
