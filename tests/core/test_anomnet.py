"""AnomNet: its losses as the equations have them, its two stages, its scores, and how it stands beside CRAS."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from shared import TINY_ANOMNET, Shared

from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images
from cras_core.data.values import NormalImages
from cras_core.detectors.anomnet.adapter import CoordAdapter
from cras_core.detectors.anomnet.centroids import CentroidSets, nearest_squared
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.folded import FoldedDistance
from cras_core.detectors.anomnet.health import health
from cras_core.detectors.anomnet.losses import contrast, entropy, separation
from cras_core.detectors.base import pooled
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import BundleError, ConfigError, EnrolError, TrainingError
from cras_core.evaluation.plots import PlotOptions, write_plots
from cras_core.evaluation.plots.draw import _from_least_to_greatest
from cras_core.features.backbone import load_backbone
from cras_core.features.extraction import extract_features
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.patches import cell_places
from cras_core.images import list_images, read_image
from cras_core.loading import detector_of, load_detector
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.studies.ablations import TABLES, ablate, changes_of
from cras_core.training.enrol import enrol
from cras_core.training.preparation import Run, prepare
from cras_core.training.progress import Progress
from cras_core.training.train import fit, train


@pytest.fixture(scope="module")
def normal(loom_data: Path) -> list[NormalImages]:
    """Two strips of each of two fabrics."""
    found = [n for n in find_normal_images(loom_data) if n.fabric in ("plain", "twill")]
    return [dataclasses.replace(n, paths=n.paths[:2]) for n in found]


@pytest.fixture(scope="module")
def trained(normal: list[NormalImages], shared: Shared) -> Bundle:
    """A small AnomNet of the loom's cloth, really trained."""
    return shared.model(normal, with_settings(cloth(), TINY_ANOMNET))


@pytest.fixture(scope="module")
def detector(trained: Bundle) -> AnomNetDetector:
    found = detector_of(trained, "cpu")
    assert isinstance(found, AnomNetDetector)
    return found


def vectors(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The losses


def test_the_separation_is_that_of_equation_3() -> None:
    c = vectors(5, 7)
    pairs = list(itertools.combinations(range(5), 2))
    wanted = sum(max(0.0, 1.5 - math.sqrt(float((c[i] - c[j]).square().mean()))) for i, j in pairs) / len(pairs)
    assert wanted > 0
    assert float(separation(c, 1.5)) == pytest.approx(wanted, rel=1e-12)
    assert float(separation(c, 0.0)) == float(separation(c[:1], 9.0)) == 0.0


def test_centroids_in_one_place_have_a_finite_gradient_and_scattered_ones_more_entropy() -> None:
    same = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    (separation(same, 1.0) + entropy(same)).backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()
    c = vectors(6, 3)
    wanted = -0.5 * np.mean([math.log(2 * math.pi * math.e * (v + 1e-6)) for v in c.var(dim=0, unbiased=False)])
    assert float(entropy(c)) == pytest.approx(wanted, rel=1e-12)
    assert float(entropy(3 * c)) < float(entropy(c)), "the loss is minus the entropy"
    assert float(entropy(c[:1])) == 0.0


def test_the_contrast_is_that_of_algorithm_1() -> None:
    u, label = vectors(9, 4), torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2])
    z = [v / v.norm() for v in u]
    same = [float(z[i] @ z[j]) for i in range(9) for j in range(9) if i != j and label[i] == label[j]]
    other = [float(z[i] @ z[j]) for i in range(9) for j in range(9) if label[i] != label[j]]
    wanted = np.mean([1 - s for s in same]) + np.mean([max(0.0, s - 0.1) for s in other])
    assert float(contrast(u, label, 0.1)) == pytest.approx(wanted, rel=1e-12)
    u.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: contrast(x, label, 0.1), (u,))


def test_without_pairs_of_a_kind_there_is_no_loss_of_that_kind() -> None:
    u = vectors(3, 4)
    assert float(contrast(u, torch.tensor([0, 1, 2]), 1.0)) == 0.0
    assert float(contrast(u[:1].repeat(3, 1), torch.tensor([0, 0, 0]), 0.1)) == pytest.approx(0.0, abs=1e-12)


def test_every_vector_is_drawn_to_its_nearest_centroid() -> None:
    u, c = vectors(50, 6), vectors(4, 6, 1)
    squared, index = nearest_squared(u, c)
    distance = torch.cdist(u, c)
    assert torch.equal(index, distance.argmin(dim=1))
    torch.testing.assert_close(squared, distance.amin(dim=1).square(), rtol=1e-10, atol=1e-12)


# Adapter and fast inference


