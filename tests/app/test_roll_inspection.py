"""One roll from frames to defects: what is found does not hang on the frames, and no line is forgotten."""

import tracemalloc

import cv2
import numpy as np
import pytest
from aoi_fakes import (
    PLAIN,
    Brightness,
    cut_frames,
    dark,
    frame,
    gaps_of,
    inspect_all,
    listed,
    roll_inspection,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.ignored_lanes import IgnoredLane
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.loom import Loom, LoomConfig
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.web.tiling import TilingConfig

MM = PLAIN.mm_per_px


def place(d: Defect) -> tuple[object, ...]:
    return (d.first_line, d.end_line, d.left_px, d.right_px, d.shape, round(d.peak, 3), round(d.area_mm2, 3))


def scored_lines(outcomes: list[Outcome], total: int) -> np.ndarray:
    """How often each line of the roll was scored."""
    times = np.zeros(total, int)
    for strip in (s for o in outcomes for s in o.bands):
        rows = np.isfinite(strip.rows.score).any(axis=1)
        times[strip.first_line : strip.end_line] += np.repeat(rows, strip.rows.cell_px)[: len(strip.rows.image)]
    return times


def assert_every_line_is_accounted_for(outcomes: list[Outcome], inspection: RollInspection, total: int) -> None:
    assert inspection.line == total
    accounted = scored_lines(outcomes, total)
    assert inspection.inspected_lines == accounted.sum()
    for gap in gaps_of(outcomes):
        accounted[gap.first_line : gap.first_line + gap.lines] += 1
    np.testing.assert_array_equal(accounted, 1)
    assert inspection.inspected_lines + sum(g.lines for g in gaps_of(outcomes)) == total


def spotted(lines: int, width_px: int, rng: np.random.Generator, spots: int = 12) -> np.ndarray:
    """Dark cloth with bright rectangles."""
    image = dark(lines, width_px)
    for _ in range(spots):
        y, x = int(rng.integers(0, lines)), int(rng.integers(0, width_px))
        h, w = int(rng.integers(8, 200)), int(rng.integers(8, 60))
        image[y : y + h, x : x + w] = int(rng.integers(120, 255))
    return image


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(64, 2500), st.lists(st.integers(1, 900), max_size=12))
def test_frames_of_any_size_give_the_same_defects(seed: int, lines: int, sizes: list[int]) -> None:
    image = spotted(lines, 200, np.random.default_rng(seed))
    whole = listed(inspect_all(roll_inspection(), [frame(image)]))
    parts = listed(inspect_all(roll_inspection(), cut_frames(image, sizes)))
    assert sorted(map(place, parts)) == sorted(map(place, whole))


def test_the_real_model_finds_the_same_in_frames_of_any_size(inspector: CrasDetector) -> None:
    image = Loom(LoomConfig(weave="plain", width_px=1024, seed=12, defects_per_1000_lines=3.0)).weave(0, 1300)
    found = []
    for sizes in ([1300], [64, 17, 400, 1, 512], [256] * 6):
        inspection = RollInspection(inspector, inspector.config.tiling, Recipe())
        found.append(listed(inspect_all(inspection, cut_frames(image, sizes))))
    assert len(found[0]) > 0
    for others in found[1:]:
        assert [(d.first_line, d.end_line, d.left_px, d.right_px) for d in others] == [
            (d.first_line, d.end_line, d.left_px, d.right_px) for d in found[0]
        ]
        np.testing.assert_allclose([d.peak for d in others], [d.peak for d in found[0]], rtol=1e-3)


