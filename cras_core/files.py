"""Writing files and folders so that a power cut leaves the old one or the new one, never half of it."""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from cras_core.errors import CrasError

LONGEST_NAME_BYTES = 255
"""Of one part of a path, on every system."""


def is_inside(name: str) -> bool:
    """Whether a name that somebody else wrote can be that of a file below a folder of ours: it does not climb out, and
    a system takes it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    climbs = path.is_absolute() or ".." in parts or PureWindowsPath(name).drive != ""
    return bool(parts) and not climbs and all(_is_name(part) for part in parts)


def _is_name(part: str) -> bool:
    return "\0" not in part and len(os.fsencode(part.encode("utf-8", "replace"))) <= LONGEST_NAME_BYTES


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
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data)  # a device or a pipe, such as /dev/stdout, must not be replaced by a file
        return
    with written_whole(path, durable=durable) as file:
        file.write(data)


@contextmanager
def written_whole(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, in a folder that is there; it takes the place of ``path`` when the block ends well, and is
    removed when it does not. See ``write_atomically``.
    """
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:  # made as any new file is, so that the system's mask of permissions holds
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except BaseException:  # also Ctrl-C
        temporary.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    """A name in the same folder, so that a rename is all that is left to do, and that nobody else has."""
    return path.with_name(f".{path.name[:60]}.{secrets.token_hex(6)}")


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
    temporary = _beside(path)
    try:
        temporary.mkdir()
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


def write_json(path: Path, value: Any) -> None:
    """Writes plain values as JSON, with null where a number is none. Raises CrasError."""
    try:
        write_atomically(path, (json.dumps(without_nan(value), indent=2, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise CrasError("file-unwritable", "{path} cannot be written: {reason}", path=path, reason=error) from error


def without_nan(value: Any) -> Any:
    """Plain values with None where a number is none."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