@pytest.mark.parametrize("coordinates", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 2)])
@pytest.mark.usefixtures("double")
def test_the_folded_distance_is_the_plain_one(coordinates: bool, size: tuple[int, int]) -> None:
    torch.manual_seed(3)
    adapter = CoordAdapter(6, coordinates=coordinates, start_as_identity=False)
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter)
    c = 5.0 + torch.randn(7, 6)
    t = torch.randn(2, *size, 6)
    folded = FoldedDistance(adapter, c)
    wanted = torch.cdist(adapter.tile(t).reshape(-1, 6), c).amin(dim=1).reshape(2, *size)
    torch.testing.assert_close(folded(t), wanted.detach(), rtol=1e-9, atol=1e-9)
    other = torch.randn(1, size[0] + 1, size[1], 6)
    wanted = torch.cdist(adapter.tile(other).reshape(-1, 6), c).amin(dim=1).reshape(other.shape[:3])
    torch.testing.assert_close(folded(other), wanted.detach(), rtol=1e-9, atol=1e-9)


def test_a_vector_on_a_centroid_has_no_distance() -> None:
    adapter = CoordAdapter(4, coordinates=False, start_as_identity=True)
    c = 100.0 + vectors(3, 4).float()
    assert float(FoldedDistance(adapter, c)(c[1].expand(1, 1, 1, 4)).max()) < 1e-2


def test_coordinates_change_what_a_vector_is_by_its_place() -> None:
    adapter = CoordAdapter(3, coordinates=True, start_as_identity=True)
    t = torch.ones(1, 2, 4, 3)
    assert torch.equal(adapter.tile(t), t), "at first they change nothing"
    assert adapter.place is not None
    torch.nn.init.eye_(adapter.place.weight)
    u = adapter.tile(t).detach()
    np.testing.assert_allclose(u[0, :, 0, 0] - 1, [-0.5, 0.5])
    np.testing.assert_allclose(u[0, 0, :, 1] - 1, [-0.75, -0.25, 0.25, 0.75])


def test_cached_vectors_know_their_place_in_the_tile(normal: list[NormalImages], mvtec: Path) -> None:
    config = with_settings(cloth(), TINY_ANOMNET)
    extractor = FeatureExtractor(load_backbone(config.backbone), config)
    for some in (normal[0], find_normal_images(mvtec)[0]):
        rng = np.random.default_rng(0)
        found = extract_features(
            some, some.paths[:1], extractor, config, 10**5, torch.device("cpu"), rng, lambda _: None
        )
        places = found.cache.places[: len(found.cache)].astype(np.float32)
        assert np.abs(places).max() < 1.0
        seen = {tuple(p) for p in places.round(3)}
        if some.are_strips:
            assert len(seen) < len(places), "several tiles have the same places"
        else:
            np.testing.assert_allclose(places, cell_places(32, 32).reshape(-1, 2), atol=1e-3)


# Training


def test_the_first_stage_moves_the_centroids_and_the_second_the_adapter(normal: list[NormalImages]) -> None:
    config = with_settings(cloth(), TINY_ANOMNET)
    run = Run(normal, config, torch.device("cpu"), lambda _: None, lambda: False)
    prepared = prepare(run, FeatureExtractor(load_backbone(config.backbone), config))
    assert prepared.drawn == [], "drawn defects are CRAS's"
    whole, history = fit(prepared, config, run)
    first, _ = fit(prepared, with_settings(config, {"train.epochs": "3"}), run)
    assert isinstance(whole, AnomNetDetector)
    assert isinstance(first, AnomNetDetector)
    assert [h["stage"] for h in history] == [1, 1, 1, 2, 2]
    torch.testing.assert_close(whole.centroids.vectors, first.centroids.vectors)  # threads add up in any order
    assert torch.equal(first.adapter.linear.weight, torch.eye(first.extractor.dimension))
    assert not torch.equal(whole.adapter.linear.weight, first.adapter.linear.weight)
    assert history[2]["held_back_attraction"] < history[0]["held_back_attraction"]
    assert sorted(whole.evolution) == [0, 1, 3]
    spread = [float(whole.evolution[e].float().var(dim=1).mean()) for e in (0, 3)]
    assert spread[1] > 4 * spread[0], "the centroids scatter (figure 4)"
    single, history = fit(prepared, with_settings(config, {"anomnet.stages": '"one"'}), run)
    assert isinstance(single, AnomNetDetector)
    assert [h["stage"] for h in history] == [1] * 5
    assert not torch.equal(single.adapter.linear.weight, first.adapter.linear.weight)
    bare, history = fit(prepared, with_settings(config, {"heads.adapter": "false"}), run)
    assert len(history) == 3, "without an adapter there is no second stage"
    assert isinstance(bare, AnomNetDetector)


