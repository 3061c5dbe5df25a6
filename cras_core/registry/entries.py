"""What a store of models holds, as values, and what may be deleted of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cras_core.errors import BundleError, JsonFileError, StoreError
from cras_core.json_files import parse_json
from cras_core.registry.bundle import read_bundle
from cras_core.validated import Plain, validated

ENDING = ".cras"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the store, or a file in its folder that is none.

    Attributes:
        identity: of the model; of a file that is none, its name.
        path, size_bytes: the file.
        made_s: when the model was made, seconds since 1970, by its provenance; else the time of its file.
        author: who made it, likewise.
        kind: ``full``, ``quick`` or ``edit`` as its provenance says (``provenance.stamp``), ``import`` where it says
            nothing.
        fabrics: names; ``provisional`` are those of them that were enrolled quickly.
        parent: identity of the model it was made of; None without one.
        ancestors: identities, the oldest first, ``parent`` last.
        figures: what its provenance tells of its quality.
        in_use, pinned: as the store says.
        problem: why it cannot be used; empty for a model that can.
    """

    identity: str
    path: Path
    size_bytes: int
    made_s: float = 0.0
    author: str = ""
    kind: str = ""
    fabrics: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()
    parent: str | None = None
    ancestors: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    in_use: bool = False
    pinned: bool = False
    problem: str = ""


@validated("promotion", StoreError)
class Promotion:
    """A model was put into use: when (ISO 8601), by whom, in the place of which (None for the first), and why."""

    at: str
    author: str
    before: str | None
    identity: str
    reason: str


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """How much is kept: at most so many models, and at most so many bytes of them; None is no bound."""

    most_models: int | None = None
    most_bytes: int | None = None

    def __post_init__(self) -> None:
        if any(bound is not None and bound < 1 for bound in (self.most_models, self.most_bytes)):
            raise StoreError("store-bound-not-positive", "a bound of a store must be 1 or more: {policy}", policy=self)


def entry_of(path: Path) -> Entry:
    """Looks at a file of a store; never marked in use or pinned. Raises OSError when there is none any more."""
    status = path.stat()
    size = status.st_size
    if path.suffix != ENDING:
        return Entry(path.name, path, size, problem="a file that is no model")
    try:
        bundle = read_bundle(path)
        # As text: whatever the values are called, none is taken for an argument.
        told = parse_json(json.dumps(bundle.provenance), _Told, "its provenance")
    except BundleError as error:
        return Entry(path.stem, path, size, problem=str(error))
    except JsonFileError as error:
        return Entry(path.stem, path, size, problem=f"{path} tells its provenance in a way that is not ours ({error})")
    entry = Entry(
        identity=path.stem,
        path=path,
        size_bytes=size,
        made_s=_seconds(told.made_at, status.st_mtime),
        author=told.author,
        kind=told.kind,
        fabrics=bundle.fabrics,
        provisional=tuple(c.fabric for c in bundle.calibrations if c.enrolled_quickly),
        parent=told.parent,
        ancestors=tuple(told.ancestors),
        figures=told.figures,
    )
    if bundle.identity != path.stem:
        return replace(entry, problem=f"{path.name} holds the model {bundle.identity}: it was renamed or exchanged")
    return entry


@validated("", StoreError, takes_more=True)
class _Told:
    """What a store shows of a bundle's provenance."""

    made_at: str = ""
    author: str = ""
    kind: str = "import"
    parent: str | None = None
    ancestors: list[str] = field(default_factory=list)
    figures: dict[str, Plain] = field(default_factory=dict)


def _seconds(made_at: str, otherwise: float) -> float:
    try:
        return datetime.strptime(made_at, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except (ValueError, OverflowError):
        return otherwise


def to_prune(entries: Sequence[Entry], promotions: Sequence[Promotion], policy: PrunePolicy) -> tuple[Entry, ...]:
    """Which models go, the oldest first, until the bounds hold or only such are left that never go.

    Those are the model in use, the one to go back to (``rollback_target``), and pinned ones.

    Args:
        entries: as in ``ModelStore.entries``; those with a problem neither count nor go.
        promotions: the latest last.
        policy: the bounds.
    """
    sound = [e for e in entries if not e.problem]
    back = rollback_target(sound, promotions)
    free = sorted(
        (e for e in sound if not e.in_use and not e.pinned and e.identity != back),
        key=lambda e: (e.made_s, e.identity),
    )
    count, size, gone = len(sound), sum(e.size_bytes for e in sound), []
    for entry in free:
        if (policy.most_models is None or count <= policy.most_models) and (
            policy.most_bytes is None or size <= policy.most_bytes
        ):
            break
        gone.append(entry)
        count, size = count - 1, size - entry.size_bytes
    return tuple(gone)


def rollback_target(sound: Sequence[Entry], promotions: Sequence[Promotion]) -> str | None:
    """The model to go back to from the one in use: its nearest ancestor among sound models, else the one that was in
    use last before it; None where there is neither.
    """
    there = {e.identity: e for e in sound}
    current = promotions[-1].identity if promotions else None
    ancestors = there[current].ancestors if current in there else ()
    before = [p.identity for p in promotions if p.identity != current]
    return next((i for i in (*reversed(ancestors), *reversed(before)) if i in there and i != current), None)
