"""Every picture and every mask is looked at before work begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.data.folders import find_normal_images, find_strips, find_test_images
from cras_core.data.masks import read_levels
from cras_core.data.validation import validate_normal_images, validate_test_images, with_depth
from cras_core.errors import DataError

CLOTH = 100


def picture(path: Path, value: int = CLOTH, size: tuple[int, int] = (6, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(size, value, np.uint8)
    if value == CLOTH:
        pixels[::2, ::2] += 60
    Image.fromarray(pixels).save(path)
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


def test_all_pictures_that_cannot_be_read_are_named(root: Path) -> None:
    good = root / "denim" / "train" / "good"
    cut_off(good / "0.png")
    (good / "2.png").write_bytes(b"")
    told: list[tuple[str, int, int]] = []
    normal = find_normal_images(root)
    with pytest.raises(DataError, match=r"2 pictures cannot be read; mend or remove them") as caught:
        validate_normal_images(normal, on_picture=lambda path, done, total: told.append((path.name, done, total)))
    assert caught.value.hint == "Or leave them out: --skip-corrupt"
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
    (truth / "1_mask.png").unlink()
    picture(truth / "2_mask.png", 1)
    with pytest.raises(DataError, match=r"0_mask\.png is 5 x 5 px, its picture 0\.png 8 x 6 px") as caught:
        validate_test_images(find_test_images(root), skip_corrupt=skip_corrupt)
    assert "1.png: no mask for it in ground_truth/hole, expected 1_mask.png or 1.png" in str(caught.value)
    assert "2_mask.png: a place in it has a grey level of 1 at most, and defective is what is above 127" in str(
        caught.value
    )


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


def saved(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def cloth(bits: int = 8, scale: int = 1, light: float = 1.0) -> np.ndarray:
    """(64, 96) of weave, as a camera of so many bits gives it."""
    rows, cols = np.mgrid[: 64 * scale, : 96 * scale]
    weave = (100 + 60 * ((rows // (4 * scale) + cols // (4 * scale)) % 2)) * light
    return weave.astype(np.uint8) if bits == 8 else (weave * 2 ** (bits - 8)).astype(np.uint16)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (np.zeros((64, 96), np.uint8), "odd.png shows no cloth"),
        (np.full((64, 96), 255, np.uint8), "odd.png shows no cloth"),
        (cloth(12), "odd.png has 16 bits, [012].png has 8"),
        (cloth(scale=3), "odd.png is 288 x 192 px and [012].png is 96 x 64 px"),
        (cloth(light=0.1), "odd.png has a mean grey level of 13, most pictures of it one of 130"),
        (np.dstack([cloth(), cloth(), cloth() // 2]), "odd.png has colours, [012].png has none"),
    ],
    ids=["black", "white", "deep", "scale", "dark", "colour"],
)
def test_pictures_that_are_not_alike_are_not_learnt_together(tmp_path: Path, odd: np.ndarray, said: str) -> None:
    for k in range(3):
        saved(tmp_path / "denim" / "normal" / f"{k}.png", cloth())
    assert validate_normal_images(find_normal_images(tmp_path))[0].bits is None
    saved(tmp_path / "denim" / "normal" / "odd.png", odd)
    with pytest.raises(DataError, match=said):
        validate_normal_images(find_normal_images(tmp_path))


def test_the_depth_is_that_of_all_pictures_of_all_fabrics(tmp_path: Path) -> None:
    for k, light in enumerate((0.2, 0.25, 1.0)):
        saved(tmp_path / f"denim{k}" / "normal" / "0.png", cloth(12, light=light))
        saved(tmp_path / f"denim{k}" / "normal" / "1.png", cloth(12, light=light))
    assert [n.bits for n in validate_normal_images(find_normal_images(tmp_path))] == [12, 12, 12]
    assert [n.bits for n in with_depth(find_normal_images(tmp_path))] == [12, 12, 12]
    assert [n.bits for n in validate_normal_images(find_normal_images(tmp_path), bits=14)] == [14, 14, 14]
    with pytest.raises(DataError, match=r"of its values are more than 10 bits hold") as caught:
        validate_normal_images(find_normal_images(tmp_path), bits=10)
    assert caught.value.hint == "Say another with --bits. Or leave them out: --skip-corrupt"


SPOT = np.zeros((6, 8), np.uint8)
SPOT[2:4, 3:5] = 255
OVERLAY = np.dstack([np.full((6, 8, 3), 255, np.uint8), SPOT])


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.dstack([np.zeros((6, 8, 3), np.uint8), SPOT]), "what is transparent in a mask is good cloth, and the rest"),
        (np.dstack([OVERLAY[..., :3], SPOT // 3]), "what is transparent in a mask is good cloth"),
        (SPOT // 255, "grey level of 1 at most"),
        (SPOT // 4, "grey level of 63 at most"),
        (SPOT.astype(np.uint16) * 200, "16 bits holds 0 and 65535 only"),
        (SPOT.astype(np.float32), "floating-point"),
        (np.where(np.arange(8) == 7, 3, 0) * 30 + SPOT, "grey level of 90 at most"),
    ],
    ids=["black on clear", "faint overlay", "0 and 1", "0 and 63", "deep", "float", "labels"],
)
def test_what_is_no_mask_is_refused(root: Path, mask: np.ndarray, said: str) -> None:
    path = root / "denim" / "ground_truth" / "hole" / "0_mask.tif"
    path.with_suffix(".png").unlink()
    saved(path, mask if mask.dtype in (np.uint8, np.uint16, np.float32) else mask.astype(np.uint8))
    with pytest.raises(DataError, match=rf"0_mask\.tif: .*{said}"):
        validate_test_images(find_test_images(root))


@pytest.mark.parametrize(
    "mask",
    [
        SPOT,
        SPOT > 0,
        np.dstack([SPOT, SPOT * 0, SPOT * 0]),
        SPOT.astype(np.uint16) * 257,
        OVERLAY,
        np.dstack([SPOT * 0 + 255, SPOT]),
    ],
    ids=["grey", "one bit", "red", "16 bits", "overlay", "grey overlay"],
)
def test_masks_in_usual_encodings_say_the_same(root: Path, mask: np.ndarray) -> None:
    path = saved(root / "denim" / "ground_truth" / "hole" / "0_mask.png", mask)
    assert np.array_equal(read_levels(path) > 127, SPOT > 0)


def test_a_mask_turned_by_exif_is_turned_with_it(root: Path) -> None:
    exif = Image.Exif()
    exif[274] = 3
    path = root / "m.png"
    Image.fromarray(SPOT[::-1, ::-1]).save(path, exif=exif)
    assert np.array_equal(read_levels(path), SPOT)


def test_masks_that_call_most_of_the_picture_defective_are_told(root: Path) -> None:
    saved(root / "denim" / "ground_truth" / "hole" / "0_mask.png", 255 - SPOT)
    _, condition = validate_test_images(find_test_images(root))
    assert "0.png" in [p.name for p in condition.mostly]


def test_a_good_picture_whose_mask_marks_a_defect_is_refused(root: Path) -> None:
    saved(root / "denim" / "ground_truth" / "good" / "0.png", SPOT * 0)
    validate_test_images(find_test_images(root))
    saved(root / "denim" / "ground_truth" / "good" / "0.png", SPOT)
    with pytest.raises(DataError, match=r"0\.png is called good, and its mask .*good.0\.png marks a defect"):
        validate_test_images(find_test_images(root))