def test_a_training_that_was_stopped_goes_on_to_the_same_model(
    normal: list[NormalImages], trained: Bundle, tmp_path: Path
) -> None:
    def stop() -> bool:
        return bool(told) and told[-1].stage == "training" and told[-1].message.startswith("epoch 5")

    told: list[Progress] = []
    with pytest.raises(TrainingError, match="was stopped"):
        train(normal, with_settings(cloth(), TINY_ANOMNET), "cpu", told.append, stop, tmp_path / "kept")
    assert {t.stage for t in told} == {"features", "training"}
    rest: list[Progress] = []
    found = train(normal, with_settings(cloth(), TINY_ANOMNET), "cpu", rest.append, checkpoint=tmp_path / "kept")
    assert {t.stage for t in rest} == {"training", "calibration"}
    assert found.identity == trained.identity


def test_centroids_in_one_place_are_no_model(normal: list[NormalImages]) -> None:
    stuck = {"anomnet.centroid_rate": "1e-12", "anomnet.start_spread": "1e-6", "train.epochs": "1"}
    with pytest.raises(TrainingError, match="All centroids of plain, twill have collapsed"):
        train(normal, with_settings(cloth(), TINY_ANOMNET | stuck), "cpu")


def test_useless_centroids_are_counted_and_said() -> None:
    u = vectors(200, 5).float()
    half = torch.cat([u[:4], u[:1].repeat(3, 1), 1e3 + u[7:10]])
    found = health("denim", half, [u])
    assert (found.count, found.distinct, found.used) == (10, 7, 4)
    assert "denim: of its 10 centroids 7 lie apart and 4 are near good cloth" in found.problem
    assert not found.has_collapsed
    assert health("denim", u[:6], [u]).problem == ""
    assert health("denim", u[:1], [u]).problem == ""
    assert health("denim", u[:1].repeat(3, 1), [u]).has_collapsed


# The detector


def test_a_bundle_gives_the_detector_that_it_holds(
    trained: Bundle, bundle_path: Path, detector: AnomNetDetector, tmp_path: Path, loom_data: Path
) -> None:
    write_bundle(trained, tmp_path / "a.cras")
    opened = load_detector(tmp_path / "a.cras", "cpu")
    tiles = read_image(list_images(loom_data / "plain" / "normal")[0])[None, :256, 300:556]
    assert isinstance(opened, AnomNetDetector)
    np.testing.assert_array_equal(opened.score_tiles(tiles, 0).raw, detector.score_tiles(tiles, 0).raw)
    assert opened.identity == trained.identity == read_bundle(tmp_path / "a.cras").identity
    assert isinstance(load_detector(bundle_path, "cpu"), CrasDetector)
    lacking = dataclasses.replace(trained, tensors={k: v for k, v in trained.tensors.items() if k != "centroids"})
    with pytest.raises(BundleError, match="do not fit its settings"):
        detector_of(lacking, "cpu")
    other = dataclasses.replace(trained, config=with_settings(trained.config, {"anomnet.centroids": "9"}))
    with pytest.raises(BundleError, match="do not fit its settings"):
        detector_of(other, "cpu")


def test_a_fabric_is_not_added_without_training(trained: Bundle, normal: list[NormalImages]) -> None:
    other = dataclasses.replace(normal[0], fabric="denim")
    with pytest.raises(EnrolError, match="learns a fabric only together with all others"):
        enrol(trained, other, "cpu")


def test_the_demo_model_opens() -> None:
    demo = Path(__file__).parents[2] / "resources" / "demo.cras"
    assert isinstance(load_detector(demo, "cpu"), CrasDetector)


def test_settings_that_came_later_leave_the_identity_alone(bundle: Bundle, trained: Bundle) -> None:
    other = {"anomnet.centroids": "99"}
    same = dataclasses.replace(bundle, config=with_settings(bundle.config, other))
    assert same.identity == bundle.identity
    changed = dataclasses.replace(trained, config=with_settings(trained.config, other))
    assert changed.identity != trained.identity


def test_defects_are_farther_from_the_centroids_than_good_cloth(detector: AnomNetDetector, loom_data: Path) -> None:
    for k, fabric in enumerate(detector.fabrics):
        under, beside = [], []
        for path in list_images(loom_data / fabric / "defect"):
            strip, mask = read_image(path), read_image(loom_data / fabric / "mask" / path.name)
            raw = detector.score_tiles(strip[None, :, 256:768], k).raw[0]
            share = _cells(mask[:, 256:768])
            under.append(raw[share > 0.5])
            beside.append(raw[share == 0])
        assert np.median(np.concatenate(under)) > np.quantile(np.concatenate(beside), 0.9)


