"""What must be right before Qt may start: its plugins are found, and there is a screen."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_PACKAGES = (
    "libegl1 libgl1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxkbcommon-x11-0"
)


def prepare_qt() -> str | None:
    """Readies the environment for Qt.

    Returns:
        What keeps the window from opening, with the way out; None when all is well. Qt ends the process when its
        platform plugin cannot be loaded, without anything that could be caught, so that is tried here first.
    """
    given = {name: os.environ.get(name) for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")}
    import cv2  # noqa: F401 (OpenCV's wheel points Qt to plugins of its own, which are for another Qt)

    for name, value in given.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return None
    if not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY"):
            return None
        return "There is no screen here (DISPLAY is not set). Without a window: aoi inspect FOLDER --bundle FILE"
    return _missing_library()


def _missing_library() -> str | None:
    import PySide6

    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if not plugin.exists():
        return None
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        library = str(error).split(":")[0]
        return f"The window needs {library}, which is not installed. On Debian or Ubuntu: sudo apt install {_PACKAGES}"
    return None
