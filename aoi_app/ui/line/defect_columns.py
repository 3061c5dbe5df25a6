"""The columns of the window's table of defects, as the fields of ``Defect`` and ``Review`` describe them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.record_schema import RecordField, Shown, record_fields
from aoi_app.inspection.findings.review import Review


@dataclass(frozen=True, slots=True)
class DefectColumn:
    """One column.

    Attributes:
        heading: its unit stands below it.
        is_text: else numbers, which stand to the right.
        text: what a cell shows of a defect and of what a person has said of it.
        sort_key: what the column is sorted by.
    """

    heading: str
    is_text: bool
    text: Callable[[Defect, Review], str]
    sort_key: Callable[[Defect, Review], float | str]


def _column(record: type, field: RecordField, shown: Shown) -> DefectColumn:
    def value_of(defect: Defect, review: Review) -> tuple[Defect | Review, float | str]:
        # A table row shows two records, the defect and what a person says of it; each column is of one of them.
        of = defect if record is Defect else review
        return of, getattr(of, field.name)

    def text(defect: Defect, review: Review) -> str:
        of, value = value_of(defect, review)
        if shown.text is not None:
            return shown.text(of)
        return f"{value:.{shown.digits}f}" if field.type is float else str(value)

    def sort_key(defect: Defect, review: Review) -> float | str:
        of, value = value_of(defect, review)
        return value if shown.sort_key is None else shown.sort_key(of)

    heading = f"{shown.heading}\n{shown.unit}" if shown.unit else shown.heading  # two lines: a narrow window has room
    return DefectColumn(heading, field.type is str, text, sort_key)


_SHOWN = [(record, f, f.shown) for record in (Defect, Review) for f in record_fields(record) if f.shown is not None]

DEFECT_COLUMNS: tuple[DefectColumn, ...] = tuple(
    _column(record, field, shown) for record, field, shown in sorted(_SHOWN, key=lambda item: item[2].order)
)
"""From left to right."""
