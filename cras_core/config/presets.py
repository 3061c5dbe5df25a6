"""Settings by name: our own for cloth, and those of the papers."""

from __future__ import annotations

from dataclasses import replace

from cras_core.config.settings import (
    HUB,
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


def cloth() -> CrasConfig:
    """The default: webs of cloth, embedded backbone."""
    return CrasConfig()


def paper() -> CrasConfig:
    """The setting of the CRAS paper, section IV-A (aligned pictures, WideResNet50, weights from the hub)."""
    return CrasConfig(
        backbone=BackboneConfig("wide_resnet50_2.tv_in1k", HUB, (2, 3), 1.0),
        patches=PatchConfig(neighbourhood=3, dimension=1536, cell_px=None, normalise=False),
        centers=CenterConfig("mean_map", refreshes=0),
        synthesis=SynthesisConfig(sigma=0.015, beta=0.3, share=1.0, drawn=0.0),
        score=ScoreConfig("probability", smooth_px=4.0),
        train=TrainConfig(
            epochs=100,
            patches_per_epoch=None,
            images_per_step=32,
            adapter_rate=1e-4,
            discriminator_rate=2e-4,
            patience=None,
            cache="disk",
            cache_mb=65536,
        ),
        preprocess=PreprocessConfig(resize_px=329, crop_px=288),
    )


def released_code() -> CrasConfig:
    """The paper's setting where the authors' published code differs from its text: the score of a picture is the
    maximum of the map as it comes, Adam trains the discriminator, and a mean map is the mean of the means of batches.

    Their vote over a batch of test pictures is no setting of a model: ``cras evaluate --protocol authors-batch-vote``.
    """
    config = paper()
    return replace(
        config,
        centers=replace(config.centers, mean_batch=32),
        score=replace(config.score, image="cells"),
        train=replace(config.train, discriminator_optimiser="adam"),
    )


def anomnet_paper() -> CrasConfig:
    """The setting of the AnomNet paper, section 3.1, for aligned pictures, as far as it is given: 256 px cut to 224,
    32 pictures a step, the rate and decay of ``AnomNetConfig``.

    Backbone, levels and epochs are not given; features are normalised so that the other settings keep their meaning.
    """
    return CrasConfig(
        backbone=BackboneConfig("wide_resnet50_2.tv_in1k", HUB, (1, 2, 3), 1.0),
        patches=PatchConfig(neighbourhood=3, dimension=None, cell_px=8),
        heads=HeadConfig(detector="anomnet"),
        train=TrainConfig(
            epochs=40, patches_per_epoch=None, images_per_step=32, patience=None, cache="disk", cache_mb=65536
        ),
        preprocess=PreprocessConfig(resize_px=256, crop_px=224),
    )


PRESETS = {"cloth": cloth, "paper": paper, "released-code": released_code, "anomnet-paper": anomnet_paper}
