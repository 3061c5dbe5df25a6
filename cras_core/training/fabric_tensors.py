"""A bundle's tensors, fabric by fabric: what belongs to one fabric can be taken out, and put beside others.

Everything else (statistics of the cloth, adapter, discriminator) belongs to all of them. One thing follows from all of
them: similarities (eq. 2) are seen from the middle of the cloth trained on. Where that was a single fabric, it lies at
the origin itself and is similar to nothing; such a model that gets a second fabric sees from the middle of its fabrics
instead, and keeps that as ``origin``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cras_core.detectors.cras.detector import ScoreScale
from cras_core.errors import EnrolError

_STACKED = ("means", "middles", *(f"scale.{name}" for name in ScoreScale.__slots__))  # a row of a tensor per fabric
_NUMBERED = "centers"  # a tensor per fabric
ORIGIN = "origin"

Shared = dict[str, Tensor]
OneFabric = dict[str, Tensor]


def take_apart(tensors: Mapping[str, Tensor], count: int) -> tuple[Shared, list[OneFabric]]:
    """What belongs to all fabrics, and what to each of ``count``: ``centers`` (M, D), ``means`` and ``middles`` (D,),
    ``scale.*`` ().

    Raises:
        EnrolError: the model keeps its fabrics in another way.
    """
    names = {*_STACKED, *(f"{_NUMBERED}.{k}" for k in range(count))}
    if not names <= set(tensors) or any(len(tensors[name]) != count for name in _STACKED):
        raise EnrolError(
            "this model does not keep its fabrics apart, so none can be added or taken out without training"
        )
    fabrics = [
        {name: tensors[name][k] for name in _STACKED} | {_NUMBERED: tensors[f"{_NUMBERED}.{k}"]} for k in range(count)
    ]
    return {name: tensor for name, tensor in tensors.items() if name not in names}, fabrics


def put_together(shared: Shared, fabrics: Sequence[OneFabric]) -> dict[str, Tensor]:
    """The inverse of ``take_apart``; an ``origin`` is set anew, or left out for a single fabric."""
    if ORIGIN in shared:
        shared = {name: tensor for name, tensor in shared.items() if name != ORIGIN}
        if len(fabrics) > 1:
            shared[ORIGIN] = torch.stack([fabric["means"] for fabric in fabrics]).mean(dim=0)
    stacked = {name: torch.stack([fabric[name] for fabric in fabrics]) for name in _STACKED}
    return shared | stacked | {f"{_NUMBERED}.{k}": fabric[_NUMBERED] for k, fabric in enumerate(fabrics)}
