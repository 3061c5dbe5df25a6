"""What a camera delivered, on disk and back: nothing is lost but what did not fit, and the line never waits for it."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import read_all, until
from camera_fakes import GivenBlocks, block_of, blocks_of
from hypothesis import given, settings
from hypothesis import strategies as st

import aoi_app
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField
from aoi_app.sources.frame import Frame
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.recording.format import LINES
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.recording.replay import Replay
from aoi_app.sources.source import EndOfWeb, SourceError

GB = 1 << 30


def record(
    folder: Path, items: list[Block | Outage], limit_bytes: int = GB, flat: FlatField | None = None, **options: int
) -> Recorder:
    recorder = Recorder(folder, limit_bytes, free_bytes=0, **options)
    recorder.begin("camera 17", PositionConfig(lines_per_count=0.5), flat)
    for item in items:
        recorder.record(item)
    recorder.close()
    return recorder


def written_blocks(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob(f"*{LINES}"))


def replay(path: Path) -> list[Block | Outage]:
    items = []
    with Replay(path) as source:
        while True:
            try:
                item = source.read(1.0)
            except EndOfWeb:
                return items
            assert item is not None
            items.append(item)


def assert_same(found: list[Block | Outage], expected: list[Block | Outage]) -> None:
    assert [type(f) for f in found] == [type(e) for e in expected]
    first = [next(i for i in items if isinstance(i, Block)) for items in (found, expected)]
    for f, e in zip(found, expected, strict=True):
        if isinstance(f, Outage) or isinstance(e, Outage):
            assert f == e
            continue
        np.testing.assert_array_equal(f.image, e.image)
        assert f.image.dtype == e.image.dtype
        assert (f.encoder is None) == (e.encoder is None)
        if f.encoder is not None:
            np.testing.assert_array_equal(f.encoder, e.encoder)
            assert f.encoder.dtype == np.int64
        for name in ("bits", "frame_id", "timestamp_ns", "source", "lost_lines"):
            assert getattr(f, name) == getattr(e, name)
        paces = [b.captured_at_s - first[k].captured_at_s for k, b in enumerate((f, e))]
        assert paces[0] == pytest.approx(paces[1], abs=1e-6)


BLOCKS = st.builds(
    lambda seed, lines, width, colour, bits, counts, frame_id, stamp, lost: Block(
        np.random.default_rng(seed).integers(
            0, 1 << bits, (lines, width, 3) if colour else (lines, width), np.uint8 if bits == 8 else np.uint16
        ),
        bits,
        frame_id,
        stamp,
        None
        if counts == "none"
        else np.random.default_rng(seed).integers(-(2**62), 2**62, lines if counts == "all" else 1),
        f"camera frame {frame_id}",
        seed / 1e6,
        lost,
    ),
    st.integers(0, 10**6),
    st.integers(1, 20),
    st.integers(1, 30),
    st.booleans(),
    st.sampled_from([8, 10, 12, 16]),
    st.sampled_from(["none", "one", "all"]),
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.integers(0, 2**63),
    st.integers(0, 10**6),
)
OUTAGES = st.builds(Outage, st.floats(0, 1e6), st.text(max_size=20))


@settings(max_examples=40)
@given(st.lists(BLOCKS | OUTAGES, max_size=8), BLOCKS)
def test_what_was_recorded_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, items: list[Block | Outage], last: Block
) -> None:
    folder = tmp_path_factory.mktemp("recording")
    recorder = record(folder, [*items, last])
    assert recorder.problem is None
    assert_same(replay(folder), [*items, last])


def test_a_replay_makes_the_same_web(tmp_path: Path) -> None:
    """With its encoder, flat field, gaps and outages."""
    rng = np.random.default_rng(1)
    web = rng.integers(20, 200, (900, 80), dtype=np.uint8)
    white = np.linspace(120, 220, 80).astype(np.float32)
    flat = FlatField(0 * white, white, 8, 180.0, 64, "2026-01-01T00:00:00+00:00", CameraSetup("17", 80.0))
    b = [block_of(w, k, encoder=4000 + 2 * np.arange(k * 90, k * 90 + 90)) for k, w in enumerate(np.split(web, 10))]
    items = [b[0], b[1], b[4], Outage(0.5, "unplugged"), b[5], dataclasses.replace(b[8], lost_lines=180), b[9]]
    recorder = Recorder(tmp_path, GB, free_bytes=0)
    direct = read_all(CameraSource(GivenBlocks(items), PositionConfig(lines_per_count=0.5), flat, recorder))
    assert recorder.problem is None
    assert recorder.path is not None
    source = Replay(recorder.path)
    again = read_all(CameraSource(source, source.header.position, source.flat_field))
    assert sum(i.lines for i in direct) == sum(i.lines for i in again) == 900
    for a, d in zip(again, direct, strict=True):
        if isinstance(a, Frame) and isinstance(d, Frame):
            np.testing.assert_array_equal(a.image, d.image)
            assert a.source == d.source
        else:
            assert a == d


def test_a_recording_keeps_the_latest_within_its_bound(tmp_path: Path) -> None:
    items = blocks_of(np.random.default_rng(0).integers(0, 255, (4000, 100), dtype=np.uint8), 20)
    limit = 60_000
    recorder = Recorder(tmp_path, limit, free_bytes=0)
    recorder.begin("camera", PositionConfig(), None)
    largest = 0
    for item in items:
        recorder.record(item)
        if recorder.path is not None:
            largest = max(largest, _size(recorder.path))
    recorder.close()
    assert recorder.problem is None
    assert recorder.path is not None
    assert max(largest, _size(recorder.path)) <= limit
    kept = replay(tmp_path)
    assert len(kept) * items[0].image.nbytes > 0.7 * limit
    assert_same(kept, items[-len(kept) :])


def _size(folder: Path) -> int:
    total = 0
    for path in folder.glob("0*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # it was the oldest
            continue
    return total


def test_nothing_is_written_until_something_comes_and_every_recording_is_its_own(tmp_path: Path) -> None:
    assert record(tmp_path / "none", []).path is None
    assert not (tmp_path / "none").exists()
    items = blocks_of(np.zeros((30, 10), np.uint8), 10)
    paths = {record(tmp_path / "some", items).path for _ in range(3)}
    assert len(paths) == 3
    with pytest.raises(SourceError, match="3 recordings; name one"):
        Replay(tmp_path / "some")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_full_disk_ends_the_recording_not_the_line(tmp_path: Path) -> None:
    import resource

    blocks = blocks_of(np.random.default_rng(0).integers(0, 255, (5000, 100), dtype=np.uint8), 50)
    recorder = Recorder(tmp_path, GB, free_bytes=0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        items = read_all(CameraSource(GivenBlocks(blocks), recorder=recorder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert sum(i.lines for i in items) == 5000
    assert recorder.problem is not None
    assert "has ended" in recorder.problem
    assert "line goes on" in recorder.problem
    kept = replay(tmp_path)  # what was written is good
    assert_same(kept, list(blocks)[: len(kept)])
    assert len(kept) > 10


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    source = CameraSource(
        GivenBlocks(blocks_of(np.zeros((99, 10), np.uint8), 9)), recorder=Recorder(tmp_path / "file", GB)
    )
    assert sum(i.lines for i in read_all(source)) == 99
    assert source.problem is not None
    assert "file" in source.problem


def test_the_disk_is_left_some_room_and_a_block_must_fit(tmp_path: Path) -> None:
    items = blocks_of(np.zeros((99, 10), np.uint8), 9)
    recorder = Recorder(tmp_path, GB, free_bytes=1 << 60)
    recorder.begin("camera", PositionConfig(), None)
    recorder.record(items[0])
    recorder.close()
    assert "are free on the disk" in str(recorder.problem)
    assert "more than the 50" in str(record(tmp_path, items, 50).problem)


class StandingDisk:
    """A disk that stands still, from the first look at it on, until it is let go."""

    def __init__(self) -> None:
        self.is_asked, self.may_go_on = threading.Event(), threading.Event()
        self._really = shutil.disk_usage

    def disk_usage(self, path: Path) -> object:
        self.is_asked.set()
        assert self.may_go_on.wait(60.0)
        return self._really(path)


def test_what_a_slow_disk_does_not_take_is_a_gap_of_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stands still while the first block is written: five wait, the other seventy-four do not fit."""
    disk = StandingDisk()
    monkeypatch.setattr(shutil, "disk_usage", disk.disk_usage)
    items = blocks_of(np.zeros((900, 100), np.uint8), 10)
    recorder = Recorder(tmp_path, GB, free_bytes=0, waiting_bytes=5000)
    recorder.begin("camera", PositionConfig(), None)
    recorder.record(items[0])
    assert disk.is_asked.wait(60.0)
    for item in items[1:80]:
        recorder.record(item)
    assert "too slow" in str(recorder.problem)
    disk.may_go_on.set()
    until(lambda: written_blocks(tmp_path) == 1 + 5)
    for k, item in enumerate(items[80:], start=1):
        recorder.record(item)
        until(lambda k=k: written_blocks(tmp_path) == 1 + 5 + k)
    recorder.close()
    again = replay(tmp_path)
    lines = sum(len(i.image) + i.lost_lines for i in again if isinstance(i, Block))
    assert lines == 900
    assert sum(len(i.image) for i in again if isinstance(i, Block)) == (1 + 5 + 10) * 10


