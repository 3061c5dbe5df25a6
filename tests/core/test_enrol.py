"""A new fabric without training: it is found, the others stay as they were, its limit says that it is provisional."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_good_cloth
from cras_core.data.values import NormalImages
from cras_core.detectors.base import GoodCloth
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.detectors.patchcore import PatchCore
from cras_core.errors import DataError, EnrolError
from cras_core.evaluation.metrics import auroc
from cras_core.evaluation.webs import inspect_strip
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.registry.provenance import imaging_told
from cras_core.training.distance_limits import among, distance_limits
from cras_core.training.enrol import enrol
from cras_core.training.fabric_changes import remove_fabric
from cras_core.training.progress import Progress
from cras_core.training.train import train
from cras_core.web.calibration import FabricCalibration


@pytest.fixture(scope="module")
def satin(loom_data: Path) -> NormalImages:
    return some(find_good_cloth(loom_data, "satin"), 4)


@pytest.fixture(scope="module")
def steps_and_quick(bundle: Bundle, satin: NormalImages) -> tuple[list[Progress], Bundle]:
    """The small model of plain and twill with satin added, and what was told meanwhile."""
    steps: list[Progress] = []
    return steps, enrol(bundle, satin, "cpu", author="Ada", on_progress=steps.append)


@pytest.fixture(scope="module")
def quick(steps_and_quick: tuple[list[Progress], Bundle]) -> Bundle:
    return steps_and_quick[1]


@pytest.fixture(scope="module")
def with_satin(quick: Bundle) -> CrasDetector:
    return CrasDetector.from_bundle(quick, "cpu")


def some(normal: NormalImages, count: int) -> NormalImages:
    return dataclasses.replace(normal, paths=normal.paths[:count])


# What it is for


def test_defects_on_the_new_fabric_stand_out(with_satin: CrasDetector, loom_data: Path) -> None:
    truth, scores = [], []
    for path in list_images(loom_data / "satin" / "defect")[:3]:
        mask = read_image(loom_data / "satin" / "mask" / path.name)
        rows, _ = inspect_strip(with_satin, read_image(path), 2)
        score = np.concatenate([r.score for r in rows])
        defective = mask.reshape(64, 8, 128, 8).max(axis=(1, 3)) > 0
        truth.append(defective[np.isfinite(score)])
        scores.append(score[np.isfinite(score)])
    assert auroc(np.concatenate(truth), np.concatenate(scores)) > 0.85


def test_every_fabric_is_matched_to_itself(with_satin: CrasDetector, loom_data: Path) -> None:
    for k, fabric in enumerate(("plain", "twill", "satin")):
        for path in list_images(loom_data / fabric / "normal")[1:2]:
            rows, matched = inspect_strip(with_satin, read_image(path), None)
            assert matched == k
            assert all(r.distance < with_satin.calibrations[k].level_limit for r in rows)


def test_the_other_fabrics_score_exactly_as_before(
    inspector: CrasDetector, with_satin: CrasDetector, loom_data: Path
) -> None:
    for k, fabric in enumerate(inspector.fabrics):
        picture = read_image(next((loom_data / fabric / "defect").iterdir()))
        (before, _), (after, _) = (inspect_strip(i, picture, k) for i in (inspector, with_satin))
        for a, b in zip(before, after, strict=True):
            assert np.array_equal(a.score, b.score, equal_nan=True)
            assert np.array_equal(a.raw, b.raw, equal_nan=True)


def test_everything_that_was_there_stays(bundle: Bundle, quick: Bundle) -> None:
    assert quick.fabrics == ("plain", "twill", "satin")
    for name, tensor in bundle.tensors.items():
        same = quick.tensors[name][: len(tensor)] if quick.tensors[name].shape != tensor.shape else quick.tensors[name]
        assert torch.equal(same, tensor), name
    for before, after in zip(bundle.calibrations, quick.calibrations, strict=False):
        moved = {"level_limit"}
        assert {k: v for k, v in before.to_dict().items() if k not in moved} == {
            k: v for k, v in after.to_dict().items() if k not in moved
        }


def test_the_same_cloth_gives_the_same_model(bundle: Bundle, quick: Bundle, satin: NormalImages) -> None:
    torch.manual_seed(99)
    assert enrol(bundle, satin, "cpu").identity == quick.identity


# What it says of itself


def test_a_quick_limit_says_that_it_is_provisional(quick: Bundle, tmp_path: Path) -> None:
    write_bundle(quick, tmp_path / "a.cras")
    again = read_bundle(tmp_path / "a.cras")
    assert again.calibrations == quick.calibrations
    assert [c.enrolled_quickly for c in again.calibrations] == [False, False, True]
    warning = again.provenance["warnings"][-1]
    assert warning.startswith("satin: enrolled quickly from 2 pictures (")
    assert "its limit from 2 more (0.0" in warning
    assert "The heads have not seen this fabric, so the limit is provisional" in warning


def test_the_provenance_tells_parent_pictures_author_and_day(
    bundle: Bundle, quick: Bundle, satin: NormalImages
) -> None:
    told = quick.provenance
    assert (told["kind"], told["author"], told["parent"]) == ("quick", "Ada", bundle.identity)
    assert told["ancestors"] == [bundle.identity]
    assert told["pictures"] == {"plain": 6, "twill": 6, "satin": 4}
    assert told["samples"]["satin"] == [
        {"name": p.name, "sha256": hashlib.sha256(p.read_bytes()).hexdigest()} for p in satin.paths
    ]
    assert told["samples"]["plain"] == bundle.provenance["samples"]["plain"]
    assert set(told) >= {"made_at", "program", "seconds", "loss"}
    seen = imaging_told(told)
    assert set(seen) == {"plain", "twill", "satin"}
    assert seen["satin"].samples == 4
    assert 10 < seen["satin"].middle.brightness < 245
    assert set(told["held_back"]["satin"]) < {p.name for p in satin.paths}


def test_every_picture_is_told(steps_and_quick: tuple[list[Progress], Bundle]) -> None:
    steps, _ = steps_and_quick
    assert [(s.stage, s.done, s.total) for s in steps] == [
        *(("features", i, 4) for i in range(1, 5)),
        *(("calibration", i, 2) for i in range(1, 3)),
    ]


@pytest.mark.parametrize("at", ["features", "calibration"])
def test_an_enrolment_can_be_stopped(bundle: Bundle, satin: NormalImages, at: str) -> None:
    stages: list[str] = []
    with pytest.raises(EnrolError, match="The enrolment was stopped; the model is as it was"):
        enrol(
            bundle,
            some(satin, 2),
            "cpu",
            on_progress=lambda step: stages.append(step.stage),
            should_stop=lambda: at in stages,
        )


# Limits that tell fabrics from each other


PLAIN = FabricCalibration("k", 0.1, 0.8, 4.0, 3.5, 1.0, 1.0)


def test_limits_are_those_that_all_fabrics_have_together() -> None:
    """What is brought up to date must be what measuring anew would give."""
    own = [(0.1, 0.12), (0.2, 0.25, 0.21), (0.05,), (0.3, 0.1)]
    every = tuple(dataclasses.replace(PLAIN, own_distances=o) for o in own)
    found = among(every)
    assert [c.level_limit for c in found] == distance_limits(own)
    assert among((*among(every[:3]), every[3])) == found


@pytest.mark.parametrize("pictures", [1, 3, 20])
def test_one_more_picture_of_the_same_cloth_seldom_lies_beyond_the_limit(pictures: int) -> None:
    rng = np.random.default_rng(pictures)
    beyond = within = 0
    for _ in range(300):
        usual = np.exp(rng.normal(np.log(0.13), 0.3, 4))
        own = [np.exp(rng.normal(np.log(u), 0.35, pictures)) for u in usual]
        limits = np.array(distance_limits([o.tolist() for o in own]))
        beyond += int((np.exp(rng.normal(np.log(usual), 0.35)) > limits).sum())
        within += int((limits > 0.8).sum())
    assert beyond <= 0.015 * 1200
    assert within <= 0.01 * 1200, "what lies as far as another fabric is beyond it"


def test_much_cloth_of_a_fabric_says_more_than_the_other_fabrics() -> None:
    calm, rough = distance_limits([[0.2] * 20, [0.5] * 20])
    few_calm, few_rough = distance_limits([[0.2], [0.5]])
    assert 0.3 < calm < few_calm < min(rough, few_rough), "few pictures are drawn towards those of the others"


def test_the_furthest_picture_of_a_fabric_is_its_own() -> None:
    (limit,) = distance_limits([[0.05] * 20 + [0.6]])
    assert limit == 0.75
    assert distance_limits([[0.01] * 20]) == [0.3]


def test_a_model_from_before_keeps_its_limits_and_its_identity(bundle: Bundle) -> None:
    before = dataclasses.replace(PLAIN, similarity_limit=0.4, own_similarity=0.9, own_level=0.2)
    kept = {"similarity_limit", "own_similarity", "own_level"}
    assert kept <= before.to_dict().keys()
    assert among((before, bundle.calibrations[0]))[0] == before


# Once more


def test_a_fabric_can_be_enrolled_anew(quick: Bundle, satin: NormalImages, loom_data: Path) -> None:
    with pytest.raises(EnrolError, match=r"fabric satin is in the model already \(plain, twill, satin\)") as caught:
        enrol(quick, satin, "cpu")
    assert "--replace" in caught.value.hint
    basket = find_good_cloth(loom_data / "basket", "satin")
    anew = enrol(quick, some(basket, 2), "cpu", replacing=True)
    assert anew.fabrics == ("plain", "twill", "satin")
    assert not torch.equal(anew.tensors["centers.2"], quick.tensors["centers.2"])
    assert torch.equal(anew.tensors["centers.0"], quick.tensors["centers.0"])
    assert anew.provenance["pictures"]["satin"] == 2
    assert len([w for w in anew.provenance["warnings"] if w.startswith("satin: ")]) == 1
    assert anew.provenance["ancestors"] == [*quick.provenance["ancestors"], quick.identity]


def test_a_model_of_one_fabric_takes_others_and_tells_them_apart(satin: NormalImages, loom_data: Path) -> None:
    """The middle of what it was trained on is that fabric itself, from where nothing is similar to it."""
    settings = {"backbone.input_scale": "1", "train.epochs": "1", "train.patches_per_epoch": "2000"}
    settings |= {"synthesis.drawn_tiles": "1", "centers.prototypes": "8", "centers.refreshes": "0"}
    plain = find_good_cloth(loom_data, "plain")
    one = train([some(plain, 2)], with_settings(cloth(), settings), "cpu")
    two = enrol(one, some(satin, 2), "cpu")
    assert all(c.level_limit < 1.0 for c in two.calibrations)
    inspector = CrasDetector.from_bundle(two, "cpu")
    for k, normal in enumerate((plain, satin)):
        rows, matched = inspect_strip(inspector, read_image(normal.paths[3]), None)
        assert matched == k
        assert min(r.similarity for r in rows) > 0.8
    assert "origin" not in remove_fabric(two, "satin").tensors


# What cannot be done


def small(folder: Path, name: str, width: int = 256, dtype: type = np.uint8) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(len(name)).integers(100, 140, (128, width)).astype(dtype)
    Image.fromarray(grey).save(folder / name)


def enrolled(bundle: Bundle, folder: Path, *, are_tiles: bool = False) -> Bundle:
    return enrol(bundle, find_good_cloth(folder, "new", are_tiles=are_tiles), "cpu")


def test_one_picture_is_not_enough(bundle: Bundle, tmp_path: Path) -> None:
    small(tmp_path, "a.png")
    with pytest.raises(DataError, match=r"fabric new: one picture only, a\.png\. .*Record more, or cut it in two"):
        enrolled(bundle, tmp_path)


def test_a_folder_without_pictures_says_what_is_in_it(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"holds no pictures; in it are: notes\.txt"):
        enrolled(bundle, tmp_path)
    with pytest.raises(DataError, match=r"gone is not a folder; name one with pictures of good cloth"):
        enrolled(bundle, tmp_path / "gone")


def test_pictures_without_cloth_are_said(bundle: Bundle, tmp_path: Path) -> None:
    for name in ("a.png", "bb.png"):
        small(tmp_path, name, 40)  # narrower than anything to inspect
    with pytest.raises(DataError, match="fabric new: no cloth found in 1 pictures"):
        enrolled(bundle, tmp_path)
    Image.fromarray(np.full((512, 1024), 3, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png shows no cloth: all of it has the grey level 3\. Was the lamp off"):
        enrolled(bundle, tmp_path)


def test_too_few_pieces_for_a_limit_are_said(bundle: Bundle, tmp_path: Path) -> None:
    for name in ("a.png", "bb.png"):
        small(tmp_path, name)
    with pytest.raises(DataError, match=r"fabric new: 2 pieces of normal cloth are too few .*give more or larger"):
        enrolled(bundle, tmp_path, are_tiles=True)


def test_pictures_of_very_different_size_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    small(tmp_path, "a.png")
    small(tmp_path, "b.png", 600)
    with pytest.raises(DataError, match=r"b\.png is 600 x 128 px and a\.png is 256 x 128 px\. .*one scale"):
        enrolled(bundle, tmp_path)


def test_strips_may_be_of_any_length(bundle: Bundle, tmp_path: Path, satin: NormalImages) -> None:
    long, short = (read_image(p) for p in satin.paths[:2])
    Image.fromarray(long).save(tmp_path / "long.png")
    Image.fromarray(short[:200]).save(tmp_path / "short.png")
    assert enrolled(bundle, tmp_path).fabrics[-1] == "new"


def test_pictures_of_different_depth_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    small(tmp_path, "a.png")
    small(tmp_path, "b.png", dtype=np.uint16)
    with pytest.raises(DataError, match=r"b\.png has 16 bits, a\.png has 8\. .*save all pictures of a fabric alike"):
        enrolled(bundle, tmp_path)


def test_a_name_that_is_none_is_refused(bundle: Bundle, satin: NormalImages) -> None:
    with pytest.raises(EnrolError, match="a fabric needs a name"):
        enrol(bundle, dataclasses.replace(satin, fabric="  "), "cpu")


def test_mean_maps_cannot_be_enrolled_quickly(remade: Callable[..., Bundle], satin: NormalImages) -> None:
    config = with_settings(remade().config, {"centers.kind": "mean_map"})
    with pytest.raises(EnrolError, match=r"mean maps .*learns a fabric only together with all others") as caught:
        enrol(remade(config=config), satin, "cpu")
    assert "cras train DATA" in caught.value.hint


def test_a_detector_of_another_kind_says_so(inspector: CrasDetector) -> None:
    vectors = torch.zeros(4, inspector.model.extractor.dimension)
    bank = PatchCore(
        inspector.model.extractor, [vectors], vectors[:1], vectors[:1], ("plain",), inspector.config, inspector.device
    )
    with pytest.raises(EnrolError, match=r"this model \(PatchCore\) learns a fabric only together with all others"):
        bank.enrolment_extractor()
    with pytest.raises(EnrolError, match=r"this model \(PatchCore\) learns a fabric only together with all others"):
        bank.describe_fabric(GoodCloth(vectors, vectors, vectors[0]))


# Layouts


@pytest.mark.parametrize(
    ("part", "are_tiles", "are_strips"),
    [("normal", True, True), ("train/good", False, False), ("", False, True), ("", True, False)],
)
def test_good_cloth_is_found_in_every_layout(tmp_path: Path, part: str, are_tiles: bool, are_strips: bool) -> None:
    small(tmp_path / part, "a.png")
    found = find_good_cloth(tmp_path, "new", are_tiles=are_tiles)
    assert (found.fabric, found.are_strips) == ("new", are_strips)
    assert [p.name for p in found.paths] == ["a.png"]


def test_of_a_folder_of_fabrics_the_one_of_the_name_is_taken(loom_data: Path) -> None:
    found = find_good_cloth(loom_data, "satin")
    assert {p.parent.parent.name for p in found.paths} == {"satin"}
