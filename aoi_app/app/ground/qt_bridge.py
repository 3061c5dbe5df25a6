"""The one crossing between the running line and the window: a timer at display rate that takes what is new.

No thread of the line ever calls Qt; a signal per frame would queue up without bound when the window is slow.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from aoi_app.live.session import Session
from aoi_app.live.state import News, Snapshot

TICK_MS = 33


class QtBridge(QObject):
    """Announces news of a session in the thread of the window.

    Signals:
        ticked: at display rate, whether or not anything is new.
        snapshot_taken: Snapshot, several times a second.
        news_came: News with something in it.
        session_ended: Session, once, when it is over.
    """

    ticked = Signal()
    snapshot_taken = Signal(Snapshot)
    news_came = Signal(News)
    session_ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._ticks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def watch(self, session: Session | None) -> None:
        """Watches another session from now on."""
        self._session = session

    def stop(self) -> None:
        """No more ticks."""
        self._timer.stop()

    def _tick(self) -> None:
        session = self._session
        if session is not None:
            over = session.state.is_over and session.wait(0)
            news = session.news()
            is_new = any((news.bands, news.defects, news.gaps, news.remarks, news.withdrawn))
            if is_new:
                self.news_came.emit(news)
            self._ticks += 1
            # With the news, so that the counter of defects is never behind the table.
            if is_new or over or self._ticks % 4 == 0:
                self.snapshot_taken.emit(session.snapshot())
            if over:
                self._session = None
                self.session_ended.emit(session)
        self.ticked.emit()
