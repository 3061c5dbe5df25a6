"""The cheapest way to cut a roll, on whole numbers: centimetres of the roll, and costs in parts of a cent.

**Why it is exact.** A plan is a sequence of decisions from the begin of the roll to its end: either the next centimetre
is lost, or a piece of an allowed length begins here. What the rest of the roll costs depends only on the place that has
been reached, not on how it was reached; so the cheapest way to a place is made of the cheapest way to some place before
it, and one more decision (Bellman). ``best[e]``, the least cost of the centimetres before ``e``, follows from

    best[e] = min( best[e - 1] + lost,
                   min over s of best[s] + piece + staying * defects(s, e) )

over all begins ``s`` for which ``s .. e`` is an allowed piece. All of them are looked at, so no plan is overlooked;
costs are whole numbers, so nothing is rounded. Of plans that cost the same the one with fewer pieces is taken.

**Why it is quick.** Defects that may stay and lie in the piece are those that begin before ``e`` without those that end
at or before ``s``: ``defects(s, e) = begun[e] - ended[s]``, a part of ``e`` and a part of ``s``. So the inner minimum
is one of ``best[s] - staying * ended[s]`` over a window of begins. Both ends of the window only move forward while
``e`` does (a piece may not be too long, hold a forbidden centimetre, or hold too many defects), and the least value of
a window that moves forward is kept in a queue, each begin entering and leaving it once. With a list of lengths there
are only as many begins as lengths.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

_Cost = tuple[int, int]
"""What it costs, and how many pieces: the second decides where the first is the same."""


@dataclass(frozen=True, slots=True)
class CutProblem:
    """
    Attributes:
        roll_cm: length of the roll.
        forbidden: spans ``(begin, end)`` of centimetres, ``begin < end``, that no piece may hold.
        splits: places between two centimetres, 0 to ``roll_cm``, that no piece may reach over.
        staying: spans of defects that may stay; each counts in every piece that holds a part of it.
        shortest, longest: of a piece, centimetres.
        lengths: of a piece, instead of the two above.
        most_staying: defects in one piece; None is any number.
        lost_cost, piece_cost, staying_cost: of a centimetre in no piece, of a piece, of a defect in a piece.
    """

    roll_cm: int
    forbidden: Sequence[tuple[int, int]] = ()
    splits: Sequence[int] = ()
    staying: Sequence[tuple[int, int]] = ()
    shortest: int = 1
    longest: int = 1
    lengths: Sequence[int] = ()
    most_staying: int | None = None
    lost_cost: int = 1
    piece_cost: int = 0
    staying_cost: int = 0


@dataclass(frozen=True, slots=True)
class CutSolution:
    """
    Attributes:
        cost: of the whole roll.
        pieces: their centimetres ``(begin, end)``, from the begin of the roll.
    """

    cost: int
    pieces: tuple[tuple[int, int], ...]


def cheapest_cuts(problem: CutProblem) -> CutSolution:
    """The cheapest plan; one without any piece where none is allowed or none pays. Takes time in proportion to the
    centimetres, times the number of lengths where there is a list of them.
    """
    begun, ended = _counts(problem)
    first = _first_begins(problem, begun, ended)
    best: list[_Cost] = [(0, 0)]
    begin_of = [-1]  # of the piece that ends here; -1 where the centimetre before is lost
    window = _Window(problem, best, ended)
    for end in range(1, problem.roll_cm + 1):
        cost, pieces = best[end - 1]
        least, chosen = (cost + problem.lost_cost, pieces), -1
        for begin in window.begins(end, first[end]):
            cost, pieces = best[begin]
            staying = begun[end] - ended[begin]
            with_piece = (cost + problem.piece_cost + problem.staying_cost * staying, pieces + 1)
            if with_piece < least:
                least, chosen = with_piece, begin
        best.append(least)
        begin_of.append(chosen)
    return CutSolution(best[-1][0], tuple(_pieces(begin_of)))


class _Window:
    """The begins that a piece may have which ends at a place, as far as one of them can be the cheapest."""

    def __init__(self, problem: CutProblem, best: Sequence[_Cost], ended: Sequence[int]) -> None:
        """``best`` grows while ends are asked for, one after the other."""
        self._problem, self._best, self._ended = problem, best, ended
        self._queue: deque[tuple[_Cost, int]] = deque()  # costs that rise, with their begins

    def begins(self, end: int, first: int) -> Iterable[int]:
        """Begins to be tried for an end; ``first`` is the least that is allowed."""
        if self._problem.lengths:
            return [end - length for length in self._problem.lengths if end - length >= first]
        return self._cheapest(end - self._problem.shortest, max(first, end - self._problem.longest))

    def _cheapest(self, last: int, first: int) -> Iterable[int]:
        if last >= 0:
            cost, pieces = self._best[last]
            key = (cost - self._problem.staying_cost * self._ended[last], pieces)
            while self._queue and self._queue[-1][0] >= key:
                self._queue.pop()  # dearer, and sooner out of the window: never the cheapest again
            self._queue.append((key, last))
        while self._queue and self._queue[0][1] < first:
            self._queue.popleft()
        return [self._queue[0][1]] if self._queue else []


def _counts(problem: CutProblem) -> tuple[list[int], list[int]]:
    """Defects that may stay and begin before a place, and those that end at or before it; for every place."""
    begun, ended = [0] * (problem.roll_cm + 1), [0] * (problem.roll_cm + 1)
    for begin, end in problem.staying:
        begun[begin + 1] += 1
        ended[end] += 1
    return list(accumulate(begun)), list(accumulate(ended))


def _first_begins(problem: CutProblem, begun: Sequence[int], ended: Sequence[int]) -> list[int]:
    """For every end of a piece the first begin that the roll allows, which never moves back; the end itself where no
    piece may end.
    """
    steps, splits = [0] * (problem.roll_cm + 1), set(problem.splits)
    for begin, end in problem.forbidden:
        steps[begin] += 1
        steps[end] -= 1
    depth = list(accumulate(steps))  # how many forbidden spans a centimetre lies in
    first = [0]
    for end in range(1, problem.roll_cm + 1):
        least = end if depth[end - 1] else first[-1]
        if end - 1 in splits:
            least = max(least, end - 1)
        if problem.most_staying is not None:
            least = max(least, bisect_left(ended, begun[end] - problem.most_staying))
        first.append(min(least, end))
    return first


def _pieces(begin_of: Sequence[int]) -> list[tuple[int, int]]:
    """The pieces of the cheapest plan, read from its end."""
    found, end = [], len(begin_of) - 1
    while end > 0:
        begin = begin_of[end]
        if begin >= 0:
            found.append((begin, end))
        end = begin if begin >= 0 else end - 1
    return found[::-1]
