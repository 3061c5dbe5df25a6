"""The one place where frames wait: bounded, in order, and honest about what it lost."""

import itertools
import threading

import numpy as np
import pytest
from aoi_fakes import until
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.live.frame_queue import FrameQueue
from aoi_app.sources.frame import Frame, Lost


def frame(lines: int, name: str = "f") -> Frame:
    return Frame(np.zeros((lines, 4), np.uint8), name, 0.0)


def lost(lines: int, name: str = "l") -> Lost:
    return Lost(lines, "unreadable", name)


def drained(queue: FrameQueue) -> list[Frame | Lost]:
    items = []
    while not queue.is_drained:
        item = queue.get(0.0)
        if item is not None:
            items.append(item)
    return items


def test_frames_come_out_in_order() -> None:
    queue = FrameQueue(100, drops=True)
    for name in "abc":
        assert queue.put(frame(10, name), 0.0)
    assert queue.lines == 30
    queue.close()
    assert [i.source for i in drained(queue)] == ["a", "b", "c"]


def test_a_full_queue_leaves_out_live_frames_until_it_is_half_empty_and_says_so_in_order() -> None:
    queue = FrameQueue(40, drops=True)
    for name in "abcdefg":
        queue.put(frame(10, name), 0.0)  # e, f and g find it full
    assert queue.get(0.0).source == "a"
    queue.put(frame(10, "h"), 0.0)  # 30 wait: more than half
    assert queue.get(0.0).source == "b"
    assert queue.get(0.0).source == "c"
    queue.put(frame(10, "i"), 0.0)  # half empty again
    queue.close()
    items = drained(queue)
    assert [(type(i), i.lines, i.source) for i in items] == [(Frame, 10, "d"), (Lost, 40, "e"), (Frame, 10, "i")]
    assert "could not keep up" in items[1].reason


def test_a_loss_at_the_end_is_said_when_the_queue_closes() -> None:
    queue = FrameQueue(20, drops=True)
    for name in "abcd":
        queue.put(frame(10, name), 0.0)
    queue.close()
    assert [(type(i), i.lines) for i in drained(queue)] == [(Frame, 10), (Frame, 10), (Lost, 20)]


def test_what_was_lost_before_the_queue_takes_no_room_in_it() -> None:
    queue = FrameQueue(40, drops=True)
    for _ in range(5):
        queue.put(lost(1000), 0.0)
        queue.get(0.0)
    assert queue.lines == 0
    for name in "abcdef":
        queue.put(frame(10, name), 0.0)
    assert queue.lines <= 40
    queue.close()
    assert sum(i.lines for i in drained(queue) if isinstance(i, Frame)) == 40


def test_a_loss_that_the_source_reports_keeps_its_reason_in_a_full_queue() -> None:
    queue = FrameQueue(20, drops=True)
    queue.put(frame(10, "a"), 0.0)
    queue.put(frame(10, "b"), 0.0)
    queue.put(lost(1000, "c"), 0.0)
    assert queue.get(0.0).source == "a"
    queue.put(frame(10, "d"), 0.0)  # there is room for it
    queue.close()
    items = drained(queue)
    assert [(type(i), i.source) for i in items] == [(Frame, "b"), (Lost, "c"), (Frame, "d")]
    assert items[1].reason == "unreadable"


def test_a_frame_larger_than_the_queue_goes_through_an_empty_one() -> None:
    for drops in (True, False):
        queue = FrameQueue(10, drops=drops)
        assert queue.put(frame(1000), 0.0)
        assert isinstance(queue.get(0.0), Frame)


def test_the_fill_is_that_of_the_backlog() -> None:
    live, waiting = FrameQueue(40, drops=True), FrameQueue(1, drops=False)
    for queue in (live, waiting):
        queue.put(frame(10), 0.0)
    assert live.fill == 0.25
    assert waiting.fill == 0.0
    for _ in range(10):
        live.put(frame(10), 0.0)
    assert live.fill == 1.0


