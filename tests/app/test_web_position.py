"""Where blocks lie on the web: no line is forgotten, none is inspected twice, whatever counters and encoders do."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from aoi_app.sources.block import Block, Outage
from aoi_app.sources.position.encoder import PositionConfig
from aoi_app.sources.position.placement import Kept, Missing
from aoi_app.sources.position.web_position import WebPosition
from aoi_app.sources.source import SourceError

LINES = 32
RATE = 1000.0


def block(
    frame_id: int | None = None,
    encoder: Sequence[int] | None = None,
    *,
    lines: int = LINES,
    lost: int = 0,
    at_s: float = 0.0,
) -> Block:
    counts = None if encoder is None else np.array(encoder, np.int64)
    return Block(np.zeros((lines, 8), np.uint8), 8, frame_id, round(at_s * 1e9), counts, "camera", at_s, lost)


def take_all(position: WebPosition, items: Iterable[Block | Outage]) -> list[Missing | Kept]:
    placed: list[Missing | Kept] = []
    for item in items:
        if isinstance(item, Outage):
            position.note(item)
        else:
            placed += position.take(item)
    return [*placed, *position.finish()]


def rows(kept: Kept) -> np.ndarray:
    return np.arange(10_000)[kept.rows] if isinstance(kept.rows, slice) else kept.rows


def total(placed: Iterable[Missing | Kept]) -> int:
    return sum(p.lines if isinstance(p, Missing) else len(rows(p)) for p in placed)


def gaps(placed: Iterable[Missing | Kept]) -> list[tuple[int, str]]:
    return [(p.lines, p.reason) for p in placed if isinstance(p, Missing)]


EVENTS = st.lists(
    st.one_of(
        st.just(("block", 0)),
        st.tuples(st.just("camera lost"), st.integers(1, 400)),
        st.tuples(st.just("reader late"), st.integers(1, 400)),
        st.tuples(st.just("outage"), st.integers(1, 300)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200)
@given(EVENTS, st.sampled_from([1, 65_500, 2**32 - 7, 2**64 - 9, 1000]), st.booleans())
def test_lines_of_the_web_are_those_that_went_by(events: list[tuple[str, int]], first_id: int, counts_on: bool) -> None:
    """Frame ids that jump and wrap, a late reader, and outages after which the count begins anew or goes on."""
    assume(counts_on or first_id == 1000)  # a count that begins anew just where it would have wrapped looks like that
    wrap = next(w for w in (2**16, 2**32, 2**64) if w > first_id)
    blocks_by, frame_id, lost = 0, first_id, 0
    items: list[Block | Outage] = []

    def pass_by(frames: int) -> None:
        nonlocal blocks_by, frame_id
        blocks_by += frames
        for _ in range(frames):
            frame_id = (frame_id + 1) % wrap
            if wrap == 2**16 and frame_id == 0:
                frame_id = 1  # as GigE Vision does

    for event, frames in [("block", 0), ("block", 0), *events]:
        if event == "camera lost":
            pass_by(frames)
        elif event == "reader late":
            pass_by(frames)
            lost += frames * LINES
        elif event == "outage":
            pass_by(frames)
            lost = 0
            frame_id = frame_id if counts_on else 1
            items.append(Outage((frames + 1) * LINES / RATE, "the cable was out"))
        else:
            items.append(block(frame_id, lost=lost, at_s=blocks_by * LINES / RATE))
            lost = 0
            pass_by(1)
            last_by = blocks_by
    while items and isinstance(items[-1], Outage):  # nobody has seen what came after
        items.pop()
    placed = take_all(WebPosition(PositionConfig()), items)
    merged = _estimated(events)
    assert abs(total(placed) - last_by * LINES) <= merged * LINES
    if merged == 0:
        assert total(placed) == last_by * LINES


def _estimated(events: Sequence[tuple[str, int]]) -> int:
    """Outages with other losses beside them: there the clock of the test and the outage's do not mean the same."""
    found, run = 0, []
    for event, frames in [*events, ("block", 0)]:
        if event == "block":
            if any(e == "outage" for e, _ in run) and len(run) > 1:
                found += sum(n for _, n in run)
            run = []
        else:
            run.append((event, frames))
    return found


