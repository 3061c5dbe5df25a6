"""What a picture file can hold: read as a viewer shows it, or refused with the way out, never something between."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps, TiffImagePlugin

import cras_core.image_file
from cras_core.errors import UnreadableError
from cras_core.image_file import decode, read_header
from cras_core.images import image_size, list_images, read_image

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (23, 31), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 4096, (23, 31)).astype(np.uint16)
DEEP_COLOUR = RNG.integers(0, 4096, (23, 31, 3)).astype(np.uint16)
ORIENTATION = 274


def encoded(picture: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def by_opencv(pixels: np.ndarray, ending: str) -> bytes:
    return cv2.imencode(ending, pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()


def turned(picture: np.ndarray, kind: str, orientation: int) -> tuple[bytes, np.ndarray]:
    """A file with an EXIF orientation, and the picture as a viewer shows it."""
    image = Image.fromarray(picture)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    shown = image.copy()
    shown.getexif()[ORIENTATION] = orientation
    return encoded(image, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})), np.asarray(
        ImageOps.exif_transpose(shown)
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_turned_picture_is_read_as_it_is_shown(tmp_path: Path, kind: str, orientation: int) -> None:
    data, shown = turned(COLOUR, kind, orientation)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_image(path), shown)
    assert image_size(path) == shown.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_is_read_as_it_is_shown(orientation: int) -> None:
    smooth = np.repeat(np.repeat(np.arange(0, 240, 60, dtype=np.uint8)[:, None], 32, axis=1), 16, axis=0)
    smooth[:16, :8] = 250
    data, shown = turned(smooth, "JPEG", orientation)
    found = decode(data, "a.jpg").pixels
    assert found.shape == shown.shape
    assert np.abs(found.astype(int) - shown).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_turned_deep_picture_is_turned_back_too(kind: str, orientation: int) -> None:
    data, shown = turned(DEEP, kind, orientation)
    np.testing.assert_array_equal(decode(data, "a").pixels, shown)


@pytest.mark.parametrize("ending", [".png", ".tif", ".ppm"])
def test_deep_colours_keep_all_their_bits(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(by_opencv(DEEP_COLOUR, ending))
    np.testing.assert_array_equal(read_image(path, 12), DEEP_COLOUR >> 4)
    header = read_header(path)
    assert header is not None
    assert header.is_deep


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_both_byte_orders_of_tiff_are_read(byte_order: str) -> None:
    data = encoded(DEEP.astype(f"{byte_order}u2"), "TIFF")
    np.testing.assert_array_equal(decode(data, "a").pixels, DEEP)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("picture", [GREY, COLOUR, DEEP], ids=["grey", "colour", "deep"])
def test_compressed_tiffs_are_read(compression: str, picture: np.ndarray) -> None:
    np.testing.assert_array_equal(decode(encoded(picture, "TIFF", compression=compression), "a").pixels, picture)


def test_a_planar_tiff_is_read() -> None:
    planes = np.ascontiguousarray(COLOUR.transpose(2, 0, 1))
    data = tiff(
        {256: (31,), 257: (23,), 258: (8, 8, 8), 259: (1,), 262: (2,), 277: (3,), 278: (23,), 284: (2,)},
        [plane.tobytes() for plane in planes],
    )
    np.testing.assert_array_equal(decode(data, "a").pixels, COLOUR)


def tiff(tags: dict[int, tuple[int, ...]], strips: list[bytes]) -> bytes:
    """A little-endian TIFF of one page from its tags and strips."""
    offset, offsets = 8, []
    for strip in strips:
        offsets.append(offset)
        offset += len(strip)
    entries = {**tags, 273: tuple(offsets), 279: tuple(len(s) for s in strips)}
    table, beyond = b"", b""
    after = offset + 2 + 12 * len(entries) + 4
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            place = struct.pack("<I", after + len(beyond))
            beyond += packed
        else:
            place = packed
        table += struct.pack("<HHI", tag, 4, len(values)) + place
    return (
        struct.pack("<2sHI", b"II", 42, offset)
        + b"".join(strips)
        + struct.pack("<H", len(entries))
        + table
        + bytes(4)
        + beyond
    )


def test_white_as_zero_is_turned_round_or_refused() -> None:
    tags = {256: (31,), 257: (23,), 258: (8,), 259: (1,), 262: (0,), 277: (1,), 278: (23,)}
    np.testing.assert_array_equal(decode(tiff(tags, [(255 - GREY).tobytes()]), "a").pixels, GREY)
    with pytest.raises(UnreadableError, match=r"0 means white.*save it with 0 as black"):
        decode(tiff({**tags, 258: (16,)}, [DEEP.tobytes()]), "a")


@pytest.mark.parametrize(
    ("bits", "sample_format", "said"),
    [(8, 2, "with a sign"), (16, 2, "with a sign"), (32, 1, "32 bits"), (32, 2, "32 bits"), (32, 3, "floating-point")],
)
def test_numbers_of_other_kinds_are_refused(bits: int, sample_format: int, said: str) -> None:
    tags = {256: (4,), 257: (4,), 258: (bits,), 259: (1,), 262: (1,), 277: (1,), 278: (4,), 339: (sample_format,)}
    with pytest.raises(UnreadableError, match=f"{said}.* 8 or 16 bits"):
        decode(tiff(tags, [bytes(16 * bits // 8)]), "a")


def test_several_pages_are_refused_and_small_copies_are_not() -> None:
    small = Image.fromarray(GREY).resize((8, 6))
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[254] = 1
    small.encoderinfo = {"tiffinfo": info}
    with_copy = encoded(GREY, "TIFF", save_all=True, append_images=[small])
    np.testing.assert_array_equal(decode(with_copy, "a").pixels, GREY)
    with pytest.raises(UnreadableError, match="2 pages or more; save each as a picture of its own"):
        decode(encoded(GREY, "TIFF", save_all=True, append_images=[Image.fromarray(GREY)]), "a")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_pictures_that_move_are_refused(kind: str) -> None:
    others = [Image.fromarray(255 - GREY)]
    with pytest.raises(UnreadableError, match="it moves, with 2 pictures"):
        decode(encoded(GREY, kind, save_all=True, append_images=others), "a")


def test_a_second_picture_behind_the_first_of_a_pgm_is_not_overlooked() -> None:
    one = encoded(GREY, "PPM")
    np.testing.assert_array_equal(decode(one + b"\n", "a").pixels, GREY)
    with pytest.raises(UnreadableError, match="holds several pictures"):
        decode(one + one, "a")


@pytest.mark.parametrize("largest", [15, 100, 255])
def test_a_pgm_of_few_levels_reaches_white(largest: int) -> None:
    data = f"P5\n3 1\n{largest}\n".encode() + bytes([0, largest // 5, largest])
    assert decode(data, "a").pixels.tolist() == [[0, 51, 255]]


@pytest.mark.parametrize("largest", [1023, 4095, 65535])
def test_a_deep_pgm_keeps_its_numbers(largest: int) -> None:
    data = f"P5\n3 1\n{largest}\n".encode() + struct.pack(">3H", 0, 700, largest)
    assert decode(data, "a").pixels.tolist() == [[0, 700, largest]]


def test_a_picture_that_is_transparent_all_over_is_refused() -> None:
    clear = np.dstack([COLOUR, np.zeros((23, 31), np.uint8)])
    with pytest.raises(UnreadableError, match="all of it is transparent; save it without transparency"):
        decode(encoded(clear, "PNG"), "a")


def test_alpha_that_hides_nothing_changes_nothing() -> None:
    found = decode(encoded(np.dstack([COLOUR, np.full((23, 31), 255, np.uint8)]), "PNG"), "a")
    np.testing.assert_array_equal(found.pixels, COLOUR)
    assert not found.is_see_through


@pytest.mark.parametrize("alpha", [0, 40000])
def test_deep_pictures_with_transparent_parts_are_refused(alpha: int) -> None:
    pixels = np.dstack([DEEP_COLOUR, np.full((23, 31), 65535, np.uint16)])
    np.testing.assert_array_equal(decode(cv2.imencode(".png", pixels)[1].tobytes(), "a").pixels, DEEP_COLOUR[..., ::-1])
    pixels[3, 3, 3] = alpha
    with pytest.raises(UnreadableError, match="transparent, with 16 bits; save it without transparency"):
        decode(cv2.imencode(".png", pixels)[1].tobytes(), "a")


def test_an_interlaced_png_is_read() -> None:
    rows = b"".join(_adam7(GREY))
    np.testing.assert_array_equal(decode(png(31, 23, 8, 0, rows, interlaced=True), "a").pixels, GREY)


def _adam7(pixels: np.ndarray) -> list[bytes]:
    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
    return [b"\0" + row.tobytes() for top, down, left, right in passes for row in pixels[top::down, left::right]]


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *, interlaced: bool = False) -> bytes:
    """A PNG by hand: also such as no library writes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">2I5B", width, height, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableError, match=r"^a: "):
        decode(png(*size, 8, 0, b"\0" * 5), "a")
    with pytest.raises(UnreadableError, match=r"^a: "):
        decode(b"P5\n%d %d\n255\n" % size + bytes(25), "a")


