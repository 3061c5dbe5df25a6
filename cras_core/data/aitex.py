"""The AITEX fabric image database as it is published: strips named ``nnnn_ddd_ff.png``, running number, code of the
defect (000 is none) and code of the fabric.

Silvestre-Blanes et al., A public fabric database for defect detection methods and results, AUTEX Research Journal
19(4), 2019. Two of its pictures have two masks, ``_mask1`` and ``_mask2``; one has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cras_core.data.folders import contents
from cras_core.data.values import Mask, NormalImages, Strip
from cras_core.errors import DataError
from cras_core.images import in_natural_order, list_images

NORMAL, DEFECT, MASK = "NODefect_images", "Defect_images", "Mask_images"
CLASSES = tuple(f"fabric_{k:02}" for k in range(7))

_NAME = re.compile(r"\d+_(?P<defect>\d+)_(?P<fabric>\d+)")
_MASK_NAME = re.compile(r"(?P<picture>.+)_mask\d*")


def is_published(root: Path) -> bool:
    """Whether a folder looks as the database is published."""
    return any((root / part).is_dir() for part in (NORMAL, DEFECT, MASK))


def normal_images(root: Path) -> list[NormalImages]:
    """Strips without defects, of any fabric; in the folder or one below it.

    Raises:
        DataError: the folder is missing, or a name is not as expected.
    """
    folder = _part(root, NORMAL)
    found: dict[str, list[Path]] = {}
    for place in [folder, *in_natural_order(p for p in folder.iterdir() if p.is_dir())]:
        for path, fabric in _named(place):
            found.setdefault(fabric, []).append(path)
    if not found:
        raise DataError(
            "aitex-fabric-empty",
            "{folder} holds no pictures: expected <fabric>/nnnn_000_ff.png in it; it holds {contents}",
            folder=folder,
            contents=contents(folder),
        )
    return [NormalImages(name, tuple(in_natural_order(found[name])), are_strips=True) for name in sorted(found)]


def strips(root: Path) -> tuple[dict[str, list[Strip]], list[Path]]:
    """Strips with defects and their masks, and those that have no mask.

    Raises:
        DataError: a folder is missing, a name is not as expected, or no strip has a mask.
    """
    folder, mask_folder = _part(root, DEFECT), _part(root, MASK)
    masks: dict[str, list[Path]] = {}
    for path in list_images(mask_folder):
        match = _MASK_NAME.fullmatch(path.stem)
        masks.setdefault(match["picture"] if match else path.stem, []).append(path)
    found: dict[str, list[Strip]] = {}
    without = []
    for path, fabric in _named(folder):
        if path.stem in masks:
            found.setdefault(fabric, []).append(Strip(path, fabric, Mask(tuple(masks[path.stem]))))
        else:
            without.append(path)
    if not found:
        raise DataError(
            "aitex-without-masks",
            "{folder} holds no strip with a mask: expected nnnn_ddd_ff.png in it and nnnn_ddd_ff_mask.png in "
            "{mask_folder}, which holds {contents}",
            folder=folder,
            mask_folder=mask_folder,
            contents=contents(mask_folder),
        )
    return {name: found[name] for name in sorted(found)}, without


def stray_masks(root: Path) -> list[Path]:
    """Masks that belong to no strip with defects. Raises DataError where a folder is missing."""
    known = {path.stem for path in list_images(_part(root, DEFECT))}
    found = []
    for path in list_images(_part(root, MASK)):
        match = _MASK_NAME.fullmatch(path.stem)
        if (match["picture"] if match else path.stem) not in known:
            found.append(path)
    return found


def _part(root: Path, name: str) -> Path:
    if not (root / name).is_dir():
        raise DataError(
            "aitex-part-missing",
            "{root} has no {name}: AITEX is published as {normal}, {defect} and {mask}; it holds {contents}",
            root=root,
            name=name,
            normal=NORMAL,
            defect=DEFECT,
            mask=MASK,
            contents=contents(root),
        )
    return root / name


def _named(folder: Path) -> Iterator[tuple[Path, str]]:
    """Pictures and the fabrics that their names tell."""
    for path in list_images(folder):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise DataError(
                "aitex-name-wrong",
                "{path}: expected a name nnnn_ddd_ff: running number, code of the defect, code of the fabric",
                path=path,
            )
        yield path, f"fabric_{int(match['fabric']):02}"
