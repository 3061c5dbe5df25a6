"""Tiles of a roll as a data set in ITDD's layout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from aoi_app.inspection.web.tiles import TileSample
from aoi_app.records.errors import RecordsError
from aoi_app.records.files import safe_name, write_picture
from aoi_app.records.tile_places import PLACES


class TileWriter:
    """Adds the tiles of a roll to a data set: ``<fabric>/train/good``, ``<fabric>/test/defect`` with
    ``<fabric>/ground_truth/defect``.

    All good tiles of the roll are for training, none for testing: tiles of one roll are too alike to learn from some
    and judge by others, and a model would look better than it is on the next roll. A set with a test of other rolls is
    made from the samples of several (``cras samples STORE export-itdd``). The tiles are what the detector found; nobody
    has looked at them yet.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        """``prefix`` is what the names begin with, so that rolls do not overwrite each other."""
        self._folder = folder
        self._prefix = safe_name(prefix)
        self.written = 0

    def write(self, samples: Iterable[TileSample]) -> None:
        """Writes some tiles. Raises RecordsError when the folder cannot be written."""
        for sample in samples:
            # The name of the roll is in that of the tile: data sets of several rolls are copied together.
            base, name = self._folder / safe_name(sample.fabric), f"{self._prefix}-{sample.name}"
            if sample.mask is None:
                write_picture(base / "train" / "good" / f"{name}.png", sample.image)
            else:
                write_picture(base / "test" / "defect" / f"{name}.png", sample.image)
                write_picture(base / "ground_truth" / "defect" / f"{name}_mask.png", sample.mask)
                self._note_place(base / "test" / "defect" / f"{name}.png", sample)
            self.written += 1

    def _note_place(self, path: Path, sample: TileSample) -> None:
        """One more line in the list of places, by which a tile is found again when somebody judges its defect."""
        line = {"tile": path.relative_to(self._folder).as_posix(), "defect": sample.defect, **asdict(sample.place)}
        try:
            # Appended, a line at a time: a program that is killed leaves whole lines, and at most one that is cut off.
            with (self._folder / PLACES).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise RecordsError(
                "tile-places-unwritable",
                "{path} cannot be written: {reason}.",
                path=self._folder / PLACES,
                reason=error,
            ) from error
