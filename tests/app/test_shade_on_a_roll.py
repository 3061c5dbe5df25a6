"""Darker and lighter places of a roll are defects like any other; what the light does is a remark."""

from __future__ import annotations

import numpy as np
import pytest
from aoi_fakes import (
    PLAIN,
    Brightness,
    Image,
    SeenBrightness,
    cut_frames,
    frame,
    gaps_of,
    inspect_all,
    listed,
    roll_inspection,
)

from aoi_app.inspection.findings.defects import Defect, Remark
from aoi_app.inspection.reporting.outcome import Outcome, join_outcomes
from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame, Lost
from cras_core.web.tiling import TilingConfig

RECIPE = Recipe(find_edges=False, relative=False)
LINES = 3072
STRIPE = slice(320, 360)
"""Columns, 8 mm."""


class Blind(Brightness):
    """A model that finds nothing."""

    def extract_features(self, tiles: Image) -> SeenBrightness:
        seen = super().extract_features(tiles)
        return SeenBrightness(0 * seen.raw, seen.similarity)


def woven(lines: int = LINES, width_px: int = 1024) -> np.ndarray:
    """(lines, width_px) float64 even cloth with the noise of a camera."""
    return 110.0 + 6.0 * np.random.default_rng(7).standard_normal((lines, width_px))


def picture(cloth: np.ndarray) -> Image:
    return np.clip(np.rint(cloth), 0, 255).astype(np.uint8)


def striped(first_line: int = 0, percent: float = -8.0) -> Image:
    cloth = woven()
    cloth[first_line:, STRIPE] *= 1 + percent / 100
    return picture(cloth)


def inspect(items: list[Frame | Lost], recipe: Recipe = RECIPE) -> list[Outcome]:
    return inspect_all(RollInspection(Blind(), TilingConfig(), recipe), items)


def shade_of(outcomes: list[Outcome]) -> list[Defect]:
    return [d for d in listed(outcomes) if d.shade is not None]


def light_remarks(outcomes: list[Outcome]) -> list[Remark]:
    return [r for o in outcomes for r in o.remarks if r.kind == "light"]


def test_a_stripe_that_the_model_does_not_see_is_one_defect_with_its_contrast() -> None:
    frames = cut_frames(striped(), [512] * 6)
    (stripe,) = listed(inspect([*frames]))
    assert (stripe.shade, stripe.shape, stripe.number, stripe.is_open) == ("warp stripe", "line", 1, False)
    assert stripe.contrast_percent == pytest.approx(-8.0, abs=1.0)
    assert (stripe.first_line, stripe.end_line) == (0, LINES)
    assert (stripe.left_px, stripe.right_px) == (STRIPE.start, STRIPE.stop)
    assert stripe.width_mm == pytest.approx(8.0)
    assert stripe.peak >= 1.0
    assert [box.source for box in stripe.boxes] == [f.source for f in frames]


def test_a_stripe_keeps_its_number_while_it_grows() -> None:
    inspection = RollInspection(Blind(), TilingConfig(), RECIPE)
    told = [inspection.push(f).defects for f in cut_frames(striped(), [256] * 12)]
    last = inspection.finish().defects
    running = [d for defects in told for d in defects]
    assert len(running) > 2
    assert {d.number for d in [*running, *last]} == {1}
    assert all(d.is_open for d in running)
    assert [d.end_line for d in running] == sorted(d.end_line for d in running)
    assert [d.is_open for d in last][-1:] == [False]


def test_frames_of_any_size_give_the_same_stripe() -> None:
    image = striped(1024)
    found = [shade_of(inspect([*cut_frames(image, sizes)])) for sizes in ([LINES], [100, 7, 900, 64, 1500])]
    assert len(found[0]) == 1
    places = [[(d.first_line, d.end_line, d.left_px, round(d.peak, 3)) for d in defects] for defects in found]
    assert places[0] == places[1]


def test_a_stripe_runs_on_after_lost_lines() -> None:
    frames = cut_frames(striped(), [1536, 1536])
    stripes = shade_of(inspect([frames[0], Lost(200, "torn", "f.png"), frames[1]]))
    assert [d.first_line for d in stripes] == [0, 1536 + 200]


