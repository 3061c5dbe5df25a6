"""What a person marks on a tile: boxes, polygons and brush strokes, and the mask that they make together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from cras_core.errors import DataError
from cras_core.validated import validated

Mask = npt.NDArray[np.uint8]
_FURTHEST_PX = 1e6
_Px = Annotated[float, Field(gt=-_FURTHEST_PX, lt=_FURTHEST_PX)]
Points = tuple[tuple[_Px, _Px], ...]
Outline = Literal["box", "polygon", "brush"]

_FEWEST_POINTS = {"box": 2, "polygon": 3, "brush": 1}


@validated("label", DataError, takes_more=True)
class Label:
    """One defect on a tile.

    Attributes:
        outline: how it is drawn.
        points: (x, y) in pixels of the tile, from its top left corner: two opposite corners of a box, the corners of a
            polygon, the way of a brush. They may lie outside the tile; the mask does not.
        code: of its type in the catalogue; empty where nobody has named it.
        radius_px: of the brush; 0 for the others.
    """

    outline: Outline
    points: Points
    code: str = ""
    radius_px: Annotated[float, Field(ge=0, lt=_FURTHEST_PX)] = 0.0

    @model_validator(mode="after")
    def _has_enough_points(self) -> Label:
        fewest = _FEWEST_POINTS[self.outline]
        if len(self.points) < fewest or (self.outline == "box" and len(self.points) != fewest):
            raise ValueError(f"a {self.outline} of {len(self.points)} points is none; it needs {fewest}")
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain values as JSON holds them."""
        return {
            "outline": self.outline,
            "points": [[round(x, 2), round(y, 2)] for x, y in self.points],
            "code": self.code,
            "radius_px": self.radius_px,
        }


def mask_of(labels: Sequence[Label], height: int, width: int) -> Mask:
    """(H, W) uint8, 255 where one of the labels is; every label covers at least one pixel of a tile that it touches."""
    mask = np.zeros((height, width), np.uint8)
    for label in labels:
        points = np.round(np.array(label.points)).astype(np.int32)
        if label.outline == "box":
            (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
            cv2.rectangle(mask, (left, top), (right, bottom), 255, cv2.FILLED)
        elif label.outline == "polygon":
            cv2.fillPoly(mask, [points], 255)
        else:
            radius = max(0, round(label.radius_px))
            cv2.polylines(mask, [points], isClosed=False, color=255, thickness=max(1, 2 * radius))
            for x, y in points.tolist():
                cv2.circle(mask, (x, y), radius, 255, cv2.FILLED)
    return mask


def labels_of(mask: npt.NDArray[np.bool_], code: str = "", offset: tuple[int, int] = (0, 0)) -> tuple[Label, ...]:
    """The outlines of the regions of an (H, W) mask as polygons; holes are filled. A region of one or two pixels
    becomes a box.

    Args:
        mask: where the defect is.
        code: of its type.
        offset: (x, y) added to every point, pixels.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        points = tuple((float(x + offset[0]), float(y + offset[1])) for x, y in contour.reshape(-1, 2).tolist())
        if len(points) >= 3:
            found.append(Label("polygon", points, code))
        else:
            found.append(Label("box", (points[0], points[-1]), code))
    return tuple(found)
