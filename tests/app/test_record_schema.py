"""A field of a defect is written once: columns of the database, of the files and of the window follow from it."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest

from aoi_app.inspection.findings.defects import Box, Defect, Gap, Remark
from aoi_app.inspection.findings.record_schema import Exported, Shown, record_fields
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.records.database import opened_database
from aoi_app.records.export import export_roll, write_csv
from aoi_app.records.reading import EXPORTED
from aoi_app.records.tables import DEFECTS, GAPS, REMARKS, plain_values, row_values
from aoi_app.settings.work_order import WorkOrder
from aoi_app.ui.line.defect_columns import DEFECT_COLUMNS
from cras_core.arrays import Image

FIXTURES = Path(__file__).parents[1] / "fixtures"
DEFECT = Defect(
    number=3,
    fabric="twill",
    shape="line",
    first_line=100,
    end_line=140,
    left_px=40,
    right_px=80,
    position_m=0.125,
    position_mm=12.6,
    length_mm=8.4,
    width_mm=80.6,
    area_mm2=64.5,
    peak=2.504,
    mean=1.5,
    raw_peak=7.25,
    boxes=(Box("a.png", 40, 100, 40, 20), Box("b.png", 40, 0, 40, 20)),
    is_open=True,
    thumbnail=np.zeros((8, 8), np.uint8),
)


@dataclass(frozen=True, slots=True)
class Graded:
    """A record as somebody may extend one."""

    points: Annotated[int, Exported("penalty"), Shown("points", order=1)]
    grade: Annotated[Literal["A", "B"] | None, Exported()]
    at: datetime | None
    parts: Annotated[tuple[Box, ...], Exported(csv_name="files", csv_text=str)]
    picture: Image


def test_a_field_tells_its_type_whether_it_may_be_none_and_where_it_appears() -> None:
    points, grade, at, parts, picture = record_fields(Graded)
    assert (points.type, points.is_optional, points.export_name) == (int, False, "penalty")
    assert points.shown == Shown("points", order=1)
    assert (grade.type, grade.is_optional, grade.export_name, grade.shown) == (str, True, "grade", None)
    assert (at.type, at.is_optional, at.exported) == (datetime, True, None)
    assert (parts.is_structured, parts.is_picture) == (True, False)
    assert (picture.is_structured, picture.is_picture) == (False, True)


@pytest.mark.parametrize(
    ("table", "records", "others"),
    [
        (DEFECTS, (Defect, Review), {"id", "roll_id", "found_at"}),
        (GAPS, (Gap,), {"id", "roll_id"}),
        (REMARKS, (Remark,), {"id", "roll_id", "at"}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_field_is_a_column(table: object, records: tuple[type, ...], others: set[str]) -> None:
    names = {f.name for record in records for f in dataclasses.fields(record)}
    assert {c.name for c in table.columns} == names | others
    for record in records:
        for f in record_fields(record):
            assert table.c[f.name].nullable is (f.is_optional or f.is_picture)


def test_a_record_becomes_values_of_its_columns_and_of_a_text_file() -> None:
    values = row_values(DEFECT)
    assert values["boxes"] == [dataclasses.asdict(box) for box in DEFECT.boxes]
    assert bytes(values["thumbnail"]).startswith(b"\x89PNG")
    assert plain_values(DEFECT) == {name: value for name, value in values.items() if name != "thumbnail"}


def test_the_columns_of_the_window_stand_in_their_order_with_units_and_digits() -> None:
    shown = {column.heading: column.text(DEFECT, NO_REVIEW) for column in DEFECT_COLUMNS}
    assert list(shown.items()) == [
        ("No.", "3"),
        ("verdict", ""),
        ("score", "2.50"),
        ("along\nm", "0.12"),
        ("across\nmm", "13"),
        ("size\nmm", "8 × 81"),
        ("shape", "line …"),
        ("shade", ""),
        ("area\nmm²", "64"),
    ]
    keys = [column.sort_key(DEFECT, Review("rejected")) for column in DEFECT_COLUMNS]
    assert keys == [3, "rejected", 2.504, 0.125, 12.6, 80.6, "line", "", 64.5]
    assert [column.heading for column in DEFECT_COLUMNS if column.is_text] == ["verdict", "shape", "shade"]


def test_a_shade_defect_says_its_kind_and_contrast() -> None:
    streak = replace(DEFECT, shade="warp stripe", contrast_percent=-3.24)
    (text,) = [column.text(streak, NO_REVIEW) for column in DEFECT_COLUMNS if column.heading == "shade"]
    assert text == "warp stripe\n-3.2 %"


LATER = (
    *(b'"shade"', b'"contrast_percent"', b'"reserve_m"', b'"account"'),
    *(f'"{name}": null'.encode() for name in WorkOrder.model_fields),
)


def test_a_roll_of_version_0_1_is_exported_byte_for_byte(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "version_0_1" / "records.db", tmp_path / "records.db")
    with opened_database(f"sqlite:///{tmp_path / 'records.db'}") as engine:
        export_roll(engine, 1, tmp_path / "out")
    # Fields that came later stand in a row of their own in the JSON file, and in columns of their own in the table.
    text = (tmp_path / "out" / "defects.json").read_bytes()
    lines = [line for line in text.splitlines(keepends=True) if not line.lstrip().startswith(LATER)]
    assert (
        b"".join(lines).replace(b'],\n "alarms": []\n', b"]\n")
        == (FIXTURES / "exported_0_1" / "defects.json").read_bytes()
    )
    with (tmp_path / "out" / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with (FIXTURES / "exported_0_1" / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        before = list(csv.DictReader(file))
    assert [{name: row[name] for name in before[0]} for row in rows] == before
    assert {row["shade"] + row["contrast_percent"] for row in rows} == {""}


def test_the_documents_name_every_field_of_the_files() -> None:
    text = (FIXTURES.parents[1] / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    assert [f.export_name for f in EXPORTED if f"`{f.export_name}`" not in text] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_is_no_formula_for_a_spreadsheet(tmp_path: Path, text: str) -> None:
    defect = {f.export_name: None for f in EXPORTED} | {"fabric": text, "position_mm": -4.5}
    write_csv({"defects": [defect | {"boxes": [{"source": text}]}]}, tmp_path / "defects.csv")
    with (tmp_path / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["fabric"], row["sources"], row["position_mm"]) == (f"'{text}", f"'{text}", "-4.5")
