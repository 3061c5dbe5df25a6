"""A roll as files: ``defects.csv``, ``defects.json``, and a data set in the layout of ITDD."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.defects import SourceSpan
from aoi_app.inspection.recent_web import Strip, TileSample
from aoi_app.records.database import DefectRow, RecordsError, RollRow, explain
from aoi_app.records.roll_log import encode_png
from cras_core.files import write_atomically

_COLUMNS = (
    "id",
    "fabric",
    "shape",
    "position_m",
    "position_mm",
    "length_mm",
    "width_mm",
    "area_mm2",
    "peak",
    "mean",
    "raw_peak",
    "sources",
    "is_open",
    "verdict",
    "type_code",
    "type_name",
    "reviewer",
    "reviewed_at",
)
_DIGITS = {
    "position_m": 4,
    "position_mm": 2,
    "length_mm": 2,
    "width_mm": 2,
    "area_mm2": 2,
    "peak": 4,
    "mean": 4,
    "raw_peak": 4,
}


def read_roll(engine: Engine, roll_id: int) -> dict[str, Any]:
    """One roll with its defects, gaps and remarks as plain values.

    Raises:
        RecordsError: there is no such roll, or the database cannot be read.
    """
    try:
        with Session(engine) as session:
            roll = session.get(RollRow, roll_id)
            if roll is None:
                known = [str(i) for i in session.scalars(select(RollRow.id).order_by(RollRow.id.desc()).limit(10))]
                raise RecordsError(f"There is no roll {roll_id}. The latest are {', '.join(known) or 'none'}.")
            names = (
                "id",
                "name",
                "state",
                "source",
                "model",
                "fabric",
                "recipe",
                "threshold",
                "length_m",
                "inspected_m",
                "gap_m",
                "width_mm",
                "tiles",
            )
            return {
                "roll": {name: getattr(roll, name) for name in names}
                | {
                    "started_at": roll.started_at.isoformat(),
                    "ended_at": roll.ended_at.isoformat() if roll.ended_at else None,
                },
                "defects": [_defect(d) for d in roll.defects],
                "gaps": [
                    {name: getattr(g, name) for name in ("first_line", "lines", "position_m", "length_m", "reason")}
                    for g in roll.gaps
                ],
                "remarks": [
                    {name: getattr(r, name) for name in ("kind", "fabric", "first_line", "position_m", "text")}
                    for r in roll.remarks
                ],
            }
    except SQLAlchemyError as error:
        raise RecordsError(f"The records cannot be read: {explain(error)}") from error


def _defect(row: DefectRow) -> dict[str, Any]:
    names = [name for name in _COLUMNS if name not in ("id", "sources")]
    values = {name: getattr(row, name) for name in names}
    values["reviewed_at"] = row.reviewed_at.isoformat() if row.reviewed_at else None
    return (
        {"id": row.number}
        | {k: round(v, _DIGITS[k]) if k in _DIGITS else v for k, v in values.items()}
        | {"boxes": row.boxes}
    )


def write_json(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.json``. Raises RecordsError."""
    write_file(path, (json.dumps(roll, indent=1) + "\n").encode(), durable=True)


