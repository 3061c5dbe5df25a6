"""Writing files and folders so that a power cut leaves the old one or the new one, never half of it."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cras_core.errors import CrasError


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Writes a file and its missing folders; the file is whole or untouched, whatever happens in between.

    Args:
        path: the file.
        data: all of it.
        durable: wait until it is on the disk, so that it survives a power cut; too slow for thousands of files.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except BaseException:  # also Ctrl-C
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_made_whole(path: Path) -> Iterator[Path]:
    """A new folder beside ``path`` to be filled; it takes the place of ``path`` when the block ends well, in one
    rename, and is removed when it does not.

    Args:
        path: not there yet, or an empty folder.

    Raises:
        OSError: it cannot be made, or ``path`` is there and not empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        temporary.chmod(0o755)
        yield temporary
        if path.is_dir():
            path.rmdir()  # where it is not empty, this says so
        temporary.rename(path)
    except BaseException:  # also Ctrl-C
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Makes a renaming survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, figures: Any) -> None:
    """Writes figures as JSON, with null where there is none. Raises CrasError."""
    try:
        write_atomically(path, (json.dumps(_without_nan(figures), indent=2) + "\n").encode())
    except OSError as error:
        raise CrasError(f"{path} cannot be written: {error.strerror or error}") from error


def _without_nan(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {key: _without_nan(value) for key, value in figures.items()}
    if isinstance(figures, (list, tuple)):
        return [_without_nan(value) for value in figures]
    return None if isinstance(figures, float) and math.isnan(figures) else figures
