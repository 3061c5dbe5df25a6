"""How the rolls of a fabric are graded: which points system, what is left out, and what a roll may have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from aoi_app.settings.strict_json import STRICT

Scheme = Literal["four-point", "ten-point"]
Units = Literal["metric", "yard"]
LimitUnit = Literal["100 m2", "100 yd2", "metre", "yard"]
HoleRule = Literal["by size", "always most", "as others"]

TypeCodes = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=12)], ...], Field(max_length=200)]
"""Codes of defect types."""


class GradeLimit(BaseModel):
    """What a roll may have at most and still pass."""

    model_config = STRICT

    points: Annotated[float, Field(ge=0, le=100_000)]
    per: LimitUnit

    @property
    def text(self) -> str:
        """As the report states it."""
        return f"{self.points:g} points per {self.per.replace('2', '²')}"


STANDARD_LIMITS: dict[Scheme, GradeLimit] = {
    "four-point": GradeLimit(points=40.0, per="100 yd2"),
    "ten-point": GradeLimit(points=1.0, per="yard"),
}
"""The limit of each scheme where a recipe names none: the usual one of the trade."""


class GradingRules(BaseModel):
    """The rules of grading; what they come to is in ``reports/grading``."""

    model_config = STRICT

    scheme: Scheme = "four-point"
    units: Units = "metric"
    """Sizes in mm and points per metre, or sizes in inches and points per yard."""
    holes: HoleRule = "by size"
    """A hole up to 1 inch has 2 points and a larger one 4 (four-point only); always the most that a defect can have; or
    the points of its size, as other defects.
    """
    hole_types: TypeCodes = ("G1",)
    """Defect types that are holes."""
    ignored_types: TypeCodes = ()
    """Defect types that get no points."""
    margin_mm: Annotated[float, Field(ge=0, le=200)] = 0.0
    """Beside each edge of the cloth: what lies wholly in it gets no points, and it does not count as usable width."""
    usable_width_mm: Annotated[float, Field(gt=0, le=20_000)] | None = None
    """Width that points per area are counted on; None is the measured width without both margins."""
    count_unreviewed: bool = True
    """Defects get points though nobody has confirmed them; rejected ones never do."""
    limit: GradeLimit | None = None
    """None is the usual one of the scheme."""

    @property
    def effective_limit(self) -> GradeLimit:
        """The limit that holds."""
        return self.limit or STANDARD_LIMITS[self.scheme]
