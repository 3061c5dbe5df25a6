"""Several cameras across one web: the web as if one camera had seen it, each column once."""

import time
from collections.abc import Iterable
from types import TracebackType

import numpy as np
import pytest
from aoi_fakes import PLAIN, frame, gaps_of, inspect_all, listed, read_all, roll_inspection
from camera_fakes import GivenBlocks, blocks_of
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.block import Outage
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.loom import Loom, LoomConfig
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.side_by_side import Neighbour, SideBySide
from aoi_app.sources.source import EndOfWeb, FrameSource, SourceError
from cras_core.detectors.cras.detector import CrasDetector


class Given:
    """A source that delivers what it was given, None where nothing comes."""

    total_lines = None

    def __init__(self, items: Iterable[Frame | Lost | None], name: str = "A", *, is_live: bool = False) -> None:
        self.name, self.is_live = name, is_live
        self._items = list(items)
        self._next = 0
        self.is_open = False

    def __enter__(self) -> "Given":
        self._next, self.is_open = 0, True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False

    def read(self, timeout_s: float) -> Frame | Lost | None:
        if self._next >= len(self._items):
            raise EndOfWeb
        self._next += 1
        return self._items[self._next - 1]


def pieces(web: np.ndarray, sizes: list[int], lost: list[bool], name: str) -> list[Frame | Lost | None]:
    """A web in pieces of these sizes over and over, some of them lost, with pauses between them."""
    found: list[Frame | Lost | None] = []
    line, k = 0, 0
    while line < len(web):
        part = web[line : line + sizes[k % len(sizes)]]
        found.append(Lost(len(part), "gone", name) if lost[k % len(lost)] else Frame(part, f"{name} {k}", 0.0))
        found += [None] * (k % 3)
        line, k = line + len(part), k + 1
    return found


SIZES = st.lists(st.integers(1, 90), min_size=1, max_size=6)
LOST = st.lists(st.booleans(), min_size=1, max_size=6).map(lambda few: [*few, False, False])


