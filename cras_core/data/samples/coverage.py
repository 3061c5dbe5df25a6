"""How much of a fabric its samples show, and what is missing before a model is worth training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cras_core.data.samples.values import Sample

ENOUGH_TILES = 20
"""Below so many, training warns that limits rest on too little cloth."""

ENOUGH_M = 3.0
"""Metres of web. Measured on AITEX: 0.8 m and 1.6 m of a fabric lose 8 and 18 points of recall at 0.25 false
alarms per strip against 16 m (docs/measurements.md, "Little good cloth")."""

MANY_WEBS = 5
"""Samples of so many webs are spread, however few metres of each were taken."""

_FIFTHS = (
    "left fifth",
    "second fifth from the left",
    "middle fifth",
    "second fifth from the right",
    "right fifth",
)
_ONE_ROLL = "One roll only: limits will be too tight for the next. Add samples of another roll when there is one."


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the samples of good cloth of one fabric show.

    Attributes:
        tiles: how many.
        webs: of how many rolls or files.
        web_m: metres from the first to the last of each web, summed.
        area_m2: of all tiles; where tiles overlap it counts twice.
        fifths: tiles that have their middle in each fifth of the width, from the left. Those without a known place are
            in none.
        darkest, brightest: mean grey values, 0..255.
        missing: what a person should collect before training, each a sentence; empty where it is enough.
        remarks: what would make the model better still.
    """

    tiles: int
    webs: int
    web_m: float
    area_m2: float
    fifths: tuple[int, ...]
    darkest: float
    brightest: float
    missing: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """A model can be trained on it."""
        return not self.missing

    @property
    def answer(self) -> str:
        """For a person: "Enough." or what is missing."""
        return " ".join((*(self.missing or ("Enough.",)), *self.remarks))


def coverage(samples: Sequence[Sample], tile_px: int = 512) -> Coverage:
    """What the samples of one fabric show; those that are defective or thrown out do not count.

    Args:
        samples: of one fabric.
        tile_px: side of a tile, which a sample does not tell.
    """
    good = [s for s in samples if s.is_good]
    webs: dict[str, list[Sample]] = defaultdict(list)
    for sample in good:
        webs[sample.web].append(sample)
    web_m = sum(_extent_m(web, tile_px) for web in webs.values())
    brightness = [s.brightness for s in good] or [0.0]
    return Coverage(
        tiles=len(good),
        webs=len(webs),
        web_m=web_m,
        area_m2=sum(s.mm_per_px * s.mm_per_line for s in good) * tile_px**2 / 1e6,
        fifths=_fifths(good),
        darkest=min(brightness),
        brightest=max(brightness),
        missing=tuple(_missing(good, len(webs), web_m, tile_px)),
        remarks=(_ONE_ROLL,) if len(webs) == 1 else (),
    )


def _extent_m(web: Iterable[Sample], tile_px: int) -> float:
    ends = [(s.position_m, s.position_m + tile_px * s.mm_per_line / 1000.0) for s in web]
    return max(end for _, end in ends) - min(begin for begin, _ in ends)


def _fifths(good: Sequence[Sample]) -> tuple[int, ...]:
    count = np.zeros(len(_FIFTHS), np.int64)
    for s in good:
        if s.cloth_mm > 0:
            count[int(np.clip(len(_FIFTHS) * s.position_mm / s.cloth_mm, 0, len(_FIFTHS) - 1))] += 1
    return tuple(count.tolist())


def _missing(good: Sequence[Sample], webs: int, web_m: float, tile_px: int) -> Iterable[str]:
    if len(good) < ENOUGH_TILES:
        lacking = ENOUGH_TILES - len(good)
        yield f"{lacking} more {'tile' if lacking == 1 else 'tiles'}: there are {len(good)} of at least {ENOUGH_TILES}."
    if good and web_m < ENOUGH_M and webs < MANY_WEBS:
        yield f"All from {web_m:.1f} m of web: collect along {ENOUGH_M:g} m at least."
    unseen = _unseen(good, tile_px)
    if unseen:
        yield f"No samples from the {' and the '.join(unseen)} of the web."


def _unseen(good: Sequence[Sample], tile_px: int) -> list[str]:
    """Fifths of the width that no tile reaches into; none where places are not known."""
    placed = [s for s in good if s.cloth_mm > 0]
    if not placed:
        return []
    seen = np.zeros(len(_FIFTHS), np.bool_)
    for s in placed:
        half_mm = tile_px * s.mm_per_px / 2
        edges = np.array([s.position_mm - half_mm, s.position_mm + half_mm]) / s.cloth_mm * len(_FIFTHS)
        first, last = np.clip([np.floor(edges[0]), np.ceil(edges[1]) - 1], 0, len(_FIFTHS) - 1).astype(int)
        seen[first : last + 1] = True
    return [name for name, is_seen in zip(_FIFTHS, seen.tolist(), strict=True) if not is_seen]
