"""Blocks without a camera: cut from pictures, or given one by one."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block, Outage
from aoi_app.sources.source import EndOfWeb

RawImage = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class GivenBlocks:
    """A camera that delivers what it was given, one a call."""

    is_live = False

    def __init__(self, items: Iterable[Block | Outage | None], name: str = "camera 17") -> None:
        self.name = name
        self._items = list(items)
        self._next = 0
        self.is_open = False

    def __enter__(self) -> GivenBlocks:
        self._next, self.is_open = 0, True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False

    def read(self, timeout_s: float) -> Block | Outage | None:
        if self._next >= len(self._items):
            raise EndOfWeb
        self._next += 1
        return self._items[self._next - 1]


def block_of(
    image: RawImage,
    k: int,
    *,
    bits: int | None = None,
    encoder: npt.NDArray[np.int64] | None = None,
    lost: int = 0,
    name: str = "camera 17",
    lines_per_s: float = 1000.0,
) -> Block:
    """The k-th block of a camera that counts from 0 and runs evenly."""
    depth = bits if bits is not None else (8 if image.dtype == np.uint8 else 16)
    clock_ns = round(k * len(image) / lines_per_s * 1e9)
    return Block(image, depth, k, clock_ns, encoder, f"{name} frame {k}", clock_ns / 1e9, lost)


def blocks_of(web: RawImage, lines: int, **given: object) -> list[Block]:
    """A web in blocks."""
    return [block_of(web[i : i + lines], k, **given) for k, i in enumerate(range(0, len(web), lines))]  # type: ignore[arg-type]
