"""Files beside the records."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.records.errors import RecordsError
from cras_core.files import write_atomically

_LONGEST_NAME_BYTES = 120  # what is put before and behind it has room in the 255 of a system

KEPT_FREE_BYTES = 256 << 20
"""What tiles and maps leave free on a disk: the records of weeks, which matter more."""


def write_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Writes a file so that it is whole or not there at all.

    Raises:
        RecordsError: it cannot be written; the text names it and the way out.
    """
    try:
        write_atomically(path, data, durable=durable)
    except OSError as error:
        raise _unwritable(path, error) from error


def write_picture(path: Path, image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    """Writes a PNG as ``write_file`` does, while there is room on the disk that the records do not need.

    Raises:
        RecordsError: it cannot be written, or the room that is left is kept for the records.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Asked for every picture: other programs fill the same disk.
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise _unwritable(path, error) from error
    if free < KEPT_FREE_BYTES:
        raise RecordsError(
            "pictures-not-written-any-more",
            "Pictures are no longer written to {folder}: {free_mb:.0f} MB are free, and they are kept for the "
            "records. Free some space or choose another folder.",
            folder=path.parent,
            free_mb=free / 1e6,
        )
    write_file(path, encode_png(image))


def safe_name(name: str) -> str:
    """A name that cannot climb out of its folder, and that every system takes."""
    # A leading dot would hide the folder, and two of them would climb out of it.
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "_"
    data = safe.encode()
    if len(data) <= _LONGEST_NAME_BYTES:
        return safe
    # Two long names that begin alike stay two.
    begin = data[: _LONGEST_NAME_BYTES - 9].decode("utf-8", "ignore")
    return f"{begin}-{hashlib.sha256(data).hexdigest()[:8]}"


def encode_png(image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """(H, W) grey or (H, W, 3) RGB as a PNG file."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)
    if not ok:
        raise ValueError(f"an image of {image.shape} cannot be encoded")
    return data.tobytes()


def _unwritable(path: Path, error: OSError) -> RecordsError:
    return RecordsError(
        "record-file-unwritable",
        "{path} cannot be written: {reason}. Free some space or choose another folder.",
        path=path,
        reason=error.strerror or error,
    )
