"""What a folder of models keeps beside them: how each did beside the one that was in use, and a training cut off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from cras_core.errors import DataError, JsonFileError
from cras_core.evaluation.candidate_verdicts import CandidateReport, Verdict
from cras_core.files import write_json
from cras_core.json_files import read_json
from cras_core.validated import validated

VERSION: Literal[1] = 1

CHECKPOINT = ".training"
"""Folder in the store of models for what a training that was cut off has so far."""
REPORTS = ".trials"
"""Folder in the store of models for comparisons, each named by its new model."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A comparison as it was kept.

    Attributes:
        before: identity of the model that was in use; empty where there was none, or where nobody wrote it down.
        after: identity of the new one.
        report: what both did.
    """

    before: str
    after: str
    report: CandidateReport


def keep_report(models: Path, kept: KeptReport) -> Path:
    """Writes a comparison beside its new model, in the place of an older one. Raises CrasError."""
    path = models / REPORTS / f"{kept.after}.json"
    report = kept.report
    learnt = tuple(sorted(report.learnt_by_running))
    file = _File(VERSION, report.running, report.candidate, learnt, report.lost, kept.before)
    write_json(path, asdict(file))
    return path


def load_report(models: Path, identity: str) -> KeptReport | None:
    """The comparison of a new model; None where there is none. Raises DataError when it cannot be read."""
    path = models / REPORTS / f"{identity}.json"
    try:
        file = read_json(path, _File)
    except JsonFileError as error:
        if error.fault == "missing":
            return None
        raise DataError(
            "evaluation-report-unreadable",
            "The comparison {path} cannot be read ({reason}). Compare again.",
            path=path,
            reason=error,
        ) from error
    report = CandidateReport(file.running, file.candidate, frozenset(file.learnt_by_running), file.lost)
    return KeptReport(file.before, identity, report)


@validated("", DataError, takes_more=True)
class _File:
    """A comparison on disk."""

    version: Literal[1]
    running: tuple[Verdict, ...]
    candidate: tuple[Verdict, ...]
    learnt_by_running: tuple[str, ...]
    lost: tuple[str, ...]
    before: str = ""


def drop_reports(models: Path, but: Collection[str]) -> None:
    """Deletes the comparisons of models that are not among those. One that cannot be deleted stays."""
    folder = models / REPORTS
    for path in folder.glob("*.json") if folder.is_dir() else ():
        if path.stem not in but:
            try:
                path.unlink()
            except OSError:  # it is of no model any more, so nobody will ever see it
                continue


def was_cut_off(models: Path) -> bool:
    """There is something of a training that did not come to its end."""
    folder = models / CHECKPOINT
    return folder.is_dir() and any(folder.iterdir())
