"""The disturbances of table VII do what the paper says, alike for pictures and masks, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cras_core.evaluation.disturbances import DISTURBANCES, add_noise, change_light, turn

NOTHING = np.zeros((96, 128), np.bool_)


def grey(level: int, shape: tuple[int, ...] = (400, 500)) -> np.ndarray:
    return np.full(shape, level, np.uint8)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda d: d.name)
@settings(max_examples=30)
@given(
    picture=st.one_of(
        arrays.arrays(np.uint8, (13, 17)), arrays.arrays(np.uint8, (13, 17, 3)), arrays.arrays(np.uint8, (1, 1))
    ),
    seed=st.integers(0, 2**31),
)
def test_size_and_kind_stay_and_the_seed_decides(disturbance: object, picture: np.ndarray, seed: int) -> None:
    mask = picture.reshape(*picture.shape[:2], -1)[..., 0] > 200
    before = picture.copy(), mask.copy()
    found, its_mask = disturbance.apply(picture, mask, np.random.default_rng(seed))  # type: ignore[attr-defined]
    again, _ = disturbance.apply(picture, mask, np.random.default_rng(seed))  # type: ignore[attr-defined]
    assert found.shape == picture.shape
    assert found.dtype == np.uint8
    assert its_mask.shape == mask.shape
    assert its_mask.dtype == np.bool_
    assert np.array_equal(found, again)
    assert np.array_equal(picture, before[0])
    assert np.array_equal(mask, before[1])


def test_noise_has_a_hundredth_of_the_full_range() -> None:
    found, _ = add_noise(grey(128), NOTHING, np.random.default_rng(0))
    difference = found.astype(float) - 128
    assert difference.std() == pytest.approx(2.55, rel=0.02)
    assert abs(difference.mean()) < 0.05


def test_noise_differs_from_channel_to_channel_and_does_not_wrap_around() -> None:
    found, _ = add_noise(grey(255, (40, 50, 3)), NOTHING, np.random.default_rng(0))
    assert found.min() > 230
    assert not np.array_equal(found[..., 0], found[..., 1])


def test_light_changes_brightness_and_contrast_by_a_tenth_at_most() -> None:
    picture = np.repeat(np.array([[100, 120]], np.uint8), 50, axis=1).repeat(60, axis=0)
    means, contrasts = [], []
    for seed in range(200):
        found, _ = change_light(picture, NOTHING, np.random.default_rng(seed))
        means.append(found.mean() / picture.mean())
        contrasts.append((int(found.max()) - int(found.min())) / 20)
    assert 0.89 < min(means) < 0.92
    assert 1.08 < max(means) < 1.11
    assert 0.7 < min(contrasts) < 0.9
    assert 1.1 < max(contrasts) < 1.3


def test_light_leaves_grey_grey_and_turns_the_hue_of_colour() -> None:
    rng = np.random.default_rng(1)
    neutral, _ = change_light(grey(90, (20, 30, 3)), NOTHING, rng)
    assert int(np.ptp(neutral.astype(int), axis=2).max()) <= 1
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 200
    hues = {tuple((change_light(red, NOTHING, np.random.default_rng(s))[0][0, 0] > 40).tolist()) for s in range(40)}
    assert (True, False, False) in hues
    assert (True, True, False) in hues
    assert (True, False, True) in hues
    assert (False, True, False) not in hues


def test_picture_and_mask_turn_together_by_five_degrees_at_most() -> None:
    mask = np.zeros((201, 301), np.bool_)
    mask[98:103, 20:280] = True
    picture = np.where(mask, 255, 30).astype(np.uint8)
    angles = []
    for seed in range(60):
        turned, its_mask = turn(picture, mask, np.random.default_rng(seed))
        agree = (turned > 142) == its_mask
        assert agree.mean() > 0.995
        rows, columns = np.nonzero(its_mask)
        inner = (columns > 60) & (columns < 240)
        slope = np.polyfit(columns[inner], rows[inner], 1)[0]
        angles.append(float(np.rad2deg(np.arctan(slope))))
    assert -5.3 < min(angles) < -4
    assert 4 < max(angles) < 5.3


def test_the_corners_of_a_turned_picture_are_not_black() -> None:
    turned, _ = turn(grey(77), NOTHING, np.random.default_rng(3))
    assert turned.min() == turned.max() == 77


def test_the_published_changes_are_those_of_table_seven() -> None:
    assert [d.published for d in DISTURBANCES] == [(-1.9, -0.5), (-6.7, -1.8), (-6.0, -1.2)]
    assert [d.moves for d in DISTURBANCES] == [False, False, True]
