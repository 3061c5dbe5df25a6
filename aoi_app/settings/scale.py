"""Millimetres per pixel and per line from a ruler on the web: two points and the length between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.strict_json import describe_errors
from cras_core.messages import Sentence

Direction = Literal["across", "along"]
"""Of the web."""

_CLICK_PX = 1.0  # how exactly a person hits a mark
_SHORTEST_PX = 50.0
_LARGEST_MM = 10.0  # as in a recipe
_DIGITS = 6  # of a millimetre, as the form of a recipe shows
_UNLIKELY = 2.0  # times the scale that held before


@dataclass(frozen=True, slots=True)
class Scale:
    """What a ruler has shown.

    Attributes:
        mm: length of one pixel across the web, or of one line along it.
        error_percent: what hitting the marks one pixel off would change.
    """

    mm: float
    error_percent: float


def scale_from_ruler(
    begin: tuple[float, float],
    end: tuple[float, float],
    length_mm: float,
    direction: Direction,
    other_mm: float | None = None,
) -> Scale:
    """The scale in one direction.

    Args:
        begin, end: (x px, line) of two marks.
        length_mm: between them.
        direction: ``across`` the web gives mm per pixel, ``along`` it mm per line.
        other_mm: scale of the other direction, for a ruler that does not lie straight; None takes both as alike.

    Raises:
        RecipeError: the marks do not make a scale; the text says what to do.
    """
    across, along = abs(end[0] - begin[0]), abs(end[1] - begin[1])
    main, aside = (across, along) if direction == "across" else (along, across)
    if not (math.isfinite(main) and math.isfinite(aside) and math.isfinite(length_mm) and length_mm > 0):
        raise RecipeError("ruler-length-not-positive", "The length between the two marks must be more than 0 mm.")
    if main < _SHORTEST_PX:
        raise RecipeError(
            "marks-too-close",
            "The marks are {distance_px:.0f} px apart {direction} the web; they must be at least {least_px:.0f} px "
            "apart.",
            distance_px=main,
            direction=Sentence(direction),
            least_px=_SHORTEST_PX,
        )
    if aside > main:
        raise RecipeError("ruler-askew", "The ruler does not lie {direction} the web; turn it.", direction=direction)
    if other_mm is None:
        mm = length_mm / math.hypot(main, aside)
    else:
        rest = length_mm**2 - (aside * other_mm) ** 2
        if rest <= 0:
            raise RecipeError(
                "marks-contradict-scale",
                "The marks are further apart than the length says; check the length and the other scale.",
            )
        mm = math.sqrt(rest) / main
    if mm > _LARGEST_MM:
        raise RecipeError(
            "scale-too-coarse",
            "That is {mm:.1f} mm; more than {most_mm:g} mm cannot be. Check the length.",
            mm=mm,
            most_mm=_LARGEST_MM,
        )
    return Scale(mm, 100 * math.sqrt(2) * _CLICK_PX / main)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recipe with the scale that a ruler has shown.

    Attributes:
        recipe: to be used from now on.
        text: what changes, and how sure it is, for a person.
    """

    recipe: Recipe
    text: str


def direction_of(begin: tuple[float, float], end: tuple[float, float]) -> Direction:
    """Which way a ruler between two marks (x px, line) lies rather."""
    return "across" if abs(end[0] - begin[0]) >= abs(end[1] - begin[1]) else "along"


def propose_recipe(
    recipe: Recipe, begin: tuple[float, float], end: tuple[float, float], length_mm: float, direction: Direction
) -> Proposal:
    """Puts the scale of a ruler into a recipe. Where the recipe has square pixels, a ruler across the web sets both.

    Args:
        recipe: as it is.
        begin, end: (x px, line) of two marks.
        length_mm: between them.
        direction: that the ruler lies in.

    Raises:
        RecipeError: the marks do not make a scale; the text says what to do.
    """
    if direction == "across":
        field, unit, before, other_mm = "mm_per_px", "pixel", recipe.mm_per_px, recipe.mm_per_line
    else:
        field, unit, before, other_mm = "mm_per_line", "line", recipe.line_mm, recipe.mm_per_px
    scale = scale_from_ruler(begin, end, length_mm, direction, other_mm)
    try:
        changed = Recipe.model_validate(recipe.model_dump() | {field: round(scale.mm, _DIGITS)})
    except ValidationError as error:
        raise RecipeError(
            "scale-makes-no-recipe", "That makes no recipe: {problems}", problems=describe_errors(error)
        ) from error
    text = f"{scale.mm:.4g} mm per {unit} (was {before:.4g}); marks one pixel off make {scale.error_percent:.1g} %."
    if direction == "across" and recipe.mm_per_line is None:
        text += " The same along the web: the recipe has square pixels."
    if not 1 / _UNLIKELY <= scale.mm / before <= _UNLIKELY:
        text += " That is far from what it was; check the length."
    return Proposal(changed, text)
