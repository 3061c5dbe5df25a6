"""The alarms of the line: shown until they are seen, heard, acknowledged, silenced, and recorded also between rolls."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from sqlalchemy import Engine

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.settings.people import user_name
from aoi_app.ui.main.alarms_dialog import AlarmsDialog
from aoi_app.ui.main.main_window import MainWindow

_LOOK_MS = 200
_SOUND_EVERY = 10  # looks


class AlarmsController(QObject):
    """
    Attributes:
        alarms: that are open; every roll raises its own here, and they outlive it.
        log: where they are recorded.
    """

    def __init__(self, window: MainWindow, notifier: Notifier, settings: SettingsHolder, engine: Engine) -> None:
        super().__init__()
        self._window, self._notifier, self._settings = window, notifier, settings
        self.alarms = AlarmList()
        self.log = AlarmLog(engine)
        self._dialog: AlarmsDialog | None = None
        self._looks = 0
        window.alarms.acknowledged.connect(self.acknowledge)
        window.alarms.list_asked.connect(self.show_list)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def acknowledge(self) -> None:
        """The person has seen all alarms that are open."""
        if not self.alarms.acknowledge(user_name()):
            self._notifier.note("There is no alarm that was not seen.")
        self._look()

    def show_list(self) -> None:
        """Shows all alarms that are open."""
        if self._dialog is None:
            dialog = self._dialog = AlarmsDialog(self._window)
            dialog.acknowledged.connect(self.acknowledge)
            dialog.shelved.connect(self._shelve)
            dialog.finished.connect(self._list_closed)
            dialog.show_alarms(self.alarms.open)
            dialog.open()

    def close(self) -> None:
        """The program ends; what is left is recorded."""
        self._timer.stop()
        self.log.write(self.alarms.take_changed())

    def _shelve(self, cause: str, minutes: float, why: str) -> None:
        self.alarms.shelve(cause, minutes, why, user_name())
        self._look()

    def _list_closed(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    def _look(self) -> None:
        now = self.alarms.open
        self._window.alarms.show_alarms(now, self._window.condition.told)
        if self._dialog is not None:
            self._dialog.show_alarms(now)
        self._looks += 1
        if self._looks % _SOUND_EVERY == 0 and self._settings.now.alarm_sound and self.alarms.must_sound:
            QApplication.beep()
        self.log.write(self.alarms.take_changed())
        if self.log.problem is not None:
            self._notifier.warn(self.log.problem)
