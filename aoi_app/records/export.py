"""A roll as files: ``defects.csv``, ``defects.json``, and a data set in the layout of ITDD."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from aoi_app.inspection.record_schema import Exported
from aoi_app.records.errors import RecordsError
from aoi_app.records.files import write_file
from aoi_app.records.reading import EXPORTED, read_roll

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_json(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.json``. Raises RecordsError."""
    write_file(path, (json.dumps(roll, indent=1) + "\n").encode(), durable=True)


def write_csv(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.csv``, one line a defect; for spreadsheets. Raises RecordsError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180, and what spreadsheets expect
    columns = [(field.export_name, field.exported) for field in EXPORTED if field.exported is not None]
    writer.writerow(exported.csv_name or name for name, exported in columns)
    for defect in roll["defects"]:
        writer.writerow(_csv_cell(defect.get(name), exported) for name, exported in columns)
    write_file(path, text.getvalue().encode("utf-8-sig"), durable=True)


def _csv_cell(value: Any, exported: Exported) -> Any:
    """What a cell holds; a text never begins like a formula, which a spreadsheet would compute."""
    text = exported.csv_text(value) if exported.csv_text is not None and value is not None else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_BEGINS_A_FORMULA) else text


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
            # Copied, not moved: verdicts that come later still teach from the tiles of the roll.
            shutil.copytree(tiles, folder / "itdd", dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise RecordsError(
                "tiles-not-copied",
                "The tiles cannot be copied to {folder}: {reason}",
                folder=folder / "itdd",
                reason=error,
            ) from error
        written.append("itdd/")
    return written
