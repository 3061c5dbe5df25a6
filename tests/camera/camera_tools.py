"""Small helpers of the camera tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.features import Setting, Value
from aoi_app.sources.camera.synthetic import SYNTHETIC

PATIENCE_S = 60.0
"""How long a test waits before it gives up; no test depends on how fast something is."""
SILENCE_S = 2.0
"""Longer than the default, so that a machine that is busy with other tests is not taken for a hung camera."""


def synthetic(**values: Value) -> CameraConfig:
    """A small synthetic camera with these features."""
    features: dict[str, Value] = {"Width": 64, "Height": 16, "AcquisitionLineRate": 2000.0, **values}
    settings = tuple(Setting("remote", name, value) for name, value in features.items())
    return CameraConfig(SYNTHETIC, settings=settings, ring_bytes=2**20, silence_limit_s=SILENCE_S)


@dataclass
class Seen:
    """What a camera delivered."""

    blocks: list[Block] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)


def read_until(camera: CameraBlocks, enough: Callable[[Seen], bool], *, keep_lines: bool = True) -> Seen:
    """Reads until it is enough. Blocks that keep their lines keep their places in the ring, which is full with them on
    a machine where what is waited for comes late.
    """
    seen = Seen()
    end_s = time.monotonic() + PATIENCE_S
    while not enough(seen):
        assert time.monotonic() < end_s, f"only {len(seen.blocks)} blocks, {seen.outages}, {camera.status}"
        found = camera.read(0.05)
        if isinstance(found, Outage):
            seen.outages.append(found)
        elif found is not None:
            seen.blocks.append(found if keep_lines else replace(found, image=found.image[:0].copy(), encoder=None))
    return seen


def read_blocks(camera: CameraBlocks, count: int) -> list[Block]:
    """So many blocks, without an outage between them."""
    seen = read_until(camera, lambda s: len(s.blocks) >= count)
    assert seen.outages == []
    return seen.blocks
