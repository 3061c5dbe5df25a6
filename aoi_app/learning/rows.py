"""What the store of models and a comparison hold, as rows for people."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.learning.state import (
    Compared,
    ComparedFabric,
    Difference,
    Figures,
    ModelRow,
    PromotionRow,
    Tile,
    TrainingView,
)
from aoi_app.learning.training_job import JobState, JobView
from aoi_app.learning.wording import KINDS, STAGES

if TYPE_CHECKING:
    from cras_core.evaluation.candidate import CandidateReport, FabricMetrics
    from cras_core.evaluation.candidate_reports import KeptReport
    from cras_core.registry.diff import Comparison, Limits
    from cras_core.registry.entries import Entry, Promotion

_MOST_NAMES = 8


def model_row(entry: Entry, way_back: str | None, trials: Collection[str]) -> ModelRow:
    """A model of the history.

    Args:
        entry: of the store.
        way_back: identity of the model to go back to.
        trials: identities of models with a kept comparison.
    """
    made_s = entry.made_s if entry.made_s or entry.problem == "" else _time_of(entry.path)
    return ModelRow(
        identity=entry.identity,
        made=time.strftime("%Y-%m-%d %H:%M", time.localtime(made_s)) if made_s else "",
        author=entry.author,
        kind=KINDS.get(entry.kind, entry.kind),
        fabrics=entry.fabrics,
        provisional=entry.provisional,
        size_bytes=entry.size_bytes,
        in_use=entry.in_use,
        pinned=entry.pinned,
        is_way_back=entry.identity == way_back,
        has_trial=entry.identity in trials,
        problem=entry.problem,
    )


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it has just gone
        return 0.0


def promotion_row(promotion: Promotion) -> PromotionRow:
    """A line of the log."""
    at = promotion.at[:16].replace("T", " ")
    return PromotionRow(at, promotion.author, promotion.before or "", promotion.identity, promotion.reason)


def training_view(job: JobView, *, can_resume: bool) -> TrainingView:
    """A training as people read it.

    Args:
        job: as its process tells it.
        can_resume: what it has so far is on disk.
    """
    message = job.message
    if job.state is JobState.CANCELLED:
        message = "Stopped; started again, it goes on where it was." if can_resume else "Stopped."
    elif job.state is JobState.FAILED:
        message = job.message + (" Started again, it goes on where it was." if can_resume else "")
    return TrainingView(
        job.state is JobState.RUNNING,
        STAGES.get(job.stage, job.stage),
        job.share,
        message,
        job.state is JobState.FAILED,
        job.losses,
        job.remaining_s,
    )


def compared(
    kept: KeptReport, folders: Mapping[str, Path], provisional: Collection[str], in_use: str | None
) -> Compared:
    """A comparison with where its pictures are.

    Args:
        kept: as it was kept.
        folders: of the pictures, by fabric.
        provisional: fabrics that the new model was taught quickly.
        in_use: the model in use now.
    """
    trial = kept.trial
    return Compared(
        kept.before,
        kept.after,
        tuple(_fabric(f, trial, folders.get(f, Path()), f in provisional) for f in trial.fabrics),
        trial.got_worse,
        is_current=kept.before == (in_use or ""),
    )


def _fabric(name: str, trial: CandidateReport, folder: Path, is_provisional: bool) -> ComparedFabric:
    before, after = trial.figures(name)
    old = trial.running or [None] * len(trial.candidate)
    tiles = tuple(
        Tile(
            v.id,
            v.kind,
            None if b is None else b.peak,
            v.peak,
            folder / f"{v.id}.png",
            v.kind == "good" and v.id in trial.learnt_by_running,
        )
        for b, v in zip(old, trial.candidate, strict=True)
        if v.fabric == name
    )
    return ComparedFabric(name, None if before is None else _figures(before), _figures(after), tiles, is_provisional)


def _figures(f: FabricMetrics) -> Figures:
    return Figures(f.known, f.pieces, f.area_m2, f.alarms, f.drawn, f.drawn_found, f.defects, f.defects_found)


def difference(comparison: Comparison) -> Difference:
    """What differs between two models, in words."""
    c = comparison
    fabrics = [f"{name}: only in the second" for name in c.fabrics_added]
    fabrics += [f"{name}: only in the first" for name in c.fabrics_removed]
    limits = [text for limit in c.limits if (text := _limit(limit))]
    samples = [
        f"{s.fabric}: {len(s.added)} added, {len(s.removed)} removed{_names(s.added, s.removed)}" for s in c.samples
    ]
    if c.samples_unknown:
        samples = [f"{', '.join(c.samples_unknown)} does not tell which samples it was made of"]
    settings = [f"{s.name}: {s.before} → {s.after}" for s in c.settings]
    parts = [
        ("Fabrics", fabrics or ["the same"]),
        ("Limits", limits or ["the same"]),
        ("Samples", samples or ["the same"]),
        ("Settings", settings or ["the same"]),
        ("What judges the cloth", ["the same" if c.same_heads else "trained anew"]),
    ]
    return Difference(c.before, c.after, tuple((heading, tuple(lines)) for heading, lines in parts))


def _limit(limit: Limits) -> str:
    if limit.before is None or limit.after is None:
        return ""
    change = 100.0 * (limit.after / limit.before - 1.0) if limit.before else 0.0
    provisional = ", provisional" if limit.provisional else ""
    if abs(change) < 0.05 and not provisional:
        return ""
    return f"{limit.fabric}: {limit.before:.2f} → {limit.after:.2f} spreads ({change:+.0f} %){provisional}"


def _names(added: Sequence[str], removed: Sequence[str]) -> str:
    names = [*(f"+ {n}" for n in added), *(f"- {n}" for n in removed)]
    if not names:
        return ""
    more = len(names) - _MOST_NAMES
    return f" ({', '.join(names[:_MOST_NAMES])}{f' and {more} more' if more > 0 else ''})"
