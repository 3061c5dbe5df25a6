"""What speaks against comparing the cloth that runs with its fabric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ClothDoubt:
    """What speaks, at this moment, against comparing the cloth with its fabric.

    Attributes:
        kind: it is none that the model knows, not the ordered one, differs from it as a whole, or has taught the model
            itself, and nobody has looked at it.
        text: for a person, as the remark has it.
        first_line: line of the roll from which it holds.
        position_m: the same along the web.
    """

    kind: Literal["unknown cloth", "wrong cloth", "differs as a whole", "taught by this web"]
    text: str
    first_line: int
    position_m: float
