"""A candidate beside the model in use, in words: what was measured, on how much, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aoi_app.learning.state import CandidateEvaluation, EvaluatedFabric, LearningState
from aoi_app.learning.wording import count_of

if TYPE_CHECKING:
    from cras_core.evaluation.candidate_verdicts import FabricMetrics

_LITTLE_M2 = 1.0
"""On less defect-free fabric, one false alarm more or less moves the rate by more than the limits of most mills."""

_FEW_DEFECTS = 20
"""Of fewer defects, a fifth has to be missed before it is more than chance."""


_GOOD_SHARE = 0.8
"""A model that finds less than this share of the defects is not praised for being no worse than another."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an evaluation was measured on.

    Attributes:
        fabrics: names.
        tiles, area_m2: held-out defect-free tiles.
        synthetic, confirmed: defects.
        found: of both, by the candidate.
    """

    fabrics: tuple[str, ...] = ()
    tiles: int = 0
    area_m2: float = 0.0
    synthetic: int = 0
    confirmed: int = 0
    found: int = 0

    @property
    def is_thin(self) -> bool:
        """Too little to tell models apart by."""
        return self.area_m2 < _LITTLE_M2 or self.synthetic + self.confirmed < _FEW_DEFECTS

    @property
    def defects(self) -> int:
        """Synthetic and confirmed ones."""
        return self.synthetic + self.confirmed

    @property
    def misses_much(self) -> bool:
        """The candidate finds too few of the defects, whatever the model in use finds."""
        return self.found < _GOOD_SHARE * self.defects

    @property
    def text(self) -> str:
        """In words."""
        return (
            f"{count_of(self.tiles, 'defect-free tile')} ({self.area_m2:.2f} m²), {self.synthetic} synthetic and "
            f"{self.confirmed} confirmed defects of {', '.join(self.fabrics)}"
        )


def evidence_of(fabrics: Sequence[EvaluatedFabric]) -> Evidence:
    """Everything that was scored of these fabrics."""
    measured = [f.after for f in fabrics]
    return Evidence(
        tuple(f.name for f in fabrics),
        sum(m.pieces for m in measured),
        sum(m.area_m2 for m in measured),
        sum(m.drawn for m in measured),
        sum(m.defects for m in measured),
        sum(_found(m) for m in measured),
    )


class Outcome(Enum):
    """What an evaluation comes to."""

    WORSE = "the candidate does something worse"
    NOTHING_SCORED = "there were no held-out samples"
    NO_MODEL_IN_USE = "there is nothing to compare with"
    NOT_COMPARABLE = "the model in use knows none of the fabrics that were scored"
    THIN = "nothing is worse, on too little to tell"
    MISSES_MUCH = "nothing is worse than in the model in use, but too few defects are found"
    NOT_WORSE = "nothing is worse, on enough to tell"


def outcome_of(evaluation: CandidateEvaluation) -> Outcome:
    """What an evaluation comes to."""
    fabrics = evaluation.fabrics
    if evaluation.worse:
        return Outcome.WORSE
    if not any(f.after.pieces or f.after.defects for f in fabrics):
        return Outcome.NOTHING_SCORED
    if not evaluation.before and not any(f.before for f in fabrics):
        return Outcome.NO_MODEL_IN_USE
    compared = [f for f in fabrics if f.is_comparable]
    if not compared:
        return Outcome.NOT_COMPARABLE
    evidence = evidence_of(compared)
    if evidence.is_thin:
        return Outcome.THIN
    # Fabric by fabric: one that is found well must not hide another.
    return Outcome.MISSES_MUCH if any(evidence_of([f]).misses_much for f in compared) else Outcome.NOT_WORSE


def outcome_text(evaluation: CandidateEvaluation) -> str:
    """What an evaluation comes to, and on how much, in words."""
    scored = evidence_of([f for f in evaluation.fabrics if f.after.pieces or f.after.defects])
    compared = evidence_of([f for f in evaluation.fabrics if f.is_comparable])
    match outcome_of(evaluation):
        case Outcome.WORSE:
            on = f" Compared on {compared.text}." if compared.fabrics else ""
            return f"Worse: {'; '.join(evaluation.worse)}.{on}"
        case Outcome.NOTHING_SCORED:
            return "Not compared: no samples were held out from training."
        case Outcome.NO_MODEL_IN_USE:
            return f"Not compared: there is no model in use. The candidate was evaluated on {scored.text}."
        case Outcome.NOT_COMPARABLE:
            return (
                f"Not compared: the model in use does not know {', '.join(scored.fabrics)}. The candidate was "
                f"evaluated on {scored.text}."
            )
        case Outcome.THIN:
            return f"Too little to tell whether it is worse: compared on only {compared.text}."
        case Outcome.MISSES_MUCH | Outcome.NOT_WORSE:
            return _missing_text(evaluation, compared) or f"Nothing got worse on {compared.text}."


def _missing_text(evaluation: CandidateEvaluation, compared: Evidence) -> str:
    """Of which fabrics too few defects are found; empty where that is so of none."""
    found = [
        f"{evidence.found} of {evidence.defects} of {f.name} (the model in use {_found(f.before)})"
        for f in evaluation.fabrics
        if f.is_comparable and f.before is not None and (evidence := evidence_of([f])).misses_much
    ]
    if not found:
        return ""
    return f"The candidate misses many defects: it finds {', '.join(found)}. Compared on {compared.text}."


def _found(metrics: FabricMetrics) -> int:
    return metrics.drawn_found + metrics.defects_found


def may_go_live(evaluation: CandidateEvaluation) -> bool:
    """Whether a candidate may be put into use without asking: something was scored and nothing was found worse."""
    return evaluation.is_current and not evaluation.worse and any(f.after.pieces for f in evaluation.fabrics)


def automatic_reason(evaluation: CandidateEvaluation) -> str:
    """Why a candidate was put into use without asking, for the log."""
    compared = [f for f in evaluation.fabrics if f.is_comparable]
    return f"automatic: not worse on {evidence_of(compared).text}" if compared else "automatic: nothing to compare with"


def heading_text(state: LearningState) -> str:
    """Which models are compared."""
    if not state.candidate:
        return "No candidate"
    name = state.name_of(state.candidate)
    if state.candidate == state.in_use:
        return f"{name} is in use"
    before = state.evaluation.before if state.evaluation is not None else ""
    if not before or state.evaluation is None:
        return f"Candidate {name}"
    since = "in use" if state.evaluation.is_current else "no longer in use"
    return f"Candidate {name} beside {state.name_of(before)} ({since})"


def metric_rows(fabric: EvaluatedFabric) -> list[tuple[str, str, str]]:
    """Caption, the model that was in use, the candidate."""
    return [
        ("False alarms on held-out samples", *_both(fabric, _alarms)),
        ("False alarms per 100 m²", *_both(fabric, _rate)),
        ("Synthetic defects found", *_both(fabric, lambda f: _share(f.drawn_found, f.drawn))),
        ("Confirmed defects found", *_both(fabric, lambda f: _share(f.defects_found, f.defects))),
    ]


def fabric_remarks(fabric: EvaluatedFabric) -> list[str]:
    """What to bear in mind about the metrics of a fabric."""
    f = fabric.after
    said = [f"Evaluated on {count_of(f.pieces, 'defect-free tile')} ({f.area_m2:.2f} m²) held out from training."]
    if f.area_m2 < _LITTLE_M2 and f.pieces:
        said.append("That is little: one false alarm more or less is chance.")
    if fabric.seen_before:
        said.append(
            f"The model in use was trained on {fabric.seen_before} of them and looks better here than on the line."
        )
    if not f.defects:
        said.append("There are no confirmed or labelled defects; only synthetic ones were scored.")
    if fabric.is_provisional:
        said.append(
            f"The threshold of {fabric.name} is provisional: the model was not trained on this fabric and finds fewer "
            "defects than it could. Train all fabrics when there is time."
        )
    return said


def first_to_show(evaluation: CandidateEvaluation | None) -> str:
    """The fabric to show first: one that got worse, or is new, or on which the models disagree most."""
    if evaluation is None or not evaluation.fabrics:
        return ""
    fabrics = evaluation.fabrics
    worse = [f.name for f in fabrics if any(w.startswith(f"{f.name}: ") for w in evaluation.worse)]
    new = [f.name for f in fabrics if f.before is None or not f.before.known]
    return [*worse, *new, max(fabrics, key=lambda f: len(f.disagreements)).name][0]


def _both(fabric: EvaluatedFabric, text: Callable[[FabricMetrics], str]) -> tuple[str, str]:
    before = fabric.before
    old = "–" if before is None else text(before) if before.known else "does not know it"
    return old, text(fabric.after) if fabric.after.known else "does not know it"


def _alarms(f: FabricMetrics) -> str:
    return f"{f.alarms} on {f.area_m2:.2f} m²" if f.pieces else "no samples"


def _rate(f: FabricMetrics) -> str:
    return f"{f.alarms_per_100_m2:.0f}" if f.pieces and f.area_m2 > 0 else "–"


def _share(found: int, of: int) -> str:
    return f"{found} of {of}" if of else "none there"
