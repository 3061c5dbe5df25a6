"""What an exported data set says of itself, for people (``README.md``) and for programs (``card.json``)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cras_core
from cras_core.data.samples.store import sample_from
from cras_core.data.samples.values import Sample
from cras_core.errors import DataError

CARD = "card.json"
README = "README.md"

FORMAT = "cras-itdd"
VERSION = 1

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
        """What ``Picture.read`` understands."""
        known = {f.name: getattr(self.sample, f.name) for f in fields(Sample) if f.name not in _NOT_HANDED_OUT}
        return {"file": self.file, "top_px": self.top_px, "left_px": self.left_px, "sample": known}

    @classmethod
    def read(cls, value: Any, where: str) -> Picture:
        """The inverse of ``to_json``. Raises DataError."""
        try:
            sample = sample_from(value["sample"], where)
            return cls(str(value["file"]), sample, int(value["top_px"]), int(value["left_px"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{where} does not describe a picture ({error!r}): {str(value)[:200]}") from error


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
    return Card(f"cras {cras_core.__version__}", now, tile_px, test_share, seed, tuple(fabrics))


def to_json(card: Card) -> str:
    """The card for programs; its last word says that the set is complete."""
    fabrics = []
    for fabric in card.fabrics:
        value = {f.name: getattr(fabric, f.name) for f in fields(FabricCard)}
        value["defects"] = [asdict(d) for d in fabric.defects]
        value["pictures"] = [p.to_json() for p in fabric.pictures]
        fabrics.append(value)
    plain = {f.name: getattr(card, f.name) for f in fields(Card)} | {"fabrics": fabrics}
    whole = {"format": FORMAT, "version": VERSION, **plain, "licence": None, "complete": True}
    return json.dumps(whole, indent=1) + "\n"


def read_card(folder: Path) -> tuple[dict[str, Picture], dict[str, str]]:
    """Pictures by file, and codes of defect types by ``<fabric's folder>/<type's folder>``; both empty without a card.

    Raises:
        DataError: the card cannot be read, is of a newer version, or pictures that it names are not there.
    """
    path = folder / CARD
    if not path.is_file():
        return {}, {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.get("format") != FORMAT:
            return {}, {}
        if value.get("version") != VERSION or value.get("complete") is not True:
            raise DataError(
                f"{path} is of version {value.get('version')} or not complete; this program reads version {VERSION}. "
                "Update it, or export the set again."
            )
        pictures = [Picture.read(p, str(path)) for f in value["fabrics"] for p in f["pictures"]]
        codes = {f"{f['folder']}/{d['folder']}": str(d["code"]) for f in value["fabrics"] for d in f["defects"]}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({error!r}). Delete it to import the pictures without it.") from error
    lost = [p.file for p in pictures if not (folder / p.file).is_file()]
    if lost:
        raise DataError(f"{folder} is not whole: {len(lost)} pictures of its card are not there, first {lost[0]}")
    return {p.file: p for p in pictures}, codes


def readme_of(card: Card) -> str:
    """The card for people."""
    rows = [
        f"| {f.name} | {f.train_good} | {f.test_good} | {sum(d.pictures for d in f.defects)} | {len(f.train_webs)} | "
        f"{len(f.test_webs)} | {_scale(f.mm_per_px)} x {_scale(f.mm_per_line)} |"
        for f in card.fabrics
    ]
    types = [
        f"| {f.name} | {d.code} | test/{d.folder} | {d.pictures} | "
        + " | ".join(str(d.shapes.get(s, 0)) for s in ("block", "point", "line"))
        + " |"
        for f in card.fabrics
        for d in f.defects
    ]
    origins = Counter[str]()
    for f in card.fabrics:
        origins.update(f.origins)
    said = [f"- {f.name}: {remark}" for f in card.fabrics for remark in f.remarks]
    return _README.format(
        card=card,
        rows="\n".join(rows),
        types=_TYPES.format(rows="\n".join(types)) if types else "",
        origins=", ".join(f"{n} {k}" for k, n in sorted(origins.items())),
        remarks="\n".join(["", *said, ""]) if said else "",
    )


_TYPES = """| fabric | type | folder | pictures | block | point | line |
|---|---|---|---|---|---|---|
{rows}

A picture with labels of more than one type is in `several`; labels that nobody named are `defect`. Shapes are counted
by label.
"""

_README = """# Samples of cloth

Tiles of {card.tile_px} x {card.tile_px} px in the layout of ITDD and MVTec AD; masks are 8 bit, 255 where defective.
Smaller samples were carried on by their mirror image.

Written by {card.program} at {card.written_at}. Licence: to be filled in by the owner of the cloth.

| fabric | train/good | test/good | defective | webs to train | webs to test | mm per px x mm per line |
|---|---|---|---|---|---|---|
{rows}

{types}
Origin of the tiles: {origins}.

A web (roll or file) is on one side only; webs with defects are never trained on. Asked for was a share of
{card.test_share:g} of the good tiles for testing, seed {card.seed}.
{remarks}"""


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


def _scale(span: tuple[float, float]) -> str:
    low, high = span
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
