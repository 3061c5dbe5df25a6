"""Figures of a model on a data set with masks."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.config.reading import with_settings
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import DataError
from cras_core.evaluation.images import Figures, evaluate
from cras_core.evaluation.metrics import PixelScores, auroc, average_precision, f1_max
from cras_core.images import read_image
from cras_core.registry.bundle import Bundle

FIGURES = {field.name for field in dataclasses.fields(Figures)}


@pytest.fixture
def copy(mvtec: Path, tmp_path: Path) -> Path:
    """A copy of the data set to spoil."""
    return Path(shutil.copytree(mvtec, tmp_path / "data"))


def test_the_report_holds_the_figures_of_every_fabric_and_their_mean(inspector: CrasDetector, mvtec: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = evaluate(inspector, mvtec, lambda path, done, total: told.append((path.name, done, total)))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert [(done, total) for _, done, total in told] == [(i + 1, 12) for i in range(12)]
    assert set(report["fabrics"]) == {"plain", "twill"}
    for figures in [*report["fabrics"].values(), report["mean"]]:
        assert set(figures) == FIGURES
        assert all(0 <= value <= 1 for value in figures.values())
        assert figures["p_auroc"] > 0.9
        assert figures["matched"] == 1.0
    for name, value in report["mean"].items():
        assert value == pytest.approx(np.mean([f[name] for f in report["fabrics"].values()]))


def test_the_figures_are_those_of_the_predictions(inspector: CrasDetector, mvtec: Path) -> None:
    report = evaluate(inspector, mvtec)["fabrics"]["plain"]
    pictures = [
        (read_image(path), path.parent.name)
        for kind in ("good", "spoilt")
        for path in sorted((mvtec / "plain" / "test" / kind).iterdir())
    ]
    masks = [np.zeros((256, 256), bool)] * 3 + [
        read_image(path) > 127 for path in sorted((mvtec / "plain" / "ground_truth" / "spoilt").iterdir())
    ]
    maps = [inspector.predict(picture[None]).anomaly_map[0] for picture, _ in pictures]
    truth, score = np.stack(masks).ravel(), np.stack(maps).ravel()
    defective = np.array([kind == "spoilt" for _, kind in pictures])
    peaks = np.array([m.max() for m in maps])
    assert report["i_auroc"] == pytest.approx(auroc(defective, peaks))
    assert report["i_ap"] == pytest.approx(average_precision(defective, peaks))
    assert report["i_f1_max"] == pytest.approx(f1_max(defective, peaks))
    # Pixels are counted in fine bins.
    assert report["p_auroc"] == pytest.approx(auroc(truth, score), abs=1e-3)
    assert report["p_ap"] == pytest.approx(average_precision(truth, score), abs=5e-3)
    assert report["p_f1_max"] == pytest.approx(f1_max(truth, score), abs=5e-3)
    pixels = PixelScores()
    for mask, anomaly in zip(masks, maps, strict=True):
        pixels.add(mask, anomaly)
    assert report["aupro"] == pytest.approx(pixels.aupro())


def test_the_report_says_how_it_was_measured(inspector: CrasDetector, mvtec: Path, bundle: Bundle) -> None:
    protocol = evaluate(inspector, mvtec)["protocol"]
    assert protocol["data"] == str(mvtec)
    assert protocol["pictures"] == 12
    assert protocol["aupro_fpr_limit"] == 0.3
    assert protocol["backbone"] == bundle.config.backbone.name
    assert protocol["weights_hash"] == bundle.weights_hash
    assert protocol["seed"] == 0
    assert protocol["resize_px"] is protocol["crop_px"] is None


def test_pictures_and_masks_are_resized_and_cropped_alike(bundle: Bundle, mvtec: Path) -> None:
    config = with_settings(bundle.config, {"preprocess.resize_px": "192", "preprocess.crop_px": "160"})
    report = evaluate(CrasDetector.from_bundle(dataclasses.replace(bundle, config=config), "cpu"), mvtec)
    assert report["protocol"]["resize_px"] == 192
    assert report["protocol"]["crop_px"] == 160
    assert report["mean"]["p_auroc"] > 0.8


def test_a_fabric_that_the_model_does_not_know_has_no_share_of_matches(inspector: CrasDetector, copy: Path) -> None:
    (copy / "plain").rename(copy / "velvet")
    report = evaluate(inspector, copy)
    assert math.isnan(report["fabrics"]["velvet"]["matched"])
    assert report["fabrics"]["twill"]["matched"] == 1.0
    assert report["fabrics"]["velvet"]["p_auroc"] > 0.5


def test_pictures_that_are_taken_for_another_fabric_are_not_matched(inspector: CrasDetector, copy: Path) -> None:
    (copy / "plain").rename(copy / "other")
    (copy / "twill").rename(copy / "plain")
    (copy / "other").rename(copy / "twill")
    report = evaluate(inspector, copy)
    assert report["mean"]["matched"] == 0.0


def test_pictures_of_several_sizes_are_evaluated_together(inspector: CrasDetector, copy: Path) -> None:
    for part in ("test/spoilt/0.png", "ground_truth/spoilt/0_mask.png"):
        path = copy / "plain" / part
        Image.fromarray(read_image(path)[:200, :240]).save(path)
    assert evaluate(inspector, copy)["protocol"]["pictures"] == 12


@pytest.mark.parametrize(("gone", "kind"), [("good", "good"), ("spoilt", "defective")])
def test_figures_that_cannot_be_had_have_a_reason(inspector: CrasDetector, copy: Path, gone: str, kind: str) -> None:
    shutil.rmtree(copy / "plain" / "test" / gone)
    shutil.rmtree(copy / "plain" / "ground_truth" / gone, ignore_errors=True)  # good pictures have no masks
    report = evaluate(inspector, copy)
    assert any(r.startswith(f"plain: no {kind} test pictures, so there are no figures") for r in report["remarks"])
    plain = report["fabrics"]["plain"]
    assert all(math.isnan(plain[name]) for name in ("i_auroc", "i_ap", "i_f1_max"))
    assert math.isnan(plain["aupro"]) is (gone == "spoilt")
    assert report["mean"]["i_auroc"] == report["fabrics"]["twill"]["i_auroc"]


def test_a_fabric_with_one_test_picture_has_no_figures_but_no_error(inspector: CrasDetector, copy: Path) -> None:
    shutil.rmtree(copy / "plain" / "test" / "good")
    for name in ("1", "2"):
        (copy / "plain" / "test" / "spoilt" / f"{name}.png").unlink()
        (copy / "plain" / "ground_truth" / "spoilt" / f"{name}_mask.png").unlink()
    figures = evaluate(inspector, copy)["fabrics"]["plain"]
    assert math.isnan(figures["i_auroc"])
    assert figures["p_auroc"] > 0.5


def test_a_missing_mask_is_named(inspector: CrasDetector, copy: Path) -> None:
    (copy / "plain" / "ground_truth" / "spoilt" / "1_mask.png").unlink()
    with pytest.raises(DataError, match=r"1\.png: no mask for it in ground_truth/spoilt"):
        evaluate(inspector, copy)


def test_a_mask_of_another_size_is_named(inspector: CrasDetector, copy: Path) -> None:
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(copy / "plain" / "ground_truth" / "spoilt" / "1_mask.png")
    with pytest.raises(DataError, match=r"1_mask\.png is 20 x 10 px, its picture .*256 x 256 px"):
        evaluate(inspector, copy)


def test_a_picture_that_cannot_be_read_is_named(inspector: CrasDetector, copy: Path) -> None:
    (copy / "plain" / "test" / "good" / "1.png").write_text("broken")
    with pytest.raises(DataError, match=r"1\.png: not a readable picture"):
        evaluate(inspector, copy)


def test_a_folder_that_is_no_test_set_says_what_was_expected(inspector: CrasDetector, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected <fabric>/test/good"):
        evaluate(inspector, tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        evaluate(inspector, tmp_path / "gone")
