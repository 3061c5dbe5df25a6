"""What a place on the web is divided by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.web.calibration import FabricCalibration, absolute_score
from cras_core.web.places import END_CELLS, place_factors

FAR = END_CELLS


def test_inside_the_cloth_a_score_counts_as_it_is() -> None:
    factors = place_factors(np.ones((30, 40), np.bool_), 0, 0)
    assert (factors[END_CELLS:-END_CELLS, 8:-8] == 1).all()
    assert (factors >= 1).all()


def test_the_nearer_to_an_end_the_more_it_takes() -> None:
    column = place_factors(np.ones((30, 40), np.bool_), 0, 0)[:, 20]
    assert (np.diff(column[: END_CELLS + 1]) <= 0).all()
    assert column[0] > column[1] > column[2] > 1
    np.testing.assert_array_equal(column, column[::-1])


def test_a_running_web_has_no_ends() -> None:
    factors = place_factors(np.ones((5, 40), np.bool_), FAR, FAR)
    assert (factors[:, 8:-8] == 1).all()


def test_edges_are_counted_from_where_the_cloth_is_in_each_row() -> None:
    cloth = np.zeros((12, 60), np.bool_)
    for row in range(12):
        cloth[row, 5 + row % 3 : 50 - row % 2] = True
    factors = place_factors(cloth, FAR, FAR)
    for row in range(12):
        inside = factors[row, cloth[row]]
        assert inside[0] == inside.max() > 1
        np.testing.assert_array_equal(inside[:8], inside[::-1][:8])
        assert inside[10] == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_rows_in_pieces_have_the_factors_of_the_whole(pieces: list[int]) -> None:
    rows = sum(pieces) + FAR
    whole = place_factors(np.ones((rows, 20), np.bool_), 0, 0)
    first = 0
    for n in [*pieces, FAR]:
        part = place_factors(np.ones((n, 20), np.bool_), first, rows - first - n)
        np.testing.assert_array_equal(part, whole[first : first + n])
        first += n


def test_cloth_of_one_cell_and_rows_without_cloth_are_no_mistake() -> None:
    cloth = np.zeros((3, 5), np.bool_)
    cloth[1, 2] = True
    assert np.isfinite(place_factors(cloth, 0, 0)).all()


@pytest.mark.parametrize(("raw_limit", "raw"), [(4.0, 20.0), (12.0, 30.0)])
def test_what_stands_out_of_the_enrolled_cloth_reaches_the_threshold(raw_limit: float, raw: float) -> None:
    calibration = FabricCalibration("any", 0.0, 1.0, 5.0, raw_limit, 1.0, 1.0)
    kinds = np.full((2, 1, 2), raw, np.float32)
    kinds[:, 0, 1] = raw_limit
    score = absolute_score(kinds, calibration)
    assert score[0, 0] == pytest.approx(1.0)
    assert score[0, 1] < 0.5  # as good cloth may
