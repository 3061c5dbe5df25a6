"""Whether the file of a database is still the one that was opened: somebody may move it, remove it or put another in
its place while a roll is written, and SQLite would go on writing into a file that has no name any more.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from sqlalchemy import URL, Engine


class DatabaseFile:
    """The file behind an engine; a database on a server has none, and is always the same."""

    def __init__(self, engine: Engine) -> None:
        """Called once the database is there."""
        self._path = _path_of(engine.url)
        self._opened = self._identity()

    @property
    def is_replaced(self) -> bool:
        """Whether its name leads to another file now, or to none. A folder that cannot be asked says nothing."""
        try:
            return self._opened is not None and self._identity() != self._opened
        except OSError:
            return False

    def _identity(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def _path_of(url: URL) -> Path | None:
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in ("", ":memory:"):
        return None
    if name.startswith("file:"):  # see ``database.file_url``
        return Path(os.fsdecode(unquote_to_bytes(name.removeprefix("file:"))))
    return Path(name)
