"""The pieces of cloth that two models are compared on, from the store of samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.data.synthetic_defects import paint_defects
from cras_core.data.values import Piece
from cras_core.evaluation.candidate import Case

_DRAWN_PIECES = 20
"""Good pieces of a fabric that defects are drawn on."""

_PX_PER_DEFECT = 40_000  # one drawn defect on so many pixels: few enough to lie apart
_OVER = 0.25  # share of a drawn defect from which a pixel belongs to it
_SMALLEST_PX = 64


def cases_of(
    store: SampleStore, fabrics: Sequence[str], held_back: Mapping[str, Sequence[str]], seed: int = 0
) -> Iterator[Case]:
    """Good pieces that were held back, the same with drawn defects, and labelled defects; fabric by fabric.

    Args:
        store: the samples.
        fabrics: names of fabrics of the store.
        held_back: by fabric, file names of the good pieces that the new model was not trained on.
        seed: what is drawn follows from it.

    Raises:
        DataError: a fabric is not known, or a picture cannot be read.
    """
    for fabric in fabrics:
        samples = store.samples(fabric)
        names = set(held_back.get(fabric, ()))
        good = [s for s in samples if s.is_good and f"{s.id}.png" in names]
        for sample in good:
            yield _case(store, sample)
        chosen = np.random.default_rng(seed).permutation(len(good))[:_DRAWN_PIECES].tolist()
        for i in sorted(chosen):
            drawn = _drawn(_case(store, good[i]), np.random.default_rng([seed, i]))
            if drawn is not None:
                yield drawn
        for sample in samples:
            if sample.is_defect:
                yield replace(_case(store, sample), kind="defect", mask=store.mask(sample))


def count_of(store: SampleStore, fabrics: Sequence[str], held_back: Mapping[str, Sequence[str]]) -> int:
    """At most so many cases, for showing progress."""
    count = 0
    for fabric in fabrics:
        samples = store.samples(fabric)
        good = sum(s.is_good and f"{s.id}.png" in set(held_back.get(fabric, ())) for s in samples)
        count += good + min(good, _DRAWN_PIECES) + sum(s.is_defect for s in samples)
    return count


def _case(store: SampleStore, sample: Sample) -> Case:
    return Case(
        sample.id,
        sample.fabric,
        "good",
        store.image(sample),
        Piece(sample.web, sample.cloth_left_px, sample.cloth_right_px),
        mm2_per_px=sample.mm_per_px * sample.mm_per_line,
    )


def _drawn(case: Case, rng: np.random.Generator) -> Case | None:
    height, width = case.image.shape[:2]
    if min(height, width) < _SMALLEST_PX:
        return None
    spoilt, where = paint_defects(case.image, max(1, round(height * width / _PX_PER_DEFECT)), rng)
    return replace(case, kind="drawn", image=spoilt, mask=np.where(where > _OVER, 255, 0).astype(np.uint8))
