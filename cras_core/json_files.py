"""Reading JSON that somebody else may have written: through a strict model, within bounds, with one kind of error.

Whatever a file holds, what comes out is a checked value or a ``JsonFileError`` that names the file and the field and
repeats at most 100 characters of it; never a RecursionError, OverflowError, TypeError or MemoryError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from cras_core.errors import JsonFileError
from cras_core.messages import Message, first_of
from cras_core.validated import problems_of

LARGEST_BYTES = 64 << 20
"""Of a file that nobody gave another bound for; the card of a data set of 100,000 pictures has half of it."""

_MOST_PROBLEMS = 3
_MOST_CHARACTERS = 300  # of all problems that are told, but for one alone: each repeats a part of what the file says

T = TypeVar("T")


def read_json(path: Path, model: type[T], largest_bytes: int = LARGEST_BYTES) -> T:
    """The value that a file holds.

    Args:
        path: the file.
        model: what it must hold: a class made by ``validated``, or a plain type such as ``list[str]``.
        largest_bytes: a larger file is not read.

    Raises:
        JsonFileError: it is missing, cannot be read, or holds something else.
    """
    return parse_json(read_bytes(path, largest_bytes), model, path)


def parse_json(data: bytes | str, model: type[T], where: Path | str) -> T:
    """The value that a text holds; arguments as for ``read_json``, ``where`` names the text in messages.

    Raises:
        JsonFileError: it holds something else.
    """
    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data.removeprefix(b"\xef\xbb\xbf")
    try:
        from_json(text, allow_inf_nan=False)  # bounds the nesting, and refuses NaN also where a model takes anything
        value: T = _adapter(cast("Hashable", model)).validate_json(text)
        return value
    except ValidationError as error:
        problems = _few(problems_of(error))
        raise JsonFileError(
            "json-content-wrong", "{where}: {problems:; }", where=where, problems=problems, fault="content"
        ) from error
    except ValueError as error:
        raise JsonFileError(
            "no-json", "{where} is not JSON ({reason})", where=where, reason=error, fault="content"
        ) from error


def read_bytes(path: Path, largest_bytes: int) -> bytes:
    """All of a file, read once and in one piece.

    Raises:
        JsonFileError: it is missing, no file, larger than the bound, or cannot be read.
    """
    data = None
    try:
        if stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting, a device would never end
            with path.open("rb") as file:
                # Of the file that is open: another one may have been put in its place meanwhile.
                size = os.fstat(file.fileno()).st_size
                data = file.read(min(size, largest_bytes) + 1)
    except FileNotFoundError as error:
        raise JsonFileError("file-missing", "{path}: there is no such file", path=path, fault="missing") from error
    except OSError as error:
        raise JsonFileError(
            "file-unreadable", "{path} cannot be read: {reason}", path=path, reason=error, fault="unreadable"
        ) from error
    except ValueError as error:  # a name that no system takes
        raise JsonFileError(
            "file-unreadable", "{path} cannot be read: {reason}", path=path, reason=error, fault="missing"
        ) from error
    if data is None:
        raise JsonFileError(
            "not-a-regular-file", "{path} cannot be read: it is not a regular file", path=path, fault="unreadable"
        )
    if len(data) > largest_bytes:
        raise JsonFileError(
            "file-too-large",
            "{path} is larger than {most_mib} MiB, so it is not read",
            path=path,
            most_mib=largest_bytes >> 20,
            fault="content",
        )
    return data


def _few(problems: list[Message]) -> list[object]:
    """The first problems, as many as are read with patience, and how many more there are."""
    told, characters = 0, 0
    for problem in problems[:_MOST_PROBLEMS]:
        characters += len(str(problem))
        if told and characters > _MOST_CHARACTERS:
            break
        told += 1
    return first_of(problems, told)


@lru_cache(maxsize=64)
def _adapter(model: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", model))
