"""Training: the same seed gives the same model, it can be stopped, and what comes out finds defects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from shared import copy_strips

from cras_core.config.presets import PRESETS, cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig
from cras_core.data.folders import find_normal_images
from cras_core.data.values import NormalImages
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import ConfigError, DataError, TrainingError, WeightsError
from cras_core.evaluation.metrics import auroc
from cras_core.features.cloth_tiles import tiles_of
from cras_core.features.tensors import to_images
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.training.progress import STAGES, Progress
from cras_core.training.train import train
from cras_core.web.canvas import WebConfig
from cras_core.web.scoring import ScoredRows, WebInspection

TINY = {
    "backbone.input_scale": "1.0",
    "train.epochs": "2",
    "train.patches_per_epoch": "3000",
    "train.patches_per_step": "512",
    "synthesis.drawn_tiles": "1",
    "centers.prototypes": "8",
    "centers.refreshes": "1",
}


def tiny(**changes: str) -> CrasConfig:
    return with_settings(cloth(), TINY | {name.replace("__", "."): text for name, text in changes.items()})


def cut_out(loom_data: Path, folder: Path, fabric: str, count: int, box: tuple[slice, slice]) -> NormalImages:
    """Pieces from the middle of the loom's strips, cloth from border to border."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for path in list_images(loom_data / fabric / "normal")[:count]:
        paths.append(folder / path.name)
        Image.fromarray(read_image(path)[box]).save(paths[-1])
    return NormalImages(fabric, tuple(paths), are_strips=True)


@pytest.fixture(scope="module")
def strips(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[NormalImages]:
    """Three short strips of one fabric."""
    folder = tmp_path_factory.mktemp("strips")
    return [cut_out(loom_data, folder, "plain", 3, np.s_[:256, 200:840])]


@pytest.fixture(scope="module")
def steps_and_bundle(strips: list[NormalImages]) -> tuple[list[Progress], Bundle]:
    """A tiny model and what was told while it was trained."""
    steps: list[Progress] = []
    return steps, train(strips, tiny(), "cpu", steps.append)


# The same again


def test_the_same_seed_gives_the_same_model(
    strips: list[NormalImages], steps_and_bundle: tuple[list[Progress], Bundle]
) -> None:
    torch.manual_seed(999)  # whatever was drawn before must not matter
    again = train(strips, tiny(), "cpu")
    first = steps_and_bundle[1]
    assert again.identity == first.identity
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in first.tensors.items())
    assert again.calibrations == first.calibrations
    assert again.provenance["loss"] == first.provenance["loss"]


def test_another_seed_gives_another_model(
    strips: list[NormalImages], steps_and_bundle: tuple[list[Progress], Bundle]
) -> None:
    other = train(strips, tiny(train__seed="1"), "cpu")
    assert other.identity != steps_and_bundle[1].identity
    assert not torch.equal(other.tensors["adapter.linear.weight"], steps_and_bundle[1].tensors["adapter.linear.weight"])


def test_features_on_disk_give_the_same_model(
    strips: list[NormalImages], steps_and_bundle: tuple[list[Progress], Bundle]
) -> None:
    on_disk = train(strips, tiny(train__cache="disk"), "cpu")
    assert all(torch.equal(on_disk.tensors[name], t) for name, t in steps_and_bundle[1].tensors.items())


# What is told meanwhile, and stopping


def test_progress_goes_through_the_stages_in_order(steps_and_bundle: tuple[list[Progress], Bundle]) -> None:
    steps = steps_and_bundle[0]
    order = [STAGES.index(step.stage) for step in steps]
    assert order == sorted(order)
    assert set(order) == set(range(len(STAGES)))
    for stage in STAGES:
        of_stage = [s for s in steps if s.stage == stage]
        done = [s.done for s in of_stage]
        assert done == sorted(done)
        assert len({s.total for s in of_stage}) == 1
        assert done[-1] == of_stage[0].total
        assert all(0 <= s.done <= s.total and s.message and "\n" not in s.message for s in of_stage)


