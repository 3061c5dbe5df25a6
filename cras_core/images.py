"""Reading pictures from disk. What a file can hold besides one upright 8-bit page is decided here, for everybody:

| what | answer |
|---|---|
| 8 or 16 bits, grey or colour, a palette, one bit, CMYK, YCbCr | read |
| an orientation (EXIF) | the picture is put upright; a TIFF that lies on its side is refused |
| transparent pixels | white, as a table is; in a mask, not marked |
| several pages or frames | refused; small previews beside one page are passed over |
| floating-point values, 32 bits, 16 bits with white as 0 | refused |
| a colour profile, a gamma, resolution | not looked at: pixels are what the camera saw |
| more pixels than memory could hold | refused by the header, before anything is decoded |
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import psutil
from natsort import natsorted, ns
from PIL import Image as PillowImage

from cras_core.arrays import Image
from cras_core.errors import DataError, UnreadableError

PillowImage.MAX_IMAGE_PIXELS = None  # its bound comes after the decoding of some formats; ours is in ``_check_size``

MOST_PIXELS = 1 << 29
"""A picture may have so many: 131072 lines of 4096 px."""

_BROKEN = (  # what decoders raise when a file is broken; each has been seen under damaged headers
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
    cv2.error,
)

ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm", ".pnm"}
    | {".tga", ".jp2"}
)
"""Of files that are read as pictures."""

OTHER_ENDINGS = frozenset(
    {".gif", ".avif", ".heic", ".heif", ".jxl", ".exr", ".hdr", ".psd", ".svg", ".raw", ".dng", ".nef", ".cr2", ".arw"}
    | {".npy", ".npz", ".mp4", ".avi", ".mov", ".mkv", ".pdf", ".fits", ".pfm", ".ico", ".j2k", ".zip", ".7z", ".tar"}
)
"""Of files that may show cloth and are not read as pictures."""


T = TypeVar("T")
T_Pixel = TypeVar("T_Pixel", np.uint8, np.uint16)


def in_natural_order(items: Iterable[T], name: Callable[[T], str] = str) -> list[T]:
    """Items by their names as a person sorts them: 2.png before 10.png, capitals like small letters."""
    return natsorted(items, key=name, alg=ns.IGNORECASE)


def list_images(folder: Path) -> list[Path]:
    """The pictures in a folder, not below it, in natural order."""
    return in_natural_order(
        p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.is_file() and not p.name.startswith(".")
    )


def images_below(folder: Path, without: Collection[str] = ()) -> list[Path]:
    """The pictures in all folders below one, in natural order of the folders and within each.

    A folder that several links lead to counts once, so that links in a circle have an end.

    Args:
        folder: where to begin; its own pictures are not in the list.
        without: names of folders, small letters, that are left out with all below them.
    """
    found: list[Path] = []
    seen = {folder.resolve()}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if here != folder:
            found += list_images(here)
        below = [
            p for p in here.iterdir() if p.is_dir() and p.name.lower() not in without and not p.name.startswith(".")
        ]
        for child in reversed(in_natural_order(below)):
            real = child.resolve()
            if real not in seen:
                seen.add(real)
                waiting.append(child)
    return found


def read_image(path: Path, bits: int | None = None, behind: int = 255) -> Image:
    """A picture as (H, W) grey or (H, W, 3) RGB uint8.

    Args:
        path: the file.
        bits: bits that a 16-bit picture really uses, 9..16; the brightest value they can hold becomes 255. None
            guesses from the brightest pixel (10, 12 or 16); pictures of one web should all be read with the guess for
            its first one.
        behind: grey level behind transparent pixels: white, as a table is; 0 for masks, where nothing is marked.

    Raises:
        UnreadableError: the file is cut off, is no picture, or holds floating-point values.
        DataError: there is no such file, or no permission to read it.
    """
    array = _read(path, behind)
    if array.dtype != np.uint16:
        return array.astype(np.uint8)
    deep = array.astype(np.uint16)
    return np.asarray(np.minimum(deep >> ((bits or guess_bits(deep)) - 8), 255), dtype=np.uint8)


def read_bits(*paths: Path) -> int | None:
    """Bits that the 16-bit pictures of one camera seem to use: the most of any of them; None where all have 8 bits.

    Raises as ``read_image``.
    """
    found = [guess_bits(array) for path in paths if _may_be_deep(path) and (array := _read(path)).dtype == np.uint16]
    return max(found, default=None)


def _may_be_deep(path: Path) -> bool:
    """By its header; decoding takes time."""
    with contextlib.suppress(*_BROKEN), PillowImage.open(path) as picture:
        return picture.mode.startswith("I") or _is_deep_color(picture)
    return True


def guess_bits(array: npt.NDArray[np.integer]) -> int:
    """10, 12 or 16: the smallest usual depth that holds nearly every value; a few hot pixels do not count."""
    ordered = np.sort(array, axis=None)
    brightest = int(ordered[-1 - int(len(ordered) * _HOT_SHARE)]) if len(ordered) else 0
    return 10 if brightest < 1 << 10 else 12 if brightest < 1 << 12 else 16


def image_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of the upright picture by the file's header; None when that cannot be read or cannot be true."""
    try:
        with PillowImage.open(path) as picture:
            width, height = picture.size
            _check_size(picture, path)
            _check_side(picture)
            return (width, height) if _is_turned(picture) else (height, width)
    except (*_BROKEN, MemoryError):
        return None


