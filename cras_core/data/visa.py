"""VisA as its authors publish it: pictures by class, and a csv file that says which are for training and for testing.

Zou et al., SPot-the-Difference, ECCV 2022; ``split_csv/1cls.csv`` is the split that all papers of this field use.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from cras_core.data.folders import contents
from cras_core.data.values import Mask, NormalImages, TestImage
from cras_core.errors import DataError
from cras_core.files import is_inside
from cras_core.images import in_natural_order
from cras_core.json_files import read_bytes
from cras_core.messages import Message

SPLIT = Path("split_csv", "1cls.csv")
COLUMNS = ("object", "split", "label", "image", "mask")
CLASSES = (
    "candle", "capsules", "cashew", "chewinggum", "fryum", "macaroni1", "macaroni2", "pcb1", "pcb2", "pcb3", "pcb4",
    "pipe_fryum",
)  # fmt: skip

_LARGEST_BYTES = 256 << 20  # of the csv file
_LABELLED_ABOVE = 0  # its masks hold labels of kinds of defects, 1, 2, 3 ..., not grey levels


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the csv file."""

    line: int
    fabric: str
    is_training: bool
    is_normal: bool
    picture: Path
    mask: Path | None


def normal_images(root: Path) -> list[NormalImages]:
    """The normal pictures of the classes that are there.

    Raises:
        DataError: the csv file is missing or is not as expected, or a picture that it names is missing.
    """
    found: dict[str, list[Path]] = {}
    for row in _rows(root):
        if row.is_training:
            found.setdefault(row.fabric, []).append(row.picture)
    return [NormalImages(name, tuple(in_natural_order(p)), are_strips=False) for name, p in found.items()]


def test_images(root: Path) -> dict[str, list[TestImage]]:
    """The test pictures of the classes that are there. Raises as ``normal_images``."""
    found: dict[str, list[TestImage]] = {}
    for row in _rows(root):
        if not row.is_training:
            mask = None if row.is_normal or row.mask is None else Mask((row.mask,), _LABELLED_ABOVE)
            kind = "good" if row.is_normal else "anomaly"
            found.setdefault(row.fabric, []).append(TestImage(row.picture, row.fabric, kind, mask))
    return found


def _rows(root: Path) -> list[_Row]:
    """The lines whose class has a folder. Raises DataError."""
    if not root.is_dir():
        raise DataError(
            "visa-no-folder",
            "{root} is not a folder; expected VisA with {split} in it",
            root=root,
            split=SPLIT.as_posix(),
        )
    path = root / SPLIT
    if not path.is_file():
        raise DataError(
            "visa-without-split",
            "{root} is not VisA: expected {split} in it, and the pictures where that says; it holds {contents}. VisA "
            "in MVTec layout is read without naming the data set.",
            root=root,
            split=SPLIT.as_posix(),
            contents=contents(root),
        )
    try:
        text = read_bytes(path, _LARGEST_BYTES).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                "visa-column-missing",
                "{path} lacks the column {missing}: expected {columns}; it has {found}",
                path=path,
                missing=missing,
                columns=COLUMNS,
                found=list(reader.fieldnames or ("none",)),
            )
        rows = [_row(root, path, reader.line_num, values) for values in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            "visa-table-unreadable", "{path} cannot be read as a csv file: {reason}", path=path, reason=error
        ) from error
    named = sorted({row.fabric for row in rows})
    there = {name for name in named if (root / name).is_dir()}
    if not there:
        raise DataError(
            "visa-without-classes",
            "{root} has none of the class folders that {path} names, {named}; it holds {contents}",
            root=root,
            path=path,
            named=named or "which are none",
            contents=contents(root),
        )
    rows = [row for row in rows if row.fabric in there]
    _check_files(path, rows)
    return rows


def _row(root: Path, path: Path, line: int, values: dict[str, str | None]) -> _Row:
    fabric, split, label, picture, mask = ((values[c] or "").strip() for c in COLUMNS)
    if not fabric or not picture:
        raise DataError(
            "visa-row-incomplete", "{path}, line {line}: object and image must not be empty", path=path, line=line
        )
    for column, value, known in (("split", split, ("train", "test")), ("label", label, ("normal", "anomaly"))):
        if value not in known:
            raise DataError(
                "visa-value-unknown",
                "{path}, line {line}: {column} is {value!r}; expected {known: or }",
                path=path,
                line=line,
                column=column,
                value=value,
                known=known,
            )
    if split == "train" and label != "normal":
        raise DataError(
            "visa-trains-on-anomaly",
            "{path}, line {line}: an anomaly to train on; expected normal pictures only, as in 1cls.csv",
            path=path,
            line=line,
        )
    if label == "anomaly" and not mask:
        raise DataError(
            "visa-mask-not-named",
            "{path}, line {line}: the column mask is empty; expected the mask of {picture}",
            path=path,
            line=line,
            picture=picture,
        )
    for name in filter(None, (fabric, picture, mask)):
        if not is_inside(name):
            raise DataError(
                "visa-file-elsewhere",
                "{path}, line {line}: {name!r} cannot be a file in the folder of the data set",
                path=path,
                line=line,
                name=name,
            )
    return _Row(line, fabric, split == "train", label == "normal", root / picture, root / mask if mask else None)


def _check_files(path: Path, rows: list[_Row]) -> None:
    missing = [
        Message("visa-file-missing", "{path}, line {line}: expected {file}", path=path, line=row.line, file=file)
        for row in rows
        for file in (row.picture, None if row.is_normal else row.mask)
        if file is not None and not file.is_file()
    ]
    if missing:
        raise DataError(
            "visa-files-missing",
            "{count} files that are named are not there:\n{files:\n}",
            count=len(missing),
            files=missing,
        )