@pytest.mark.parametrize("stage", STAGES)
def test_training_stops_when_it_is_asked_to(strips: list[NormalImages], stage: str) -> None:
    steps: list[Progress] = []
    with pytest.raises(TrainingError, match="Training was stopped; no bundle was written"):
        train(strips, tiny(), "cpu", steps.append, lambda: steps[-1].stage == stage)
    assert [s.stage for s in steps].count(stage) == 1
    assert steps[-1].stage == stage


# What a bundle of training holds


def test_a_bundle_says_how_it_came_about(
    strips: list[NormalImages], steps_and_bundle: tuple[list[Progress], Bundle], tmp_path: Path
) -> None:
    bundle = steps_and_bundle[1]
    told = bundle.provenance
    assert bundle.config == tiny()
    assert bundle.fabrics == ("plain",)
    assert told["pictures"] == {"plain": 3}
    train_paths, held = strips[0].held_back(bundle.config.calibration.held_back, bundle.config.train.seed)
    assert told["held_back"] == {"plain": [p.name for p in held]}
    assert len(train_paths) == 2
    assert [entry["epoch"] for entry in told["loss"]] == [1, 2]
    little, extrapolated = told["warnings"]
    # two strips of 640 x 256 px are 1.25 tiles; some cells lie in two of them
    assert re.match(r"plain: learnt from 1\.[2-9] tiles of good cloth only, so it finds less than it could", little)
    assert extrapolated.startswith("plain: its limit is extrapolated from 0.0")
    assert set(told) >= {"program", "torch", "python", "made_at", "seconds"}
    write_bundle(bundle, tmp_path / "a.cras")
    assert read_bundle(tmp_path / "a.cras").provenance == told


def test_vectors_of_the_training_cloth_have_mean_0_and_deviation_1(
    strips: list[NormalImages], steps_and_bundle: tuple[list[Progress], Bundle]
) -> None:
    bundle = steps_and_bundle[1]
    inspector = CrasDetector.from_bundle(bundle, "cpu")
    seen, _ = strips[0].held_back(bundle.config.calibration.held_back, bundle.config.train.seed)
    parts = []
    for path in seen:
        for tiles, scored in tiles_of(read_image(path), True, bundle.config):
            with torch.inference_mode():
                t = inspector.model.extractor(to_images(tiles, inspector.device))
            parts.append(t[:, : scored.shape[1], : scored.shape[2]][torch.from_numpy(scored)])
    vectors = torch.cat(parts).double()
    assert float(vectors.mean(dim=0).abs().max()) < 1e-3
    assert float((vectors.std(dim=0) - 1).abs().max()) < 1e-3


def test_limits_are_those_of_the_held_back_cloth(bundle: Bundle, loom_data: Path, inspector: CrasDetector) -> None:
    for k, calibration in enumerate(bundle.calibrations):
        held = bundle.provenance["held_back"][calibration.fabric]
        raw = np.concatenate(
            [
                row.raw[np.isfinite(row.raw)]
                for name in held
                for row in inspected(inspector, read_image(loom_data / calibration.fabric / "normal" / name), k)
            ]
        )
        low, middle, high = np.percentile(raw, [25, 50, 75])
        assert calibration.centre == pytest.approx(middle, abs=1e-4)
        assert calibration.spread == pytest.approx(high - low, abs=1e-4)
        cell_m2 = (8 * bundle.config.calibration.mm_per_px / 1000) ** 2
        assert calibration.seen_m2 == pytest.approx(len(raw) * cell_m2)
        assert calibration.raw_limit > calibration.centre
        assert len(calibration.own_distances or ()) == len(held)
        assert 0.05 < calibration.level_limit < 1.0


# What training is for


def inspected(inspector: CrasDetector, picture: np.ndarray, fabric: int | None) -> list[ScoredRows]:
    config = inspector.config
    web = WebInspection(inspector, WebConfig(config.tiling, config.edges, config.reference, fabric))
    return [*web.push(picture), *web.finish()]


