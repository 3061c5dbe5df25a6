"""A model keeps the depth of the pictures that it has learnt from, and pictures that contradict it are named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cras_core.api import score_image
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.datasets import open_data_set
from cras_core.data.folders import find_good_cloth, find_normal_images
from cras_core.data.samples.picture_import import add_pictures
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.data.validation import validate_normal_images
from cras_core.errors import DataError
from cras_core.evaluation.webs import evaluate_web
from cras_core.images import list_images, read_image
from cras_core.loading import detector_of
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.training.enrol import enrol
from cras_core.training.train import train

SMALL = {
    "backbone.input_scale": "1.0",
    "train.epochs": "1",
    "train.patches_per_epoch": "2000",
    "synthesis.drawn_tiles": "2",
    "centers.prototypes": "4",
}


def deepened(folder: Path, to: Path, bits: int = 12) -> Path:
    """Two pictures of a folder as a camera of so many bits gives them: the same grey levels, and finer ones between."""
    to.mkdir(parents=True)
    for path in list_images(folder)[:2]:
        grey = read_image(path)
        cv2.imwrite(str(to / path.name), (grey.astype(np.uint16) << (bits - 8)) + 3)
    return to


@pytest.fixture(scope="module")
def deep_data(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain cloth of the loom in 12 bits, with defects and masks."""
    root = tmp_path_factory.mktemp("deep")
    for part in ("normal", "defect"):
        deepened(loom_data / "plain" / part, root / "plain" / part)
    (root / "plain" / "mask").mkdir()
    for path in list_images(root / "plain" / "defect"):
        shutil.copy(loom_data / "plain" / "mask" / path.name, root / "plain" / "mask")
    return root


@pytest.fixture(scope="module")
def deep_bundle(deep_data: Path) -> Bundle:
    return train(validate_normal_images(find_normal_images(deep_data)), with_settings(cloth(), SMALL), "cpu")


def test_a_model_keeps_the_depth_it_has_learnt(deep_bundle: Bundle, remade: Callable[..., Bundle]) -> None:
    assert deep_bundle.bits == 12
    again = remade(**{name: getattr(deep_bundle, name) for name in deep_bundle.__dataclass_fields__})
    assert (again.bits, again.identity) == (12, deep_bundle.identity)
    assert detector_of(again, "cpu").bits == 12


def test_models_of_8_bit_pictures_keep_their_identity_and_their_file(bundle: Bundle, bundle_path: Path) -> None:
    assert bundle.bits is None
    assert b'"bits"' not in bundle_path.read_bytes()
    assert read_bundle(bundle_path).identity != replace(bundle, bits=12).identity


def test_the_same_cloth_scores_the_same_in_8_and_in_12_bits(
    deep_bundle: Bundle, deep_data: Path, loom_data: Path
) -> None:
    detector = detector_of(deep_bundle, "cpu")
    name = list_images(deep_data / "plain" / "defect")[0].name
    deep, shallow = (score_image(detector, root / "plain" / "defect" / name) for root in (deep_data, loom_data))
    assert deep.score == shallow.score


def test_one_bright_speck_changes_no_other_pictures(deep_bundle: Bundle, deep_data: Path, tmp_path: Path) -> None:
    detector = detector_of(deep_bundle, "cpu")
    path = list_images(deep_data / "plain" / "defect")[0]
    dark = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) // 5  # alone it would pass for 10 bits
    cv2.imwrite(str(tmp_path / "dark.png"), dark)
    dark[0, 0] = 4095
    cv2.imwrite(str(tmp_path / "speck.png"), dark)
    np.testing.assert_array_equal(
        read_image(tmp_path / "dark.png", detector.bits)[1:], read_image(tmp_path / "speck.png", detector.bits)[1:]
    )


def test_pictures_beyond_the_depth_of_a_model_are_named(deep_bundle: Bundle, deep_data: Path, tmp_path: Path) -> None:
    shutil.copytree(deep_data / "plain", tmp_path / "plain")
    path = list_images(tmp_path / "plain" / "defect")[1]
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    pixels[:] = 5000
    cv2.imwrite(str(path), pixels)
    detectors = {"it": detector_of(deep_bundle, "cpu")}
    with pytest.raises(DataError, match=f"{path.name}: 100% of its values are more than 12 bits hold"):
        evaluate_web(detectors, tmp_path)
    report = evaluate_web(detectors, open_data_set(tmp_path, bits=16))  # whoever knows better may say so
    assert report["it"]["protocol"]["bits"] == 16


def test_a_fabric_is_enrolled_with_the_depth_of_the_model(
    deep_bundle: Bundle, bundle: Bundle, loom_data: Path, tmp_path: Path
) -> None:
    folder = deepened(loom_data / "twill" / "normal", tmp_path / "twill", bits=10)
    deeper = deepened(loom_data / "twill" / "normal", tmp_path / "deep twill", bits=16)
    with pytest.raises(DataError, match="more than 12 bits hold"):
        enrol(deep_bundle, find_good_cloth(deeper, "twill"), "cpu")
    assert enrol(bundle, find_good_cloth(folder, "fresh"), "cpu").bits == 10  # the first deep ones it sees


def test_samples_are_cut_with_one_depth(tmp_path: Path) -> None:
    for name, value in (("1", 800), ("2", 4000)):
        picture = np.full((80, 80), value, np.uint16)
        picture[::2] //= 2
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    store = SampleStore(tmp_path / "store")
    store.begin(FabricRecord("plain"))
    add_pictures(store, store.fabric("plain"), list_images(tmp_path), "me", "2026-01-01", lambda *_: True)
    brightest = sorted(int(store.image(s).max()) for s in store.samples("plain"))
    assert brightest == [800 >> 4, 4000 >> 4]
