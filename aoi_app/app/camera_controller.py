"""What the window answers when the person asks for a camera: find one, set one up, run the line with it."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from PySide6.QtCore import Qt

from aoi_app.camera_setup.focus_service import FocusService
from aoi_app.camera_setup.focus_state import reads_a_camera
from aoi_app.camera_setup.service import CameraService
from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.settings import CameraChoice, Settings, save_settings
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.device import SYNTHETIC
from aoi_app.sources.factory import SourceChoice
from aoi_app.sources.line_camera import LineCamera
from aoi_app.sources.source import FrameSource
from aoi_app.ui.camera.camera_dialog import CameraDialog
from aoi_app.ui.camera.setup_dialog import SetupDialog
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.widgets.theme import THEMES


class Line(Protocol):
    """What the answers need of the program."""

    window: MainWindow
    settings: Settings

    @property
    def choice(self) -> SourceChoice:
        """The source of the next roll."""

    @property
    def source(self) -> FrameSource | None:
        """The source of the latest roll."""

    @property
    def is_running(self) -> bool:
        """A roll runs."""

    def use_source(self, choice: SourceChoice) -> None:
        """Begins a roll with another source."""

    def note(self, text: str) -> None:
        """Says something for a few seconds."""


class CameraController:
    """Holds the dialogs about cameras, and who holds the camera meanwhile.

    Attributes:
        desk: asks cameras for the camera dialog; None before that was opened.
        aid: holds the camera that is being set up; None before there was one.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.desk: CameraService | None = None
        self.aid: FocusService | None = None
        self._dialog: CameraDialog | None = None

    @property
    def sets_up(self) -> bool:
        """A camera is being set up, or still being closed after that."""
        return self.aid is not None and not self.aid.wait(0)

    def release(self) -> bool:
        """Whether a dialog still held the camera that the line wants; it gives it back soon."""
        if self._line.choice.is_camera and self.desk is not None and self.desk.holds_camera:
            self.desk.release()
            return True
        return False

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
        source = self._line.source
        return source.blocks if isinstance(source, LineCamera) else None

    def open(self) -> None:
        """Shows the cameras; the line goes on."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        desk = self.desk = CameraService(self._kept(), self.of_the_line)
        dialog = self._dialog = CameraDialog(desk, self._line.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._keep)
        dialog.start_asked.connect(self._start)
        dialog.finished.connect(self._close_desk)
        dialog.show()

    def set_up(self) -> None:
        """Opens the camera of this line on its own, to set its light and focus and record its flat field."""
        line = self._line
        if self.sets_up:
            line.note("The camera is still being closed; try again in a moment.")
            return
        if line.is_running and reads_a_camera(line.choice.spec):
            line.note("A roll runs on the camera. Stop it first, then set up light and focus.")
            return
        if self._dialog is not None:
            line.note("The camera dialog holds the camera. Close it first, then set up light and focus.")
            return
        self.aid = aid = FocusService(self._kept(), flat_fields_folder())
        dialog = SetupDialog(THEMES[line.settings.theme], line.window)
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
        choice = self._line.choice
        return choice.camera if choice.is_camera else self._line.settings.camera

    def _keep(self, producer: str, serial: str, preset: str) -> None:
        kept = self._kept()
        is_same = (producer, serial) == (kept.producer, kept.serial)
        chosen = CameraChoice(
            producer=producer, serial=serial, preset=preset, mm_per_count=kept.mm_per_count if is_same else None
        )
        self._line.settings = self._line.settings.model_copy(update={"camera": chosen})
        save_settings(self._line.settings)

    def _start(self) -> None:
        camera = self._line.settings.camera
        spec = f"{SYNTHETIC if camera.producer == SYNTHETIC else 'genicam'}:{camera.serial}"
        before = self._line.choice
        base = dataclasses.replace(before, lines=None) if before.is_camera else SourceChoice()
        self._line.use_source(dataclasses.replace(base, spec=spec, camera=camera))

    def _close_desk(self) -> None:
        if self.desk is not None:
            self.desk.close()  # it is asked until it is gone whether it still holds a camera
        self._dialog = None
