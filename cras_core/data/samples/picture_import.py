"""Pictures from disk into the store of samples, one after the other, to be stopped and begun again at will."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cras_core.arrays import Image
from cras_core.data.folders import listed
from cras_core.data.samples.cutting import Scale, samples_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError
from cras_core.images import measured_bits


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the pictures.

    Attributes:
        added: the samples, as they were kept.
        pictures, of: how many pictures were looked at, of how many.
        there: tiles that were in the store already.
        broken: why pictures could not be used, sentences that name them.
        problem: why no more could be kept; empty otherwise.
    """

    added: tuple[Sample, ...]
    pictures: int
    of: int
    there: int
    broken: tuple[str, ...]
    problem: str = ""

    @property
    def is_alarm(self) -> bool:
        """Something went wrong."""
        return bool(self.broken or self.problem or not self.of)

    @property
    def text(self) -> str:
        """For a person."""
        if not self.of:
            return "There are no pictures there."
        said = f"{_number(self.pictures, 'picture')}: {_number(len(self.added), 'tile')} added"
        said += f", {self.there} were there already." if self.there else "."
        said += f" {self.of - self.pictures} pictures are left." if self.pictures < self.of else ""
        said += f" {self.problem}" if self.problem else ""
        return said + (f" Not usable: {listed(self.broken, '; ', 5)}." if self.broken else "")


def add_pictures(
    store: SampleStore,
    record: FabricRecord,
    pictures: Sequence[Path],
    author: str,
    now: str,
    on_picture: Callable[[list[Sample], float], bool],
    web: str | None = None,
    bits: int | None = None,
) -> Imported:
    """Cuts pictures into samples of a fabric. What cannot be used is named; where the disk fails, the rest is left.

    Args:
        store: with the fabric.
        record: the fabric; the scale is that of its recipe.
        pictures: files.
        author: whoever adds them.
        now: ISO 8601.
        on_picture: called after each picture with all samples that were added and the share that is done, 0..1; False
            ends it.
        web: roll that all pictures were cut from; None makes each a web of its own.
        bits: depth of pictures of more than 8 bits; None measures it over all of them.
    """
    scale = scale_of(record)
    added: list[Sample] = []
    broken: list[str] = []
    there = done = 0
    problem = ""
    bits = bits or measured_bits(pictures)
    for path in pictures:
        try:
            tiles = list(samples_of(path, record.name, scale, author, now, web, bits))
        except DataError as error:
            broken.append(str(error))
            tiles = []
        try:
            for sample, tile in tiles:
                if _is_there(store, sample, tile):
                    there += 1
                else:
                    added.append(store.add(sample, tile))
        except DataError as error:
            problem = str(error)
            break
        done += 1
        if not on_picture(added, done / len(pictures)):
            break
    return Imported(tuple(added), done, len(pictures), there, tuple(broken), problem)


def scale_of(record: FabricRecord) -> Scale:
    """The scale of a fabric's recipe, the standard one where it has none."""
    standard = Scale()
    across, along = record.recipe.get("mm_per_px"), record.recipe.get("mm_per_line")
    mm_per_px = float(across) if isinstance(across, int | float) and across > 0 else standard.mm_per_px
    return Scale(mm_per_px, float(along) if isinstance(along, int | float) and along > 0 else mm_per_px)


def _is_there(store: SampleStore, sample: Sample, tile: Image) -> bool:
    """Whether a tile is in the store already, so that a folder can be added again after it was cut off."""
    try:
        return np.array_equal(store.image(store.sample(sample.fabric, sample.id)), tile)
    except DataError:  # there is none of this name, or it is broken; this one is added beside it
        return False


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
