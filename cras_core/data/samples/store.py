"""Samples of cloth that a model is taught with, on disk: one folder for each fabric, one picture and one small text for
each sample.

    <root>/<fabric>/fabric.json
    <root>/<fabric>/samples/<id>.png      the tile
    <root>/<fabric>/samples/<id>.json     where it comes from, its labels, what a person decided

The picture is written first and the text last, both whole or not at all: what has a text is a sample, whenever the
program was killed. Nothing is kept in memory, so that a window, a training and a command may use one store at a time;
of two that change one sample at once, the last wins.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import cv2

from cras_core.arrays import Image
from cras_core.data.samples.labels import label_from, mask_of
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.data.values import NormalImages, Piece
from cras_core.errors import DataError
from cras_core.files import write_atomically
from cras_core.images import in_natural_order, read_image

logger = logging.getLogger(__name__)


FORMAT = "cras-fabric"
VERSION = 1


_FOLDER = re.compile(r"[^\w.-]+")


class SampleStore:
    """The samples of all fabrics."""

    def __init__(self, root: Path) -> None:
        """``root`` need not be there yet."""
        self.root = root

    # --- fabrics --------------------------------------------------------------------------------------------------

    def fabrics(self) -> list[FabricRecord]:
        """All fabrics by name; a folder that cannot be read is logged and left out (``problems`` tells them)."""
        found = []
        for folder in self._folders():
            try:
                found.append(_read_fabric(folder))
            except DataError as error:
                logger.warning("%s", error)
        return in_natural_order(found, lambda record: record.name)

    def problems(self) -> list[str]:
        """What in the store cannot be used, each a sentence that names the file."""
        said = []
        for folder in self._folders():
            try:
                _read_fabric(folder)
            except DataError as error:
                said.append(str(error))
            for path in _texts(folder):
                try:
                    _read_sample(path)
                except DataError as error:
                    said.append(str(error))
        return said

    def fabric(self, name: str) -> FabricRecord:
        """Raises DataError when there is none of this name."""
        known = self.fabrics()
        for record in known:
            if record.name == name:
                return record
        raise DataError(
            f"The store {self.root} has no fabric {name!r}; it has {', '.join(f.name for f in known) or 'none'}."
        )

    def begin(self, record: FabricRecord) -> None:
        """Makes a new fabric.

        Raises:
            DataError: there is one of this name (also when only capitals or blanks differ), the name cannot be used, or
                the disk cannot be written.
        """
        self.check_free(record.name)
        self._write(self._new_folder(record.name) / "fabric.json", _fabric_json(record))

    def check_free(self, name: str) -> None:
        """Raises DataError when a fabric cannot have this name, as ``begin`` would."""
        _check_name(name)
        for other in self.fabrics():
            if _same(other.name, name):
                raise DataError(
                    f"There is a fabric {other.name!r} already. Add samples to it, or choose another name than "
                    f"{name!r}."
                )

    @contextmanager
    def staging(self) -> Iterator[SampleStore]:
        """A store beside this one's fabrics that nobody sees, to fill before ``adopt``; it goes when the block ends.

        Raises:
            DataError: the disk cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            beside = tempfile.TemporaryDirectory(dir=self.root, prefix=".import-")
        except OSError as error:
            raise DataError(f"{self.root} cannot be written: {error.strerror or error}") from error
        with beside as folder:
            yield SampleStore(Path(folder))

    def adopt(self, folder: Path) -> FabricRecord:
        """Takes over the folder of a fabric that was made elsewhere on the same disk, in one rename.

        Raises:
            DataError: as ``begin``, or it cannot be moved.
        """
        record = _read_fabric(folder)
        self.check_free(record.name)
        try:
            folder.rename(self._new_folder(record.name))
        except OSError as error:
            raise DataError(f"The fabric {record.name!r} cannot be moved: {error.strerror or error}") from error
        return record

    def change(self, record: FabricRecord) -> None:
        """Changes a fabric in place; its name stays. Raises DataError."""
        self._write(self.folder(record.name) / "fabric.json", _fabric_json(record))

    def rename(self, old: str, new: str) -> None:
        """Gives a fabric another name; its samples follow. Raises DataError, as ``begin``."""
        _check_name(new)
        if any(_same(f.name, new) and f.name != old for f in self.fabrics()):
            raise DataError(f"There is a fabric {new!r} already. Merge the two, or choose another name.")
        self._write(self.folder(old) / "fabric.json", _fabric_json(replace(self.fabric(old), name=new)))

    def merge(self, source: str, target: str) -> int:
        """Moves all samples of one fabric into another and removes the first; returns how many.

        Killed in the middle, some are in the one and some in the other, and a second call ends it. Raises DataError.
        """
        if source == target:
            raise DataError(f"{source!r} cannot be merged with itself")
        moved = 0
        into = self.folder(target)
        for sample in self.samples(source):
            image = self.image_path(sample)
            taken = replace(sample, fabric=target, id=_free_id(into, sample.id, image))
            self._write(into / "samples" / f"{taken.id}.png", image.read_bytes())
            self._write(into / "samples" / f"{taken.id}.json", _sample_json(taken))
            self.remove(sample)
            moved += 1
        self.remove_fabric(source)
        return moved

    def remove_fabric(self, name: str) -> None:
        """Deletes a fabric and all its samples. Raises DataError."""
        try:
            shutil.rmtree(self.folder(name))
        except OSError as error:
            raise DataError(f"The fabric {name!r} cannot be deleted: {error.strerror or error}") from error

    def folder(self, name: str) -> Path:
        """Where a fabric is kept. Raises DataError when there is none of this name."""
        for folder in self._folders():
            try:
                if _read_fabric(folder).name == name:
                    return folder
            except DataError:  # told by ``problems``
                continue
        self.fabric(name)
        raise DataError(f"The fabric {name!r} went away while it was looked for")

    # --- samples --------------------------------------------------------------------------------------------------

    def samples(self, fabric: str) -> list[Sample]:
        """All samples of a fabric, by web and place; what cannot be read is logged and left out."""
        found = []
        for path in _texts(self.folder(fabric)):
            try:
                found.append(replace(_read_sample(path), fabric=fabric))
            except DataError as error:
                logger.warning("%s", error)
        return sorted(found, key=lambda s: (s.web, s.first_line, s.left_px, s.id))

    def sample(self, fabric: str, name: str) -> Sample:
        """One sample as it is on disk now. Raises DataError when it is not there any more, or cannot be read."""
        path = self.folder(fabric) / "samples" / f"{name}.json"
        if not path.exists():
            raise DataError(f"There is no sample {name} of {fabric!r} any more.")
        return replace(_read_sample(path), fabric=fabric)

    def add(self, sample: Sample, image: Image) -> Sample:
        """Keeps a tile.

        Args:
            sample: with the name of a fabric of the store; an id that is taken by another tile is changed.
            image: (H, W) grey or (H, W, 3) RGB uint8.

        Returns:
            The sample as it was kept.

        Raises:
            DataError: the fabric is not known, or the disk cannot be written.
        """
        return self.put(sample, encode(image))

    def put(self, sample: Sample, data: bytes) -> Sample:
        """Keeps a tile that is a PNG already, of 8 bit grey or RGB; otherwise as ``add``."""
        folder = self.folder(sample.fabric)
        name = sample.id
        if (folder / "samples" / f"{name}.json").exists():
            name = f"{name[:120]}-{hashlib.sha256(data).hexdigest()[:8]}"
        kept = replace(sample, id=name)
        self._write(folder / "samples" / f"{name}.png", data)
        self._write(folder / "samples" / f"{name}.json", _sample_json(kept))
        return kept

    def update(self, sample: Sample) -> None:
        """Keeps what a person decided of a sample that is in the store. Raises DataError."""
        path = self.folder(sample.fabric) / "samples" / f"{sample.id}.json"
        if not path.exists():
            raise DataError(f"There is no sample {sample.id} of {sample.fabric!r} any more.")
        self._write(path, _sample_json(sample))

    def remove(self, sample: Sample) -> None:
        """Deletes a sample; the text first, so that what is left of a kill is no sample. Raises DataError."""
        path = self.folder(sample.fabric) / "samples" / f"{sample.id}.json"
        try:
            path.unlink(missing_ok=True)
            path.with_suffix(".png").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"The sample {path} cannot be deleted: {error.strerror or error}") from error

    def image_path(self, sample: Sample) -> Path:
        """The tile's file."""
        return self.folder(sample.fabric) / "samples" / f"{sample.id}.png"

    def image(self, sample: Sample) -> Image:
        """The tile, (H, W) or (H, W, 3) uint8. Raises DataError."""
        return read_image(self.image_path(sample), 8)

    def mask(self, sample: Sample) -> Image:
        """(H, W) uint8, 255 where the tile is labelled. Raises DataError."""
        height, width = self.image(sample).shape[:2]
        return mask_of(sample.labels, height, width)

    def normal_images(self, fabrics: Sequence[str] | None = None) -> list[NormalImages]:
        """Good cloth for training, of fabrics that are not retired.

        Args:
            fabrics: only these; None means all.

        Raises:
            DataError: a fabric is not known or has no good sample.
        """
        names = [f.name for f in self.fabrics() if not f.is_retired] if fabrics is None else list(fabrics)
        found = []
        for name in names:
            folder = self.folder(name) / "samples"
            good = [s for s in self.samples(name) if s.is_good]
            if not good:
                raise DataError(f"The fabric {name!r} has no samples of good cloth. Collect some, or retire it.")
            found.append(
                NormalImages(
                    name,
                    tuple(folder / f"{s.id}.png" for s in good),
                    are_strips=False,
                    pieces=tuple(Piece(s.web, s.cloth_left_px, s.cloth_right_px) for s in good),
                )
            )
        return found

    # --- the disk -------------------------------------------------------------------------------------------------

    def stamps(self) -> dict[Path, tuple[int, ...]]:
        """The folders of the fabrics, each with numbers that are others as soon as anything of it was written, by
        whomever; it costs nothing to ask.
        """
        found = {}
        for folder in self._folders():
            paths = (folder / "fabric.json", folder / "samples")
            found[folder] = tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in paths)
        return found

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return sorted(p for p in self.root.iterdir() if (p / "fabric.json").is_file())

    def _new_folder(self, name: str) -> Path:
        stem = _FOLDER.sub("_", name).strip("._")[:60] or "fabric"
        folder, n = self.root / stem, 1
        while folder.exists():
            n += 1
            folder = self.root / f"{stem}-{n}"
        return folder

    def _write(self, path: Path, data: bytes) -> None:
        try:
            write_atomically(path, data)
        except OSError as error:
            reason = error.strerror or error
            raise DataError(
                f"{path} cannot be written: {reason}. Free some space; what was collected until now is kept."
            ) from error


