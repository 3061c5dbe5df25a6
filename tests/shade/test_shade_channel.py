"""What is only darker or lighter is found with its place and contrast; what the lamp does and what is woven is not."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from shade_painting import (
    MM_PER_PX,
    Painting,
    as_picture,
    good_cloth,
    paint_bar,
    paint_light,
    paint_stain,
    paint_stripe,
)

from cras_core.arrays import FloatArray
from cras_core.shade.brightness import log_brightness
from cras_core.shade.channel import ShadeChannel
from cras_core.shade.config import CellScale, ShadeConfig
from cras_core.shade.light import LightEvent
from cras_core.shade.rows import SHADE_KINDS, ShadeKind, ShadeRows
from cras_core.web.regions import Region, RegionConfig, RegionTracker

CELL_PX = 8
CELL_MM = CELL_PX * MM_PER_PX
METRE = 5120
"""Lines, a little over a metre."""


@dataclass(frozen=True)
class Found:
    kind: ShadeKind
    region: Region

    @property
    def percent(self) -> float:
        return self.region.raw_peak

    def covers(self, *, along_mm: float, across_mm: float) -> bool:
        r = self.region
        row, col = along_mm / CELL_MM, across_mm / CELL_MM
        return r.first_row <= row < r.end_row and r.first_col <= col < r.end_col


@pytest.fixture(scope="module")
def cloth() -> FloatArray:
    return good_cloth(METRE)


def brightness_of(cloth: FloatArray) -> FloatArray:
    rows, cols = len(cloth) // CELL_PX, cloth.shape[1] // CELL_PX
    return log_brightness(as_picture(cloth), CELL_PX, np.ones((rows, cols), np.bool_))


def new_channel() -> ShadeChannel:
    return ShadeChannel(ShadeConfig(), CellScale(CELL_MM, CELL_MM))


def score(brightness: FloatArray, push_rows: int = 32) -> list[ShadeRows]:
    channel = new_channel()
    scored = [
        rows for a in range(0, len(brightness), push_rows) for rows in channel.push(brightness[a : a + push_rows])
    ]
    return [*scored, *channel.finish()]


def find(cloth: FloatArray) -> tuple[list[Found], list[LightEvent]]:
    scored = score(brightness_of(cloth))
    found = []
    for kind in SHADE_KINDS:
        tracker = RegionTracker(RegionConfig(reach_cells=2))
        regions = [r for rows in scored for r in tracker.push(rows.scores[kind], rows.contrasts[kind])]
        found += [Found(kind, r) for r in [*regions, *tracker.finish()]]
    return found, [event for rows in scored for event in rows.events]


def test_nothing_is_found_on_good_cloth(cloth: FloatArray) -> None:
    assert find(cloth) == ([], [])
    assert find(good_cloth(METRE, seed=4)) == ([], [])


@pytest.mark.parametrize("percent", [-8.0, 8.0])
@pytest.mark.parametrize("width_mm", [8.0, 20.0, 40.0])
def test_a_stripe_from_the_first_line_on_is_one_defect(cloth: FloatArray, percent: float, width_mm: float) -> None:
    (stripe,), events = find(paint_stripe(cloth, Painting(percent, 200.0, width_mm)))
    assert stripe.kind == "warp stripe"
    assert stripe.region.first_row == 0
    assert stripe.region.end_row == METRE // CELL_PX
    assert stripe.region.first_col * CELL_MM == pytest.approx(200.0, abs=4.0)
    assert stripe.region.end_col * CELL_MM == pytest.approx(200.0 + width_mm, abs=4.0)
    assert stripe.percent == pytest.approx(percent, abs=3.0)  # the light's fall-off is in it
    assert events == []


@pytest.mark.parametrize("width_mm", [80.0, 150.0])
def test_a_stripe_that_is_wide_for_its_web_is_found(cloth: FloatArray, width_mm: float) -> None:
    found, _ = find(paint_stripe(cloth, Painting(-15.0, 150.0, width_mm)))
    (stripe,) = [f for f in found if f.covers(along_mm=500.0, across_mm=150.0 + width_mm / 2)]
    assert stripe.kind == "warp stripe"
    assert stripe.percent < -5.0


@pytest.mark.parametrize(("percent", "width_mm"), [(-3.0, 8.0), (-1.5, 80.0), (-15.0, 1.0), (3.0, 8.0)])
def test_a_weak_stripe_that_begins_in_mid_roll_is_found_where_it_begins(
    cloth: FloatArray, percent: float, width_mm: float
) -> None:
    (stripe,), _ = find(paint_stripe(cloth, Painting(percent, 150.0, width_mm), from_mm=500.0))
    assert stripe.kind == "warp stripe"
    assert stripe.region.first_row * CELL_MM == pytest.approx(500.0, abs=25.0)
    assert stripe.covers(along_mm=900.0, across_mm=150.0 + width_mm / 2)
    assert np.sign(stripe.percent) == np.sign(percent)


def test_a_stripe_ends_where_it_ends(cloth: FloatArray) -> None:
    (stripe,), _ = find(paint_stripe(cloth, Painting(-5.0, 150.0, 16.0), from_mm=300.0, to_mm=700.0))
    assert stripe.region.first_row * CELL_MM == pytest.approx(300.0, abs=25.0)
    assert stripe.region.end_row * CELL_MM == pytest.approx(700.0, abs=25.0)


def test_a_stripe_is_known_within_half_a_metre(cloth: FloatArray) -> None:
    brightness = brightness_of(paint_stripe(cloth, Painting(-3.0, 150.0, 8.0), from_mm=400.0))
    channel = new_channel()
    seen = next(
        a + 32
        for a in range(0, len(brightness), 32)
        for rows in channel.push(brightness[a : a + 32])
        if rows.scores["warp stripe"].max() >= 1
    )
    assert seen * CELL_MM < 400.0 + 500.0


@pytest.mark.parametrize("percent", [-3.0, 3.0])
def test_a_bar_over_the_whole_width_is_found(cloth: FloatArray, percent: float) -> None:
    (bar,), events = find(paint_bar(cloth, Painting(percent, 500.0, 6.0)))
    assert bar.kind == "weft bar"
    assert bar.covers(along_mm=503.0, across_mm=50.0)
    assert bar.covers(along_mm=503.0, across_mm=350.0)
    assert (bar.region.end_row - bar.region.first_row) * CELL_MM < 15.0
    assert bar.percent == pytest.approx(percent, abs=1.0)
    assert events == []


def test_a_bar_over_a_part_of_the_width_is_found_there(cloth: FloatArray) -> None:
    found, _ = find(paint_bar(cloth, Painting(-4.0, 500.0, 8.0), left_mm=100.0, right_mm=250.0))
    bars = [f for f in found if f.kind == "weft bar"]
    assert len(bars) == 1
    assert bars[0].covers(along_mm=504.0, across_mm=175.0)
    assert not bars[0].covers(along_mm=504.0, across_mm=380.0)


@pytest.mark.parametrize("percent", [-5.0, 5.0])
def test_a_soft_stain_is_found_and_is_nothing_else(cloth: FloatArray, percent: float) -> None:
    (stain,), _ = find(paint_stain(cloth, Painting(percent, 600.0, 20.0), across_mm=220.0))
    assert stain.kind == "stain"
    assert stain.covers(along_mm=600.0, across_mm=220.0)
    assert np.sign(stain.percent) == np.sign(percent)


def test_a_light_that_drifts_is_an_event_and_no_defect(cloth: FloatArray) -> None:
    found, events = find(paint_light(cloth, drift=-20.0))
    assert found == []
    assert [event.kind for event in events] == ["drift"]
    assert events[0].change_percent == pytest.approx(-10.0, abs=1.5)


@pytest.mark.parametrize("jump", [-5.0, 5.0])
def test_a_light_that_jumps_is_one_event_with_its_place_and_no_defect(cloth: FloatArray, jump: float) -> None:
    found, events = find(paint_light(cloth, jump=jump, at_mm=500.0))
    assert found == []
    (event,) = events
    assert event.kind == "jump"
    assert event.row * CELL_MM == pytest.approx(500.0, abs=10.0)
    assert event.change_percent == pytest.approx(jump, abs=1.0)


def test_a_stripe_is_found_through_what_the_light_does(cloth: FloatArray) -> None:
    striped = paint_stripe(cloth, Painting(-4.0, 150.0, 8.0), from_mm=500.0)
    found, events = find(paint_light(striped, drift=-20.0, jump=-5.0, at_mm=700.0))
    assert [f.kind for f in found] == ["warp stripe"]
    assert "jump" in [event.kind for event in events]


def test_a_light_that_flickers_is_no_bar(cloth: FloatArray) -> None:
    line = np.arange(len(cloth), dtype=np.float32)[:, None]
    flickering = cloth * (1 + 0.05 * np.sin(2 * np.pi * line / 60.0))
    assert [f for f in find(flickering)[0] if f.region.first_row > 300] == []


@pytest.mark.parametrize("width_mm", [3.2, 8.0])
def test_woven_stripes_are_the_cloth_but_one_that_is_stronger_is_not(cloth: FloatArray, width_mm: float) -> None:
    striped = cloth
    for at_mm in np.arange(15.0, 390.0, 40.0):
        striped = paint_stripe(striped, Painting(-12.0, float(at_mm), width_mm))
    assert find(striped)[0] == []
    found, _ = find(paint_stripe(striped, Painting(-30.0, 195.0, width_mm)))
    assert any(f.covers(along_mm=500.0, across_mm=195.0 + width_mm / 2) and f.percent < 0 for f in found)


def test_woven_checks_are_the_cloth(cloth: FloatArray) -> None:
    checked = cloth
    for at_mm in np.arange(10.0, 1020.0, 50.0):
        checked = paint_bar(checked, Painting(-10.0, float(at_mm), 8.0))
    for at_mm in np.arange(15.0, 390.0, 50.0):
        checked = paint_stripe(checked, Painting(-10.0, float(at_mm), 8.0))
    assert [f for f in find(checked)[0] if f.region.first_row * CELL_MM > 250.0] == []


def test_what_is_found_does_not_depend_on_how_the_web_arrives(cloth: FloatArray) -> None:
    brightness = brightness_of(paint_stripe(cloth, Painting(-5.0, 150.0, 8.0), from_mm=500.0))
    whole = score(brightness, len(brightness))
    pieces = score(brightness, 7)
    for kind in SHADE_KINDS:
        np.testing.assert_array_equal(
            np.concatenate([rows.scores[kind] for rows in pieces]),
            np.concatenate([rows.scores[kind] for rows in whole]),
        )


def test_every_row_is_scored_once(cloth: FloatArray) -> None:
    scored = score(brightness_of(cloth)[:333], 50)
    assert [rows.first_row for rows in scored] == [0, *[rows.end_row for rows in scored[:-1]]]
    assert scored[-1].end_row == 333


def test_what_lies_beside_the_cloth_is_not_looked_at(cloth: FloatArray) -> None:
    brightness = brightness_of(cloth)
    brightness[:, :30] = np.nan
    brightness[200:240] = np.nan
    channel = new_channel()
    scored = [*channel.push(brightness), *channel.finish()]
    assert max(rows.scores[kind].max() for rows in scored for kind in SHADE_KINDS) < 1


def test_a_web_that_moves_sideways_is_no_defect(cloth: FloatArray) -> None:
    shifts = np.rint(50 * np.sin(np.arange(len(cloth)) / 900.0)).astype(int)  # 20 mm to and fro
    moved = np.stack([np.roll(row, shift) for row, shift in zip(cloth, shifts, strict=True)])[:, 64:-64]
    assert find(moved)[0] == []


def test_nothing_but_a_web_without_cloth_finds_nothing() -> None:
    channel = new_channel()
    scored = [*channel.push(np.full((400, 64), np.nan, np.float32)), *channel.finish()]
    assert all(not rows.scores[kind].any() for rows in scored for kind in SHADE_KINDS)


def test_memory_is_bounded(cloth: FloatArray) -> None:
    brightness = brightness_of(cloth[:, :1024])
    channel = new_channel()
    held = []
    tracemalloc.start()
    for _ in range(6):
        channel.push(brightness)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] <= held[1] + brightness.nbytes / 4


def test_a_short_strip_shows_too_little_to_judge_its_shade(cloth: FloatArray) -> None:
    painted = paint_stripe(paint_bar(cloth, Painting(-20.0, 60.0, 8.0)), Painting(-20.0, 100.0, 8.0))
    assert find(painted[:944]) == ([], []), "189 mm"
    found, _ = find(painted[:1056])
    assert {f.kind for f in found} >= {"warp stripe", "weft bar"}
