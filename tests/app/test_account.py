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
from cras_core.web.tiling import TilingConfig

CONFIG = WebConfig(edges=EdgeConfig(enabled=False))


def bands(lines: int = 1024, width_px: int = 512) -> list[ScoredBand]:
    return [b for o in inspect_all(roll_inspection(), [frame(dark(lines, width_px))]) for b in o.bands]


def gap(lines: int) -> Gap:
    return Gap(0, lines, 0.0, 0.0, "lost")


def filled(scored: list[ScoredBand]) -> Account:
    account = Account()
    for band in scored:
        account.add_band(band, CONFIG)
    return account


def test_inspected_lines_and_gaps_make_up_the_roll() -> None:
    account = filled(bands())
    account.add_gap(gap(300))
    assert account.problem(1324) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (1330, "6 lines of this roll were neither inspected nor recorded"),
        (1000, "24 lines of this roll are counted twice"),
    ],
)
def test_what_is_missing_or_twice_is_said(lines: int, said: str) -> None:
    assert said in (filled(bands()).problem(lines) or "")


def test_a_hole_in_the_middle_of_the_cloth_is_said() -> None:
    first, *others = bands()
    score = first.rows.score.copy()
    score[3, 20:22] = np.nan
    holed = ScoredBand(first.first_line, dataclasses.replace(first.rows, score=score), first.fabric)
    said = filled([holed, *others]).problem(1024)
    assert said is not None
    assert said.startswith("2 places of its cloth have no score. This is an error of the program")


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
