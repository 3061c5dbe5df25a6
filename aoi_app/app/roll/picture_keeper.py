"""Removes old pictures of rolls now and then, in a thread of its own: while the disk fills, not when it is full."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal
from sqlalchemy import Engine

from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.background.worker import SerialWorker
from aoi_app.records.upkeep.retention import keep_pictures
from aoi_app.settings.folders import tiles_folder

_EVERY_MS = 5 * 60_000


class PictureKeeper(QObject):
    """At the end of every roll, and every few minutes; the pictures of the roll that runs stay."""

    _failed = Signal(str)  # from the thread

    def __init__(self, engine: Engine, settings: SettingsHolder, notifier: Notifier, roll: RollController) -> None:
        super().__init__()
        self._engine, self._settings, self._roll = engine, settings, roll
        self._failed.connect(notifier.warn)
        self._worker = SerialWorker("pictures", self._failed.emit)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        roll.ended.connect(lambda _: self._look())

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being removed, or ever will be."""
        return self._worker.is_idle or not self._worker.is_alive

    def close(self) -> None:
        """The program ends."""
        self._timer.stop()
        self._worker.close()

    def _look(self) -> None:
        if not self._worker.is_idle:
            return
        rules = self._settings.now.pictures
        running = self._roll.roll_id if self._roll.is_running else 0
        self._worker.put(lambda: keep_pictures(self._engine, tiles_folder(), rules, now_s=time.time(), running=running))
