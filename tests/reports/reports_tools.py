"""Defects on cloth for the tests of the reports."""

from __future__ import annotations

from typing import Literal

from hypothesis import strategies as st

from aoi_app.reports.cloth_defect import ClothDefect


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
    from dataclasses import replace

    return [replace(d, number=n) for n, d in enumerate(defects, 1)]
