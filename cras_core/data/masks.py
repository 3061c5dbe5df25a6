"""What a mask is, strictly: everything that cannot be told for sure is refused, with the way out.

A mask is a picture of the size of its picture, of 8 bits or of 16 that are all 0 or full. What is black or transparent
is good cloth, so that an overlay of a labelling tool is a mask too.
Where masks hold grey levels, what is above half is defective, and what is grey only softens the edge of such a place; a
place of its own that is nowhere above half would be dropped, so it is refused. Where they hold labels (VisA), all but 0
is defective.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.errors import DataError
from cras_core.image_file import read_file

GREY_ABOVE = 127
"""Grey level of a mask above which a pixel is defective."""

_NOISE = 16  # grey levels up to which black is black in a lossy format, which leaves as much around edges


def read_levels(path: Path, above: int = GREY_ABOVE) -> npt.NDArray[np.uint8]:
    """(H, W) the brightest channel of a mask.

    Args:
        path: the mask.
        above: level above which a pixel is defective; 0 for masks that hold labels.

    Raises:
        UnreadableError: it is no picture, or damaged.
        DataError: it is a picture and no mask; the text says why.
    """
    decoded = read_file(path, behind=0)
    pixels = decoded.pixels if decoded.pixels.ndim == 2 else decoded.pixels.max(axis=2)
    if pixels.dtype == np.uint16:
        if not np.isin(pixels, (0, 0xFFFF)).all():
            raise DataError(
                "mask-of-16-bits",
                "{path}: a mask of 16 bits holds 0 and 65535 only, and this one more; save it with 0 for good cloth "
                "and 255 for defects",
                path=path,
            )
        pixels = pixels >> 8
    levels = np.asarray(pixels, dtype=np.uint8)
    if decoded.is_see_through and not (levels > above).any():
        raise DataError(
            "mask-marks-nothing",
            "{path}: what is transparent in a mask is good cloth, and the rest marks nothing; save it with 0 for good "
            "cloth and 255 for defects",
            path=path,
        )
    faint = _faintest_place(levels, above, _NOISE if decoded.is_lossy else 0)
    if faint is not None:
        raise DataError(
            "mask-place-too-faint",
            "{path}: a place in it has a grey level of {faint} at most, and defective is what is above {above}: "
            "nothing would be left of it; save it with 0 for good cloth and 255 for defects",
            path=path,
            faint=faint,
            above=above,
        )
    return levels


def _faintest_place(levels: npt.NDArray[np.uint8], above: int, noise: int) -> int | None:
    """The brightest level of the faintest place that is not black and would not count; None where all do."""
    brightest_of_all = int(levels.max(initial=0))
    if 0 < brightest_of_all <= above:
        return brightest_of_all  # 0 and 1, or 1, 2, 3 ..., as programs write that count kinds of defects
    marked = (levels > min(noise, above)).astype(np.uint8)
    if not np.any((levels > min(noise, above)) & (levels <= above)):
        return None
    count, labels = cv2.connectedComponents(marked)
    brightest = np.zeros(count, np.uint8)
    np.maximum.at(brightest, labels.astype(np.intp).ravel(), levels.ravel())
    faint = brightest[1:][brightest[1:] <= above]
    return int(faint.min()) if len(faint) else None
