"""The cut plan of a roll: which pieces, where they lie, what they hold, and what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.cutting.cut_search import CutProblem, cheapest_cuts
from aoi_app.reports.errors import ReportError
from aoi_app.settings.cutting import CutRules

CM_PER_M = 100
"""Cuts lie on whole centimetres: nobody cuts cloth more precisely."""

_PARTS = 100 * CM_PER_M  # of the unit of the prices: a lost centimetre, at a cent per metre, costs one part
_LONGEST_ROLL_M = 20_000.0  # what the search holds in memory
_SAME = 1e-6  # of a centimetre


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the roll, metres."""

    start_m: float
    end_m: float

    @property
    def length_m(self) -> float:
        """How long it is."""
        return self.end_m - self.start_m


@dataclass(frozen=True, slots=True)
class Piece(Span):
    """A piece that is sold.

    Attributes:
        number: from 1, in the order of the roll.
        staying: numbers of the defects that stay in it.
    """

    number: int
    staying: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CutPlan:
    """
    Attributes:
        rules: that it keeps.
        roll_m: length of the roll, whole centimetres.
        pieces: in the order of the roll.
        lost: what lies between them.
        cost: of the lost metres, the pieces and the defects that stay, in the unit of the prices.
    """

    rules: CutRules
    roll_m: float
    pieces: tuple[Piece, ...]
    lost: tuple[Span, ...]
    cost: float

    @property
    def lost_m(self) -> float:
        """Length that is in no piece."""
        return sum(span.length_m for span in self.lost)


def plan_cuts(
    defects: Iterable[ClothDefect],
    rules: CutRules,
    *,
    roll_m: float,
    gaps: Iterable[Span] = (),
    splices_m: Iterable[float] = (),
) -> CutPlan:
    """Where to cut a roll so that it costs least: exactly the cheapest of all plans whose cuts lie on whole
    centimetres (``cut_search`` says why).

    Args:
        defects: those that count, as grading sees it; in any order.
        rules: what the customer takes.
        roll_m: length of the roll.
        gaps: cloth that was not inspected; one without a length is somewhere where nobody knows how much is missing.
        splices_m: where cloth was spliced.

    Raises:
        ReportError: the roll is too long, no piece fits, or no piece pays; the text says which.
    """
    if roll_m > _LONGEST_ROLL_M:
        raise ReportError(
            "cut-plan-roll-too-long",
            "A roll of {length_m:.0f} m is too long for a cut plan; {most_m:.0f} m are possible.",
            length_m=roll_m,
            most_m=_LONGEST_ROLL_M,
        )
    roll_cm = floor(roll_m * CM_PER_M + _SAME)
    on_roll = [d for d in defects if _span_cm(d.start_m, d.end_m, roll_cm) is not None]
    staying = [d for d in on_roll if may_stay(d, rules)]
    missing = [] if rules.gaps_may_stay else list(gaps)
    missing += [] if rules.splices_may_stay else [_splice(place, rules) for place in splices_m]
    barred = [Span(d.start_m, d.end_m) for d in on_roll if not may_stay(d, rules)]
    barred += [gap for gap in missing if gap.length_m > 0]
    shortest, longest, lengths = _lengths_of(rules)
    problem = CutProblem(
        roll_cm=roll_cm,
        forbidden=_spans_cm(barred, roll_cm),
        splits=[place for gap in missing if gap.length_m <= 0 and 0 <= (place := _cm(gap.start_m)) <= roll_cm],
        staying=_spans_cm([Span(d.start_m, d.end_m) for d in staying], roll_cm),
        shortest=shortest,
        longest=longest,
        lengths=lengths,
        most_staying=rules.most_staying,
        lost_cost=round(rules.price_per_m * 100),
        piece_cost=round(rules.price_per_piece * 100) * CM_PER_M,
        staying_cost=round(rules.price_per_staying * 100) * CM_PER_M,
    )
    solution = cheapest_cuts(problem)
    if not solution.pieces:
        _raise_without_piece(problem)
    return CutPlan(
        rules=rules,
        roll_m=roll_cm / CM_PER_M,
        pieces=tuple(_piece(n, span, staying, roll_cm) for n, span in enumerate(solution.pieces, 1)),
        lost=tuple(Span(a / CM_PER_M, b / CM_PER_M) for a, b in _between(solution.pieces, roll_cm)),
        cost=solution.cost / _PARTS,
    )


def may_stay(defect: ClothDefect, rules: CutRules) -> bool:
    """Whether the customer takes a piece with this defect."""
    return defect.size_mm <= rules.stay_up_to_mm or (
        defect.type_code is not None and defect.type_code in rules.stay_types
    )


def _splice(place_m: float, rules: CutRules) -> Span:
    return Span(max(0.0, place_m - rules.beside_splice_m), place_m + rules.beside_splice_m)


def _lengths_of(rules: CutRules) -> tuple[int, int, tuple[int, ...]]:
    lengths = tuple(sorted({_cm(length) for length in rules.lengths_m}))
    return _cm(rules.shortest_m), _cm(rules.longest_m), lengths


def _cm(metres: float) -> int:
    return round(metres * CM_PER_M)


def _span_cm(start_m: float, end_m: float, roll_cm: int) -> tuple[int, int] | None:
    """The centimetres that a part of the roll touches, one at least; None beside the roll."""
    begin = max(0, floor(start_m * CM_PER_M + _SAME))
    end = min(roll_cm, max(begin + 1, ceil(end_m * CM_PER_M - _SAME)))
    return (begin, end) if begin < end else None


def _spans_cm(spans: Iterable[Span], roll_cm: int) -> list[tuple[int, int]]:
    return [found for span in spans if (found := _span_cm(span.start_m, span.end_m, roll_cm)) is not None]


def _piece(number: int, span: tuple[int, int], staying: Sequence[ClothDefect], roll_cm: int) -> Piece:
    begin, end = span
    held = []
    for defect in staying:
        touched = _span_cm(defect.start_m, defect.end_m, roll_cm)
        if touched is not None and touched[0] < end and touched[1] > begin:
            held.append(defect.number)
    return Piece(begin / CM_PER_M, end / CM_PER_M, number, tuple(sorted(held)))


def _between(pieces: Sequence[tuple[int, int]], roll_cm: int) -> list[tuple[int, int]]:
    ends = [0, *(end for _, end in pieces)]
    begins = [*(begin for begin, _ in pieces), roll_cm]
    return [(a, b) for a, b in zip(ends, begins, strict=True) if a < b]


def _raise_without_piece(problem: CutProblem) -> None:
    """Says why there is no piece: none fits, or none pays."""
    shortest = min(problem.lengths, default=problem.shortest)
    free = CutProblem(
        roll_cm=problem.roll_cm,
        forbidden=problem.forbidden,
        splits=problem.splits,
        staying=problem.staying,
        shortest=shortest,
        longest=shortest,
        most_staying=problem.most_staying,
        lost_cost=1,
    )
    if cheapest_cuts(free).pieces:
        raise ReportError(
            "cut-plan-no-piece-pays",
            "Every piece costs more than the cloth in it is worth. Check the prices of the cut plan.",
        )
    raise ReportError(
        "cut-plan-no-piece-fits",
        "No piece of {shortest_m:.2f} m fits on this roll of {roll_m:.2f} m between what has to be cut out "
        "({count} places). Allow shorter pieces, or defects that stay.",
        shortest_m=shortest / CM_PER_M,
        roll_m=problem.roll_cm / CM_PER_M,
        count=len(problem.forbidden) + len(problem.splits),
    )