def scores_of(inspector: CrasDetector, picture: np.ndarray, fabric: int) -> np.ndarray:
    return np.concatenate([rows.score for rows in inspected(inspector, picture, fabric)])


def test_the_loss_falls(bundle: Bundle) -> None:
    history = bundle.provenance["loss"]
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    assert min(h["held_back_loss"] for h in history) < 0.6 * history[0]["held_back_loss"]


@pytest.mark.parametrize("fabric", ["plain", "twill"])
def test_defects_score_higher_than_normal_cloth(
    inspector: CrasDetector, loom_data: Path, tmp_path: Path, fabric: str
) -> None:
    k = inspector.fabrics.index(fabric)
    copy_strips(loom_data, tmp_path, fabric, 4)
    truth, scores = [], []
    for path in list_images(loom_data / fabric / "normal")[:2]:
        score = scores_of(inspector, read_image(path)[:256], k)
        score = score[np.isfinite(score)]
        assert len(score) > 1000
        truth.append(np.zeros(len(score), bool))
        scores.append(score)
    for path in list_images(tmp_path / fabric / "defect"):
        score = scores_of(inspector, read_image(path), k)
        mask = read_image(tmp_path / fabric / "mask" / path.name)
        defective = cv2.resize(mask, score.shape[::-1], interpolation=cv2.INTER_AREA) > 100
        seen = np.isfinite(score)
        assert defective[seen].any()
        assert auroc(defective[seen], score[seen]) > 0.95, path.name
        truth.append(defective[seen])
        scores.append(score[seen])
    assert auroc(np.concatenate(truth), np.concatenate(scores)) > 0.95


def test_normal_cloth_is_matched_to_its_own_fabric(inspector: CrasDetector, loom_data: Path) -> None:
    for k, fabric in enumerate(inspector.fabrics):
        for path in list_images(loom_data / fabric / "normal")[::3]:
            picture = read_image(path)
            assert inspector.score_tiles(picture[None, :256, 384:640]).fabric.tolist() == [k]
            for rows in inspected(inspector, picture, None):
                assert rows.fabric == k
                assert rows.distance < inspector.calibrations[k].level_limit


# Settings


@pytest.mark.parametrize(
    "changes",
    [
        {"synthesis__drawn": "0", "synthesis__share": "1"},
        {"synthesis__drawn": "1"},
        {"patches__normalise": "false", "patches__dimension": "64", "score__kind": "probability"},
        {"score__kind": "logit", "patches__neighbourhood": "1"},
        {"score__kind": "residual", "centers__refreshes": "0"},
        {"backbone__input_scale": "2", "reference__enabled": "false"},
        {"backbone__levels": "[1, 2]"},
        {"heads__adapter": "false"},
        {"heads__features": "raw"},
        {"heads__features": "residual+residual", "synthesis__ratio": "1/r"},
        {"centers__local": "false", "synthesis__ratio": "1/gr"},
        {"train__discriminator_optimiser": "adam", "score__image": "cells", "train__patience": "null"},
    ],
    ids=", ".join,
)
def test_every_kind_of_setting_gives_a_model_that_works(strips: list[NormalImages], changes: dict[str, str]) -> None:
    bundle = train(strips, tiny(**changes), "cpu")
    inspector = CrasDetector.from_bundle(bundle, "cpu")
    tile = read_image(strips[0].paths[0])[None, :128, :128]
    scores = inspector.score_tiles(tile)
    assert scores.raw.shape == (1, 16, 16)
    assert np.isfinite(scores.raw).all()
    assert scores.raw.std() > 0
    spoilt = tile.copy()
    spoilt[:, 48:80, 48:80] = 255 - spoilt[:, 48:80, 48:80] // 2
    assert inspector.predict(spoilt).score[0] > inspector.predict(tile).score[0]


def test_a_limit_that_rests_on_enough_cloth_gives_no_warning(strips: list[NormalImages]) -> None:
    bundle = train([strips[0]], tiny(calibration__false_alarms_per_m2="1000"), "cpu")
    assert not any("extrapolated" in w for w in bundle.provenance["warnings"])


