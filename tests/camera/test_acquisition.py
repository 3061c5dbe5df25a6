"""A camera that crashes, hangs, changes and is unplugged: the synthetic one, in the real process and ring."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from itertools import pairwise
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import psutil
import pytest
from camera_tools import PATIENCE_S, read_blocks, read_until, synthetic

import aoi_app
from aoi_app.sources.acquisition import blocks as acquisition
from aoi_app.sources.acquisition import ring as ring_module
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.acquisition.starved import waited_s
from aoi_app.sources.block import Block
from aoi_app.sources.camera.device import CameraError
from aoi_app.sources.camera.features import FeatureError, Setting
from aoi_app.sources.camera.synthetic import synthetic_lines
from aoi_app.sources.source import SourceError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def write(camera: CameraBlocks, name: str, value: float | str) -> None:
    camera.write(Setting("remote", name, value))


def test_blocks_show_the_cloth_in_order_with_counts_times_and_encoder() -> None:
    with CameraBlocks(replace(synthetic(), encoder="each")) as camera:
        blocks = read_blocks(camera, 20)
        assert camera.name == "aoi Synthetic line scan synthetic-0"
        assert camera.status.state == "running"
    cloth = synthetic_lines("Mono8", 16 + 64, 64)
    assert [b.frame_id for b in blocks] == list(range(20))
    for n, block in enumerate(blocks):
        assert (block.image == cloth[n * 7 % 64 : n * 7 % 64 + 16]).all()
        assert block.encoder is not None
        assert block.encoder.tolist() == [(n * 16 + i) * 4 for i in range(16)]
        assert block.timestamp_ns == n * 16 * 500_000
        assert block.source.endswith(f"frame {n}")
    assert all(b.captured_at_s >= a.captured_at_s for a, b in pairwise(blocks))


@pytest.mark.parametrize(("pixel_format", "bits", "shape"), [("Mono12", 12, (16, 64)), ("RGB8", 8, (16, 64, 3))])
def test_depth_and_colour_come_through(pixel_format: str, bits: int, shape: tuple[int, ...]) -> None:
    with CameraBlocks(synthetic(PixelFormat=pixel_format)) as camera:
        (block,) = read_blocks(camera, 1)
    assert (block.bits, block.image.shape) == (bits, shape)
    assert (block.image == synthetic_lines(pixel_format, 16, 64)).all()


def test_blocks_are_not_copied_out_of_the_ring() -> None:
    with CameraBlocks(synthetic(AcquisitionLineRate=200.0)) as camera:
        held = read_blocks(camera, 3)
        assert camera.fill >= 3 / 256
        assert not any(b.image.flags.owndata for b in held)


def test_lines_of_a_late_reader_are_counted_on_the_block_that_follows() -> None:
    config = replace(synthetic(AcquisitionLineRate=20_000.0), ring_bytes=4 * 4096)
    told: list[tuple[int, int]] = []
    with CameraBlocks(config) as camera:
        held = read_blocks(camera, 1)
        end_s = time.monotonic() + PATIENCE_S
        while camera.status.lost_lines < 160 and time.monotonic() < end_s:
            time.sleep(0.01)
        held.clear()
        while time.monotonic() < end_s and (not told or told[-1][1] == 0):
            block = camera.read(0.05)
            if isinstance(block, Block) and block.frame_id is not None:
                told.append((block.frame_id, block.lost_lines))
            del block
    assert told[-1][1] >= 160
    for (a, _), (b, lost_lines) in pairwise([(0, 0), *told]):
        assert lost_lines <= (b - a - 1) * 16  # a camera that was late itself has left out more


def test_frames_lost_on_their_way_show_in_the_frame_ids() -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 2)
        write(camera, "SkipFrames", 50)
        seen = read_until(camera, lambda s: max(steps(s.blocks), default=0) >= 51, keep_lines=False)
    assert max(steps(seen.blocks)) >= 51
    # Told by the ids alone: the camera itself has left out fewer lines, if it was late at all.
    assert seen.blocks[-1].lost_lines < 51 * 16


def steps(blocks: list[Block]) -> list[int]:
    """By how much the ids of frames go on from block to block."""
    return [(b.frame_id or 0) - (a.frame_id or 0) for a, b in pairwise(blocks)]


@pytest.mark.parametrize(
    ("name", "value", "shape"),
    [("Width", 96, (16, 96)), ("Width", 2048, (16, 2048)), ("Height", 700, (700, 64)), ("Height", 3, (3, 64))],
)
def test_another_size_in_the_middle_is_delivered(name: str, value: int, shape: tuple[int, int]) -> None:
    with CameraBlocks(synthetic(AcquisitionLineRate=20_000.0)) as camera:
        held = read_blocks(camera, 2)  # in the old ring, to the end
        first = held[0].image.copy()
        write(camera, name, value)
        seen = read_until(camera, lambda s: bool(s.blocks) and s.blocks[-1].image.shape == shape)
        assert {b.image.shape for b in seen.blocks} <= {(16, 64), shape}
        assert camera.status.restarts == 0
        assert (held[0].image == first).all()


def test_settings_that_need_a_stop_are_made_and_the_cloth_between_is_an_outage() -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 2)
        results = camera.change([Setting("remote", "Width", 128), Setting("remote", "Width", 9)])
        assert [r.outcome for r in results] == ["set", "refused"]
        seen = read_until(camera, lambda s: bool(s.outages) and bool(s.blocks) and s.blocks[-1].image.shape[1] == 128)
    assert "stopped and started again" in seen.outages[0].reason


def kill(camera: CameraBlocks) -> None:
    assert camera.pid is not None
    psutil.Process(camera.pid).kill()


def hang_outside(camera: CameraBlocks) -> None:
    assert camera.pid is not None
    os.kill(camera.pid, signal.SIGSTOP)


def hang_inside(camera: CameraBlocks) -> None:
    assert camera._process is not None
    camera._process._control.send(("write", (Setting("remote", "Hang", 1),)))


def crash(camera: CameraBlocks) -> None:
    with pytest.raises(CameraError, match="try again"):
        write(camera, "Crash", 1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (kill, "killed"),
        pytest.param(hang_outside, "did not answer", marks=POSIX),
        pytest.param(hang_inside, "did not answer", marks=POSIX),
        (crash, "driver crashed"),
    ],
)
def test_the_camera_comes_back_by_itself_as_it_was_set(fault: object, reason: str) -> None:
    config = replace(synthetic(), open_limit_s=2.0) if fault is hang_inside else synthetic()
    with CameraBlocks(config) as camera:
        read_blocks(camera, 3)
        write(camera, "ExposureTime", 77.0)
        write(camera, "Width", 96)
        pid = camera.pid
        fault(camera)  # type: ignore[operator]
        seen = read_until(camera, lambda s: bool(s.outages))
        after = read_blocks(camera, 5)
        assert reason in seen.outages[0].reason
        assert "aoi Synthetic line scan synthetic-0" in seen.outages[0].reason
        assert seen.outages[0].seconds > 0
        assert len(seen.outages) == 1
        assert camera.pid != pid
        assert camera.status.restarts == 1
        assert camera.status.state == "running"
        assert camera.feature("remote", "ExposureTime").value == 77.0
        assert after[-1].image.shape[1] == 96


def test_blocks_that_came_before_the_crash_are_read_before_the_outage() -> None:
    with CameraBlocks(synthetic()) as camera:
        first = read_blocks(camera, 1)[0].frame_id
        time.sleep(0.2)
        kill(camera)
        seen = read_until(camera, lambda s: bool(s.outages))
    assert first == 0
    assert [b.frame_id for b in seen.blocks] == list(range(1, 1 + len(seen.blocks)))
    assert len(seen.blocks) > 5


def test_a_camera_that_does_not_come_back_is_tried_again_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 1)
        there = camera._config
        camera._config = replace(there, serial="missing")  # as if it were unplugged
        kill(camera)
        end_s = time.monotonic() + PATIENCE_S
        while camera.status.restarts < 2 and time.monotonic() < end_s:
            assert not isinstance(camera.read(0.05), acquisition.Outage)
        assert "There is no synthetic camera 'missing'" in camera.status.text
        assert "away since" in camera.status.text
        with pytest.raises(CameraError, match="away since"):
            camera.features("remote")
        camera._config = there
        seen = read_until(camera, lambda s: bool(s.outages))
        assert "killed" in seen.outages[0].reason  # what began it, not what every attempt said
        read_blocks(camera, 2)
        assert camera.status.text == ""


def test_a_stopped_web_is_no_fault() -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 1)
        write(camera, "TriggerMode", "On")
        while camera.read(0.2) is not None:
            pass
        end_s = time.monotonic() + 3 * camera._config.silence_limit_s
        while time.monotonic() < end_s:
            assert camera.read(0.1) is None
        assert camera.status.restarts == 0
        write(camera, "TriggerMode", "Off")
        read_blocks(camera, 2)


def test_a_cable_that_was_pulled_out_is_noticed_although_nothing_fails() -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 1)
        assert camera._process is not None
        camera._process.write(Setting("remote", "Unplugged", True))  # past what is set again when it comes back
        seen = read_until(camera, lambda s: bool(s.outages))
        assert "does not answer any more. Look at its cable" in seen.outages[0].reason
        read_blocks(camera, 2)


def test_a_camera_that_is_not_there_at_the_start_is_an_error() -> None:
    with (
        pytest.raises(SourceError, match="no synthetic camera 'missing'"),
        CameraBlocks(replace(synthetic(), serial="missing")),
    ):
        pass


def test_too_little_memory_for_the_camera_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "_free_bytes", lambda: 4096)
    with pytest.raises(SourceError, match="--shm-size"), CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 1)


def test_memory_that_is_short_for_a_while_ends_nothing_once_the_line_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with CameraBlocks(synthetic()) as camera:
        read_blocks(camera, 2)
        with monkeypatch.context() as patch:
            patch.setattr(ring_module, "_free_bytes", lambda: 4096)
            kill(camera)
            end_s = time.monotonic() + PATIENCE_S
            while "shared memory" not in camera.status.text and time.monotonic() < end_s:
                assert camera.read(0.05) is None or camera.status.restarts == 0
            assert "shared memory" in camera.status.text
        seen = read_until(camera, lambda s: bool(s.outages))
        assert "killed" in seen.outages[0].reason
        read_blocks(camera, 2)


def test_a_process_that_the_system_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", refuse)
    with pytest.raises(SourceError, match="cannot be started: Resource temporarily"), CameraBlocks(synthetic()):
        pass


def test_a_camera_that_only_tells_its_features_can_be_started_by_hand() -> None:
    with CameraProcess(synthetic()) as camera:
        assert camera.feature("remote", "Width").value == 64
        assert len(camera.features("remote")) == 16
        assert camera.features("stream") == []
        with pytest.raises(FeatureError, match=r"Width \(remote\) = 20000 is out of range: 8 to 16384"):
            camera.write(Setting("remote", "Width", 20000))
        with pytest.raises(FeatureError, match="no feature Nonsense"):
            camera.feature("remote", "Nonsense")
        camera.run(on=True)
        camera.run(on=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a process waited for a processor")
def test_a_camera_whose_process_gets_no_processor_is_not_taken_for_one_that_hangs() -> None:
    """Nine of them want one processor: what takes half a second takes several, and the limit is two."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours)})  # the processes that begin now have it too
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
    try:
        camera = CameraProcess(replace(synthetic(), open_limit_s=2.0))
        os.sched_setaffinity(0, ours)
        with camera:
            assert waited_s(camera.pid) > 0.0
            assert camera.feature("remote", "Width").value == 64
    finally:
        os.sched_setaffinity(0, ours)
        for process in busy:
            process.kill()
            process.wait()
    assert waited_s(camera.pid) == 0.0, "it is gone"


