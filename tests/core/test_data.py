"""Data sets are found in either layout, and what is missing is named together with what was expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cras_core.data.folders import find_normal_images, find_strips, find_test_images
from cras_core.data.values import Mask, NormalImages
from cras_core.errors import DataError


def picture(path: Path, value: int = 100, size: tuple[int, int] = (6, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(path)
    return path


# Layouts


def test_both_layouts_are_found_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "9"):
        picture(tmp_path / "fabric_10" / "normal" / f"{name}.png")
        picture(tmp_path / "fabric_2" / "train" / "good" / f"{name}.png")
    picture(tmp_path / "fabric_2" / "test" / "good" / "1.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    found = find_normal_images(tmp_path)
    assert [(n.fabric, n.are_strips) for n in found] == [("fabric_2", False), ("fabric_10", True)]
    for normal in found:
        assert [p.name for p in normal.paths] == ["9.png", "10.png"]


def test_the_root_may_be_a_single_fabric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "denim" / "normal" / "a.png")
    picture(tmp_path / "hemp" / "train" / "good" / "a.png")
    assert [(n.fabric, n.are_strips) for n in find_normal_images(tmp_path / "denim")] == [("denim", True)]
    assert [(n.fabric, n.are_strips) for n in find_normal_images(tmp_path / "hemp")] == [("hemp", False)]
    monkeypatch.chdir(tmp_path / "hemp")
    assert [n.fabric for n in find_normal_images(Path())] == ["hemp"]


def test_tiles_are_preferred_where_a_fabric_has_both(tmp_path: Path) -> None:
    picture(tmp_path / "denim" / "train" / "good" / "tile.png")
    picture(tmp_path / "denim" / "normal" / "strip.png")
    (normal,) = find_normal_images(tmp_path)
    assert not normal.are_strips
    assert [p.name for p in normal.paths] == ["tile.png"]


def test_the_looms_cloth_is_a_data_set(loom_data: Path) -> None:
    found = find_normal_images(loom_data)
    assert [n.fabric for n in found] == ["basket", "plain", "satin", "twill"]
    assert all(n.are_strips and len(n.paths) == 6 for n in found)


@pytest.mark.parametrize("make", [False, True])
def test_what_is_no_data_set_says_what_was_expected(tmp_path: Path, make: bool) -> None:
    root = tmp_path / "data"
    if make:
        picture(root / "denim" / "somewhere" / "a.png")
    with pytest.raises(DataError, match="data is not a") as caught:
        find_normal_images(root)
    for part in ("<fabric>/train/good", "MVTec", "<fabric>/normal", "strips"):
        assert part in str(caught.value)


def test_a_file_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png is not a folder"):
        find_normal_images(picture(tmp_path / "a.png"))


def test_a_fabric_without_pictures_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "denim" / "normal" / "a.png")
    (tmp_path / "hemp" / "normal").mkdir(parents=True)
    with pytest.raises(DataError, match=r"normal holds no pictures") as caught:
        find_normal_images(tmp_path)
    assert str(tmp_path / "hemp") in str(caught.value)


# What is held back


@given(st.integers(1, 60), st.floats(0.01, 0.5), st.integers(0, 2**31))
def test_pictures_are_either_trained_on_or_held_back(count: int, share: float, seed: int) -> None:
    normal = NormalImages("denim", tuple(Path(f"{i}.png") for i in range(count)), are_strips=True)
    train, held = normal.held_back(share, seed)
    assert (train, held) == normal.held_back(share, seed)
    if count == 1:
        assert train == held == normal.paths
        return
    assert set(train) | set(held) == set(normal.paths)
    assert not set(train) & set(held)
    assert train
    assert held
    assert abs(len(held) - share * count) <= 1
    assert list(train) == [p for p in normal.paths if p in set(train)]
    assert list(held) == [p for p in normal.paths if p in set(held)]


def test_another_seed_holds_others_back() -> None:
    normal = NormalImages("denim", tuple(Path(f"{i}.png") for i in range(40)), are_strips=True)
    assert len({normal.held_back(0.2, seed)[1] for seed in range(10)}) > 5


# Pictures to judge by


def test_test_pictures_come_with_their_masks(tmp_path: Path) -> None:
    for name in ("2", "10"):
        picture(tmp_path / "denim" / "test" / "good" / f"{name}.png")
        picture(tmp_path / "denim" / "test" / "hole" / f"{name}.png")
    marked = picture(tmp_path / "denim" / "ground_truth" / "hole" / "2_mask.png")
    plain = picture(tmp_path / "denim" / "ground_truth" / "hole" / "10.bmp")
    picture(tmp_path / "hemp" / "train" / "good" / "1.png")
    found = find_test_images(tmp_path)
    assert list(found) == ["denim"]
    assert [(i.defect, i.path.stem, i.mask) for i in found["denim"]] == [
        ("good", "2", None),
        ("good", "10", None),
        ("hole", "2", Mask((marked,))),
        ("hole", "10", Mask((plain,))),
    ]
    assert {i.fabric for i in found["denim"]} == {"denim"}


def test_two_masks_of_one_picture_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    picture(tmp_path / "ground_truth" / "hole" / "1.png")
    picture(tmp_path / "ground_truth" / "hole" / "1_mask.png")
    with pytest.raises(DataError, match=r"1\.png and 1_mask\.png are both masks of .*leave one of them"):
        find_test_images(tmp_path)


@pytest.mark.parametrize("place", ["hole/2_mask.png", "crack/1_mask.png", "good/7.png"])
def test_a_mask_that_belongs_to_no_picture_is_named(tmp_path: Path, place: str) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    picture(tmp_path / "test" / "good" / "1.png")
    picture(tmp_path / "ground_truth" / "hole" / "1.png")
    lost = picture(tmp_path / "ground_truth" / place)
    with pytest.raises(DataError, match=f"belong to no picture.*\n{lost}"):
        find_test_images(tmp_path)


def test_a_mask_of_a_strip_that_is_not_there_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "denim" / "defect" / "1.png")
    picture(tmp_path / "denim" / "mask" / "1.png")
    lost = picture(tmp_path / "denim" / "mask" / "2_mask.png")
    with pytest.raises(DataError, match=f"belong to no picture.*\n{lost}"):
        find_strips(tmp_path)


@pytest.mark.parametrize("make", [False, True])
def test_a_set_without_test_pictures_says_what_was_expected(tmp_path: Path, make: bool) -> None:
    root = tmp_path / "data"
    if make:
        picture(root / "denim" / "train" / "good" / "1.png")
        (root / "denim" / "test" / "good").mkdir(parents=True)
        with pytest.raises(DataError, match="nothing to evaluate on: expected <fabric>/test/good and"):
            find_test_images(root)
    else:
        with pytest.raises(DataError, match="data is not a folder"):
            find_test_images(root)


def test_a_good_picture_has_an_empty_mask(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "good" / "1.png")
    picture(tmp_path / "ground_truth" / "good" / "1.png", 255)
    ((image,),) = find_test_images(tmp_path).values()
    mask = image.read_mask(6, 8)
    assert mask.shape == (6, 8)
    assert mask.dtype == np.bool_
    assert not mask.any()


def test_grey_levels_above_half_are_defective(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    truth = tmp_path / "ground_truth" / "hole" / "1.png"
    truth.parent.mkdir(parents=True)
    grey = np.array([[0, 1, 127, 128, 255]], np.uint8)
    Image.fromarray(grey).save(truth)
    ((image,),) = find_test_images(tmp_path).values()
    assert image.read_mask(1, 5).tolist() == [[False, False, False, True, True]]
    Image.fromarray(np.dstack([grey, grey * 0, grey * 0])).save(truth)  # drawn in red
    assert image.read_mask(1, 5).tolist() == [[False, False, False, True, True]]
    Image.fromarray(grey > 127).save(truth)
    assert image.read_mask(1, 5).tolist() == [[False, False, False, True, True]]


def test_a_missing_mask_names_its_picture(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    ((image,),) = find_test_images(tmp_path).values()
    with pytest.raises(DataError, match=r"1\.png: no mask for it in ground_truth/hole"):
        image.read_mask(6, 8)


def test_a_mask_of_another_size_names_both_sizes(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    picture(tmp_path / "ground_truth" / "hole" / "1.png", size=(7, 9))
    ((image,),) = find_test_images(tmp_path).values()
    with pytest.raises(DataError, match=r"1\.png is 9 x 7 px, its picture .*8 x 6 px"):
        image.read_mask(6, 8)


def test_a_mask_that_is_no_picture_says_so(tmp_path: Path) -> None:
    picture(tmp_path / "test" / "hole" / "1.png")
    truth = picture(tmp_path / "ground_truth" / "hole" / "1.png")
    truth.write_text("no picture")
    ((image,),) = find_test_images(tmp_path).values()
    with pytest.raises(DataError, match="not a readable picture"):
        image.read_mask(6, 8)
