"""The data sets that are known by name, and any folder of fabrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cras_core.data import aitex, visa
from cras_core.data.folders import contents, find_normal_images, find_strips, find_test_images, pictures_of
from cras_core.data.values import NormalImages, Strip, TestImage
from cras_core.errors import DataError
from cras_core.images import list_images
from cras_core.messages import Message


@dataclass(frozen=True, slots=True)
class _Known:
    """A published data set.

    Attributes:
        title: as its authors call it.
        classes: what it holds.
        endings: what may follow the name of a class in the name of its folder.
    """

    title: str
    classes: tuple[str, ...]
    endings: tuple[str, ...] = ("",)


DATA_SETS = {
    "mvtec": _Known(
        "MVTec AD",
        (
            "bottle", "cable", "capsule", "carpet", "grid", "hazelnut", "leather", "metal_nut", "pill", "screw", "tile",
            "toothbrush", "transistor", "wood", "zipper",
        ),
    ),
    "visa": _Known("VisA", visa.CLASSES),
    "mpdd": _Known(
        "MPDD", ("bracket_black", "bracket_brown", "bracket_white", "connector", "metal_plate", "tubes")
    ),
    "itdd": _Known("ITDD", ("cotton", "dyed", "hemp", "plaid"), ("_fabric", "")),
    "aitex": _Known("AITEX", aitex.CLASSES),
}  # fmt: skip

FOLDERS = "folders"
"""What a folder of fabrics is called that was not named."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set on disk.

    Attributes:
        name: a key of ``DATA_SETS``, or ``FOLDERS``.
        root: its folder.
        skip_corrupt: pictures that cannot be read are left out and named; otherwise they stop whoever needs them.
        bits: depth of pictures with more than 8 bits, as a person has said it; None where it is to be measured.
    """

    name: str
    root: Path
    skip_corrupt: bool = False
    bits: int | None = None

    def normal_images(self) -> list[NormalImages]:
        """The normal pictures of every class that is there.

        Raises:
            DataError: something is not where it is expected.
        """
        if self.name == "visa":
            return visa.normal_images(self.root)
        if self.name == "aitex" and aitex.is_published(self.root):
            return aitex.normal_images(self.root)
        if self.name == "aitex":
            names = _folders_of_aitex(self.root)
            return [n for n in find_normal_images(self.root) if n.fabric in names]
        if self.name == FOLDERS:
            return find_normal_images(self.root)
        folders = self._class_folders("train/good")
        found = [NormalImages(f.name, tuple(list_images(f / "train" / "good")), are_strips=False) for f in folders]
        empty = [
            Message("folder-empty", "{folder} holds no pictures", folder=folder / "train" / "good")
            for folder, normal in zip(folders, found, strict=True)
            if not normal.paths
        ]
        if empty:
            raise DataError("classes-without-pictures", "{problems:\n}", problems=empty)
        return found

    def test_images(self) -> dict[str, list[TestImage]]:
        """The test pictures of every class that is there. Raises as ``normal_images``."""
        if self.name == "visa":
            return visa.test_images(self.root)
        if self.name == "aitex":
            raise DataError(
                "data-set-is-strips", "AITEX is strips of web, not pictures: judge on it with cras evaluate-web"
            )
        if self.name == FOLDERS:
            return find_test_images(self.root)
        folders = self._class_folders("test/good")
        missing = [
            Message(
                "class-without-masks",
                "{folder} has no masks: expected {masks}",
                folder=folder / "test" / kind.name,
                masks=folder / "ground_truth" / kind.name,
            )
            for folder in folders
            for kind in sorted(p for p in (folder / "test").iterdir() if p.is_dir())
            if kind.name != "good" and not (folder / "ground_truth" / kind.name).is_dir()
        ]
        if missing:
            raise DataError("classes-without-masks", "{problems:\n}", problems=missing)
        return {folder.name: pictures_of(folder.name, folder) for folder in folders}

    def strips(self) -> dict[str, list[Strip]]:
        """Strips with defects, of every fabric that is there. Raises as ``normal_images``."""
        if self.name == "aitex" and aitex.is_published(self.root):
            return aitex.strips(self.root)[0]
        if self.name == "aitex":
            names = _folders_of_aitex(self.root)
            return {name: found for name, found in find_strips(self.root).items() if name in names}
        if self.name == FOLDERS:
            return find_strips(self.root)
        raise DataError(
            "data-set-is-pictures",
            "{title} is pictures, not strips of web: judge on it with cras evaluate",
            title=DATA_SETS[self.name].title,
        )

    def left_out(self) -> list[Path]:
        """Strips with defects that have no mask, where the data set is known for that."""
        return aitex.strips(self.root)[1] if self.name == "aitex" and aitex.is_published(self.root) else []

    def stray_masks(self) -> list[Path]:
        """Masks of AITEX as published that belong to no strip; in other data sets they are an error."""
        return aitex.stray_masks(self.root) if self.name == "aitex" and aitex.is_published(self.root) else []

    def missing(self, fabrics: Iterable[str]) -> list[str]:
        """Classes that the data set has and this folder has not."""
        there = set(fabrics)
        known = DATA_SETS.get(self.name)
        return [c for c in known.classes if there.isdisjoint(c + e for e in known.endings)] if known else []

    def _class_folders(self, part: str) -> list[Path]:
        """Folders of the classes that are there; all must have the part. Raises DataError."""
        known = DATA_SETS[self.name]
        expected = Message(
            "classes-expected",
            "expected a folder for each class ({classes}) in it, each with train/good, test/<good or defect> and "
            "ground_truth/<defect>",
            classes=known.classes,
        )
        if not self.root.is_dir():
            raise DataError(
                "data-set-no-folder-of",
                "{root} is not a folder; {title}: {expected}",
                root=self.root,
                title=known.title,
                expected=expected,
            )
        folders = [self.root / (c + e) for c in known.classes for e in known.endings]
        folders = [f for f in folders if f.is_dir()]
        if not folders:
            raise DataError(
                "data-set-is-another",
                "{root} is not {title}: {expected}; it holds {contents}",
                root=self.root,
                title=known.title,
                expected=expected,
                contents=contents(self.root),
            )
        missing = [
            Message(
                "class-lacks-part",
                "{folder} has no {part}; it holds {contents}",
                folder=folder,
                part=part,
                contents=contents(folder),
            )
            for folder in folders
            if not (folder / part).is_dir()
        ]
        if missing:
            raise DataError(
                "classes-incomplete",
                "{title}: each with train/good, test/<good or defect> and ground_truth/<defect> is expected\n"
                "{problems:\n}",
                title=known.title,
                problems=missing,
            )
        return folders


def open_data_set(
    root: Path, name: str | None = None, *, skip_corrupt: bool = False, bits: int | None = None
) -> DataSet:
    """A data set by name and folder. Without a name VisA and AITEX as published are recognised; anything else is a
    folder of fabrics.

    Raises:
        DataError: there is no data set of that name.
    """
    if name is not None and name not in (*DATA_SETS, FOLDERS):
        raise DataError(
            "data-set-unknown",
            "there is no data set {name!r}; known are {known}",
            name=name,
            known=[*DATA_SETS, FOLDERS],
        )
    if name is None:
        name = "visa" if (root / visa.SPLIT).is_file() else "aitex" if aitex.is_published(root) else FOLDERS
    return DataSet(name, root, skip_corrupt, bits)


def _folders_of_aitex(root: Path) -> list[str]:
    """Fabrics of AITEX laid out as strips of one's own. Raises DataError."""
    layout = Message(
        "aitex-expected",
        "expected {normal}, {defect} and {mask} as published, or {first} to {last}, each with normal, defect and mask",
        normal=aitex.NORMAL,
        defect=aitex.DEFECT,
        mask=aitex.MASK,
        first=aitex.CLASSES[0],
        last=aitex.CLASSES[-1],
    )
    if not root.is_dir():
        raise DataError("aitex-no-folder", "{root} is not a folder; AITEX: {layout}", root=root, layout=layout)
    names = [name for name in aitex.CLASSES if (root / name).is_dir()]
    if not names:
        raise DataError(
            "aitex-without-fabrics",
            "{root} is not AITEX: {layout}; it holds {contents}",
            root=root,
            layout=layout,
            contents=contents(root),
        )
    return names
