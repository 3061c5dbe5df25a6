"""What a recording is, on disk: the words that its writer and its reader share.

A recording is a folder: ``recording.json`` says what was recorded, ``flat-field.safetensors`` holds the flat field of
that day. The blocks lie in numbered pairs of files: ``00000017.blocks`` holds pixels and encoder counts one after the
other, ``00000017.jsonl`` a line for each block, written once its pixels are there, and one for each outage.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from aoi_app.settings.strict_json import TOLERANT
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.position.encoder import PositionConfig

VERSION = 1
HEADER, FLAT_FIELD = "recording.json", "flat-field.safetensors"
BLOCKS, LINES = ".blocks", ".jsonl"

_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Wide = Annotated[int, Field(ge=0, lt=2**63)]
_Text = Annotated[str, Field(max_length=10_000)]


class Header(BaseModel):
    """What was recorded.

    Attributes:
        name: of the camera.
        started_at: local time.
        position: what was known of the web's travel.
    """

    model_config = TOLERANT

    format: Literal["aoi-recording"] = "aoi-recording"
    version: int = VERSION
    name: _Text
    started_at: _Text
    position: PositionConfig


class BlockEntry(BaseModel):
    """One block: what it says, and where its bytes lie; they are the pixels, then the counts as int64.

    Attributes:
        offset: of its first byte.
        crc: CRC-32 of its bytes.
        counts: of the encoder, how many; None where there was none.
    """

    model_config = TOLERANT

    kind: Literal["block"] = "block"
    offset: _Wide
    crc: Annotated[int, Field(ge=0, lt=2**32)]
    shape: Annotated[tuple[_Count, ...], Field(min_length=2, max_length=3)]
    dtype: Literal["uint8", "uint16"]
    counts: _Count | None
    bits: Annotated[int, Field(ge=8, le=16)]
    frame_id: Annotated[int, Field(ge=0, lt=2**64)] | None
    timestamp_ns: Annotated[int, Field(gt=-(2**63), lt=2**64)] | None
    source: _Text
    captured_at_s: float
    lost_lines: _Count

    @model_validator(mode="after")
    def _is_a_block(self) -> BlockEntry:
        lines, _, *channels = self.shape
        if channels not in ([], [3]) or (self.counts or 0) > lines:
            raise ValueError(f"a block of {self.shape} with {self.counts} counts of the encoder is none")
        if self.bytes >= 2**31:
            raise ValueError("no camera delivers gigabytes at once")
        if (self.dtype == "uint8") != (self.bits == 8):
            raise ValueError(f"{self.bits} bits do not lie in {self.dtype}")
        return self

    @property
    def bytes(self) -> int:
        """How many there are."""
        pixels = math.prod(self.shape) * np.dtype(self.dtype).itemsize  # Python's numbers do not overflow
        return pixels + 8 * (self.counts or 0)


class OutageEntry(BaseModel):
    """One outage."""

    model_config = TOLERANT

    kind: Literal["outage"] = "outage"
    seconds: Annotated[float, Field(ge=0, le=1e9)]
    reason: _Text


class Entry(BaseModel):
    """One line of a ``.jsonl`` file."""

    model_config = TOLERANT

    item: Annotated[BlockEntry | OutageEntry, Field(discriminator="kind")]


def pack_block(block: Block) -> bytes:
    """The bytes of a block, copied."""
    # Little endian on every machine, so that a recording can be carried about.
    counts = b"" if block.encoder is None else np.ascontiguousarray(block.encoder, "<i8").tobytes()
    image = block.image.astype(block.image.dtype.newbyteorder("<"), copy=False)
    return image.tobytes() + counts


def entry_of(block: Block, lost_lines: int) -> BlockEntry:
    """What is written of a block that has no place yet.

    Args:
        block: the block.
        lost_lines: lines before it that are not in the recording.
    """
    return BlockEntry(
        offset=0,
        crc=0,
        shape=block.image.shape,
        dtype="uint8" if block.image.dtype == np.uint8 else "uint16",
        counts=None if block.encoder is None else len(block.encoder),
        bits=block.bits,
        frame_id=block.frame_id,
        timestamp_ns=block.timestamp_ns,
        source=block.source,
        captured_at_s=block.captured_at_s,
        lost_lines=lost_lines,
    )


def line_of(entry: BlockEntry | OutageEntry, data: bytes, offset: int) -> bytes:
    """The line for a block whose bytes begin at ``offset``, or for an outage."""
    if isinstance(entry, BlockEntry):
        entry = entry.model_copy(update={"offset": offset, "crc": zlib.crc32(data)})
    return Entry(item=entry).model_dump_json().encode() + b"\n"


def unpack_block(entry: BlockEntry, data: bytes, later_s: float) -> Block | None:
    """A block as it was, ``later_s`` seconds later; None where its bytes are not those that were written."""
    # The program may have been killed between pixels and line, or the disk may have lost what it had promised.
    if len(data) != entry.bytes or zlib.crc32(data) != entry.crc:
        return None
    pixels = len(data) - 8 * (entry.counts or 0)
    image = np.frombuffer(data[:pixels], np.dtype(entry.dtype).newbyteorder("<")).reshape(entry.shape)
    return Block(
        image=image.astype(entry.dtype, copy=False),
        bits=entry.bits,
        frame_id=entry.frame_id,
        timestamp_ns=entry.timestamp_ns,
        encoder=None if entry.counts is None else np.frombuffer(data[pixels:], "<i8").astype(np.int64),
        source=entry.source,
        captured_at_s=entry.captured_at_s + later_s,
        lost_lines=entry.lost_lines,
    )


def outage_of(entry: OutageEntry) -> Outage:
    """The outage that was written."""
    return Outage(entry.seconds, entry.reason)


def is_recording(folder: Path) -> bool:
    """Whether a folder is a recording."""
    return (folder / HEADER).is_file()


def pairs_of(folder: Path) -> list[Path]:
    """The ``.jsonl`` files of a recording, oldest first."""
    return sorted(p for p in folder.glob(f"*{LINES}") if p.stem.isdecimal())
