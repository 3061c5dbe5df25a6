"""The page of cameras: find one, set it up, run the line with it; and who holds the camera meanwhile."""

from __future__ import annotations

import dataclasses
import threading
import time

from PySide6.QtWidgets import QMessageBox

from aoi_app.app.ground.program_state import ProgramState
from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh
from aoi_app.camera_setup.camera_hold import may_hold_camera, why_not_now
from aoi_app.camera_setup.camera_service import CameraService
from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.focus_service import FocusService
from aoi_app.camera_setup.focus_state import FocusState
from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.kinds import kind_of
from aoi_app.sources.line_camera import LineCamera
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.cameras.cameras_page import FLAT_FIELD, LIGHT, CamerasPage
from aoi_app.ui.widgets.theme import THEMES

KEY = "cameras"


class CamerasController:
    """The line goes first: it is given the camera whenever a roll needs it.

    Attributes:
        page: the page.
        cameras: finds cameras, reads and sets their features.
        focus: looks through the camera of the line while no roll does.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        choice = program.roll.choice
        kept = choice.camera if choice.is_camera else program.settings.now.camera
        turn = threading.Lock()
        self.cameras = CameraService(kept, self.line_camera, turn)
        self.focus = FocusService(flat_fields_folder(), turn)
        self.page = CamerasPage(THEMES[program.settings.now.theme])
        self._kept = self.cameras.state.chosen
        self._obstacle = ""
        self._ends_when_saved = False
        self._connect()
        self.cameras.find()

    def _connect(self) -> None:
        program, page, cameras, focus = self._program, self.page, self.cameras, self.focus
        features, flat_field, bar = page.feature_tab, page.flat_field_tab, page.focus_bar
        features.find_asked.connect(cameras.find)
        features.choose_asked.connect(cameras.choose)
        features.close_asked.connect(cameras.release)
        features.start_asked.connect(self._start)
        features.write_asked.connect(lambda key, text, stops: cameras.write(key, text, stops=stops))
        features.save_asked.connect(cameras.save_preset)
        features.load_asked.connect(cameras.load_preset)
        bar.open_asked.connect(self.open_camera)
        bar.close_asked.connect(self._leave_focus)
        page.focus_left.connect(self._leave_focus)
        page.hidden.connect(self._page_hidden)
        page.light_tab.forget_asked.connect(focus.forget_best)
        flat_field.record_asked.connect(focus.record)
        flat_field.cancel_asked.connect(focus.cancel)
        flat_field.save_asked.connect(focus.save)
        flat_field.discard_asked.connect(focus.discard)
        flat_field.remove_asked.connect(focus.remove)
        Refresh[CameraState](page, cameras.ask, self._show_cameras)
        Refresh[FocusState](page, lambda: focus.state, self._show_focus)
        program.bridge.ticked.connect(self._tick)
        program.roll.holders.append(self.release)
        program.before_end.append(self._may_end)

    # --- who holds the camera -------------------------------------------------------------------------------------

    def line_camera(self) -> CameraBlocks | None:
        """The camera that the latest roll reads; may be asked by any thread."""
        source = self._program.roll.source
        return source.blocks if isinstance(source, LineCamera) else None

    def release(self) -> bool:
        """Whether the page still holds a camera, which the line wants; it gives it back soon."""
        self.cameras.release()
        self.focus.release()
        return self.cameras.holds_camera or self.focus.holds_camera

    @property
    def is_at_rest(self) -> bool:
        """No camera is open, and none is being opened or closed."""
        return not self.cameras.holds_camera and not self.focus.holds_camera

    def close(self) -> None:
        """Gives everything back; the program ends."""
        self.cameras.close()
        self.focus.close()

    def wait(self, timeout_s: float) -> None:
        """Gives cameras time to be closed, after ``close``."""
        end_s = time.monotonic() + timeout_s
        for service in (self.cameras, self.focus):
            service.wait(max(0.0, end_s - time.monotonic()))

    # --- what a person asks for -----------------------------------------------------------------------------------

    def open_light_and_focus(self) -> None:
        """Shows light and focus, and opens the camera if no roll is in the way."""
        self.page.show_tab(LIGHT)
        self.open_camera()

    def open_camera(self) -> None:
        """Opens the chosen camera for light and focus, if no roll is in the way."""
        self._show_obstacle()
        if not self._obstacle:
            self.cameras.release()
            producer, serial, preset = self.cameras.state.chosen
            self.focus.open(CameraChoice(producer=producer, serial=serial, preset=preset))

    def _leave_focus(self) -> None:
        """Nobody looks through the camera any more. What was recorded is kept, which has to be said."""
        self.focus.release()
        if self.focus.state.flat_field.unsaved:
            self._program.notifier.note("The flat field is not saved. It is kept on the page Cameras for now.")

    def _page_hidden(self) -> None:
        window = self._program.window
        if window.isVisible() and not window.isMinimized():  # otherwise the whole window is out of sight for a while
            self._leave_focus()

    def _start(self) -> None:
        self._keep_choice()
        camera = self._program.settings.now.camera
        spec = f"{kind_of(camera.producer).name}:{camera.serial}"
        before = self._program.roll.choice
        base = dataclasses.replace(before, lines=None) if before.is_camera else SourceChoice()
        self._program.roll.use_source(dataclasses.replace(base, spec=spec, camera=camera))

    def _keep_choice(self) -> None:
        """The settings follow what was chosen, also while another page is shown."""
        chosen = self.cameras.state.chosen
        if chosen == self._kept:
            return
        is_same_camera = chosen[:2] == self._kept[:2]
        self._kept = chosen
        producer, serial, preset = chosen
        roll, settings = self._program.roll, self._program.settings
        known = roll.choice.camera if roll.choice.is_camera else settings.now.camera
        mm_per_count = known.mm_per_count if is_same_camera else None
        camera = CameraChoice(producer=producer, serial=serial, preset=preset, mm_per_count=mm_per_count)
        settings.change(camera=camera)
        settings.save()

    # --- its end --------------------------------------------------------------------------------------------------

    def _may_end(self) -> bool:
        """Whether the program may end; asks before a flat field is lost."""
        if not self.focus.state.flat_field.unsaved:
            return True
        answer = self.page.ask_to_save()
        if answer == QMessageBox.StandardButton.Save:
            self.focus.save()
            self._ends_when_saved = True
        return answer == QMessageBox.StandardButton.Discard

    def _end_when_saved(self) -> None:
        if not self.focus.state.flat_field.unsaved:
            self._ends_when_saved = False
            self._program.window.close()
        elif self.focus.is_idle:  # it could not be saved; the page says why
            self._ends_when_saved = False
            self._program.window.page_asked.emit(KEY)
            self.page.show_tab(FLAT_FIELD)

    # --- what is shown --------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._keep_choice()
        self._show_obstacle()
        if self._ends_when_saved:
            self._end_when_saved()

    def _show_obstacle(self) -> None:
        roll = self._program.roll
        obstacle = ""
        if may_hold_camera(roll.choice.spec):
            obstacle = why_not_now(
                is_running=roll.is_running,
                is_about_to_begin=roll.state in (ProgramState.WAITING, ProgramState.CHANGING),
            )
        if obstacle != self._obstacle:
            self._obstacle = obstacle
            self._show_focus(self.focus.state)

    def _show_cameras(self, state: CameraState) -> None:
        self.page.show_cameras(state)
        self._show_focus(self.focus.state)  # it names the chosen camera

    def _show_focus(self, state: FocusState) -> None:
        self.page.show_focus(state, self._obstacle, self.cameras.state.serial)
