"""Into which pieces the rolls of a fabric may be cut, and what a loss costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from aoi_app.settings.grading import TypeCodes
from aoi_app.settings.strict_json import STRICT

_Metres = Annotated[float, Field(ge=0.1, le=100_000)]
_Price = Annotated[float, Field(ge=0, le=1_000_000)]


class CutRules(BaseModel):
    """What a customer takes. Lengths count in whole centimetres and prices in whole cents; finer ones are rounded."""

    model_config = STRICT

    shortest_m: _Metres = 20.0
    longest_m: _Metres = 100.0
    """A piece is from one to the other long."""
    lengths_m: Annotated[tuple[_Metres, ...], Field(max_length=50)] = ()
    """Or it has exactly one of these lengths; then the two above do not count."""
    stay_up_to_mm: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    """Defects up to this size may stay in a piece; 0 cuts out every one."""
    stay_types: TypeCodes = ()
    """Defects of these types may stay, whatever their size."""
    most_staying: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """So many of them in one piece; None is any number."""
    gaps_may_stay: bool = False
    """Cloth that was not inspected may be sold; else it is cut out."""
    splices_may_stay: bool = False
    """A piece may hold a splice; else a cut lies on each."""
    beside_splice_m: Annotated[float, Field(ge=0, le=100)] = 0.0
    """So much cloth on either side of a splice is cut out, where none may stay."""
    price_per_m: _Price = 1.0
    """What a metre is worth that is in no piece."""
    price_per_piece: _Price = 0.0
    """What a piece costs: cutting, packing, an end more to sew."""
    price_per_staying: _Price = 0.0
    """What is paid back for each defect that stays."""

    @model_validator(mode="after")
    def _longest_is_not_shorter(self) -> CutRules:
        if self.shortest_m > self.longest_m:
            raise ValueError(f"a piece from {self.shortest_m:g} to {self.longest_m:g} m has no length")
        return self
