"""Samples from the verdicts at the line: a rejected alarm is good cloth to learn from, a confirmed defect is one to
evaluate the next model with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.inspection.web.tiles import TilePlace
from aoi_app.records.tile_places import tiles_of
from aoi_app.settings.recipe import Recipe
from cras_core.data.masks import GREY_ABOVE
from cras_core.data.samples.files import safe_id
from cras_core.data.samples.labels import labels_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.data.values import Mask as MaskFile
from cras_core.images import read_image

Mask = npt.NDArray[np.bool_]

_AROUND_PX = 48
"""A mark within this distance of a defect's box is taken for part of it."""


@dataclass(frozen=True, slots=True)
class ReviewedRoll:
    """The roll whose defects are reviewed.

    Attributes:
        name: of the roll.
        tiles: folder of its tiles, as ``TileWriter`` leaves it.
        recipe: that it was inspected with.
    """

    name: str
    tiles: Path
    recipe: Recipe


def update_samples(store: SampleStore, roll: ReviewedRoll, defect: Defect, review: Review, author: str) -> str:
    """Brings the samples of a defect in line with its verdict.

    Args:
        store: the samples; a fabric that is not in it is left alone.
        roll: where the defect is.
        defect: it.
        review: what is said of it; without a verdict its samples go.
        author: who says so.

    Returns:
        A sentence where something could not be taken over; empty otherwise.

    Raises:
        DataError: a tile cannot be read, or the disk cannot be written.
    """
    if defect.fabric not in {f.name for f in store.fabrics()}:
        return ""
    known = {s.id: s for s in store.samples(defect.fabric)}
    said = ""
    for tile in tiles_of(roll.tiles, defect.number):
        place, sample_id = tile.place, safe_id(tile.picture.stem)
        if sample_id in known:  # of an earlier verdict, which may have been another one
            store.remove(known[sample_id])
        if review.verdict is None:
            continue
        image = read_image(tile.picture)
        mask = (
            MaskFile((tile.mask,)).read_grey(tile.picture, *image.shape[:2])[: place.lines, : place.columns]
            > GREY_ABOVE
        )
        image = image[: place.lines, : place.columns]
        if review.verdict == "rejected" and _marks_beside(mask, place):
            said = "There are other marks beside the rejected alarm, so its tile is not kept as good cloth."
            continue
        sample = _sample(sample_id, roll, defect, place, review)
        labels = labels_of(mask, review.type_code or "") if review.verdict == "confirmed" else ()
        store.add(replace(sample, brightness=float(image.mean()), author=author, labels=labels), image)
    return said


def _sample(sample_id: str, roll: ReviewedRoll, defect: Defect, place: TilePlace, review: Review) -> Sample:
    """The place of a tile; without what only its picture tells."""
    recipe = roll.recipe
    return Sample(
        id=sample_id,
        fabric=defect.fabric,
        origin="confirmed defect" if review.verdict == "confirmed" else "rejected alarm",
        web=roll.name,
        first_line=place.first_line,
        left_px=place.left_px,
        position_m=place.first_line * recipe.line_mm / 1000.0,
        position_mm=defect.position_mm,
        cloth_left_px=place.cloth_left_px if place.cloth_left_px > 0 else None,
        cloth_right_px=place.cloth_right_px if place.cloth_right_px < place.columns else None,
        mm_per_px=recipe.mm_per_px,
        mm_per_line=recipe.line_mm,
        taken_at=review.reviewed_at.isoformat(timespec="seconds") if review.reviewed_at is not None else "",
    )


def _marks_beside(mask: Mask, place: TilePlace) -> bool:
    left, top, right, bottom = place.box
    beside = mask.copy()
    beside[max(0, top - _AROUND_PX) : max(0, bottom + _AROUND_PX), max(0, left - _AROUND_PX) : right + _AROUND_PX] = (
        False
    )
    return bool(beside.any())
