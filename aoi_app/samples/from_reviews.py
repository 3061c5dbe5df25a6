"""What the person at the line says of defects becomes samples: a rejected alarm is good cloth to learn from, a
confirmed defect is one to judge the next model by.
"""

from __future__ import annotations

import json
import logging
import queue
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.defects import Defect
from aoi_app.inspection.review import Review
from aoi_app.inspection.tiles import TilePlace
from aoi_app.records.tiles import PLACES
from aoi_app.settings.recipe import Recipe
from cras_core.data.samples.files import safe_id
from cras_core.data.samples.labels import labels_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.errors import CrasError, DataError
from cras_core.images import read_image

logger = logging.getLogger(__name__)

Mask = npt.NDArray[np.bool_]

_AROUND_PX = 48
"""A mark within this distance of a defect's box is taken for part of it."""


@dataclass(frozen=True, slots=True)
class ReviewedRoll:
    """The roll whose defects are judged.

    Attributes:
        name: of the roll.
        tiles: folder of its tiles, as ``TileWriter`` leaves it.
        recipe: that it was inspected with.
    """

    name: str
    tiles: Path
    recipe: Recipe


def learn_review(store: SampleStore, roll: ReviewedRoll, defect: Defect, review: Review, author: str) -> str:
    """Brings the samples of a defect in line with what is said of it now.

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
    for path, place in _tiles_of(roll.tiles, defect.number):
        name = safe_id(path.stem)
        if name in known:
            store.remove(known[name])
        if review.verdict is None:
            continue
        image = read_image(path, 8)[: place.lines, : place.columns]
        mask = _mask(roll.tiles, path)[: place.lines, : place.columns]
        if review.verdict == "rejected" and _marks_beside(mask, place):
            said = "Beside the rejected alarm there are other marks; the tile is not learnt as good cloth."
            continue
        labels = labels_of(mask, review.type_code or "") if review.verdict == "confirmed" else ()
        recipe = roll.recipe
        store.add(
            Sample(
                id=name,
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
                brightness=float(image.mean()),
                taken_at=review.reviewed_at.isoformat(timespec="seconds") if review.reviewed_at is not None else "",
                author=author,
                labels=labels,
            ),
            image,
        )
    return said


def _tiles_of(folder: Path, number: int) -> list[tuple[Path, TilePlace]]:
    """The tiles of a defect, the latest where one was written again. Lines that are cut off are passed over."""
    path = folder / PLACES
    if not path.exists():
        return []
    found: dict[Path, TilePlace] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    for line in lines:
        try:
            value = json.loads(line)
            tile, defect = folder / value.pop("tile"), value.pop("defect")
            if defect == number and tile.exists():
                found[tile] = TilePlace(**{**value, "box": tuple(value["box"])})
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s: a line is passed over (%s)", path, error)
    return list(found.items())


def _mask(folder: Path, tile: Path) -> Mask:
    fabric = tile.relative_to(folder).parts[0]
    grey = read_image(folder / fabric / "ground_truth" / "defect" / f"{tile.stem}_mask.png", 8)
    return np.asarray((grey if grey.ndim == 2 else grey[..., 0]) > 127)


def _marks_beside(mask: Mask, place: TilePlace) -> bool:
    left, top, right, bottom = place.box
    beside = mask.copy()
    beside[max(0, top - _AROUND_PX) : max(0, bottom + _AROUND_PX), max(0, left - _AROUND_PX) : right + _AROUND_PX] = (
        False
    )
    return bool(beside.any())


class ReviewLearner:
    """Takes verdicts over into the store in a thread of its own, one after the other."""

    def __init__(self, store: SampleStore, author: str) -> None:
        self._store, self._author = store, author
        self._lane = ThreadPoolExecutor(1, "learn reviews")
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last: Future[None] | None = None

    def learn(self, roll: ReviewedRoll, defect: Defect, review: Review) -> None:
        """Returns at once; the verdict itself is recorded elsewhere."""
        self._last = self._lane.submit(self._learn, roll, defect, review)

    def said(self) -> str:
        """The next thing that a person should know; empty when there is none."""
        try:
            return self._said.get_nowait()
        except queue.Empty:
            return ""

    @property
    def is_at_rest(self) -> bool:
        """Everything was taken over."""
        return self._last is None or self._last.done()

    def close(self) -> None:
        """What was asked for is still done."""
        self._lane.shutdown(wait=True)

    def _learn(self, roll: ReviewedRoll, defect: Defect, review: Review) -> None:
        try:
            text = learn_review(self._store, roll, defect, review, self._author)
        except CrasError as error:
            text = f"The verdict is recorded, but not kept as a sample: {error}"
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("learning a verdict")
            text = f"The verdict is recorded, but not kept as a sample ({type(error).__name__}: {error})."
        if text:
            self._said.put(text)
