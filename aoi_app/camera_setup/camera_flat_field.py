"""The flat field of the camera that is set up: the stored one, and the one that is being recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aoi_app.camera_setup.focus_curves import EvennessCurves, evenness_curves
from aoi_app.camera_setup.focus_state import FlatFieldState, StoredFlatField
from aoi_app.camera_setup.wording import describe_flat_field, effect_text
from aoi_app.sources.block import Block
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError, flat_field_problems
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field, remove_flat_field, write_flat_field
from aoi_app.sources.flat_field.recording import FlatFieldRecording, Reference

_MOST_LINES = 128  # of a block that are compared; enough for a mean


class CameraFlatField:
    """What was recorded outlives the camera: it is kept until somebody saves or discards it.

    Used by one thread. Commands return a sentence about what came of them; FlatFieldError says what did not.
    """

    def __init__(self, folder: Path) -> None:
        """``folder``: of the flat fields."""
        self._folder = folder
        self._setup = CameraSetup("")
        self._recording = FlatFieldRecording()
        self._stored: FlatField | None = None
        self._stored_state: StoredFlatField | None = None

    @property
    def state(self) -> FlatFieldState:
        """What there is to show."""
        recording = self._recording
        return FlatFieldState(
            recording=recording.reference or "",
            progress=recording.progress,
            has_dark=recording.has_dark,
            unsaved=describe_flat_field(recording.flat) if recording.flat is not None else "",
            stored=self._stored_state,
        )

    def use(self, setup: CameraSetup) -> None:
        """Turns to the camera that is open now.

        Args:
            setup: the camera as it is set now.

        Raises:
            FlatFieldError: the flat field of another camera is not saved yet, which must not be lost.
        """
        unsaved = self._recording.flat
        if unsaved is not None and unsaved.setup.camera != setup.camera:
            raise FlatFieldError(
                "flat-field-not-saved",
                "The flat field of camera {unsaved_camera} is not saved. Save or discard it, then open camera "
                "{camera}.",
                unsaved_camera=unsaved.setup.camera,
                camera=setup.camera,
            )
        if setup.camera != self._setup.camera:  # a dark reference of another camera is of no use
            self._recording = FlatFieldRecording()
        self._setup = setup
        self._load()

    def begin(self, reference: Reference, lines: int, setup: CameraSetup) -> str:
        """Begins to record so many lines of a reference."""
        self._setup = setup
        self._recording.begin(reference, lines, setup)
        return f"Recording the {reference} reference …"

    def add(self, block: Block) -> str:
        """Records the lines of a block; a sentence when they were the last ones.

        Raises:
            FlatFieldError: what came makes no flat field. What was recorded before stays.
        """
        reference = self._recording.reference
        if reference is None or not self._recording.add(block):
            return ""
        flat = self._recording.flat
        effect = f" {effect_text(flat, block)}" if reference == "white" and flat is not None else ""
        return f"The {reference} reference is recorded.{effect}"

    def cancel(self) -> str:
        """Records no further."""
        was_recording = self._recording.reference
        self._recording.cancel()
        return f"The recording of the {was_recording} reference was stopped." if was_recording else ""

    def save(self) -> str:
        """Stores what was recorded."""
        flat = self._recording.flat
        if flat is None:
            return ""
        write_flat_field(flat, flat_field_path(self._folder, flat.setup.camera))
        self._recording = FlatFieldRecording()
        self._load()
        return "The flat field is saved. It is used from the next roll on."

    def discard(self) -> str:
        """Forgets what was recorded."""
        self._recording = FlatFieldRecording()
        return "The recording was discarded."

    def remove(self) -> str:
        """Deletes the stored flat field."""
        is_removed = remove_flat_field(flat_field_path(self._folder, self._setup.camera))
        self._load()
        return "The flat field was removed." if is_removed else "There is no flat field."

    def compare(self, block: Block) -> EvennessCurves | None:
        """What the recorded flat field, else the stored one, does to running lines; None where none fits them."""
        recorded = self._recording.flat
        flat = recorded or self._stored
        if flat is None:
            return None
        if flat.white.shape != block.image.shape[1:]:
            if flat is self._stored:
                self._does_not_fit(flat, width_px=block.image.shape[1])
            return None
        first = replace(block, image=block.image[:_MOST_LINES])
        return evenness_curves(flat, first, is_stored=recorded is None)

    def _load(self) -> None:
        """Reads the stored flat field, and what is wrong with it."""
        self._stored, self._stored_state = None, None
        path = flat_field_path(self._folder, self._setup.camera)
        if path.exists():
            try:
                self._stored = read_flat_field(path)
                found = tuple(flat_field_problems(self._stored, self._setup))
                self._stored_state = StoredFlatField(describe_flat_field(self._stored), found)
            except FlatFieldError as error:
                self._stored_state = StoredFlatField("", (str(error),))

    def _does_not_fit(self, flat: FlatField, width_px: int) -> None:
        text = f"It is for lines of {flat.width_px} px, but the camera delivers {width_px} px. Record it again."
        if self._stored_state is not None and text not in self._stored_state.problems:
            self._stored_state = replace(self._stored_state, problems=(*self._stored_state.problems, text))
