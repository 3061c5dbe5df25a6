"""What records do not take is still listed; names of folders are such that every system takes."""

from __future__ import annotations

import numpy as np
import pytest

from aoi_app.inspection.findings.defects import Defect
from aoi_app.live.found_defects import FoundDefects, line_of
from aoi_app.live.state import News
from aoi_app.records.files import safe_name


def defect(number: int, peak: float = 2.0) -> Defect:
    return Defect(
        number=number, fabric="twill", shape="point", first_line=100, end_line=110, left_px=40, right_px=80,
        position_m=1.25, position_mm=12.0, length_mm=8.0, width_mm=8.0, area_mm2=64.0, peak=peak, mean=1.5,
        raw_peak=7.25, boxes=(), is_open=False, thumbnail=np.zeros((8, 8), np.uint8),
    )  # fmt: skip


def news(*defects: Defect, withdrawn: tuple[int, ...] = ()) -> News:
    return News((), defects, (), (), withdrawn)


def test_what_the_records_lack_is_listed_as_it_was_last() -> None:
    found = FoundDefects()
    found.take(news(defect(2), defect(1), defect(3)))
    found.take(news(defect(2, peak=5.0), withdrawn=(3,)))
    assert [(d.number, d.peak) for d in found.missing_from({"defects": [{"id": 1}]})] == [(2, 5.0)]
    assert [d.number for d in found.missing_from(None)] == [1, 2]
    assert found.missing_from({"defects": [{"id": 1}, {"id": 2}]}) == []


def test_the_line_of_a_defect_says_where_it_is() -> None:
    assert line_of(defect(7)) == "defect 7: twill, point, at 1.250 m, 12 mm from the edge, score 2.00"


@pytest.mark.parametrize("name", ["x" * 300, "𝔐" * 80, "織" * 80, "ä" * 200])
def test_a_long_name_is_a_folder_on_every_system(name: str) -> None:
    assert len(safe_name(name).encode()) <= 120
    assert safe_name(name) != safe_name(f"{name}b")
    assert safe_name(name) == safe_name(name)


def test_a_short_name_stays_as_it_is() -> None:
    assert safe_name("Köper_12-3.b") == "Köper_12-3.b"
    assert safe_name("../x") == "_x"
