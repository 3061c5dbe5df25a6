"""A roll as files: ``defects.csv``, ``defects.json``, and a data set in the layout of ITDD."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from aoi_app.records.errors import RecordsError
from aoi_app.records.files import write_file
from aoi_app.records.reading import COLUMNS, read_roll


def write_json(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.json``. Raises RecordsError."""
    write_file(path, (json.dumps(roll, indent=1) + "\n").encode(), durable=True)


def write_csv(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.csv``, one line a defect; for spreadsheets. Raises RecordsError."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
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
