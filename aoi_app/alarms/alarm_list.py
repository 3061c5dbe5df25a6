"""The alarms that are open: raised by causes, ended by a person who has seen them and a cause that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from aoi_app.alarms.alarm import Alarm, AlarmLife
from aoi_app.alarms.causes import Cause

GONE_AFTER_S = 5.0
"""A cause that comes back within this time was never gone: what flutters is one alarm (ISA-18.2, off-delay)."""


@dataclass(slots=True)
class _Entry:
    alarm: Alarm
    last_seen_s: float  # time.monotonic of the last look at which the cause was there


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A cause of which nobody wants to hear for a time, in whatever alarm it comes."""

    until_s: float  # time.monotonic; the time of day may be set back meanwhile
    until: datetime
    who: str
    why: str


class AlarmList:
    """May be used from any thread. Outlives a roll: what nobody has seen of it stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._numbers: dict[int, int] = {}  # latest of a roll
        self._shelves: dict[str, _Shelf] = {}  # by cause
        self._changed: dict[tuple[int, int], Alarm] = {}  # not in the records yet

    @property
    def open(self) -> tuple[Alarm, ...]:
        """The alarms that are not closed, oldest first."""
        with self._lock:
            return tuple(entry.alarm for entry in self._entries)

    @property
    def must_sound(self) -> bool:
        """There is one that nobody has seen."""
        return any(alarm.must_be_seen for alarm in self.open)

    def look(self, roll_id: int, causes: Iterable[Cause], position_m: float, now_s: float | None = None) -> None:
        """Takes what is wrong now.

        Args:
            roll_id: of the roll that runs; the causes of another one are gone.
            causes: that are there at this moment.
            position_m: where the roll is.
            now_s: time.monotonic.
        """
        now_s = time.monotonic() if now_s is None else now_s
        present = {cause.key: cause for cause in causes if cause.is_alarm}
        with self._lock:
            self._shelves = {key: shelf for key, shelf in self._shelves.items() if now_s < shelf.until_s}
            for entry in self._entries:
                cause = present.pop(entry.alarm.cause, None) if entry.alarm.roll_id == roll_id else None
                self._follow(entry, cause, now_s, is_over=entry.alarm.roll_id != roll_id)
            for cause in present.values():
                self._raise(roll_id, cause, position_m, now_s)
            self._drop_closed()

    def go_on(self, roll_id: int, last_number: int) -> None:
        """A roll goes on that an earlier program has raised alarms in: their numbers are taken."""
        with self._lock:
            self._numbers[roll_id] = max(self._numbers.get(roll_id, 0), last_number)

    def end_roll(self) -> None:
        """The causes of the roll are gone with it; what nobody has seen stays."""
        with self._lock:
            for entry in self._entries:
                self._follow(entry, None, time.monotonic(), is_over=True)
            self._drop_closed()

    def acknowledge(self, who: str) -> bool:
        """Somebody has seen all of them; returns whether there were any."""
        with self._lock:
            unseen = [entry for entry in self._entries if entry.alarm.must_be_seen]
            for entry in unseen:
                self._change(entry, acknowledged_at=_now(), acknowledged_by=who)
            self._drop_closed()
        return bool(unseen)

    def shelve(self, cause: str, minutes: float, why: str, who: str) -> bool:
        """Nobody wants to hear of a cause for a time; it is listed meanwhile, and comes back by itself.

        Args:
            cause: ``Alarm.cause``.
            minutes: for how long.
            why: kept in the records.
            who: has decided it.

        Returns:
            Whether it was open.
        """
        until = _now() + timedelta(minutes=minutes)
        with self._lock:
            found = [entry for entry in self._entries if entry.alarm.cause == cause]
            if found:
                self._shelves[cause] = _Shelf(time.monotonic() + 60 * minutes, until, who, why)
            for entry in found:
                self._change(entry, shelved_until=until, shelved_by=who, shelved_why=why)
        return bool(found)

    def take_changed(self) -> tuple[Alarm, ...]:
        """Alarms that have come, or moved on in their life, since the last call."""
        with self._lock:
            changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def _follow(self, entry: _Entry, cause: Cause | None, now_s: float, *, is_over: bool) -> None:
        alarm = entry.alarm
        if alarm.shelved_until is not None and alarm.cause not in self._shelves:
            # It counts as new: nobody has seen how it is now.
            self._change(entry, shelved_until=None, acknowledged_at=None, acknowledged_by="")
            alarm = entry.alarm
        if cause is not None:
            entry.last_seen_s = now_s
            if alarm.gone_at is not None:
                self._change(entry, text=cause.text, gone_at=None, times=alarm.times + 1)
            elif alarm.text != cause.text:
                entry.alarm = replace(alarm, text=cause.text)  # lengths in it grow; written with the next change
        elif alarm.gone_at is None and (is_over or now_s - entry.last_seen_s >= GONE_AFTER_S):
            self._change(entry, gone_at=_now())

    def _raise(self, roll_id: int, cause: Cause, position_m: float, now_s: float) -> None:
        number = self._numbers[roll_id] = self._numbers.get(roll_id, 0) + 1
        alarm = Alarm(roll_id, number, cause.key, cause.severity.word, cause.text, position_m, _now())
        shelf = self._shelves.get(cause.key)
        if shelf is not None:
            alarm = replace(alarm, shelved_until=shelf.until, shelved_by=shelf.who, shelved_why=shelf.why)
        self._entries.append(_Entry(alarm, now_s))
        self._changed[roll_id, number] = alarm

    def _change(self, entry: _Entry, **values: object) -> None:
        entry.alarm = replace(entry.alarm, **values)  # type: ignore[arg-type]  # the names are those of Alarm
        self._changed[entry.alarm.roll_id, entry.alarm.number] = entry.alarm

    def _drop_closed(self) -> None:
        self._entries = [entry for entry in self._entries if entry.alarm.life is not AlarmLife.CLOSED]


def _now() -> datetime:
    return datetime.now(timezone.utc)
