"""What a data set holds, and the two layouts of folders that are understood without a name.

For one fabric or for a folder of fabrics (the named data sets are in ``datasets``):

- ``<fabric>/train/good``, ``<fabric>/test/<good or defect>``, ``<fabric>/ground_truth/<defect>``: MVTec AD and all
  that follow it (VisA, MPDD, ITDD);
- ``<fabric>/normal``: strips of any size, each a piece of web of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.errors import DataError
from cras_core.images import list_images, natural_key, read_image

_EXPECTED = "expected <fabric>/train/good (MVTec layout) or <fabric>/normal (strips) in it"

GREY_ABOVE = 127
"""Grey level of a mask above which a pixel is defective."""


@dataclass(frozen=True, slots=True)
class Piece:
    """How a picture was cut from a running web.

    Attributes:
        web: the unbroken cloth that it comes from; pictures of one web are never on both sides of a split.
        left_px, right_px: columns of the picture between which the web is inspected; None where the cloth runs on
            beyond the picture.
    """

    web: str
    left_px: float | None = None
    right_px: float | None = None

    def bounds(self, width_px: int) -> tuple[float, float]:
        """The same within a picture of this width."""
        left = 0.0 if self.left_px is None else min(max(0.0, self.left_px), float(width_px))
        right = float(width_px) if self.right_px is None else min(max(0.0, self.right_px), float(width_px))
        return left, right


@dataclass(frozen=True, slots=True)
class NormalImages:
    """Normal pictures of one fabric.

    Attributes:
        fabric: its name.
        paths: the pictures, in natural order.
        are_strips: pieces of web, to be cut into tiles; otherwise each picture is one tile.
        skipped: pictures that were left out because they cannot be read.
        pieces: how each picture was cut from a web, one for each; empty where nobody knows.
    """

    fabric: str
    paths: tuple[Path, ...]
    are_strips: bool
    skipped: tuple[Path, ...] = ()
    pieces: tuple[Piece, ...] = ()

    def held_back(self, share: float, seed: int) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """(train, held back): a fixed choice of pictures by seed. A single picture is in both.

        Whole webs are held back as far as their number allows: pictures of one web are too alike to learn from one and
        set limits by the other. Where that would leave too little or hold back more than half, pictures are chosen.
        """
        if len(self.paths) == 1:
            return self.paths, self.paths
        n = min(len(self.paths) - 1, max(1, round(share * len(self.paths))))
        order = np.random.default_rng(seed).permutation(len(self.paths)).tolist()
        chosen = self._whole_webs(order, n) or set(order[:n])
        return tuple(p for i, p in enumerate(self.paths) if i not in chosen), tuple(
            p for i, p in enumerate(self.paths) if i in chosen
        )

    def piece(self, path: Path) -> Piece | None:
        """How one of the pictures was cut; None where nobody knows."""
        return self.pieces[self.paths.index(path)] if self.pieces else None

    def only(self, paths: Sequence[Path]) -> NormalImages:
        """The same fabric with some of its pictures."""
        pieces = tuple(self.pieces[self.paths.index(p)] for p in paths) if self.pieces else ()
        return replace(self, paths=tuple(paths), pieces=pieces)

    def _whole_webs(self, order: Sequence[int], least: int) -> set[int]:
        """At least so many pictures, all that their webs have, in the order of their first pictures; none where these
        would be more than half.
        """
        chosen: set[int] = set()
        webs = [piece.web for piece in self.pieces]
        for i in order if len(set(webs)) > 1 else ():
            if len(chosen) >= least:
                break
            whole = {j for j, web in enumerate(webs) if web == webs[i]}
            if len(chosen | whole) <= max(least, len(self.paths) // 2):
                chosen |= whole
        return chosen if len(chosen) >= max(1, least // 2) else set()


def find_normal_images(root: Path) -> list[NormalImages]:
    """The fabrics of a data set for training, by name.

    Raises:
        DataError: the folder is missing, or holds no fabric.
    """
    found: list[NormalImages] = []
    for name, folder in _fabrics(root):
        for part, are_strips in (("train/good", False), ("normal", True)):
            if (folder / part).is_dir():
                paths = tuple(list_images(folder / part))
                if not paths:
                    raise DataError(f"{folder / part} holds no pictures")
                found.append(NormalImages(name, paths, are_strips))
                break
    if not found:
        raise DataError(f"{root} is not a data set for training: {_EXPECTED}")
    return found


def find_good_cloth(folder: Path, fabric: str, *, are_tiles: bool = False) -> NormalImages:
    """The good cloth of one fabric, to be enrolled under that name.

    Args:
        folder: holds ``normal`` (strips) or ``train/good`` (tiles), itself or in ``<fabric>``; or just pictures.
        fabric: its name in the model, whatever the folder is called.
        are_tiles: of just pictures, each is one tile; otherwise they are strips.

    Raises:
        DataError: the folder is missing, or holds no pictures.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name one with pictures of good cloth")
    for home in (folder, folder / fabric):
        for part, are_strips in (("train/good", False), ("normal", True)):
            if (home / part).is_dir():
                return _pictures_in(home / part, fabric, are_strips=are_strips)
    return _pictures_in(folder, fabric, are_strips=not are_tiles)


def _pictures_in(folder: Path, fabric: str, *, are_strips: bool) -> NormalImages:
    paths = tuple(list_images(folder))
    if not paths:
        raise DataError(f"{folder} holds no pictures; in it are: {contents(folder)}")
    return NormalImages(fabric, paths, are_strips)


