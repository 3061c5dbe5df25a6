"""The features of the training cloth: what is kept, how much of it, and where."""

from __future__ import annotations

import dataclasses
import gc
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig, PatchConfig, PreprocessConfig
from cras_core.data.folders import find_normal_images
from cras_core.data.values import NormalImages
from cras_core.errors import DataError
from cras_core.features.backbone import Backbone
from cras_core.features.cache import FeatureCache
from cras_core.features.cloth_tiles import preprocess, tiles_of
from cras_core.features.extraction import extract_features
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.synthetic import extract_synthetic
from cras_core.features.tensors import to_images
from cras_core.images import read_image

CPU = torch.device("cpu")
CONFIG = with_settings(cloth(), {"patches.dimension": "24", "synthesis.drawn_tiles": "3", "backbone.input_scale": "1"})


@pytest.fixture
def extractor(tiny_backbone: Callable[..., Backbone]) -> FeatureExtractor:
    """Random features of 24 values."""
    return FeatureExtractor(tiny_backbone(), CONFIG)


@pytest.fixture(scope="module")
def strips(loom_data: Path) -> NormalImages:
    """Strips of plain cloth with edges."""
    return next(n for n in find_normal_images(loom_data) if n.fabric == "plain")


@pytest.fixture
def tiles(loom_data: Path, tmp_path: Path) -> NormalImages:
    """Four pictures of cloth without edges, 96 x 100 px."""
    paths = []
    for i, path in enumerate(sorted((loom_data / "plain" / "normal").iterdir())[:4]):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(read_image(path)[100:196, 400:500]).save(paths[-1])
    return NormalImages("plain", tuple(paths), are_strips=False)


def taken(
    normal: NormalImages, extractor: FeatureExtractor, config: CrasConfig = CONFIG, capacity: int = 10**5, seed: int = 0
) -> tuple[torch.Tensor, object]:
    """All that is in the cache, row by row in an order that does not depend on chance; and the features."""
    found = extract_features(
        normal, normal.paths, extractor, config, capacity, CPU, np.random.default_rng(seed), lambda _: None
    )
    return found.cache.take(np.arange(len(found.cache))), found


# The cache


@settings(max_examples=50)
@given(
    st.integers(1, 30),
    st.lists(st.integers(0, 12), max_size=6),
    st.sampled_from(["memory", "disk"]),
    st.integers(0, 2**31),
)
def test_a_cache_keeps_the_first_vectors_up_to_its_capacity(
    capacity: int, sizes: list[int], where: str, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randn(n, 3, generator=generator) for n in sizes]
    cache = FeatureCache(3, capacity, where)
    for part in parts:
        cache.add(part)
    wanted = torch.cat([*parts, torch.empty(0, 3)])[:capacity]
    assert len(cache) == len(wanted)
    found = cache.take(np.arange(len(cache)))
    assert found.dtype == torch.float32
    assert torch.equal(found, wanted.half().float())
    index = np.random.default_rng(seed).integers(0, max(1, len(cache)), 5) if len(cache) else np.empty(0, np.int64)
    assert torch.equal(cache.take(index), wanted.half().float()[index])


def test_memory_and_disk_hold_the_same() -> None:
    vectors = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    caches = [FeatureCache(7, 64, where) for where in ("memory", "disk")]
    for cache in caches:
        cache.add(vectors)
        cache.add(vectors)
    assert torch.equal(*(cache.take(np.arange(64)) for cache in caches))


def test_values_too_large_for_half_precision_are_cut_off_and_stay_finite() -> None:
    cache = FeatureCache(2, 4, "memory")
    cache.add(torch.tensor([[1e9, -1e9], [65504.0, 1.0]]))
    assert cache.take(np.arange(2)).tolist() == [[65504.0, -65504.0], [65504.0, 1.0]]


def test_a_cache_on_disk_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache = FeatureCache(8, 1000, "disk")
    cache.add(torch.ones(1000, 8))
    assert float(cache.take(np.arange(1000)).sum()) == 8000
    del cache
    gc.collect()  # an unclosed file would warn here, and a warning is an error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_cache_is_written_and_read_again(tmp_path: Path, where: str) -> None:
    cache = FeatureCache(7, 9000, where)
    cache.add(torch.randn(9000, 7, generator=torch.Generator().manual_seed(0)), torch.arange(9000), torch.rand(9000, 2))
    checksum = cache.save(tmp_path / "a.vectors")
    again = FeatureCache.load(tmp_path / "a.vectors", cache.positions, cache.places, 7, checksum, where)
    index = np.random.default_rng(0).integers(0, 9000, 500)
    assert torch.equal(again.take(index), cache.take(index))
    assert torch.equal(again.take(index), cache.take(np.arange(9000))[index])
    for damage in (b"", b"x", (tmp_path / "a.vectors").read_bytes()[:-2] + b"\0\0"):
        (tmp_path / "b.vectors").write_bytes(damage)
        with pytest.raises(ValueError, match=r"b\.vectors"):
            FeatureCache.load(tmp_path / "b.vectors", cache.positions, cache.places, 7, checksum, where)


