"""What the program says to the person below the page: for a few seconds, or longer where it must not be missed."""

from __future__ import annotations

import time

from aoi_app.ui.main.main_window import MainWindow

_NOTE_S = 8.0


class Notifier:
    """One line at a time. What is kept stays beside whatever else is said."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._until_s = 0.0
        self._kept = ""
        self._kept_until_s = 0.0

    def note(self, text: str) -> None:
        """Says something for a few seconds."""
        self.say(text, is_alarm=False)

    def warn(self, text: str) -> None:
        """Says for a few seconds that something did not go as wanted."""
        self.say(text, is_alarm=True)

    def keep(self, text: str) -> None:
        """Says something that stays for a while beside whatever else there is to say."""
        self._kept, self._kept_until_s = text, time.monotonic() + 2 * _NOTE_S
        self.note("")

    def say(self, text: str, *, is_alarm: bool) -> None:
        """Says something for a few seconds, as an alarm or not."""
        now_s = time.monotonic()
        kept = self._kept if now_s < self._kept_until_s else ""
        self._until_s = now_s + _NOTE_S
        self._window.say(" ".join(filter(None, [kept, text])), is_alarm=is_alarm)

    def tick(self) -> None:
        """What was said leaves after its time. What is wrong with the line for longer is an alarm."""
        if time.monotonic() > self._until_s:
            self._window.say("", is_alarm=False)
