"""Settings are checked where they are made, survive a trip through JSON, and can be changed by name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.config.presets import PRESETS, cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import (
    HUB,
    PACKAGED_LITE0,
    BackboneConfig,
    CenterConfig,
    CrasConfig,
    HeadConfig,
    PatchConfig,
    PreprocessConfig,
    ScoreConfig,
    SynthesisConfig,
    TrainConfig,
)
from cras_core.errors import ConfigError
from cras_core.web.baseline import BaselineConfig
from cras_core.web.edges import EdgeConfig
from cras_core.web.tiling import TilingConfig

presets = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


# There and back


@presets
def test_settings_survive_json(preset: Callable[[], CrasConfig]) -> None:
    config = preset()
    assert CrasConfig.from_dict(config.to_dict()) == config
    assert CrasConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(
    st.builds(
        CrasConfig,
        backbone=st.builds(
            BackboneConfig,
            name=st.text(min_size=1),
            weights=st.text(min_size=1),
            levels=st.lists(st.integers(0, 4), min_size=1, unique=True).map(lambda v: tuple(sorted(v))),
            input_scale=st.integers(2, 32).map(lambda eighths: eighths / 8),
            caffe_strides=st.booleans(),
        ),
        patches=st.builds(PatchConfig, neighbourhood=st.sampled_from([1, 3, 5, 7]), normalise=st.booleans()),
        synthesis=st.builds(SynthesisConfig, sigma=st.floats(1e-3, 10), beta=st.floats(0, 1)),
        train=st.builds(TrainConfig, seed=st.integers(0, 2**31), patience=st.none() | st.integers(1, 50)),
    )
)
def test_any_settings_survive_json(config: CrasConfig) -> None:
    assert CrasConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_settings_that_are_not_named_have_their_defaults() -> None:
    assert CrasConfig.from_dict({}) == CrasConfig()
    config = CrasConfig.from_dict({"train": {"seed": 9}})
    assert config == dataclasses.replace(CrasConfig(), train=TrainConfig(seed=9))


def test_settings_are_frozen_and_equal_by_value() -> None:
    config = cloth()
    assert config == cloth()
    assert hash(config) == hash(cloth())
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.train.seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"colour": {}}, "unknown setting colour"),
        ({"train": {"warp": 9}}, r"unknown setting train\.warp"),
        ({"tiling": {"tile": 9}}, r"unknown setting tiling\.tile"),
        ({"train": 5}, "train must hold further settings"),
        ({"train": None}, "train must hold further settings"),
        ({"train": []}, "train must hold further settings"),
        ({"train": {"epochs": "many"}}, "train"),
        ({"train": {"epochs": None}}, "train"),
        ({"train": {"epochs": 0}}, r"train\.epochs must be 1 or more, not 0"),
        ({"backbone": {"levels": 2}}, "backbone"),
        ({"centers": {"kind": "mean"}}, "centres|centers"),
        ({"centers": {"kind": ["prototypes"]}}, "centres|centers"),
    ],
)
def test_settings_that_cannot_be_are_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        CrasConfig.from_dict(values)


# The presets


def test_the_default_needs_no_network_and_suits_cloth() -> None:
    config = cloth()
    assert config.backbone.weights == PACKAGED_LITE0
    assert config.centers.kind == "prototypes"
    assert config.patches.normalise
    assert config.preprocess == PreprocessConfig(None, None)


def test_the_papers_setting_is_that_of_the_paper() -> None:
    config = PRESETS["paper"]()
    assert config.backbone == BackboneConfig("wide_resnet50_2.tv_in1k", HUB, (2, 3), 1.0, caffe_strides=False)
    assert (config.patches.neighbourhood, config.patches.dimension, config.patches.normalise) == (3, 1536, False)
    assert (config.centers.kind, config.centers.refreshes) == ("mean_map", 0)
    assert (config.synthesis.sigma, config.synthesis.beta) == (0.015, 0.3)
    assert (config.synthesis.share, config.synthesis.drawn) == (1.0, 0.0)
    assert (config.score.kind, config.score.smooth_px) == ("probability", 4.0)
    assert (config.preprocess.resize_px, config.preprocess.crop_px) == (329, 288)
    assert (config.train.epochs, config.train.images_per_step) == (100, 32)
    assert (config.train.adapter_rate, config.train.discriminator_rate) == (1e-4, 2e-4)
    assert config.train.patience is None


# Ranges


@pytest.mark.parametrize(
    "make",
    [
        lambda: BackboneConfig(name=""),
        lambda: BackboneConfig(weights=""),
        lambda: BackboneConfig(levels=()),
        lambda: BackboneConfig(levels=(3, 2)),
        lambda: BackboneConfig(levels=(2, 2)),
        lambda: BackboneConfig(levels=(-1, 2)),
        lambda: BackboneConfig(levels=(2, 5)),
        lambda: BackboneConfig(input_scale=0.2),
        lambda: BackboneConfig(input_scale=4.1),
        lambda: BackboneConfig(input_scale=1.3),
        lambda: BackboneConfig(input_scale=float("nan")),
        lambda: PatchConfig(neighbourhood=2),
        lambda: PatchConfig(neighbourhood=9),
        lambda: PatchConfig(dimension=7),
        lambda: PatchConfig(cell_px=0),
        lambda: CenterConfig(prototypes=0),
        lambda: CenterConfig(refreshes=-1),
        lambda: CenterConfig(kind="mean"),  # type: ignore[arg-type]
        lambda: HeadConfig(features="residual+raw"),  # type: ignore[arg-type]
        lambda: SynthesisConfig(ratio="r/g"),  # type: ignore[arg-type]
        lambda: ScoreConfig(image="tiles"),  # type: ignore[arg-type]
        lambda: TrainConfig(images_per_step=0),
        lambda: TrainConfig(discriminator_optimiser="sgd"),  # type: ignore[arg-type]
        lambda: TrainConfig(seed=-1),
        lambda: TrainConfig(epochs=2.5),  # type: ignore[arg-type]
        lambda: TrainConfig(epochs=True),
        lambda: PatchConfig(normalise="yes"),  # type: ignore[arg-type]
        lambda: SynthesisConfig(sigma=float("inf")),
        lambda: SynthesisConfig(sigma=0.0),
        lambda: SynthesisConfig(beta=-0.1),
        lambda: SynthesisConfig(beta=1.1),
        lambda: SynthesisConfig(share=0.0),
        lambda: SynthesisConfig(share=1.1),
        lambda: SynthesisConfig(drawn=-0.1),
        lambda: SynthesisConfig(drawn=1.1),
        lambda: SynthesisConfig(drawn_tiles=0),
        lambda: ScoreConfig(kind="best"),  # type: ignore[arg-type]
        lambda: ScoreConfig(smooth_px=-1.0),
        lambda: TrainConfig(epochs=0),
        lambda: TrainConfig(patches_per_step=1),
        lambda: TrainConfig(patches_per_epoch=1),
        lambda: TrainConfig(adapter_rate=-1e-9),
        lambda: TrainConfig(discriminator_rate=0.0),
        lambda: TrainConfig(patience=0),
        lambda: TrainConfig(cache="tape"),  # type: ignore[arg-type]
        lambda: TrainConfig(cache_mb=0),
        lambda: PreprocessConfig(resize_px=31),
        lambda: PreprocessConfig(resize_px=64, crop_px=31),
        lambda: PreprocessConfig(resize_px=64, crop_px=65),
        lambda: PreprocessConfig(crop_px=64),
        lambda: CrasConfig(patches=PatchConfig(cell_px=4)),
    ],
)
def test_a_value_out_of_its_range_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


# By name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("train.epochs", "50", 50),
        ("train.patience", "null", None),
        ("train.patches_per_epoch", "null", None),
        ("backbone.levels", "[1, 2]", (1, 2)),
        ("backbone.input_scale", "1", 1),
        ("backbone.caffe_strides", "true", True),
        ("backbone.name", "resnet18", "resnet18"),
        ("backbone.name", '"resnet18"', "resnet18"),
        ("backbone.weights", "C:\\models\\w.pth", "C:\\models\\w.pth"),
        ("centers.kind", "mean_map", "mean_map"),
        ("score.smooth_px", "2.5", 2.5),
        ("edges.from_edge_px", "40", 40),
        ("reference.enabled", "false", False),
        ("calibration.mm_per_px", "0.1", 0.1),
    ],
)
def test_a_setting_is_changed_by_its_name_and_nothing_else(name: str, text: str, value: object) -> None:
    section, field = name.split(".")
    changed = with_settings(cloth(), {name: text})
    assert getattr(getattr(changed, section), field) == value
    wanted = cloth().to_dict()
    wanted[section][field] = value
    assert changed.to_dict() == wanted


def test_no_settings_change_nothing() -> None:
    assert with_settings(cloth(), {}) == cloth()


@pytest.mark.parametrize("name", ["epochs", "train", "train.", ".epochs", "train.epoch", "trains.epochs", "", "a.b.c"])
def test_a_name_that_is_none_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown setting") as caught:
        with_settings(cloth(), {name: "1"})
    assert name in str(caught.value)
    assert "train.epochs" in str(caught.value)
    assert "tiling.tile_px" in str(caught.value)


@pytest.mark.parametrize("name", ["tiling.step_px", "train.__class__", "to_dict.__name__"])
def test_what_is_no_setting_cannot_be_set(name: str) -> None:
    with pytest.raises(ConfigError):
        with_settings(cloth(), {name: "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.epochs", "many"),
        ("train.epochs", "null"),
        ("train.epochs", "2.5"),
        ("train.epochs", "[1]"),
        ("train.epochs", "0"),
        ("train.seed", "abc"),
        ("train.seed", "1.5"),
        ("train.seed", "-1"),
        ("train.seed", "4294967296"),
        ("train.cache_mb", "1.5"),
        ("train.patches_per_step", "100.5"),
        ("train.adapter_rate", "NaN"),
        ("train.discriminator_rate", "Infinity"),
        ("centers.prototypes", "1.5"),
        ("centers.kind", "5"),
        ("synthesis.sigma", "NaN"),
        ("synthesis.drawn_tiles", "2.5"),
        ("patches.normalise", "yes"),
        ("patches.dimension", "64.5"),
        ("patches.cell_px", "eight"),
        ("backbone.levels", "2"),
        ("backbone.levels", "[2.5, 3]"),
        ("backbone.levels", "two"),
        ("backbone.name", "5"),
        ("backbone.caffe_strides", "no"),
        ("backbone.input_scale", "double"),
        ("score.smooth_px", "NaN"),
        ("calibration.mm_per_px", "NaN"),
        ("calibration.false_alarms_per_m2", "Infinity"),
        ("tiling.tile_px", "512.0"),
        ("reference.enabled", "off"),
        ("edges.step", "big"),
        ("preprocess.resize_px", "large"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_anything_starts(name: str, text: str) -> None:
    with pytest.raises(ConfigError):
        with_settings(cloth(), {name: text})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TrainConfig(epochs=0), "train.epochs must be 1 or more, not 0"),
        (lambda: TrainConfig(epochs=2.5), "train.epochs must be a whole number, not 2.5"),  # type: ignore[arg-type]
        (lambda: TrainConfig(seed=2**32), "train.seed must be less than 4294967296, not 4294967296"),
        (
            lambda: TrainConfig(epochs=10**5000),
            "train.epochs must be 2147483647 or less, not a number of very many digits",
        ),
        (lambda: TrainConfig(cache="tape"), "train.cache must be 'memory' or 'disk', not 'tape'"),  # type: ignore[arg-type]
        (lambda: SynthesisConfig(sigma=float("nan")), "synthesis.sigma must be a finite number, not nan"),
        (lambda: SynthesisConfig(sigma=10**400), "synthesis.sigma must be a number, not a number of very many digits"),
        (lambda: PatchConfig(normalise="yes"), "patches.normalise must be true or false, not 'yes'"),  # type: ignore[arg-type]
        (lambda: BackboneConfig(name=""), "backbone.name must have 1 characters or more, not ''"),
        (lambda: BackboneConfig(levels=(3, 2)), "backbone: levels must ascend: got [3, 2]"),
        (lambda: PreprocessConfig(crop_px=64), "preprocess: a crop needs a resize that is at least as large"),
        (lambda: EdgeConfig(step=-1.0), "edges.step must be more than 0, not -1.0"),
        (lambda: BaselineConfig(block_px=8), "reference.block_px must be 64 or more, not 8"),
        (
            lambda: TrainConfig(epochs=0, cache_mb=0),
            "train.epochs must be 1 or more, not 0; train.cache_mb must be 1 or more, not 0",
        ),
        (lambda: with_settings(cloth(), {"train.epochs": "0"}), "train.epochs must be 1 or more, not 0"),
        (
            lambda: CrasConfig.from_dict({"train": {"epochs": "x" * 3000}}),
            f"train.epochs must be a whole number, not '{'x' * 59}…{'x' * 58}'",
        ),
    ],
)
def test_a_message_names_the_setting_and_what_is_wrong_with_it(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == said


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "1e400", "-1e400"])
def test_a_hostile_value_is_refused_like_any_other(text: str) -> None:
    for name in ("train.epochs", "synthesis.sigma", "backbone.levels"):
        with pytest.raises(ConfigError) as caught:
            with_settings(cloth(), {name: text})
        assert len(str(caught.value)) < 250


def test_a_whole_number_stays_one_so_that_a_model_keeps_its_identity() -> None:
    values = cloth().to_dict() | {"synthesis": cloth().to_dict()["synthesis"] | {"beta": 1}}
    assert json.dumps(CrasConfig.from_dict(values).to_dict()) == json.dumps(values)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "together",
    [
        {"preprocess.resize_px": "329", "preprocess.crop_px": "288"},
        {"tiling.tile_px": "256", "tiling.overlap_px": "128"},
        {"patches.cell_px": "16", "tiling.cell_px": "16", "tiling.halo_px": "32"},
    ],
)
def test_settings_that_fit_together_are_taken_in_any_order(together: dict[str, str], backwards: bool) -> None:
    order = list(together.items())[:: -1 if backwards else 1]
    changed = with_settings(cloth(), dict(order)).to_dict()
    for name, text in together.items():
        section, field = name.split(".")
        assert changed[section][field] == int(text)


def test_windows_stay_on_the_grid_of_the_cells() -> None:
    with pytest.raises(ConfigError, match="must be the same"):
        with_settings(cloth(), {"patches.cell_px": "16"})
    assert CrasConfig(tiling=TilingConfig(256, 64, 32, 16), patches=PatchConfig(cell_px=16)).tiling.cell_px == 16
