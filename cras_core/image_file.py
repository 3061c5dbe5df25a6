"""What a picture file holds, decided property by property: read as a viewer shows it, or refused with the way out.

| property | what becomes of it |
|---|---|
| turned or mirrored by EXIF or XMP | turned back; size and rows are those of the upright picture |
| several pages, slices or moments | refused; pages that are marked as small copies do not count |
| alpha, one transparent colour | laid on white, a mask on black; refused where all of it is, or with more than 8 bits |
| palette, 1 to 8 bits, CMYK, YCbCr | grey or RGB of 8 bits |
| 9 to 16 bits, grey or colour | the numbers as they are, uint16; ``images.read_image`` needs their depth |
| 32 bits, negative or floating-point numbers | refused |
| white as 0 | turned round by the decoder with 8 bits, refused with more |
| big-endian, planar, interlaced, tiled, compressed | as the decoder gives them |
| gamma, colour profile | not applied: grey levels are those of the file, as a camera's are |
| cut off, damaged, no pixels | refused |
| more pixels than there is memory for | refused by the header, before anything is decoded |

A file is read once, as bytes: nothing that somebody changes meanwhile can mix two pictures, and no memory is mapped.
"""

from __future__ import annotations

import io
import re
import struct
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import psutil
from PIL import ExifTags, ImageOps, PngImagePlugin
from PIL import Image as PillowImage

from cras_core.errors import DataError, JsonFileError, UnreadableError
from cras_core.json_files import read_bytes

FORMATS = ("PNG", "TIFF", "JPEG", "BMP", "DIB", "WEBP", "PPM", "GIF")
"""By Pillow's names. A JPEG with smaller copies behind it, as telephones write it, becomes one that it calls MPO."""

LARGEST_PX = 2**30
"""Of any picture, whatever memory there is; strips of a line-scan camera are long."""

_LOSSY = ("JPEG", "MPO", "WEBP")

WHITE = 255
_LARGEST_BYTES = 8 << 30
_MOST_PX_PER_BYTE = 1032 * 8  # what the best compression of zlib makes of a byte, with eight pixels in each
_MOST_PAGES = 64  # that are looked at

warnings.filterwarnings("ignore", module="PIL")  # of what is odd and readable; what matters is decided here
PillowImage.MAX_IMAGE_PIXELS = None  # ``_check_room`` is stricter, and says what to do

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the head of a file says of its picture.

    Attributes:
        height, width: of the upright picture, pixels.
        is_deep: its values have more than 8 bits.
    """

    height: int
    width: int
    is_deep: bool


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as it lies in its file, upright.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB; uint16 where values have more than 8 bits, else uint8.
        is_see_through: a part of it is transparent.
        is_lossy: its format changes values a little, around edges above all.
    """

    pixels: Pixels
    is_see_through: bool
    is_lossy: bool = False


class _RefusedError(ValueError):
    """A property that is not read; the text says which and what to do."""


def read_header(path: Path) -> ImageHeader | None:
    """Size and depth; None where not even that can be told, or where nobody would believe it."""
    try:
        if not path.is_file():  # a pipe would keep us waiting
            return None
        with path.open("rb") as file:
            picture = PillowImage.open(file, formats=FORMATS)
            return _header(picture)
    except Exception:  # noqa: BLE001 (a decoder fed with anything raises anything; see ``decode``)
        return None


def read_file(path: Path, behind: int = WHITE) -> Decoded:
    """Reads and decodes a picture.

    Args:
        path: the file.
        behind: grey level of what lies behind transparent parts.

    Raises:
        UnreadableError: it is no picture, damaged, too large, or has a property that is not read.
        DataError: there is no such file, or it may not be read.
    """
    try:
        data = read_bytes(path, min(_LARGEST_BYTES, memory_left_bytes()))
    except JsonFileError as error:
        kind = UnreadableError if error.fault == "content" else DataError
        raise kind("picture-file-unusable", "{reason}", reason=error) from error
    except MemoryError:
        raise UnreadableError("no-memory-to-read", "{path}: there is not enough memory to read it", path=path) from None
    return decode(data, str(path), behind)


def decode(data: bytes, name: str, behind: int = WHITE) -> Decoded:
    """A picture from the contents of its file; ``name`` is for messages. Raises UnreadableError."""
    try:
        return _decoded(data, behind)
    except _RefusedError as error:
        raise UnreadableError("picture-refused", "{name}: {reason}", name=name, reason=error) from error
    except MemoryError:
        raise UnreadableError(
            "no-memory-to-decode",
            "{name}: there is not enough memory to decode it; cut it into shorter pictures",
            name=name,
        ) from None
    except Exception as error:
        # Pillow and OpenCV document no list of what they raise at damaged files, and it is long: OSError, SyntaxError,
        # struct.error, KeyError, cv2.error and more. Whatever it is, the picture cannot be read.
        raise UnreadableError(
            "picture-damaged", "{name}: not a readable picture ({reason})", name=name, reason=error
        ) from error


