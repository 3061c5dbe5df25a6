"""Lanes of the cloth that a recipe leaves out: as values, as a person types them, and as two clicks mark them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from aoi_app.settings.strict_json import STRICT, describe_errors
from cras_core.errors import CrasError

MOST_LANES = 16


class IgnoredLaneError(CrasError):
    """What a person has typed or marked is no lane; the text says what is expected."""


class IgnoredLane(BaseModel):
    """A lane along the web that is not inspected: a printed edge, a marker track, a dark column of the camera."""

    model_config = STRICT

    edge: Literal["left", "right"]
    """Edge of the cloth that it is measured from; the border of the picture where that edge is not in view."""
    from_mm: Annotated[float, Field(ge=0, le=10_000)]
    to_mm: Annotated[float, Field(gt=0, le=10_000)]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> IgnoredLane:
        if self.to_mm <= self.from_mm:
            raise ValueError(f"a lane from {self.from_mm:g} to {self.to_mm:g} mm has no width")
        return self


def lanes_as_text(lanes: Sequence[IgnoredLane]) -> str:
    """As a person types them: ``left 20-45, right 0-12.5``; empty for none."""
    return ", ".join(f"{s.edge} {s.from_mm:g}-{s.to_mm:g}" for s in lanes)


_LANE = re.compile(r"(left|right)\s+(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)(?:\s*mm)?", re.IGNORECASE)


def lanes_of_text(text: str) -> tuple[IgnoredLane, ...]:
    """The lanes that a person has typed, separated by commas or semicolons.

    Raises:
        IgnoredLaneError: a part is no lane, or there are too many.
    """
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    if len(parts) > MOST_LANES:
        raise IgnoredLaneError("too-many-lanes", "More than {most} lanes cannot be left out.", most=MOST_LANES)
    return tuple(_lane_of(part) for part in parts)


def _lane_of(text: str) -> IgnoredLane:
    found = _LANE.fullmatch(text)
    if found is None:
        raise IgnoredLaneError(
            "lane-not-understood",
            "{text!r} is no lane to leave out; type for example left 20-45, right 0-12.5: from which edge of the "
            "cloth, from how many millimetres to how many.",
            text=text[:60],
        )
    return _made(found[1].lower() == "left", float(found[2]), float(found[3]))


def lane_between(first_px: float, second_px: float, cloth: tuple[float, float], mm_per_px: float) -> IgnoredLane:
    """The lane between two clicks on the web, measured from the edge of the cloth that is nearer.

    Args:
        first_px, second_px: columns of the clicks, pixels.
        cloth: left and right edge of the cloth there, pixels.
        mm_per_px: scale across the web.

    Raises:
        IgnoredLaneError: there is no cloth between them.
    """
    begin, end = sorted((first_px, second_px))
    begin, end = max(begin, cloth[0]), min(end, cloth[1])
    is_left = begin - cloth[0] <= cloth[1] - end
    inwards = (begin - cloth[0], end - cloth[0]) if is_left else (cloth[1] - end, cloth[1] - begin)
    from_mm, to_mm = (round(px * mm_per_px, 1) for px in inwards)
    if to_mm <= from_mm:
        raise IgnoredLaneError(
            "lane-without-cloth", "There is no cloth between the two marks; click on both sides of the lane."
        )
    return _made(is_left, from_mm, to_mm)


def _made(is_left: bool, from_mm: float, to_mm: float) -> IgnoredLane:
    if to_mm <= from_mm:
        raise IgnoredLaneError(
            "lane-without-width",
            "A lane from {from_mm:g} to {to_mm:g} mm has no width; the second number is the larger one.",
            from_mm=from_mm,
            to_mm=to_mm,
        )
    try:
        return IgnoredLane(edge="left" if is_left else "right", from_mm=from_mm, to_mm=to_mm)
    except ValidationError as error:
        raise IgnoredLaneError(
            "lane-impossible", "That lane cannot be left out: {problems}", problems=describe_errors(error)
        ) from error