_ENDLESS = """
import sys
from pathlib import Path
import numpy as np
from aoi_app.sources.block import Block
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.recording.format import LINES
from aoi_app.sources.recording.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]), 2_000_000, free_bytes=0)
recorder.begin("camera", PositionConfig(), None)
k = 0
while True:
    recorder.record(Block(np.full((16, 500), k % 251, np.uint8), 8, k, None, None, f"frame {k}", k / 100))
    k += 1
"""


def test_a_killed_program_leaves_a_recording_that_is_good_to_its_end(tmp_path: Path) -> None:
    home = str(Path(str(aoi_app.__file__)).parents[1])
    process = subprocess.Popen([sys.executable, "-c", _ENDLESS, str(tmp_path)], env=os.environ | {"PYTHONPATH": home})
    try:
        until(lambda: len(list(tmp_path.glob("*/0*.jsonl"))) > 3)
    finally:
        process.kill()
        process.wait()
    items = replay(tmp_path)
    ids = [i.frame_id for i in items if isinstance(i, Block)]
    assert len(ids) > 10
    assert ids == list(range(ids[0] or 0, (ids[0] or 0) + len(ids)))
    assert all((i.image == (i.frame_id or 0) % 251).all() for i in items if isinstance(i, Block))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("ending", [".jsonl", ".blocks"])