def encode(image: Image) -> bytes:
    """(H, W) grey or (H, W, 3) RGB uint8 as PNG."""
    ok, data = cv2.imencode(".png", image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not ok:
        raise DataError(f"a tile of {image.shape} {image.dtype} cannot be encoded")
    return data.tobytes()


def safe_id(*parts: object) -> str:
    """A sample id of some parts."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(str(p) for p in parts)).lstrip("._-")
    return text[-150:].lstrip("._-") or "sample"


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 80 or any(ord(c) < 32 for c in name) or name != name.strip():
        raise DataError(f"A fabric cannot be called {name!r}: 1 to 80 characters, no blanks at the ends.")


def _same(a: str, b: str) -> bool:
    return re.sub(r"\W+", " ", a).strip().casefold() == re.sub(r"\W+", " ", b).strip().casefold()


def _texts(folder: Path) -> list[Path]:
    samples = folder / "samples"
    return sorted(p for p in samples.glob("*.json") if not p.name.startswith(".")) if samples.is_dir() else []


def _free_id(folder: Path, name: str, image: Path) -> str:
    if not (folder / "samples" / f"{name}.json").exists():
        return name
    return f"{name[:120]}-{hashlib.sha256(image.read_bytes()).hexdigest()[:8]}"


def _fabric_json(record: FabricRecord) -> bytes:
    return (json.dumps({"format": FORMAT, "version": VERSION, **asdict(record)}, indent=1) + "\n").encode()


def _sample_json(sample: Sample) -> bytes:
    value = {f.name: getattr(sample, f.name) for f in fields(Sample) if f.name != "labels"}
    value["labels"] = [label.to_json() for label in sample.labels]
    return (json.dumps(value, indent=1) + "\n").encode()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Delete it or restore a copy.") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} does not hold what it should. Delete it or restore a copy.")
    return value


def _read_fabric(folder: Path) -> FabricRecord:
    path = folder / "fabric.json"
    return fabric_from(_read_json(path), str(path))


def fabric_from(value: dict[str, Any], where: str) -> FabricRecord:
    """A fabric from its text. Raises DataError that names ``where``."""
    if value.get("format") != FORMAT:
        raise DataError(f"{where} is not the description of a fabric.")
    if value.get("version") != VERSION:
        newer = isinstance(value.get("version"), int) and value["version"] > VERSION
        way = "Update this program." if newer else "It cannot be used."
        raise DataError(f"{where} is of version {value.get('version')}; this program reads version {VERSION}. {way}")
    try:
        record = FabricRecord(**{k: v for k, v in value.items() if k not in ("format", "version")})
        texts = (record.name, record.created_at, record.author, record.note)
        if not all(isinstance(t, str) for t in texts) or not isinstance(record.is_retired, bool):
            raise TypeError("a text or a yes or no is something else")
        if not isinstance(record.recipe, dict):
            raise TypeError("the recipe is none")
        _check_name(record.name)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    except TypeError as error:
        raise DataError(f"{where} does not describe a fabric ({error}).") from error
    return record


def _read_sample(path: Path) -> Sample:
    sample = sample_from(_read_json(path), str(path))
    if not path.with_suffix(".png").is_file():
        raise DataError(f"{path} has no picture {path.stem}.png beside it. Delete it.")
    return replace(sample, id=path.stem)


def sample_from(value: dict[str, Any], where: str) -> Sample:
    """A sample from its text. Raises DataError that names ``where``."""
    try:
        known = {f.name for f in fields(Sample)}
        given = {k: v for k, v in value.items() if k in known and k != "labels"}
        sample = Sample(**given, labels=tuple(label_from(v) for v in value.get("labels", [])))
    except TypeError as error:
        raise DataError(f"{where} does not describe a sample ({error}).") from error
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return sample
