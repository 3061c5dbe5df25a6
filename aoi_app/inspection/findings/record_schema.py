"""What the fields of a record say of themselves, so that each is written once.

A field of ``Defect``, ``Review``, ``Gap`` or ``Remark`` becomes a column of the database by being there. ``Exported``
puts it into the files of a roll, ``Shown`` into the window's table of defects::

    peak: Annotated[float, Exported(digits=4), Shown("score", order=3, digits=2)]

The database, the files and the window read these markers; none of them knows a field by name.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np


@dataclass(frozen=True, slots=True)
class Exported:
    """A field that stands in ``defects.json`` and ``defects.csv``.

    Attributes:
        name: what the files call it; empty is as the field.
        digits: after the decimal point; None does not round.
        csv_name, csv_text: heading and text of the cell, for what is no plain value: a function of the value as it
            stands in the JSON file.
    """

    name: str = ""
    digits: int | None = None
    csv_name: str = ""
    csv_text: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A field that is a column of the window's table of defects.

    Attributes:
        heading: without the unit.
        order: of the columns, from left to right.
        unit: as the heading shows it; empty for text and pure numbers.
        digits: after the decimal point of a number.
        text: of the whole record, where the value alone is not what is shown.
        sort_key: of the whole record, where the value alone does not sort it.
    """

    heading: str
    order: int
    unit: str = ""
    digits: int = 0
    text: Callable[[Any], str] | None = None
    sort_key: Callable[[Any], float | str] | None = None


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field of a record.

    Attributes:
        name: of the field, and of its column in the database.
        type: of its values, without None. A ``Literal`` counts as ``str``, a picture as ``np.ndarray``.
        is_optional: it may be None.
        exported, shown: its markers; None where it has none.
    """

    name: str
    type: type
    is_optional: bool
    exported: Exported | None
    shown: Shown | None

    @property
    def is_picture(self) -> bool:
        """Pixels, which no text file holds."""
        return self.type is np.ndarray

    @property
    def is_structured(self) -> bool:
        """A value made of others, which one cell of a table cannot hold."""
        return self.type is tuple

    @property
    def export_name(self) -> str:
        """What the files call it."""
        return (self.exported.name if self.exported is not None else "") or self.name


def record_fields(record: type) -> tuple[RecordField, ...]:
    """The fields of a record's dataclass, in their order."""
    return _read_fields(record)


@functools.cache  # annotations are text that is evaluated, and the records ask for every defect
def _read_fields(record: type) -> tuple[RecordField, ...]:
    hints = get_type_hints(record, include_extras=True)
    return tuple(_record_field(field.name, hints[field.name]) for field in dataclasses.fields(record))


def _record_field(name: str, hint: Any) -> RecordField:
    markers: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        markers = tuple(rest)
    is_optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    if is_optional:
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    plain = str if get_origin(hint) is Literal else get_origin(hint) or hint
    exported = next((m for m in markers if isinstance(m, Exported)), None)
    shown = next((m for m in markers if isinstance(m, Shown)), None)
    return RecordField(name, plain, is_optional, exported, shown)