def _read(path: Path, behind: int = 255) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """(H, W[, 3]) upright. Raises as ``read_image``."""
    try:
        with PillowImage.open(path) as picture:
            _check_size(picture, path)
            _check_pages(picture)
            _check_side(picture)
            if _is_deep_color(picture):
                return _deep_color(path, _orientation(picture), behind)
            picture.load()
            return _to_array(picture, behind)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    except MemoryError:
        raise UnreadableError(f"{path}: it does not fit into the memory of this computer") from None
    except _BROKEN as error:
        raise UnreadableError(f"{path}: not a readable picture ({error})") from error


def _check_size(picture: PillowImage.Image, path: Path) -> None:
    """Raises ValueError where the decoded picture would not fit. By the header: a file of a megabyte can unpack to more
    than any computer has.
    """
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS:
        raise ValueError(f"it has {pixels / 1e6:.0f} megapixels, the most are {MOST_PIXELS / 1e6:.0f}")
    if pixels > _MOST_PIXELS_PER_BYTE * path.stat().st_size:
        raise ValueError(f"its header claims {picture.width} x {picture.height} px, which so small a file cannot hold")
    free_bytes = psutil.virtual_memory().available
    if pixels * _DECODED_BYTES > free_bytes:
        raise ValueError(
            f"its {pixels / 1e6:.0f} megapixels do not fit into the {free_bytes / 1e9:.1f} GB that are free"
        )


def _check_pages(picture: PillowImage.Image) -> None:
    """Raises ValueError where there is more than one page: which of them is the cloth, nobody can tell."""
    pages = int(getattr(picture, "n_frames", 1))
    if pages == 1 or picture.format == "MPO":  # a photo with its preview behind it
        return
    if picture.format == "TIFF":
        whole = []
        for page in range(pages):
            picture.seek(page)
            if not int(picture.tag_v2.get(_SUBFILE_TAG, 0)) & 1:  # type: ignore[attr-defined] # bit 0: a smaller version
                whole.append(page)
        picture.seek(0)
        if whole == [0]:
            return
        pages = len(whole)
    raise ValueError(f"it holds {pages} pages; save each as a picture of its own")


def _is_deep_color(picture: PillowImage.Image) -> bool:
    """16 bits a channel of several. Pillow opens it as if it had 8; how it would decode it tells, until it has."""
    return not picture.mode.startswith("I") and any(";16" in str(tile[3]) for tile in getattr(picture, "tile", ()))


def _check_side(picture: PillowImage.Image) -> None:
    """Raises ValueError where a TIFF lies on its side: decoders disagree about what is stored then, some give noise."""
    if picture.format == "TIFF" and _is_turned(picture):
        raise ValueError("it is stored lying on its side (orientation); save it upright")


