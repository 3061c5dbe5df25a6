"""A data set in the layout of ITDD or MVTec AD becomes samples with labels; the inverse of ``itdd_export``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cras_core.data.folders import contents, pictures_of
from cras_core.data.samples.files import safe_id
from cras_core.data.samples.itdd_card import Picture
from cras_core.data.samples.itdd_card_file import read_card
from cras_core.data.samples.labels import labels_of, mask_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.data.values import TestImage
from cras_core.errors import DataError
from cras_core.images import in_natural_order, list_images, measured_bits, read_image

OnPicture = Callable[[Path, int, int], None]
ShouldStop = Callable[[], bool]

_UNNAMED = "defect"  # a folder of this name says of no type


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one fabric of a data set.

    Attributes:
        fabric: its name in the store.
        good, defective: number of samples.
        filled_px: pixels that are labelled now and were not in the masks, because outlines have no holes.
        defective_px: pixels of all masks.
    """

    fabric: str
    good: int
    defective: int
    filled_px: int
    defective_px: int


def import_itdd(
    folder: Path,
    store: SampleStore,
    mm_per_px: float = 0.2,
    on_progress: OnPicture = lambda *_: None,
    should_stop: ShouldStop = lambda: False,
    bits: int | None = None,
) -> list[Imported]:
    """Makes samples of a data set.

    Labels are the outlines of the regions of the masks: they make the same mask again, pixel by pixel, but for holes,
    which are filled, and counted. A set of this program's brings webs, places and scale along in its card; of another
    one nobody knows what was cut from one web, so each picture counts as a web of its own.

    Args:
        folder: of fabrics, or of one fabric: ``train/good``, ``test/<type>``, ``ground_truth/<type>``.
        store: takes new fabrics, named as in the card, or as their folders.
        mm_per_px: scale of pictures without a card.
        on_progress: told after each picture how many are done, of how many.
        should_stop: asked as often; the store is as it was when it says yes.
        bits: depth of pictures of more than 8 bits; None measures it over all of them.

    Raises:
        DataError: it is no such set or not whole, pictures or masks cannot be used (all are named), a fabric is in the
            store already, the disk cannot be written, or it was stopped. The store is as it was.
    """
    places = _places(folder)
    by_file, codes = read_card(folder)
    readers = [_FabricReader(folder, place, by_file, codes, mm_per_px) for place in places]
    for reader in readers:
        store.check_free(reader.name)
    total, done = sum(len(r.pictures) for r in readers), 0
    bits = bits or measured_bits(picture.path for reader in readers for picture in reader.pictures)
    problems: list[DataError] = []
    found = []
    with store.staging() as side:
        for reader in readers:
            side.begin(FabricRecord(reader.name))
            for picture in reader.pictures:
                if should_stop():
                    raise DataError("import-stopped", "The import was stopped; the store is as it was.")
                try:
                    reader.add(picture, side, bits)
                except DataError as error:
                    problems.append(error)
                done += 1
                on_progress(picture.path, done, total)
            found.append(reader.result())
        if problems:
            raise DataError("samples-not-imported", "Nothing was imported:\n{problems:\n}", problems=problems)
        for reader in readers:
            store.adopt(side.folder(reader.name))
    return found


def _places(folder: Path) -> list[Path]:
    """Folders of fabrics. Raises DataError."""
    if not folder.is_dir():
        raise DataError(
            "import-no-folder",
            "{folder} is not a folder; name a data set in the layout of ITDD or MVTec.",
            folder=folder,
        )

    def is_fabric(place: Path) -> bool:
        return (place / "train" / "good").is_dir() or (place / "test").is_dir()

    places = [folder] if is_fabric(folder) else in_natural_order(filter(is_fabric, folder.iterdir()))
    if not places:
        raise DataError(
            "import-layout-unknown",
            "{folder} is not in the layout of ITDD or MVTec: expected <fabric>/train/good and <fabric>/test/<type> in "
            "it; it holds {contents}",
            folder=folder,
            contents=contents(folder),
        )
    return places


class _FabricReader:
    """Reads the pictures of one fabric."""

    def __init__(
        self, root: Path, place: Path, by_file: dict[str, Picture], codes: dict[str, str], mm_per_px: float
    ) -> None:
        self._root, self._place, self._by_file, self._codes = root, place, by_file, codes
        self._mm_per_px = mm_per_px
        self.pictures = _pictures(place)
        if not self.pictures:
            raise DataError("import-fabric-empty", "{folder} holds no pictures in train/good and test", folder=place)
        first = by_file.get(self._file(self.pictures[0].path))
        self.name = first.sample.fabric if first else place.resolve().name
        self._good = self._defective = self._filled_px = self._defective_px = 0

    def add(self, picture: TestImage, store: SampleStore, bits: int | None) -> None:
        """Makes a sample. Raises DataError."""
        image = read_image(picture.path, bits)
        mask = picture.read_mask(*image.shape[:2])
        if not picture.is_good and not mask.any():
            raise DataError(
                "import-mask-empty",
                "{path}: its mask is empty, so nobody can tell where the defect is",
                path=picture.path,
            )
        code = self._codes.get(f"{self._place.name}/{picture.defect}", picture.defect)
        labels = labels_of(mask, "" if code == _UNNAMED else code)
        self._filled_px += int((mask_of(labels, *mask.shape) > 0).sum()) - int(mask.sum())
        self._defective_px += int(mask.sum())
        self._good += picture.is_good
        self._defective += not picture.is_good
        sample = replace(self._sample(picture), labels=labels, brightness=round(float(image.mean()), 2))
        store.add(sample, image)

    def result(self) -> Imported:
        """What was made."""
        return Imported(self.name, self._good, self._defective, self._filled_px, self._defective_px)

    def _sample(self, picture: TestImage) -> Sample:
        known = self._by_file.get(self._file(picture.path))
        if known is None:
            place = picture.path.relative_to(self._place).with_suffix("").as_posix()
            scale = self._mm_per_px
            return Sample(safe_id(place), self.name, "imported", place, mm_per_px=scale, mm_per_line=scale)
        return replace(
            known.sample,
            id=safe_id(picture.path.stem),
            fabric=self.name,
            origin="imported",
            first_line=known.sample.first_line + known.top_px,
            left_px=known.sample.left_px + known.left_px,
        )

    def _file(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _pictures(place: Path) -> list[TestImage]:
    good = place / "train" / "good"
    train = [TestImage(p, place.name, "good", None) for p in (list_images(good) if good.is_dir() else [])]
    return [*train, *(pictures_of(place.name, place) if (place / "test").is_dir() else [])]
