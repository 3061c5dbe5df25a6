"""Whether pictures follow each other on one web."""

import itertools
import os
import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from cras_core.arrays import Image
from cras_core.web.neighbours import Boundary, Layout, NeighbourReport, find_layout


def weave(lines: int, width: int = 800, *, phase: float = 0.0, seed: int = 0, tilt: float = 0.003) -> Image:
    """Plain cloth: yarns of 7.3 lines and 6.1 px, uneven, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:lines, :width].astype(np.float32)
    uneven = np.repeat(rng.normal(0, 0.15, width // 6 + 1), 6)[:width]
    pattern = np.sin(2 * np.pi * ((y + phase) / 7.3 + tilt * x)) * np.sin(2 * np.pi * x / 6.1) + uneven
    return np.clip(120 + 30 * pattern + rng.normal(0, 6, pattern.shape), 0, 255).astype(np.uint8)


def layout_of(pictures: Sequence[Image]) -> NeighbourReport:
    return find_layout([Boundary(a, b) for a, b in itertools.pairwise(pictures)])


@pytest.mark.parametrize("count", [2, 5, 10])
def test_a_web_that_was_cut_is_one_web(count: int) -> None:
    report = layout_of(np.array_split(weave(400), count))
    assert report == NeighbourReport(Layout.ONE_WEB, count - 1, 0)


def test_pictures_of_the_same_cloth_that_do_not_follow_each_other_are_separate() -> None:
    jumps = (0.0, 2.5, 4.1, 3.0, 3.7, 4.6)  # lines of a repeat of 7.3 that are missing before each
    phases = np.cumsum(jumps) + 128 * np.arange(6)
    pictures = [weave(128, phase=float(phase), seed=k) for k, phase in enumerate(phases)]
    assert layout_of(pictures) == NeighbourReport(Layout.SEPARATE, 5, 5)


def test_pictures_of_unlike_cloth_are_separate() -> None:
    other = np.random.default_rng(3).normal(120, 30, (128, 800))
    fine = np.clip(cv2.GaussianBlur(other, (5, 5), 0), 0, 255).astype(np.uint8)
    assert layout_of([weave(128), fine, weave(128), fine]).layout is Layout.SEPARATE


def test_a_splice_leaves_a_web_what_it_is() -> None:
    first, second = weave(400), weave(400, phase=3.6, seed=1)
    report = layout_of([*np.array_split(first, 5), *np.array_split(second, 5)])
    assert (report.layout, report.breaks) == (Layout.ONE_WEB, 1)


def test_different_widths_are_separate() -> None:
    report = layout_of([weave(64, 800), weave(64, 700)])
    assert (report.layout, report.widths_differ) == (Layout.SEPARATE, True)


@pytest.mark.parametrize("light", [120, 0, 255])
def test_cloth_without_texture_tells_nothing(light: int) -> None:
    rng = np.random.default_rng(0)
    noise = [np.clip(rng.normal(light, 3, (64, 800)), 0, 255).astype(np.uint8) for _ in range(4)]
    for pictures in (noise, [np.full((64, 800), light, np.uint8)] * 4):
        report = layout_of(pictures)
        assert (report.layout, report.has_texture) == (Layout.UNKNOWN, False)


@pytest.mark.parametrize("shape", [(4, 800), (64, 20), (1, 1)])
def test_pictures_that_are_too_small_tell_nothing(shape: tuple[int, int]) -> None:
    assert layout_of([np.zeros(shape, np.uint8)] * 3).layout is Layout.UNKNOWN


def test_a_single_picture_has_no_boundary() -> None:
    assert layout_of([weave(64)]) == NeighbourReport(Layout.UNKNOWN, has_texture=False)


def test_colour_is_taken_as_grey() -> None:
    colour = np.repeat(weave(400)[..., None], 3, axis=2)
    assert layout_of(np.array_split(colour, 5)).layout is Layout.ONE_WEB


def test_lamps_that_are_uneven_across_the_web_do_not_matter() -> None:
    lamp = np.linspace(0.4, 1.2, 800)
    cloth = np.clip(weave(400) * lamp, 0, 255).astype(np.uint8)
    assert layout_of(np.array_split(cloth, 5)).layout is Layout.ONE_WEB


@pytest.mark.parametrize("fabric", range(4))
@pytest.mark.skipif("AITEX_ROOT" not in os.environ, reason="needs real cloth")
def test_real_cloth(fabric: int) -> None:
    """Strips that were shuffled are separate, strips that were cut in ten are one web; measured: 95 in a hundred."""
    folder = Path(os.environ["AITEX_ROOT"]) / f"fabric_{fabric:02d}"
    strips = [cv2.imread(str(path), 0) for path in sorted((folder / "normal").iterdir())]
    assert layout_of(strips).layout is Layout.SEPARATE
    for seed in range(10):
        shuffled = random.Random(seed).sample(strips, len(strips))
        assert layout_of(shuffled).layout is Layout.SEPARATE
    cut = [layout_of(np.array_split(strip, 10)).layout for strip in strips]
    assert cut.count(Layout.ONE_WEB) >= 0.9 * len(cut)
