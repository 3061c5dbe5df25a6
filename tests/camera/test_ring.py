"""The ring: what is written is read, a slot is used again only when nobody holds its image, memory goes when it may."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.sources.acquisition import ring as ring_module
from aoi_app.sources.acquisition.ring import RingReader, RingWriter, Written, slot_bytes_for
from aoi_app.sources.block import Block
from aoi_app.sources.source import SourceError


@contextmanager
def open_ring(slot_bytes: int = 4096, slots: int = 8) -> Iterator[tuple[RingReader, RingWriter]]:
    reader = RingReader(slot_bytes, slots * 4096 * -(-slot_bytes // 4096))
    writer = RingWriter(reader.place)
    reader.attached()
    yield reader, writer
    writer.close()
    reader.close()


def put(writer: RingWriter, image: np.ndarray, encoder: np.ndarray | None = None) -> Written | None:
    slot = writer.take()
    if slot is None:
        return None
    writer.image(slot, image.shape, image.dtype)[...] = image
    if encoder is not None:
        writer.put_encoder(slot, image.nbytes, encoder)
    counts = 0 if encoder is None else len(encoder)
    return Written(writer.place.name, slot, image.shape, image.dtype.str, 8, counts, 5, 6, "camera", 7.0, 3)


def test_a_block_comes_out_as_it_was_written() -> None:
    image = np.arange(24, dtype=np.uint16).reshape(2, 4, 3)
    with open_ring() as (reader, writer):
        written = put(writer, image, np.array([-5, 2**40]))
        assert written is not None
        block = reader.block(written)
        assert (block.image == image).all()
        assert block.encoder is not None
        assert block.encoder.tolist() == [-5, 2**40]
        assert (block.frame_id, block.timestamp_ns, block.bits, block.lost_lines) == (5, 6, 8, 3)
        assert not block.image.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            block.image[0, 0, 0] = 1
        del block


VIEWS: dict[str, Callable[[Any], Any]] = {
    "the image": lambda a: a,
    "a slice": lambda a: a[3:5],
    "a slice of a slice": lambda a: a[2:, ::2][1:],
    "turned": lambda a: a.T,
    "reshaped": lambda a: a.reshape(-1),
    "other type": lambda a: a.view(np.uint16),
    "asarray": np.asarray,
    "memoryview": memoryview,
    "from the buffer of it": lambda a: np.frombuffer(a, np.uint8),
    "a line": lambda a: list(a)[4],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_slot_is_free_only_when_no_array_made_from_its_image_is_held(view: Callable[[Any], Any]) -> None:
    with open_ring() as (reader, writer):
        written = put(writer, np.full((8, 8), 9, np.uint8))
        assert written is not None
        held = view(reader.block(written).image)
        gc.collect()
        assert reader.fill == 1 / 8
        for _ in range(20):  # nobody writes where somebody reads
            other = put(writer, np.zeros((8, 8), np.uint8))
            assert other is not None
            assert other.slot != written.slot
            reader.block(other)
        assert np.asarray(held).any()
        del held
        assert reader.fill == 0


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["write", "read", "drop oldest", "drop newest"]), max_size=120))
def test_whatever_the_order_every_block_that_is_held_keeps_its_pixels(steps: list[str]) -> None:
    with open_ring(slots=4) as (reader, writer):
        waiting: list[tuple[int, Written]] = []
        held: list[tuple[int, Block]] = []
        number = 0
        for step in steps:
            if step == "write":
                number += 1
                written = put(writer, np.full((3, 5), number % 251, np.uint8))
                if written is not None:
                    waiting.append((number, written))
            elif step == "read" and waiting:
                n, w = waiting.pop(0)
                held.append((n, reader.block(w)))
            elif step == "drop oldest" and held:
                held.pop(0)
            elif step == "drop newest" and held:
                held.pop()
            assert reader.fill == (len(waiting) + len(held)) / 4
            assert all((b.image == n % 251).all() for n, b in held)
        held.clear()


def test_a_full_ring_takes_nothing_until_half_of_it_is_free_again() -> None:
    image = np.zeros((1, 8), np.uint8)
    with open_ring(slots=8) as (reader, writer):
        written = [put(writer, image) for _ in range(8)]
        assert None not in written
        assert put(writer, image) is None
        assert reader.fill == 1.0
        for i in range(3):
            reader.block(written[i])  # type: ignore[arg-type]  # read and dropped at once
            assert put(writer, image) is None
        reader.block(written[3])  # type: ignore[arg-type]
        assert put(writer, image) is not None


def test_an_image_outlives_its_ring_and_memory_goes_with_it() -> None:
    with open_ring() as warm:
        del warm
    gc.collect()
    held_by_others = list(ring_module._LINGERING)
    before = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
    with open_ring() as (reader, writer):
        written = put(writer, np.full((8, 8), 9, np.uint8))
        assert written is not None
        image = reader.block(written).image
    assert (image == 9).all()
    del image
    with open_ring():  # making or closing a ring lets go of what was held
        pass
    assert [m for m in ring_module._LINGERING if m not in held_by_others] == []
    if hasattr(psutil.Process, "num_fds"):
        assert psutil.Process().num_fds() == before


def test_memory_has_no_name_once_the_writer_has_it() -> None:
    names = lambda: [p.name for p in Path("/dev/shm").glob(f"aoi-{os.getpid()}-*")]  # noqa: E731
    reader = RingReader(100, 2**20)
    if Path("/dev/shm").is_dir():
        assert names() == [reader.place.name]
    writer = RingWriter(reader.place)
    reader.attached()
    assert names() == []
    writer.close()
    reader.close()


def test_too_little_shared_memory_is_said_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "_free_bytes", lambda: 64 * 2**20)
    small = RingReader(2 * 2**20, 256 * 2**20)  # a smaller ring will do
    assert small.place.slots == 15
    small.close()
    with pytest.raises(SourceError, match=r"needs 80\.0 MiB of shared memory; 64\.0 MiB are free.*--shm-size"):
        RingReader(20 * 2**20, 256 * 2**20)


def test_a_ring_that_cannot_hold_four_blocks_is_refused() -> None:
    with pytest.raises(SourceError, match=r"four of them 64\.0 MiB.*has 32\.0 MiB"):
        RingReader(slot_bytes_for(16 * 2**20, 0), 32 * 2**20)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is no file system here")
def test_memory_that_the_system_does_not_have_is_refused_and_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "_free_bytes", lambda: None)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SourceError, match="shared memory"):
        RingReader(4096, 2**20)
