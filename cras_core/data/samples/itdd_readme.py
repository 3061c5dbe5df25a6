"""What an exported data set says of itself, for people: its ``README.md``."""

from __future__ import annotations

from collections import Counter

from cras_core.data.samples.itdd_card import Card

README = "README.md"


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


def _scale(span: tuple[float, float]) -> str:
    low, high = span
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