def test_a_jump_of_the_frame_count_is_a_gap_of_its_lines() -> None:
    placed = take_all(WebPosition(PositionConfig()), [block(7), block(8), block(11), block(12)])
    assert [type(p) for p in placed] == [Kept, Kept, Missing, Kept, Kept]
    ((lines, reason),) = gaps(placed)
    assert lines == 2 * LINES
    assert "before frame 11" in reason


def test_lines_that_the_reader_missed_are_counted_once() -> None:
    placed = take_all(WebPosition(PositionConfig()), [block(1), block(5, lost=2 * LINES)])
    ((lines, reason),) = gaps(placed)
    assert lines == 3 * LINES
    assert f"{2 * LINES} lines came faster" in reason
    assert f"lost {LINES} lines" in reason


def test_a_camera_that_does_not_count_loses_nothing() -> None:
    for frame_id in (None, 0):
        assert gaps(take_all(WebPosition(PositionConfig()), [block(frame_id)] * 4)) == []


def test_a_count_that_begins_anew_is_said_even_where_nobody_knows_the_length() -> None:
    ((lines, reason),) = gaps(take_all(WebPosition(PositionConfig()), [block(900), block(0), block(1)]))
    assert lines == 0
    assert "anew" in reason
    assert "not known" in reason


@pytest.mark.parametrize(("rate", "expected"), [(None, 0), (500.0, 1000 - LINES)])
def test_an_outage_is_as_long_as_the_line_rate_says(rate: float | None, expected: int) -> None:
    items = [block(5), Outage(2.0, "unplugged"), block(0)]
    ((lines, reason),) = gaps(take_all(WebPosition(PositionConfig(lines_per_s=rate)), items))
    assert lines == expected
    assert "unplugged" in reason
    assert ("not known" in reason) == (rate is None)


def test_an_outage_at_the_end_of_the_web_is_a_gap() -> None:
    items = [block(0, at_s=0.0), block(1, at_s=0.1), Outage(1.0, "unplugged"), Outage(1.0, "unplugged")]
    ((lines, _),) = gaps(take_all(WebPosition(PositionConfig()), items))
    assert lines == pytest.approx(2 * LINES / 0.1)


# --- encoder


def delivered(items: list[Block], config: PositionConfig) -> tuple[list[int | None], WebPosition]:
    """For every line of web the true line that the camera saw there, None where it is missing."""
    position = WebPosition(config)
    web: list[int | None] = []
    for item in items:
        assert item.encoder is not None
        for piece in position.take(item):
            if isinstance(piece, Missing):
                web += [None] * piece.lines
            else:
                web += [int(item.encoder[r]) for r in rows(piece)]
    return web, position


WALK = st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 150)), min_size=1, max_size=25)


def walk_of(steps: list[tuple[int, int]], start: int = 100_000) -> np.ndarray:
    return start + np.cumsum(np.concatenate([[0], *(np.full(n, s) for s, n in steps)]))


@settings(max_examples=300)
@given(WALK, st.sampled_from([2, 7, 16, 64]), st.integers(0, 2))
@example([(0, 1), (0, 2), (1, 26), (2, 3)], 16, 0)  # the slack of two blocks adds up
@example([(0, 18), (1, 28), (3, 2)], 16, 0)
def test_each_line_of_web_comes_once_and_in_order(steps: list[tuple[int, int]], size: int, jitter: int) -> None:
    truth = walk_of(steps)
    seen = truth + np.random.default_rng(0).integers(-jitter, jitter + 1, len(truth))
    items = [
        block(k, seen[i : i + size], lines=len(seen[i : i + size])) for k, i in enumerate(range(0, len(seen), size))
    ]
    slack = 2
    web, position = delivered(items, PositionConfig(lines_per_count=1.0, slack_lines=slack))
    known = [(line, count - int(seen[0])) for line, count in enumerate(web) if count is not None]
    assert all(abs(line - true) <= 2 * slack for line, true in known), "its slack, and that of the block before"
    assert len(web) == position.end_line
    assert abs(position.end_line - (int(seen.max()) - int(seen[0]) + 1)) <= slack
    if np.abs(np.diff(seen)).max(initial=0) <= slack + 1:
        assert None not in web


