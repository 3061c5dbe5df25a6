"""The published data sets, each in its own layout: what is found, and what is said where something is missing."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.data.datasets import DATA_SETS, DataSet, open_data_set
from cras_core.errors import DataError
from cras_core.images import list_images, read_image


def picture(path: Path, value: int = 100, size: tuple[int, int] = (6, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(path)
    return path


def tiles(root: Path, *classes: str) -> Path:
    """Classes in MVTec layout, one picture of each kind."""
    for name in classes:
        for part in ("train/good/0", "test/good/0", "test/hole/0", "ground_truth/hole/0_mask"):
            picture(root / name / f"{part}.png")
    return root


def visa(root: Path, classes: tuple[str, ...] = ("candle",), **changes: str) -> Path:
    """Classes as VisA is published, two pictures to train on, a good and a defective one to judge by."""
    lines = []
    for name in classes:
        for split, label, place, mask in (
            ("train", "normal", "Normal/10.JPG", ""),
            ("train", "normal", "Normal/9.JPG", ""),
            ("test", "normal", "Normal/1.JPG", ""),
            ("test", "anomaly", "Anomaly/0.JPG", f"{name}/Data/Masks/Anomaly/0.png"),
        ):
            image = f"{name}/Data/Images/{place}"
            picture(root / image)
            lines.append({"object": name, "split": split, "label": label, "image": image, "mask": mask})
        labels = np.zeros((6, 8), np.uint8)
        labels[1, 2], labels[3, 4] = 1, 5
        path = root / name / "Data" / "Masks" / "Anomaly" / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(labels).save(path)
    lines[-1] |= changes
    path = root / "split_csv" / "1cls.csv"
    path.parent.mkdir()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return root


def published_aitex(root: Path) -> Path:
    """Two fabrics as AITEX is published."""
    for name in ("0002_000_00", "0010_000_00"):
        picture(root / "NODefect_images" / "2306881-210020u" / f"{name}.png")
    picture(root / "NODefect_images" / "2311694-1930c7u" / "0001_000_03.png")
    for name in ("0001_002_00", "0097_030_03", "0100_025_08"):
        picture(root / "Defect_images" / f"{name}.png")
    picture(root / "Mask_images" / "0001_002_00_mask.png", 255)
    for k, row in ((1, 0), (2, 5)):
        mask = np.zeros((6, 8), np.uint8)
        mask[row] = 255
        Image.fromarray(mask).save(root / "Mask_images" / f"0097_030_03_mask{k}.png")
    return root


# MVTec AD, MPDD, ITDD


@pytest.mark.parametrize(
    ("name", "number", "classes"),
    [
        ("mvtec", 15, ("carpet", "metal_nut")),
        ("mpdd", 6, ("bracket_black", "tubes")),
        ("itdd", 4, ("cotton_fabric", "hemp_fabric")),
        ("itdd", 4, ("cotton", "hemp")),
    ],
)
def test_classes_in_mvtec_layout_are_found_and_the_others_counted_as_missing(
    tmp_path: Path, name: str, number: int, classes: tuple[str, ...]
) -> None:
    tiles(tmp_path, *classes, "velvet")
    (tmp_path / "readme.txt").write_text("x")
    data = open_data_set(tmp_path, name)
    assert [n.fabric for n in data.normal_images()] == list(classes)
    found = data.test_images()
    assert list(found) == list(classes)
    assert [i.is_good for i in found[classes[0]]] == [True, False]
    assert len(DATA_SETS[name].classes) == number
    assert len(data.missing(found)) == number - 2
    assert not any(c.startswith(m) for m in data.missing(found) for c in classes)


@pytest.mark.parametrize("name", ["mvtec", "mpdd", "itdd", "aitex"])
def test_a_folder_that_is_another_data_set_says_what_was_expected_and_what_is_there(tmp_path: Path, name: str) -> None:
    tiles(tmp_path, "velvet")
    known = DATA_SETS[name]
    with pytest.raises(DataError, match=f"is not {known.title}: expected .*{known.classes[0]}.*; it holds velvet/"):
        open_data_set(tmp_path, name).normal_images()


@pytest.mark.parametrize("name", list(DATA_SETS))
def test_a_folder_that_is_not_there_says_what_was_expected(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"gone is not a folder.*expected"):
        open_data_set(tmp_path / "gone", name).normal_images()


def test_every_class_that_lacks_a_part_is_named(tmp_path: Path) -> None:
    tiles(tmp_path, "carpet", "grid", "wood")
    for name in ("carpet", "wood"):
        shutil.rmtree(tmp_path / name / "train")
    with pytest.raises(DataError, match="has no train/good; it holds ground_truth/, test/") as caught:
        open_data_set(tmp_path, "mvtec").normal_images()
    assert "carpet" in str(caught.value)
    assert "wood" in str(caught.value)
    shutil.rmtree(tmp_path / "grid" / "ground_truth")
    with pytest.raises(DataError, match=r"hole has no masks: expected .*grid.ground_truth.hole"):
        open_data_set(tmp_path, "mvtec").test_images()


def test_a_class_without_pictures_to_train_on_is_named(tmp_path: Path) -> None:
    tiles(tmp_path, "carpet")
    (tmp_path / "carpet" / "train" / "good" / "0.png").unlink()
    with pytest.raises(DataError, match=r"carpet.train.good holds no pictures"):
        open_data_set(tmp_path, "mvtec").normal_images()


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no data set 'moon'; known are mvtec, visa, mpdd, itdd, aitex, fold"):
        open_data_set(tmp_path, "moon")


@pytest.mark.parametrize("name", [None, "folders"])
def test_any_other_folder_of_fabrics_has_no_classes_that_could_be_missing(tmp_path: Path, name: str | None) -> None:
    data = open_data_set(tiles(tmp_path, "velvet"), name)
    assert data == DataSet("folders", tmp_path)
    assert [n.fabric for n in data.normal_images()] == list(data.test_images()) == ["velvet"]
    assert data.missing(["velvet"]) == []


# VisA


@pytest.mark.parametrize("name", [None, "visa"])
def test_visa_is_read_by_its_csv_file(tmp_path: Path, name: str | None) -> None:
    data = open_data_set(visa(tmp_path, ("candle", "pcb1")), name)
    assert data.name == "visa"
    first, second = data.normal_images()
    assert (first.fabric, second.fabric, first.are_strips) == ("candle", "pcb1", False)
    assert [p.name for p in first.paths] == ["9.JPG", "10.JPG"]
    found = data.test_images()
    assert [(i.path.name, i.is_good) for i in found["pcb1"]] == [("1.JPG", True), ("0.JPG", False)]
    assert len(data.missing(found)) == 10


def test_the_masks_of_visa_hold_labels(tmp_path: Path) -> None:
    good, bad = open_data_set(visa(tmp_path)).test_images()["candle"]
    assert not good.read_mask(6, 8).any()
    assert np.argwhere(bad.read_mask(6, 8)).tolist() == [[1, 2], [3, 4]]


def test_a_class_of_visa_without_its_folder_is_missing(tmp_path: Path) -> None:
    data = open_data_set(visa(tmp_path, ("candle", "pcb1")))
    shutil.rmtree(tmp_path / "pcb1")
    assert [n.fabric for n in data.normal_images()] == ["candle"]
    assert "pcb1" in data.missing(data.test_images())
    shutil.rmtree(tmp_path / "candle")
    with pytest.raises(DataError, match=r"none of the class folders .* candle, pcb1; it holds split_csv/"):
        data.normal_images()


def test_a_picture_that_visa_names_and_has_not_is_named_with_its_line(tmp_path: Path) -> None:
    data = open_data_set(visa(tmp_path))
    (tmp_path / "candle" / "Data" / "Masks" / "Anomaly" / "0.png").unlink()
    (tmp_path / "candle" / "Data" / "Images" / "Normal" / "9.JPG").unlink()
    with pytest.raises(DataError, match="2 files that are named are not there") as caught:
        data.test_images()
    assert "line 3: expected" in str(caught.value)
    assert "line 5: expected" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "val"}, r"1cls\.csv, line 5: split is 'val'; expected train or test"),
        ({"label": "bad"}, r"line 5: label is 'bad'; expected normal or anomaly"),
        ({"mask": ""}, r"line 5: the column mask is empty; expected the mask of candle"),
        ({"split": "train"}, r"line 5: an anomaly to train on"),
        ({"image": ""}, r"line 5: object and image must not be empty"),
    ],
)
def test_a_line_of_visa_that_is_not_as_expected_is_named(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        open_data_set(visa(tmp_path, **changes)).test_images()


def test_a_folder_without_the_csv_file_of_visa_says_so(tmp_path: Path) -> None:
    tiles(tmp_path, "candle")
    with pytest.raises(DataError, match=r"is not VisA: expected split_csv/1cls\.csv in it.*it holds candle/"):
        open_data_set(tmp_path, "visa").test_images()


def test_a_csv_file_that_is_none_of_visa_names_the_columns(tmp_path: Path) -> None:
    path = visa(tmp_path) / "split_csv" / "1cls.csv"
    path.write_text(path.read_text().replace("label", "class"))
    with pytest.raises(DataError, match="lacks the column label: expected object, split, label, image, mask; it has"):
        open_data_set(tmp_path).test_images()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as a csv file"):
        open_data_set(tmp_path).test_images()
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"lacks the column object, split, label, image, mask: .* it has none"):
        open_data_set(tmp_path).test_images()


# AITEX


@pytest.mark.parametrize("name", [None, "aitex"])
def test_aitex_is_read_as_it_is_published(tmp_path: Path, name: str | None) -> None:
    data = open_data_set(published_aitex(tmp_path), name)
    assert data.name == "aitex"
    first, second = data.normal_images()
    assert (first.fabric, second.fabric, first.are_strips) == ("fabric_00", "fabric_03", True)
    assert [p.name for p in first.paths] == ["0002_000_00.png", "0010_000_00.png"]
    assert {fabric: len(s) for fabric, s in data.strips().items()} == {"fabric_00": 1, "fabric_03": 1}
    assert [p.name for p in data.left_out()] == ["0100_025_08.png"]
    assert data.missing(["fabric_00", "fabric_03"]) == [f"fabric_0{k}" for k in (1, 2, 4, 5, 6)]


def test_two_masks_of_a_strip_are_one(tmp_path: Path) -> None:
    (strip,) = open_data_set(published_aitex(tmp_path)).strips()["fabric_03"]
    assert strip.read_mask(6, 8).any(axis=1).tolist() == [True, False, False, False, False, True]


def test_aitex_as_strips_of_ones_own_has_the_fabrics_of_that_name(tmp_path: Path) -> None:
    for name in ("fabric_02", "velvet"):
        for part in ("normal", "defect", "mask"):
            picture(tmp_path / name / part / "0001_002_02.png")
    data = open_data_set(tmp_path, "aitex")
    assert [n.fabric for n in data.normal_images()] == list(data.strips()) == ["fabric_02"]
    assert data.left_out() == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: shutil.rmtree(root / "Mask_images"), "has no Mask_images: AITEX is published as NODefect_images"),
        (lambda root: picture(root / "Defect_images" / "a.png"), r"a\.png: expected a name nnnn_ddd_ff"),
        (
            lambda root: [p.unlink() for p in list_images(root / "Mask_images")],
            "holds no strip with a mask: expected nnnn_ddd_ff.png in it and .* which holds nothing",
        ),
    ],
)
def test_aitex_that_is_not_as_published_is_refused(tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(published_aitex(tmp_path))
    with pytest.raises(DataError, match=said):
        open_data_set(tmp_path, "aitex").strips()


def test_aitex_without_normal_strips_says_what_was_expected(tmp_path: Path) -> None:
    shutil.rmtree(published_aitex(tmp_path) / "NODefect_images" / "2306881-210020u")
    shutil.rmtree(tmp_path / "NODefect_images" / "2311694-1930c7u")
    with pytest.raises(
        DataError, match=r"holds no pictures: expected <fabric>/nnnn_000_ff\.png in it; it holds nothing"
    ):
        open_data_set(tmp_path).normal_images()


def test_strips_and_pictures_are_not_taken_for_each_other(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="AITEX is strips of web, not pictures: judge on it with cras evaluate-web"):
        open_data_set(published_aitex(tmp_path / "a")).test_images()
    with pytest.raises(DataError, match="VisA is pictures, not strips of web: judge on it with cras evaluate"):
        open_data_set(visa(tmp_path / "v")).strips()


def test_the_real_strips_are_aitex(aitex: Path) -> None:
    data = open_data_set(aitex, "aitex")
    assert all(n.are_strips and read_image(n.paths[0]).shape == (256, 4096) for n in data.normal_images())
    assert len(data.strips()) + len(data.missing(data.strips())) == 7
