"""A bundle's tensors, fabric by fabric: what belongs to one fabric can be taken out, and put beside others.

Everything else (statistics of the cloth, adapter, discriminator) belongs to all of them. One thing follows from all of
them: similarities (eq. 2) are seen from the middle of the cloth trained on. Where that was a single fabric, it lies at
the origin itself and is similar to nothing; such a model that gets a second fabric sees from the middle of its fabrics
instead, and keeps that as ``origin``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cras_core.detectors.kinds import kind_of
from cras_core.detectors.trained import FabricLayout
from cras_core.errors import EnrolError
from cras_core.registry.bundle import Bundle
from cras_core.web.calibration import provisional

ORIGIN = "origin"

Shared = dict[str, Tensor]
OneFabric = dict[str, Tensor]


def take_apart(bundle: Bundle) -> tuple[Shared, list[OneFabric]]:
    """What belongs to all fabrics of a model, and what to each of them, as its detector lays them out: of CRAS
    ``centers`` (M, D), ``means`` and ``medians`` (D,), ``scale.*`` ().

    Raises:
        EnrolError: the model keeps its fabrics in another way.
    """
    tensors, count = bundle.tensors, len(bundle.calibrations)
    layout = _layout_of(bundle)
    names = {*layout.stacked, *(f"{layout.numbered}.{k}" for k in range(count))}
    if not names <= set(tensors) or any(len(tensors[name]) != count for name in layout.stacked):
        raise EnrolError(
            "fabrics-not-apart",
            "this model does not keep its fabrics apart, so none can be added or taken out without training",
        )
    fabrics = [
        {name: tensors[name][k] for name in layout.stacked} | {layout.numbered: tensors[f"{layout.numbered}.{k}"]}
        for k in range(count)
    ]
    return {name: tensor for name, tensor in tensors.items() if name not in names}, fabrics


def put_together(bundle: Bundle, shared: Shared, fabrics: Sequence[OneFabric]) -> dict[str, Tensor]:
    """The inverse of ``take_apart``, for a model of the bundle's kind; an ``origin`` is set anew, or left out for a
    single fabric.
    """
    layout = _layout_of(bundle)
    if ORIGIN in shared:
        shared = {name: tensor for name, tensor in shared.items() if name != ORIGIN}
        if len(fabrics) > 1:
            shared[ORIGIN] = torch.stack([fabric["means"] for fabric in fabrics]).mean(dim=0)
    stacked = {name: torch.stack([fabric[name] for fabric in fabrics]) for name in layout.stacked}
    numbered = {f"{layout.numbered}.{k}": fabric[layout.numbered] for k, fabric in enumerate(fabrics)}
    return shared | stacked | numbered


def with_new_fabric(bundle: Bundle, fabric: str, described: OneFabric) -> Bundle:
    """The model with the fabric at its end, without limits yet; another one of that name is gone."""
    shared, fabrics = take_apart(bundle)
    others = [k for k, name in enumerate(bundle.fabrics) if name != fabric]
    if len(bundle.fabrics) == 1:  # what its own cloth is similar to was seen from its own middle, and means nothing
        shared[ORIGIN] = torch.zeros(0)
    described = {name: tensor.cpu() for name, tensor in described.items()}
    return replace(
        bundle,
        tensors=put_together(bundle, shared, [*(fabrics[k] for k in others), described]),
        calibrations=(*(bundle.calibrations[k] for k in others), provisional(fabric)),
    )


def _layout_of(bundle: Bundle) -> FabricLayout:
    layout = kind_of(bundle.config).detector.fabric_layout
    if layout is None:
        raise EnrolError(
            "fabrics-not-apart",
            "this model does not keep its fabrics apart, so none can be added or taken out without training",
        )
    return layout