frames = st.builds(
    lambda lines, width, colour, starts: Frame(
        np.full((lines, width, 3) if colour else (lines, width), 10, np.uint8), f"{width}.png", 0.0, starts
    ),
    st.integers(1, 1200),
    st.sampled_from([1, 63, 64, 100, 128]),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
losses = st.builds(lambda lines, starts: Lost(lines, "torn", "x.png", starts), st.integers(0, 700), st.booleans())
sequences = st.lists(st.one_of(frames, frames, losses), max_size=8)


@settings(max_examples=60)
@given(sequences)
def test_every_line_is_inspected_or_in_a_gap(items: list[Frame | Lost]) -> None:
    inspection = roll_inspection()
    outcomes = inspect_all(inspection, items)
    assert_every_line_is_accounted_for(outcomes, inspection, sum(i.lines for i in items))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=10))
def test_every_readable_picture_is_said_to_be_complete_once(sizes: list[int]) -> None:
    image = dark(sum(sizes), 100)
    outcomes = inspect_all(roll_inspection(), cut_frames(image, sizes))
    seen = 0
    spans = []
    for outcome in outcomes:
        seen = max([seen, *(s.end_line for s in outcome.bands)])
        spans += outcome.sources
        assert all(s.end_line <= seen for s in outcome.sources)
    assert [(s.first_line, s.end_line) for s in spans] == [
        (sum(sizes[:k]), sum(sizes[: k + 1])) for k in range(len(sizes))
    ]


def test_where_the_cloth_becomes_too_narrow_the_lines_are_a_gap() -> None:
    wide = Loom(LoomConfig(width_px=1536, margin_px=90, defects_per_1000_lines=0.0)).weave(0, 1200)
    narrow = Loom(LoomConfig(width_px=1536, margin_px=560, defects_per_1000_lines=0.0)).weave(0, 1200)
    recipe = Recipe(relative=False, selvedge_margin_mm=40.0, threshold=50.0)
    inspection = RollInspection(Brightness(), TilingConfig(), recipe)
    outcomes = inspect_all(inspection, [frame(wide), frame(narrow), frame(wide)])
    assert any("no cloth" in g.reason for g in gaps_of(outcomes))
    assert inspection.inspected_lines > 1200
    assert_every_line_is_accounted_for(outcomes, inspection, 3600)


def test_a_web_that_is_too_short_is_a_gap() -> None:
    inspection = roll_inspection()
    outcomes = inspect_all(inspection, [frame(dark(63))])
    (gap,) = gaps_of(outcomes)
    assert (gap.first_line, gap.lines) == (0, 63)
    assert "too short" in gap.reason
    assert inspection.inspected_lines == 0


@pytest.mark.parametrize("width_px", [1, 63])
def test_a_narrow_picture_is_a_gap_that_names_it(width_px: int) -> None:
    inspection = roll_inspection()
    outcomes = inspect_all(inspection, [frame(dark(100, width_px), "thin.png")])
    (gap,) = gaps_of(outcomes)
    assert gap.lines == 100
    assert "thin.png" in gap.reason
    assert f"{width_px} px" in gap.reason
    assert not [s for o in outcomes for s in o.bands]


def test_lost_lines_are_a_gap_with_their_place_and_reason() -> None:
    recipe = PLAIN.model_copy(update={"mm_per_line": 0.5})
    outcomes = inspect_all(roll_inspection(recipe), [frame(dark(400)), Lost(100, "torn", "b.png"), frame(dark(400))])
    (gap,) = gaps_of(outcomes)
    assert (gap.first_line, gap.lines, gap.reason) == (400, 100, "torn")
    assert gap.position_m == pytest.approx(0.2)
    assert gap.length_m == pytest.approx(0.05)