def test_a_source_that_can_wait_waits_for_room() -> None:
    queue = FrameQueue(1, drops=False)
    assert queue.put(frame(10, "a"), 0.0)
    assert not queue.put(frame(10, "b"), 0.01)
    done = threading.Event()

    def put() -> None:
        assert queue.put(frame(10, "b"), 60.0)
        done.set()

    thread = threading.Thread(target=put)
    thread.start()
    assert not done.wait(0.05)
    assert queue.get(0.0).source == "a"
    assert done.wait(60.0)
    thread.join()
    assert queue.get(0.0).source == "b"


def test_an_empty_queue_gives_nothing_within_the_time() -> None:
    queue = FrameQueue(10, drops=True)
    assert queue.get(0.01) is None
    assert not queue.is_drained


def test_closing_wakes_whoever_waits() -> None:
    empty, full = FrameQueue(1, drops=False), FrameQueue(1, drops=False)
    full.put(frame(5), 0.0)
    threads = [
        threading.Thread(target=empty.get, args=(60.0,)),
        threading.Thread(target=full.put, args=(frame(5), 60.0)),
    ]
    for thread in threads:
        thread.start()
    empty.close()
    full.close()
    for thread in threads:
        thread.join(60.0)
        assert not thread.is_alive()
    assert empty.is_drained


def test_a_closed_queue_is_drained_only_when_everything_was_taken() -> None:
    queue = FrameQueue(100, drops=True)
    queue.put(frame(5), 0.0)
    queue.close()
    assert not queue.is_drained
    queue.get(0.0)
    assert queue.is_drained


items = st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=60)


@settings(max_examples=60)
@given(items, st.integers(1, 150), st.lists(st.integers(0, 4), min_size=1, max_size=20))
def test_no_line_disappears_and_the_queue_stays_bounded(
    puts: list[tuple[bool, int]], capacity: int, takes: list[int]
) -> None:
    queue, got, turn = FrameQueue(capacity, drops=True), [], itertools.cycle(takes)
    for k, (is_frame, lines) in enumerate(puts):
        queue.put(frame(lines, str(k)) if is_frame else lost(lines, str(k)), 0.0)
        assert 0 <= queue.lines <= max(capacity, max((n for f, n in puts if f), default=0))
        for _ in range(next(turn)):
            item = queue.get(0.0)
            if item is not None:
                got.append(item)
    queue.close()
    got += drained(queue)
    assert sum(i.lines for i in got) == sum(n for _, n in puts)
    assert [int(i.source) for i in got] == sorted(int(i.source) for i in got)


@pytest.mark.parametrize("drops", [True, False])
def test_between_two_threads_every_line_is_taken_or_lost(drops: bool) -> None:
    rng = np.random.default_rng(1)
    sizes = [int(n) for n in rng.integers(1, 50, 1500)]
    queue, got = FrameQueue(300 if drops else 1, drops=drops), []

    def take() -> None:
        while not queue.is_drained:
            item = queue.get(0.05)
            if item is not None:
                got.append(item)
            if len(got) % 3 == 0:
                threading.Event().wait(0.0005)

    thread = threading.Thread(target=take)
    thread.start()
    for k, size in enumerate(sizes):
        while not queue.put(frame(size, str(k)), 0.5):
            pass
    queue.close()
    thread.join(120.0)
    until(lambda: not thread.is_alive())
    assert sum(i.lines for i in got) == sum(sizes)
    starts = [int(i.source) for i in got]
    assert starts == sorted(starts)
    line = dict(zip(range(len(sizes) + 1), itertools.accumulate([0, *sizes]), strict=True))
    position = 0
    for item in got:  # every piece begins where the one before it ended
        assert line[int(item.source)] == position
        position += item.lines
    if not drops:
        assert all(isinstance(i, Frame) for i in got)