def test_a_single_picture_is_enough_but_gives_a_warning(strips: list[NormalImages]) -> None:
    one = NormalImages("plain", strips[0].paths[:1], are_strips=True)
    bundle = train([one], tiny(), "cpu")
    assert "plain: one picture only" in bundle.provenance["warnings"][0]
    assert bundle.provenance["held_back"] == {"plain": [one.paths[0].name]}


def test_a_held_back_strip_without_cloth_is_passed_over(strips: list[NormalImages], tmp_path: Path) -> None:
    config = tiny(calibration__held_back="0.5")
    Image.fromarray(np.full((40, 640), 90, np.uint8)).save(tmp_path / "end.png")  # too short to inspect
    paths = list(strips[0].paths)
    for place in range(4):
        mixed = NormalImages("plain", (*paths[:place], tmp_path / "end.png", *paths[place:]), are_strips=True)
        if tmp_path / "end.png" in mixed.held_back(0.5, config.train.seed)[1]:
            break
    bundle = train([mixed], config, "cpu")
    assert "end.png" in bundle.provenance["held_back"]["plain"]
    assert math.isfinite(bundle.calibrations[0].level_limit)


# Mean maps


def test_a_mean_map_is_the_mean_of_the_adapted_pictures(mvtec: Path) -> None:
    normal = [n for n in find_normal_images(mvtec) if n.fabric == "plain"]
    config = tiny(centers__kind="mean_map", train__adapter_rate="0", synthesis__drawn="0", calibration__held_back="0.5")
    bundle = train(normal, config, "cpu")
    assert bundle.grid == (32, 32)
    inspector = CrasDetector.from_bundle(bundle, "cpu")
    seen, _ = normal[0].held_back(0.5, 0)
    with torch.inference_mode():
        u = torch.cat(
            [
                inspector.model.adapter(inspector.model.extractor(to_images(read_image(p)[None], inspector.device)))
                for p in seen
            ]
        )
    wanted = u.double().mean(dim=0).reshape(-1, u.shape[-1])  # eq. 1
    torch.testing.assert_close(inspector.model.centers.of(0).double(), wanted, rtol=1e-4, atol=1e-4)