def test_a_defect_over_the_border_of_two_frames_is_one_with_a_box_in_both() -> None:
    image = dark(1200)
    image[560:680, 80:120] = 200
    outcomes = inspect_all(roll_inspection(), [frame(image[:600], "one.png"), frame(image[600:], "two.png")])
    (defect,) = listed(outcomes)
    one, two = defect.boxes
    assert (one.source, one.x_px, one.y_px, one.w_px, one.h_px) == ("one.png", 80, 560, 40, 40)
    assert (two.source, two.x_px, two.y_px, two.w_px, two.h_px) == ("two.png", 80, 0, 40, 80)
    assert one.h_px + two.h_px == defect.end_line - defect.first_line == 120


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(64, 500), min_size=1, max_size=8), st.sampled_from([200, 203]))
@example(201, [64, 64, 64, 224, 500], 203)  # a defect that begins weakly, in the picture before
def test_boxes_lie_in_their_pictures_and_cover_the_defect(seed: int, sizes: list[int], width_px: int) -> None:
    image = spotted(sum(sizes), width_px, np.random.default_rng(seed))
    pieces = cut_frames(image, sizes)
    starts = dict(zip((f.source for f in pieces), np.cumsum([0, *sizes]).tolist(), strict=False))
    heights = {f.source: f.lines for f in pieces}
    for defect in listed(inspect_all(roll_inspection(), pieces)):
        assert 0 <= defect.left_px < defect.right_px <= width_px
        assert 0 <= defect.first_line < defect.end_line <= len(image)
        covered = []
        for box in defect.boxes:
            assert box.w_px > 0
            assert box.h_px > 0
            assert defect.left_px <= box.x_px
            assert box.x_px + box.w_px <= defect.right_px
            assert box.y_px >= 0
            assert box.y_px + box.h_px <= heights[box.source]
            covered += range(starts[box.source] + box.y_px, starts[box.source] + box.y_px + box.h_px)
        assert covered == list(range(defect.first_line, defect.end_line))


def test_a_running_defect_of_metres_is_one_and_reported_while_it_runs() -> None:
    image = dark(256)
    image[:, 120:130] = 250
    inspection = roll_inspection()
    before = [inspection.push(frame(dark(256)))]
    running = [inspection.push(frame(image, f"{k}.png")) for k in range(24)]
    after = [*(inspection.push(frame(dark(256))) for _ in range(4)), inspection.finish()]
    reports = [d for o in running for d in o.defects]
    assert {d.number for d in [*reports, *listed([*before, *after])]} == {1}
    assert len(reports) >= 8
    assert all(d.is_open for d in reports)
    assert [d.end_line for d in reports] == sorted(d.end_line for d in reports)
    (defect,) = listed([*before, *running, *after])
    assert not defect.is_open
    assert (defect.first_line, defect.end_line) == (256, 256 + 24 * 256)
    assert defect.shape == "line"
    assert [b.source for b in defect.boxes] == [f"{k}.png" for k in range(24)]
    assert sum(b.h_px for b in defect.boxes) == 24 * 256


def test_running_defects_that_meet_become_one_and_the_other_is_withdrawn() -> None:
    image = dark(2600)
    image[100:2000, 40:56] = image[100:2000, 160:176] = 200
    image[1984:2000, 40:176] = 200
    outcomes = inspect_all(roll_inspection(), cut_frames(image, [200] * 13))
    open_numbers = {d.number for o in outcomes for d in o.defects if d.is_open}
    (defect,) = listed(outcomes)
    assert len(open_numbers) == 2
    assert {defect.number, *(n for o in outcomes for n in o.withdrawn)} == open_numbers
    assert not defect.is_open


@pytest.mark.parametrize("running_defect", [False, True])
def test_a_long_roll_takes_no_more_memory_than_a_short_one(running_defect: bool) -> None:
    image = dark(256, 512)
    if running_defect:
        image[:, 120:130] = 250
    inspection = roll_inspection(keep_tiles=True)
    tracemalloc.start()
    try:
        used = []
        for k in range(90):
            inspection.push(frame(image.copy(), f"{k}.png"))
            if k in (29, 89):
                used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert used[1] - used[0] < 300_000  # the frames in between are 7.9 million bytes


def test_a_reported_defect_is_closed_even_when_it_measures_small_in_the_end() -> None:
    image = dark(1400)
    image[0:896, 120:128] = 101  # weak, and reported while it runs: 109 cells behind the end of the web
    image[896:904, 120:128] = 255  # at the end a peak outshines the four cells next to it
    recipe = PLAIN.model_copy(update={"min_area_mm2": 108.5 * 64 * MM * MM})
    outcomes = inspect_all(roll_inspection(recipe), cut_frames(image, [200] * 7))
    assert [d for o in outcomes for d in o.defects if d.is_open], "it was reported"
    assert not [d for d in listed(outcomes) if d.is_open], "it must not stay open for ever"


