"""A fabric with its samples, labels and recipe in one file, to carry it from one machine to another.

A ``*.fabric`` is a zip with ``archive.json`` first, then ``fabric.json`` and ``samples/<id>.png`` and ``.json`` as the
store keeps them. Such files come from elsewhere, so nothing in them is believed: names, sizes, number and content of
all entries are looked at before the store sees any of it, and what is refused leaves nothing behind.
"""

from __future__ import annotations

import io
import json
import re
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image as PillowImage

from cras_core.data.samples.files import FABRIC_FILE, LARGEST_PICTURE, LARGEST_TEXT, parse_fabric, parse_sample
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError
from cras_core.json_files import parse_json
from cras_core.messages import Sentence
from cras_core.validated import Plain, validated

OnProgress = Callable[[Path, int, int], None]
ShouldStop = Callable[[], bool]

FORMAT = "cras-fabric-archive"
VERSION = 1
ENDING = ".fabric"

MOST_SAMPLES = 100_000
LARGEST_TOTAL = 64 << 30
LARGEST_RATIO = 200  # unpacked by packed; texts of samples reach 10, a bomb 1000
MOST_PIXELS = 64_000_000  # of one picture

_HEAD, _FABRIC = "archive.json", FABRIC_FILE
_ENTRY = re.compile(r"samples/(?P<id>[A-Za-z0-9][A-Za-z0-9._-]{0,150})\.(?P<kind>png|json)")
_PNG = b"\x89PNG\r\n\x1a\n"
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    PillowImage.DecompressionBombError,
)  # how zipfile and Pillow say that something is broken, encrypted or packed in an unusual way


def export_fabric(
    store: SampleStore,
    name: str,
    path: Path,
    on_progress: OnProgress = lambda *_: None,
    should_stop: ShouldStop = lambda: False,
) -> int:
    """Writes a fabric with all its samples, also those thrown out, whole or not at all; returns how many.

    Args:
        store: holds it.
        name: of the fabric.
        path: the file; one that is there is replaced.
        on_progress: told after each sample how many are done, of how many.
        should_stop: asked as often; nothing is written when it says yes.

    Raises:
        DataError: there is no such fabric, a sample cannot be read, the file cannot be written, or it was stopped.
    """
    folder = store.folder(name)
    samples = store.samples(name)
    head = {"format": FORMAT, "version": VERSION, "samples": len(samples)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
            temporary = Path(beside) / path.name
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_HEAD, json.dumps(head))
                archive.write(folder / _FABRIC, _FABRIC)
                for done, sample in enumerate(samples, start=1):
                    if should_stop():
                        raise DataError("export-stopped", "The export was stopped; nothing was written.")
                    image = store.image_path(sample)
                    archive.write(image, f"samples/{sample.id}.png", zipfile.ZIP_STORED)
                    archive.write(image.with_suffix(".json"), f"samples/{sample.id}.json")
                    on_progress(image, done, len(samples))
            temporary.replace(path)
    except OSError as error:
        raise DataError(
            "file-unwritable-elsewhere",
            "{path} cannot be written: {reason}. Choose another place.",
            path=path,
            reason=error,
        ) from error
    return len(samples)


