"""What a camera's bytes mean: PFNC pixel formats to grey or RGB pixels.

Names and layouts are those of the GenICam Pixel Format Naming Convention: "p" formats are packed from the lowest bit
on without gaps; the older "Packed" ones of GigE Vision put two pixels into three bytes, the low bits together in the
middle one; everything else fills whole bytes, little end first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.sources.source import SourceError
from cras_core.messages import Sentence

Bytes = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Packing = Literal["bytes", "p", "packed"]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the pixels of a line lie in memory.

    Attributes:
        name: as the camera calls it.
        bits: significant bits of a value, 8..16.
        samples: values per pixel in memory.
        packing: ``bytes`` whole bytes; ``p`` and ``packed`` as the module says.
        conversion: code of ``cv2.cvtColor`` that makes RGB; None takes the values as they are.
    """

    name: str
    bits: int
    samples: int = 1
    packing: Packing = "bytes"
    conversion: int | None = None

    @property
    def channels(self) -> int:
        """Values of a decoded pixel: 1 grey, 3 RGB."""
        return 1 if self.samples == 1 and self.conversion is None else 3

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """Of a decoded value."""
        return np.dtype(np.uint8) if self.bits == 8 else np.dtype(np.uint16)

    def line_bits(self, width_px: int) -> int:
        """Bits of a line in memory without padding."""
        if self.packing == "packed":
            # Two pixels in three bytes, also of 10 bits: the older formats leave two bits of each unused.
            return 12 * width_px
        return width_px * self.samples * (self.bits if self.packing == "p" else 8 * self.dtype.itemsize)

    def shape(self, lines: int, width_px: int) -> tuple[int, ...]:
        """Of the decoded image."""
        return (lines, width_px) if self.channels == 1 else (lines, width_px, 3)

    def decoded_bytes(self, lines: int, width_px: int) -> int:
        """Size of the decoded image."""
        return lines * width_px * self.channels * self.dtype.itemsize


_MONO = [PixelFormat(f"Mono{bits}", bits) for bits in (8, 10, 12, 14, 16)]
_PACKED = [
    PixelFormat("Mono10p", 10, packing="p"),
    PixelFormat("Mono12p", 12, packing="p"),
    PixelFormat("Mono10Packed", 10, packing="packed"),
    PixelFormat("Mono12Packed", 12, packing="packed"),
]
_COLOUR = [
    PixelFormat("RGB8", 8, 3),
    PixelFormat("RGB10", 10, 3),
    PixelFormat("RGB12", 12, 3),
    PixelFormat("RGB16", 16, 3),
    PixelFormat("BGR8", 8, 3, conversion=cv2.COLOR_BGR2RGB),
    PixelFormat("RGBa8", 8, 4, conversion=cv2.COLOR_RGBA2RGB),
    PixelFormat("BGRa8", 8, 4, conversion=cv2.COLOR_BGRA2RGB),
]
_BAYER_CODES = {
    "RG": cv2.COLOR_BayerRGGB2RGB,
    "GR": cv2.COLOR_BayerGRBG2RGB,
    "GB": cv2.COLOR_BayerGBRG2RGB,
    "BG": cv2.COLOR_BayerBGGR2RGB,
}
_BAYER = [
    PixelFormat(f"Bayer{order}{bits}", bits, conversion=code)
    for order, code in _BAYER_CODES.items()
    for bits in (8, 10, 12, 16)
]
FORMATS: dict[str, PixelFormat] = {f.name: f for f in (*_MONO, *_PACKED, *_COLOUR, *_BAYER)}
# GigE Vision 1 called whole bytes "packed"; here the word means something else.
FORMATS |= {"RGB8Packed": FORMATS["RGB8"], "BGR8Packed": FORMATS["BGR8"]}  # names of GigE Vision 1
FORMATS |= {"RGBA8Packed": FORMATS["RGBa8"], "BGRA8Packed": FORMATS["BGRa8"]}


