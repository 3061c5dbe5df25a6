"""The aggregation is the paper's: unfold, pool in order, enlarge to the finest grid, pool to the target length."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cras_core.config.settings import PatchConfig
from cras_core.errors import ConfigError
from cras_core.features.patches import PatchAggregator


def by_the_paper(levels: list[Tensor], side: int, dimension: int) -> Tensor:
    """Every step on its own, for one position after the other: (B, D, h, w)."""
    height, width = levels[0].shape[2:]
    pooled = []
    for level in levels:
        b, c, h, w = level.shape
        reach = side // 2
        around = torch.zeros(b, c, h + 2 * reach, w + 2 * reach)
        around[:, :, reach : reach + h, reach : reach + w] = level
        rows = []
        for y in range(h):
            for x in range(w):
                values = around[:, :, y : y + side, x : x + side].reshape(b, 1, c * side * side)
                rows.append(torch.nn.functional.adaptive_avg_pool1d(values, dimension)[:, 0])
        maps = torch.stack(rows, dim=2).reshape(b, dimension, h, w)
        pooled.append(torch.nn.functional.interpolate(maps, (height, width), mode="bilinear", align_corners=False))
    stacked = torch.cat(pooled, dim=1)  # (B, levels * dimension, h, w)
    flat = stacked.permute(0, 2, 3, 1).reshape(-1, 1, stacked.shape[1])
    vectors = torch.nn.functional.adaptive_avg_pool1d(flat, dimension)
    return vectors.reshape(len(stacked), height, width, dimension).permute(0, 3, 1, 2)


@pytest.mark.usefixtures("double")
@settings(max_examples=60)
@given(
    channels=st.lists(st.integers(1, 24), min_size=1, max_size=3),
    share=st.integers(3, 20),
    side=st.sampled_from([1, 3, 5, 7]),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 2**31),
)
def test_aggregation_is_the_papers(
    channels: list[int], share: int, side: int, size: tuple[int, int], seed: int
) -> None:
    n = len(channels)
    dimension = max(8, share) * n
    generator = torch.Generator().manual_seed(seed)
    levels = [
        torch.randn(2, c, size[0] * 2 ** (n - 1 - i), size[1] * 2 ** (n - 1 - i), generator=generator)
        for i, c in enumerate(channels)
    ]
    config = PatchConfig(neighbourhood=side, dimension=dimension, cell_px=None)
    aggregator = PatchAggregator(channels, [8 * 2**i for i in range(n)], config)
    found = aggregator(levels)
    assert aggregator.dimension == dimension
    torch.testing.assert_close(found, by_the_paper(levels, side, dimension), rtol=0, atol=1e-12)


@pytest.mark.usefixtures("double")
def test_the_sizes_of_the_paper_take_six_and_twelve_values_in_order() -> None:
    channels = (512, 1024)
    levels = [torch.randn(1, 512, 4, 4), torch.randn(1, 1024, 2, 2)]
    aggregator = PatchAggregator(channels, (8, 16), PatchConfig(3, 1536, None, normalise=False))
    found = aggregator(levels)
    torch.testing.assert_close(found, by_the_paper(levels, 3, 1536), rtol=0, atol=1e-12)
    values = torch.nn.functional.unfold(levels[0], 3, padding=1)[0, :, 5]  # position (1, 1)
    torch.testing.assert_close(found[0, :768, 1, 1], values.reshape(768, 6).mean(dim=1), rtol=0, atol=1e-12)


def test_single_precision_does_the_same() -> None:
    generator = torch.Generator().manual_seed(3)
    levels = [torch.randn(2, 40, 8, 6, generator=generator), torch.randn(2, 112, 4, 3, generator=generator)]
    aggregator = PatchAggregator((40, 112), (8, 16), PatchConfig(3, 152, 8))
    torch.testing.assert_close(aggregator(levels), by_the_paper(levels, 3, 152), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("double")
@given(
    channels=st.lists(st.integers(1, 5), min_size=1, max_size=2),
    side=st.sampled_from([1, 3, 5]),
    size=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
def test_without_a_dimension_every_channel_keeps_the_mean_of_its_neighbourhood(
    channels: list[int], side: int, size: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    n = len(channels)
    levels = [
        torch.randn(1, c, size * 2 ** (n - 1 - i), size * 2 ** (n - 1 - i), generator=generator)
        for i, c in enumerate(channels)
    ]
    aggregator = PatchAggregator(
        channels, [8 * 2**i for i in range(n)], PatchConfig(neighbourhood=side, dimension=None, cell_px=8)
    )
    assert aggregator.dimension == sum(channels)
    wanted = []
    for level in levels:
        _, c, h, w = level.shape
        means = torch.nn.functional.unfold(level, side, padding=side // 2).reshape(1, c, side**2, h, w).mean(dim=2)
        wanted.append(torch.nn.functional.interpolate(means, levels[0].shape[2:], mode="bilinear", align_corners=False))
    torch.testing.assert_close(aggregator(levels), torch.cat(wanted, dim=1), rtol=0, atol=1e-12)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("dimension", [None, 16])
@pytest.mark.parametrize("cell_px", [4, 8, 16, 32])
def test_the_grid_follows_the_cell_size(cell_px: int, dimension: int | None) -> None:
    height, width = 64, 128
    levels = [torch.randn(2, 6, height // 8, width // 8), torch.randn(2, 10, height // 16, width // 16)]
    aggregator = PatchAggregator((6, 10), (8, 16), PatchConfig(3, dimension, cell_px))
    found = aggregator(levels)
    assert aggregator.cell_px == cell_px
    assert found.shape == (2, dimension or 16, height // cell_px, width // cell_px)


@pytest.mark.usefixtures("double")
def test_coarser_cells_hold_the_mean_of_the_finer_ones() -> None:
    levels = [torch.randn(1, 12, 8, 8), torch.randn(1, 20, 4, 4)]
    fine = PatchAggregator((12,), (8,), PatchConfig(3, None, 8))(levels[:1])
    coarse = PatchAggregator((12,), (8,), PatchConfig(3, None, 16))(levels[:1])
    torch.testing.assert_close(coarse, torch.nn.functional.avg_pool2d(fine, 2), rtol=0, atol=1e-12)


def test_without_a_cell_size_the_finest_level_gives_the_grid() -> None:
    aggregator = PatchAggregator((4, 4), (4.0, 8.0), PatchConfig(1, None, None))
    assert aggregator.cell_px == 4
    assert aggregator([torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 4, 4)]).shape == (1, 8, 8, 8)


def test_nothing_of_the_aggregation_is_trained() -> None:
    aggregator = PatchAggregator((8, 16), (8, 16), PatchConfig(3, 16, 8))
    assert not [p for p in aggregator.parameters() if p.requires_grad]


@pytest.mark.parametrize(("strides", "cell_px"), [((8, 16), 12), ((8 / 3, 16 / 3), None), ((5, 10), 8)])
def test_cells_that_do_not_match_the_levels_are_refused(strides: tuple[float, ...], cell_px: int | None) -> None:
    with pytest.raises(ConfigError, match="do not match levels of stride"):
        PatchAggregator((4, 4), strides, PatchConfig(3, None, cell_px))


def test_values_that_the_levels_cannot_share_equally_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 levels cannot share 33 values equally"):
        PatchAggregator((40, 112), (8, 16), PatchConfig(3, 33, 8))
