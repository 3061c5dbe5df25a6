"""How much of a roll was inspected well, and what it was worth."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from aoi_app.alarms.inspected_lines import InspectedLines
from aoi_app.alarms.roll_worth import RollWorth


def test_lines_are_good_or_with_reserve() -> None:
    lines = InspectedLines()
    lines.add(0, 512, spoiled=False)
    lines.add(512, 500, spoiled=True)
    assert (lines.good, lines.reserve) == (512, 500)


def test_a_doubt_that_is_told_late_holds_from_where_it_began() -> None:
    lines = InspectedLines()
    for k in range(6):
        lines.add(512 * k, 512, spoiled=False)
    lines.spoil_from(1024)
    assert (lines.good, lines.reserve) == (1024, 2048)
    lines.spoil_from(1024)
    assert (lines.good, lines.reserve) == (1024, 2048), "told again"
    lines.add(3072, 512, spoiled=False)
    assert (lines.good, lines.reserve) == (1536, 2048)


def test_only_what_is_near_can_be_doubted_later_so_that_a_day_does_not_fill_the_memory() -> None:
    lines = InspectedLines()
    for k in range(10_000):
        lines.add(512 * k, 512, spoiled=False)
    lines.spoil_from(0)
    assert 0 < lines.reserve < 20 * 512
    assert lines.good + lines.reserve == 512 * 10_000


def test_the_headline_names_what_is_missing_and_hides_what_is_not_there() -> None:
    assert RollWorth(5.2, 0.0, 0.0).text == "5.20 m good, nothing missed"
    assert RollWorth(5.2, 0.3, 35.6, 1.0, 4).text == (
        "5.20 m good, 0.30 m with reserve, 35.60 m NOT INSPECTED, 1.00 m left out as wanted"
    )
    unknown = RollWorth(5.2, 0.0, 0.0, missed_gaps=1)
    assert unknown.is_missed
    assert unknown.text == "5.20 m good, 0.00 m NOT INSPECTED (an unknown length)"
    assert not RollWorth(5.2, 1e-9, 1e-9).has_reserve


@given(st.lists(st.floats(0, 300, allow_nan=False), min_size=4, max_size=4))
def test_the_lengths_of_the_headline_add_up_to_the_roll(lengths: list[float]) -> None:
    good, reserve, missed, left_out = lengths
    worth = RollWorth(good + 0.05, reserve, missed, left_out, missed_gaps=1)
    shown = [round(100 * float(length)) for length in re.findall(r"([\d.]+) m ", worth.text)]
    hidden = sum(round(100 * length) for length in (reserve, left_out) if length <= 0.0005)
    total_cm = 100 * (good + 0.05 + reserve + missed + left_out)
    assert abs(sum(shown) + hidden - total_cm) <= 0.5 + 1e-6


def test_what_a_person_adds_is_the_length_of_the_roll() -> None:
    assert RollWorth(0.204, 0.154, 0.0).text == "0.21 m good, 0.15 m with reserve, nothing missed"