def test_one_flipped_bit_in_a_png_is_noticed() -> None:
    data = bytearray(encoded(GREY, "PNG"))
    place = data.index(b"IDAT") + 4
    for offset in range(2, len(data) - place - 20, 7):
        damaged = bytearray(data)
        damaged[place + offset] ^= 4
        with pytest.raises(UnreadableError):
            decode(bytes(damaged), "a")


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    """1.6 gigapixels in a few megabytes: nothing is decoded, and the bound is told."""
    path = tmp_path / "bomb.png"
    path.write_bytes(png(40000, 40000, 1, 0, b"\0" * 1000))
    with pytest.raises(UnreadableError, match=r"bomb\.png: it is 40000 x 40000 px, more than the 1074 million px"):
        read_image(path)
    assert image_size(path) is None  # nobody believes it, so it is no length of cloth either


def test_a_picture_that_memory_has_no_room_for_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cras_core.image_file, "memory_left_bytes", lambda: 1_000_000)
    data = png(1000, 1000, 8, 2, RNG.bytes(1000))
    with pytest.raises(UnreadableError, match=r"1000 x 1000 px and needs 0\.\d GB of memory.*shorter pictures"):
        decode(data, "a")


def test_too_little_memory_is_one_unreadable_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: object) -> None:
        raise MemoryError

    data = encoded(GREY, "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    with pytest.raises(UnreadableError, match="not enough memory to decode it"):
        decode(data, "a")


def test_a_tiff_that_claims_ten_million_lines_is_refused() -> None:
    tags = {256: (32,), 257: (10_000_000,), 258: (8,), 259: (1,), 262: (1,), 277: (1,), 278: (10_000_000,)}
    with pytest.raises(UnreadableError):
        decode(tiff(tags, [bytes(2000)]), "a")


def test_pipes_and_links_to_nowhere_are_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    paths = list_images(tmp_path)
    assert [p.name for p in paths] == ["link.png", "pipe.png"]
    for path in paths:
        assert image_size(path) is None
        with pytest.raises(Exception, match=path.name):
            read_image(path)


def test_pictures_by_another_name_are_listed(tmp_path: Path) -> None:
    for name, kind in (("1.png", "PNG"), ("2.pgm", "PPM"), ("3.jfif", "JPEG"), ("4.gif", "GIF"), ("5.scan", "TIFF")):
        (tmp_path / name).write_bytes(encoded(GREY, kind))
    (tmp_path / "6.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "7.md").write_text("no picture")
    (tmp_path / "8.scan").write_text("no picture")
    names = [p.name for p in list_images(tmp_path)]
    assert names == ["1.png", "2.pgm", "3.jfif", "4.gif", "5.scan", "6.heic"]
    for name in names[:-1]:
        assert read_image(tmp_path / name).shape == (23, 31) if name != "4.gif" else True
    with pytest.raises(UnreadableError, match=r"6\.heic: not a readable picture"):
        read_image(tmp_path / "6.heic")


@given(st.binary(max_size=300), st.text(max_size=20))
def test_a_message_repeats_little_of_a_file(data: bytes, name: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(b"\x89PNG\r\n\x1a\n" + data * 50, name)
    assert len(str(caught.value)) < len(name) + 300
