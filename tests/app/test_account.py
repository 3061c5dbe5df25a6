"""No line of a roll is lost in silence: the program checks it itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, cut_frames, dark, frame, inspect_all, roll_inspection

from aoi_app.inspection.account import Account
from aoi_app.inspection.findings.defects import Gap
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.settings.ignored_lanes import lanes_of_text
from aoi_app.sources.frame import Frame, Lost
from cras_core.web.canvas import WebConfig
from cras_core.web.edges import EdgeConfig
from cras_core.web.scoring import WebInspection
from cras_core.web.tiling import TilingConfig

CONFIG = WebConfig(edges=EdgeConfig(enabled=False))


def bands(lines: int = 1024, width_px: int = 512) -> list[ScoredBand]:
    return [b for o in inspect_all(roll_inspection(), [frame(dark(lines, width_px))]) for b in o.bands]


def gap(lines: int) -> Gap:
    return Gap(0, lines, 0.0, 0.0, "lost")


def filled(scored: list[ScoredBand], config: WebConfig = CONFIG) -> Account:
    account = Account()
    for band in scored:
        account.add_band(band, config)
    return account


def without_scores(band: ScoredBand, rows: slice, columns: slice) -> ScoredBand:
    score = band.rows.score.copy()
    score[rows, columns] = np.nan
    return ScoredBand(band.first_line, dataclasses.replace(band.rows, score=score), band.fabric)


def test_inspected_lines_and_gaps_make_up_the_roll() -> None:
    account = filled(bands())
    account.add_gap(gap(300))
    balance = account.balance(1324)
    assert balance.problem is None
    assert (balance.inspected_lines, balance.gap_lines) == (1024, 300)
    assert balance.cloth_cells == balance.scored_cells == 128 * 64


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (1330, "6 lines of this roll were neither inspected nor recorded"),
        (1000, "24 lines of this roll are counted twice"),
    ],
)
def test_what_is_missing_or_twice_is_said(lines: int, said: str) -> None:
    assert said in (filled(bands()).balance(lines).problem or "")


@pytest.mark.parametrize(
    # The cell beside an edge may be of the margin: edges are no whole cells.
    ("columns", "told"),
    [(slice(20, 22), 2), (slice(0, 9), 8), (slice(60, 64), 3)],
    ids=["middle", "left", "right"],
)
def test_cloth_without_a_score_is_said_wherever_it_lies(columns: slice, told: int) -> None:
    first, *others = bands()
    said = filled([without_scores(first, slice(3, 4), columns), *others]).balance(1024).problem
    assert said is not None
    assert said.startswith(f"{told} places of its cloth have no score. This is an error of the program")


def test_cloth_is_what_is_inspected_and_its_margins_and_no_more() -> None:
    """Cloth of 520 px on a table of 760 px, of which the recipe leaves out 40 px at each edge."""
    config = WebConfig(edges=EdgeConfig(from_edge_px=40))
    image = np.full((1024, 760), 10, np.uint8)
    image[:, 120:640] = np.clip(np.random.default_rng(1).normal(120, 12, (1024, 520)), 60, 200).astype(np.uint8)
    rows = [r for part in (WebInspection(Brightness(), config),) for r in [*part.push(image), *part.finish()]]
    scored = [ScoredBand(r.first_line, r, "plain") for r in rows]
    balance = filled(scored, config).balance(1024)
    assert balance.problem is None
    assert balance.cloth_cells == balance.scored_cells + balance.margin_cells
    assert balance.cloth_cells / 128 * 8 == pytest.approx(520, abs=16)
    assert balance.margin_cells / 128 * 8 == pytest.approx(80, abs=16)
    # The same rows, had the inspection taken another 80 px for margin.
    narrower = [without_scores(band, slice(None), slice(0, (120 + 40 + 80) // 8)) for band in scored]
    assert filled(narrower, config).balance(1024).missing_cells / 128 * 8 == pytest.approx(80, abs=16)


@pytest.mark.parametrize("lanes", ["", "left 20-40", "left 0-10, right 30-35.5"])
def test_what_a_recipe_leaves_out_and_what_was_lost_is_no_problem(lanes: str) -> None:
    recipe = PLAIN.model_copy(update={"ignored": lanes_of_text(lanes)})
    items: list[Frame | Lost] = [
        *cut_frames(dark(1500, 512), [256] * 5),
        Lost(77, "a cable", "a.png"),
        frame(dark(90, 512)),
    ]
    items += [
        Lost(0, "nobody knows", "a.png"),
        frame(dark(30, 512)),
        frame(dark(700, 40)),
        frame(dark(600, 640), starts_web=True),
    ]
    inspection = RollInspection(Brightness(), TilingConfig(), recipe)
    said = [r for o in inspect_all(inspection, items) for r in o.remarks if r.kind == "unaccounted"]
    assert said == []


class Forgetful(RollInspection):
    """Loses ten lines without a word."""

    def push(self, item: Frame | Lost):  # type: ignore[no-untyped-def]
        self.line += 10
        return super().push(item)


def test_a_roll_that_loses_lines_says_so_at_its_end() -> None:
    inspection = Forgetful(Brightness(), TilingConfig(), PLAIN)
    outcomes = inspect_all(inspection, [frame(dark(512, 512))])
    (said,) = [r for o in outcomes for r in o.remarks if r.kind == "unaccounted"]
    assert said.text.startswith("10 lines of this roll were neither inspected nor recorded as a gap")


def test_a_detector_that_fails_leaves_nothing_unaccounted_for() -> None:
    inspection = roll_inspection()
    before = [inspection.push(f) for f in cut_frames(dark(2000, 512), [500] * 4)]
    outcomes = [*before, inspection.give_up("inspection failed")]
    assert [r for o in outcomes for r in o.remarks if r.kind == "unaccounted"] == []
