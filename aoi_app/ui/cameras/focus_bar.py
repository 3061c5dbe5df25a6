"""What the camera is doing while light and focus are set, with the button that opens and closes it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from aoi_app.camera_setup.focus_state import FocusState, Phase
from aoi_app.camera_setup.wording import focus_text
from aoi_app.ui.widgets.banner import Banner


class FocusBar(QWidget):
    """
    Signals:
        open_asked, close_asked: the camera is to be opened, or closed.
    """

    open_asked = Signal()
    close_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text = Banner("Camera of light and focus")
        self._open = QPushButton("&Open the camera")
        self._open.setObjectName("main")
        self._open.setToolTip("Open the camera of this line, to set its light and focus (Ctrl+F)")
        self._close = QPushButton("Clos&e the camera")
        self._close.setToolTip("Close the camera; this also happens when you leave light and focus")
        self._open.clicked.connect(self.open_asked)
        self._close.clicked.connect(self.close_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text, 1)
        row.addWidget(self._open)
        row.addWidget(self._close)

    def show_state(self, state: FocusState, obstacle: str, serial: str) -> None:
        """Draws it.

        Args:
            state: of light and focus.
            obstacle: why the camera cannot be opened now; empty where it can.
            serial: of the camera that would be opened; empty for the first that is found.
        """
        self._text.say(focus_text(state, obstacle, serial), alarm=state.is_alarm and not state.busy)
        is_closed = state.phase in (Phase.CLOSED, Phase.FAILED)
        self._open.setVisible(is_closed)
        self._open.setEnabled(is_closed and not state.busy and not obstacle)
        self._close.setVisible(not is_closed)