def memory_left_bytes() -> int:
    """Memory that this process may still take: what the system has, or what a limit of its own leaves."""
    left = psutil.virtual_memory().available
    if sys.platform == "linux":
        process = psutil.Process()
        limit = process.rlimit(psutil.RLIMIT_AS)[0]
        if limit != psutil.RLIM_INFINITY:
            left = min(left, limit - process.memory_info().vms)
    return max(0, left)


def _header(picture: PillowImage.Image) -> ImageHeader | None:
    width, height = picture.size
    if not 0 < width * height <= LARGEST_PX:
        return None
    if _turn_of(picture) >= 5 and picture.format != "TIFF":  # Pillow tells a turned TIFF's size upright
        width, height = height, width
    return ImageHeader(height, width, _bits_of(picture) > 8)


def _decoded(data: bytes, behind: int) -> Decoded:
    picture = PillowImage.open(io.BytesIO(data), formats=FORMATS)
    bits = _bits_of(picture)
    _check_room(picture, bits, len(data))
    _check_numbers(picture, bits)
    _check_pages(data)
    if isinstance(picture, PngImagePlugin.PngImageFile):
        picture.verify()  # the checksums; decoding looks at a part of them only
        picture = PillowImage.open(io.BytesIO(data), formats=FORMATS)
    picture.load()  # also of what OpenCV decodes below: it takes a file that is cut off for one that ends in black
    if bits > 8:
        turn = 1 if picture.format == "TIFF" else _turn_of(picture)  # OpenCV turns TIFFs back by itself
        return Decoded(_deep_pixels(data, picture, turn), is_see_through=False)
    return replace(_shallow(ImageOps.exif_transpose(picture), behind), is_lossy=picture.format in _LOSSY)


def _shallow(picture: PillowImage.Image, behind: int) -> Decoded:
    is_grey = picture.mode in ("1", "L", "LA") or (picture.mode == "P" and _is_grey_palette(picture))
    is_see_through = False
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        least, most = rgba.getchannel("A").getextrema()
        if most == 0:
            raise _RefusedError("all of it is transparent; save it without transparency")
        is_see_through = least != 255
        if is_see_through:
            rgba = PillowImage.alpha_composite(PillowImage.new("RGBA", rgba.size, (behind, behind, behind, 255)), rgba)
        picture = rgba
    # A copy of its own: what Pillow hands out cannot be written to.
    return Decoded(np.array(picture.convert("L" if is_grey else "RGB"), dtype=np.uint8), is_see_through)