def test_a_web_of_another_width_goes_on_at_the_same_metre() -> None:
    wide, narrow = dark(600, 300), dark(600, 200)
    wide[500:520, 100:120] = narrow[80:120, 40:60] = 200
    inspection = roll_inspection()
    outcomes = inspect_all(inspection, [frame(wide, "w.png"), frame(narrow, "n.png"), frame(wide, "w2.png")])
    found = listed(outcomes)
    assert gaps_of(outcomes) == []
    assert inspection.inspected_lines == 1800
    assert [(d.boxes[0].source, d.boxes[0].y_px) for d in found] == [("w.png", 496), ("n.png", 80), ("w2.png", 496)]
    assert [d.position_m for d in found] == pytest.approx([0.2 * n / 1000 for n in (496, 680, 1696)])


def test_grey_after_colour_is_another_piece_of_web() -> None:
    grey, colour = dark(300), np.zeros((300, 256, 3), np.uint8)
    colour[100:130, 100:130] = grey[100:130, 100:130] = 220
    found = listed(inspect_all(roll_inspection(), [frame(colour, "c.png"), frame(grey, "g.png")]))
    assert [d.boxes[0].source for d in found] == ["c.png", "g.png"]
    assert [d.thumbnail.shape for d in found] == [(96, 96, 3), (96, 96)]


def test_the_metres_of_separate_webs_go_on_as_those_of_the_roll() -> None:
    image = dark(300)
    image[200:220, 100:120] = 200
    items = [frame(image, name, starts_web=True) for name in ("a.png", "b.png")]
    found = listed(inspect_all(roll_inspection(), [*items, Lost(50, "torn", "c.png", True), frame(image, "d.png")]))
    assert [d.position_m for d in found] == pytest.approx([0.04, 0.1, 0.17])
    assert [d.first_line for d in found] == [200, 500, 850]


def test_defects_at_the_seam_of_separate_webs_are_two() -> None:
    image = dark(300)
    image[280:, 100:120] = 200
    other = dark(300)
    other[:24, 100:120] = 200
    found = listed(inspect_all(roll_inspection(), [frame(image, "a.png"), frame(other, "b.png", starts_web=True)]))
    assert [(d.first_line, d.end_line) for d in found] == [(280, 300), (300, 324)]
    assert [[b.source for b in d.boxes] for d in found] == [["a.png"], ["b.png"]]


def test_a_splice_begins_another_web_at_its_metre_and_loses_no_line() -> None:
    inspection, image = roll_inspection(), dark(1200)
    image[590:610, 100:140] = 250  # over the splice: two webs, two defects
    before = inspection.push(frame(image[:600]))
    splice = inspection.splice()
    after = [inspection.push(frame(image[600:])), inspection.finish()]
    outcomes = [before, splice, *after]
    (remark,) = [r for o in outcomes for r in o.remarks if r.kind == "splice"]
    assert (remark.first_line, remark.position_m) == (600, pytest.approx(600 * MM / 1000))
    assert_every_line_is_accounted_for(outcomes, inspection, 1200)
    found = listed(outcomes)
    assert [d.number for d in found] == [1, 2]
    assert [d.end_line <= 600 for d in found] == [True, False]
    assert inspection.told_line == 1200


def test_a_threshold_changed_in_mid_roll_holds_for_the_cloth_to_come() -> None:
    image = dark(1000)
    image[100:120, 100:120] = image[300:320, 100:120] = 120
    inspection = roll_inspection()
    outcomes = [inspection.push(frame(image))]
    inspection.threshold = 2.0
    assert inspection.threshold == 2.0
    strong = dark(2000)
    strong[1000:1024, 100:120] = 120
    strong[1600:1624, 104:120] = 250
    outcomes += [inspection.push(frame(strong)), inspection.push(Lost(10, "torn", "x")), inspection.push(frame(image))]
    outcomes.append(inspection.finish())
    found = [d.first_line for d in listed(outcomes)]
    assert found == [104, 304, 2600]


