"""Strips of the cloth that a recipe leaves out: as values, as a person types them, and as two clicks mark them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from aoi_app.settings.strict_json import STRICT, describe_errors
from cras_core.errors import CrasError

MOST_STRIPS = 16


class IgnoredStripError(CrasError):
    """What a person has typed or marked is no strip; the text says what is expected."""


class IgnoredStrip(BaseModel):
    """A strip along the web that is not inspected: a printed edge, a marker track, a dark column of the camera."""

    model_config = STRICT

    edge: Literal["left", "right"]
    """Edge of the cloth that it is measured from; the border of the picture where that edge is not in view."""
    from_mm: Annotated[float, Field(ge=0, le=10_000)]
    to_mm: Annotated[float, Field(gt=0, le=10_000)]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> IgnoredStrip:
        if self.to_mm <= self.from_mm:
            raise ValueError(f"a strip from {self.from_mm:g} to {self.to_mm:g} mm has no width")
        return self


def strips_as_text(strips: Sequence[IgnoredStrip]) -> str:
    """As a person types them: ``left 20-45, right 0-12.5``; empty for none."""
    return ", ".join(f"{s.edge} {s.from_mm:g}-{s.to_mm:g}" for s in strips)


_STRIP = re.compile(r"(left|right)\s+(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)(?:\s*mm)?", re.IGNORECASE)


def strips_of_text(text: str) -> tuple[IgnoredStrip, ...]:
    """The strips that a person has typed, separated by commas or semicolons.

    Raises:
        IgnoredStripError: a part is no strip, or there are too many.
    """
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    if len(parts) > MOST_STRIPS:
        raise IgnoredStripError("too-many-strips", "More than {most} strips cannot be left out.", most=MOST_STRIPS)
    return tuple(_strip_of(part) for part in parts)


def _strip_of(text: str) -> IgnoredStrip:
    found = _STRIP.fullmatch(text)
    if found is None:
        raise IgnoredStripError(
            "strip-not-understood",
            "{text!r} is no strip to leave out; type for example left 20-45, right 0-12.5: from which edge of the "
            "cloth, from how many millimetres to how many.",
            text=text[:60],
        )
    return _made(found[1].lower() == "left", float(found[2]), float(found[3]))


def strip_between(first_px: float, second_px: float, cloth: tuple[float, float], mm_per_px: float) -> IgnoredStrip:
    """The strip between two clicks on the web, measured from the edge of the cloth that is nearer.

    Args:
        first_px, second_px: columns of the clicks, pixels.
        cloth: left and right edge of the cloth there, pixels.
        mm_per_px: scale across the web.

    Raises:
        IgnoredStripError: there is no cloth between them.
    """
    begin, end = sorted((first_px, second_px))
    begin, end = max(begin, cloth[0]), min(end, cloth[1])
    is_left = begin - cloth[0] <= cloth[1] - end
    inwards = (begin - cloth[0], end - cloth[0]) if is_left else (cloth[1] - end, cloth[1] - begin)
    from_mm, to_mm = (round(px * mm_per_px, 1) for px in inwards)
    if to_mm <= from_mm:
        raise IgnoredStripError(
            "strip-without-cloth", "There is no cloth between the two marks; click on both sides of the strip."
        )
    return _made(is_left, from_mm, to_mm)


def _made(is_left: bool, from_mm: float, to_mm: float) -> IgnoredStrip:
    if to_mm <= from_mm:
        raise IgnoredStripError(
            "strip-without-width",
            "A strip from {from_mm:g} to {to_mm:g} mm has no width; the second number is the larger one.",
            from_mm=from_mm,
            to_mm=to_mm,
        )
    try:
        return IgnoredStrip(edge="left" if is_left else "right", from_mm=from_mm, to_mm=to_mm)
    except ValidationError as error:
        raise IgnoredStripError(
            "strip-impossible", "That strip cannot be left out: {problems}", problems=describe_errors(error)
        ) from error
