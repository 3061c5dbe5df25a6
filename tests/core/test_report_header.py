"""What reports say about how they were made, and figures over several seeds."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cras_core
from cras_core.config.presets import PRESETS, cloth
from cras_core.config.reading import with_settings
from cras_core.data.datasets import DataSet
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.evaluation.images import evaluate
from cras_core.evaluation.report_header import nearest_preset
from cras_core.evaluation.seeds import mean_and_deviation, over_bundles
from cras_core.evaluation.webs import evaluate_web
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle


@pytest.fixture
def strips(loom_data: Path, tmp_path: Path) -> Path:
    """Two strips with defects of one fabric."""
    for part in ("defect", "mask"):
        (tmp_path / "plain" / part).mkdir(parents=True)
        for path in list_images(loom_data / "plain" / part)[:2]:
            shutil.copy(path, tmp_path / "plain" / part / path.name)
    return tmp_path


# Presets


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_nearest_to_itself_whatever_the_seed(name: str) -> None:
    config = with_settings(PRESETS[name](), {"train.seed": "7"})
    assert nearest_preset(config) == {"name": name, "differs": {}}


def test_what_differs_from_the_nearest_preset_is_named() -> None:
    config = with_settings(PRESETS["paper"](), {"backbone.levels": "[1, 2]", "train.epochs": "3"})
    expected = {"backbone.levels": [[2, 3], [1, 2]], "train.epochs": [100, 3]}
    assert nearest_preset(config) == {"name": "paper", "differs": expected}
    assert json.loads(json.dumps(nearest_preset(config))) == nearest_preset(config)


# Reports


def test_reports_about_pictures_and_strips_state_their_protocol(
    inspector: CrasDetector, bundle: Bundle, mvtec: Path, strips: Path
) -> None:
    reports = (evaluate(inspector, mvtec), evaluate_web({"it": inspector}, strips)["it"])
    for report, root, masks in zip(reports, (mvtec, strips), (6, 2), strict=True):
        protocol = report["protocol"]
        assert protocol["program"] == f"cras {cras_core.__version__}"
        assert (protocol["data_set"], protocol["data"]) == ("folders", str(root))
        assert protocol["model"] == bundle.identity
        assert protocol["preset"]["name"] == "cloth"
        assert protocol["preset"]["differs"]["train.epochs"] == [cloth().train.epochs, 6]
        assert (protocol["seed"], protocol["weights_hash"]) == (0, bundle.weights_hash)
        assert (protocol["mask_above"], protocol["masks"], protocol["masks_with_grey_between"]) == (127, masks, 0)
        assert (protocol["input_scale"], protocol["resize_px"], protocol["crop_px"]) == (1.0, None, None)
        assert report["remarks"] == []
        assert json.dumps(report, allow_nan=False)


def test_a_named_data_set_says_which_classes_it_lacks(inspector: CrasDetector, mvtec: Path, tmp_path: Path) -> None:
    shutil.copytree(mvtec / "plain", tmp_path / "tubes")
    report = evaluate(inspector, DataSet("mpdd", tmp_path))
    missing = ["bracket_black", "bracket_brown", "bracket_white", "connector", "metal_plate"]
    assert report["protocol"]["data_set"] == "mpdd"
    assert report["protocol"]["classes_missing"] == missing
    assert report["remarks"] == [
        "the model was not trained on tubes: they are compared with the nearest it knows",
        f"{tmp_path} lacks {', '.join(missing)}; the figures are those of the other classes",
    ]


def test_what_was_skipped_is_named_and_counted(inspector: CrasDetector, strips: Path) -> None:
    first = list_images(strips / "plain" / "defect")[0]
    first.write_bytes(first.read_bytes()[:200])
    report = evaluate_web({"it": inspector}, DataSet("folders", strips, skip_corrupt=True))["it"]
    (unreadable,) = report["protocol"]["unreadable"]
    assert unreadable.startswith(f"{first}: not a readable picture")
    assert report["fabrics"]["plain"]["strips"] == report["protocol"]["strips"] == 1
    assert report["remarks"] == [f"pictures that cannot be read are left out, 1:\n{unreadable}"]


def test_soft_masks_are_counted_in_the_report(inspector: CrasDetector, strips: Path) -> None:
    for path in list_images(strips / "plain" / "mask"):
        mask = read_image(path)
        Image.fromarray(np.where(mask > 0, 200, 20).astype(np.uint8)).save(path)
    report = evaluate_web({"it": inspector}, strips)["it"]
    assert report["protocol"]["masks_with_grey_between"] == 2
    assert report["fabrics"]["plain"]["defects"] >= 2
    assert "2 of 2 masks have grey levels between 0 and 255" in report["remarks"][0]


def test_strips_without_a_defect_have_no_recall_and_a_reason(inspector: CrasDetector, strips: Path) -> None:
    for path in list_images(strips / "plain" / "mask"):
        Image.fromarray(np.zeros_like(read_image(path))).save(path)
    report = evaluate_web({"it": inspector}, strips)["it"]
    for figures in (report["fabrics"]["plain"], report["all"]):
        assert figures["defects"] == 0
        assert all(math.isnan(v) for v in figures["recall_per_strip"].values())
        assert math.isnan(figures["defect_inspected"])
        assert math.isnan(figures["aupro"])
    assert "plain: no defects on its strips, so there is no recall" in report["remarks"]
    assert any("2 of 2 masks show no defect" in r for r in report["remarks"])


def test_a_fabric_without_test_pictures_has_a_row_and_a_reason(
    inspector: CrasDetector, mvtec: Path, tmp_path: Path
) -> None:
    shutil.copytree(mvtec, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "twill" / "test")
    shutil.rmtree(tmp_path / "data" / "twill" / "ground_truth")
    (tmp_path / "data" / "twill" / "test" / "good").mkdir(parents=True)
    report = evaluate(inspector, tmp_path / "data")
    assert all(math.isnan(v) for v in report["fabrics"]["twill"].values())
    assert report["mean"] == report["fabrics"]["plain"]
    assert report["remarks"] == ["twill: no test pictures, so there are no figures"]


def test_a_fabric_with_one_strip_is_judged(inspector: CrasDetector, strips: Path) -> None:
    for part in ("defect", "mask"):
        list_images(strips / "plain" / part)[1].unlink()
    figures = evaluate_web({"it": inspector}, strips)["it"]["fabrics"]["plain"]
    assert figures["strips"] == 1
    assert 0 <= figures["recall_per_strip"]["1.0"] <= 1


# Several seeds


def test_the_mean_and_the_spread_are_those_of_the_seeds() -> None:
    found = mean_and_deviation([{"a": 0.5, "b": {"c": 1}}, {"a": 0.7, "b": {"c": 3}}, {"a": 0.9, "b": {"c": 5}}])
    assert found["a"] == pytest.approx({"mean": 0.7, "spread": 0.2})
    assert found["b"]["c"] == {"mean": 3.0, "spread": 2.0}
    assert mean_and_deviation([{"a": 0.5}])["a"] == {"mean": 0.5, "spread": 0.0}
    assert math.isnan(mean_and_deviation([{"a": 0.5}, {"a": float("nan")}])["a"]["mean"])


def test_bundles_that_differ_in_more_than_their_seed_are_told_apart() -> None:
    report = {"remarks": ["one thing"], "mean": {"a": 0.5}}
    configs = [with_settings(cloth(), {"train.seed": s}) for s in "012"]
    found = over_bundles({"x": report, "y": report, "z": report}, configs, ("mean",))
    assert (found["seeds"], found["remarks"]) == ([0, 1, 2], ["one thing"])
    assert found["summary"]["mean"]["a"] == {"mean": 0.5, "spread": 0.0}
    other = [configs[0], with_settings(cloth(), {"train.epochs": "3"})]
    remarks = over_bundles({"x": report, "y": report}, other, ("mean",))["remarks"]
    assert any("differ in more than their seed" in r and "train.epochs" in r for r in remarks)
    assert any("have the same seed" in r for r in remarks)


def test_a_bundle_keeps_its_identity_when_it_is_opened(bundle: Bundle) -> None:
    assert CrasDetector.from_bundle(bundle, "cpu").identity == bundle.identity
    config = with_settings(bundle.config, {"score.smooth_px": "2"})
    assert CrasDetector.from_bundle(dataclasses.replace(bundle, config=config), "cpu").identity != bundle.identity