def test_small_places_are_not_listed() -> None:
    image = dark(600)
    image[104:112, 104:112] = image[304:336, 104:136] = 200
    for least, count in ((0.0, 2), (64 * MM * MM * 1.01, 1), (1e6, 0)):
        recipe = PLAIN.model_copy(update={"min_area_mm2": least})
        found = listed(inspect_all(roll_inspection(recipe), [frame(image)]))
        assert len(found) == count
        assert [d.number for d in found] == list(range(1, count + 1))


def test_a_defect_is_measured_in_millimetres_both_ways() -> None:
    image = dark(600)
    image[304:384, 104:120] = 200
    recipe = PLAIN.model_copy(update={"mm_per_px": 0.1, "mm_per_line": 0.25})
    (d,) = listed(inspect_all(roll_inspection(recipe), [frame(image)]))
    assert (d.length_mm, d.width_mm) == pytest.approx((20.0, 1.6))
    assert d.area_mm2 == pytest.approx(20.0 * 1.6)
    assert d.position_m == pytest.approx(0.076)
    assert d.position_mm == pytest.approx(11.2)
    assert d.shape == "line"
    assert (d.peak, d.mean, d.raw_peak) == pytest.approx((2.0, 2.0, 2.0))


@pytest.mark.parametrize("background", ["white", "dark"])
def test_the_position_across_counts_from_the_edge_of_the_cloth(background: str) -> None:
    loom = Loom(LoomConfig(width_px=1200, margin_px=150, background=background, defects_per_1000_lines=0.0))
    image = loom.weave(0, 600)
    image[300:330, 500:540] = 255
    recipe = Recipe(relative=False, threshold=2.4, find_shade=False)
    inspection = RollInspection(Brightness(), TilingConfig(), recipe)
    (defect,) = listed(inspect_all(inspection, [frame(image)]))
    left = float(loom.edges(np.arange(300, 330))[0].mean())
    assert defect.position_mm == pytest.approx((520 - left) * 0.2, abs=3.0)


def test_what_lies_beside_the_cloth_is_no_defect() -> None:
    loom = Loom(LoomConfig(width_px=1200, margin_px=150, background="white", defects_per_1000_lines=0.0))
    inspection = RollInspection(Brightness(), TilingConfig(), Recipe(relative=False, threshold=2.0, find_shade=False))
    assert listed(inspect_all(inspection, [frame(loom.weave(0, 600))])) == []


def test_a_fabric_that_the_model_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match=r"'denim'.*knows plain, twill"):
        roll_inspection(PLAIN.model_copy(update={"fabric": "denim"}))


def test_a_known_fabric_is_the_one_in_the_records() -> None:
    image = dark(300)
    image[100:120, 100:120] = 200
    (defect,) = listed(inspect_all(roll_inspection(PLAIN.model_copy(update={"fabric": "twill"})), [frame(image)]))
    assert defect.fabric == "twill"


def test_the_thumbnail_shows_the_place_of_the_peak() -> None:
    image = dark(800)
    cv2.circle(image, (180, 300), 12, 255, -1)
    (defect,) = listed(inspect_all(roll_inspection(), [frame(image)]))
    assert defect.thumbnail.shape == (96, 96)
    assert defect.thumbnail[40:56, 30:80].max() == 255
    assert defect.thumbnail[:10].max() == 0


