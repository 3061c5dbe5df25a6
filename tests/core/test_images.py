"""Pictures of any usual kind become 8-bit grey or RGB; what is none says so."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from cras_core.errors import DataError
from cras_core.images import image_size, in_natural_order, is_deep, list_images, measured_bits, read_image

GREY = np.random.default_rng(0).integers(0, 256, (23, 31), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (23, 31, 3), dtype=np.uint8)


def saved(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "tiff"])
@pytest.mark.parametrize("array", [GREY, COLOUR], ids=["grey", "colour"])
def test_eight_bits_come_as_they_are(tmp_path: Path, ending: str, array: np.ndarray) -> None:
    path = saved(tmp_path, f"a.{ending}", Image.fromarray(array))
    found = read_image(path)
    assert found.dtype == np.uint8
    assert np.array_equal(found, array)
    assert not is_deep(path)
    assert measured_bits([path]) is None
    assert image_size(path) == (23, 31)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_lossy_formats_are_read_as_colour_or_grey(tmp_path: Path, ending: str) -> None:
    found = read_image(saved(tmp_path, f"a.{ending}", Image.new("RGB", (40, 20), (200, 100, 50)), quality=95))
    assert found.shape == (20, 40, 3)
    assert np.abs(found.astype(int) - (200, 100, 50)).max() <= 4


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(("bits", "brightest"), [(10, 1023), (12, 1024), (12, 4095), (16, 4096), (16, 65535)])
def test_the_depth_is_measured_over_all_pictures(tmp_path: Path, ending: str, bits: int, brightest: int) -> None:
    deep = np.linspace(0, brightest, 23 * 31).round().astype(np.uint16).reshape(23, 31)
    path = saved(tmp_path, f"a.{ending}", Image.fromarray(deep))
    dark = saved(tmp_path, f"dark.{ending}", Image.fromarray(deep // 16))
    assert measured_bits([dark, path]) == measured_bits([path, dark]) == bits
    found = read_image(path, bits)
    assert found.dtype == np.uint8
    assert np.array_equal(found, deep // 2 ** (bits - 8))


@pytest.mark.parametrize("bits", range(9, 17))
def test_a_known_depth_is_kept_for_all_pictures_of_a_web(tmp_path: Path, bits: int) -> None:
    deep = np.array([[0, 1 << (bits - 1), (1 << bits) - 1]], np.uint16)
    path = saved(tmp_path, "a.png", Image.fromarray(deep))
    assert read_image(path, bits).tolist() == [[0, 128, 255]]


def test_a_glaring_place_is_white_and_cloth_of_another_depth_is_refused(tmp_path: Path) -> None:
    deep = np.full((10, 10), 2000, np.uint16)
    deep[:2] = 4096
    path = saved(tmp_path, "a.png", Image.fromarray(deep))
    assert read_image(path, 12).tolist() == [[255] * 10] * 2 + [[2000 >> 4] * 10] * 8
    with pytest.raises(DataError, match=r"a\.png: 100% of its values are more than 10 bits hold") as caught:
        read_image(path, 10)
    assert "--bits" in caught.value.hint


def test_a_depth_that_nobody_knows_is_asked_for(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.png", Image.fromarray(np.array([[0, 4000]], np.uint16)))
    with pytest.raises(DataError, match=r"a\.png: .*more than 8 bits") as caught:
        read_image(path)
    assert "--bits" in caught.value.hint


def test_a_dark_picture_of_a_bright_web_stays_dark(tmp_path: Path) -> None:
    path = saved(tmp_path, "dark.png", Image.fromarray(np.full((4, 4), 900, np.uint16)))
    assert measured_bits([path]) == 10
    assert (read_image(path, 12) == 900 >> 4).all()


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    alpha = np.full((23, 31), 255, np.uint8)
    alpha[:, :10] = 0
    colour = read_image(saved(tmp_path, "c.png", Image.fromarray(np.dstack([COLOUR, alpha]))))
    assert (colour[:, :10] == 255).all()
    assert np.array_equal(colour[:, 10:], COLOUR[:, 10:])
    grey = read_image(saved(tmp_path, "g.png", Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])))
    assert grey.ndim == 2
    assert (grey[:, :10] == 255).all()
    assert np.array_equal(grey[:, 10:], GREY[:, 10:])


def test_half_transparent_is_half_way_to_white(tmp_path: Path) -> None:
    found = read_image(saved(tmp_path, "a.png", Image.new("RGBA", (4, 4), (0, 100, 255, 128))))
    assert np.abs(found.astype(int) - (127, 177, 255)).max() <= 1


def test_a_palette_gives_its_colours(tmp_path: Path) -> None:
    picture = Image.new("P", (3, 2))
    picture.putpalette([10, 20, 30, 200, 150, 100, 0, 0, 255])
    picture.putdata([0, 1, 2, 2, 1, 0])
    found = read_image(saved(tmp_path, "a.png", picture))
    assert found[0].tolist() == [[10, 20, 30], [200, 150, 100], [0, 0, 255]]
    found = read_image(saved(tmp_path, "b.png", picture, transparency=1))
    assert found[0].tolist() == [[10, 20, 30], [255, 255, 255], [0, 0, 255]]


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    found = read_image(saved(tmp_path, "a.png", Image.fromarray(GREY > 127)))
    assert np.array_equal(found, np.where(GREY > 127, 255, 0))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    found = read_image(saved(tmp_path, "a.tif", Image.new("CMYK", (5, 4), (0, 255, 255, 0))))
    assert found.shape == (4, 5, 3)
    assert found[0, 0].argmax() == 0


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.ones((4, 4), np.float32), "floating-point"),
        (np.full((4, 4), 1 << 20, np.int32), "32 bits"),
        (np.full((4, 4), 7, np.int32), "32 bits"),
        (np.full((4, 4), -1, np.int32), "32 bits"),
    ],
)
def test_floating_point_and_32_bits_are_refused(tmp_path: Path, array: np.ndarray, kind: str) -> None:
    path = saved(tmp_path, "a.tif", Image.fromarray(array))
    with pytest.raises(DataError, match=f"a.tif.*{kind}.*8 or 16 bits"):
        read_image(path)


UPRIGHT = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
TURNED = {  # what is stored, by the tag that says how to put it upright
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT),
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT, -1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_is_put_upright(tmp_path: Path, ending: str, orientation: int, dtype: type) -> None:
    scale = 1 if dtype is np.uint8 else 257
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(TURNED[orientation].astype(dtype) * dtype(scale))
    path = saved(tmp_path, f"a.{ending}", Image.fromarray(stored), exif=exif)
    assert np.array_equal(read_image(path, 16), UPRIGHT)
    assert image_size(path) == UPRIGHT.shape


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_colour_of_16_bits_keeps_them(tmp_path: Path, ending: str) -> None:
    deep = (np.arange(72, dtype=np.uint16) * 14).reshape(4, 6, 3)  # 10 bits, dark where only the upper 8 are read
    path = tmp_path / f"a.{ending}"
    cv2.imwrite(str(path), deep[:, :, ::-1])
    assert measured_bits([path]) == 10
    assert np.array_equal(read_image(path, 10), deep >> 2)


def test_several_pages_are_refused_and_previews_are_passed_over(tmp_path: Path) -> None:
    page, small = Image.fromarray(GREY), Image.fromarray(GREY[::4, ::4])
    for ending in ("tif", "webp", "png"):
        path = saved(tmp_path, f"a.{ending}", page, save_all=True, append_images=[page.transpose(1)])
        with pytest.raises(DataError, match=rf"a\.{ending}.*2 (pages|pictures).*save each as a picture of its own"):
            read_image(path)
    preview = TiffImagePlugin.ImageFileDirectory_v2()
    preview[254] = 1
    small.encoderinfo = {"tiffinfo": preview}
    path = saved(tmp_path, "b.tif", page, save_all=True, append_images=[small])
    assert np.array_equal(read_image(path), GREY)


def test_a_palette_of_greys_is_grey(tmp_path: Path) -> None:
    picture = Image.fromarray(GREY).convert("P")
    picture.putpalette([v for v in range(256) for _ in range(3)])
    assert np.array_equal(read_image(saved(tmp_path, "a.bmp", picture)), GREY)


def test_16_bits_with_white_as_0_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.tif", Image.fromarray(GREY.astype(np.uint16) * 257), tiffinfo={262: 0})
    with pytest.raises(DataError, match=r"a\.tif.*0 means white"):
        read_image(path)


def test_a_small_file_that_unpacks_to_gigapixels_is_refused_by_its_header(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(GREY).save(whole, "PNG")
    data = bytearray(whole.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"bomb\.png.*60000 x 60000 px, more than the 1074 million px"):
        read_image(path)
    assert image_size(path) is None
    data[16:24] = (9_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"9000 x 9000 px, which so small a file cannot hold"):
        read_image(path)


def test_a_few_hot_pixels_do_not_change_the_depth(tmp_path: Path) -> None:
    deep = np.full((200, 200), 700, np.uint16)
    deep[3, 4:7] = 60_000
    dark = saved(tmp_path, "dark.png", Image.fromarray(deep))
    assert measured_bits([dark]) == 10
    assert read_image(dark, 10).max() == 255
    bright = saved(tmp_path, "bright.png", Image.fromarray(np.full((20, 20), 3000, np.uint16)))
    shallow = saved(tmp_path, "eight.png", Image.fromarray(GREY))
    assert measured_bits([dark, bright, shallow]) == 12, "the most of any"
    assert measured_bits([shallow]) is None


@pytest.mark.parametrize("content", [b"", b"this is a letter and no picture", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM"])
def test_what_is_no_picture_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png: not a readable picture"):
        read_image(path)
    assert image_size(path) is None


def test_a_missing_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png: there is no such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"gone\.png: there is no such file"):
        read_image(tmp_path / "gone.png", 12)
    assert image_size(tmp_path / "gone.png") is None


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(DataError, match=r"a\.png"):
        read_image(tmp_path / "a.png")


@pytest.fixture(scope="module")
def whole_files() -> dict[str, bytes]:
    """A picture in every format, large enough to have something to lose."""
    found = {}
    for ending in ("PNG", "JPEG", "BMP", "TIFF", "WEBP"):
        for name, array in (("grey", GREY), ("colour", COLOUR)):
            buffer = io.BytesIO()
            Image.fromarray(array).save(buffer, ending)
            found[f"{ending}-{name}"] = buffer.getvalue()
    buffer = io.BytesIO()
    Image.fromarray(GREY.astype(np.uint16) * 16).save(buffer, "TIFF", compression="tiff_deflate")
    found["TIFF-deep"] = buffer.getvalue()
    return found


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write broken pictures to."""
    return tmp_path_factory.mktemp("broken") / "a.png"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150)
