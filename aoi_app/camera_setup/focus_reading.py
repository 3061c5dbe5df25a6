"""Reads an open camera while its light and focus are set: measures its lines, and records them where that is wanted."""

from __future__ import annotations

import time

from aoi_app.background.state_holder import StateHolder
from aoi_app.camera_setup.camera_flat_field import CameraFlatField
from aoi_app.camera_setup.focus_meter import FocusMeter
from aoi_app.camera_setup.focus_state import FocusState
from aoi_app.camera_setup.line_reader import LineReader, Silence
from aoi_app.camera_setup.wording import SILENT
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera.device import CameraError
from aoi_app.sources.chosen_camera import setup_of
from aoi_app.sources.flat_field.correction import FlatFieldError

_OUTAGE_NOTE_S = 5.0  # so long it is said that the camera was disconnected


class FocusReading:
    """While a reference is recorded every block counts; otherwise only the newest are measured. Used by one thread."""

    def __init__(self, blocks: CameraBlocks, flat_field: CameraFlatField, holder: StateHolder[FocusState]) -> None:
        """
        Args:
            blocks: the open camera.
            flat_field: of this camera.
            holder: told what there is to show.
        """
        self._blocks, self._flat_field, self._holder = blocks, flat_field, holder
        self._reader = LineReader(blocks)
        self._meter = FocusMeter()
        self._complaint, self._complaint_until_s = "", 0.0

    def step(self) -> None:
        """Takes what comes within a moment. Raises SourceError where the camera cannot be read at all."""
        item = self._reader.read()
        if isinstance(item, Block):
            self._take(item)
        elif isinstance(item, Outage):
            self._was_disconnected(item)
        elif isinstance(item, Silence):
            self._is_silent()
        due = self._meter.take_due(time.monotonic())
        if due is not None:
            self._holder.change(light=self._meter.measure(due), evenness=self._flat_field.compare(due))

    def forget_best(self) -> None:
        """Looks for the best sharpness again."""
        self._meter.forget_best()

    def _take(self, block: Block) -> None:
        self._withdraw_complaint()
        self._meter.add(block)
        try:
            done = self._flat_field.add(block)
        except FlatFieldError as error:
            self._holder.fail(str(error))
        else:
            if done:
                self._holder.say(done)

    def _was_disconnected(self, outage: Outage) -> None:
        if self._flat_field.cancel():
            self._holder.fail(f"The camera was disconnected during the recording ({outage.reason}). Record again.")
        else:
            self._complain(outage.reason, _OUTAGE_NOTE_S)
        try:
            self._flat_field.use(setup_of(self._blocks))  # it may be set differently after it was started again
        except CameraError:  # away again, which the next outage tells
            return

    def _is_silent(self) -> None:
        reference = self._flat_field.state.recording
        why = self._blocks.status.text or SILENT
        if reference:
            self._flat_field.cancel()
            self._holder.fail(f"Too few lines came from the camera; the {reference} reference is not recorded. {why}")
        else:
            self._complain(why, 0.0)

    def _complain(self, text: str, at_least_s: float) -> None:
        """Says what is wrong with the camera, so long and until it delivers lines again."""
        self._complaint, self._complaint_until_s = text, time.monotonic() + at_least_s
        self._holder.fail(text)

    def _withdraw_complaint(self) -> None:
        if self._complaint and time.monotonic() >= self._complaint_until_s:
            if self._holder.state.note == self._complaint:  # nothing else was said since
                self._holder.say("")
            self._complaint = ""
