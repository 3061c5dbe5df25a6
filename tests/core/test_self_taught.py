"""A web teaches the model its own cloth, without its defects."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import EnrolError
from cras_core.evaluation.metrics import auroc
from cras_core.evaluation.webs import evaluate_web, inspect_strip
from cras_core.images import list_images, read_image
from cras_core.loading import detector_of
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.training.recurrence import Places, look_up
from cras_core.training.self_taught import THIS_WEB, WebTaught, teach
from cras_core.web.calibration import tail_threshold

LINES = 256  # of each strip


@pytest.fixture(scope="module")
def first_cloth(loom_data: Path) -> list[np.ndarray]:
    """Two strips of a weave that the small model does not know, both with defects."""
    return [read_image(path)[:LINES] for path in list_images(loom_data / "satin" / "defect")[:2]]


@pytest.fixture(scope="module")
def taught(bundle: Bundle, first_cloth: list[np.ndarray]) -> WebTaught:
    return teach(bundle, first_cloth, "cpu")


def weave(rows: int, cols: int, seed: int = 0) -> tuple[torch.Tensor, Places]:
    """Vectors of cloth of two kinds of cells in turn, with a little noise, and their places."""
    rng = np.random.default_rng(seed)
    row, col = (a.ravel() for a in np.mgrid[:rows, :cols])
    base = np.where(((row + col) % 2)[:, None] == 0, 1.0, -1.0) * np.ones((1, 8))
    vectors = torch.from_numpy((base + 0.1 * rng.normal(size=base.shape)).astype(np.float32))
    return vectors, Places(row, col.astype(np.float64), (cols - 1 - col).astype(np.float64))


# What recurs


@pytest.mark.parametrize(
    "defect",
    [np.s_[40:44, 30:34], np.s_[:, 50:52], np.s_[10:13, :]],
    ids=["a spot", "a warp fault from the first line on", "a bar over the whole width"],
)
def test_a_defect_recurs_nowhere_and_cloth_does(defect: tuple[slice, slice]) -> None:
    vectors, places = weave(96, 96)
    is_defect = np.zeros((96, 96), np.bool_)
    is_defect[defect] = True
    vectors[torch.from_numpy(is_defect.ravel())] += torch.tensor([4.0, -4.0] * 4)
    found = look_up(vectors, places, np.random.default_rng(0))
    truth = is_defect.ravel()[found.index]
    inner = (places.from_left >= 6)[found.index] & (places.from_right >= 6)[found.index]
    assert not found.recurs[truth & inner].any()
    assert found.recurs[~truth].mean() > 0.95


def test_a_selvedge_that_runs_along_both_edges_is_cloth() -> None:
    vectors, places = weave(96, 96)
    at_edge = torch.from_numpy((places.from_left < 4) | (places.from_right < 4))
    vectors[at_edge] += torch.tensor([4.0, -4.0] * 4)
    found = look_up(vectors, places, np.random.default_rng(0))
    assert found.recurs[at_edge.numpy()[found.index]].mean() > 0.9


def test_a_piece_of_cloth_with_no_other_to_look_it_up_in_counts_as_cloth() -> None:
    vectors, places = weave(8, 8)
    assert look_up(vectors, places, np.random.default_rng(0)).recurs.mean() > 0.95


# What is taught


def test_defects_of_the_cloth_that_taught_stand_out(
    taught: WebTaught, first_cloth: list[np.ndarray], loom_data: Path
) -> None:
    detector = detector_of(taught.bundle, "cpu")
    truth, scores = [], []
    for path, picture in zip(list_images(loom_data / "satin" / "defect"), first_cloth, strict=False):
        mask = read_image(loom_data / "satin" / "mask" / path.name)[:LINES]
        rows, _ = inspect_strip(detector, picture, len(detector.fabrics) - 1)
        score = np.concatenate([r.score for r in rows])
        defective = mask.reshape(LINES // 8, 8, 128, 8).max(axis=(1, 3)) > 0
        truth.append(defective[np.isfinite(score)])
        scores.append(score[np.isfinite(score)])
    assert auroc(np.concatenate(truth), np.concatenate(scores)) > 0.85


def test_the_web_is_one_more_fabric_and_the_others_stay(bundle: Bundle, taught: WebTaught, tmp_path: Path) -> None:
    assert taught.bundle.fabrics == (*bundle.fabrics, THIS_WEB)
    write_bundle(taught.bundle, tmp_path / "taught.cras")
    kept = read_bundle(tmp_path / "taught.cras")
    assert kept.provenance["kind"] == "self-taught"
    assert kept.calibrations[-1].enrolled_quickly
    before, after = CrasDetector.from_bundle(bundle, "cpu"), CrasDetector.from_bundle(kept, "cpu")
    for k in range(len(bundle.fabrics)):
        assert torch.equal(before.model.centers.of(k), after.model.centers.of(k))


def test_too_little_cloth_teaches_nothing(bundle: Bundle, first_cloth: list[np.ndarray]) -> None:
    with pytest.raises(EnrolError, match="cells of cloth are too few"):
        teach(bundle, [first_cloth[0][:32]], "cpu")
    with pytest.raises(EnrolError, match="shows nothing"):
        teach(bundle, [np.full((256, 512), 255, np.uint8)], "cpu")


def test_a_view_that_is_nowhere_like_itself_teaches_nothing(bundle: Bundle) -> None:
    rng = np.random.default_rng(0)
    lanes = [cv2.resize(rng.integers(0, 256, (256 >> i, 128 >> i)).astype(np.uint8), (128, 256)) for i in range(4)]
    table = np.concatenate(lanes, axis=1)
    with pytest.raises(EnrolError, match="not like itself"):
        teach(bundle, [table], "cpu")


def test_the_report_judges_what_the_first_strips_have_taught(bundle: Bundle, loom_data: Path, tmp_path: Path) -> None:
    for part in ("defect", "mask"):
        (tmp_path / "satin" / part).mkdir(parents=True)
        for path in list_images(loom_data / "satin" / part)[:2]:
            Image.fromarray(read_image(path)[:LINES]).save(tmp_path / "satin" / part / path.name)
    given: list[int] = []

    def by_web(name: str, fabric: str, pictures: list[np.ndarray]) -> CrasDetector:
        given.append(len(pictures))
        return CrasDetector.from_bundle(teach(bundle, pictures, "cpu", fabric).bundle, "cpu")

    report = evaluate_web(
        {"small": detector_of(bundle, "cpu")},
        tmp_path,
        teach=by_web,
        first_cloth_m=0.05,  # type: ignore[arg-type]
    )
    assert given == [1]
    assert report["small"]["fabrics"]["satin"]["defects"] > 0


# The limit


def test_defects_in_the_cloth_do_not_raise_the_limit() -> None:
    rng = np.random.default_rng(1)
    good = rng.exponential(1.0, 2000)
    spoilt = np.concatenate([good[:1960], 50 + rng.exponential(1.0, 40)])
    clean = tail_threshold(good, 1.0, 1.0)
    assert tail_threshold(spoilt, 1.0, 1.0) > 30
    assert tail_threshold(spoilt, 1.0, 1.0, doubtful=0.2) == pytest.approx(clean, rel=0.5)
    assert tail_threshold(good, 1.0, 1.0, doubtful=0.2) == pytest.approx(clean, rel=0.25)