def test_tiles_of_good_and_of_defective_cloth_are_given_out() -> None:
    image = np.full((4000, 700), 10, np.uint8)
    image[2000:2104, 304:400] = 200
    outcomes = inspect_all(roll_inspection(keep_tiles=True), [frame(image[k : k + 400]) for k in range(0, 4000, 400)])
    tiles = [t for o in outcomes for t in o.tiles]
    good, bad = [t for t in tiles if t.mask is None], [t for t in tiles if t.mask is not None]
    assert good
    assert bad
    assert all(t.image.shape == (512, 512) for t in tiles)
    assert all((t.image == 10).all() for t in good)
    for tile in bad:
        assert tile.mask.shape == (512, 512)
        np.testing.assert_array_equal(tile.mask == 255, tile.image == 200)
    assert len({t.name for t in tiles}) == len(tiles)


def test_tiles_of_a_web_smaller_than_a_tile_are_filled_up() -> None:
    image = dark(104, 80)
    image[40:56, 40:56] = 200
    outcomes = inspect_all(roll_inspection(keep_tiles=True), [frame(image)])
    (tile,) = [t for o in outcomes for t in o.tiles if t.mask is not None]
    assert tile.image.shape == tile.mask.shape == (512, 512)


def test_no_tiles_without_being_asked() -> None:
    image = dark(600)
    image[200:300, 100:200] = 200
    assert not [t for o in inspect_all(roll_inspection(), [frame(image)]) for t in o.tiles]


def test_an_outcome_for_the_records_has_no_pictures_of_the_web() -> None:
    image = dark(600)
    image[200:300, 100:200] = 200
    (outcome, *_) = inspect_all(roll_inspection(keep_tiles=True), [frame(image)])
    assert outcome.bands
    kept = outcome.records()
    assert (kept.bands, kept.tiles, kept.sources) == ((), (), ())
    assert (kept.defects, kept.gaps, kept.remarks) == (outcome.defects, outcome.gaps, outcome.remarks)


# Lanes that are left out


def test_what_lies_in_a_lane_that_is_left_out_is_no_defect_and_the_roll_says_so() -> None:
    image = dark(1024, 800)
    image[:, 300:340] = 255  # a printed track
    image[500:540, 600:640] = 255
    image[700:720, 320:420] = 255  # begins in the track and goes on beside it
    lane = IgnoredLane(edge="right", from_mm=(800 - 345) * MM, to_mm=(800 - 295) * MM)
    recipe = PLAIN.model_copy(update={"ignored": (lane,)})
    inspection = roll_inspection(recipe=recipe)
    outcomes = inspect_all(inspection, cut_frames(image, [256] * 4))
    found = sorted((d.first_line, d.left_px) for d in listed(outcomes))
    assert [line for line, _ in found] == [496, 696]
    assert found[1][1] >= 345
    assert inspection.inspected_lines == 1024
    assert not gaps_of(outcomes)
    said = [r.text for o in outcomes for r in o.remarks if r.kind == "recipe"]
    assert said == ["not inspected, as the recipe says: right 91-101 (mm from the edge of the cloth)"]
    assert len(listed(inspect_all(roll_inspection(recipe=PLAIN), cut_frames(image, [256] * 4)))) == 2, (
        "the track and a hole"
    )


def test_a_recipe_that_leaves_everything_out_makes_a_gap() -> None:
    lane = IgnoredLane(edge="left", from_mm=0, to_mm=500)
    inspection = roll_inspection(recipe=PLAIN.model_copy(update={"ignored": (lane,)}))
    outcomes = inspect_all(inspection, cut_frames(dark(512, 800), [256] * 2))
    assert inspection.inspected_lines == 0
    assert sum(g.lines for g in gaps_of(outcomes)) == 512


def test_what_waits_when_the_inspection_fails_is_a_gap_as_well() -> None:
    inspection = roll_inspection()
    inspection.push(frame(dark(300)))
    ended = inspection.give_up("inspection failed", [frame(dark(500)), Lost(70, "the camera lost them", "a.png")])
    assert inspection.line == 870
    assert inspection.balance.problem is None
    assert sum(gap.lines for gap in ended.gaps) + inspection.inspected_lines == 870
