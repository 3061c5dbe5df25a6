"""What the store of models and an evaluation hold, as rows for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.learning.model_names import time_text
from aoi_app.learning.state import (
    CandidateEvaluation,
    Difference,
    EvaluatedFabric,
    EvaluatedTile,
    ModelRow,
    PromotionRow,
)
from aoi_app.learning.wording import KINDS

if TYPE_CHECKING:
    from cras_core.evaluation.candidate_reports import KeptReport
    from cras_core.evaluation.candidate_verdicts import CandidateReport
    from cras_core.registry.diff import Comparison, Limits
    from cras_core.registry.entries import Entry, Promotion

_MOST_NAMES = 8


def model_row(entry: Entry, rollback: str | None, evaluated: Collection[str], name: str = "") -> ModelRow:
    """A model of the history.

    Args:
        entry: of the store.
        rollback: identity of the model to roll back to.
        evaluated: identities of models whose evaluation is kept.
        name: what people call it.
    """
    made_s = entry.made_s if entry.made_s or entry.problem == "" else _time_of(entry.path)
    return ModelRow(
        identity=entry.identity,
        made=time_text(made_s),
        author=entry.author,
        kind=KINDS.get(entry.kind, entry.kind),
        fabrics=entry.fabrics,
        provisional=entry.provisional,
        size_bytes=entry.size_bytes,
        in_use=entry.in_use,
        pinned=entry.pinned,
        is_rollback=entry.identity == rollback,
        has_evaluation=entry.identity in evaluated,
        problem=entry.problem,
        name=name or entry.path.stem,
    )


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it has just gone
        return 0.0


_GONE = "a model that is gone"


def promotion_row(promotion: Promotion, names: Mapping[str, str]) -> PromotionRow:
    """A line of the log; ``names`` are those of the models that are there, by identity."""
    at = promotion.at[:16].replace("T", " ")
    before = promotion.before or ""
    return PromotionRow(
        at,
        promotion.author,
        before,
        promotion.identity,
        promotion.reason,
        names.get(promotion.identity, _GONE),
        names.get(before, _GONE) if before else "",
    )


def evaluation_of(
    kept: KeptReport, folders: Mapping[str, Path], provisional: Collection[str], in_use: str
) -> CandidateEvaluation:
    """An evaluation beside the history of now, with where its pictures are.

    Args:
        kept: as it was kept.
        folders: of the pictures, by fabric.
        provisional: fabrics that the candidate was taught quickly.
        in_use: identity of the model in use now; empty without.
    """
    report = kept.report
    return CandidateEvaluation(
        kept.before,
        kept.after,
        tuple(_fabric(f, report, folders.get(f, Path()), is_provisional=f in provisional) for f in report.fabrics),
        report.got_worse,
        is_current=kept.before == in_use,
    )


def _fabric(name: str, report: CandidateReport, folder: Path, *, is_provisional: bool) -> EvaluatedFabric:
    before, after = report.figures(name)
    running = report.running or [None] * len(report.candidate)
    tiles = [
        EvaluatedTile(b, a, folder / f"{a.id}.png", a.kind == "good" and a.id in report.learnt_by_running)
        for b, a in zip(running, report.candidate, strict=True)
        if a.fabric == name
    ]
    by_case = {(t.id, t.kind): t for t in tiles}
    differing = tuple(by_case[a.id, a.kind] for _, a in report.disagreements if a.fabric == name)
    return EvaluatedFabric(name, before, after, tuple(tiles), differing, is_provisional)


def difference(comparison: Comparison, names: Mapping[str, str]) -> Difference:
    """What differs between two models, in words; ``names`` are what people call them, by identity."""
    c = comparison
    fabrics = [f"{name}: added" for name in c.fabrics_added]
    fabrics += [f"{name}: removed" for name in c.fabrics_removed]
    thresholds = [text for limit in c.limits if (text := _threshold(limit))]
    samples = [
        f"{s.fabric}: {len(s.added)} added, {len(s.removed)} removed{_names(s.added, s.removed)}" for s in c.samples
    ]
    if c.samples_unknown:
        unknown = ", ".join(names.get(identity, identity) for identity in c.samples_unknown)
        samples = [f"{unknown} does not record which samples it was made from"]
    settings = [f"{s.name}: {s.before} → {s.after}" for s in c.settings]
    parts = [
        ("Fabrics", fabrics or ["the same"]),
        ("Calibrated thresholds", thresholds or ["the same"]),
        ("Samples", samples or ["the same"]),
        ("Settings", settings or ["the same"]),
        ("Trained weights", ["the same" if c.same_heads else "different"]),
    ]
    before, after = names.get(c.before, c.before), names.get(c.after, c.after)
    return Difference(before, after, tuple((heading, tuple(lines)) for heading, lines in parts))


def _threshold(limit: Limits) -> str:
    if limit.before is None or limit.after is None:
        return ""
    change = 100.0 * (limit.after / limit.before - 1.0) if limit.before else 0.0
    provisional = ", provisional" if limit.provisional else ""
    if abs(change) < 0.05 and not provisional:
        return ""
    return f"{limit.fabric}: {limit.before:.2f} → {limit.after:.2f} ({change:+.0f} %){provisional}"


def _names(added: Sequence[str], removed: Sequence[str]) -> str:
    names = [*(f"+ {n}" for n in added), *(f"- {n}" for n in removed)]
    if not names:
        return ""
    more = len(names) - _MOST_NAMES
    return f" ({', '.join(names[:_MOST_NAMES])}{f' and {more} more' if more > 0 else ''})"