def test_cloth_that_runs_back_and_forth_is_inspected_once() -> None:
    there, back = np.arange(0, 200), np.arange(199, 50, -1)
    truth = np.concatenate([there, back, np.arange(51, 320)]) + 5000
    items = [block(k, truth[i : i + 20], lines=len(truth[i : i + 20])) for k, i in enumerate(range(0, len(truth), 20))]
    web, position = delivered(items, PositionConfig(lines_per_count=1.0))
    assert web == list(range(5000, 5320))
    assert position.repeated_lines == len(truth) - 320


def test_a_web_that_stands_still_before_a_free_running_camera_is_not_cut_by_vibration() -> None:
    rng = np.random.default_rng(3)
    truth = np.concatenate([np.arange(640), 639 + rng.integers(-3, 4, 2000), np.arange(643, 1280)]) + 9000
    items = [block(k, truth[i : i + 64], lines=len(truth[i : i + 64])) for k, i in enumerate(range(0, len(truth), 64))]
    web, _ = delivered(items, PositionConfig(lines_per_count=1.0))
    assert None not in web
    assert abs(len(web) - 1280) <= 2


def test_lines_that_run_straight_on_are_not_copied() -> None:
    position = WebPosition(PositionConfig(lines_per_count=0.25))
    for k in range(10):
        counts = 4 * np.arange(k * LINES, (k + 1) * LINES) + np.random.default_rng(k).integers(-3, 4, LINES)
        assert position.take(block(k, counts)) == (Kept(slice(0, LINES)),)


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 64])
@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_a_counter_that_wraps_goes_on(bits: int, scale: float) -> None:
    half = 1 << (bits - 1)
    start = half - 50 if bits == 64 else (1 << bits) - 50
    web = []
    position = WebPosition(PositionConfig(lines_per_count=scale, encoder_bits=bits))
    for k in range(10):
        true = [start + int(scale) * (k * LINES + i) for i in range(LINES)]
        raw = [(t + half) % (1 << bits) - half if bits == 64 else t % (1 << bits) for t in true]
        web += list(position.take(block(k, raw)))
    assert all(p == Kept(slice(0, LINES)) for p in web)


def test_the_encoder_says_how_much_a_lost_frame_was() -> None:
    items = [block(0, range(1000, 1032)), block(2, range(1100, 1132))]
    assert [n for n, _ in gaps(take_all(WebPosition(PositionConfig(lines_per_count=1.0)), items))] == [68]
    still = [block(0, range(1000, 1032)), block(9, [1031] * 32)]
    assert gaps(take_all(WebPosition(PositionConfig(lines_per_count=1.0)), still)) == []


@pytest.mark.parametrize("within", [False, True])
def test_an_encoder_set_to_zero_hides_no_cloth(within: bool) -> None:
    """Cloth that seems to lie behind must not be left out until the old count is reached again."""
    counts = np.concatenate([np.arange(50_000, 50_000 + (80 if within else 64)), np.arange(320)])
    items = [
        block(k, counts[i : i + 32], lines=len(counts[i : i + 32])) for k, i in enumerate(range(0, len(counts), 32))
    ]
    placed = take_all(WebPosition(PositionConfig(lines_per_count=1.0)), items)
    assert total(placed) == len(counts)
    ((lines, reason),) = gaps(placed)
    assert lines == 0
    assert "encoder has begun anew, at 0" in reason


def test_a_web_that_runs_back_for_ever_is_inspected_again() -> None:
    config = PositionConfig(lines_per_count=1.0, longest_return_lines=300)
    counts = np.arange(10_000, 8_000, -1)
    items = [
        block(k, counts[i : i + 32], lines=len(counts[i : i + 32])) for k, i in enumerate(range(0, len(counts), 32))
    ]
    assert any("anew" in reason for _, reason in gaps(take_all(WebPosition(config), items)))


