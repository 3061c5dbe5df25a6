"""The work order of a roll: what the mill calls it and what it is to be. Nothing of it changes what is inspected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from aoi_app.settings.folders import work_order_path
from aoi_app.settings.strict_json import STRICT, ContentError, read_json
from cras_core.files import write_atomically

LONGEST_TEXT = 80
WIDEST_MM, HEAVIEST_GSM = 20_000.0, 10_000.0


def _one_line(text: str) -> str:
    """A scanner may send tabs, line ends and signs that nobody can see; what is recorded is one line without them."""
    return " ".join("".join(sign for sign in text if sign.isspace() or sign.isprintable()).split())


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_one_line)]


class WorkOrder(BaseModel):
    """What the mill knows of a roll; whatever it does not know stays empty.

    Attributes:
        roll_number: what the mill calls the roll; empty leaves it with the name that the program gives.
        order_number: the customer's or the mill's order.
        article: the style that is woven; the fabric of the recipe is the class of cloth that the model knows.
        lot: of the yarn or the dyeing.
        loom: the machine that wove it.
        operator: who watches the line.
        nominal_width_mm: of the cloth as ordered, millimetres.
        gsm: weight of the cloth, grams per square metre.
    """

    model_config = STRICT

    roll_number: Text = ""
    order_number: Text = ""
    article: Text = ""
    lot: Text = ""
    loom: Text = ""
    operator: Text = ""
    nominal_width_mm: Annotated[float, Field(gt=0, le=WIDEST_MM)] | None = None
    gsm: Annotated[float, Field(gt=0, le=HEAVIEST_GSM)] | None = None

    @property
    def text(self) -> str:
        """The order in a line, the roll first; empty without any."""
        named = (
            ("roll", self.roll_number),
            ("order", self.order_number),
            ("article", self.article),
            ("lot", self.lot),
            ("loom", self.loom),
        )
        return " · ".join(f"{name} {value}" for name, value in named if value)

    def for_next_roll(self) -> WorkOrder:
        """The same order with the next roll of it, whose number nobody has said yet."""
        return self.model_copy(update={"roll_number": ""})


NO_ORDER = WorkOrder()
"""Nobody has said anything."""


def load_work_order(path: Path | None = None) -> tuple[WorkOrder, str | None]:
    """The order that was used last, and a sentence where its file could not be used."""
    path = path or work_order_path()
    if not path.exists():
        return NO_ORDER, None
    try:
        return read_json(path, WorkOrder), None
    except (OSError, ContentError) as error:
        return NO_ORDER, f"The last work order {path} cannot be read ({error}). Enter it again."


def save_work_order(order: WorkOrder, path: Path | None = None) -> None:
    """Keeps it for the next roll. Raises OSError."""
    write_atomically(path or work_order_path(), order.model_dump_json(indent=1).encode())
