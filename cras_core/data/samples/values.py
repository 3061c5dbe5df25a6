"""What a sample and a fabric of the store are."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cras_core.data.samples.labels import Label
from cras_core.errors import DataError
from cras_core.messages import quoted
from cras_core.validated import Number, Plain, validated
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

Origin = Literal["collected", "file", "rejected alarm", "confirmed defect", "imported"]


Choice = Literal["kept", "thrown out"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_Place = Annotated[int, Field(ge=-(2**53), le=2**53)]  # what JSON can hold exactly, wherever it is read


def _file_name(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"a sample cannot be called {quoted(text)}: letters, digits, '-', '_' and '.' only")
    return text


@validated("sample", DataError, takes_more=True)
class Sample:
    """One tile of cloth and what is known of it.

    Attributes:
        id: unique in its fabric; a file name without its ending.
        fabric: what the cloth is.
        origin: how it came into the store.
        web: the unbroken cloth that it was cut from (a roll, a file). Samples of one web are too alike to learn from
            one and judge by the other: splits keep a web together.
        first_line, left_px: its top left corner on the web, lines and columns.
        position_m: the same along the web, metres.
        position_mm: its middle across the web, from the left edge of the cloth.
        cloth_mm: width of the cloth there.
        cloth_left_px, cloth_right_px: columns of the tile between which the line inspects; None where the cloth runs
            on beyond the tile.
        mm_per_px, mm_per_line: scale of the tile.
        brightness: mean grey value, 0..255.
        taken_at: ISO 8601 with zone.
        author: whoever collected it.
        choice: ``thrown out`` samples stay on disk and are not learnt from.
        labels: defects on it; none means that it is good cloth.
        suspicion: how unlike the other samples it is, 1 is the limit from which a person should look; None where it
            has not been judged.
    """

    id: Annotated[str, AfterValidator(_file_name)]
    fabric: str
    origin: Origin
    web: str
    first_line: _Place = 0
    left_px: _Place = 0
    position_m: Number = 0.0
    position_mm: Number = 0.0
    cloth_mm: Number = 0.0
    cloth_left_px: Number | None = None
    cloth_right_px: Number | None = None
    mm_per_px: Annotated[Number, Field(gt=0)] = 0.2
    mm_per_line: Annotated[Number, Field(gt=0)] = 0.2
    brightness: Number = 0.0
    taken_at: str = ""
    author: str = ""
    choice: Choice = "kept"
    labels: tuple[Label, ...] = ()
    suspicion: Number | None = None

    @property
    def is_good(self) -> bool:
        """Good cloth, to learn from."""
        return not self.labels and self.choice == "kept"

    @property
    def is_defect(self) -> bool:
        """Defective cloth, to judge a model by."""
        return bool(self.labels) and self.choice == "kept"

    @property
    def is_suspicious(self) -> bool:
        """It is so unlike the others that a person should look; its suspicion is told in multiples of that limit."""
        return self.suspicion is not None and reaches(self.suspicion, CALIBRATED_THRESHOLD)


@validated("fabric", DataError)
class FabricRecord:
    """A fabric of the store.

    Attributes:
        name: as a person calls it; any text of one line.
        is_retired: not learnt any more; its samples stay.
        created_at: ISO 8601.
        author: whoever began it.
        note: for people.
        recipe: settings of the line for it, as the program keeps them; the store does not look into it.
    """

    name: str
    is_retired: bool = False
    created_at: str = ""
    author: str = ""
    note: str = ""
    recipe: dict[str, Plain] = field(default_factory=dict)
