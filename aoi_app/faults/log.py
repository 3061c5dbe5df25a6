"""The log: what the window cannot show, in a file that does not grow without end."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MOST_BYTES, _OLDER_FILES = 2_000_000, 3
_TALKATIVE = ("alembic",)  # what these say at every start would push out what a report is read for
_READ_BYTES = 200_000  # from the end of the file, for its last lines


def log_to_file(path: Path) -> None:
    """From now on everything that is logged goes to a file; when that cannot be written, to the terminal."""
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=_OLDER_FILES, encoding="utf-8")
    except OSError as error:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        logging.getLogger(__name__).warning("the log %s cannot be written: %s", path, error)
    else:
        logging.basicConfig(level=logging.INFO, handlers=[handler], format=_FORMAT)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log, the latest last; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()[-count:]
    except OSError:  # a report without them is better than none
        return []
