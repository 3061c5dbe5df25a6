"""Settings of AnomNet alone; what it shares with CRAS (features, steps, rates, score, web) lies in ``CrasConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cras_core.validated import Number, Whole, validated

_Weight = Annotated[Number, Field(ge=0)]


@validated("anomnet")
class AnomNetConfig:
    """Adapter, centroids and the two stages of training (sections 2.1 and 2.2 of the AnomNet paper).

    Distances and losses are taken per element of a vector (root mean square, mean square, entropy of one element), so
    that a setting means the same for every backbone; after normalisation the unit is the standard deviation of good
    cloth. ``train.epochs`` counts both stages together; ``train.adapter_rate`` (the paper's 1e-4) is Adam's for the
    adapter; ``train.patience`` and the rates and optimiser of the discriminator have no part in it.

    Attributes:
        sharing: ``per_fabric`` has a set of centroids for each fabric behind one adapter for all; ``shared`` has one
            set for all fabrics.
        centroids: number K in a set; not in the paper.
        coordinates: the adapter also sees where in its tile a vector lies (CoordConv, section 2.1).
        stages: ``two``, or ``one``: adapter and centroids learn together (models a and b of table 1).
        first_stage: epochs of the first stage; what ``train.epochs`` leaves is the second's. Not in the paper.
        start_spread: each centroid starts so far on the way from the global mean to a vector of good cloth, as a share
            of it: from the mean itself all of them would have the same gradient. Not in the paper.
        attraction, separation, entropy: weights of the losses of the first stage (eq. 5, 3 and 4).
        threshold: distance between two centroids below which the separation loss punishes, per element.
        attraction_two, contrast: weights of the losses of the second stage; 0.8 is the paper's for the contrast.
        margin: cosine similarity from which a negative pair costs; the paper's.
        pair_vectors: vectors of a step that are paired, chosen at random where there are more: the pairs of all would
            need memory with the square of their number. The loss and its gradient are exact for those chosen.
        centroid_rate: learning rate of the centroids, Adam.
        weight_decay: of the adapter, Adam's L2; the paper's.
    """

    sharing: Literal["per_fabric", "shared"] = "per_fabric"
    centroids: Annotated[Whole, Field(ge=1)] = 64
    coordinates: bool = True
    stages: Literal["two", "one"] = "two"
    first_stage: Annotated[Whole, Field(ge=1)] = 15
    start_spread: Annotated[Number, Field(gt=0, le=1)] = 0.1
    attraction: _Weight = 1.0
    separation: _Weight = 1.0
    entropy: _Weight = 0.01
    threshold: _Weight = 0.1
    attraction_two: _Weight = 1.0
    contrast: _Weight = 0.8
    margin: Annotated[Number, Field(ge=-1, le=1)] = 0.1
    pair_vectors: Annotated[Whole, Field(ge=2)] = 1024
    centroid_rate: Annotated[Number, Field(gt=0)] = 1e-2
    weight_decay: _Weight = 5e-4