@dataclass(frozen=True, slots=True)
class Mask:
    """Where a picture is defective, on disk.

    Attributes:
        paths: pictures as large as the one they belong to; a pixel is defective where one of them says so.
        above: grey level above which a pixel is defective; 0 for masks that hold labels.
    """

    paths: tuple[Path, ...]
    above: int = GREY_ABOVE

    def read_grey(self, picture: Path, height: int, width: int) -> npt.NDArray[np.uint8]:
        """(H, W) the brightest of all masks and channels. Raises DataError when one is of another size."""
        grey = np.zeros((height, width), np.uint8)
        for path in self.paths:
            mask = read_image(path)
            mask = mask if mask.ndim == 2 else mask.max(axis=2)
            if mask.shape != (height, width):
                raise DataError(
                    f"{path} is {mask.shape[1]} x {mask.shape[0]} px, its picture {picture.name} {width} x {height} px"
                )
            np.maximum(grey, mask, out=grey)
        return grey


@dataclass(frozen=True, slots=True)
class TestImage:
    """One picture to judge a model by."""

    __test__ = False

    path: Path
    fabric: str
    defect: str  # "good" or the name of the defect
    mask: Mask | None

    @property
    def is_good(self) -> bool:
        """Nothing on it is defective, whatever masks there are."""
        return self.defect == "good"

    def read_mask(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """(H, W) bool; all false for a good picture. Grey levels above half count as defective.

        Raises:
            DataError: the mask is missing or of another size.
        """
        if self.is_good:
            return np.zeros((height, width), np.bool_)
        if self.mask is None:
            names = f"{self.path.stem}_mask.png or {self.path.stem}.png"
            raise DataError(f"{self.path}: no mask for it in ground_truth/{self.defect}, expected {names}")
        return np.asarray(self.mask.read_grey(self.path, height, width) > self.mask.above)


def find_test_images(root: Path) -> dict[str, list[TestImage]]:
    """The test pictures of a data set in MVTec layout, by fabric; a fabric may have none, all together may not.

    Raises:
        DataError: the folder is missing, or holds no test pictures.
    """
    found: dict[str, list[TestImage]] = {}
    for name, folder in _fabrics(root):
        if (folder / "test").is_dir():
            found[name] = pictures_of(name, folder)
    if not any(found.values()):
        expected = "<fabric>/test/good and <fabric>/test/<defect> with <fabric>/ground_truth/<defect>"
        raise DataError(f"{root} holds nothing to evaluate on: expected {expected}")
    return found


def pictures_of(fabric: str, folder: Path) -> list[TestImage]:
    """The test pictures of one fabric in MVTec layout; ``folder / "test"`` is there."""
    kinds = sorted(p for p in (folder / "test").iterdir() if p.is_dir())
    return [image for kind in kinds for image in _test_images(fabric, folder, kind)]


def _test_images(fabric: str, folder: Path, kind: Path) -> Iterator[TestImage]:
    truth = folder / "ground_truth" / kind.name
    masks = {p.stem: p for p in list_images(truth)} if truth.is_dir() else {}
    for path in list_images(kind):
        mask = masks.get(f"{path.stem}_mask") or masks.get(path.stem)
        yield TestImage(path, fabric, kind.name, Mask((mask,)) if mask else None)


@dataclass(frozen=True, slots=True)
class Strip:
    """A strip of web with defects and the mask of them."""

    path: Path
    fabric: str
    mask: Mask

    @property
    def is_good(self) -> bool:
        """Strips to judge by are defective; which pixels are, the mask says."""
        return False

    def read_mask(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """(H, W) bool. Raises DataError when the mask is of another size."""
        return np.asarray(self.mask.read_grey(self.path, height, width) > self.mask.above)


def find_strips(root: Path) -> dict[str, list[Strip]]:
    """Strips to judge a model by, ``<fabric>/defect`` with masks of the same name in ``<fabric>/mask``, by fabric.

    Raises:
        DataError: the folder is missing or holds no such strips, or strips have no mask.
    """
    found: dict[str, list[Strip]] = {}
    without = []
    for name, folder in _fabrics(root):
        if not (folder / "defect").is_dir():
            continue
        pictures = list_images(folder / "defect")
        if pictures and not (folder / "mask").is_dir():
            raise DataError(f"{folder / 'defect'} has no masks: expected the folder {folder / 'mask'} beside it")
        masks = {p.stem.removesuffix("_mask"): p for p in list_images(folder / "mask")} if pictures else {}
        for path in pictures:
            if path.stem in masks:
                found.setdefault(name, []).append(Strip(path, name, Mask((masks[path.stem],))))
            else:
                expected = f"expected {path.stem}{path.suffix} or {path.stem}_mask{path.suffix}"
                without.append(f"{path}: no mask for it in {folder / 'mask'}, {expected}")
    if without:
        raise DataError(listed(without))
    if not found:
        raise DataError(f"{root} holds no strips to evaluate on: expected <fabric>/defect and <fabric>/mask in it")
    return found


def listed(items: Sequence[str], between: str = "\n", most: int = 20) -> str:
    """Items for a message, cut after so many."""
    rest = [f"and {len(items) - most} more"] if len(items) > most else []
    return between.join([*items[:most], *rest])


def contents(folder: Path, most: int = 12) -> str:
    """What is in a folder, for a message."""
    names = [f"{p.name}/" if p.is_dir() else p.name for p in sorted(folder.iterdir(), key=natural_key)]
    return listed(names, ", ", most) or "nothing"


def _fabrics(root: Path) -> list[tuple[str, Path]]:
    """(name, folder) of what may be a fabric: the root itself, or its sub-folders."""
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; {_EXPECTED}")
    if any((root / part).is_dir() for part in ("train/good", "normal", "test", "defect")):
        return [(root.resolve().name, root)]
    return [(p.name, p) for p in sorted((p for p in root.iterdir() if p.is_dir()), key=natural_key)]
