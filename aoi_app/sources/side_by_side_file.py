"""Several sources across one web, named by a JSON file::

    {"cameras": [{"source": "replay:left"},
                 {"source": "replay:right", "overlap_px": 128, "offset_lines": -3}]}

from left to right. Paths are relative to the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator

from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from aoi_app.sources.side_by_side import Neighbour, SideBySide
from aoi_app.sources.source import FrameSource, SourceError

KIND = "side-by-side"
"""What such a source is called: ``side-by-side:FILE.json``."""


class NeighbourEntry(BaseModel):
    """One of the sources."""

    model_config = STRICT

    source: Annotated[str, Field(min_length=1, max_length=4096)]
    """As after ``--source``; another file of this kind is none."""
    overlap_px: Annotated[int, Field(ge=0, le=16384)] = 0
    """Columns that it shares with the one to its left; 0 for the first."""
    offset_lines: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    """Line of the web that its first line shows; negative where it sees a place later."""

    @field_validator("source")
    @classmethod
    def _is_no_file_of_this_kind(cls, value: str) -> str:
        if value.partition(":")[0] == KIND:
            raise ValueError(f"sources side by side cannot hold others side by side ({value})")
        return value


class SideBySideFile(BaseModel):
    """Sources from left to right."""

    model_config = STRICT

    format: Literal[1] = 1
    cameras: Annotated[tuple[NeighbourEntry, ...], Field(min_length=2, max_length=64)]


def load_side_by_side(path: Path) -> SideBySideFile:
    """Reads such a file.

    Raises:
        SourceError: it cannot be read or is not valid; the text names the field.
    """
    try:
        return read_json(path, SideBySideFile)
    except OSError as error:
        raise SourceError(
            "sources-file-unreadable", "The sources {path} cannot be read: {reason}.", path=path, reason=error
        ) from error
    except ContentError as error:
        raise SourceError(
            "sources-file-wrong", "The sources {path} are not valid: {reason}.", path=path, reason=error
        ) from error


def make_side_by_side(file: str, make: Callable[[str, Path], FrameSource]) -> SideBySide:
    """The source that such a file describes.

    Args:
        file: its path.
        make: makes one of its sources of its specification and the folder that paths in it are relative to.

    Raises:
        SourceError: the file or one of the sources cannot be used.
    """
    path = Path(file).expanduser()
    described = load_side_by_side(path)
    # The sources are made, not opened: whichever is wrong is told before a camera is started.
    return SideBySide([Neighbour(make(c.source, path.parent), c.overlap_px, c.offset_lines) for c in described.cameras])
