"""A real producer and its cameras, end to end: discovery, features, streams, faults. No part is replaced."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest
from camera_tools import PATIENCE_S, SILENCE_S, read_blocks, read_until

from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.block import Block
from aoi_app.sources.camera.device import CameraConfig, CameraError
from aoi_app.sources.camera.discovery import discover_cameras
from aoi_app.sources.camera.features import NODE_MAPS, FeatureError, Setting
from aoi_app.sources.camera.presets import preset_of
from aoi_app.sources.source import SourceError

FAST = Setting("remote", "AcquisitionFrameRate", 200.0)


def camera_of(viky: str, serial: str | None = None, *settings: Setting) -> CameraConfig:
    return CameraConfig(viky, serial, (FAST, *settings), buffers=4, ring_bytes=2**25, silence_limit_s=SILENCE_S)


def test_its_cameras_are_found(viky: str) -> None:
    from pathlib import Path

    (report,) = discover_cameras([(Path(viky), "test")])
    assert report.problem == ""
    assert [(d.vendor, d.model, d.serial, d.access) for d in report.devices] == [
        ("Machine Vision Games Ltd.", "Viky", serial, "free") for serial in "012"
    ]
    assert {d.transport for d in report.devices} == {"Custom"}


def test_the_camera_of_the_serial_number_is_opened(viky: str) -> None:
    with CameraProcess(camera_of(viky, "2")) as camera:
        assert camera.info is not None
        assert camera.info.id == "VikyTL_DEV_blue"
    with pytest.raises(CameraError, match=r"no camera with the serial number 7\. It finds 0 \(Viky\), 1 \(Viky\)"):
        CameraProcess(camera_of(viky, "7")).__enter__()


def test_all_five_node_maps_tell_their_features(viky: str) -> None:
    with CameraProcess(camera_of(viky)) as camera:
        maps = {m: {f.name: f for f in camera.features(m)} for m in NODE_MAPS}
    assert maps["system"]["TLVendorName"].type == "string"
    assert maps["interface"]["DeviceSelector"].type == "integer"
    assert maps["device"]["DeviceModelName"].value == "Viky"
    assert maps["stream"]["StreamBufferHandlingMode"].entries[0] == "OldestFirst"
    width = maps["remote"]["Width"]
    assert (width.value, width.minimum, width.maximum, width.access) == (400, 100, 800, "RW")
    assert width.category == ("Image Format Control",)
    assert maps["remote"]["AcquisitionFrameRate"].range_text == "1 to 200 Hz"
    assert maps["remote"]["PixelFormat"].entries == ("RGBa8", "Mono8")
    assert maps["remote"]["AcquisitionStart"].type == "command"
    assert maps["remote"]["ChunkNrBounces"].access == "NA"
    assert {f.visibility for f in maps["remote"].values()} >= {"Beginner", "Expert", "Guru"}


def test_features_are_set_and_what_is_wrong_is_said(viky: str) -> None:
    with CameraProcess(camera_of(viky)) as camera:
        assert camera.write(Setting("remote", "Width", 640)).value == 640
        assert camera.feature("remote", "Width").value == 640
        assert camera.write(Setting("stream", "StreamBufferHandlingMode", "NewestOnly")).value == "NewestOnly"
        camera.write(Setting("system", "InterfaceUpdateList", 1))
        for setting, why in [
            (Setting("remote", "Width", 900), "out of range: 100 to 800"),
            (Setting("remote", "Width", 200.5), "a whole number"),
            (Setting("remote", "PixelFormat", "Mono12"), "it can be RGBa8, Mono8"),
            (Setting("remote", "PayloadSize", 1), "can only be read"),
            (Setting("remote", "LineRate", 1), "no feature LineRate in its node map remote"),
        ]:
            with pytest.raises(FeatureError, match=why):
                camera.write(setting)


def are_in_order(blocks: list[Block]) -> bool:
    """From the first frame on, each later than the one before. The producer waits for nobody: on a busy machine some
    frames find no buffer.
    """
    ids = [b.frame_id for b in blocks if b.frame_id is not None]
    return ids[0] == 1 and len(set(ids)) == len(blocks) and ids == sorted(ids)


@pytest.mark.parametrize(("pixel_format", "shape"), [("Mono8", (120, 160)), ("RGBa8", (120, 160, 3))])
def test_both_pixel_formats_stream(viky: str, pixel_format: str, shape: tuple[int, ...]) -> None:
    size = (Setting("remote", "Width", 160), Setting("remote", "Height", 120))
    config = camera_of(viky, None, *size, Setting("remote", "PixelFormat", pixel_format))
    with CameraBlocks(config) as camera:
        assert [r.outcome for r in camera.results] == ["set"] * 4
        blocks = read_blocks(camera, 10)
        assert camera.status.incomplete == 0
    assert are_in_order(blocks)
    assert {b.image.shape for b in blocks} == {shape}
    assert all(b.image.any() for b in blocks)
    assert any((a.image != b.image).any() for a in blocks for b in blocks)  # the ball moves


def test_it_starts_and_stops_a_hundred_times(viky: str) -> None:
    with CameraProcess(camera_of(viky)) as camera:
        pid = camera.pid
        for _ in range(100):
            camera.run(on=True)
            camera.run(on=False)
        assert camera.pid == pid
        assert camera.feature("remote", "Width").value == 400


def test_it_stops_and_starts_while_blocks_are_read(viky: str) -> None:
    with CameraBlocks(camera_of(viky)) as camera:
        for width in (100, 800, 300):
            camera.change([Setting("remote", "Width", width)])
            seen = read_until(camera, lambda s, w=width: bool(s.blocks) and s.blocks[-1].image.shape[1] == w)  # type: ignore[misc]
            assert seen.blocks[-1].frame_id is not None
        assert camera.status.restarts == 0


def test_chunks_are_read_with_the_blocks(viky: str) -> None:
    with CameraBlocks(camera_of(viky, None, Setting("remote", "ChunkModeActive", True))) as camera:
        read_blocks(camera, 5)
        bounces = camera.feature("remote", "ChunkNrBounces")
        assert bounces.access == "RO"
        assert isinstance(bounces.value, int)


def test_a_slow_camera_is_asked_between_its_frames_and_goes_on(viky: str) -> None:
    slow = Setting("remote", "AcquisitionFrameRate", 1.0)  # silent long enough to be asked whether it is there
    with CameraBlocks(camera_of(viky, None, slow)) as camera:
        assert are_in_order(read_blocks(camera, 3))


def test_two_cameras_at_once(viky: str) -> None:
    with CameraBlocks(camera_of(viky, "0")) as one, CameraBlocks(camera_of(viky, "1")) as other:
        assert are_in_order(read_blocks(one, 5))
        assert are_in_order(read_blocks(other, 5))
        assert (one.name, other.name) == ("Machine Vision Games Ltd. Viky 0", "Machine Vision Games Ltd. Viky 1")


@pytest.mark.parametrize("fault", ["SIGKILL", "SIGSEGV", "SIGSTOP"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_killed_crashed_or_hung_producer_is_an_outage_and_the_camera_comes_back(viky: str, fault: str) -> None:
    with CameraBlocks(camera_of(viky, "1", Setting("remote", "Width", 300))) as camera:
        read_blocks(camera, 3)
        assert camera.pid is not None
        os.kill(camera.pid, signal.Signals[fault])
        seen = read_until(camera, lambda s: bool(s.outages))
        assert ("did not answer" if fault == "SIGSTOP" else fault) in seen.outages[0].reason
        assert {b.image.shape[1] for b in read_blocks(camera, 3)} == {300}
        assert camera.name == "Machine Vision Games Ltd. Viky 1"


def test_a_preset_is_taken_from_the_camera_and_gives_it_back(viky: str) -> None:
    with CameraProcess(camera_of(viky)) as camera:
        assert camera.info is not None
        camera.write(Setting("remote", "Width", 555))
        taken = preset_of(camera.info, [f for m in NODE_MAPS for f in camera.features(m)])
    assert (taken.camera.model, taken.camera.serial) == ("Viky", "0")
    with CameraProcess(CameraConfig(viky, "2", taken.settings)) as camera:
        assert {r.outcome for r in camera.results} == {"set"}
        assert camera.feature("remote", "Width").value == 555
        assert camera.feature("remote", "AcquisitionFrameRate").value == 200.0


def opens_twice(path: str, answer: Connection) -> None:
    """What a second program meets, within one process, because this producer does not see other processes."""
    from aoi_app.sources.camera.genicam.device import GenicamDevice
    from aoi_app.sources.camera.genicam.producer import cannot_open

    with GenicamDevice(CameraConfig(path)) as device:
        assert device._producer is not None
        try:
            device._producer.harvester.create(0)
        except Exception as error:  # noqa: BLE001 (whatever it is has to become a message)
            found = cannot_open(device.info, error)
            answer.send((found.in_use, str(found)))
    answer.close()


def test_a_camera_in_use_is_said(viky: str) -> None:
    context = get_context("spawn")
    question, answer = context.Pipe()
    process = context.Process(target=opens_twice, args=(viky, answer))
    process.start()
    answer.close()
    try:
        assert question.poll(PATIENCE_S)
        assert question.recv() == (
            True,
            "Machine Vision Games Ltd. Viky 0 is in use: another program has it open. Close that first.",
        )
    finally:
        process.join()
        question.close()


def test_a_producer_that_is_none_is_an_error_not_a_crash(tmp_path: object) -> None:
    with pytest.raises(SourceError, match="cannot be opened"), CameraBlocks(CameraConfig(f"{tmp_path}/none.cti")):
        pass


def test_settings_that_fail_are_told_when_the_camera_opens(viky: str) -> None:
    config = camera_of(viky, None, Setting("remote", "Width", 9000), Setting("remote", "EncoderMode", "FourPhase"))
    with CameraBlocks(config) as camera:
        assert [r.outcome for r in camera.results] == ["set", "refused", "refused"]
        assert "100 to 800" in camera.results[1].text
        assert "no feature EncoderMode" in camera.results[2].text
        read_blocks(camera, 1)
