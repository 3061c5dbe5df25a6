"""What an exported data set says of itself, for programs: its ``card.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from cras_core.data.samples.itdd_card import Card, FabricCard, Picture
from cras_core.data.samples.values import Sample
from cras_core.errors import DataError, JsonFileError
from cras_core.files import is_inside
from cras_core.json_files import parse_json, read_bytes
from cras_core.validated import Plain, Whole, validated

CARD = "card.json"

FORMAT = "cras-itdd"
VERSION = 1

LARGEST_BYTES = 256 << 20
"""Of a card; half a kilobyte tells of one tile."""


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


@validated("", DataError, takes_more=True)
class _Head:
    """What says whether the rest can be read."""

    format: Plain = None
    version: Plain = None
    complete: Plain = None


@validated("", DataError, takes_more=True)
class _Picture:
    """A tile of the set."""

    file: str
    top_px: Whole
    left_px: Whole
    sample: Sample


@validated("", DataError, takes_more=True)
class _Type:
    """A type of defects."""

    code: str
    folder: str


@validated("", DataError, takes_more=True)
class _Fabric:
    """A fabric of the set."""

    folder: str
    defects: tuple[_Type, ...]
    pictures: tuple[_Picture, ...]


@validated("", DataError, takes_more=True)
class _Card:
    """What an import needs of a card."""

    fabrics: tuple[_Fabric, ...]


def read_card(folder: Path) -> tuple[dict[str, Picture], dict[str, str]]:
    """Pictures by file, and codes of defect types by ``<fabric's folder>/<type's folder>``; both empty without a card.

    Raises:
        DataError: the card cannot be read, is of a newer version, or pictures that it names are not there.
    """
    path = folder / CARD
    try:
        data = read_bytes(path, LARGEST_BYTES)
        head = parse_json(data, _Head, str(path))
        if head.format != FORMAT:
            return {}, {}
        if head.version != VERSION or head.complete is not True:
            raise DataError(
                "itdd-card-version",
                "{path} is of version {version!r} or not complete; this program reads version {known}. Update it, or "
                "export the set again.",
                path=path,
                version=head.version,
                known=VERSION,
            )
        card = parse_json(data, _Card, str(path))
    except JsonFileError as error:
        if error.fault == "missing":
            return {}, {}
        raise DataError(
            "itdd-card-wrong", "{reason}. Delete it to import the pictures without it.", reason=error
        ) from error
    pictures = [Picture(p.file, p.sample, p.top_px, p.left_px) for f in card.fabrics for p in f.pictures]
    lost = [p.file for p in pictures if not is_inside(p.file) or not (folder / p.file).is_file()]
    if lost:
        raise DataError(
            "itdd-pictures-missing",
            "{folder} is not whole: {count} pictures of its card are not there, first {first}",
            folder=folder,
            count=len(lost),
            first=lost[0],
        )
    codes = {f"{f.folder}/{d.folder}": d.code for f in card.fabrics for d in f.defects}
    return {p.file: p for p in pictures}, codes