def _cells(mask: np.ndarray, cell: int = 8) -> np.ndarray:
    rows, cols = mask.shape[0] // cell, mask.shape[1] // cell
    return (mask > 0).reshape(rows, cell, cols, cell).mean(axis=(1, 3))


def test_cloth_is_matched_and_each_tile_compared_with_its_own_fabric(
    detector: AnomNetDetector, loom_data: Path
) -> None:
    tiles = np.stack([read_image(list_images(loom_data / f / "normal")[0])[:256, 300:556] for f in detector.fabrics])
    together = detector.score_tiles(tiles)
    assert together.fabric.tolist() == [0, 1]
    for k in (0, 1):
        np.testing.assert_array_equal(together.raw[k], detector.score_tiles(tiles[k : k + 1], k).raw[0])
        assert together.raw[k].mean() < detector.score_tiles(tiles[k : k + 1], 1 - k).raw[0].mean()


def test_one_set_serves_all_fabrics(normal: list[NormalImages]) -> None:
    config = with_settings(cloth(), TINY_ANOMNET | {"anomnet.sharing": '"shared"', "train.epochs": "1"})
    bundle = train(normal, config, "cpu")
    assert any("the second had none" in line for line in bundle.provenance["warnings"])
    shared = detector_of(bundle, "cpu")
    assert isinstance(shared, AnomNetDetector)
    assert shared.centroids.vectors.shape[:2] == (1, 8)
    tile = read_image(normal[0].paths[0])[None, :256, 300:556]
    np.testing.assert_array_equal(shared.score_tiles(tile, 0).raw, shared.score_tiles(tile, 1).raw)


def test_centroids_start_near_the_mean_of_their_cloth() -> None:
    means, some = vectors(2, 5), vectors(2 * 3, 5, 1).reshape(2, 3, 5)
    start = CentroidSets.around(means, some, 0.1)
    torch.testing.assert_close(start.vectors.detach(), means[:, None] + 0.1 * (some - means[:, None]))
    assert start.set_of(1) == 1


def test_figures_show_how_the_centroids_came_about(detector: AnomNetDetector, mvtec: Path, tmp_path: Path) -> None:
    written = write_plots(detector, mvtec, tmp_path, PlotOptions("pca", rows=1, vectors=30, min_max=True))
    assert [p.name for p in written][:2] == ["centroids.png", "patches.png"]


def test_a_map_from_least_to_greatest_is_for_the_eye() -> None:
    score = np.array([[1.0, 3.0], [5.0, np.nan]], np.float32)
    assert _from_least_to_greatest(score).tolist() == [[0.0, 0.5], [1.0, 0.0]]
    assert not _from_least_to_greatest(np.full((2, 2), 7.0, np.float32)).any()


@pytest.mark.parametrize(("pooling", "wanted"), [("max", 400.0), ("mean", 200.0), ("top", 398.5)])
def test_a_pictures_score_is_pooled_as_the_settings_say(pooling: str, wanted: float) -> None:
    maps = np.random.default_rng(0).permutation(np.arange(401.0)).astype(np.float32).reshape(1, 1, 401)
    assert pooled(np.repeat(maps, 2, axis=0), pooling).tolist() == [wanted, wanted]


# Settings


@pytest.mark.parametrize(
    "setting",
    [
        "anomnet.centroids=0", "anomnet.start_spread=0", "anomnet.start_spread=2", "anomnet.margin=2",
        "anomnet.contrast=-1", "anomnet.pair_vectors=1", "anomnet.first_stage=0", "heads.detector=banknote",
        "score.pooling=median",
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(ConfigError, match=name.partition(".")[2] if "=b" in setting or "=m" in setting else "anomnet"):
        with_settings(cloth(), {name: value})


def test_tables_of_cras_are_not_measured_on_anomnet(mvtec: Path) -> None:
    with pytest.raises(ConfigError, match="'sigma' varies parts that CRAS alone has"):
        ablate("sigma", find_normal_images(mvtec), mvtec, with_settings(cloth(), TINY_ANOMNET))


def test_the_whole_model_is_the_last_row_of_its_table() -> None:
    config = with_settings(cloth(), {"heads.detector": "anomnet"})
    rows = TABLES["anomnet-stages"]
    assert [r.name[0] for r in rows] == list("abcdefg")
    assert [with_settings(cloth(), changes_of(r, cloth())) == config for r in rows] == [False] * 6 + [True]
    assert rows[-1].published == (99.5, 98.3)
