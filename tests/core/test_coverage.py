"""What samples show of a fabric, and what is said to be missing."""

import dataclasses

import pytest

from cras_core.data.samples.coverage import ENOUGH_TILES, coverage
from cras_core.data.samples.labels import Label
from cras_core.data.samples.values import Sample


def roll(tiles: int, web: str = "roll-1", over_m: float = 30.0, right: float = 1.0) -> list[Sample]:
    """Tiles evenly along a web of 1.5 m, over a part of its width."""
    return [
        Sample(
            f"{web}-{i}",
            "denim",
            "collected",
            web,
            position_m=over_m * i / max(1, tiles - 1),
            position_mm=1500 * right * (i % 7 + 0.5) / 7,
            cloth_mm=1500.0,
            brightness=90.0 + i,
        )
        for i in range(tiles)
    ]


def test_two_rolls_over_the_whole_width_are_enough() -> None:
    found = coverage(roll(14) + roll(14, "roll-2", over_m=10.0))
    assert found.is_enough
    assert found.answer == "Enough."
    assert (found.tiles, found.webs) == (28, 2)
    assert found.web_m == pytest.approx(40.0 + 2 * 0.1024)
    assert found.area_m2 == pytest.approx(28 * 0.1024**2)
    assert sum(found.fifths) == 28
    assert min(found.fifths) > 0
    assert (found.darkest, found.brightest) == (90.0, 103.0)


def test_one_roll_is_enough_to_begin_and_the_other_is_asked_for() -> None:
    found = coverage(roll(40))
    assert found.is_enough
    assert found.answer.startswith("Enough. One roll only: limits will be too tight")


def test_what_is_missing_is_said() -> None:
    assert coverage([]).answer == f"{ENOUGH_TILES} more tiles: there are 0 of at least {ENOUGH_TILES}."
    assert coverage(roll(8)).missing == ("12 more tiles: there are 8 of at least 20.",)
    assert coverage(roll(19)).missing == ("1 more tile: there are 19 of at least 20.",)
    assert coverage(roll(40, over_m=0.8)).missing == ("All from 0.9 m of web: collect along 3 m at least.",)
    (said,) = coverage(roll(40, right=0.55)).missing
    assert said == "No samples from the second fifth from the right and the right fifth of the web."


def test_defects_and_what_was_thrown_out_do_not_count() -> None:
    good = roll(30)
    spoilt = [dataclasses.replace(s, labels=(Label("box", ((0, 0), (4, 4))),)) for s in good[:8]]
    thrown = [dataclasses.replace(s, choice="thrown out") for s in good[8:12]]
    found = coverage([*spoilt, *thrown, *good[12:]])
    assert found.tiles == 18
    assert not found.is_enough


def test_pictures_of_unknown_place_are_judged_by_their_number() -> None:
    found = coverage([Sample(f"p{i}", "denim", "imported", f"p{i}") for i in range(25)])
    assert found.fifths == (0, 0, 0, 0, 0)
    assert found.is_enough


def test_a_narrow_web_is_seen_by_tiles_that_reach_over_it() -> None:
    samples = [dataclasses.replace(s, cloth_mm=120.0, position_mm=60.0) for s in roll(30)]
    assert coverage(samples).is_enough
