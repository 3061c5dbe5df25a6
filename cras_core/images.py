"""Pictures on disk: which files are pictures, in which order, and what they hold as 8-bit grey or RGB."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from natsort import natsorted, ns

from cras_core.arrays import Image
from cras_core.errors import DataError, UnreadableError
from cras_core.image_file import Decoded, Pixels, read_file, read_header


def _endings(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


ENDINGS = _endings("png apng jpg jpeg jpe jfif jif mpo bmp dib tif tiff webp pgm ppm pnm pbm gif")
"""Of pictures that are read."""

_OTHER_PICTURES = _endings(
    "heic heif avif jp2 j2k jpx jxl jxr raw dng nef cr2 cr3 arw orf rw2 raf exr hdr pfm psd tga pcx ico svg dcm fits "
    "fit npy npz img vff spe ptif btf qoi mp4 avi mov mkv pdf zip 7z tar"
)
"""Of pictures that are not read. They are listed like others, so that whoever reads them hears it."""

_NO_PICTURES = _endings(
    "txt md rst csv tsv json jsonl xml yaml yml toml ini cfg log html htm doc docx xls xlsx db sqlite sqlite3 py "
    "sh bat ps1 cras onnx fabric safetensors m mat"
)
"""Of files that are not even looked at."""

_SIGNATURES = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8", b"\0\0\0\x0cjP  ",
)  # fmt: skip

BITS = (10, 12, 16)
"""Depths that cameras have; one that is not told is the smallest that holds the brightest value."""

_HOT_SHARE = 1e-4  # of the pixels of a picture may be brighter than its depth
_MOST_BEYOND = 0.25  # of the pixels: a hole with the lamp behind it is smaller, cloth of another depth is not

T = TypeVar("T")


def in_natural_order(items: Iterable[T], name: Callable[[T], str] = str) -> list[T]:
    """Items by their names as a person sorts them: 2.png before 10.png, capitals like small letters."""
    return natsorted(items, key=name, alg=ns.IGNORECASE)


def list_images(folder: Path) -> list[Path]:
    """The pictures in a folder, not below it, in natural order.

    Also those that cannot be read, such as a .heic, a link that leads nowhere, or a pipe with the name of a picture:
    reading them says why. Hidden files are left out.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not _is_folder(entry) and _is_picture(entry)]
    return [folder / name for name in in_natural_order(names)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead to each other: reading one says so, and what lies beside it is read
        return False


def _is_picture(entry: os.DirEntry[str]) -> bool:
    ending = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 (of a hundred thousand names)
    if entry.name.startswith(".") or ending in _NO_PICTURES:
        return False
    return ending in ENDINGS or ending in _OTHER_PICTURES or _has_signature(entry)


def _has_signature(entry: os.DirEntry[str]) -> bool:
    """Whether a file whose name says nothing begins as a picture does."""
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123 (likewise)
            head = file.read(16)
    except OSError:
        return False
    return head.startswith(_SIGNATURES) or head[8:12] == b"WEBP"


def read_image(path: Path, bits: int | None = None) -> Image:
    """A picture as (H, W) grey or (H, W, 3) RGB uint8, as ``image_file`` decides.

    Args:
        path: the file.
        bits: bits that values of more than 8 really use, 9..16; the brightest value they can hold becomes 255. One
            number holds for all pictures of a model: ``measured_bits`` finds it. None where only 8 bits can come.

    Raises:
        UnreadableError: it is no picture, damaged, or has a property that is not read; its values need more bits than
            they were said to have, or nobody has said how many.
        DataError: there is no such file, or no permission to read it.
    """
    return to_eight_bits(read_file(path), path, bits)


def to_eight_bits(decoded: Decoded, path: Path, bits: int | None) -> Image:
    """What ``read_image`` gives of a picture that was decoded already. Raises UnreadableError."""
    pixels = decoded.pixels
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if bits is None:
        raise UnreadableError(
            "bits-unknown",
            "{path}: its values have more than 8 bits, and how many of them count is not known",
            hint="Say it with --bits.",
            path=path,
        )
    check_depth(pixels, path, bits)
    return np.asarray(np.minimum(pixels >> (bits - 8), 255), dtype=np.uint8)


def check_depth(pixels: Pixels, path: Path, bits: int) -> None:
    """Raises UnreadableError where a picture has not the depth that it is to be read with. A glaring place is no sign
    of that: it is white.
    """
    beyond = float(np.mean(pixels >= 1 << bits)) if bits < 16 else 0.0
    if beyond > _MOST_BEYOND:
        raise UnreadableError(
            "values-beyond-bits",
            "{path}: {beyond:.0%} of its values are more than {bits} bits hold, the depth that pictures are read with "
            "here",
            hint="Say another with --bits.",
            path=path,
            beyond=beyond,
            bits=bits,
        )


def bits_of(pixels: Pixels) -> int:
    """10, 12 or 16: the smallest usual depth that holds a picture of more than 8 bits, but for a few hot pixels."""
    hot = int(_HOT_SHARE * pixels.size)
    return next(bits for bits in BITS if np.count_nonzero(pixels >= 1 << bits) <= hot or bits == BITS[-1])


def measured_bits(paths: Iterable[Path]) -> int | None:
    """The depth of pictures that are all to be read alike: the most of any (``bits_of``); None where all have 8 bits.
    Those that cannot be read do not count.
    """
    return max(map(bits_of, _deep(paths)), default=None)


def _deep(paths: Iterable[Path]) -> Iterator[Pixels]:
    for path in paths:
        header = read_header(path)
        if header is not None and header.is_deep:  # by its head; decoding takes time
            try:
                yield read_file(path).pixels
            except DataError:
                continue  # whoever reads it hears why


def is_deep(path: Path) -> bool:
    """Whether a picture has more than 8 bits, by its header; False where that cannot be read."""
    header = read_header(path)
    return header is not None and header.is_deep


def image_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of the upright picture by the file's header, None when even that cannot be read."""
    header = read_header(path)
    return None if header is None else (header.height, header.width)
