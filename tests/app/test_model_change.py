"""Another model on a running roll: no line is lost or judged twice, and the records say who judged."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, SeenBrightness, cut_frames, dark, frame, gaps_of, inspect_all, listed, until
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.assembly import make_session
from aoi_app.live.state import State
from aoi_app.records.database import opened_database
from aoi_app.records.reading import read_roll
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.loom import Loom, LoomConfig
from aoi_app.sources.source import EndOfWeb
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.registry.bundle import Bundle
from cras_core.web.tiling import TilingConfig

LOOK_BACK = 1024
TILING = TilingConfig()


TEXTURE = Recipe(find_shade=False)
"""What the models find; shade does not hang on the model."""


class Keen(Brightness):
    """Scores everything twice as high."""

    def extract_features(self, tiles: np.ndarray) -> SeenBrightness:
        seen = super().extract_features(tiles)
        return SeenBrightness(2 * seen.raw, seen.similarity)


def changed(items: list[Frame | Lost], at: int, recipe: Recipe = PLAIN) -> tuple[list[Outcome], RollInspection]:
    """A roll on which another model was asked for before the item ``at``."""
    inspection = RollInspection(Brightness(), TILING, recipe)
    before = [inspection.push(item) for item in items[:at]]
    inspection.use_detector(Keen(), "keen", TILING)
    return [*before, *inspect_all(inspection, items[at:])], inspection


def change_line(outcomes: list[Outcome]) -> int | None:
    lines = [r.first_line for o in outcomes for r in o.remarks if r.kind == "model"]
    assert len(lines) <= 1
    return lines[0] if lines else None


def raw_by_line(outcomes: list[Outcome], lines: int) -> np.ndarray:
    """Raw score of the first cell of every line; NaN where nothing was scored. Fails where a line was scored twice."""
    raw = np.full(lines, np.nan, np.float32)
    for strip in (s for o in outcomes for s in o.bands):
        part = raw[strip.first_line : strip.end_line]
        assert np.isnan(part).all()
        part[:] = np.repeat(strip.rows.raw[:, 2], strip.rows.cell_px)[: len(part)]
    return raw


@settings(max_examples=25)
@given(st.lists(st.integers(1, 700), min_size=2, max_size=12), st.data())
def test_every_line_is_judged_once_by_the_one_or_the_other(sizes: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sizes) - 1))
    lines = sum(sizes)
    outcomes, inspection = changed(cut_frames(dark(lines) + 40, sizes), at)
    if lines < 64:
        return
    raw, first = raw_by_line(outcomes, lines), change_line(outcomes)
    assert (inspection.line, inspection.inspected_lines, gaps_of(outcomes)) == (lines, lines, [])
    asked = sum(sizes[:at])
    if first is None:  # the roll ended before another model could go on
        first = lines
        assert lines - asked < 64
    assert asked <= first <= max(asked + 7, 64) or first == lines
    np.testing.assert_allclose(raw[:first], 0.4, rtol=1e-5)
    np.testing.assert_allclose(raw[first:], 0.8, rtol=1e-5)


def test_a_defect_over_the_change_stays_one() -> None:
    image = dark(3000)
    image[1000:2200, 100:120] = 250
    outcomes, _ = changed(cut_frames(image, [300] * 10), 5)
    assert change_line(outcomes) == 1504
    (defect,) = listed(outcomes)
    assert (defect.first_line, defect.end_line, defect.is_open) == (1000, 2200, False)
    assert defect.peak == pytest.approx(5.0)
    assert len(defect.boxes) == 5


def test_after_a_loss_the_next_model_begins_with_the_cloth() -> None:
    items = [frame(dark(500) + 40), Lost(100, "torn", "x"), frame(dark(500) + 40)]
    outcomes, inspection = changed(items, 1)
    assert change_line(outcomes) == 600
    np.testing.assert_allclose(raw_by_line(outcomes, 1100)[600:], 0.8, rtol=1e-5)
    assert (inspection.inspected_lines, [g.reason for g in gaps_of(outcomes)]) == (1000, ["torn"])


def test_the_next_model_is_not_blind_where_it_begins() -> None:
    """A fault over the whole width that runs over the change is not taken for the cloth."""
    rng = np.random.default_rng(1)
    image = rng.integers(40, 50, (4000, 512)).astype(np.uint8)
    image[1900:2400] = 220
    outcomes, _ = changed(cut_frames(image, [400] * 10), 5, PLAIN.model_copy(update={"relative": True}))
    assert change_line(outcomes) == 2000
    for strip in (s for o in outcomes for s in o.bands):
        for line in range(max(2000, strip.first_line), min(2400, strip.end_line), 8):
            assert strip.rows.score[(line - strip.first_line) // 8].min() > 1.0
    assert max(d.end_line for d in listed(outcomes)) == 2400


def test_another_fabric_may_match_the_next_model() -> None:
    inspection = RollInspection(Brightness(("plain", "twill")), TILING, PLAIN)
    first = inspection.push(frame(dark(1200) + 40))
    inspection.use_detector(Keen(("satin",)), "keen", TILING)
    image = dark(1200) + 40
    image[600:640, 100:140] = 200
    rest = inspect_all(inspection, [frame(image)])
    matched = [(r.kind, r.fabric) for o in (first, *rest) for r in o.remarks]
    assert matched == [("matched", "plain"), ("model", ""), ("matched", "satin")]
    assert [d.fabric for d in listed([first, *rest])] == ["satin"]


def test_a_model_that_does_not_fit_the_roll_is_refused_and_the_running_one_goes_on() -> None:
    recipe = PLAIN.model_copy(update={"fabric": "twill"})
    inspection = RollInspection(Brightness(), TILING, recipe)
    with pytest.raises(RecipeError, match="does not know the fabric 'twill'; it knows satin"):
        inspection.use_detector(Brightness(("satin",)), "s", TILING)
    with pytest.raises(RecipeError, match="cells of 4 px, the running one of 8 px"):
        inspection.use_detector(Brightness(), "s", TilingConfig(cell_px=4))
    outcomes = inspect_all(inspection, [frame(dark(600) + 40)])
    assert change_line(outcomes) is None
    assert inspection.inspected_lines == 600


class Steps:
    """A source whose frames are taken one by one, when the test says so."""

    is_live, name, total_lines = False, "steps", None

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self.allowed = 0
        self._given = 0

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def read(self, timeout_s: float) -> Frame | None:
        if self._given == len(self._frames):
            raise EndOfWeb
        if self._given >= self.allowed:
            return None
        self._given += 1
        return self._frames[self._given - 1]


def test_a_running_roll_goes_on_with_another_model(bundle: Bundle, inspector: CrasDetector, tmp_path: Path) -> None:
    """The defects are those of the one model on its part and of the other on what it has seen."""
    strict = [dataclasses.replace(c, limit=0.6 * c.limit) for c in bundle.calibrations]
    other = CrasDetector.from_bundle(dataclasses.replace(bundle, calibrations=tuple(strict)), "cpu")
    image = Loom(LoomConfig(weave="plain", width_px=640, seed=12, defects_per_1000_lines=0.0)).weave(0, 2560)
    for y, x in ((200, 200), (700, 380), (1010, 240), (1500, 300), (1900, 220), (2250, 400)):
        image[y : y + 24, x : x + 24] //= 2
    sizes = [256] * 10
    source = Steps(cut_frames(image, sizes))
    assert other.identity is not None
    with opened_database(f"sqlite:///{tmp_path / 'records.db'}") as engine:
        session = make_session(inspector, source, TEXTURE, engine, model="first", name="r")
        session.start()
        source.allowed = 5
        until(lambda: session.snapshot().position_m >= 5 * 256 * 0.0002 - 1e-9)
        session.use_model(other, other.identity, other.config.tiling)
        source.allowed = len(sizes)
        assert session.wait(120.0)
        assert session.state is State.ENDED, session.snapshot().message
        roll = read_roll(engine, 1)
    for d in roll["defects"]:
        d["end_m"] = d["position_m"] + d["length_mm"] / 1000
    roll["defects"].sort(key=lambda d: d["position_m"])
    (said,) = [r for r in roll["remarks"] if r["kind"] == "model"]
    assert (said["first_line"], said["position_m"]) == (1280, pytest.approx(0.256))
    assert other.identity in said["text"]
    assert roll["roll"]["model"] == "first"
    assert (roll["roll"]["inspected_m"], roll["gaps"]) == (pytest.approx(0.512), [])

    first = listed(inspect_all(RollInspection(inspector, other.config.tiling, TEXTURE), [frame(image[:1280])]))
    seen_from = 1280 - LOOK_BACK
    alone = RollInspection(other, other.config.tiling, TEXTURE)
    second = [
        dataclasses.replace(d, first_line=d.first_line + seen_from, end_line=d.end_line + seen_from)
        for d in listed(inspect_all(alone, [frame(image[seen_from:])]))
    ]
    expected = [d for d in first if d.end_line < 1264] + [d for d in second if d.first_line > 1296]
    assert len([d for d in second if d.first_line > 1296]) > 1
    assert len([d for d in first if d.end_line < 1264]) > 1
    found = [d for d in roll["defects"] if not (d["end_m"] >= 1264 * 0.0002 and d["position_m"] <= 1296 * 0.0002)]
    assert [(round(d["position_m"] / 0.0002), round(d["peak"], 2)) for d in found] == [
        (d.first_line, round(d.peak, 2)) for d in sorted(expected, key=lambda d: d.first_line)
    ]