def test_nothing_is_looked_for_where_the_recipe_says_so() -> None:
    off = RECIPE.model_copy(update={"find_shade": False})
    assert listed(inspect([*cut_frames(striped(), [512] * 6)], off)) == []


def test_the_recipe_says_from_which_contrast_on() -> None:
    weak = cut_frames(striped(1024, percent=-3.0), [512] * 6)
    assert [d.shade for d in listed(inspect([*weak]))] == ["warp stripe"]
    coarse = RECIPE.model_copy(update={"shade_percent": 6.0})
    assert listed(inspect([*weak], coarse)) == []


def test_the_threshold_of_the_operator_counts_for_shade_too() -> None:
    strict = RECIPE.model_copy(update={"threshold": 5.0})
    assert listed(inspect([*cut_frames(striped(), [512] * 6)], strict)) == []


def test_a_light_that_jumps_is_a_remark_with_its_metre_and_no_defect() -> None:
    cloth = woven()
    cloth[1600:] *= 0.9
    outcomes = inspect([*cut_frames(picture(cloth), [512] * 6)])
    assert listed(outcomes) == []
    (remark,) = light_remarks(outcomes)
    assert remark.position_m == pytest.approx(0.32, abs=0.01)
    assert "10 % darker at once" in remark.text


def test_what_the_model_has_found_is_no_stain_as_well() -> None:
    image = picture(woven())
    image[1500:1560, 500:560] = 255
    recipe = RECIPE.model_copy(update={"threshold": 1.8})  # of the brightness
    (defect,) = listed(
        inspect_all(RollInspection(Brightness(), TilingConfig(), recipe), [*cut_frames(image, [512] * 6)])
    )
    assert defect.shade is None
    (stain,) = listed(inspect([*cut_frames(image, [512] * 6)]))
    assert stain.shade == "stain"


def test_colour_is_looked_at_as_well() -> None:
    image = np.repeat(striped()[..., None], 3, axis=2)
    assert [d.shade for d in shade_of(inspect([*cut_frames(image, [1024] * 3)]))] == ["warp stripe"]


def test_a_roll_that_is_given_up_tells_the_shade_so_far() -> None:
    inspection = RollInspection(Blind(), TilingConfig(), RECIPE)
    before = [inspection.push(f) for f in cut_frames(striped(), [512] * 6)]
    (stripe,) = listed([*before, inspection.give_up("the model has failed")])
    assert not stripe.is_open


def test_what_the_camera_did_not_see_is_a_gap_and_the_web_goes_on() -> None:
    inspection = roll_inspection(PLAIN.model_copy(update={"find_shade": True}))
    grey = np.random.default_rng(0).integers(20, 60, (1000, 512), dtype=np.uint8)
    picture = np.concatenate([grey[:400], np.zeros((112, 512), np.uint8)])
    web = [frame(picture), frame(np.full((200, 512), 255, np.uint8)), frame(grey[400:])]
    outcomes = inspect_all(inspection, web)
    gaps = [(g.first_line, g.lines, g.reason.split(";")[0]) for g in gaps_of(outcomes)]
    assert gaps == [
        (400, 112, "the camera saw nothing: black lines"),
        (512, 200, "the camera saw nothing: overexposed lines"),
    ]
    assert inspection.line == 1312
    assert inspection.inspected_lines == 1000
    assert not [r for o in outcomes for r in o.remarks if r.kind == "unaccounted"]


def test_a_picture_that_comes_again_and_again_is_a_gap_and_not_inspected_cloth() -> None:
    rng = np.random.default_rng(5)
    pictures = [np.clip(120 + rng.normal(0, 8, (256, 512)), 9, 240).astype(np.uint8) for _ in range(3)]
    roll = RollInspection(Brightness(), TilingConfig(), RECIPE)
    order = [0, 1, 1, 1, 2]
    told = join_outcomes([*(roll.push(frame(pictures[k].copy(), f"{n}")) for n, k in enumerate(order)), roll.finish()])
    assert [(g.first_line, g.lines) for g in told.gaps] == [(512, 256), (768, 256)]
    assert "the same picture again and again" in told.gaps[0].reason
    assert not [r for r in told.remarks if r.kind == "unaccounted"]
