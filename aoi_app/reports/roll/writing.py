"""Writes the report of a roll as files of the kinds that are wanted: what the command and the window call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine

from aoi_app.records.export import STANDARD_CSV, CsvFormat, write_csv, write_json
from aoi_app.records.files import write_file
from aoi_app.records.thumbnails import read_thumbnails
from aoi_app.reports.grading.grade import Grade
from aoi_app.reports.progress import Progress, ignore_progress
from aoi_app.reports.roll.roll_report import RollReport
from aoi_app.reports.wording import file_stem, rules_text

ReportKind = Literal["pdf", "xlsx", "csv", "json"]

KINDS: tuple[ReportKind, ...] = ("pdf", "xlsx", "csv", "json")

_SHARE = {"pdf": 0.8, "xlsx": 0.14, "csv": 0.03, "json": 0.03}  # of the time that all of them take


def write_report(
    engine: Engine,
    report: RollReport,
    folder: Path,
    kinds: Sequence[ReportKind] = KINDS,
    progress: Progress = ignore_progress,
    form: CsvFormat = STANDARD_CSV,
) -> list[Path]:
    """Writes a report as files; each is whole or not there.

    Args:
        engine: the records, for the pictures.
        report: of the roll.
        folder: is made where it is missing; files of an earlier report of the roll are replaced.
        kinds: which files.
        progress: is told how far it has come. What it raises ends the work, as somebody's wish to stop.
        form: of the table in the CSV file.

    Returns:
        The files.

    Raises:
        RecordsError: the records cannot be read, or a file cannot be written.
    """
    written: list[Path] = []
    total, done = sum(_SHARE[kind] for kind in kinds) or 1.0, 0.0
    for kind in kinds:
        path = folder / f"{file_stem(report)}.{kind}"
        _write(kind, engine, report, path, _part_of(progress, done / total, _SHARE[kind] / total), form)
        done += _SHARE[kind]
        progress(min(1.0, done / total))
        written.append(path)
    return written


def _part_of(progress: Progress, begin: float, share: float) -> Progress:
    """The progress of one file among several."""
    return lambda done: progress(begin + share * done)


def _write(
    kind: ReportKind, engine: Engine, report: RollReport, path: Path, progress: Progress, form: CsvFormat
) -> None:
    # The libraries of a kind are loaded when a file of that kind is wanted.
    if kind == "pdf":
        from aoi_app.reports.pdf.document import make_pdf

        data = make_pdf(report, lambda numbers: read_thumbnails(engine, report.roll.roll_id, numbers), progress)
        write_file(path, data, durable=True)
    elif kind == "xlsx":
        from aoi_app.reports.roll.xlsx import make_xlsx

        write_file(path, make_xlsx(report), durable=True)
    elif kind == "csv":
        write_csv(dict(report.records), path, form)
    else:
        write_json(
            {
                **report.records,
                "grade": grade_values(report.grade),
                "grades": [asdict(given) | {"at": given.at.isoformat()} for given in report.earlier_grades],
                "widths": [asdict(width) for width in report.widths],
                "repeats": [asdict(r) for r in report.repeats],
                **_cut_values(report),
            },
            path,
        )


def grade_values(grade: Grade) -> dict[str, Any]:
    """A grade as a JSON file holds it."""
    return {
        "passed": grade.is_passed,
        "limit": grade.limit.model_dump(),
        "value": grade.value,
        "points": grade.points,
        "per_100_m2": grade.per_100_m2,
        "per_100_yd2": grade.per_100_yd2,
        "per_metre": grade.per_metre,
        "inspected_m": grade.inspected_m,
        "usable_width_mm": grade.usable_width_mm,
        "interval_m": grade.interval_m,
        "points_by_interval": {str(index): points for index, points in grade.by_interval.items()},
        "points_by_defect": {str(number): points for number, points in grade.by_defect.items()},
        "left_out": dict(grade.left_out),
        "rules": grade.rules.model_dump(mode="json"),
        "rules_text": rules_text(grade.rules),
    }


def _cut_values(report: RollReport) -> dict[str, Any]:
    plan = report.cut_plan
    if plan is None:
        return {"cut_plan": None, "cut_problem": report.cut_problem} if report.cut_problem else {}
    return {
        "cut_plan": {
            "pieces": [asdict(piece) for piece in plan.pieces],
            "lost": [asdict(span) for span in plan.lost],
            "lost_m": plan.lost_m,
            "cost": plan.cost,
            "rules": plan.rules.model_dump(mode="json"),
        }
    }