def import_fabric(
    path: Path,
    store: SampleStore,
    as_name: str | None = None,
    on_progress: OnProgress = lambda *_: None,
    should_stop: ShouldStop = lambda: False,
) -> FabricRecord:
    """Reads a fabric into the store.

    Args:
        path: the file.
        store: takes a new fabric.
        as_name: name of it there; None means as it was called.
        on_progress: told after each sample how many are done, of how many.
        should_stop: asked as often; the store is as it was when it says yes.

    Raises:
        DataError: the file is damaged, of a newer version or not what it should be, the name is taken, the disk cannot
            be written, or it was stopped. The store is as it was.
    """
    if not path.is_file():
        raise DataError("file-missing", "{path}: there is no such file", path=path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked(archive, path)
            record = parse_fabric(archive.read(entries[_FABRIC]), f"{path}, {_FABRIC}")
            record = record if as_name is None else replace(record, name=as_name)
            store.check_free(record.name)
            with store.staging() as side:
                side.begin(record)
                ids = sorted(m["id"] for m in map(_ENTRY.fullmatch, entries) if m and m["kind"] == "png")
                for done, name in enumerate(ids, start=1):
                    if should_stop():
                        raise DataError("import-stopped", "The import was stopped; the store is as it was.")
                    _take(archive, entries, name, side, record.name, path)
                    on_progress(path, done, len(ids))
                return store.adopt(side.folder(record.name))
    except _BROKEN as error:
        raise DataError(
            "archive-damaged",
            "{path} cannot be imported: it is damaged or cut off ({reason}). Export it again.",
            path=path,
            reason=error,
        ) from error


def _checked(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The entries by name; nothing is unpacked before all of them are as they should be. Raises DataError."""
    entries = archive.infolist()
    if len(entries) > 2 * MOST_SAMPLES + 2:
        raise DataError(
            "archive-of-too-many-entries",
            "{path} cannot be imported: it has {count} entries, more than any fabric.",
            path=path,
            count=len(entries),
        )
    for entry in entries:
        for problem in _problems(entry):
            raise DataError(
                "archive-entry-refused",
                "{path} cannot be imported: its entry {entry!r} {problem}.",
                path=path,
                entry=entry.filename,
                problem=Sentence(problem),
            )
    if sum(e.file_size for e in entries) > LARGEST_TOTAL:
        raise DataError(
            "archive-too-large",
            "{path} cannot be imported: it unpacks to more than {most_gib} GiB.",
            path=path,
            most_gib=LARGEST_TOTAL >> 30,
        )
    twice = [name for name, n in Counter(e.filename.casefold() for e in entries).items() if n > 1]
    if twice:
        raise DataError(
            "archive-entry-twice",
            "{path} cannot be imported: it has {entry!r} more than once.",
            path=path,
            entry=twice[0],
        )
    by_name = {e.filename: e for e in entries}
    if _HEAD not in by_name or _FABRIC not in by_name:
        raise DataError(
            "archive-of-something-else",
            "{path} cannot be imported: it is a zip of something else.",
            path=path,
        )
    head = parse_json(archive.read(by_name[_HEAD]), _Head, f"{path}, {_HEAD}")
    if head.format != FORMAT:
        raise DataError(
            "archive-of-something-else",
            "{path} cannot be imported: it is a zip of something else.",
            path=path,
        )
    if head.version != VERSION:
        raise DataError(
            "archive-version",
            "{path} cannot be imported: it is of version {version!r}, this program reads {known}; update the program.",
            path=path,
            version=head.version,
            known=VERSION,
        )
    alone = [name for name in by_name if name.startswith("samples/") and _other(name) not in by_name]
    if alone or head.samples is None or 2 * head.samples + 2 != len(entries):
        raise DataError(
            "archive-not-whole",
            "{path} cannot be imported: it is not whole, {missing} missing. Export it again.",
            path=path,
            missing=_other(alone[0]) if alone else "samples",
        )
    return by_name


def _problems(entry: zipfile.ZipInfo) -> Iterator[str]:
    name = entry.orig_filename
    match = _ENTRY.fullmatch(name)
    if match is None and name not in (_HEAD, _FABRIC):
        yield "has no place in a fabric"
    if entry.is_dir() or stat.S_ISLNK(entry.external_attr >> 16):
        yield "is no file"
    if entry.flag_bits & 1:
        yield "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield "is packed in an unusual way"
    largest = LARGEST_PICTURE if match and match["kind"] == "png" else LARGEST_TEXT
    if entry.file_size > largest:
        yield f"is {entry.file_size >> 20} MiB large; at most {largest >> 20} are taken"
    if entry.file_size > LARGEST_RATIO * max(entry.compress_size, 64):
        yield "unpacks to very much more than it holds"


def _other(name: str) -> str:
    """The text of a picture, the picture of a text."""
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{'json' if kind == 'png' else 'png'}"


@validated("", DataError, takes_more=True)
class _Head:
    """What an archive says of itself."""

    format: Plain = None
    version: Plain = None
    samples: int | None = None


def _take(
    archive: zipfile.ZipFile,
    entries: dict[str, zipfile.ZipInfo],
    name: str,
    side: SampleStore,
    fabric: str,
    path: Path,
) -> None:
    """Puts one sample into the store at the side. Raises DataError and whatever ``_BROKEN`` lists."""
    text = archive.read(entries[f"samples/{name}.json"])
    sample: Sample = replace(parse_sample(text, f"{path}, {name}.json"), id=name, fabric=fabric)
    data = archive.read(entries[f"samples/{name}.png"])
    if not data.startswith(_PNG):
        raise DataError(
            "archive-picture-no-png",
            "{path} cannot be imported: its {name}.png is no PNG.",
            path=path,
            name=name,
        )
    with PillowImage.open(io.BytesIO(data), formats=["PNG"]) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(
                "archive-picture-too-large",
                "{path} cannot be imported: its {name}.png is {width} x {height} px large.",
                path=path,
                name=name,
                width=picture.width,
                height=picture.height,
            )
        if picture.mode not in ("L", "RGB"):
            raise DataError(
                "archive-picture-of-other-kind",
                "{path} cannot be imported: its {name}.png is neither grey nor RGB of 8 bit.",
                path=path,
                name=name,
            )
        picture.load()
    side.put(sample, data)
