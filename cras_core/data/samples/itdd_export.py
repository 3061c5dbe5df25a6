"""Samples as a data set in the layout of ITDD, which is that of MVTec AD:

    <folder>/<fabric>/train/good/<sample>.png
    <folder>/<fabric>/test/good/<sample>.png
    <folder>/<fabric>/test/<type>/<sample>.png
    <folder>/<fabric>/ground_truth/<type>/<sample>_mask.png     8 bit, 255 where defective
    <folder>/README.md, card.json                              what it is, for people and for programs

A web (roll, file) is on one side only, and one with defects never on that of training: tiles of one web are too alike
to learn from some and judge by others. ``itdd_import`` is the way back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cras_core.arrays import Image
from cras_core.data.samples.files import encode_png
from cras_core.data.samples.itdd_card import Card, FabricCard, Picture, card_of
from cras_core.data.samples.itdd_card_file import CARD, to_json
from cras_core.data.samples.itdd_readme import README, readme_of
from cras_core.data.samples.labels import Label, mask_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.errors import DataError
from cras_core.files import folder_made_whole
from cras_core.web.regions import shape_of

OnPicture = Callable[[Path, int, int], None]
ShouldStop = Callable[[], bool]

TILE_PX = 512

GOOD = "good"
SEVERAL = "several"  # type of a picture with labels of more than one type
UNNAMED = "defect"  # type of labels that nobody has named


def export_itdd(
    store: SampleStore,
    folder: Path,
    fabrics: Sequence[str] | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    on_progress: OnPicture = lambda *_: None,
    should_stop: ShouldStop = lambda: False,
) -> Card:
    """Writes samples as a data set; the folder is there when it is whole, and not before.

    Tiles larger than 512 px are cut, smaller ones carried on by their mirror image. Samples that were thrown out are
    left out, and so are cuts of a defective tile that show none of its defects.

    Args:
        store: holds the samples.
        folder: not there yet, or empty.
        fabrics: only these; None means all that are not retired.
        test_share: wanted share of good tiles to judge by; whole webs decide what it can be.
        seed: decides which webs.
        on_progress: told after each sample how many are done, of how many.
        should_stop: asked as often; nothing is left when it says yes.

    Raises:
        DataError: the folder is not empty or cannot be written, a fabric is not known, there are no samples, pictures
            cannot be read (all are named), or it was stopped. Nothing is left.
    """
    if not 0 < test_share < 1:
        raise DataError(
            "test-share-out-of-range",
            "A share of {share} cannot be for testing; choose between 0 and 1.",
            share=test_share,
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            "export-folder-not-empty",
            "{folder} is there and not empty. Choose another folder, or empty it.",
            folder=folder,
        )
    names = [f.name for f in store.fabrics() if not f.is_retired] if fabrics is None else list(fabrics)
    kept = {name: [s for s in store.samples(name) if s.choice == "kept"] for name in names}
    if not any(kept.values()):
        raise DataError(
            "nothing-to-export",
            "The store {root} has no samples of {fabrics} to export.",
            root=store.root,
            fabrics=names or "any fabric",
        )
    total, done = sum(map(len, kept.values())), 0
    unreadable: list[DataError] = []
    cards = []
    try:
        with folder_made_whole(folder) as place:
            folders = distinct_folders(names)
            for name in names:
                writer = _FabricWriter(place / folders[name], kept[name], split_webs(kept[name], test_share, seed))
                for sample in kept[name]:
                    if should_stop():
                        raise DataError("export-stopped", "The export was stopped; nothing was written.")
                    try:
                        writer.write(sample, store.image(sample))
                    except DataError as error:
                        unreadable.append(error)
                    done += 1
                    on_progress(store.root / f"{sample.id}.png", done, total)
                cards.append(writer.card(name))
            if unreadable:
                raise DataError("samples-not-exported", "Nothing was exported:\n{problems:\n}", problems=unreadable)
            card = card_of(cards, TILE_PX, test_share, seed)
            (place / README).write_text(readme_of(card), encoding="utf-8")
            (place / CARD).write_text(to_json(card), encoding="utf-8")
    except OSError as error:
        raise DataError(
            "export-folder-unwritable",
            "{folder} cannot be written: {reason}. Free some space or choose another folder; nothing was left there.",
            folder=folder,
            reason=error,
        ) from error
    return card


def split_webs(samples: Sequence[Sample], test_share: float, seed: int) -> frozenset[str]:
    """The webs to judge by: all with defects, and of the others so many that good tiles of the wanted share are there.

    One web without defects at least is left to learn from.
    """
    defective = {s.web for s in samples if s.is_defect}
    good = Counter(s.web for s in samples if s.is_good)
    wanted = test_share * sum(good.values())
    chosen = set(defective)
    clean = sorted(set(good) - defective)
    for i in np.random.default_rng(seed).permutation(len(clean))[1:].tolist():
        have = sum(good[web] for web in chosen)
        if have + good[clean[i]] / 2 <= wanted:
            chosen.add(clean[i])
    if len(clean) > 1 and not any(good[web] for web in chosen):  # every web is more than was wanted: the smallest
        chosen.add(min(clean, key=lambda web: (good[web], web)))
    return frozenset(chosen)


def distinct_folders(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A folder for each name that no system mistakes for another, or for one that is ``taken``."""
    found: dict[str, str] = {}
    used = {t.casefold() for t in taken}
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", name).strip("._")[:60] or "unnamed"
        folder, n = stem, 1
        while folder.casefold() in used:
            n += 1
            folder = f"{stem}-{n}"
        used.add(folder.casefold())
        found[name] = folder
    return found


