"""What the window answers when the person asks for a camera: find one, set one up, run the line with it."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt

from aoi_app.app.program import Program
from aoi_app.camera_setup.focus_service import FocusService
from aoi_app.camera_setup.focus_state import reads_a_camera
from aoi_app.camera_setup.service import CameraService
from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.device import SYNTHETIC
from aoi_app.sources.factory import SourceChoice
from aoi_app.sources.line_camera import LineCamera
from aoi_app.ui.camera.camera_dialog import CameraDialog
from aoi_app.ui.camera.setup_dialog import SetupDialog
from aoi_app.ui.widgets.theme import THEMES


class CameraController:
    """Holds the dialogs about cameras, and who holds the camera meanwhile.

    Attributes:
        desk: asks cameras for the camera dialog; None before that was opened.
        aid: holds the camera that is being set up; None before there was one.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.desk: CameraService | None = None
        self.aid: FocusService | None = None
        self._dialog: CameraDialog | None = None

    @property
    def sets_up(self) -> bool:
        """A camera is being set up, or still being closed after that."""
        return self.aid is not None and not self.aid.wait(0)

    def release(self) -> bool:
        """Whether a dialog still holds the camera that the line wants; it gives it back soon."""
        if self.desk is not None and self.desk.holds_camera:
            self.desk.release()
            return True
        return reads_a_camera(self._program.roll.choice.spec) and self.sets_up

    def close(self) -> None:
        """Gives everything back; the program ends."""
        self._close_desk()
        if self.aid is not None:
            self.aid.close()

    def wait(self, timeout_s: float) -> None:
        """Gives the camera that was being set up time to be closed."""
        if self.aid is not None:
            self.aid.wait(timeout_s)

    def of_the_line(self) -> CameraBlocks | None:
        """The camera that the latest roll reads."""
        source = self._program.roll.source
        return source.blocks if isinstance(source, LineCamera) else None

    def open(self) -> None:
        """Shows the cameras; the line goes on."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        desk = self.desk = CameraService(self._kept(), self.of_the_line)
        dialog = self._dialog = CameraDialog(desk, self._program.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._keep)
        dialog.start_asked.connect(self._start)
        dialog.finished.connect(self._close_desk)
        dialog.show()

    def set_up(self) -> None:
        """Opens the camera of this line on its own, to set its light and focus and record its flat field."""
        program = self._program
        note = program.notifier.note
        if self.sets_up:
            note("The camera is still being closed; try again in a moment.")
            return
        if program.roll.is_running and reads_a_camera(program.roll.choice.spec):
            note("A roll runs on the camera. Stop it first, then set up light and focus.")
            return
        if self._dialog is not None:
            note("The camera dialog holds the camera. Close it first, then set up light and focus.")
            return
        self.aid = aid = FocusService(self._kept(), flat_fields_folder())
        dialog = SetupDialog(THEMES[program.settings.now.theme], program.window)
        page = dialog.flat_field_page
        dialog.ticked.connect(lambda: dialog.show_snapshot(aid.snapshot()))
        dialog.light_page.forget_asked.connect(aid.forget_best)
        page.record_asked.connect(aid.record)
        page.cancel_asked.connect(aid.cancel)
        page.save_asked.connect(aid.save)
        page.discard_asked.connect(aid.discard)
        page.remove_asked.connect(aid.remove)
        dialog.finished.connect(lambda _: aid.close())
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _kept(self) -> CameraChoice:
        choice = self._program.roll.choice
        return choice.camera if choice.is_camera else self._program.settings.now.camera

    def _keep(self, producer: str, serial: str, preset: str) -> None:
        kept = self._kept()
        is_same = (producer, serial) == (kept.producer, kept.serial)
        chosen = CameraChoice(
            producer=producer, serial=serial, preset=preset, mm_per_count=kept.mm_per_count if is_same else None
        )
        self._program.settings.change(camera=chosen)
        self._program.settings.save()

    def _start(self) -> None:
        camera = self._program.settings.now.camera
        spec = f"{SYNTHETIC if camera.producer == SYNTHETIC else 'genicam'}:{camera.serial}"
        before = self._program.roll.choice
        base = dataclasses.replace(before, lines=None) if before.is_camera else SourceChoice()
        self._program.roll.use_source(dataclasses.replace(base, spec=spec, camera=camera))

    def _close_desk(self) -> None:
        if self.desk is not None:
            self.desk.close()  # it is asked until it is gone whether it still holds a camera
        self._dialog = None
