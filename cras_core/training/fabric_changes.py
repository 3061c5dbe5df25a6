"""Fabrics taken out of a model, renamed, or taken over from another one with the same heads; without any training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from cras_core.errors import EnrolError
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import BY_FABRIC, descended, with_fabric
from cras_core.training.distance_limits import among
from cras_core.training.fabric_tensors import ORIGIN, OneFabric, Shared, put_together, take_apart
from cras_core.web.calibration import FabricCalibration


def remove_fabric(bundle: Bundle, fabric: str, author: str | None = None) -> Bundle:
    """The model without a fabric. The others score as before; the limits that tell them apart move.

    Raises:
        EnrolError: there is no such fabric, or no other one.
    """
    _check_has(bundle, fabric)
    if len(bundle.fabrics) == 1:
        raise EnrolError(
            "only-fabric-of-model",
            "{fabric} is the only fabric of the model, which would be left without any",
            fabric=fabric,
        )
    shared, fabrics = take_apart(bundle)
    kept = [pair for pair in zip(bundle.calibrations, fabrics, strict=True) if pair[0].fabric != fabric]
    return replace(_made_of(bundle, shared, kept), provenance=descended(bundle, "edit", author, without=fabric))


def rename_fabric(bundle: Bundle, old: str, new: str, author: str | None = None) -> Bundle:
    """The model with a fabric under another name; nothing else changes.

    Raises:
        EnrolError: there is no such fabric, or one has the new name already.
    """
    _check_has(bundle, old)
    if not new.strip():
        raise EnrolError("fabric-name-empty", "a fabric needs a name")
    if new in bundle.fabrics:
        raise EnrolError(
            "fabric-name-in-model",
            "fabric {fabric} is in the model already; rename or remove that one first",
            fabric=new,
        )
    told = descended(bundle, "edit", author, without=old)
    by_fabric = {name: bundle.provenance[name][old] for name in BY_FABRIC if old in bundle.provenance.get(name, {})}
    warnings = [
        f"{new}: {w.removeprefix(f'{old}: ')}" if w.startswith(f"{old}: ") else w
        for w in bundle.provenance.get("warnings", ())
    ]
    return replace(
        bundle,
        calibrations=tuple(replace(c, fabric=new) if c.fabric == old else c for c in bundle.calibrations),
        provenance={**with_fabric(told, new, **by_fabric), "warnings": warnings},
    )


def merge(bundle: Bundle, other: Bundle, author: str | None = None) -> Bundle:
    """The model with the fabrics that another one has and it has not, such as those enrolled at another machine.

    Raises:
        EnrolError: the two have not the same heads and settings, or the other one brings nothing new.
    """
    shared, fabrics = take_apart(bundle)
    shared_there, fabrics_there = take_apart(other)
    if ORIGIN in shared_there:
        shared[ORIGIN] = shared_there[ORIGIN]
    if (
        bundle.weights_hash != other.weights_hash
        or bundle.config != other.config
        or bundle.grid != other.grid
        or (None not in (bundle.bits, other.bits) and bundle.bits != other.bits)
        or not _are_the_same(shared, shared_there)
    ):
        raise EnrolError(
            "models-not-related",
            "the models {identity} and {other} come from different trainings; only models whose fabrics were enrolled "
            "into one and the same can be merged. Train all fabrics together",
            identity=bundle.identity,
            other=other.identity,
        )
    kept = list(zip(bundle.calibrations, fabrics, strict=True))
    theirs_now = zip(other.calibrations, fabrics_there, strict=True)
    new = [pair for pair in theirs_now if pair[0].fabric not in bundle.fabrics]
    if not new:
        raise EnrolError(
            "nothing-to-merge",
            "the model {identity} has no fabric that {other} has not",
            identity=other.identity,
            other=bundle.identity,
        )
    told = descended(bundle, "edit", author)
    for calibration, _ in new:
        theirs = {name: other.provenance.get(name, {}).get(calibration.fabric) for name in BY_FABRIC}
        told = with_fabric(told, calibration.fabric, **{k: v for k, v in theirs.items() if v is not None})
    names = tuple(f"{c.fabric}: " for c, _ in new)
    told["warnings"] = [*told["warnings"], *(w for w in other.provenance.get("warnings", ()) if w.startswith(names))]
    merged = _made_of(bundle, shared, [*kept, *new])
    return replace(merged, bits=bundle.bits or other.bits, provenance=told | {"merged": other.identity})


def _check_has(bundle: Bundle, fabric: str) -> None:
    if fabric not in bundle.fabrics:
        raise EnrolError(
            "fabric-not-in-model",
            "there is no fabric {fabric} in the model; it has {fabrics}",
            fabric=fabric,
            fabrics=bundle.fabrics,
        )


def _made_of(bundle: Bundle, shared: Shared, fabrics: Iterable[tuple[FabricCalibration, OneFabric]]) -> Bundle:
    calibrations, parts = zip(*fabrics, strict=True)
    return replace(bundle, tensors=put_together(bundle, shared, parts), calibrations=among(calibrations))


def _are_the_same(a: Shared, b: Shared) -> bool:
    names = a.keys() - {ORIGIN}
    return names == b.keys() - {ORIGIN} and all(torch.equal(a[name], b[name]) for name in names)
