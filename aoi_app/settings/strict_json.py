"""Reading JSON files that people edit, copy and break: typed, bounded, and never with a traceback.

One place for all of them. The shape is a pydantic model with ``STRICT`` as its configuration, which neither converts
nor passes anything by; pydantic's parser bounds the nesting, this module the size.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from cras_core.errors import CrasError
from cras_core.messages import Sentence, printable

STRICT_DATACLASS = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""For a pydantic dataclass, which says itself that it is frozen."""

STRICT: ConfigDict = {**STRICT_DATACLASS, "frozen": True}
"""For what this program writes and reads itself. JSON has no NaN and no infinity, but readers of it do."""

TOLERANT: ConfigDict = {**STRICT, "extra": "ignore"}
"""The same where a later version may have written more."""

MOST_BYTES = 16 << 20
_MOST_SAID = 5
_LONGEST_NAME = 60  # of a field that somebody made up, in a message

T = TypeVar("T")


class ContentError(CrasError):
    """A file does not hold what it should; the text says why, without the name of the file."""


class NotJsonError(ContentError):
    """It is no JSON at all; the text begins with these words."""


def read_json(path: Path, shape: type[T], *, most_bytes: int = MOST_BYTES) -> T:
    """The content of a JSON file.

    Args:
        path: of the file.
        shape: a pydantic model, a dataclass, or a type made of such.
        most_bytes: a larger file is refused before it is parsed.

    Raises:
        OSError: it cannot be read.
        ContentError: it is too large, no JSON, or a value is wrong.
    """
    return parse_json(read_whole(path, most_bytes), shape)


def read_whole(path: Path, most_bytes: int) -> bytes:
    """All of a file, read once and in one piece.

    Raises:
        OSError: it cannot be read.
        ContentError: it is too large, or no file: a pipe would keep the program waiting for ever.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ContentError("content-of-no-file", "it is not a regular file")
        data = file.read(min(status.st_size, most_bytes) + 1)
    if len(data) > most_bytes:
        raise ContentError("content-too-large", "it is larger than {most_bytes:,} bytes", most_bytes=most_bytes)
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file; of a pipe that nobody writes to, the end that reads opens at once as well."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse_json(data: bytes, shape: type[T]) -> T:
    """JSON as a value of a shape.

    Raises:
        ContentError: it is no JSON, or a value is wrong.
    """
    try:
        # Some editors on Windows begin a file with a byte order mark.
        return _adapter(shape).validate_json(data.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        kind = NotJsonError if error.errors()[0]["type"] == "json_invalid" else ContentError
        raise kind("content-wrong", "{problems}", problems=describe_errors(error)) from error


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(shape: type[T]) -> TypeAdapter[T]:
    """Made once for each shape: a recording has one line for each block."""
    if shape not in _ADAPTERS:
        _ADAPTERS[shape] = TypeAdapter(shape)
    return _ADAPTERS[shape]


def describe_errors(error: ValidationError) -> Sentence:
    """One line for a person out of pydantic's report; foreign text in it is cut."""
    errors = error.errors(include_url=False, include_input=False)
    said = [f"{_name_of(e['loc'])}: {e['msg']}" for e in errors[:_MOST_SAID]]
    if errors[0]["type"] == "json_invalid":
        said = [f"no JSON: {errors[0]['msg'].removeprefix('Invalid JSON: ')}"]
    more = [f"and {len(errors) - _MOST_SAID} more"] if len(errors) > _MOST_SAID else []
    return Sentence(printable("; ".join([*said, *more])))


def _name_of(location: tuple[int | str, ...]) -> str:
    name = ".".join(str(part) for part in location) or "value"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
