"""Defects on cloth for the tests of the reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st
from sqlalchemy import Engine

from aoi_app.inspection.findings.defects import Box, Defect, Gap, Remark, WidthAt
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.roll_log import RollLog
from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.settings.recipe import Recipe


def defect(
    number: int = 1,
    *,
    at_m: float = 0.0,
    length_mm: float = 5.0,
    across_mm: float = 700.0,
    width_mm: float = 5.0,
    code: str | None = None,
    verdict: Literal["confirmed", "rejected"] | None = None,
) -> ClothDefect:
    """A small one in the middle of cloth 1.5 m wide; ``across_mm`` is its left end."""
    return ClothDefect(number, at_m, length_mm, across_mm, width_mm, code, verdict)


def rolls_of_defects(most: int = 12, longest_mm: float = 6000.0) -> st.SearchStrategy[list[ClothDefect]]:
    """Defects anywhere on 50 m, of any size, type and verdict."""
    size = st.floats(0.1, longest_mm)
    one = st.builds(
        ClothDefect,
        number=st.just(0),
        start_m=st.floats(0, 50),
        length_mm=size,
        left_mm=st.floats(0, 1400),
        width_mm=st.floats(0.1, 1500),
        type_code=st.sampled_from([None, "G1", "W1", "K3"]),
        verdict=st.sampled_from([None, "confirmed", "rejected"]),
    )
    return st.lists(one, max_size=most).map(_numbered)


def _numbered(defects: list[ClothDefect]) -> list[ClothDefect]:
    return [replace(d, number=n) for n, d in enumerate(defects, 1)]


def recorded_defect(place: ClothDefect, side_px: int = 32) -> Defect:
    """A defect as the line records it, with a picture."""
    lines = (int(place.start_m * 5000), int(place.end_m * 5000) + 1)
    picture = np.full((side_px, side_px), 40 + place.number * 7 % 180, np.uint8)
    picture[side_px // 2] = 255
    return Defect(
        number=place.number,
        fabric="denim",
        shape="point",
        first_line=lines[0],
        end_line=lines[1],
        left_px=0,
        right_px=8,
        position_m=place.start_m,
        position_mm=place.middle_mm,
        length_mm=place.length_mm,
        width_mm=place.width_mm,
        area_mm2=place.length_mm * place.width_mm / 2,
        peak=1.0 + place.number % 50 / 10,
        mean=1.0,
        raw_peak=2.0,
        boxes=(Box("strip.png", 0, 0, 8, 8),),
        is_open=False,
        thumbnail=picture,
    )


def record_roll(
    engine: Engine,
    defects: Iterable[ClothDefect] = (),
    *,
    gaps: Sequence[Gap] = (),
    remarks: Sequence[Remark] = (),
    widths: Sequence[WidthAt] = (),
    recipe: Recipe | None = None,
    name: str = "roll 7",
    side_px: int = 32,
    **figures: Any,
) -> int:
    """Records a finished roll of 100 m and 1.5 m width, and returns its number."""
    recipe = recipe or Recipe()
    log = RollLog(engine, name=name, source="loom", model="m", recipe=recipe.model_dump(mode="json"), threshold=1.0)
    found = [recorded_defect(place, side_px) for place in defects]
    for first in range(0, len(found), 500):
        log.write(Outcome(defects=tuple(found[first : first + 500])), {})
    known = {"length_m": 100.0, "inspected_m": 100.0, "gap_m": 0.0, "reserve_m": 0.0, "width_mm": 1500.0}
    log.write(Outcome(gaps=tuple(gaps), remarks=tuple(remarks), widths=tuple(widths)), known | figures)
    log.close("finished")
    return log.roll_id
