"""The other simulated producer: larger cameras that count their frames and stamp their times.

It comes in older wheels only: ``pip download genicam==1.5.0 --no-deps``, unpack it, and set TLSIMU_CTI to TLSimu.cti.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from camera_tools import read_blocks, read_until

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.device import CameraConfig
from aoi_app.sources.camera.discovery import discover_cameras
from aoi_app.sources.camera.features import Setting


@pytest.fixture
def tlsimu() -> str:
    path = os.environ.get("TLSIMU_CTI")
    if not path or not Path(path).is_file():
        pytest.skip("the producer TLSimu is not here: set TLSIMU_CTI to TLSimu.cti out of the wheel genicam 1.5.0")
    return path


def remote(**values: int | str) -> tuple[Setting, ...]:
    return tuple(Setting("remote", name, value) for name, value in values.items())


def test_its_four_cameras_are_found(tlsimu: str) -> None:
    (report,) = discover_cameras([(Path(tlsimu), "test")])
    assert [d.serial for d in report.devices] == [f"SN_Interface{i}_{n}" for i in "AB" for n in "01"]


def test_the_widest_frames_come_whole(tlsimu: str) -> None:
    with CameraBlocks(CameraConfig(tlsimu, "SN_InterfaceA_0", remote(Width=4096, Height=256))) as camera:
        blocks = read_blocks(camera, 8)
    assert [b.frame_id for b in blocks] == list(range(8))
    assert {b.image.shape for b in blocks} == {(256, 4096)}
    times = [b.timestamp_ns for b in blocks]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]


def test_a_software_trigger_brings_one_frame_each(tlsimu: str) -> None:
    settings = remote(TriggerMode="On", TriggerSource="Software")
    with CameraBlocks(CameraConfig(tlsimu, "SN_InterfaceB_0", settings)) as camera:
        assert [r.text for r in camera.results if r.outcome != "set"] == []
        for _ in range(10):
            assert camera.read(0.2) is None
        assert camera.status.restarts == 0  # waiting is no fault
        for count in range(1, 4):
            camera.write(Setting("remote", "TriggerSoftware", 1))
            blocks = read_blocks(camera, 1)
            assert blocks[0].frame_id == count - 1
        assert camera.read(0.3) is None


def test_two_cameras_of_two_interfaces_at_once(tlsimu: str) -> None:
    configs = [CameraConfig(tlsimu, serial, ring_bytes=2**25) for serial in ("SN_InterfaceA_0", "SN_InterfaceB_0")]
    with CameraBlocks(configs[0]) as one, CameraBlocks(configs[1]) as other:
        for camera in (one, other):
            seen = read_until(camera, lambda s: len(s.blocks) >= 5)
            assert [b.frame_id for b in seen.blocks] == list(range(5))
