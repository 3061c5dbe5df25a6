"""The samples that models learn from, as the pictures of good cloth that a training takes."""

from __future__ import annotations

from collections.abc import Sequence

from cras_core.data.samples.files import SAMPLE_FOLDER
from cras_core.data.samples.store import SampleStore
from cras_core.data.values import NormalImages, Piece
from cras_core.errors import DataError


def fabrics_to_learn(store: SampleStore) -> tuple[list[str], list[str]]:
    """Fabrics that are not retired: those with samples of good cloth, and those without any yet."""
    names = [f.name for f in store.fabrics() if not f.is_retired]
    with_good = [name for name in names if any(s.is_good for s in store.samples(name))]
    return with_good, [name for name in names if name not in with_good]


def normal_images(store: SampleStore, fabrics: Sequence[str] | None = None) -> list[NormalImages]:
    """Good cloth for training.

    Args:
        store: the samples.
        fabrics: only these; None means all that are not retired and have samples of good cloth.

    Raises:
        DataError: a fabric that was named is not known or has no good sample.
    """
    names = fabrics_to_learn(store)[0] if fabrics is None else list(fabrics)
    found = []
    for name in names:
        folder = store.folder(name) / SAMPLE_FOLDER
        good = [s for s in store.samples(name) if s.is_good]
        if not good:
            raise DataError(
                "fabric-without-good-samples",
                "The fabric {fabric!r} has no samples of good cloth. Collect some, or retire it.",
                fabric=name,
            )
        found.append(
            NormalImages(
                name,
                tuple(folder / f"{s.id}.png" for s in good),
                are_strips=False,
                pieces=tuple(Piece(s.web, s.cloth_left_px, s.cloth_right_px) for s in good),
            )
        )
    return found