def test_one_sample_is_the_first_picture(mvtec: Path) -> None:
    normal = [n for n in find_normal_images(mvtec) if n.fabric == "plain"]
    config = tiny(
        centers__kind="one_sample", heads__adapter="false", synthesis__drawn="0", calibration__held_back="0.5"
    )
    inspector = CrasDetector.from_bundle(train(normal, config, "cpu"), "cpu")
    seen, _ = normal[0].held_back(0.5, 0)
    with torch.inference_mode():
        first = inspector.model.extractor(to_images(read_image(seen[0])[None], inspector.device))[0]
    torch.testing.assert_close(inspector.model.centers.of(0), first.reshape(-1, first.shape[-1]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("normalise", ["true", "false"])
def test_without_the_adapter_features_stay_as_they_are(strips: list[NormalImages], normalise: str) -> None:
    bundle = train(strips, tiny(heads__adapter="false", patches__normalise=normalise), "cpu")
    weight = bundle.tensors["adapter.linear.weight"]
    assert torch.equal(weight, torch.eye(len(weight)))
    assert not bundle.tensors["adapter.linear.bias"].any()


def test_steps_of_whole_pictures_train_as_well(mvtec: Path) -> None:
    config = tiny(train__images_per_step="4", train__epochs="6", centers__kind="mean_map", calibration__held_back="0.5")
    bundle = train(find_normal_images(mvtec), config, "cpu")
    history = bundle.provenance["loss"]
    assert history[-1]["loss"] < history[0]["loss"]
    assert bundle.fabrics == ("plain", "twill")


def test_steps_of_whole_pictures_of_strips_are_refused_with_the_way_out(strips: list[NormalImages]) -> None:
    with pytest.raises(DataError, match=r"pictures of one size, not strips.*train\.images_per_step=null"):
        train(strips, tiny(train__images_per_step="2"), "cpu")


def test_pictures_of_any_size_are_matched_by_their_whole_map(loom_data: Path, tmp_path: Path) -> None:
    """300 px are no multiple of what the pyramid needs; equation 2 compares whole maps all the same."""
    normal = [
        NormalImages(
            fabric,
            cut_out(loom_data, tmp_path / fabric, fabric, 4, np.s_[:300, 300:600]).paths,
            are_strips=False,
        )
        for fabric in ("plain", "twill")
    ]
    config = tiny(centers__kind="mean_map", synthesis__drawn="0", calibration__held_back="0.5")
    inspector = CrasDetector.from_bundle(train(normal, config, "cpu"), "cpu")
    picture = read_image(normal[0].paths[0])[None]
    with torch.inference_mode():
        images = to_images(picture, inspector.device)
        u = inspector.model.adapter(inspector.model.extractor(images))[0]
        grid = inspector.model.centers.grid
        assert grid is not None
        flat = u[: grid[0], : grid[1]].reshape(-1)
        wanted = [float(torch.cosine_similarity(flat, inspector.model.centers.of(k).reshape(-1), 0)) for k in (0, 1)]
    assert inspector.score_tiles(picture).similarity[0].tolist() == pytest.approx(wanted, abs=1e-3)


def test_a_mean_map_of_strips_is_refused_with_the_way_out(strips: list[NormalImages]) -> None:
    with pytest.raises(DataError, match=r"a mean map needs pictures of one size, not strips; take prototypes"):
        train(strips, tiny(centers__kind="mean_map"), "cpu")


# Data and settings that cannot be trained with


def test_two_fabrics_of_one_name_are_refused(strips: list[NormalImages]) -> None:
    with pytest.raises(DataError, match="two fabrics have one name: plain"):
        train([strips[0], strips[0]], tiny(), "cpu")


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(DataError, match="no fabric to train on"):
        train([], tiny(), "cpu")


def test_too_little_cloth_for_a_limit_is_refused(strips: list[NormalImages], loom_data: Path, tmp_path: Path) -> None:
    small = cut_out(loom_data, tmp_path, "plain", 2, np.s_[:128, 300:700])
    with pytest.raises(DataError, match="too few for a limit"):
        train([small], tiny(), "cpu")


def test_a_strip_that_cannot_be_read_is_named(strips: list[NormalImages], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("x")
    broken = NormalImages("plain", (*strips[0].paths, tmp_path / "broken.png"), are_strips=True)
    with pytest.raises(DataError, match=r"broken\.png: not a readable picture"):
        train([broken], tiny(), "cpu")


def test_a_loss_that_is_no_number_says_what_to_lower(strips: list[NormalImages]) -> None:
    with pytest.raises(TrainingError, match=r"not a number any more \(epoch \d+, step \d+\)\. Lower the learning"):
        train(strips, tiny(train__discriminator_rate="1e30", train__adapter_rate="1e30"), "cpu")


@pytest.mark.parametrize(
    ("config", "expected", "kind"),
    [
        (lambda: tiny(backbone__name="no_such_network"), "timm offers no network", WeightsError),
        (lambda: tiny(backbone__weights="gone.pth"), "There is no file of weights", WeightsError),
        (lambda: tiny(patches__dimension="33"), "2 levels cannot share 33 values", ConfigError),
        (
            lambda: tiny(patches__cell_px="null", backbone__levels="[3]"),
            "cells of 16 px, tiling.cell_px is 8",
            ConfigError,
        ),
        (lambda: tiny(backbone__input_scale="1.5"), "do not match levels of stride", ConfigError),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused_before_any_picture_is_read(
    config: Callable[[], CrasConfig], expected: str, kind: type[Exception]
) -> None:
    missing = NormalImages("plain", (Path("no-such-picture.png"),), are_strips=True)
    with pytest.raises(kind, match=expected):
        train([missing], config(), "cpu")


def test_the_presets_have_what_training_needs() -> None:
    for preset in PRESETS.values():
        config = preset()
        assert config.train.patches_per_step >= 2
        assert config.centers.kind == "prototypes" or config.preprocess.crop_px is not None
