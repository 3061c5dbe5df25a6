"""What an inspection finds: defects, gaps, and remarks on the cloth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from aoi_app.inspection.findings.record_schema import Exported, Shown
from cras_core.arrays import Image
from cras_core.shade.rows import ShadeKind
from cras_core.web.regions import Shape

RemarkKind = Literal[
    "matched", "unknown", "level", "camera", "model", "recipe", "mismatch", "light", "proof", "unaccounted", "splice"
]


PICTURE_NOT_READ: Image = np.zeros((1, 1), np.uint8)
"""In the place of a thumbnail that is still in the records: of a roll of thousands, a person looks at few."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a defect lies in one source image, pixels."""

    source: str
    x_px: int
    y_px: int
    w_px: int
    h_px: int


def _size_text(defect: Defect) -> str:
    return f"{defect.length_mm:.0f} × {defect.width_mm:.0f}"


def _longer_side_mm(defect: Defect) -> float:
    return max(defect.length_mm, defect.width_mm)


def _shape_text(defect: Defect) -> str:
    return f"{defect.shape} …" if defect.is_open else defect.shape


def _shade_text(defect: Defect) -> str:
    return "" if defect.shade is None else f"{defect.shade}\n{defect.contrast_percent:+.1f} %"


def _source_names(boxes: list[dict[str, str]]) -> str:
    return " ".join(box["source"] for box in boxes)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect on the web. Its fields are the columns of the records; their markers say where else they appear.

    Attributes:
        number: counts the defects of a roll from 1; stays the same while a running defect grows.
        fabric: the cloth that it was compared with.
        shape: block, point or line.
        first_line, end_line: lines of the roll.
        left_px, right_px: columns of the image.
        position_m: beginning, along the roll.
        position_mm: middle, across, from the left edge of the cloth.
        length_mm, width_mm: extent along and across the web.
        area_mm2: area of its cells.
        peak, mean: score, multiples of the calibrated limit.
        raw_peak: raw score at the peak.
        boxes: its place in every source image that it touches.
        is_open: still running when this was written.
        thumbnail: (h, w) or (h, w, 3) uint8 around the peak.
        shade: what kind of darker or lighter place it is; None where the model has found it.
        contrast_percent: of a shade defect, against the cloth beside it; negative is darker.
    """

    number: Annotated[int, Exported("id"), Shown("No.", order=1)]
    fabric: Annotated[str, Exported()]
    shape: Annotated[Shape, Exported(), Shown("shape", order=7, text=_shape_text)]
    first_line: int
    end_line: int
    left_px: int
    right_px: int
    position_m: Annotated[float, Exported(digits=4), Shown("along", 4, "m", digits=2)]
    position_mm: Annotated[float, Exported(digits=2), Shown("across", 5, "mm")]
    length_mm: Annotated[float, Exported(digits=2), Shown("size", 6, "mm", text=_size_text, sort_key=_longer_side_mm)]
    width_mm: Annotated[float, Exported(digits=2)]
    area_mm2: Annotated[float, Exported(digits=2), Shown("area", 9, "mm²")]
    peak: Annotated[float, Exported(digits=4), Shown("score", order=3, digits=2)]
    mean: Annotated[float, Exported(digits=4)]
    raw_peak: Annotated[float, Exported(digits=4)]
    boxes: Annotated[tuple[Box, ...], Exported(csv_name="sources", csv_text=_source_names)]
    is_open: Annotated[bool, Exported()]
    thumbnail: Image  # not exported: a text file holds no pixels
    shade: Annotated[ShadeKind | None, Exported(), Shown("shade", order=8, text=_shade_text, sort_key=_shade_text)] = (
        None
    )
    contrast_percent: Annotated[float | None, Exported(digits=2)] = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth knowing of the web that is no defect.

    Attributes:
        kind: ``matched`` to a fabric, ``unknown`` cloth, the ``level`` of a web that is anomalous as a whole, what
            there is to say of the ``camera``, the ``model`` that scores or the ``recipe`` that holds from here on, a
            ``mismatch`` of work order and cloth, a change of the ``light``, the
            ``proof`` of what the line sees, what is ``unaccounted`` for at the end, or a ``splice``.
        fabric: the fabric that the cloth was compared with, or empty.
        first_line: line of the roll from which it was seen.
        position_m: the same along the web.
        text: for a person.
    """

    kind: RemarkKind
    fabric: str
    first_line: int
    position_m: float
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Cloth that was not inspected.

    Attributes:
        first_line, lines: of the roll; 0 lines where nobody knows how many.
        position_m, length_m: along the web.
        reason: for a person.
        is_wanted: somebody wanted it so, by a pause or by ending the roll at once.
    """

    first_line: int
    lines: int
    position_m: float
    length_m: float
    reason: str
    is_wanted: bool = False


@dataclass(frozen=True, slots=True)
class WidthAt:
    """How wide the cloth is.

    Attributes:
        position_m: where the metre begins that it was measured on.
        width_mm: between the edges of the cloth, the median of that metre.
    """

    position_m: float
    width_mm: float
