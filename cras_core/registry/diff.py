"""What differs between two models, as a value to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cras_core.registry.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by its dotted name, and its value in both models."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one fabric in both models; None where a model has not the fabric.

    Attributes:
        before, after: ``FabricCalibration.limit``, in spreads.
        raw_before, raw_after: ``FabricCalibration.raw_limit``.
        provisional: the fabric was enrolled quickly in the second model.
    """

    fabric: str
    before: float | None
    after: float | None
    raw_before: float | None
    raw_after: float | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class Samples:
    """Pictures of one fabric, by name, that only the second model knows (``added``) or only the first (``removed``)."""

    fabric: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A second model beside a first one.

    Attributes:
        before, after: identities.
        settings: those that differ.
        fabrics_added, fabrics_removed: names of fabrics.
        limits: of every fabric of either, in the order of the first, then the second.
        samples: of every fabric whose pictures differ. Empty also where a model does not tell its pictures, which is in
            ``samples_unknown``.
        samples_unknown: identities of the models that do not tell their pictures.
        same_heads: both judge with the same adapter and discriminator.
    """

    before: str
    after: str
    settings: tuple[Setting, ...]
    fabrics_added: tuple[str, ...]
    fabrics_removed: tuple[str, ...]
    limits: tuple[Limits, ...]
    samples: tuple[Samples, ...]
    samples_unknown: tuple[str, ...]
    same_heads: bool


def compare_models(before: Bundle, after: Bundle) -> Comparison:
    """Everything that decides and differs, and the pictures that differ."""
    untold = tuple(b.identity for b in (before, after) if not b.provenance.get("samples"))
    return Comparison(
        before.identity,
        after.identity,
        _settings(before, after),
        tuple(f for f in after.fabrics if f not in before.fabrics),
        tuple(f for f in before.fabrics if f not in after.fabrics),
        tuple(_limits(f, before, after) for f in dict.fromkeys((*before.fabrics, *after.fabrics))),
        () if untold else _samples(before.provenance["samples"], after.provenance["samples"]),
        untold,
        _heads_are_the_same(before, after),
    )


def _settings(before: Bundle, after: Bundle) -> tuple[Setting, ...]:
    a, b = _flat(before.config.to_dict()), _flat(after.config.to_dict())
    found = [Setting(name, a.get(name), b.get(name)) for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name)]
    if before.weights_hash != after.weights_hash:
        found.append(Setting("weights", before.weights_hash[:12], after.weights_hash[:12]))
    return tuple(found)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _limits(fabric: str, before: Bundle, after: Bundle) -> Limits:
    a, b = ({c.fabric: c for c in bundle.calibrations}.get(fabric) for bundle in (before, after))
    return Limits(
        fabric,
        a.limit if a else None,
        b.limit if b else None,
        a.raw_limit if a else None,
        b.raw_limit if b else None,
        b is not None and b.enrolled_quickly,
    )


def _samples(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Samples, ...]:
    found = []
    for fabric in dict.fromkeys((*before, *after)):
        a, b = ({s["sha256"]: s["name"] for s in samples.get(fabric, ())} for samples in (before, after))
        added, removed = (
            tuple(name for digest, name in some.items() if digest not in others) for some, others in ((b, a), (a, b))
        )
        if added or removed:
            found.append(Samples(fabric, added, removed))
    return tuple(found)


def _heads_are_the_same(before: Bundle, after: Bundle) -> bool:
    import torch  # here, so that the store of models is opened without it

    names = {n for b in (before, after) for n in b.tensors if n.startswith(("adapter.", "discriminator."))}
    return all(
        n in before.tensors and n in after.tensors and torch.equal(before.tensors[n], after.tensors[n]) for n in names
    )
