"""What the figures of detectors on strips of web with masks are made of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.data.folders import find_strips
from cras_core.detectors.base import Detector
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import DataError
from cras_core.evaluation.web_figures import RATES_PER_M2, RATES_PER_STRIP
from cras_core.evaluation.webs import evaluate_web
from cras_core.images import list_images, read_image
from cras_core.web.canvas import WebConfig
from cras_core.web.scoring import WebInspection


@pytest.fixture(scope="module")
def strips(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strips with defects of each of two fabrics."""
    root = tmp_path_factory.mktemp("strips")
    for weave in ("plain", "twill"):
        for part in ("defect", "mask"):
            (root / weave / part).mkdir(parents=True)
            for path in list_images(loom_data / weave / part)[:2]:
                shutil.copy(path, root / weave / part / path.name)
    return root


@pytest.fixture
def copy(strips: Path, tmp_path: Path) -> Path:
    """A copy to spoil, of one fabric."""
    return Path(shutil.copytree(strips / "plain", tmp_path / "data" / "plain")).parent


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    """What was told while the report was made."""
    return []


@pytest.fixture(scope="module")
def report(inspector: CrasDetector, strips: Path, told: list[tuple[str, int, int]]) -> dict:
    """The small model under two names."""
    detectors: dict[str, Detector] = {"a": inspector, "b": inspector}
    return evaluate_web(detectors, strips, lambda path, done, total: told.append((path.name, done, total)))


def test_a_report_is_plain_json_with_all_rates(report: dict, told: list[tuple[str, int, int]]) -> None:
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again["a"]["fabrics"] == report["a"]["fabrics"]
    assert again["a"]["all"] == report["a"]["all"]
    assert [(done, total) for _, done, total in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert set(report) == {"a", "b"}
    for figures in [*report["a"]["fabrics"].values(), report["a"]["all"]]:
        assert list(figures["recall_per_strip"]) == [str(r) for r in RATES_PER_STRIP]
        assert list(figures["recall_per_m2"]) == [str(r) for r in RATES_PER_M2]
        for recalls in (figures["recall_per_strip"], figures["recall_per_m2"]):
            values = list(recalls.values())
            assert values == sorted(values)  # more false alarms never find less
            assert all(0 <= v <= 1 for v in values)


def test_detectors_are_judged_side_by_side_and_do_not_touch_each_other(report: dict) -> None:
    assert report["a"] == report["b"]


def test_the_looms_defects_are_found(report: dict) -> None:
    for name in ("plain", "twill"):
        figures = report["a"]["fabrics"][name]
        assert figures["strips"] == 2
        assert figures["defects"] >= 2
        assert figures["recall_per_strip"]["1.0"] >= 0.5
        assert figures["p_auroc"] > 0.9
        assert figures["defect_inspected"] > 0.9
        assert figures["matched"] == 1.0
    assert report["a"]["all"]["defects"] == sum(f["defects"] for f in report["a"]["fabrics"].values())


def test_the_recall_of_all_is_that_of_all_their_defects(report: dict) -> None:
    fabrics = report["a"]["fabrics"].values()
    for rate in map(str, RATES_PER_STRIP):
        found = sum(f["defects"] * f["recall_per_strip"][rate] for f in fabrics)
        wanted = found / sum(f["defects"] for f in fabrics)
        assert report["a"]["all"]["recall_per_strip"][rate] == pytest.approx(wanted)


def test_the_area_is_that_of_the_inspected_cloth(report: dict, inspector: CrasDetector, strips: Path) -> None:
    config = inspector.config
    cells = 0
    for strip in find_strips(strips)["plain"]:
        web = WebInspection(inspector, WebConfig(config.tiling, config.edges, config.reference, fabric=0))
        for rows in [*web.push(read_image(strip.path)), *web.finish()]:
            cells += int(np.isfinite(rows.score).sum())
    cell_m2 = (config.tiling.cell_px * config.calibration.mm_per_px / 1000) ** 2
    assert report["a"]["fabrics"]["plain"]["area_m2"] == pytest.approx(cells * cell_m2)


def test_defects_on_cloth_that_is_too_short_to_inspect_are_missed(inspector: CrasDetector, copy: Path) -> None:
    for part in ("defect", "mask"):
        first, second = list_images(copy / "plain" / part)
        second.unlink()
        picture = read_image(first)[:40]
        if part == "mask":
            picture[10:20, 400:420] = 255
        Image.fromarray(picture).save(first)
    figures = evaluate_web({"a": inspector}, copy)["a"]["fabrics"]["plain"]
    assert figures["defects"] >= 1
    assert figures["area_m2"] == 0.0
    assert figures["defect_inspected"] == 0.0
    assert set(figures["recall_per_strip"].values()) == {0.0}


def test_a_folder_without_strips_says_what_was_expected(inspector: CrasDetector, tmp_path: Path) -> None:
    (tmp_path / "plain" / "normal").mkdir(parents=True)
    with pytest.raises(DataError, match="expected <fabric>/defect and <fabric>/mask in it"):
        evaluate_web({"a": inspector}, tmp_path)


def test_masks_may_be_named_as_in_mvtec(copy: Path) -> None:
    for path in list_images(copy / "plain" / "mask"):
        path.rename(path.with_stem(f"{path.stem}_mask"))
    found = find_strips(copy)["plain"]
    assert [s.mask.paths[0].stem for s in found] == [f"{s.path.stem}_mask" for s in found]
    assert found[0].read_mask(512, 1024).any()
