"""Every picture and every mask is looked at before work begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.data.folders import find_normal_images, find_strips, find_test_images
from cras_core.data.validation import validate_normal_images, validate_test_images
from cras_core.errors import DataError


def picture(path: Path, value: int = 100, size: tuple[int, int] = (6, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full(size, value, np.uint8)
    if 50 < value < 255:
        image[::2] += 8  # cloth is never of one grey
    Image.fromarray(image).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three pictures to train on, two good and three defective ones to judge by."""
    for k in range(3):
        picture(tmp_path / "denim" / "train" / "good" / f"{k}.png")
        picture(tmp_path / "denim" / "test" / "hole" / f"{k}.png")
        picture(tmp_path / "denim" / "ground_truth" / "hole" / f"{k}_mask.png", 255)
    for k in range(2):
        picture(tmp_path / "denim" / "test" / "good" / f"{k}.png")
    return tmp_path


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def test_pictures_that_are_not_alike_are_refused_before_training(root: Path) -> None:
    good = root / "denim" / "train" / "good"
    picture(good / "dark.png", 0)
    with pytest.raises(DataError, match=r"dark\.png shows no cloth"):
        validate_normal_images(find_normal_images(root))
    picture(good / "dark.png", size=(20, 30))
    with pytest.raises(DataError, match=r"dark\.png is 30 x 20 px .* at one scale"):
        validate_normal_images(find_normal_images(root))
    Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8) * 20).save(good / "dark.png")
    with pytest.raises(DataError, match=r"dark\.png has 16 bits, 0\.png has 8"):
        validate_normal_images(find_normal_images(root))


@pytest.mark.parametrize("color", [(255, 255, 255), (255, 0, 0)])
def test_what_is_transparent_in_a_mask_is_not_marked(root: Path, color: tuple[int, int, int]) -> None:
    overlay = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    overlay.paste((*color, 255), (2, 1, 5, 4))
    overlay.save(root / "denim" / "ground_truth" / "hole" / "0_mask.png")
    first = next(t for t in find_test_images(root)["denim"] if t.path.parent.name == "hole" and t.path.stem == "0")
    mask = first.read_mask(6, 8)
    assert mask.sum() == 9
    assert mask[1:4, 2:5].all()


def test_all_pictures_that_cannot_be_read_are_named(root: Path) -> None:
    good = root / "denim" / "train" / "good"
    cut_off(good / "0.png")
    (good / "2.png").write_bytes(b"")
    told: list[tuple[str, int, int]] = []
    normal = find_normal_images(root)
    with pytest.raises(DataError, match=r"2 pictures cannot be read; .* --skip-corrupt") as caught:
        validate_normal_images(normal, on_picture=lambda path, done, total: told.append((path.name, done, total)))
    assert "0.png: not a readable picture" in str(caught.value)
    assert "2.png: not a readable picture" in str(caught.value)
    assert told == [("0.png", 1, 3), ("1.png", 2, 3), ("2.png", 3, 3)]
    (sound,) = validate_normal_images(normal, skip_corrupt=True)
    assert [p.name for p in sound.paths] == ["1.png"]
    assert [p.name for p in sound.skipped] == ["0.png", "2.png"]


def test_a_fabric_of_which_nothing_can_be_read_is_refused_even_so(root: Path) -> None:
    for path in (root / "denim" / "train" / "good").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataError, match="fabric denim: none of its 3 pictures can be read"):
        validate_normal_images(find_normal_images(root), skip_corrupt=True)


def test_a_picture_that_is_not_there_is_not_skipped(root: Path) -> None:
    normal = find_normal_images(root)
    normal[0].paths[1].unlink()
    with pytest.raises(DataError, match=r"1\.png: there is no such file"):
        validate_normal_images(normal, skip_corrupt=True)


def test_pictures_are_skipped_with_their_masks(root: Path) -> None:
    cut_off(root / "denim" / "test" / "good" / "1.png")
    cut_off(root / "denim" / "ground_truth" / "hole" / "2_mask.png")
    found = find_test_images(root)
    with pytest.raises(DataError, match="2 pictures cannot be read"):
        validate_test_images(found)
    sound, condition = validate_test_images(found, skip_corrupt=True)
    assert [(i.defect, i.path.name) for i in sound["denim"]] == [
        ("good", "0.png"),
        ("hole", "0.png"),
        ("hole", "1.png"),
    ]
    assert [Path(line.split(":")[0]).name for line in condition.unreadable] == ["1.png", "2_mask.png"]
    assert condition.masks == 2


@pytest.mark.parametrize("skip_corrupt", [False, True])
def test_masks_that_do_not_fit_are_all_named_and_never_skipped(root: Path, skip_corrupt: bool) -> None:
    truth = root / "denim" / "ground_truth" / "hole"
    picture(truth / "0_mask.png", 255, (5, 5))
    (truth / "1_mask.png").rename(truth / "defect-1.png")
    picture(truth / "2_mask.png", 1)
    with pytest.raises(DataError, match=r"0_mask\.png is 5 x 5 px, its picture 0\.png 8 x 6 px") as caught:
        validate_test_images(find_test_images(root), skip_corrupt=skip_corrupt)
    assert "1.png: no mask for it in ground_truth/hole, expected 1_mask.png or 1.png" in str(caught.value)
    assert "2_mask.png: its brightest grey level is 1, and defective is what is above 127" in str(caught.value)


def test_masks_with_grey_levels_between_and_without_a_defect_are_counted(root: Path) -> None:
    truth = root / "denim" / "ground_truth" / "hole"
    soft = np.full((6, 8), 255, np.uint8)
    soft[0, 0] = 90
    Image.fromarray(soft).save(truth / "0_mask.png")
    picture(truth / "1_mask.png", 0)
    _, condition = validate_test_images(find_test_images(root))
    assert (condition.masks, [p.name for p in condition.grey]) == (3, ["0.png"])
    assert [p.name for p in condition.empty] == ["1.png"]
    assert condition.unreadable == ()


def test_strips_are_looked_at_likewise(tmp_path: Path) -> None:
    for k in range(2):
        picture(tmp_path / "denim" / "defect" / f"{k}.png")
        picture(tmp_path / "denim" / "mask" / f"{k}.png", 200)
    sound, condition = validate_test_images(find_strips(tmp_path))
    assert (len(sound["denim"]), condition.masks, len(condition.grey)) == (2, 2, 2)
    cut_off(tmp_path / "denim" / "mask" / "0.png")
    with pytest.raises(DataError, match=r"one picture cannot be read; .*\n.*mask.0\.png: not a readable picture"):
        validate_test_images(find_strips(tmp_path))


def test_strips_without_masks_are_all_named(tmp_path: Path) -> None:
    for k in range(3):
        picture(tmp_path / "denim" / "defect" / f"{k}.png")
    with pytest.raises(DataError, match=r"defect has no masks: expected the folder .*mask beside it"):
        find_strips(tmp_path)
    picture(tmp_path / "denim" / "mask" / "1_mask.png")
    with pytest.raises(DataError, match=r"0\.png: no mask for it in .*, expected 0\.png or 0_mask\.png") as caught:
        find_strips(tmp_path)
    assert "2.png: no mask for it" in str(caught.value)
