"""What a data set holds, and the two layouts of folders that are understood without a name.

For one fabric or for a folder of fabrics (the named data sets are in ``datasets``):

- ``<fabric>/train/good``, ``<fabric>/test/<good or defect>``, ``<fabric>/ground_truth/<defect>``: MVTec AD and all
  that follow it (VisA, MPDD, ITDD);
- ``<fabric>/normal``: strips of any size, each a piece of web of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cras_core.data.values import Mask, NormalImages, Strip, TestImage
from cras_core.errors import DataError
from cras_core.images import in_natural_order, list_images
from cras_core.json_files import read_json
from cras_core.messages import Message, Sentence, shown


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
                    raise DataError("folder-empty", "{folder} holds no pictures", folder=folder / part)
                found.append(NormalImages(name, paths, are_strips))
                break
    if not found:
        raise DataError(
            "no-training-set",
            "{root} is not a data set for training: expected <fabric>/train/good (MVTec layout) or <fabric>/normal "
            "(strips) in it",
            root=root,
        )
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
        raise DataError(
            "good-cloth-no-folder", "{folder} is not a folder; name one with pictures of good cloth", folder=folder
        )
    for home in (folder, folder / fabric):
        for part, are_strips in (("train/good", False), ("normal", True)):
            if (home / part).is_dir():
                return _pictures_in(home / part, fabric, are_strips=are_strips)
    return _pictures_in(folder, fabric, are_strips=not are_tiles)


def _pictures_in(folder: Path, fabric: str, *, are_strips: bool) -> NormalImages:
    paths = tuple(list_images(folder))
    if not paths:
        raise DataError(
            "folder-without-pictures",
            "{folder} holds no pictures; in it are: {contents}",
            folder=folder,
            contents=contents(folder),
        )
    return NormalImages(fabric, paths, are_strips)


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
        raise DataError(
            "nothing-to-evaluate-on",
            "{root} holds nothing to evaluate on: expected <fabric>/test/good and <fabric>/test/<defect> with "
            "<fabric>/ground_truth/<defect>",
            root=root,
        )
    return found


def pictures_of(fabric: str, folder: Path) -> list[TestImage]:
    """The test pictures of one fabric in MVTec layout; ``folder / "test"`` is there.

    Raises:
        DataError: masks belong to no picture, or several to one.
    """
    kinds = sorted(p for p in (folder / "test").iterdir() if p.is_dir())
    found = [image for kind in kinds for image in _test_images(fabric, folder, kind)]
    truth = folder / "ground_truth"
    names = {kind.name for kind in kinds}
    strays = sorted(p for p in truth.iterdir() if p.is_dir() and p.name not in names) if truth.is_dir() else []
    lost = [mask for stray in strays for mask in list_images(stray)]
    _refuse_lost(lost, folder / "test")
    return found


def _test_images(fabric: str, folder: Path, kind: Path) -> list[TestImage]:
    truth = folder / "ground_truth" / kind.name
    pictures = list_images(kind)
    masks = masks_of([p.stem for p in pictures], truth, kind)
    return [
        TestImage(path, fabric, kind.name, Mask((masks[path.stem],)) if path.stem in masks else None)
        for path in pictures
    ]


def masks_of(stems: Sequence[str], truth: Path, pictures: Path) -> dict[str, Path]:
    """The mask of each picture, as far as there is one: ``<stem>_mask.*`` or ``<stem>.*``.

    Args:
        stems: of the pictures.
        truth: folder of the masks; may be missing.
        pictures: folder of the pictures, for messages.

    Raises:
        DataError: a mask belongs to no picture, or a picture has two.
    """
    known, found, lost = set(stems), dict[str, Path](), []
    for path in list_images(truth) if truth.is_dir() else []:
        stem = path.stem if path.stem in known else path.stem.removesuffix("_mask")
        if stem not in known:
            lost.append(path)
        elif stem in found:
            raise DataError(
                "picture-with-two-masks",
                "{mask} and {other} are both masks of {picture}; leave one of them",
                mask=found[stem],
                other=path.name,
                picture=pictures / stem,
            )
        else:
            found[stem] = path
    _refuse_lost(lost, pictures)
    return found


def _refuse_lost(masks: Sequence[Path], pictures: Path) -> None:
    if masks:
        raise DataError(
            "masks-without-picture",
            "masks that belong to no picture in {pictures}, {count}; name them as their pictures, with or without "
            "_mask, or remove them:\n{masks:\n}",
            pictures=pictures,
            count=len(masks),
            masks=masks,
        )


def find_strips(root: Path) -> dict[str, list[Strip]]:
    """Strips to judge a model by, ``<fabric>/defect`` with masks of the same name in ``<fabric>/mask``, by fabric.

    ``also_defective.json`` in the folder may name real defects that the masks leave out:
    ``{fabric: {file name: [[x, y, width, height, "what it is"], ...]}}``, in pixels.

    Raises:
        DataError: the folder is missing or holds no such strips, strips have no mask, or that file is not as it should.
    """
    unmarked = _unmarked_defects(root)
    found: dict[str, list[Strip]] = {}
    without = []
    for name, folder in _fabrics(root):
        if not (folder / "defect").is_dir():
            continue
        pictures = list_images(folder / "defect")
        if pictures and not (folder / "mask").is_dir():
            raise DataError(
                "strips-without-mask-folder",
                "{folder} has no masks: expected the folder {masks} beside it",
                folder=folder / "defect",
                masks=folder / "mask",
            )
        masks = masks_of([p.stem for p in pictures], folder / "mask", folder / "defect")
        for path in pictures:
            if path.stem in masks:
                also = unmarked.get(name, {}).get(path.name, [])
                boxes = tuple((x, y, x + width, y + height) for x, y, width, height, _ in also)
                found.setdefault(name, []).append(Strip(path, name, Mask((masks[path.stem],)), boxes))
            else:
                without.append(
                    Message(
                        "strip-without-mask",
                        "{path}: no mask for it in {folder}, expected {name} or {other}",
                        path=path,
                        folder=folder / "mask",
                        name=path.name,
                        other=f"{path.stem}_mask{path.suffix}",
                    )
                )
    if without:
        raise DataError("strips-without-mask", "{problems:\n}", problems=without)
    if not found:
        raise DataError(
            "no-strips-to-evaluate-on",
            "{root} holds no strips to evaluate on: expected <fabric>/defect and <fabric>/mask in it",
            root=root,
        )
    return found


_Unmarked = dict[str, dict[str, list[tuple[int, int, int, int, str]]]]


def _unmarked_defects(root: Path) -> _Unmarked:
    path = root / "also_defective.json"
    return read_json(path, _Unmarked) if path.exists() else {}


def listed(items: Sequence[str], between: str = "\n", most: int = 20) -> Sentence:
    """Items for a message, cut after so many."""
    rest = [f"and {len(items) - most} more"] if len(items) > most else []
    return Sentence(between.join([*items[:most], *rest]))


def contents(folder: Path, most: int = 12) -> Sentence:
    """What is in a folder, for a message."""
    names = [shown(f"{p.name}/" if p.is_dir() else p.name) for p in in_natural_order(folder.iterdir())]
    return listed(names, ", ", most) or Sentence("nothing")


def _fabrics(root: Path) -> list[tuple[str, Path]]:
    """(name, folder) of what may be a fabric: the root itself, or its sub-folders."""
    if not root.is_dir():
        raise DataError(
            "data-set-no-folder",
            "{root} is not a folder; expected <fabric>/train/good (MVTec layout) or <fabric>/normal (strips) in it",
            root=root,
        )
    if any((root / part).is_dir() for part in ("train/good", "normal", "test", "defect")):
        return [(root.resolve().name, root)]
    return [(p.name, p) for p in in_natural_order(p for p in root.iterdir() if p.is_dir())]