def test_a_file_of_features_that_is_shortened_is_an_error_and_no_crash(tmp_path: Path) -> None:
    cache = FeatureCache(7, 5000, "memory")
    cache.add(torch.ones(5000, 7))
    path = tmp_path / "a.vectors"
    again = FeatureCache.load(path, cache.positions, cache.places, 7, cache.save(path), "disk")
    path.write_bytes(path.read_bytes()[:700])
    assert float(again.take(np.arange(50)).sum()) == 350
    with pytest.raises(DataError, match="was shortened while it was read"):
        again.take(np.array([3, 4999]))


def test_a_place_without_room_says_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"on disk.*train\.cache"):
        FeatureCache(8, 1000, "disk").add(torch.ones(1, 8))
    with pytest.raises(DataError, match=r"No room for .* MB of features in memory.*Lower train\.cache_mb"):
        FeatureCache(8, 2**50, "memory")


# Features of normal pictures


def test_features_of_pictures_are_those_of_every_cell(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    on_image: list[Path] = []
    found = extract_features(
        tiles, tiles.paths, extractor, CONFIG, 10**5, CPU, np.random.default_rng(0), on_image.append
    )
    assert on_image == list(tiles.paths)
    cells = 12 * 13  # 100 px are 13 cells, the last of which is half a cell
    with torch.inference_mode():
        raw = torch.stack(
            [extractor.raw(to_images(read_image(p)[None], CPU))[0, :12, :13] for p in tiles.paths]
        ).double()
    assert found.count == len(found.cache) == 4 * cells
    flat = raw.reshape(-1, 24)
    torch.testing.assert_close(found.total, flat.sum(dim=0))
    torch.testing.assert_close(found.total_squared, flat.square().sum(dim=0))
    assert found.mean_map is not None
    torch.testing.assert_close(found.mean_map[:12, :13], raw.mean(dim=0))
    rows = found.cache.take(np.arange(4 * cells))
    for i in range(4):  # picture by picture, in whatever order
        mine = rows[i * cells : (i + 1) * cells]
        wanted = raw[i].reshape(-1, 24).half().float()
        assert sorted(mine.tolist()) == sorted(wanted.tolist())


def test_pictures_of_two_sizes_have_no_mean_map(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    Image.fromarray(read_image(tiles.paths[2])[:64, :64]).save(tiles.paths[2])
    _, found = taken(tiles, extractor)
    assert found.mean_map is None  # type: ignore[attr-defined]
    assert found.count == 3 * 12 * 13 + 64  # type: ignore[attr-defined]


def test_every_picture_gets_an_equal_share_of_a_small_cache(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    rows, found = taken(tiles, extractor, capacity=40)
    assert len(rows) == 40
    assert found.count == 4 * 12 * 13  # type: ignore[attr-defined]
    everything, _ = taken(tiles, extractor)
    for i in range(4):
        own = {tuple(r) for r in everything[i * 156 : (i + 1) * 156].tolist()}
        assert all(tuple(r) in own for r in rows[i * 10 : (i + 1) * 10].tolist())


def test_a_cache_of_fewer_vectors_than_pictures_is_not_overrun(
    tiles: NormalImages, extractor: FeatureExtractor
) -> None:
    assert len(taken(tiles, extractor, capacity=3)[0]) == 3


def test_the_seed_decides_what_is_kept(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    one, again, other = (taken(tiles, extractor, capacity=40, seed=s)[0] for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_memory_and_disk_keep_the_same_features(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    on_disk = with_settings(CONFIG, {"train.cache": "disk"})
    assert torch.equal(taken(tiles, extractor, on_disk)[0], taken(tiles, extractor)[0])


def test_of_a_strip_only_the_cloth_is_kept(strips: NormalImages, extractor: FeatureExtractor) -> None:
    normal = dataclasses.replace(strips, paths=strips.paths[:1])
    _, found = taken(normal, extractor)
    assert found.mean_map is None  # type: ignore[attr-defined]
    scored = [s for _, s in tiles_of(read_image(strips.paths[0]), True, CONFIG)]
    assert found.count == sum(int(s.sum()) for s in scored)  # type: ignore[attr-defined]
    _, everywhere = taken(normal, extractor, with_settings(CONFIG, {"edges.enabled": "false"}))
    assert 0.5 < found.count / everywhere.count < 0.95  # type: ignore[attr-defined]


def test_pictures_without_cloth_are_named(tmp_path: Path, extractor: FeatureExtractor) -> None:
    Image.fromarray(np.full((40, 40), 90, np.uint8)).save(tmp_path / "a.png")  # narrower than anything to inspect
    normal = NormalImages("denim", (tmp_path / "a.png",), are_strips=True)
    with pytest.raises(DataError, match=r"fabric denim: no cloth found in 1 pictures, the first of them .*a\.png"):
        taken(normal, extractor)


def test_a_picture_that_cannot_be_read_is_named(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    tiles.paths[1].write_text("broken")
    with pytest.raises(DataError, match=r"1\.png: not a readable picture"):
        taken(tiles, extractor)


# Features of drawn defects


def test_drawn_defects_move_the_features(strips: NormalImages, extractor: FeatureExtractor) -> None:
    told: list[Path] = []
    found = extract_synthetic(strips, strips.paths, extractor, CONFIG, CPU, np.random.default_rng(0), told.append)
    assert len(told) == CONFIG.synthesis.drawn_tiles
    assert 0 < len(found.clean) == len(found.change)
    index = np.arange(len(found.clean))
    clean, change = found.clean.take(index), found.change.take(index)
    assert torch.isfinite(clean).all()
    assert float(change.abs().mean()) > 0.02 * float((clean - clean.mean(dim=0)).abs().mean())
    assert float((change.abs().sum(dim=1) > 0).float().mean()) > 0.9
    assert float(change.abs().mean()) < 0.5 * float(clean.abs().mean())  # a difference, not the vector under the defect


def test_the_seed_decides_what_is_drawn(strips: NormalImages, extractor: FeatureExtractor) -> None:
    def run(seed: int) -> torch.Tensor:
        rng = np.random.default_rng(seed)
        found = extract_synthetic(strips, strips.paths[:2], extractor, CONFIG, CPU, rng, lambda _: None)
        return found.change.take(np.arange(len(found.change)))

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1)[:100], run(2)[:100])


def test_tiles_too_small_to_draw_on_say_the_way_out(tmp_path: Path, extractor: FeatureExtractor) -> None:
    Image.fromarray(np.full((48, 48), 90, np.uint8)).save(tmp_path / "a.png")
    normal = NormalImages("denim", (tmp_path / "a.png",), are_strips=False)
    with pytest.raises(DataError, match=r"denim: no tile of 64 px or more; set synthesis\.drawn=0"):
        extract_synthetic(normal, normal.paths, extractor, CONFIG, CPU, np.random.default_rng(0), lambda _: None)


# Tiles and whole pictures


@given(st.integers(32, 90), st.integers(32, 90), st.booleans())
def test_a_picture_is_one_tile_and_all_of_it_counts(height: int, width: int, colour: bool) -> None:
    picture = np.zeros((height, width, 3) if colour else (height, width), np.uint8)
    ((tiles, scored),) = tiles_of(picture, False, CONFIG)
    assert np.array_equal(tiles[0], picture)
    assert scored.shape == (1, -(-height // 8), -(-width // 8))
    assert scored.all()


def test_a_strip_is_cut_into_tiles_and_its_background_is_left_out(strips: NormalImages) -> None:
    picture = read_image(strips.paths[0])
    size = CONFIG.tiling.tile_px // CONFIG.tiling.cell_px
    cells = 0
    for tiles, scored in tiles_of(picture, True, CONFIG):
        assert tiles.shape[1:] == (CONFIG.tiling.tile_px, CONFIG.tiling.tile_px)
        assert scored.shape == (len(tiles), size, size)
        cells += int(scored.sum())
    assert cells > 0


@given(st.integers(33, 200), st.integers(33, 200), st.integers(32, 90), st.integers(32, 90), st.booleans())
def test_pictures_are_resized_by_their_shorter_side_and_cropped_in_the_middle(
    height: int, width: int, resize: int, crop: int, colour: bool
) -> None:
    resize, crop = max(resize, crop), min(resize, crop)
    picture = np.full((height, width, 3) if colour else (height, width), 77, np.uint8)
    resized = preprocess(picture, PreprocessConfig(resize))
    assert min(resized.shape[:2]) == resize
    assert max(resized.shape[:2]) == max(1, round(max(height, width) * resize / min(height, width)))
    cropped = preprocess(picture, PreprocessConfig(resize, crop))
    assert cropped.shape == (crop, crop, *picture.shape[2:])
    assert (cropped == 77).all()


def test_the_crop_is_in_the_middle() -> None:
    picture = np.zeros((64, 100), np.uint8)
    picture[31:33, 49:51] = 255
    cropped = preprocess(picture, PreprocessConfig(64, 32))
    rows, cols = np.nonzero(cropped > 127)
    assert (rows.mean(), cols.mean()) == (15.5, 15.5)


def test_without_settings_a_picture_is_left_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (33, 47), dtype=np.uint8)
    assert preprocess(picture, PreprocessConfig()) is picture


def test_vectors_before_normalisation_are_what_is_cached(tiles: NormalImages, extractor: FeatureExtractor) -> None:
    before, _ = taken(tiles, extractor)
    extractor.mean.fill_(5.0)
    extractor.std.fill_(3.0)
    assert torch.equal(taken(tiles, extractor)[0], before)
    assert extractor.patches.config == PatchConfig(3, 24, 8)
