"""Names of files as text that can be shown and written anywhere."""

from __future__ import annotations

import os
from pathlib import Path


def printable(path: Path | str) -> str:
    r"""A path as text. On Linux a name may be any bytes; those that are no UTF-8 become ``\xff``, because neither a
    database nor a file of text would take them.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