def write_csv(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.csv``, one line a defect; for spreadsheets. Raises RecordsError."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for defect in roll["defects"]:
        writer.writerow(defect | {"sources": " ".join(box["source"] for box in defect["boxes"])})
    write_file(path, text.getvalue().encode("utf-8-sig"), durable=True)


def export_roll(engine: Engine, roll_id: int, folder: Path) -> list[str]:
    """Writes a roll as files and returns their names.

    Raises:
        RecordsError: the roll cannot be read or the folder cannot be written.
    """
    roll = read_roll(engine, roll_id)
    write_json(roll, folder / "defects.json")
    write_csv(roll, folder / "defects.csv")
    written = ["defects.json", "defects.csv"]
    tiles = Path(roll["roll"]["tiles"]) if roll["roll"]["tiles"] else None
    if tiles is not None and tiles.is_dir():
        try:
            shutil.copytree(tiles, folder / "itdd", dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise RecordsError(f"The tiles cannot be copied to {folder / 'itdd'}: {error}") from error
        written.append("itdd/")
    return written


def list_rolls(engine: Engine, last: int) -> list[tuple[str, ...]]:
    """The latest rolls as rows of text: number, name, state, begun, source, fabric, inspected m, gaps m, defects.

    Raises:
        RecordsError: the database cannot be read.
    """
    counts = select(DefectRow.roll_id, func.count().label("n")).group_by(DefectRow.roll_id).subquery()
    query = (
        select(RollRow, counts.c.n)
        .outerjoin(counts, counts.c.roll_id == RollRow.id)
        .order_by(RollRow.id.desc())
        .limit(last)
    )
    try:
        with Session(engine) as session:
            return [
                (
                    str(r.id),
                    r.name,
                    r.state,
                    f"{r.started_at:%Y-%m-%d %H:%M}",
                    r.source,
                    r.fabric or "",
                    f"{r.inspected_m:.2f}",
                    f"{r.gap_m:.2f}",
                    str(n or 0),
                )
                for r, n in session.execute(query)
            ]
    except SQLAlchemyError as error:
        raise RecordsError(f"The records cannot be read: {explain(error)}") from error


PLACES = "places.jsonl"
"""In the folder of a roll's tiles: where each tile of a defect lies on the web, a line of JSON for each."""


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
        self._prefix = _safe(prefix)
        self.written = 0

    def write(self, samples: Iterable[TileSample]) -> None:
        """Writes some tiles. Raises RecordsError when the folder cannot be written."""
        for sample in samples:
            base, name = self._folder / _safe(sample.fabric), f"{self._prefix}-{sample.name}"
            if sample.mask is None:
                write_file(base / "train" / "good" / f"{name}.png", encode_png(sample.image))
            else:
                write_file(base / "test" / "defect" / f"{name}.png", encode_png(sample.image))
                write_file(base / "ground_truth" / "defect" / f"{name}_mask.png", encode_png(sample.mask))
                self._note_place(base / "test" / "defect" / f"{name}.png", sample)
            self.written += 1

    def _note_place(self, path: Path, sample: TileSample) -> None:
        """One more line in the list of places, by which a tile is found again when somebody judges its defect."""
        line = {"tile": path.relative_to(self._folder).as_posix(), "defect": sample.defect, **asdict(sample.place)}
        try:
            with (self._folder / PLACES).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise RecordsError(f"{self._folder / PLACES} cannot be written: {error.strerror or error}.") from error


class MapWriter:
    """Writes the anomaly map of every source image, as a 16-bit PNG of its size: score x 10 000, 0 where nothing was
    inspected.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._strips: list[Strip] = []
        self._sources: dict[Path, str] = {}
        self.written = 0

    def write(self, strips: Iterable[Strip], spans: Iterable[SourceSpan]) -> None:
        """Takes inspected lines and writes the maps of the images that are complete. Raises RecordsError when the
        folder cannot be written.
        """
        self._strips += strips
        spans = list(spans)
        try:
            for span in spans:
                self._write(span)
        finally:  # also when the disk is full: memory is not the place to keep them
            done = max((span.end_line for span in spans), default=0)
            self._strips = [s for s in self._strips if s.end_line > done]

    def _write(self, span: SourceSpan) -> None:
        shown = [s for s in self._strips if s.end_line > span.first_line and s.first_line < span.end_line]
        score = np.zeros((span.end_line - span.first_line, span.width_px), np.float32)
        for s in shown:
            cells = np.nan_to_num(s.rows.score, nan=0.0)
            cell = s.rows.cell_px
            pixels = cv2.resize(cells, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)[
                : len(s.rows.image), : span.width_px
            ]
            a, b = max(span.first_line, s.first_line), min(span.end_line, s.end_line)
            score[a - span.first_line : b - span.first_line] = pixels[a - s.first_line : b - s.first_line]
        write_file(
            self._path(span.source),
            encode_png(np.clip(score * 1e4, 0, 65535).astype(np.uint16)),
        )
        self.written += 1

    def _path(self, source: str) -> Path:
        """A place of its own for every source, inside the folder."""
        path = self._folder / Path(source).with_suffix(".png")
        if not path.resolve().is_relative_to(self._folder.resolve()):
            path = self._folder / f"{_safe(source)}.png"
        if self._sources.setdefault(path, source) != source:  # strip.jpg beside strip.png
            path = path.with_name(f"{Path(source).name}.png")
        return path


def write_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Writes a file so that it is whole or not there at all.

    Raises:
        RecordsError: it cannot be written; the text names it and the way out.
    """
    try:
        write_atomically(path, data, durable=durable)
    except OSError as error:
        reason = error.strerror or error
        raise RecordsError(f"{path} cannot be written: {reason}. Free some space or choose another folder.") from error


def _safe(name: str) -> str:
    """A name that cannot climb out of its folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "_"
