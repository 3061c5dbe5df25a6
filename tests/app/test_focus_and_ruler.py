"""Figures for setting a camera up: focus, light and scale."""

import itertools
import math

import cv2
import numpy as np
import pytest
from camera_fakes import block_of
from hypothesis import given
from hypothesis import strategies as st

from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.scale import direction_of, propose_recipe, scale_from_ruler
from aoi_app.sources.diagnostics.focus import ZONES, measure_focus, shows_cloth
from aoi_app.sources.loom import WEAVES, Loom, LoomConfig


def cloth(weave: str = "plain") -> np.ndarray:
    loom = Loom(LoomConfig(weave=weave, width_px=1536, defects_per_1000_lines=0.0, seed=3))
    return loom.weave(0, 128)[:, 200:-200]


def blurred(image: np.ndarray, sigma_px: float, light: float = 1.0) -> np.ndarray:
    """Out of focus by so much, with the noise of a camera."""
    soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma_px) if sigma_px else image.astype(np.float32)
    noise = np.random.default_rng(7).normal(0, 2, image.shape)
    return np.clip(np.rint(soft * light + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("weave", sorted(WEAVES))
def test_sharpness_falls_with_every_turn_out_of_focus(weave: str) -> None:
    figures = [measure_focus(block_of(blurred(cloth(weave), s), 0)).sharpness for s in (0, 0.7, 1, 1.5, 2, 3, 5)]
    assert all(a > b for a, b in itertools.pairwise(figures))
    assert figures[-1] < 0.4 * figures[0]


def test_sharpness_does_not_change_with_the_light() -> None:
    bright, dim = (measure_focus(block_of(blurred(cloth(), 0.7, light), 0)).sharpness for light in (1.0, 0.4))
    assert dim == pytest.approx(bright, rel=0.05)


def test_a_tilted_camera_shows_in_its_zones() -> None:
    image = cloth().copy()
    image[:, 700:] = blurred(image, 3)[:, 700:]
    figures = measure_focus(block_of(image, 0))
    assert figures.zones.shape == (ZONES,)
    assert figures.zones[:4].min() > 1.4 * figures.zones[-3:].max()
    assert any("right is less sharp" in w for w in figures.words)


def test_even_lines_have_no_sharpness() -> None:
    assert math.isnan(measure_focus(block_of(np.full((20, 400), 120, np.uint8), 0)).sharpness)
    assert math.isnan(measure_focus(block_of(np.full((1, 400), 120, np.uint8), 0)).sharpness)


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("colour", [False, True])
def test_profile_and_histogram_are_in_8_bits(bits: int, colour: bool) -> None:
    raw = np.random.default_rng(0).integers(0, 1 << bits, (64, 200, 3) if colour else (64, 200))
    figures = measure_focus(block_of(raw.astype(np.uint8 if bits == 8 else np.uint16), 0, bits=bits))
    scale = 255 / ((1 << bits) - 1)
    np.testing.assert_allclose(figures.mean, raw.mean(axis=0) * scale, rtol=1e-4)
    np.testing.assert_allclose(figures.minimum, raw.min(axis=0) * scale, rtol=1e-4)
    np.testing.assert_allclose(figures.maximum, raw.max(axis=0) * scale, rtol=1e-4)
    np.testing.assert_array_equal(figures.histogram, np.bincount((raw >> (bits - 8)).ravel(), minlength=256))


@pytest.mark.parametrize(
    ("value", "words"), [(255, "100.0% of the pixels are saturated"), (0, "100% of the pixels are black"), (30, "dim")]
)
def test_bad_light_is_said(value: int, words: str) -> None:
    assert any(words in w for w in measure_focus(block_of(np.full((20, 400), value, np.uint8), 0)).words)


def test_good_light_and_focus_need_no_words() -> None:
    assert measure_focus(block_of(cloth(), 0)).words == ()
    uneven = (cloth() * np.linspace(1, 0.5, cloth().shape[1])).astype(np.uint8)
    assert any("flat field" in w for w in measure_focus(block_of(uneven, 0)).words)


def test_the_pattern_of_the_sensor_is_no_cloth() -> None:
    assert shows_cloth(measure_focus(block_of(cloth(), 0)))
    pattern = np.random.default_rng(1).integers(-3, 4, 1024)
    for level in (6, 200):  # lens covered, even white
        lines = np.repeat((level + pattern)[None].astype(np.uint8), 64, axis=0)
        figures = measure_focus(block_of(lines, 0))
        assert figures.sharpness > 0.9
        assert not shows_cloth(figures)


# --- ruler


@given(st.floats(0.02, 5), st.floats(0.02, 5), st.floats(60, 8000), st.floats(0, 1))
def test_a_ruler_that_lies_aslant_gives_the_scale(mm_px: float, mm_line: float, main: float, slant: float) -> None:
    aside = slant * main
    across = math.hypot(main * mm_px, aside * mm_line)
    assert scale_from_ruler((10, 20), (10 - main, 20 + aside), across, "across", mm_line).mm == pytest.approx(mm_px)
    along = math.hypot(main * mm_line, aside * mm_px)
    assert scale_from_ruler((10, 20), (10 + aside, 20 + main), along, "along", mm_px).mm == pytest.approx(mm_line)


def test_square_pixels_need_no_second_scale() -> None:
    scale = scale_from_ruler((0, 0), (300, 40), 0.2 * math.hypot(300, 40), "across")
    assert scale.mm == pytest.approx(0.2)
    assert scale.error_percent == pytest.approx(0.47, abs=0.01)


@pytest.mark.parametrize(
    ("end", "length_mm", "other_mm", "words"),
    [
        ((400.0, 0.0), 0.0, None, "more than 0 mm"),
        ((400.0, 0.0), math.nan, None, "more than 0 mm"),
        ((40.0, 0.0), 10.0, None, "at least 50 px"),
        ((100.0, 300.0), 10.0, None, "does not lie across"),
        ((100.0, 90.0), 10.0, 0.5, "further apart than"),
        ((100.0, 0.0), 10_000.0, None, "more than 10 mm cannot be"),
    ],
)
def test_marks_that_make_no_scale_are_refused(
    end: tuple[float, float], length_mm: float, other_mm: float | None, words: str
) -> None:
    with pytest.raises(RecipeError, match=words):
        scale_from_ruler((0.0, 0.0), end, length_mm, "across", other_mm)


def test_a_ruler_changes_the_recipe_in_its_direction() -> None:
    recipe = Recipe(name="denim", mm_per_px=0.2, mm_per_line=0.3)
    assert direction_of((0, 0), (400, 10)) == "across"
    across = propose_recipe(recipe, (0, 0), (400, 0), 100.0, "across")
    assert across.recipe == recipe.model_copy(update={"mm_per_px": 0.25})
    assert across.text == "0.25 mm per pixel (was 0.2); marks one pixel off make 0.4 %."
    assert direction_of((0, 0), (10, 400)) == "along"
    along = propose_recipe(recipe, (0, 0), (0, 400), 100.0, "along")
    assert along.recipe == recipe.model_copy(update={"mm_per_line": 0.25})
    assert "per line (was 0.3)" in along.text


def test_square_pixels_stay_square_and_a_strange_length_is_said() -> None:
    proposal = propose_recipe(Recipe(mm_per_px=0.2), (0, 0), (400, 0), 400.0, "across")
    assert (proposal.recipe.mm_per_px, proposal.recipe.line_mm) == (1.0, 1.0)
    assert "square pixels" in proposal.text
    assert "check the length" in proposal.text
