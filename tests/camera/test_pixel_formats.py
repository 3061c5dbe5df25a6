"""Every pixel format against a decoder that takes the bits one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aoi_app.sources.camera.pixel_formats import FORMATS, PixelFormat, buffer_bytes, decode_pixels, find_format
from aoi_app.sources.source import SourceError

BITS = {"Mono10p": 10, "Mono12p": 12}
ORDER = {"RGB8": (0, 1, 2), "BGR8": (2, 1, 0), "RGBa8": (0, 1, 2), "BGRa8": (2, 1, 0)}


def stream_of_bits(data: bytes) -> str:
    """All bits, the lowest of the first byte first."""
    return "".join(f"{byte:08b}"[::-1] for byte in data)


def plain_p(data: bytes, pixels: int, bits: int) -> list[int]:
    stream = stream_of_bits(data)
    return [int(stream[i * bits : (i + 1) * bits][::-1], 2) for i in range(pixels)]


def plain_packed(data: bytes, pixels: int, bits: int) -> list[int]:
    low = bits - 8
    found = []
    for i in range(pixels):
        three = data[i // 2 * 3 : i // 2 * 3 + 3]
        middle = f"{three[1]:08b}"
        nibble = middle[4:] if i % 2 == 0 else middle[:4]
        found.append(int(f"{three[0 if i % 2 == 0 else 2]:08b}" + nibble[4 - low :], 2))
    return found


def some_bytes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8)


@settings(max_examples=60)
@given(
    name=st.sampled_from(["Mono10p", "Mono12p", "Mono10Packed", "Mono12Packed"]),
    lines=st.integers(1, 5),
    width=st.integers(1, 23),
    seed=st.integers(0, 99),
)
def test_packed_values_are_those_of_their_bits(name: str, lines: int, width: int, seed: int) -> None:
    kind = find_format(name)
    data = some_bytes(buffer_bytes(kind, lines, width) + 2, seed)  # two more: half a group at the end is cut out
    plain = plain_p if kind.packing == "p" else plain_packed
    image = decode_pixels(kind, data, lines, width)
    assert image.dtype == np.uint16
    assert image.reshape(-1).tolist() == plain(data.tobytes(), lines * width, kind.bits)


@pytest.mark.parametrize("name", ["Mono10p", "Mono12p", "Mono10Packed", "Mono12Packed"])
def test_padded_packed_lines_begin_on_a_byte(name: str) -> None:
    kind = find_format(name)
    width, padding = 6, 3
    per_line = buffer_bytes(kind, 1, width)
    data = some_bytes(4 * (per_line + padding))
    image = decode_pixels(kind, data, 4, width, padding)
    for i, row in enumerate(data.reshape(4, -1)):
        assert image[i].tolist() == decode_pixels(kind, row[:per_line], 1, width)[0].tolist()


@pytest.mark.parametrize("name", ["Mono8", "Mono10", "Mono12", "Mono14", "Mono16"])
@pytest.mark.parametrize("padding", [0, 5])
def test_grey_values_of_whole_bytes(name: str, padding: int) -> None:
    kind = find_format(name)
    size = 1 if kind.bits == 8 else 2
    rows = [bytes(some_bytes(7 * size, i)) for i in range(3)]
    data = np.frombuffer(b"".join(row + b"\xff" * padding for row in rows), np.uint8)
    image = decode_pixels(kind, data, 3, 7, padding)
    assert image.dtype == kind.dtype
    wanted = [[int.from_bytes(row[i : i + size], "little") for i in range(0, len(row), size)] for row in rows]
    assert image.tolist() == wanted


def test_high_byte_first() -> None:
    assert decode_pixels(find_format("Mono16"), np.array([1, 2], np.uint8), 1, 1, big_endian=True).tolist() == [[258]]


@pytest.mark.parametrize("name", sorted(ORDER))
@pytest.mark.parametrize("padding", [0, 2])
def test_colours_come_as_red_green_blue(name: str, padding: int) -> None:
    kind = find_format(name)
    data = some_bytes(3 * (5 * kind.samples + padding))
    image = decode_pixels(kind, data, 3, 5, padding)
    assert image.shape == (3, 5, 3)
    for y in range(3):
        for x in range(5):
            at = y * (5 * kind.samples + padding) + x * kind.samples
            assert image[y, x].tolist() == [data[at + channel] for channel in ORDER[name]]


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("order", ["RG", "GR", "GB", "BG"])
def test_bayer_patterns_give_the_colour_of_the_cloth(order: str, bits: int) -> None:
    kind = find_format(f"Bayer{order}{bits}")
    colour = {"R": 200, "G": 120, "B": 40}
    pattern = {"RG": "RG/GB", "GR": "GR/BG", "GB": "GB/RG", "BG": "BG/GR"}[order].split("/")
    values = np.array([[colour[pattern[y % 2][x % 2]] for x in range(8)] for y in range(8)])
    data = np.frombuffer((values << (bits - 8)).astype(kind.dtype).tobytes(), np.uint8)
    image = decode_pixels(kind, data, 8, 8)
    assert image.dtype == kind.dtype
    assert (image == np.array([200, 120, 40]) << (bits - 8)).all()


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS.keys())
def test_every_format_writes_into_the_ring_what_it_returns(kind: PixelFormat) -> None:
    data = some_bytes(buffer_bytes(kind, 4, 8) + 9)
    room = np.zeros(kind.decoded_bytes(4, 8), np.uint8)
    out = room.view(kind.dtype).reshape(kind.shape(4, 8))
    fresh = decode_pixels(kind, data, 4, 8)
    decode_pixels(kind, data, 4, 8, out=out)
    assert fresh.shape == kind.shape(4, 8)
    assert (out == fresh).all()
    assert fresh.any()


def test_an_unknown_format_is_named_with_those_that_are_known() -> None:
    with pytest.raises(SourceError, match=r"YUV422_8.*BayerBG10.*Mono12p"):
        find_format("YUV422_8")


def test_a_buffer_that_is_too_short_is_said() -> None:
    with pytest.raises(SourceError, match="has 99 bytes, but 10 lines of 10 px in Mono8 need 100"):
        decode_pixels(find_format("Mono8"), np.zeros(99, np.uint8), 10, 10)
    with pytest.raises(SourceError, match="at least two lines"):
        decode_pixels(find_format("BayerRG8"), np.zeros(10, np.uint8), 1, 10)
