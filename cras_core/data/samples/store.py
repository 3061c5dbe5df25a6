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
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cras_core.arrays import Image
from cras_core.data.samples.files import (
    FABRIC_FILE,
    SAMPLE_FOLDER,
    check_name,
    encode_png,
    fabric_bytes,
    new_folder,
    read_fabric,
    read_picture_bytes,
    read_sample,
    sample_bytes,
    sample_texts,
    write_store_file,
)
from cras_core.data.samples.labels import mask_of
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError
from cras_core.images import in_natural_order, read_image

logger = logging.getLogger(__name__)


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
                found.append(read_fabric(folder))
            except DataError as error:
                logger.warning("%s", error)
        return in_natural_order(found, lambda record: record.name)

    def problems(self) -> list[str]:
        """What in the store cannot be used, each a sentence that names the file."""
        said = []
        for folder in self._folders():
            try:
                read_fabric(folder)
            except DataError as error:
                said.append(str(error))
            for path in sample_texts(folder):
                try:
                    read_sample(path)
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
            "fabric-not-in-store",
            "The store {store} has no fabric {fabric!r}; it has {known}.",
            store=self.root,
            fabric=name,
            known=[f.name for f in known] or "none",
        )

    def begin(self, record: FabricRecord) -> None:
        """Makes a new fabric.

        Raises:
            DataError: there is one of this name (also when only capitals or blanks differ), the name cannot be used, or
                the disk cannot be written.
        """
        self.check_free(record.name)
        write_store_file(new_folder(self.root, record.name) / FABRIC_FILE, fabric_bytes(record))

    def check_free(self, name: str) -> None:
        """Raises DataError when a fabric cannot have this name, as ``begin`` would."""
        check_name(name)
        for other in self.fabrics():
            if _are_alike(other.name, name):
                raise DataError(
                    "fabric-name-taken",
                    "There is a fabric {other!r} already. Add samples to it, or choose another name than {fabric!r}.",
                    other=other.name,
                    fabric=name,
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
            raise DataError(
                "store-unwritable", "{store} cannot be written: {reason}", store=self.root, reason=error
            ) from error
        with beside as folder:
            yield SampleStore(Path(folder))

    def adopt(self, folder: Path) -> FabricRecord:
        """Takes over the folder of a fabric that was made elsewhere on the same disk, in one rename.

        Raises:
            DataError: as ``begin``, or it cannot be moved.
        """
        record = read_fabric(folder)
        self.check_free(record.name)
        try:
            folder.rename(new_folder(self.root, record.name))
        except OSError as error:
            raise DataError(
                "fabric-not-moved", "The fabric {fabric!r} cannot be moved: {reason}", fabric=record.name, reason=error
            ) from error
        return record

    def change(self, record: FabricRecord) -> None:
        """Changes a fabric in place; its name stays. Raises DataError."""
        write_store_file(self.folder(record.name) / FABRIC_FILE, fabric_bytes(record))

    def rename(self, old: str, new: str) -> None:
        """Gives a fabric another name; its samples follow. Raises DataError, as ``begin``."""
        check_name(new)
        if any(_are_alike(f.name, new) and f.name != old for f in self.fabrics()):
            raise DataError(
                "fabric-name-taken-on-rename",
                "There is a fabric {fabric!r} already. Merge the two, or choose another name.",
                fabric=new,
            )
        write_store_file(self.folder(old) / FABRIC_FILE, fabric_bytes(replace(self.fabric(old), name=new)))

    def merge(self, source: str, target: str) -> int:
        """Moves all samples of one fabric into another and removes the first; returns how many.

        Killed in the middle, some are in the one and some in the other, and a second call ends it. Raises DataError.
        """
        if source == target:
            raise DataError("fabric-merged-with-itself", "{fabric!r} cannot be merged with itself", fabric=source)
        moved = 0
        into = self.folder(target)
        for sample in self.samples(source):
            image = self.image_path(sample)
            data = read_picture_bytes(image)
            taken = replace(sample, fabric=target, id=_free_id(into, sample.id, data))
            write_store_file(into / SAMPLE_FOLDER / f"{taken.id}.png", data)
            write_store_file(into / SAMPLE_FOLDER / f"{taken.id}.json", sample_bytes(taken))
            self.remove(sample)
            moved += 1
        self.remove_fabric(source)
        return moved

    def remove_fabric(self, name: str) -> None:
        """Deletes a fabric and all its samples. Raises DataError."""
        try:
            shutil.rmtree(self.folder(name))
        except OSError as error:
            raise DataError(
                "fabric-not-deleted", "The fabric {fabric!r} cannot be deleted: {reason}", fabric=name, reason=error
            ) from error

    def folder(self, name: str) -> Path:
        """Where a fabric is kept. Raises DataError when there is none of this name."""
        for folder in self._folders():
            try:
                if read_fabric(folder).name == name:
                    return folder
            except DataError:  # told by ``problems``
                continue
        self.fabric(name)
        raise DataError("fabric-went-away", "The fabric {fabric!r} went away while it was looked for", fabric=name)

    # --- samples --------------------------------------------------------------------------------------------------

    def samples(self, fabric: str) -> list[Sample]:
        """All samples of a fabric, by web and place; what cannot be read is logged and left out."""
        found = []
        for path in sample_texts(self.folder(fabric)):
            try:
                found.append(replace(read_sample(path), fabric=fabric))
            except DataError as error:
                logger.warning("%s", error)
        return sorted(found, key=lambda s: (s.web, s.first_line, s.left_px, s.id))

    def sample(self, fabric: str, name: str) -> Sample:
        """One sample as it is on disk now. Raises DataError when it is not there any more, or cannot be read."""
        path = self.folder(fabric) / SAMPLE_FOLDER / f"{name}.json"
        if not path.exists():
            raise DataError(
                "sample-gone", "There is no sample {sample} of {fabric!r} any more.", sample=name, fabric=fabric
            )
        return replace(read_sample(path), fabric=fabric)

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
        return self.put(sample, encode_png(image))

    def put(self, sample: Sample, data: bytes) -> Sample:
        """Keeps a tile that is a PNG already, of 8 bit grey or RGB; otherwise as ``add``."""
        folder = self.folder(sample.fabric)
        kept = replace(sample, id=_free_id(folder, sample.id, data))
        write_store_file(folder / SAMPLE_FOLDER / f"{kept.id}.png", data)
        write_store_file(folder / SAMPLE_FOLDER / f"{kept.id}.json", sample_bytes(kept))
        return kept

    def update(self, sample: Sample) -> None:
        """Keeps what a person decided of a sample that is in the store. Raises DataError."""
        path = self.folder(sample.fabric) / SAMPLE_FOLDER / f"{sample.id}.json"
        if not path.exists():
            raise DataError(
                "sample-gone",
                "There is no sample {sample} of {fabric!r} any more.",
                sample=sample.id,
                fabric=sample.fabric,
            )
        write_store_file(path, sample_bytes(sample))

    def remove(self, sample: Sample) -> None:
        """Deletes a sample; the text first, so that what is left of a kill is no sample. Raises DataError."""
        path = self.folder(sample.fabric) / SAMPLE_FOLDER / f"{sample.id}.json"
        try:
            path.unlink(missing_ok=True)
            path.with_suffix(".png").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                "sample-not-deleted", "The sample {path} cannot be deleted: {reason}", path=path, reason=error
            ) from error

    def image_path(self, sample: Sample) -> Path:
        """The tile's file."""
        return self.folder(sample.fabric) / SAMPLE_FOLDER / f"{sample.id}.png"

    def image(self, sample: Sample) -> Image:
        """The tile, (H, W) or (H, W, 3) uint8. Raises DataError."""
        return read_image(self.image_path(sample))

    def mask(self, sample: Sample) -> Image:
        """(H, W) uint8, 255 where the tile is labelled. Raises DataError."""
        height, width = self.image(sample).shape[:2]
        return mask_of(sample.labels, height, width)

    # --- the disk -------------------------------------------------------------------------------------------------

    def stamps(self) -> dict[Path, tuple[int, ...]]:
        """The folders of the fabrics, each with numbers that are others as soon as anything of it was written, by
        whomever; it costs nothing to ask.
        """
        found = {}
        for folder in self._folders():
            paths = (folder / FABRIC_FILE, folder / SAMPLE_FOLDER)
            found[folder] = tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in paths)
        return found

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return sorted(p for p in self.root.iterdir() if (p / FABRIC_FILE).is_file())


def _are_alike(a: str, b: str) -> bool:
    """Whether two names differ in capitals, blanks and signs only."""
    return re.sub(r"\W+", " ", a).strip().casefold() == re.sub(r"\W+", " ", b).strip().casefold()


def _free_id(folder: Path, name: str, data: bytes) -> str:
    """A name of a sample that is not taken in a fabric's folder."""
    if not (folder / SAMPLE_FOLDER / f"{name}.json").exists():
        return name
    return f"{name[:120]}-{hashlib.sha256(data).hexdigest()[:8]}"
