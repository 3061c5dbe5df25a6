"""A binding that drops references of None ends the process after a while; before Python 3.12 one can see it coming."""

import gc
import sys

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from aoi_app.app.ground.qt_bridge import QtBridge
from aoi_app.live.state import News, Snapshot


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal")
def test_signals_do_not_use_up_none(qtbot: QtBot) -> None:
    bridge, seen = QtBridge(), []
    bridge.ticked.connect(lambda: seen.append(1))
    bridge.snapshot_taken.connect(lambda s: seen.append(s.state))
    bridge.news_came.connect(lambda n: seen.append(len(n.bands)))
    bridge.stop()
    news, snapshot = News((), (), (), (), ()), Snapshot()

    def run(times: int) -> int:
        for _ in range(times):
            bridge.ticked.emit()
            bridge.snapshot_taken.emit(snapshot)
            bridge.news_came.emit(news)
        seen.clear()
        gc.collect()
        return sys.getrefcount(None)

    before = run(200)  # whatever is made once is made now
    after = run(4000)
    assert before - after < 1000, "a leak would cost at least one for each of 12 000 calls"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal")
def test_the_timer_does_not_use_up_none(qtbot: QtBot) -> None:
    bridge, ticks = QtBridge(), []
    timer = bridge.findChild(QTimer)
    assert timer is not None
    timer.setInterval(0)
    bridge.ticked.connect(lambda: ticks.append(None))

    def run(times: int) -> int:
        ticks.clear()
        qtbot.waitUntil(lambda: len(ticks) >= times, timeout=120_000)
        ticks.clear()
        gc.collect()
        return sys.getrefcount(None)

    before = run(200)
    after = run(4000)
    bridge.stop()
    assert before - after < 1000
