"""What is seen while the program is being loaded."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QCoreApplication, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QSplashScreen

from aoi_app.ui.widgets.platform import prepare_qt
from aoi_app.ui.widgets.theme import THEMES
from cras_core.version import __version__

_WIDTH_PX, _HEIGHT_PX = 480, 200
_SHOWN_WITHIN_S = 0.3


class Splash(QSplashScreen):
    """Name and version of the program, and what is being done."""

    def __init__(self, qt: QApplication) -> None:
        super().__init__(_picture(qt.devicePixelRatio()))
        self.setAccessibleName("Cloth inspection starts")

    def say(self, what: str) -> None:
        """What is being done now; shown at once."""
        align = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
        self.showMessage(f"{what}\n", align, QColor(THEMES["dark"].faint))
        QCoreApplication.processEvents()


def _picture(ratio: float) -> QPixmap:
    theme = THEMES["dark"]
    picture = QPixmap(round(_WIDTH_PX * ratio), round(_HEIGHT_PX * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(theme.window))
    painter = QPainter(picture)
    painter.fillRect(QRect(0, 0, 6, _HEIGHT_PX), QColor(theme.accent))
    font = painter.font()
    font.setPointSize(22)
    painter.setFont(font)
    painter.setPen(QColor(theme.text))
    painter.drawText(QRect(0, 50, _WIDTH_PX, 50), Qt.AlignmentFlag.AlignCenter, "Cloth inspection")
    font.setPointSize(10)
    painter.setFont(font)
    painter.setPen(QColor(theme.faint))
    painter.drawText(QRect(0, 100, _WIDTH_PX, 24), Qt.AlignmentFlag.AlignCenter, f"version {__version__}")
    painter.end()
    return picture


def running_qt() -> QApplication:
    """The application of Qt, which is begun where there is none yet."""
    running = QApplication.instance()
    qt = running if isinstance(running, QApplication) else QApplication([sys.argv[0]])
    qt.setApplicationName("Cloth inspection")
    return qt


def show_splash() -> Splash | None:
    """Begins Qt and shows something. None where no window can be opened; who needs one says why."""
    if prepare_qt() is not None:
        return None
    splash = Splash(running_qt())
    splash.show()
    splash.say("Loading the program …")
    until_s = time.monotonic() + _SHOWN_WITHIN_S
    while not _is_exposed(splash) and time.monotonic() < until_s:  # what follows leaves Qt no time to draw
        QCoreApplication.processEvents()
        time.sleep(0.005)
    QCoreApplication.processEvents()
    return splash


def _is_exposed(splash: Splash) -> bool:
    window = splash.windowHandle()
    return window is not None and window.isExposed()