def test_a_recording_that_is_cut_off_is_good_up_to_there(tmp_path: Path, ending: str, share: float) -> None:
    items = blocks_of(np.random.default_rng(0).integers(0, 255, (500, 100), dtype=np.uint8), 20)
    path = record(tmp_path, items).path
    assert path is not None
    (file,) = path.glob(f"*{ending}")
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    kept = replay(path)
    assert abs(len(kept) - share * len(items)) <= 1.5
    if kept:
        assert_same(kept, items[: len(kept)])


def test_damage_in_the_middle_is_said(tmp_path: Path) -> None:
    items = blocks_of(np.random.default_rng(0).integers(0, 255, (3000, 100), dtype=np.uint8), 20)
    path = record(tmp_path, items, 400_000).path
    assert path is not None
    blocks = sorted(path.glob("*.blocks"))
    assert len(blocks) > 3
    content = bytearray(blocks[1].read_bytes())
    content[50] ^= 1
    blocks[1].write_bytes(content)
    with pytest.raises(SourceError, match="damaged at camera 17 frame"):
        replay(path)
    content[50] ^= 1
    blocks[1].write_bytes(content)
    for suffix in (".blocks", ".jsonl"):
        (path / f"{blocks[1].stem}{suffix}").unlink()
    with pytest.raises(SourceError, match="not whole"):
        replay(path)


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match="no recording of a camera"):
        Replay(tmp_path)
    with pytest.raises(SourceError, match="There is no recording"):
        Replay(tmp_path / "gone")
    with pytest.raises(SourceError, match="is a file"):
        Replay(tmp_path / "a.png")
    header = tmp_path / "recording.json"
    for text in ("", "{}", '{"format": "something else"}', "[1, 2"):
        header.write_text(text)
        with pytest.raises(SourceError, match="does not describe a recording"):
            Replay(tmp_path)
    path = record(tmp_path / "new", blocks_of(np.zeros((9, 9), np.uint8), 9)).path
    assert path is not None
    about = json.loads((path / "recording.json").read_text())
    (path / "recording.json").write_text(json.dumps(about | {"version": 9}))
    with pytest.raises(SourceError, match="version 9"):
        Replay(path)


def test_with_its_original_pace_a_replay_takes_as_long_as_the_recording(tmp_path: Path) -> None:
    items = [
        dataclasses.replace(b, captured_at_s=5.0 + 0.1 * k)
        for k, b in enumerate(blocks_of(np.zeros((40, 9), np.uint8), 10))
    ]
    record(tmp_path, items)
    begun = time.monotonic()
    with Replay(tmp_path, original_pace=True) as source:
        assert source.is_live
        assert source.read(1.0) is not None
        assert source.read(0.001) is None  # not due yet, and not forgotten
        read = [source.read(1.0) for _ in range(3)]
        with pytest.raises(EndOfWeb):
            source.read(1.0)
    assert time.monotonic() - begun >= 0.3
    assert [r.frame_id for r in read if isinstance(r, Block)] == [1, 2, 3]
