"""Reading pictures from disk: any usual format, 8 or 16 bit, grey or colour, with or without alpha."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from natsort import natsorted, ns
from PIL import Image as PillowImage

from cras_core.arrays import Image
from cras_core.errors import DataError, UnreadableError

PillowImage.MAX_IMAGE_PIXELS = 2**30  # strips of a line-scan camera are long; the guard is against bombs of the web

_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    PillowImage.DecompressionBombError,
)  # how Pillow says that a file is broken

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})


T = TypeVar("T")


def in_natural_order(items: Iterable[T], name: Callable[[T], str] = str) -> list[T]:
    """Items by their names as a person sorts them: 2.png before 10.png, capitals like small letters."""
    return natsorted(items, key=name, alg=ns.IGNORECASE)


def list_images(folder: Path) -> list[Path]:
    """The pictures in a folder, not below it, in natural order."""
    return in_natural_order(
        p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.is_file() and not p.name.startswith(".")
    )


def read_image(path: Path, bits: int | None = None) -> Image:
    """A picture as (H, W) grey or (H, W, 3) RGB uint8.

    Args:
        path: the file.
        bits: bits that a 16-bit picture really uses, 9..16; the brightest value they can hold becomes 255. None
            guesses from the brightest pixel (10, 12 or 16); pictures of one web should all be read with the guess for
            its first one.

    Raises:
        UnreadableError: the file is cut off, is no picture, or holds floating-point values.
        DataError: there is no such file, or no permission to read it.
    """
    array = _read(path)
    if array.dtype != np.uint16:
        return array.astype(np.uint8)
    deep = array.astype(np.uint16)
    return np.asarray(np.minimum(deep >> ((bits or guess_bits(deep)) - 8), 255), dtype=np.uint8)


def read_bits(path: Path) -> int | None:
    """Bits that a 16-bit picture seems to use, None for an 8-bit one. Raises as ``read_image``."""
    with contextlib.suppress(*_BROKEN), PillowImage.open(path) as picture:
        if not picture.mode.startswith("I"):  # by its header; decoding takes time
            return None
    array = _read(path)
    return guess_bits(array.astype(np.uint16)) if array.dtype == np.uint16 else None


def guess_bits(array: npt.NDArray[np.uint16]) -> int:
    """10, 12 or 16: the smallest usual depth that holds the brightest value."""
    brightest = int(array.max(initial=0))
    return 10 if brightest < 1 << 10 else 12 if brightest < 1 << 12 else 16


def image_size(path: Path) -> tuple[int, int] | None:
    """(height, width) by the file's header, None when even that cannot be read."""
    try:
        with PillowImage.open(path) as picture:
            return picture.height, picture.width
    except _BROKEN:
        return None


def _read(path: Path) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    try:
        with PillowImage.open(path) as picture:
            picture.load()
            return _to_array(picture)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    except _BROKEN as error:
        raise UnreadableError(f"{path}: not a readable picture ({error})") from error


def _to_array(picture: PillowImage.Image) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """(H, W) uint8 or uint16, or (H, W, 3) uint8; what is transparent becomes white."""
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)
    if picture.mode == "I":  # 16-bit grey, as some versions of Pillow give it
        values = np.asarray(picture)
        if values.min(initial=0) < 0 or values.max(initial=0) > 0xFFFF:
            raise ValueError("32 bits are not supported; save it with 8 or 16 bits")
        return values.astype(np.uint16)
    if picture.mode == "F":
        raise ValueError("floating-point values are not supported; save it with 8 or 16 bits")
    is_grey = picture.mode in ("1", "L", "LA")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = PillowImage.alpha_composite(PillowImage.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)
    return np.asarray(picture.convert("L" if is_grey else "RGB"), dtype=np.uint8)
