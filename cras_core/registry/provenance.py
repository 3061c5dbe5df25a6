"""Where a model comes from, in the words that its bundle keeps: who made it, when, from which pictures, from which
other model.
"""

from __future__ import annotations

import getpass
import hashlib
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cras_core.data.values import NormalImages
from cras_core.imaging.enrolled import EnrolledFigures, read_enrolled
from cras_core.registry.bundle import Bundle
from cras_core.version import __version__

_BLOCK = 1 << 20


def stamp(kind: str, author: str | None = None) -> dict[str, Any]:
    """What every provenance begins with.

    Args:
        kind: how the model came about: ``full`` by a training of all its fabrics, ``quick`` by a fabric enrolled
            without one, ``edit`` by fabrics renamed, taken out or taken over.
        author: who made it; None takes who is logged in.
    """
    import torch  # for its version only; the store of models, which needs the names here, does without it

    return {
        "program": f"cras {__version__}",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "kind": kind,
        "author": author or who_is_logged_in(),
    }


def who_is_logged_in() -> str:
    """The user's name, ``unknown`` where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # as in a container without a list of users
        return "unknown"


def samples_of(normal: NormalImages) -> list[dict[str, str]]:
    """Name and sha256 of every picture of a fabric, in their order. Raises OSError."""
    return [{"name": path.name, "sha256": _hash_of(path)} for path in normal.paths]


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


BY_FABRIC = ("pictures", "held_back", "samples", "imaging")
"""What a provenance tells fabric by fabric."""


def descended(parent: Bundle, kind: str, author: str | None, *, without: str | None = None) -> dict[str, Any]:
    """The provenance of a model that was made of another one without a training of the heads.

    Args:
        parent: the model it was made of.
        kind, author: see ``stamp``.
        without: a fabric of the parent of which nothing is to be told any more.

    Returns:
        What of the parent's still holds, under a stamp of its own, with ``parent`` (identity) and ``ancestors``
        (identities, the oldest first, the parent last). ``pictures``, ``held_back``, ``samples`` and ``warnings`` are
        there also where the parent has none.
    """
    told = parent.provenance
    by_fabric = {name: {k: v for k, v in told.get(name, {}).items() if k != without} for name in BY_FABRIC}
    return {
        **stamp(kind, author),
        "parent": parent.identity,
        "ancestors": [*told.get("ancestors", ()), parent.identity],
        "unreadable": [],
        "loss": told.get("loss", []),
        **by_fabric,
        "warnings": [w for w in told.get("warnings", ()) if without is None or not w.startswith(f"{without}: ")],
    }


def with_fabric(told: Mapping[str, Any], fabric: str, **by_fabric: object) -> dict[str, Any]:
    """A provenance with what is to be told of one more fabric, by field."""
    return {**told, **{name: {**told[name], fabric: value} for name, value in by_fabric.items()}}


def imaging_told(told: Mapping[str, Any]) -> dict[str, EnrolledFigures]:
    """How the samples of each fabric were seen; without those of which nothing is told."""
    by_fabric = told.get("imaging")
    read = {name: read_enrolled(value) for name, value in by_fabric.items()} if isinstance(by_fabric, dict) else {}
    return {name: figures for name, figures in read.items() if figures is not None}