@given(st.data())
def test_a_truncated_picture_is_refused_or_whole(
    whole_files: dict[str, bytes], scratch: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole_files)))
    content = whole_files[name]
    length = data.draw(st.integers(0, len(content) - 1))
    scratch.write_bytes(content)
    original = read_image(scratch, 12)
    scratch.write_bytes(content[:length])
    try:
        found = read_image(scratch, 12)
    except DataError as error:
        assert str(scratch) in str(error)  # noqa: PT017 (both ends are right)
    else:
        assert np.array_equal(found, original)
    image_size(scratch)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_picture_never_raises_anything_else(
    whole_files: dict[str, bytes], scratch: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole_files)))
    content = bytearray(whole_files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 300) - 1))] = data.draw(st.integers(0, 255))
    scratch.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of much that is odd and readable
        try:
            found = read_image(scratch, 16)
            assert found.dtype == np.uint8
        except DataError as error:
            assert str(scratch) in str(error)  # noqa: PT017
        image_size(scratch)


def test_pictures_are_listed_in_natural_order(tmp_path: Path) -> None:
    for name in ("10.png", "2.PNG", "1.jpeg", "b2.tif", "b10.tif", "B1.tiff", "notes.txt", ".hidden.png", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    names = [p.name for p in list_images(tmp_path)]
    assert names == ["1.jpeg", "2.PNG", "10.png", "B1.tiff", "b2.tif", "b10.tif", "c.webp"]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=20, unique=True))
def test_numbers_in_names_sort_as_numbers(numbers: list[int]) -> None:
    paths = [Path(f"roll_{n}.png") for n in numbers]
    assert in_natural_order(paths) == [Path(f"roll_{n}.png") for n in sorted(numbers)]


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), min_size=2))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    paths = [Path(name) for name in names]
    assert sorted(in_natural_order(paths)) == sorted(paths)
    assert in_natural_order(in_natural_order(paths)) == in_natural_order(paths)


@pytest.mark.parametrize("name", ["²3.png", "m1²2.png", "٣.png", "①.png"])
def test_digits_of_other_kinds_can_be_sorted(name: str) -> None:
    assert set(in_natural_order([Path("1.png"), Path(name)])) == {Path("1.png"), Path(name)}


def test_links_that_lead_to_each_other_hide_no_picture(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((8, 8), 90, np.uint8))
    (tmp_path / "x").symlink_to(tmp_path / "y")
    (tmp_path / "y").symlink_to(tmp_path / "x")
    (tmp_path / "z.png").symlink_to(tmp_path / "z.png")
    assert [path.name for path in list_images(tmp_path)] == ["1.png", "z.png"]
    with pytest.raises(DataError, match=r"z\.png"):
        read_image(tmp_path / "z.png")
