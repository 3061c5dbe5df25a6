"""Tensors with a table of texts in one file (safetensors). Nothing in such a file could run.

The file is read once, as bytes, and looked at in memory. A memory map would be faster and would end the whole program,
by a signal that Python cannot catch, when somebody shortens the file or copies another over it while it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from typing_extensions import TypedDict

from cras_core.errors import CrasError, JsonFileError
from cras_core.json_files import parse_json, read_bytes

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_BYTES = 4 << 30
_LENGTH_BYTES = 8  # the file begins with the length of its header, an unsigned little-endian number


class TensorFileError(CrasError):
    """A file of tensors is cut off, damaged, or something else."""


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What a file holds.

    Attributes:
        tensors: by name.
        texts: the table beside them.
    """

    tensors: dict[str, Tensor]
    texts: dict[str, str]


class _Header(TypedDict, total=False):
    """The part of the header that is not about tensors."""

    __metadata__: dict[str, str]


def read_tensors(path: Path, largest_bytes: int = LARGEST_BYTES) -> TensorFile:
    """Reads a file.

    Raises:
        JsonFileError: it is missing or cannot be read.
        TensorFileError: it is cut off, damaged, or something else.
    """
    return parse_tensors(read_bytes(path, largest_bytes))


def parse_tensors(data: bytes) -> TensorFile:
    """The same from its contents. Raises TensorFileError."""
    from safetensors.torch import load  # loads torch, which the window does not wait for at its start

    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if len(data) < _LENGTH_BYTES + length:
        raise TensorFileError("tensors-cut-off", "it is shorter than it says")
    try:
        header = parse_json(data[_LENGTH_BYTES : _LENGTH_BYTES + length], _Header, "its header")
        return TensorFile(load(data), header.get("__metadata__", {}))
    except (JsonFileError, SafetensorError) as error:
        raise TensorFileError("tensors-damaged", "{reason}", reason=error) from error
    except (KeyError, RuntimeError, TypeError) as error:  # a kind of number that torch does not know
        raise TensorFileError("tensors-unreadable", "its tensors cannot be read ({reason})", reason=error) from error


def tensor_bytes(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """The inverse of ``parse_tensors``."""
    from safetensors.torch import save  # as above

    return save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, metadata=dict(texts))


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
