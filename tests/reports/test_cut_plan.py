"""The cut plan: the cheapest of all, as trying every one of them shows; what stays, and what has no answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports_tools import defect

from aoi_app.reports.cutting.cut_plan import CutPlan, Span, plan_cuts
from aoi_app.reports.cutting.cut_search import CutProblem, cheapest_cuts
from aoi_app.reports.errors import ReportError
from aoi_app.settings.cutting import CutRules
from cras_core.errors import CrasError


def every_plan(problem: CutProblem, at: int = 0) -> Iterator[tuple[tuple[int, int], ...]]:
    """All plans from a place on, by trying every length at every place."""
    if at >= problem.roll_cm:
        yield ()
        return
    yield from every_plan(problem, at + 1)
    for length in problem.lengths or range(problem.shortest, problem.longest + 1):
        if at + length <= problem.roll_cm and is_allowed(problem, at, at + length):
            yield from (((at, at + length), *rest) for rest in every_plan(problem, at + length))


def is_allowed(problem: CutProblem, begin: int, end: int) -> bool:
    held = sum(a < end and b > begin for a, b in problem.staying)
    return (
        all(b <= begin or a >= end for a, b in problem.forbidden)
        and not any(begin < split < end for split in problem.splits)
        and (problem.most_staying is None or held <= problem.most_staying)
    )


def cost_of(problem: CutProblem, pieces: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    lost = problem.roll_cm - sum(end - begin for begin, end in pieces)
    held = sum(a < end and b > begin for begin, end in pieces for a, b in problem.staying)
    return lost * problem.lost_cost + len(pieces) * problem.piece_cost + held * problem.staying_cost, len(pieces)


@st.composite
def problems(draw: st.DrawFn) -> CutProblem:
    roll_cm = draw(st.integers(0, 10))
    span = st.tuples(st.integers(0, max(roll_cm - 1, 0)), st.integers(1, 3)).map(
        lambda s: (s[0], min(roll_cm, s[0] + s[1]))
    )
    spans = st.lists(span, max_size=3) if roll_cm else st.just([])
    shortest = draw(st.integers(1, 4))
    return CutProblem(
        roll_cm=roll_cm,
        forbidden=draw(spans),
        splits=draw(st.lists(st.integers(0, roll_cm), max_size=1)),
        staying=draw(spans),
        shortest=shortest,
        longest=draw(st.integers(shortest, 6)),
        lengths=draw(st.one_of(st.just(()), st.lists(st.integers(1, 5), min_size=1, max_size=3))),
        most_staying=draw(st.sampled_from([None, 0, 1, 2])),
        lost_cost=draw(st.integers(0, 3)),
        piece_cost=draw(st.integers(0, 4)),
        staying_cost=draw(st.integers(0, 3)),
    )


@settings(max_examples=200)
@given(problems())
def test_no_plan_is_cheaper(problem: CutProblem) -> None:
    """Against all plans there are, and with no more pieces than the cheapest needs."""
    found = cheapest_cuts(problem)
    assert found.pieces in set(every_plan(problem)), "it keeps the rules"
    assert cost_of(problem, found.pieces) == min(cost_of(problem, plan) for plan in every_plan(problem))
    assert found.cost == cost_of(problem, found.pieces)[0]


def plan(*defects: Any, roll_m: float = 100.0, gaps: tuple[Span, ...] = (), **rules: Any) -> CutPlan:
    return plan_cuts(defects, CutRules(**rules), roll_m=roll_m, gaps=gaps)


def spans(result: CutPlan) -> list[tuple[float, float]]:
    return [(piece.start_m, piece.end_m) for piece in result.pieces]


def test_a_roll_without_defects_is_one_piece() -> None:
    result = plan()
    assert (spans(result), result.lost_m, result.cost) == ([(0.0, 100.0)], 0.0, 0.0)


def test_a_defect_is_cut_out_to_the_centimetre() -> None:
    result = plan(defect(at_m=40.004, length_mm=12), price_per_m=2.5)
    assert spans(result) == [(0.0, 40.0), (40.02, 100.0)]
    assert [(lost.start_m, lost.end_m) for lost in result.lost] == [(40.0, 40.02)]
    assert result.cost == pytest.approx(0.05)


def test_cloth_between_two_defects_is_lost_where_it_is_too_short() -> None:
    result = plan(defect(1, at_m=40, length_mm=10), defect(2, at_m=50, length_mm=10), shortest_m=20)
    assert spans(result) == [(0.0, 40.0), (50.01, 100.0)]


def test_small_defects_may_stay_up_to_a_number_and_are_named() -> None:
    three = [defect(n, at_m=20.0 * n, length_mm=5) for n in (1, 2, 3)]
    assert plan(*three, stay_up_to_mm=5).pieces[0].staying == (1, 2, 3)
    result = plan(*three, stay_up_to_mm=5, most_staying=2)
    assert [piece.staying for piece in result.pieces] in ([(1, 2), (3,)], [(1,), (2, 3)])
    assert result.lost_m == 0.0


def test_what_is_paid_back_decides_whether_a_defect_stays() -> None:
    one = defect(at_m=50, length_mm=500, code="K3")
    kept = plan(one, stay_types=("K3",), price_per_m=10, price_per_staying=4.9)
    assert (len(kept.pieces), kept.cost) == (1, 4.9)
    cut = plan(one, stay_types=("K3",), price_per_m=10, price_per_staying=5.1)
    assert (len(cut.pieces), cut.cost, cut.lost_m) == (2, 5.0, pytest.approx(0.5))


def test_fixed_lengths_leave_the_least_over() -> None:
    result = plan(lengths_m=(30, 45), roll_m=100)
    assert result.lost_m == 10, "three of 30 m"
    assert plan(lengths_m=(30, 35), roll_m=100).lost_m == 0


def test_cloth_that_was_not_inspected_is_cut_out_unless_it_may_be_sold() -> None:
    gaps = (Span(30.0, 31.0), Span(60.0, 60.0))
    assert spans(plan(gaps=gaps)) == [(0.0, 30.0), (31.0, 60.0), (60.0, 100.0)]
    assert spans(plan(gaps=gaps, gaps_may_stay=True)) == [(0.0, 100.0)]


def test_a_cut_lies_on_each_splice_unless_a_piece_may_hold_one() -> None:
    rules = CutRules(shortest_m=5.0, longest_m=200.0)
    assert spans(plan_cuts([], rules, roll_m=100.0, splices_m=[40.0])) == [(0.0, 40.0), (40.0, 100.0)]
    beside = rules.model_copy(update={"beside_splice_m": 0.5})
    assert spans(plan_cuts([], beside, roll_m=100.0, splices_m=[40.0])) == [(0.0, 39.5), (40.5, 100.0)]
    stay = rules.model_copy(update={"splices_may_stay": True})
    assert spans(plan_cuts([], stay, roll_m=100.0, splices_m=[40.0])) == [(0.0, 100.0)]


@pytest.mark.parametrize(
    ("roll_m", "rules", "code"),
    [
        (10.0, {}, "cut-plan-no-piece-fits"),
        (0.0, {}, "cut-plan-no-piece-fits"),
        (100.0, {"lengths_m": (120.0,)}, "cut-plan-no-piece-fits"),
        (100.0, {"price_per_piece": 1000.0}, "cut-plan-no-piece-pays"),
        (1e6, {}, "cut-plan-roll-too-long"),
    ],
)
def test_a_plan_that_has_no_answer_says_why(roll_m: float, rules: dict[str, Any], code: str) -> None:
    with pytest.raises(CrasError) as raised:
        plan(roll_m=roll_m, **rules)
    assert raised.value.code == code
    assert isinstance(raised.value, ReportError)


def test_a_long_roll_with_thousands_of_defects() -> None:
    """Every metre of 500 has defects; a piece takes 12."""
    many = [defect(n, at_m=n * 0.2, length_mm=5) for n in range(2500)]
    result = plan(*many, roll_m=500, stay_up_to_mm=5, most_staying=12, shortest_m=2, longest_m=50)
    assert result.lost_m < 1.0
    assert max(len(piece.staying) for piece in result.pieces) <= 12


def test_a_piece_has_a_length() -> None:
    with pytest.raises(ValueError, match="has no length"):
        CutRules(shortest_m=10, longest_m=5)
