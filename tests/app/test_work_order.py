"""Work order against cloth: what runs is not what the order names."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, frame, inspect_all

from aoi_app.inspection.cloth.work_order import WorkOrderCheck, identify_fabric
from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.assets import asset
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.loom import Loom, LoomConfig
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.web.tiling import TilingConfig

CALIBRATIONS = tuple(
    dataclasses.replace(c, level_limit=0.4) for c in Brightness(("plain", "twill", "satin")).calibrations
)


def distances(plain: float, twill: float, satin: float = 1.4) -> np.ndarray:
    return np.array([plain, twill, satin], np.float32)


@pytest.mark.parametrize(
    ("lying", "found"),
    [
        (distances(0.1, 0.9), 0),
        (distances(0.39, 0.9), 0),  # an odd roll of the right fabric
        (distances(0.3, 0.25), 0),  # two fabrics that are much alike
        (distances(0.9, 0.1), 1),
        (distances(0.35, 0.1), 1),
        (distances(0.41, 0.9), None),
        (distances(0.9, 0.5), None),
        (distances(0.3, 0.9, 0.1), 2),
    ],
)
def test_what_a_piece_of_cloth_is(lying: np.ndarray, found: int | None) -> None:
    assert identify_fabric(lying, CALIBRATIONS, ordered=0) == found


def test_a_mismatch_is_told_once_when_it_has_lasted() -> None:
    check = WorkOrderCheck(CALIBRATIONS, 0)
    right, wrong = distances(0.1, 0.9), distances(0.9, 0.1)
    told = [
        check.check(wrong if k in (2, 5, 6, 7, 8, 11, 12, 13) else right, 512 * k, 512 * k + 512) for k in range(14)
    ]
    assert [k for k, m in enumerate(told) if m is not None] == [6, 12]
    assert told[6] is not None
    assert (told[6].first_line, told[6].fabric) == (5 * 512, "plain")
    assert told[6].text == "the order names plain, but the cloth matches twill (distance 0.10, from plain 0.90)"


def test_an_unlike_cloth_and_then_another_are_two_mismatches() -> None:
    check = WorkOrderCheck(CALIBRATIONS, 0)
    unlike, twill = distances(0.9, 0.8), distances(0.9, 0.1)
    told = [check.check(s, 1024 * k, 1024 * k + 1024) for k, s in enumerate((unlike, unlike, twill, twill))]
    assert [m is not None for m in told] == [True, False, True, False]
    assert told[0] is not None
    assert "unlike it (distance 0.90, usual up to 0.40) and unlike every other" in told[0].text


def test_without_an_order_nothing_is_a_mismatch() -> None:
    check = WorkOrderCheck(CALIBRATIONS, None)
    assert check.check(distances(0.9, 0.9), 0, 9000) is None


@pytest.fixture(scope="module")
def demo() -> CrasDetector:
    return CrasDetector.load(asset("demo.cras"), "cpu")


def remarks(detector: CrasDetector, ordered: str, *cloth: np.ndarray) -> list[tuple[str, str, int]]:
    inspection = RollInspection(detector, detector.config.tiling, Recipe(fabric=ordered))
    outcomes = inspect_all(inspection, [frame(c) for c in cloth])
    assert inspection.inspected_lines == sum(map(len, cloth))
    beside = ("matched", "level", "light", "proof")  # another weave is brighter or darker as well
    return [(r.kind, r.text, r.first_line) for o in outcomes for r in o.remarks if r.kind not in beside]


def woven(weave: str, lines: int = 1500) -> np.ndarray:
    return Loom(LoomConfig(weave=weave, width_px=640, seed=5)).weave(0, lines)


def test_another_weave_than_the_ordered_is_told_and_the_right_one_is_not(demo: CrasDetector) -> None:
    plain = woven("plain")
    assert remarks(demo, "plain", plain) == []
    ((kind, text, line),) = remarks(demo, "twill", plain)
    assert (kind, line) == ("mismatch", 0)
    assert text.startswith("the order names twill, but the cloth matches plain (distance 0.")


def test_the_place_where_the_cloth_changes_is_told(demo: CrasDetector) -> None:
    ((_, text, line),) = remarks(demo, "plain", woven("plain", 1000), woven("satin", 1700))
    assert "matches satin" in text
    assert abs(line - 1000) < 512


def test_cloth_that_no_fabric_is_like_is_told(demo: CrasDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 640), dtype=np.uint8)
    ((kind, text, _),) = [r for r in remarks(demo, "plain", noise) if r[0] != "unknown"]
    assert kind == "mismatch"
    assert "unlike it" in text


def test_real_cloth_of_the_right_order_is_no_mismatch(aitex: Path) -> None:
    """Two fabrics learnt from a few strips; cloth of each ordered right and wrong."""
    from cras_core.config.presets import cloth
    from cras_core.config.reading import with_settings
    from cras_core.data.folders import find_normal_images
    from cras_core.training.train import train

    quick = {"train.epochs": "1", "train.patches_per_epoch": "4000", "synthesis.drawn_tiles": "2"}
    normal = [n for n in find_normal_images(aitex) if n.fabric in ("fabric_02", "fabric_03")]
    few = [n for f in ("fabric_02", "fabric_03") for n in [m for m in normal if m.fabric == f][:3]]
    detector = CrasDetector.from_bundle(train(few, with_settings(cloth(), quick), "cpu"), "cpu")
    strips = {f: sorted((aitex / f / "defect").glob("*.png"))[-4:] for f in ("fabric_02", "fabric_03")}
    for fabric, paths in strips.items():
        web = [cv2.imread(str(p), cv2.IMREAD_GRAYSCALE)[:, 1024:2048] for p in paths]
        for ordered in strips:
            kinds = [kind for kind, _, _ in remarks(detector, ordered, *web)]
            assert ("mismatch" in kinds) == (ordered != fabric)


class Near(Brightness):
    """Knows one fabric, which is black; 40 grey values away from it cloth is another."""

    def __init__(self) -> None:
        super().__init__(["black"])
        self.calibrations = (dataclasses.replace(self.calibrations[0], level_limit=0.4),)


@pytest.mark.parametrize(
    ("cloth", "told"),
    [
        ([(0, 3000)], []),
        ([(60, 256)], [0]),
        ([(60, 3000)], [0]),
        ([(0, 2048), (60, 600), (0, 2048)], []),
        ([(0, 2048), (60, 2600)], [2048]),
        ([(0, 2048), (60, 2600), (0, 600), (60, 2600)], [2048]),
    ],
)
@pytest.mark.parametrize("ordered", [None, "black"])
def test_strange_cloth_is_told_at_the_beginning_of_a_web_and_later_when_it_lasts(
    cloth: list[tuple[int, int]], told: list[int], ordered: str | None
) -> None:
    recipe = PLAIN.model_copy(update={"fabric": ordered, "threshold": 50.0})
    inspection = RollInspection(Near(), TilingConfig(), recipe)
    web = [frame(np.full((lines, 256), grey, np.uint8)) for grey, lines in cloth]
    kind = "unknown" if ordered is None else "level"
    said = [r for o in inspect_all(inspection, web) for r in o.remarks if r.kind == kind]
    assert len(said) == len(told)
    for remark, line in zip(said, told, strict=True):
        assert line <= remark.first_line <= line + 2 * 1024
        assert "black" in remark.text
        assert "1.5 times as far from it as its own cloth may be" in remark.text
