"""A roll as files: ``defects.csv``, ``defects.json``, and a data set in the layout of ITDD."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from aoi_app.inspection.findings.record_schema import Exported
from aoi_app.records.errors import RecordsError
from aoi_app.records.files import write_file
from aoi_app.records.reading import EXPORTED, read_roll
from cras_core.files import without_nan

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a table is written.

    Attributes:
        separator: between cells.
        decimal: sign of numbers; another than the separator.
    """

    separator: str = ","
    decimal: str = "."

    def __post_init__(self) -> None:
        if self.separator == self.decimal:
            raise RecordsError(
                "csv-signs-alike",
                "The cells of a table cannot be separated by {sign!r}, the decimal sign of its numbers.",
                hint="Choose another --csv-separator, such as semicolon.",
                sign=self.decimal,
            )


STANDARD_CSV = CsvFormat()
"""RFC 4180."""


def write_json(roll: dict[str, Any], path: Path) -> None:
    """Writes ``defects.json``. Raises RecordsError."""
    # A damaged record may hold numbers that are none, which JSON does not know.
    write_file(path, (json.dumps(without_nan(roll), indent=1, allow_nan=False) + "\n").encode(), durable=True)


def write_csv(roll: dict[str, Any], path: Path, form: CsvFormat = STANDARD_CSV) -> None:
    """Writes ``defects.csv``, one line a defect; for spreadsheets. Raises RecordsError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=form.separator, lineterminator="\r\n")  # what spreadsheets expect
    columns = [(field.export_name, field.exported) for field in EXPORTED if field.exported is not None]
    writer.writerow(exported.csv_name or name for name, exported in columns)
    for defect in roll["defects"]:
        writer.writerow(_csv_cell(defect.get(name), exported, form) for name, exported in columns)
    write_file(path, text.getvalue().encode("utf-8-sig"), durable=True)


def _csv_cell(value: Any, exported: Exported, form: CsvFormat) -> Any:
    """What a cell holds; a text never begins like a formula, which a spreadsheet would compute."""
    text = exported.csv_text(value) if exported.csv_text is not None and value is not None else value
    if isinstance(text, float):
        return str(text).replace(".", form.decimal)
    return f"'{text}" if isinstance(text, str) and text.startswith(_BEGINS_A_FORMULA) else text


def _is_folder(path: Path) -> bool:
    """Whether there is one; a name that no system would take, as a damaged database may hold it, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def export_roll(engine: Engine, roll_id: int, folder: Path, form: CsvFormat = STANDARD_CSV) -> list[str]:
    """Writes a roll as files and returns their names; ``form`` is that of the table.

    Raises:
        RecordsError: the roll cannot be read or the folder cannot be written.
    """
    roll = read_roll(engine, roll_id)
    write_json(roll, folder / "defects.json")
    write_csv(roll, folder / "defects.csv", form)
    written = ["defects.json", "defects.csv"]
    tiles = Path(roll["roll"]["tiles"]) if roll["roll"]["tiles"] else None
    if tiles is not None and _is_folder(tiles):
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
