"""What an exported data set says of itself. ``itdd_card_file`` writes it for programs, ``itdd_readme`` for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any

from cras_core.data.samples.values import Sample
from cras_core.version import __version__

_NOT_HANDED_OUT = ("author", "labels", "suspicion", "choice", "brightness")  # a person's name above all


@dataclass(frozen=True, slots=True)
class Picture:
    """One tile of the set.

    Attributes:
        file: relative to the folder of the set, with ``/``.
        sample: that it was cut from.
        top_px, left_px: where in the sample.
    """

    file: str
    sample: Sample
    top_px: int
    left_px: int

    def to_json(self) -> dict[str, Any]:
        """Plain values as JSON holds them."""
        known = {f.name: getattr(self.sample, f.name) for f in fields(Sample) if f.name not in _NOT_HANDED_OUT}
        return {"file": self.file, "top_px": self.top_px, "left_px": self.left_px, "sample": known}


@dataclass(frozen=True, slots=True)
class DefectType:
    """One type of defect of a fabric.

    Attributes:
        code: as in the catalogue.
        folder: below ``test`` and ``ground_truth``.
        pictures: how many show it.
        shapes: number of labels that are a block, a point, a line.
    """

    code: str
    folder: str
    pictures: int
    shapes: dict[str, int]


@dataclass(frozen=True, slots=True)
class FabricCard:
    """What the set holds of one fabric.

    Attributes:
        name: of the fabric.
        folder: of its pictures.
        train_good, test_good: number of tiles.
        defects: its types of defects.
        train_webs, test_webs: rolls or files on either side; none is on both.
        origins: how many tiles came into the store in which way.
        mm_per_px, mm_per_line: smallest and largest scale.
        remarks: what whoever uses it should know.
        pictures: all tiles.
    """

    name: str
    folder: str
    train_good: int
    test_good: int
    defects: tuple[DefectType, ...]
    train_webs: tuple[str, ...]
    test_webs: tuple[str, ...]
    origins: dict[str, int]
    mm_per_px: tuple[float, float]
    mm_per_line: tuple[float, float]
    remarks: tuple[str, ...]
    pictures: tuple[Picture, ...]

    @classmethod
    def of(
        cls,
        name: str,
        folder: str,
        pictures: Sequence[Picture],
        types: Mapping[str, tuple[str, dict[str, int]]],
        *,
        without_label: int,
        suspicious: int,
    ) -> FabricCard:
        """Counts what was written.

        Args:
            name, folder: of the fabric.
            pictures: all that were written.
            types: code and shapes of each folder of defects.
            without_label: samples that were left out because no label lies on them.
            suspicious: good samples that stand out and that nobody has thrown out.
        """
        kinds = Counter("/".join(p.file.split("/")[1:3]) for p in pictures)
        sides = {side: {p.sample.web for p in pictures if p.file.split("/")[1] == side} for side in ("train", "test")}
        across, along = ([getattr(p.sample, n) for p in pictures] or [0.0] for n in ("mm_per_px", "mm_per_line"))
        return cls(
            name,
            folder,
            kinds["train/good"],
            kinds["test/good"],
            tuple(DefectType(c, f, kinds[f"test/{f}"], shapes) for f, (c, shapes) in types.items()),
            tuple(sorted(sides["train"])),
            tuple(sorted(sides["test"])),
            dict(Counter(p.sample.origin for p in pictures)),
            (min(across), max(across)),
            (min(along), max(along)),
            tuple(_remarks(kinds, sides, without_label, suspicious)),
            tuple(pictures),
        )


@dataclass(frozen=True, slots=True)
class Card:
    """What a data set says of itself.

    Attributes:
        program: that wrote it.
        written_at: ISO 8601 with zone.
        tile_px: side of every tile.
        test_share, seed: as the split was asked for.
        fabrics: what it holds.
    """

    program: str
    written_at: str
    tile_px: int
    test_share: float
    seed: int
    fabrics: tuple[FabricCard, ...]


def card_of(fabrics: Sequence[FabricCard], tile_px: int, test_share: float, seed: int) -> Card:
    """A card of today."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Card(f"cras {__version__}", now, tile_px, test_share, seed, tuple(fabrics))


def _remarks(kinds: Mapping[str, int], sides: Mapping[str, set[str]], without_label: int, suspicious: int) -> list[str]:
    said = []
    if not kinds.get("test/good"):
        webs = len(sides["train"] | sides["test"])
        said.append(f"no test/good: {'there is one web only' if webs == 1 else 'no further web has good tiles'}")
    if not kinds.get("train/good"):
        said.append("no train/good: every web has defects on it; collect good cloth of another")
    if without_label:
        said.append(f"{without_label} defective samples were left out: their labels lie outside the picture")
    if suspicious:
        said.append(f"{suspicious} good samples look suspicious, and nobody has thrown them out")
    return said