def _is_grey_palette(picture: PillowImage.Image) -> bool:
    """Whether a palette holds nothing but greys, as some cameras write them."""
    colours = np.asarray(picture.getpalette("RGB") or [0, 0, 1], np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _deep_pixels(data: bytes, picture: PillowImage.Image, turn: int) -> npt.NDArray[np.uint16]:
    """(H, W) or (H, W, 3) uint16. OpenCV decodes it: Pillow cuts colours of 16 bits down to the upper 8."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise _RefusedError("this kind of 16-bit picture is not supported; save it as PNG or TIFF, grey or RGB")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        if int(pixels[..., 3].min()) < 0xFFFF:
            raise _RefusedError("a part of it is transparent, with 16 bits; save it without transparency")
        pixels = pixels[..., :3]
    elif picture.has_transparency_data:
        raise _RefusedError("one of its grey levels is called transparent; save it without transparency")
    if picture.mode == "LA" or (pixels.ndim == 3 and pixels.shape[2] == 1):
        pixels = pixels[..., 0]
    if pixels.ndim == 3:
        pixels = pixels[..., ::-1]  # OpenCV has blue first
    return np.ascontiguousarray(_upright(pixels, turn), dtype=np.uint16)


def _upright(pixels: npt.NDArray[Any], turn: int) -> npt.NDArray[Any]:
    """Undoes one of the eight ways that EXIF numbers, 1 to 8."""
    if turn >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _turn_of(picture: PillowImage.Image) -> int:
    """1 to 8, as EXIF, XMP or TIFF say; 1 is upright, and so is anything that is none of these."""
    try:
        # Pillow's own for PNG decodes all of it, in case EXIF comes at the end.
        turn = PillowImage.Image.getexif(picture).get(ExifTags.Base.Orientation, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError):  # EXIF is broken, the picture is not
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _bits_of(picture: Any) -> int:
    """Bits of a value, as the header says."""
    if picture.format == "PNG":
        return 16 if "16" in _rawmode(picture) else 8
    if picture.format == "TIFF":
        return max(_tag(picture, ExifTags.Base.BitsPerSample, 1))
    if picture.format == "PPM":
        arguments = picture.tile[0][3]
        is_deep = picture.mode == "I" or (isinstance(arguments, tuple) and int(arguments[-1]) > 255)
        return 16 if is_deep else 8
    return 8


def _rawmode(picture: Any) -> str:
    return str(picture.tile[0][3]) if picture.tile else ""


def _tag(picture: Any, tag: int, standard: int) -> tuple[int, ...]:
    """The whole numbers of a tag of a TIFF; one that is missing or nonsense is as the standard says."""
    values = picture.tag_v2.get(tag, (standard,))
    values = values if isinstance(values, tuple) else (values,)
    return values if values and all(isinstance(v, int) for v in values) else (standard,)


def _check_room(picture: PillowImage.Image, bits: int, size_bytes: int) -> None:
    """Whether all that decoding needs at one time is there. Raises _RefusedError."""
    width, height = picture.size
    if width * height == 0:
        raise _RefusedError("it has no pixels")
    if width * height > LARGEST_PX:
        raise _RefusedError(
            f"it is {width} x {height} px, more than the {LARGEST_PX / 1e6:.0f} million px that are read; cut it into "
            "shorter pictures"
        )
    if width * height > _MOST_PX_PER_BYTE * size_bytes:
        raise _RefusedError(f"its header claims {width} x {height} px, which so small a file cannot hold")
    # Pillow's picture (4 bytes of a colour), the array made of it, and one copy on the way.
    per_px = (4 if picture.mode in ("1", "L", "P") else 12) * (1 if bits <= 8 else 2)
    needed, left = width * height * per_px, memory_left_bytes() // 2
    if needed > left:
        raise _RefusedError(
            f"it is {width} x {height} px and needs {needed / 1e9:.1f} GB of memory; {left / 1e9:.1f} GB may be used. "
            "Cut it into shorter pictures"
        )


_SIGNED, _FLOATING = 2, 3  # SampleFormat of TIFF; 1 is unsigned
_WHITE_IS_ZERO = 0  # PhotometricInterpretation


def _check_numbers(picture: PillowImage.Image, bits: int) -> None:
    """Whether its values are whole numbers from 0 up, of at most 16 bits. Raises _RefusedError."""
    kinds = _tag(picture, 339, 1) if picture.format == "TIFF" else ()
    if picture.mode == "F" or _FLOATING in kinds:
        raise _RefusedError("floating-point values are not supported; save it with 8 or 16 bits")
    if bits > 16:
        raise _RefusedError(f"{bits} bits are not supported; save it with 8 or 16 bits")
    if _SIGNED in kinds:
        raise _RefusedError("numbers with a sign are not supported; save it with 8 or 16 bits from 0 up")
    if bits > 8 and picture.format == "TIFF" and _WHITE_IS_ZERO in _tag(picture, 262, 1):
        raise _RefusedError("0 means white in it; save it with 0 as black")


_ONE = "; save each as a picture of its own"
_SMALL_COPY = 1  # bit of NewSubfileType
_IMAGEJ = re.compile(r"^ImageJ=.*^images=(\d+)", re.MULTILINE | re.DOTALL)
_NEXT_OF_PPM = re.compile(rb"\s*P[1-7]\s")


def _check_pages(data: bytes) -> None:
    """Whether it is one picture. Raises _RefusedError."""
    picture: Any = PillowImage.open(io.BytesIO(data), formats=FORMATS)  # of its own: pages are turned
    if picture.format == "TIFF":
        _check_tiff_pages(picture)
    elif picture.format == "MPO":
        kinds = [str(entry.get("Attribute", {}).get("MPType", "")) for entry in picture.mpinfo.get(0xB002, ())]
        if any(kind.startswith("Multi-Frame") for kind in kinds):  # panorama, depth, angles: none is the picture
            raise _RefusedError(f"it holds {len(kinds)} pictures{_ONE}")
    elif picture.format == "PPM":
        _check_end_of_ppm(picture, data)
    elif getattr(picture, "is_animated", False):
        raise _RefusedError(f"it moves, with {picture.n_frames} pictures{_ONE}")


def _check_tiff_pages(picture: Any) -> None:
    if int(_tag(picture, 254, 0)[0]) & _SMALL_COPY:
        raise _RefusedError("its first page is the small copy of another; save the picture by itself")
    described = _IMAGEJ.search(str(picture.tag_v2.get(270, "")))
    if described is not None and int(described[1][:9]) > 1:
        raise _RefusedError(f"it holds {described[1][:9]} slices{_ONE}")
    for page in range(1, _MOST_PAGES):
        try:
            picture.seek(page)
        except EOFError:
            return
        if not int(_tag(picture, 254, 0)[0]) & _SMALL_COPY:
            raise _RefusedError(f"it has {page + 1} pages or more{_ONE}")


def _check_end_of_ppm(picture: Any, data: bytes) -> None:
    decoder, _, offset, _ = picture.tile[0]
    if decoder == "ppm_plain":
        return
    width, height = picture.size
    row_bytes = -(-width // 8) if picture.mode == "1" else width * len(picture.getbands()) * (_bits_of(picture) // 8)
    if _NEXT_OF_PPM.match(data, offset + height * row_bytes):
        raise _RefusedError(f"it holds several pictures{_ONE}")
