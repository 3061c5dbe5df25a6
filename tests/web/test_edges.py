"""The cloth is found beside whatever lies next to it, and nothing is cut off where there is only cloth."""

from pathlib import Path

import numpy as np
import pytest

from aoi_app.sources.loom import BACKGROUNDS, WEAVES, Loom, LoomConfig
from cras_core.images import list_images, read_image
from cras_core.web.edges import EdgeConfig, find_edges


def woven(weave: str, background: str, line: int = 0, lines: int = 512) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    loom = Loom(LoomConfig(weave=weave, background=background, width_px=1536, defects_per_1000_lines=0, seed=4))
    left, right = loom.edges(np.arange(line, line + lines))
    return loom.weave(line, lines), left, right


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("weave", WEAVES)
def test_edges_are_found_beside_any_background(weave: str, background: str) -> None:
    image, left, right = woven(weave, background)
    edges = find_edges(image, EdgeConfig())
    assert edges.found_left
    assert edges.found_right
    assert np.abs(edges.left - left).max() < 14
    assert np.abs(edges.right - right).max() < 14


@pytest.mark.parametrize("weave", WEAVES)
def test_cloth_that_fills_the_view_has_no_edges(weave: str) -> None:
    image, _, _ = woven(weave, "white")
    edges = find_edges(np.ascontiguousarray(image[:, 160:-160]), EdgeConfig())
    assert not edges.found_left
    assert not edges.found_right
    assert edges.width_px == image.shape[1] - 320


def test_a_mirrored_web_has_mirrored_edges() -> None:
    image, _, _ = woven("twill", "table")
    edges, mirrored = find_edges(image, EdgeConfig()), find_edges(np.ascontiguousarray(image[:, ::-1]), EdgeConfig())
    np.testing.assert_allclose(mirrored.left, image.shape[1] - edges.right, atol=8)


def test_only_one_side_in_view() -> None:
    image, _, _ = woven("plain", "dark")
    edges = find_edges(np.ascontiguousarray(image[:, :1200]), EdgeConfig())
    assert edges.found_left
    assert not edges.found_right
    assert (edges.right == 1200).all()


def test_a_defect_across_the_web_does_not_move_the_edge() -> None:
    image, left, _ = woven("plain", "white")
    image = image.copy()
    image[100:130, 60:] = 30
    assert np.abs(find_edges(image, EdgeConfig()).left - left).max() < 14


def test_lamps_that_fall_off_are_no_edge() -> None:
    image, _, _ = woven("satin", "white")
    inner = image[:, 160:-160].astype(np.float32)
    lamp = np.linspace(0.6, 1.4, inner.shape[1])
    edges = find_edges(np.clip(inner * lamp, 0, 255).astype(np.uint8), EdgeConfig())
    assert not edges.found_left
    assert not edges.found_right


def test_switched_off_means_the_whole_width() -> None:
    image, _, _ = woven("plain", "white")
    edges = find_edges(image, EdgeConfig(enabled=False))
    assert (edges.left == 0).all()
    assert (edges.right == image.shape[1]).all()


def test_a_margin_counts_from_the_physical_edge() -> None:
    image, _, _ = woven("plain", "white")
    config = EdgeConfig(from_edge_px=50)
    edges = find_edges(image, config)
    left, right = edges.inspected(config)
    np.testing.assert_allclose(left, edges.left + 50)
    np.testing.assert_allclose(right, edges.right - 50)


def test_real_cloth(aitex: Path) -> None:
    """All strips of four fabrics: a left edge in each, never a right one, and none at all inside the cloth."""
    for path in [
        p for folder in sorted(aitex.glob("fabric_0[0-3]/*")) if folder.name != "mask" for p in list_images(folder)
    ]:
        image = read_image(path)
        edges = find_edges(image, EdgeConfig())
        assert edges.found_left, path
        assert not edges.found_right, path
        inside = find_edges(np.ascontiguousarray(image[:, 1400:]), EdgeConfig())
        assert not inside.found_left, path
        assert not inside.found_right, path


def coarse_cloth(period_px: int, background: int | None) -> np.ndarray:
    """Yarns with dark gaps between them, (512, 1900); with a background beyond columns 260 and 1700."""
    columns, lines = np.arange(1900), np.arange(512)[:, None]
    yarns = np.sign(np.sin(2 * np.pi * columns / period_px))[None, :] * 45 + 20 * np.sin(2 * np.pi * lines / 12)
    cloth = 110 + yarns + np.random.default_rng(0).normal(0, 6, (512, 1900))
    if background is not None:
        cloth[:, (columns < 260) | (columns >= 1700)] = background
    return np.clip(cloth, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("period_px", [16, 24, 32, 48, 64, 96])
def test_a_yarn_is_no_edge(period_px: int) -> None:
    edges = find_edges(coarse_cloth(period_px, None), EdgeConfig())
    assert not edges.found_left
    assert not edges.found_right
    assert edges.width_px == 1900


@pytest.mark.parametrize("background", [245, 12, 180])
@pytest.mark.parametrize("period_px", [16, 24, 32, 48, 64])
def test_the_edge_of_coarse_cloth_is_found(period_px: int, background: int) -> None:
    edges = find_edges(coarse_cloth(period_px, background), EdgeConfig())
    assert np.abs(edges.left - 260).max() <= 8
    assert np.abs(edges.right - 1700).max() <= 8
