"""Opens the line's camera while no roll uses it, to set its light and focus and to record its flat field."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.camera_setup.camera_flat_field import CameraFlatField
from aoi_app.camera_setup.camera_hold import CameraHold
from aoi_app.camera_setup.focus_reading import FocusReading
from aoi_app.camera_setup.focus_state import FocusState, Phase
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.presets import describe_results
from aoi_app.sources.chosen_camera import config_of, setup_of
from aoi_app.sources.flat_field.recording import Reference
from aoi_app.sources.source import SourceError


class FocusService:
    """Every command returns at once; the state tells later what came of it.

    The camera is opened when somebody asks for it, and closed when it is released.
    """

    def __init__(self, flat_fields: Path, turn: threading.Lock) -> None:
        """
        Args:
            flat_fields: folder of the flat fields.
            turn: held by whoever has a camera open, the line excepted.
        """
        self._hold: CameraHold[CameraBlocks] = CameraHold(turn)
        self._flat_field = CameraFlatField(flat_fields)
        self._reading: FocusReading | None = None
        self._holder = StateHolder(FocusState(), self._with_flat_field)
        self._worker = SerialWorker(
            "light and focus",
            self._holder.fail,
            on_idle=self._read,
            idle_s=None,
            on_end=self._hold.let_go,
            told=(SourceError,),
        )

    # --- what any thread may ask ----------------------------------------------------------------------------------

    @property
    def state(self) -> FocusState:
        """The newest state."""
        return self._holder.state

    @property
    def blocks(self) -> CameraBlocks | None:
        """The open camera, for whoever sets its features; None while it is closed."""
        return self._hold.camera

    @property
    def is_idle(self) -> bool:
        """All that was asked is done."""
        return self._worker.is_idle

    @property
    def holds_camera(self) -> bool:
        """The camera is open here, or about to be, so that nobody else can open it now."""
        return self._worker.is_alive and (self._hold.camera is not None or not self._worker.is_idle)

    def open(self, choice: CameraChoice) -> None:
        """Opens a camera, as soon as nobody else of this program has one open."""
        self._hold.want()
        self._worker.put(lambda: self._open(choice))

    def release(self) -> None:
        """Closes the camera, in a moment. A recording is stopped; a recorded flat field is kept."""
        if self._hold.give_up():
            self._worker.put(self._release)

    def record(self, reference: Reference, lines: int) -> None:
        """Records so many lines of the dark or the white reference."""
        self._worker.put(lambda: self._begin(reference, lines))

    def cancel(self) -> None:
        """Records no further."""
        self._worker.put(lambda: self._holder.say(self._flat_field.cancel()))

    def save(self) -> None:
        """Stores the recorded flat field for its camera."""
        self._worker.put(lambda: self._holder.say(self._flat_field.save()))

    def discard(self) -> None:
        """Forgets what was recorded."""
        self._worker.put(lambda: self._holder.say(self._flat_field.discard()))

    def remove(self) -> None:
        """Deletes the stored flat field of the camera."""
        self._worker.put(lambda: self._holder.say(self._flat_field.remove()))

    def forget_best(self) -> None:
        """Looks for the best sharpness again."""
        self._worker.put(self._forget_best)

    def close(self) -> None:
        """Closes the camera and ends, in a moment; what was asked before is done first."""
        self._hold.give_up()
        self._worker.close()

    def wait(self, timeout_s: float) -> bool:
        """Whether the thread has ended and the camera is closed, within the time."""
        return self._worker.wait(timeout_s)

    # --- what runs in the thread ----------------------------------------------------------------------------------

    def _open(self, choice: CameraChoice) -> None:
        if self._hold.camera is not None:
            return
        self._holder.change(phase=Phase.OPENING, note="", is_alarm=False)
        with self._holder.doing("Opening the camera …"):
            try:
                blocks = self._hold.take(lambda: CameraBlocks(config_of(choice.producer, choice.serial, choice.preset)))
                if blocks is None:  # it was released meanwhile
                    self._shut(Phase.CLOSED)
                    return
                self._flat_field.use(setup_of(blocks))
            except Exception:  # the worker tells it
                self._shut(Phase.FAILED)
                raise
            self._reading = FocusReading(blocks, self._flat_field, self._holder)
            self._worker.idle_s = 0.0
            self._holder.change(phase=Phase.OPEN, camera=blocks.name)
            self._holder.fail(" ".join(describe_results(blocks.results)))  # what was not set as its preset says

    def _release(self) -> None:
        with self._holder.doing("Closing the camera …"):
            stopped = self._flat_field.cancel()
            self._shut(Phase.CLOSED)
            self._holder.say(stopped)

    def _shut(self, phase: Phase) -> None:
        self._worker.idle_s = None
        self._reading = None
        self._flat_field.cancel()
        try:
            self._hold.let_go()
        finally:
            self._holder.change(phase=phase, camera="", light=None, evenness=None)

    def _begin(self, reference: Reference, lines: int) -> None:
        if self._hold.camera is None:
            raise SourceError("camera-not-open-yet", "Open the camera first.")
        self._holder.say(self._flat_field.begin(reference, lines, setup_of(self._hold.camera)))

    def _read(self) -> None:
        """One step of reading, again and again while there is nothing else to do."""
        if self._reading is None:
            return
        try:
            self._reading.step()
        except Exception:  # nothing more can be read; the worker tells why
            self._shut(Phase.FAILED)
            raise

    def _forget_best(self) -> None:
        if self._reading is not None:
            self._reading.forget_best()

    def _with_flat_field(self, state: FocusState) -> FocusState:
        """After every change, because the recording goes on between two changes as well."""
        return replace(state, flat_field=self._flat_field.state)