def _is_turned(picture: PillowImage.Image) -> bool:
    """Whether height and width change places when it is put upright."""
    return _orientation(picture) in (5, 6, 7, 8)


def _orientation(picture: PillowImage.Image) -> int:
    """1..8 as in EXIF; 1 is upright."""
    if (
        picture.format == "PNG" and "exif" not in picture.info
    ):  # Pillow would decode all of it to look behind the pixels
        return 1
    return int(picture.getexif().get(_ORIENTATION_TAG, 1))


def _to_array(picture: PillowImage.Image, behind: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """(H, W[, 3]) uint8 or uint16, upright."""
    if picture.mode == "F":
        raise ValueError("floating-point values are not supported; save it with 8 or 16 bits")
    orientation = _orientation(picture)  # gone where Pillow has turned the picture itself
    if picture.mode.startswith("I"):
        return _upright(_deep_grey(picture), orientation)
    is_grey = picture.mode in ("1", "L", "LA") or (picture.mode == "P" and _is_grey_palette(picture))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = PillowImage.alpha_composite(PillowImage.new("RGBA", rgba.size, (behind, behind, behind, 255)), rgba)
    return _upright(np.asarray(picture.convert("L" if is_grey else "RGB"), dtype=np.uint8), orientation)


def _deep_grey(picture: PillowImage.Image) -> npt.NDArray[np.uint16]:
    values = np.asarray(picture)
    if values.min(initial=0) < 0 or values.max(initial=0) > 0xFFFF:
        raise ValueError("32 bits are not supported; save it with 8 or 16 bits")
    if picture.format == "TIFF" and int(picture.tag_v2.get(_PHOTOMETRIC_TAG, 1)) == 0:  # type: ignore[attr-defined]
        raise ValueError("white is stored as 0 in 16 bits; save it with black as 0")
    return values.astype(np.uint16)


def _deep_color(path: Path, orientation: int, behind: int) -> npt.NDArray[np.uint16]:
    """(H, W[, 3]) uint16 of a file with 16 bits a channel, decoded by OpenCV, since Pillow keeps 8 of them."""
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)  # not turned by it
    if found is None or found.dtype != np.uint16:
        raise ValueError("16 bits a channel in this form are not supported; save it with 8 bits")
    values = found.astype(np.uint16)
    if values.ndim == 3 and values.shape[2] == 4:  # BGRA
        alpha = values[:, :, 3:].astype(np.float32) / 0xFFFF
        values = (values[:, :, :3] * alpha + behind * 0x101 * (1 - alpha) + 0.5).astype(np.uint16)
    return _upright(values if values.ndim == 2 else values[:, :, 2::-1], orientation)


def _is_grey_palette(picture: PillowImage.Image) -> bool:
    """Whether a palette holds nothing but greys, as some cameras write them."""
    palette = picture.getpalette("RGB")
    colors = np.asarray(palette, np.uint8).reshape(-1, 3) if palette else np.zeros((0, 3), np.uint8)
    return len(colors) > 0 and bool((colors == colors[:, :1]).all())


def _upright(array: npt.NDArray[T_Pixel], orientation: int) -> npt.NDArray[T_Pixel]:
    """Turned and mirrored as the EXIF tag says (JEITA CP-3451, orientation 1..8)."""
    if orientation in (2, 4, 5, 7):  # mirrored
        array = array[:, ::-1]
    quarters = {3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}.get(orientation, 0)  # counter-clockwise
    return np.ascontiguousarray(np.rot90(array, quarters))


_ORIENTATION_TAG, _SUBFILE_TAG, _PHOTOMETRIC_TAG = 274, 254, 262  # of EXIF and TIFF
_HOT_SHARE = 1e-4  # of the pixels of a picture may be brighter than its depth
_DECODED_BYTES = 9  # a pixel while it is decoded: colour, its alpha, a copy of either
_MOST_PIXELS_PER_BYTE = 1100 * 8  # deflate packs 1032 bytes into one, and a byte may hold 8 pixels