def shape_on(label: Label, sample: Sample) -> str:
    """block, point or line."""
    points = np.array(label.points)
    width_px, length_px = (np.ptp(points, axis=0) + 1 + 2 * label.radius_px).tolist()
    return shape_of(length_px * sample.mm_per_line, width_px * sample.mm_per_px)


class _FabricWriter:
    """Writes one fabric and counts what it writes."""

    def __init__(self, folder: Path, samples: Sequence[Sample], test_webs: frozenset[str]) -> None:
        self._folder = folder
        self._test_webs = test_webs
        types = sorted({_type_of(s) for s in samples if s.is_defect})
        self._types = distinct_folders(types, taken=[GOOD])
        self._pictures: list[Picture] = []
        self._shapes: dict[str, Counter[str]] = {t: Counter() for t in types}
        self._without = 0
        self._suspicious = sum(s.is_good and s.is_suspicious for s in samples)

    def write(self, sample: Sample, image: Image) -> None:
        """Writes the tiles of a sample. Raises OSError."""
        mask = mask_of(sample.labels, *image.shape[:2])
        side = "test" if sample.web in self._test_webs else "train"
        kind = self._types[_type_of(sample)] if sample.is_defect else GOOD
        cuts = list(_cuts(image, mask))
        written = False
        for top, left, tile, where in cuts:
            if sample.is_defect and not where.any():
                continue
            stem = sample.id if len(cuts) == 1 else f"{sample.id}+{top}+{left}"  # no sample has a '+' in its name
            file = f"{side}/{kind}/{stem}.png"
            self._save(file, tile)
            if sample.is_defect:
                self._save(f"ground_truth/{kind}/{stem}_mask.png", where)
            self._pictures.append(Picture(f"{self._folder.name}/{file}", sample, top, left))
            written = True
        self._without += not written
        if sample.is_defect and written:
            self._shapes[_type_of(sample)].update(shape_on(label, sample) for label in sample.labels)

    def card(self, name: str) -> FabricCard:
        """What was written."""
        return FabricCard.of(
            name,
            self._folder.name,
            self._pictures,
            {folder: (kind, dict(self._shapes[kind])) for kind, folder in self._types.items()},
            without_label=self._without,
            suspicious=self._suspicious,
        )

    def _save(self, file: str, image: Image) -> None:
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(image))


def _type_of(sample: Sample) -> str:
    codes = {label.code or UNNAMED for label in sample.labels}
    return codes.pop() if len(codes) == 1 else SEVERAL


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    missing: int


def _spans(length_px: int) -> list[_Span]:
    """Where tiles begin along one side, evenly, and how much the only one lacks."""
    if length_px <= TILE_PX:
        return [_Span(0, TILE_PX - length_px)]
    count = -(-length_px // TILE_PX)
    return [_Span(round(i * (length_px - TILE_PX) / (count - 1)), 0) for i in range(count)]


def _cuts(image: Image, mask: Image) -> Iterator[tuple[int, int, Image, Image]]:
    """(top, left, tile, mask of the tile), all of 512 x 512 px."""
    for row in _spans(image.shape[0]):
        for col in _spans(image.shape[1]):
            part = np.s_[row.first : row.first + TILE_PX, col.first : col.first + TILE_PX]
            pad = (0, row.missing, 0, col.missing)
            tile, where = (
                np.asarray(cv2.copyMakeBorder(a[part], *pad, cv2.BORDER_REFLECT), np.uint8) for a in (image, mask)
            )
            yield row.first, col.first, tile, where