@pytest.mark.parametrize(("count", "lines"), [(1240, 240 - LINES), (5, 200 - LINES), (90_000, 200 - LINES)])
def test_after_an_outage_the_encoder_is_believed_where_the_clock_agrees(count: int, lines: int) -> None:
    config = PositionConfig(lines_per_count=1.0, lines_per_s=100.0)
    items = [block(4, range(1000, 1000 + LINES)), Outage(2.0, "out"), block(0, range(count, count + LINES))]
    ((found, reason),) = gaps(take_all(WebPosition(config), items))
    assert found == lines
    assert ("by the encoder" in reason) == (count == 1240)


@pytest.mark.parametrize("pitch", [1.0, 0.5, 1.9])
def test_an_encoder_read_once_a_block_scales_the_lines(pitch: float) -> None:
    """A free-running camera: half or nearly twice the lines of web per line."""
    position = WebPosition(PositionConfig(lines_per_count=1.0))
    placed = take_all(position, [block(k, [round(k * 64 * pitch)], lines=64) for k in range(50)])
    assert gaps(placed) == []
    assert total(placed) == position.end_line == pytest.approx(50 * 64 * pitch, abs=70)


def test_a_web_much_faster_than_the_camera_is_one_gap_and_says_so() -> None:
    items = [block(k, range(k * 320, k * 320 + 320, 10)) for k in range(5)]
    placed = take_all(WebPosition(PositionConfig(lines_per_count=1.0)), items)
    assert total(placed) == 4 * 320 + 311
    assert all("10" in reason and "line rate" in reason for _, reason in gaps(placed)[1:])


def test_speed_follows_the_encoder_and_its_sign() -> None:
    position = WebPosition(PositionConfig(lines_per_count=1.0))
    for k in range(10):
        position.take(block(k, range(1000 + k * 32, 1032 + k * 32), at_s=k * 0.1))
    assert position.lines_per_s == pytest.approx(320)
    for k in range(10, 60):
        position.take(block(k, range(1288 - (k - 10) * 8, 1256 - (k - 10) * 8, -1), at_s=k * 0.1))
    assert position.lines_per_s == pytest.approx(-80, rel=0.05)


@pytest.mark.parametrize("tick_s", [1e-9, 1e-6, 8e-9, None])
def test_speed_is_right_whatever_the_camera_calls_a_nanosecond(tick_s: float | None) -> None:
    position = WebPosition(PositionConfig())
    for k in range(40):
        stamp = None if tick_s is None else round(k * 0.05 / tick_s)
        position.take(dataclasses.replace(block(k), timestamp_ns=stamp, captured_at_s=7.0 + k * 0.05))
    assert position.lines_per_s == pytest.approx(LINES / 0.05)


@pytest.mark.parametrize(
    "bad", [{"lines_per_count": 0.0}, {"encoder_bits": 7}, {"slack_lines": -1}, {"lines_per_s": 0.0}]
)
def test_settings_that_cannot_be_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SourceError):
        PositionConfig(**bad)


def test_frames_that_are_missing_by_count_but_not_by_clock_are_said_to_be_doubtful() -> None:
    """A camera that counts wrongly makes cloth out of nothing."""
    seconds = LINES / RATE
    evenly = [block(k, at_s=k * seconds) for k in range(4)]
    jumped = [*evenly, block(14, at_s=4 * seconds), block(15, at_s=5 * seconds)]
    lost = [*evenly, block(14, at_s=14 * seconds)]
    doubtful, certain = (gaps(take_all(WebPosition(PositionConfig()), blocks)) for blocks in (jumped, lost))
    assert [lines for lines, _ in doubtful] == [lines for lines, _ in certain] == [10 * LINES]
    assert "clock shows no hole" in doubtful[0][1]
    assert "clock" not in certain[0][1]


def test_blocks_without_counts_of_the_encoder_are_counted_while_they_follow_each_other() -> None:
    position = WebPosition(PositionConfig(lines_per_count=1.0))
    seen = []
    for k, counts in enumerate(([0], None, [], [3 * LINES], None)):
        position.take(block(k, counts))
        seen.append(position.blocks_without_counts)
    assert seen == [0, 1, 2, 0, 1]
    assert position.end_line == 5 * LINES