def find_format(name: str) -> PixelFormat:
    """The format of a name.

    Raises:
        SourceError: it is not known; the text lists those that are.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise SourceError(
            "pixel-format-unknown",
            "The camera delivers the pixel format {format}, which cannot be read. Set PixelFormat to one of {known}.",
            format=name,
            known=Sentence(", ".join(sorted(FORMATS))),
        ) from None


def line_bytes(kind: PixelFormat, width_px: int) -> int:
    """Bytes of a line that begins on a byte, without padding."""
    return -(-kind.line_bits(width_px) // 8)


def buffer_bytes(kind: PixelFormat, lines: int, width_px: int, padding_bytes: int = 0) -> int:
    """Bytes that an image needs in a camera's buffer. Packed lines follow each other without a gap, also inside a
    byte, unless lines are padded.
    """
    if padding_bytes:
        return lines * (line_bytes(kind, width_px) + padding_bytes)
    return -(-lines * kind.line_bits(width_px) // 8)  # rounded up: the last byte may hold part of a pixel only


def decode_pixels(
    kind: PixelFormat,
    data: Bytes,
    lines: int,
    width_px: int,
    padding_bytes: int = 0,
    *,
    big_endian: bool = False,
    out: Pixels | None = None,
) -> Pixels:
    """Makes pixels of a camera's bytes.

    Args:
        kind: what they are.
        data: (n,) uint8, at least ``buffer_bytes`` of them; what follows (chunks) is ignored.
        lines: of the image.
        width_px: of the image.
        padding_bytes: behind every line.
        big_endian: values of 16 bits come high byte first.
        out: where to put the pixels, of ``kind.shape`` and ``kind.dtype``; a new array if None.

    Returns:
        ``out``: (lines, W) grey or (lines, W, 3) RGB; uint8, or uint16 where ``kind.bits`` is above 8.

    Raises:
        SourceError: there are fewer bytes than the image needs, or too few lines for a Bayer pattern.
    """
    needed = buffer_bytes(kind, lines, width_px, padding_bytes)
    if len(data) < needed:
        raise SourceError(
            "camera-buffer-too-short",
            "The camera's buffer has {bytes} bytes, but {lines} lines of {width_px} px in {format} need {needed}. Its "
            "Width, Height or PixelFormat do not fit what it sends.",
            bytes=len(data),
            lines=lines,
            width_px=width_px,
            format=kind.name,
            needed=needed,
        )
    if out is None:
        out = np.empty(kind.shape(lines, width_px), kind.dtype)
    if kind.packing == "bytes":
        values = _whole_bytes(kind, data[:needed], lines, width_px, padding_bytes, big_endian=big_endian)
    else:
        values = _unpacked(kind, data[:needed], lines, width_px, padding_bytes)
    if kind.conversion is None:
        np.copyto(out, values)  # into the ring: the one copy that a frame costs
    elif "Bayer" in kind.name and (lines < 2 or width_px < 2):
        raise SourceError(
            "pixel-format-needs-two-lines",
            "{format} needs at least two lines of two pixels; the camera sends {lines} x {width_px}.",
            format=kind.name,
            lines=lines,
            width_px=width_px,
        )
    else:
        cv2.cvtColor(np.ascontiguousarray(values), kind.conversion, dst=out)
    return out


def _whole_bytes(
    kind: PixelFormat, data: Bytes, lines: int, width_px: int, padding_bytes: int, *, big_endian: bool
) -> Pixels:
    """(lines, W) or (lines, W, samples), a view where possible."""
    per_line = line_bytes(kind, width_px)
    rows = data.reshape(lines, per_line + padding_bytes)[:, :per_line]
    shape = (lines, width_px) if kind.samples == 1 else (lines, width_px, kind.samples)
    if kind.bits == 8:
        return rows.reshape(shape)
    # GenICam is little endian unless the buffer says otherwise; some CoaXPress grabbers do.
    values = np.ascontiguousarray(rows).view(">u2" if big_endian else "<u2")
    return values.reshape(shape)


def _unpacked(kind: PixelFormat, data: Bytes, lines: int, width_px: int, padding_bytes: int) -> Pixels:
    """(lines, W) uint16."""
    unpack = _UNPACK[kind.packing, kind.bits]
    if padding_bytes:
        rows = data.reshape(lines, -1)[:, : line_bytes(kind, width_px)]
        return np.stack([unpack(np.ascontiguousarray(row), width_px) for row in rows])
    return unpack(data, lines * width_px).reshape(lines, width_px)


def _groups(data: Bytes, size: int) -> npt.NDArray[np.uint16]:
    """(size, groups) of the bytes, the last group filled up with zeros."""
    # The last group of a line may be cut off: zeros in its place decode to pixels that are cut away again.
    missing = -len(data) % size
    whole = np.concatenate([data, np.zeros(missing, np.uint8)]) if missing else data
    groups: npt.NDArray[np.uint16] = whole.reshape(-1, size).T.astype(np.uint16)
    return groups


def _unpack_10p(data: Bytes, pixels: int) -> npt.NDArray[np.uint16]:
    a, b, c, d, e = _groups(data, 5)  # 5 bytes hold 4 pixels, low bits first
    four = np.stack([a | (b & 3) << 8, b >> 2 | (c & 15) << 6, c >> 4 | (d & 63) << 4, d >> 6 | e << 2], axis=1)
    return four.reshape(-1)[:pixels]


def _unpack_12p(data: Bytes, pixels: int) -> npt.NDArray[np.uint16]:
    a, b, c = _groups(data, 3)
    return np.stack([a | (b & 15) << 8, b >> 4 | c << 4], axis=1).reshape(-1)[:pixels]


def _unpack_10packed(data: Bytes, pixels: int) -> npt.NDArray[np.uint16]:
    a, b, c = _groups(data, 3)
    return np.stack([a << 2 | b & 3, c << 2 | b >> 4 & 3], axis=1).reshape(-1)[:pixels]


def _unpack_12packed(data: Bytes, pixels: int) -> npt.NDArray[np.uint16]:
    a, b, c = _groups(data, 3)
    return np.stack([a << 4 | b & 15, c << 4 | b >> 4], axis=1).reshape(-1)[:pixels]


_UNPACK: dict[tuple[Packing, int], Callable[[Bytes, int], npt.NDArray[np.uint16]]] = {
    ("p", 10): _unpack_10p,
    ("p", 12): _unpack_12p,
    ("packed", 10): _unpack_10packed,
    ("packed", 12): _unpack_12packed,
}
