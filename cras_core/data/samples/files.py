"""How a fabric and a sample lie on disk: ``fabric.json``, and ``<id>.png`` with ``<id>.json`` for each sample."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Literal

import cv2

from cras_core.arrays import Image
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError, JsonFileError
from cras_core.files import write_atomically
from cras_core.json_files import parse_json, read_bytes
from cras_core.messages import Sentence
from cras_core.validated import Plain, validated

FABRIC_FILE = "fabric.json"
SAMPLE_FOLDER = "samples"

FORMAT: Literal["cras-fabric"] = "cras-fabric"
VERSION: Literal[1] = 1

LARGEST_PICTURE = 64 << 20
"""Bytes of a tile."""

LARGEST_TEXT = 4 << 20
"""Bytes of the text of a fabric or a sample; those with many labels have a hundredth of it."""


@validated("", DataError, takes_more=True)
class _Head:
    """What says whether the rest can be read."""

    format: Plain = None
    version: Plain = None


@validated("", DataError)
class _FabricFile(FabricRecord):
    """A fabric as it is written."""

    format: Literal["cras-fabric"] = FORMAT
    version: Literal[1] = VERSION


def fabric_bytes(record: FabricRecord) -> bytes:
    """The inverse of ``parse_fabric``."""
    return (json.dumps({"format": FORMAT, "version": VERSION, **asdict(record)}, indent=1) + "\n").encode()


def parse_fabric(data: bytes, where: str) -> FabricRecord:
    """A fabric from its text. Raises DataError that names ``where``."""
    head = parse_json(data, _Head, where)
    if head.format != FORMAT:
        raise DataError("not-a-fabric", "{where} is not the description of a fabric.", where=where)
    if head.version != VERSION:
        newer = isinstance(head.version, int) and head.version > VERSION
        way = "Update this program." if newer else "It cannot be used."
        raise DataError(
            "fabric-file-version",
            "{where} is of version {version!r}; this program reads version {known}. {way_out}",
            where=where,
            version=head.version,
            known=VERSION,
            way_out=Sentence(way),
        )
    file = parse_json(data, _FabricFile, where)
    try:
        check_name(file.name)
    except DataError as error:
        raise DataError("fabric-file-wrong", "{where}: {reason}", where=where, reason=error) from error
    return FabricRecord(**{f.name: getattr(file, f.name) for f in fields(FabricRecord)})


def read_fabric(folder: Path) -> FabricRecord:
    """The fabric of a folder of the store. Raises DataError."""
    path = folder / FABRIC_FILE
    return parse_fabric(_read(path), str(path))


def sample_bytes(sample: Sample) -> bytes:
    """The inverse of ``parse_sample``."""
    value = {f.name: getattr(sample, f.name) for f in fields(Sample) if f.name != "labels"}
    value["labels"] = [label.to_json() for label in sample.labels]
    return (json.dumps(value, indent=1) + "\n").encode()


def parse_sample(data: bytes, where: str) -> Sample:
    """A sample from its text. Raises DataError that names ``where``."""
    return parse_json(data, Sample, where)


def read_sample(path: Path) -> Sample:
    """The sample of a text of the store; its id is the name of its file, whatever it says. Raises DataError."""
    sample = parse_sample(_read(path), str(path))
    if not path.with_suffix(".png").is_file():
        raise DataError(
            "sample-without-picture",
            "{path} has no picture {picture} beside it. Delete it.",
            path=path,
            picture=f"{path.stem}.png",
        )
    return replace(sample, id=path.stem)


def sample_texts(folder: Path) -> list[Path]:
    """The texts of all samples of a fabric's folder."""
    samples = folder / SAMPLE_FOLDER
    return sorted(p for p in samples.glob("*.json") if not p.name.startswith(".")) if samples.is_dir() else []


def write_store_file(path: Path, data: bytes) -> None:
    """Writes a file of the store, whole or not at all. Raises DataError."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise DataError(
            "sample-file-unwritable",
            "{path} cannot be written: {reason}. Free some space; what was collected until now is kept.",
            path=path,
            reason=error,
        ) from error


def encode_png(image: Image) -> bytes:
    """(H, W) grey or (H, W, 3) RGB uint8 as PNG."""
    ok, data = cv2.imencode(".png", image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not ok:
        raise DataError(
            "tile-not-encodable",
            "a tile of {shape: x } {dtype} cannot be encoded",
            shape=image.shape,
            dtype=image.dtype,
        )
    return data.tobytes()


def safe_id(*parts: object) -> str:
    """A sample id of some parts."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(str(p) for p in parts)).lstrip("._-")
    return text[-150:].lstrip("._-") or "sample"


def check_name(name: str) -> None:
    """Raises DataError where a fabric cannot have this name."""
    if not name.strip() or len(name) > 80 or any(ord(c) < 32 for c in name) or name != name.strip():
        raise DataError(
            "fabric-name-impossible",
            "A fabric cannot be called {name!r}: 1 to 80 characters, no blanks at the ends.",
            name=name,
        )


def new_folder(root: Path, name: str) -> Path:
    """A folder of the store that a new fabric of this name gets; it is not there yet."""
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._")[:60] or "fabric"
    folder, n = root / stem, 1
    while folder.exists():
        n += 1
        folder = root / f"{stem}-{n}"
    return folder


def read_picture_bytes(path: Path) -> bytes:
    """The file of a tile as it is. Raises DataError."""
    return read_bytes(path, LARGEST_PICTURE)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, LARGEST_TEXT)
    except JsonFileError as error:
        raise JsonFileError(
            "store-file-unusable", "{reason}. Delete it or restore a copy.", reason=error, fault=error.fault
        ) from error