@settings(max_examples=120)
@given(
    st.lists(st.tuples(SIZES, LOST, st.integers(0, 41)), min_size=1, max_size=4),
    st.integers(1, 700),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_a_split_web_comes_back_as_it_was(
    cameras: list[tuple[list[int], list[bool], int]], lines: int, colour: bool, seed: int
) -> None:
    """Cameras with frames and losses of their own; what any of them lost is lost, all else is the web."""
    rng = np.random.default_rng(seed)
    overlaps = [0, *(overlap for _, _, overlap in cameras[1:])]
    width = 60 * len(cameras) - sum(overlaps)
    web = rng.integers(0, 255, (lines, width, 3) if colour else (lines, width), np.uint8)
    sides, left, gone = [], 0, np.zeros(lines, bool)
    for k, ((sizes, lost, _), overlap) in enumerate(zip(cameras, overlaps, strict=True)):
        left -= overlap
        parts = pieces(web[:, left : left + 60], sizes, lost, f"camera {k}")
        left += 60
        line = 0
        for part in parts:
            if isinstance(part, Lost):
                gone[line : line + part.lines] = True
            line += part.lines if part is not None else 0
        sides.append(Neighbour(Given(parts, f"camera {k}"), overlap))
    line = 0
    for item in read_all(SideBySide(sides)):
        if isinstance(item, Frame):
            np.testing.assert_array_equal(item.image, web[line : line + item.lines])
        assert gone[line : line + item.lines].all() == isinstance(item, Lost)
        assert gone[line : line + item.lines].any() == isinstance(item, Lost)
        line += item.lines
    assert line == lines


def two(web: np.ndarray, a: slice, b: slice, *, overlap: int = 20) -> list[Neighbour]:
    """A web seen by two cameras, the second of which does not begin with it."""
    middle = web.shape[1] // 2
    left, right = web[a, : middle + overlap // 2], web[b, middle - (overlap - overlap // 2) :]
    return [
        Neighbour(Given(pieces(left, [40], [False], "A"))),
        Neighbour(Given(pieces(right, [33], [False], "B"), "B"), overlap, b.start - a.start),
    ]


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_cameras_that_are_mounted_one_behind_the_other_see_the_same_line(late: int) -> None:
    web = np.random.default_rng(0).integers(0, 255, (500, 120), dtype=np.uint8)
    a, b = max(0, late), max(0, -late)
    items = read_all(SideBySide(two(web, slice(a, 450 + a), slice(b, 450 + b))))
    assert all(isinstance(i, Frame) for i in items)
    np.testing.assert_array_equal(
        np.concatenate([i.image for i in items if isinstance(i, Frame)]), web[abs(late) : 450]
    )


def test_what_one_camera_sees_after_the_end_of_the_other_is_lost() -> None:
    web = np.random.default_rng(0).integers(0, 255, (9000, 120), dtype=np.uint8)
    items = read_all(SideBySide(two(web, slice(0, 300), slice(0, 9000)), ahead_lines=500))
    assert sum(i.lines for i in items if isinstance(i, Frame)) == 300
    lost = [i for i in items if isinstance(i, Lost)]
    assert sum(i.lines for i in lost) == 8700
    assert len(lost) == 1
    assert lost[0].reason == "A: it has ended before the others"


def test_losses_name_their_cameras_and_follow_each_other_as_one() -> None:
    web = np.zeros((300, 50), np.uint8)
    a = [frame(web[:100], "a0"), Lost(100, "cable", "A"), frame(web[200:], "a1")]
    b = [frame(web[:50], "b0"), *(frame(web[:25], f"b{k}") for k in range(1, 11))]
    items = read_all(SideBySide([Neighbour(Given(a)), Neighbour(Given(b, "B"), 10)]))
    assert [i.lines for i in items if isinstance(i, Lost)] == [100]
    assert [i.reason for i in items if isinstance(i, Lost)] == ["A: cable"]
    names = [i.source for i in items]
    assert len(set(names)) == len(names)


def test_a_loss_of_unknown_length_and_a_new_web_come_in_their_place() -> None:
    web = np.zeros((100, 50), np.uint8)
    a = [frame(web, "a0"), Lost(0, "turned", "A", starts_web=True), frame(web[:, :40], "a1")]
    b = [frame(web, "b0"), frame(web, "b1")]
    items = read_all(SideBySide([Neighbour(Given(a)), Neighbour(Given(b, "B"), 10)]))
    assert [(type(i), i.lines, i.starts_web) for i in items] == [
        (Frame, 100, False),
        (Lost, 0, True),
        (Frame, 100, False),
    ]
    assert [i.width_px for i in items if isinstance(i, Frame)] == [90, 80]


class Slow(Given):
    """Silent for a while in the middle, as a camera without its cable; then it delivers all that it has."""

    def __init__(self, items: Iterable[Frame | Lost | None], name: str, at: int, silent_s: float) -> None:
        super().__init__(items, name, is_live=True)
        self._at, self._silent_s, self._until_s = at, silent_s, 0.0

    def read(self, timeout_s: float) -> Frame | Lost | None:
        if self._next == self._at:
            self._until_s = self._until_s or time.monotonic() + self._silent_s
            if time.monotonic() < self._until_s:
                time.sleep(timeout_s)
                return None
        return super().read(timeout_s)


def test_a_silent_camera_is_waited_for_in_vain_only_so_long() -> None:
    web = np.random.default_rng(0).integers(0, 255, (6000, 100), dtype=np.uint8)
    a = [frame(web[i : i + 50, :60], f"a{i}") for i in range(0, 6000, 50)]
    b = [frame(web[i : i + 50, 40:], f"b{i}") for i in range(0, 6000, 50)]
    sides = [Neighbour(Given(a, is_live=True)), Neighbour(Slow(b, "B", 20, 0.5), 20)]
    items = read_all(SideBySide(sides, ahead_lines=1000, patience_s=0.1))
    line = 0
    for item in items:
        if isinstance(item, Frame):
            np.testing.assert_array_equal(item.image, web[line : line + item.lines])
        else:
            assert "B: nothing comes from it" in item.reason
        line += item.lines
    assert line == 6000
    assert sum(i.lines for i in items if isinstance(i, Lost)) > 1000


def test_a_web_that_stands_still_is_not_lost() -> None:
    """The second camera's buffer is not full yet when the web stops; it comes when the web goes on."""
    web = np.random.default_rng(0).integers(0, 255, (300, 100), dtype=np.uint8)
    a = [frame(web[:100, :60], "a0"), frame(web[100:200, :60], "a1"), frame(web[200:, :60], "a2")]
    b = [frame(web[:70, 40:], "b0"), frame(web[70:170, 40:], "b1"), frame(web[170:, 40:], "b2")]
    sides = [Neighbour(Given(a, is_live=True)), Neighbour(Slow(b, "B", 1, 0.3), 20)]
    items = read_all(SideBySide(sides, patience_s=0.05))
    assert all(isinstance(i, Frame) for i in items)
    np.testing.assert_array_equal(np.concatenate([i.image for i in items if isinstance(i, Frame)]), web)


def test_what_cannot_be_side_by_side_is_refused() -> None:
    grey, colour = frame(np.zeros((9, 50), np.uint8)), frame(np.zeros((9, 50, 3), np.uint8))
    with pytest.raises(SourceError, match="at least one"):
        SideBySide([])
    with pytest.raises(SourceError, match="to its left"):
        SideBySide([Neighbour(Given([]), 5)])
    with pytest.raises(SourceError, match="less than it shares"):
        read_all(SideBySide([Neighbour(Given([grey])), Neighbour(Given([grey], "B"), 100)]))
    with pytest.raises(SourceError, match="alike"):
        read_all(SideBySide([Neighbour(Given([grey])), Neighbour(Given([colour], "B"), 5)]))


class Broken(Given):
    def __enter__(self) -> "Given":
        raise SourceError("no-camera", "no such camera")


def test_a_camera_that_cannot_be_opened_leaves_none_open() -> None:
    first = Given([])
    with pytest.raises(SourceError, match="no such camera"), SideBySide([Neighbour(first), Neighbour(Broken([]), 5)]):
        pass
    assert not first.is_open


def test_a_defect_on_the_seam_is_one_defect(inspector: CrasDetector) -> None:
    """Loom cloth through two cameras with outages and encoders of their own, inspected by the real model."""
    loom = Loom(LoomConfig(weave="plain", width_px=1024, seed=12, defects_per_1000_lines=0.0))
    web = loom.weave(0, 1400).copy()
    web[500:560, 480:560] = (web[500:560, 480:560] * 0.35).astype(np.uint8)

    def camera(part: np.ndarray, lines: int, start: int, name: str) -> FrameSource:
        blocks = []
        for b in blocks_of(np.ascontiguousarray(part), lines, name=name):
            first = (b.frame_id or 0) * lines
            counts = start + 4 * np.arange(first, first + len(b.image))
            blocks.append(type(b)(b.image, 8, b.frame_id, b.timestamp_ns, counts, b.source, b.captured_at_s))
        given = [*blocks[:9], Outage(0.2, "unplugged"), *blocks[10:]] if name == "B" else blocks
        from aoi_app.sources.position.encoder import PositionConfig

        return CameraSource(GivenBlocks(given, name), PositionConfig(lines_per_count=0.25))

    a, b = camera(web[:, :552], 128, 800, "A"), camera(web[:, 488:], 100, -77_000, "B")
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe())
    outcomes = inspect_all(inspection, read_all(SideBySide([Neighbour(a), Neighbour(b, 64)])))
    direct = listed(inspect_all(RollInspection(inspector, inspector.config.tiling, Recipe()), [frame(web[:900])]))
    on_seam = [d for d in listed(outcomes) if d.first_line < 560 and d.end_line > 500 and d.right_px > 480]
    assert len(on_seam) == 1
    assert on_seam[0].left_px < 520 < on_seam[0].right_px
    assert [(d.first_line, d.end_line, d.left_px, d.right_px) for d in listed(outcomes) if d.end_line < 900] == [
        (d.first_line, d.end_line, d.left_px, d.right_px) for d in direct
    ]
    assert [(g.first_line, g.lines) for g in gaps_of(outcomes)] == [(900, 100)]
    assert "B: unplugged" in gaps_of(outcomes)[0].reason


def test_one_camera_alone_is_a_web() -> None:
    web = np.zeros((200, 256), np.uint8)
    web[50:80, 100:140] = 200
    source = SideBySide([Neighbour(CameraSource(GivenBlocks(blocks_of(web, 30))))])
    (defect,) = listed(inspect_all(roll_inspection(PLAIN), read_all(source)))
    assert defect.left_px == 96


def test_what_one_of_the_cameras_has_to_say_is_told_with_its_name() -> None:
    web = np.full((200, 64), 90, np.uint8)
    counting = PositionConfig(lines_per_count=1.0)
    silent = CameraSource(GivenBlocks(blocks_of(web, 50)), counting)
    well = CameraSource(GivenBlocks(blocks_of(web, 50)))
    with SideBySide([Neighbour(well), Neighbour(silent)]) as source:
        while source.status is not None and not source.status.problem:
            source.read(0.0)
        assert source.status is not None
        assert source.status.problem.startswith(f"{silent.name}: the encoder gives no counts")
        assert len(source.status.remarks) == 1
    assert SideBySide([Neighbour(Given([])), Neighbour(Given([]))]).status is None