PROGRAM = """
    import os, sys, time
    from aoi_app.sources.acquisition.blocks import CameraBlocks
    from aoi_app.sources.camera.device import CameraConfig
    def main():
        camera = CameraBlocks(CameraConfig(sys.argv[1], ring_bytes=2**22)).__enter__()
        while camera.read(0.1) is None:
            pass
        names = [n for n in sys.modules if n.split(".")[0] in ("harvesters", "genicam")]
        print(camera.pid, names, flush=True)
        time.sleep(600)
    if __name__ == "__main__":
        main()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:

    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    return path


def run_and_kill(program: Path, producer: str) -> tuple[psutil.Process, str]:
    """The acquisition process of a program that was killed, and the binding's modules that the program had loaded."""
    environment = os.environ | {"PYTHONPATH": str(Path(aoi_app.__file__).parents[1])}
    command = [sys.executable, str(program), producer]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid, modules = parent.stdout.readline().split(maxsplit=1)
        child = psutil.Process(int(pid))
        parent.kill()
    return child, modules.strip()


def wait_for_end(process: psutil.Process) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_the_process_ends_by_itself_when_the_program_is_killed(program: Path) -> None:
    wait_for_end(run_and_kill(program, "synthetic")[0])


def test_the_program_itself_never_loads_the_binding(program: Path, viky: str) -> None:
    child, modules = run_and_kill(program, viky)
    assert modules == "[]"
    wait_for_end(child)


def test_colours_of_the_synthetic_cloth_differ() -> None:
    assert len(np.unique(synthetic_lines("RGB8", 2, 8)[0, 0])) == 3
