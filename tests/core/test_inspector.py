"""The trained model at work: every tile on its own, any size, the whole picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from cras_core.config.reading import with_settings
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import ConfigError, CrasError
from cras_core.features.tensors import pick_device, to_images
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle


@pytest.fixture(scope="session")
def cloth_tiles(loom_data: Path) -> np.ndarray:
    """Tiles of four fabrics, of which the model knows two: (4, 160, 160)."""
    return np.stack(
        [
            read_image(list_images(loom_data / weave / "normal")[0])[:160, 400:560]
            for weave in ("plain", "satin", "twill", "basket")
        ]
    )


# Every tile on its own


@pytest.mark.parametrize("fabric", [None, 0, 1])
def test_a_tile_is_judged_as_if_it_were_alone(
    inspector: CrasDetector, cloth_tiles: np.ndarray, fabric: int | None
) -> None:
    together = inspector.score_tiles(cloth_tiles, fabric)
    predicted = inspector.predict(cloth_tiles, fabric)
    for i in range(len(cloth_tiles)):
        alone = inspector.score_tiles(cloth_tiles[i : i + 1], fabric)
        np.testing.assert_allclose(together.raw[i], alone.raw[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(together.similarity[i], alone.similarity[0], rtol=0, atol=1e-5)
        assert together.fabric[i] == alone.fabric[0]
        picture = inspector.predict(cloth_tiles[i : i + 1], fabric)
        np.testing.assert_allclose(predicted.anomaly_map[i], picture.anomaly_map[0], rtol=0, atol=1e-5)


def test_the_model_itself_judges_every_image_of_a_batch_on_its_own(
    inspector: CrasDetector, cloth_tiles: np.ndarray
) -> None:
    images = to_images(cloth_tiles, inspector.device)
    with torch.inference_mode():
        together = inspector.model(images)
        for i in range(len(images)):
            alone = inspector.model(images[i : i + 1])
            torch.testing.assert_close(together.logit[i], alone.logit[0], rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(together.residual[i], alone.residual[0], rtol=1e-4, atol=1e-4)
            assert together.fabric[i] == alone.fabric[0]


def test_the_order_of_the_tiles_does_not_matter(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(
        inspector.score_tiles(cloth_tiles[order]).raw, inspector.score_tiles(cloth_tiles).raw[order], rtol=0, atol=1e-5
    )


def test_the_same_tile_gives_the_same_scores(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    assert np.array_equal(inspector.score_tiles(cloth_tiles).raw, inspector.score_tiles(cloth_tiles).raw)


def test_tiles_are_compared_with_the_most_similar_fabric(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    found = inspector.score_tiles(cloth_tiles)
    assert inspector.fabrics == ("plain", "twill")
    assert found.similarity.shape == (4, 2)
    assert found.fabric.tolist() == found.similarity.argmax(axis=1).tolist()
    assert found.fabric[[0, 2]].tolist() == [0, 1]
    for k in (0, 1):
        assert inspector.score_tiles(cloth_tiles, k).fabric.tolist() == [k] * 4


def test_cloth_that_was_never_seen_scores_higher(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    level = np.median(inspector.score_tiles(cloth_tiles).raw, axis=(1, 2))
    assert min(level[[1, 3]]) > max(level[[0, 2]])


# Sizes


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 100), st.integers(1, 100), st.booleans(), st.integers(1, 2))
def test_tiles_of_any_size_are_scored(
    inspector: CrasDetector, height: int, width: int, colour: bool, count: int
) -> None:
    shape = (count, height, width, 3) if colour else (count, height, width)
    tiles = np.random.default_rng(height * 100 + width).integers(0, 256, shape, dtype=np.uint8)
    found = inspector.score_tiles(tiles)
    rows, cols = -(-height // 8), -(-width // 8)
    assert found.raw.shape == (count, rows, cols)
    assert np.isfinite(found.raw).all()
    assert found.raw.dtype == np.float32
    predicted = inspector.predict(tiles)
    assert predicted.anomaly_map.shape == (count, height, width)
    assert np.isfinite(predicted.anomaly_map).all()
    assert predicted.score.tolist() == predicted.anomaly_map.max(axis=(1, 2)).tolist()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 70), (70, 1), (17, 33), (31, 97)])
def test_the_smallest_and_the_oddest_sizes_are_scored(inspector: CrasDetector, height: int, width: int) -> None:
    tile = np.random.default_rng(0).integers(0, 256, (1, height, width), dtype=np.uint8)
    assert inspector.predict(tile).anomaly_map.shape == (1, height, width)
    assert np.isfinite(inspector.predict(tile).anomaly_map).all()


@pytest.mark.parametrize("scale", ["0.5", "0.25"])
@pytest.mark.parametrize("size", [(96, 160), (64, 96), (33, 40)])
def test_a_model_on_reduced_pictures_takes_any_size_too(bundle: Bundle, scale: str, size: tuple[int, int]) -> None:
    reduced = dataclasses.replace(bundle, config=with_settings(bundle.config, {"backbone.input_scale": scale}))
    tile = np.random.default_rng(0).integers(0, 256, (1, *size), dtype=np.uint8)
    found = CrasDetector.from_bundle(reduced, "cpu").predict(tile)
    assert found.anomaly_map.shape == (1, *size)


def test_what_pads_a_tile_mirrors_it(cloth_tiles: np.ndarray) -> None:
    tile = cloth_tiles[:1, :50, :90]
    images = to_images(tile, torch.device("cpu"))
    assert images.shape == (1, 3, 64, 96)
    assert torch.equal(images[0, 0, :50, :90], torch.from_numpy(tile[0]).float())
    assert torch.equal(images[:, 1], images[:, 0])
    assert torch.equal(images[0, 0, 50:64, :90], images[0, 0, 35:49, :90].flip(0))
    assert torch.equal(images[0, 0, :64, 90:96], images[0, 0, :64, 83:89].flip(1))


def test_padding_hardly_changes_the_cells_away_from_it(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    whole, part = inspector.score_tiles(cloth_tiles[:1]), inspector.score_tiles(cloth_tiles[:1, :, :150])
    assert whole.raw.shape == (1, 20, 20)
    assert part.raw.shape == (1, 20, 19)
    difference = np.abs(whole.raw[:, :, :19] - part.raw)[0, :, :8]
    # Here and there a patch is as near to a second centre, and then a little decides.
    assert float((difference > 0.1 * whole.raw.std()).mean()) < 0.03


# Grey and colour


def test_grey_is_colour_with_equal_channels(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    colour = np.repeat(cloth_tiles[..., None], 3, axis=3)
    np.testing.assert_allclose(
        inspector.score_tiles(colour).raw, inspector.score_tiles(cloth_tiles).raw, rtol=0, atol=1e-5
    )


def test_the_channels_come_in_the_order_red_green_blue(cloth_tiles: np.ndarray) -> None:
    tinted = np.stack([cloth_tiles, cloth_tiles // 2, cloth_tiles // 3], axis=3)
    images = to_images(tinted, torch.device("cpu"))
    for channel in range(3):
        assert torch.equal(images[:, channel], torch.from_numpy(tinted[..., channel]).float())


def test_the_order_of_the_channels_matters(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    tinted = np.stack([cloth_tiles, cloth_tiles // 2, cloth_tiles // 3], axis=3)
    assert not np.allclose(inspector.score_tiles(tinted).raw, inspector.score_tiles(tinted[..., ::-1]).raw, atol=1e-2)


def test_tiles_may_be_views_of_a_larger_picture(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    view = cloth_tiles[:, ::-1, 10:106]
    assert np.array_equal(inspector.score_tiles(view).raw, inspector.score_tiles(view.copy()).raw)


def test_tiles_that_may_not_be_written_to_are_read_all_the_same(
    inspector: CrasDetector, cloth_tiles: np.ndarray
) -> None:
    locked = cloth_tiles[:1].copy()
    locked.flags.writeable = False
    assert np.array_equal(inspector.score_tiles(locked).raw, inspector.score_tiles(cloth_tiles[:1]).raw)


def test_the_tiles_are_left_as_they_are(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    before = cloth_tiles.copy()
    inspector.predict(cloth_tiles)
    assert np.array_equal(cloth_tiles, before)


@pytest.mark.parametrize(
    "tiles",
    [
        np.zeros((1, 64, 64), np.float32),
        np.zeros((1, 64, 64), np.uint16),
        np.zeros((64, 64), np.uint8),
        np.zeros((1, 64, 64, 4), np.uint8),
        np.zeros((1, 64, 64, 1), np.uint8),
        np.zeros((1, 1, 64, 64, 3), np.uint8),
        np.zeros((0, 64, 64), np.uint8),
        np.zeros((1, 0, 64), np.uint8),
        np.zeros((1, 64, 0, 3), np.uint8),
    ],
    ids=lambda t: f"{t.shape} {t.dtype}",
)
def test_tiles_that_cannot_be_are_named(inspector: CrasDetector, tiles: np.ndarray) -> None:
    for judge in (inspector.score_tiles, inspector.predict):
        with pytest.raises(ConfigError, match=r"tiles must be \(B, H, W\) or \(B, H, W, 3\) uint8: got ") as caught:
            judge(tiles)
        assert f"{tiles.shape} {tiles.dtype}" in str(caught.value)


# The map


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_defect_in_a_corner_of_a_picture_is_on_the_map(
    inspector: CrasDetector, loom_data: Path, place: tuple[int, int]
) -> None:
    picture = read_image(list_images(loom_data / "plain" / "normal")[0])[:210, 400:630].copy()
    clean = inspector.predict(picture[None], 0)
    rows = slice(0, 24) if place[0] == 0 else slice(186, 210)
    cols = slice(0, 24) if place[1] == 0 else slice(206, 230)
    picture[rows, cols] = 255 - picture[rows, cols]
    picture[rows, cols][8:16] = 255
    spoilt = inspector.predict(picture[None], 0)
    assert spoilt.anomaly_map.shape == (1, 210, 230)
    peak = np.unravel_index(int(spoilt.anomaly_map[0].argmax()), (210, 230))
    assert (int(peak[0] > 105), int(peak[1] > 115)) == place
    assert spoilt.score[0] > clean.score[0]


def test_the_map_is_the_cells_enlarged_and_smoothed(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    """Equation 9, by hand; away from the border, where smoothing has nothing to mirror."""
    raw = torch.from_numpy(inspector.score_tiles(cloth_tiles).raw)[:, None].double()
    large = interpolate(raw, scale_factor=8, mode="bilinear", align_corners=False)[:, 0].numpy()
    sigma = inspector.config.score.smooth_px
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    smooth = np.apply_along_axis(np.convolve, 1, large, kernel, "same")
    smooth = np.apply_along_axis(np.convolve, 2, smooth, kernel, "same")
    inner = np.s_[:, reach:-reach, reach:-reach]
    np.testing.assert_allclose(inspector.predict(cloth_tiles).anomaly_map[inner], smooth[inner], atol=1e-4)


def test_without_smoothing_the_map_is_the_cells_enlarged(bundle: Bundle, cloth_tiles: np.ndarray) -> None:
    plain = CrasDetector.from_bundle(
        dataclasses.replace(bundle, config=with_settings(bundle.config, {"score.smooth_px": "0"})), "cpu"
    )
    raw = torch.from_numpy(plain.score_tiles(cloth_tiles).raw)[:, None]
    wanted = interpolate(raw, scale_factor=8, mode="bilinear", align_corners=False)[:, 0].numpy()
    np.testing.assert_allclose(plain.predict(cloth_tiles).anomaly_map, wanted, atol=1e-5)
    odd = cloth_tiles[:, :50, :90]
    raw = torch.from_numpy(plain.score_tiles(odd).raw)[:, None]
    assert raw.shape[2:] == (7, 12)
    wanted = interpolate(raw, scale_factor=8, mode="bilinear", align_corners=False)[:, 0, :50, :90].numpy()
    np.testing.assert_allclose(plain.predict(odd).anomaly_map, wanted, atol=1e-5)


def test_the_kinds_of_score_are_what_they_are_called(bundle: Bundle, cloth_tiles: np.ndarray) -> None:
    def raw(kind: str) -> np.ndarray:
        config = with_settings(bundle.config, {"score.kind": kind})
        return (
            CrasDetector.from_bundle(dataclasses.replace(bundle, config=config), "cpu").score_tiles(cloth_tiles, 1).raw
        )

    logit, residual = raw("logit"), raw("residual")
    np.testing.assert_allclose(raw("probability"), 1 / (1 + np.exp(-logit.astype(np.float64))), atol=1e-5)
    assert (residual >= 0).all()
    scale = {name: float(bundle.tensors[f"scale.{name}"][1]) for name in _SCALES}
    both = (logit - scale["logit_centre"]) / scale["logit_spread"]
    both = 0.5 * (both + (residual - scale["residual_centre"]) / scale["residual_spread"])
    np.testing.assert_allclose(raw("both"), both, atol=1e-4)


def test_the_score_of_a_picture_is_the_largest_of_the_map_or_of_the_cells(
    bundle: Bundle, cloth_tiles: np.ndarray
) -> None:
    def predicted(image: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        config = with_settings(bundle.config, {"score.image": image})
        inspector = CrasDetector.from_bundle(dataclasses.replace(bundle, config=config), "cpu")
        found = inspector.predict(cloth_tiles)
        return found.score, found.anomaly_map, inspector.score_tiles(cloth_tiles).raw

    score, anomaly_map, _ = predicted("smoothed")
    assert score.tolist() == anomaly_map.max(axis=(1, 2)).tolist()
    score, anomaly_map, raw = predicted("cells")
    assert score.tolist() == raw.max(axis=(1, 2)).tolist()
    assert (score > anomaly_map.max(axis=(1, 2))).all()


_SCALES = ("logit_centre", "logit_spread", "residual_centre", "residual_spread")


# Devices, precision, and the way through a file


@pytest.mark.parametrize("name", ["toaster", "cuda:99", "", "hpu", "meta"])
def test_a_device_that_is_not_there_says_the_way_out(name: str) -> None:
    with pytest.raises(CrasError, match=r"cannot be used here: ") as caught:
        pick_device(name)
    assert f"The device {name} cannot" in str(caught.value)
    assert "--device cpu" in caught.value.hint


def test_the_device_is_chosen_by_itself_or_by_name() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_model_from_a_file_says_the_same_as_from_memory(
    bundle: Bundle, inspector: CrasDetector, cloth_tiles: np.ndarray
) -> None:
    direct = CrasDetector.from_bundle(bundle, "cpu")
    assert direct.fabrics == inspector.fabrics
    assert direct.calibrations == inspector.calibrations
    assert np.array_equal(direct.score_tiles(cloth_tiles).raw, inspector.score_tiles(cloth_tiles).raw)


def test_bfloat16_finds_the_same_within_its_precision(
    bundle_path: Path, inspector: CrasDetector, cloth_tiles: np.ndarray
) -> None:
    rough = CrasDetector.load(bundle_path, "cpu", precision="bfloat16")
    exact, found = inspector.score_tiles(cloth_tiles[:1], 0).raw, rough.score_tiles(cloth_tiles[:1], 0).raw
    assert found.dtype == np.float32
    assert not np.array_equal(exact, found)
    assert np.abs(found - exact).mean() < 0.2 * exact.std()


def test_a_precision_that_is_none_lists_the_known_ones(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="no precision 'float8'; known are float32, bfloat16, float16"):
        CrasDetector.from_bundle(bundle, "cpu", "float8")


@pytest.mark.parametrize("fabric", [2, 99])
def test_a_fabric_that_the_model_does_not_know_is_refused(
    inspector: CrasDetector, cloth_tiles: np.ndarray, fabric: int
) -> None:
    with pytest.raises((ConfigError, IndexError)):
        inspector.score_tiles(cloth_tiles[:1], fabric)


# The web as a whole


def test_a_web_is_shifted_onto_the_middle_of_its_fabric(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    seen = inspector.extract_features(cloth_tiles)
    everything = np.ones(seen.vectors.shape[:3], np.bool_)
    middle = seen.median_features(everything)
    np.testing.assert_allclose(middle, np.median(seen.vectors.cpu().reshape(-1, len(middle)), axis=0), atol=0.05)
    shifted = dataclasses.replace(seen, vectors=seen.vectors + torch.from_numpy(inspector.medians[1] - middle))
    found = seen.score(1, middle).kinds
    np.testing.assert_allclose(found[:2], seen.score(1).kinds, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[2:], shifted.score(1).kinds, rtol=0, atol=1e-5)
    assert not np.allclose(found[2:], found[:2], atol=1e-3)
    at_home = seen.score(1, inspector.medians[1]).kinds
    np.testing.assert_allclose(at_home[2:], at_home[:2], rtol=0, atol=1e-5)


def test_the_middle_is_that_of_the_cells_that_count(inspector: CrasDetector, cloth_tiles: np.ndarray) -> None:
    seen = inspector.extract_features(cloth_tiles)
    cells = np.random.default_rng(0).random(seen.vectors.shape[:3]) < 0.3
    wanted = seen.vectors.cpu().numpy()[cells]
    assert (np.abs((wanted <= seen.median_features(cells)).mean(axis=0) - 0.5) < 0.01).all()
    np.testing.assert_array_equal(seen.median_features(np.zeros_like(cells)), seen.median_features(np.ones_like(cells)))


def test_a_darker_roll_scores_more_like_the_enrolled_one_when_it_is_shifted(
    inspector: CrasDetector, cloth_tiles: np.ndarray
) -> None:
    tiles = cloth_tiles[inspector.extract_features(cloth_tiles).similarity.argmax(axis=1) == 0]
    usual, seen = inspector.extract_features(tiles), inspector.extract_features((tiles * 0.6).astype(np.uint8))
    everything = np.ones(seen.vectors.shape[:3], np.bool_)
    wanted = usual.score(0, usual.median_features(everything)).kinds[2:]
    found = seen.score(0, seen.median_features(everything)).kinds
    assert np.abs(found[2:] - wanted).mean() < 0.7 * np.abs(found[:2] - wanted).mean()
