"""The samples that models learn from, as the pictures of good cloth that a training takes."""

from __future__ import annotations

from collections.abc import Sequence

from cras_core.data.samples.files import SAMPLE_FOLDER
from cras_core.data.samples.store import SampleStore
from cras_core.data.values import NormalImages, Piece
from cras_core.errors import DataError


def normal_images(store: SampleStore, fabrics: Sequence[str] | None = None) -> list[NormalImages]:
    """Good cloth for training, of fabrics that are not retired.

    Args:
        store: the samples.
        fabrics: only these; None means all.

    Raises:
        DataError: a fabric is not known or has no good sample.
    """
    names = [f.name for f in store.fabrics() if not f.is_retired] if fabrics is None else list(fabrics)
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
