"""What the page about models shows: values without Qt.

What two models did is told by the values of ``cras_core.evaluation.candidate_verdicts``. They are imported for
their types only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.background.state_holder import ServiceState
from aoi_app.learning.training_state import TrainingState
from aoi_app.settings.settings import Learning

if TYPE_CHECKING:
    from cras_core.evaluation.candidate_reports import KeptReport
    from cras_core.evaluation.candidate_verdicts import FabricMetrics, Kind, Verdict


@dataclass(frozen=True, slots=True)
class FabricChoice:
    """A fabric of the samples, as something to be learnt.

    Attributes:
        name: of the fabric.
        good, defects: how many defect-free and defective samples it has.
        webs: how many rolls or files the defect-free ones come from.
        is_retired: it is not learnt any more.
        is_known, is_provisional: the model in use knows it; by a quick enrolment only.
    """

    name: str
    good: int = 0
    defects: int = 0
    webs: int = 0
    is_retired: bool = False
    is_known: bool = False
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the history.

    Attributes:
        identity: of the model; of a file that is none, its name.
        name: what people call it, see ``model_names``; of one that cannot be used, the name of its file.
        made: when, as people read it.
        author: who made it.
        kind: how it came about, in words.
        fabrics, provisional: that it knows; those of them that were enrolled quickly.
        size_bytes: of its file.
        in_use, pinned: as the history says.
        is_rollback: the model to roll back to from the one in use.
        has_evaluation: its evaluation as a candidate is kept.
        problem: why a damaged one cannot be used; empty for a sound one.
    """

    identity: str
    made: str
    author: str = ""
    kind: str = ""
    fabrics: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()
    size_bytes: int = 0
    in_use: bool = False
    pinned: bool = False
    is_rollback: bool = False
    has_evaluation: bool = False
    problem: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """When which model was put into use, by whom, in the place of which, and why.

    ``name`` and ``before_name`` are what people call the two; of one that is gone, that it is.
    """

    at: str
    author: str
    before: str
    identity: str
    reason: str
    name: str = ""
    before_name: str = ""


@dataclass(frozen=True, slots=True)
class EvaluatedTile:
    """A tile that both models scored.

    Attributes:
        before: what the model that was in use made of it; None without one.
        after: what the candidate made of it.
        path: the picture; synthetic defects are not on it.
        seen_before: the model that was in use may have been trained on it.
    """

    before: Verdict | None
    after: Verdict
    path: Path
    seen_before: bool = False

    @property
    def id(self) -> str:
        """Of the sample."""
        return self.after.id

    @property
    def kind(self) -> Kind:
        """Defect-free, with synthetic defects, or with confirmed defects."""
        return self.after.kind


@dataclass(frozen=True, slots=True)
class EvaluatedFabric:
    """Both models on one fabric.

    Attributes:
        name: of the fabric.
        before: what the model that was in use did; None without one.
        after: what the candidate did.
        tiles: that were scored.
        disagreements: those that one of the two models flags and the other does not, the greatest difference first;
            synthetic defects are left out.
        is_provisional: the candidate learnt it by a quick enrolment.
    """

    name: str
    before: FabricMetrics | None
    after: FabricMetrics
    tiles: tuple[EvaluatedTile, ...] = ()
    disagreements: tuple[EvaluatedTile, ...] = ()
    is_provisional: bool = False

    @property
    def seen_before(self) -> int:
        """Defect-free tiles that the model that was in use may have been trained on."""
        return sum(t.seen_before for t in self.tiles if t.kind == "good")

    @property
    def is_comparable(self) -> bool:
        """Both models know the fabric and scored something of it."""
        return (
            self.before is not None
            and self.before.known
            and self.after.known
            and bool(self.after.pieces or self.after.defects)
        )


@dataclass(frozen=True, slots=True)
class CandidateEvaluation:
    """A candidate beside the model in use.

    Attributes:
        before, after: identities of the model that was in use and of the candidate; ``before`` is empty without one, or
            where nobody wrote it down.
        fabrics: that were scored.
        worse: what the candidate does worse, each a sentence.
        is_current: ``before`` is the model in use now.
    """

    before: str
    after: str
    fabrics: tuple[EvaluatedFabric, ...]
    worse: tuple[str, ...] = ()
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two models: headings with their lines."""

    before: str
    after: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearningState(ServiceState):
    """Everything that the page shows at one moment.

    Attributes:
        fabrics: of the samples.
        forgotten: fabrics that the model in use knows and a full training would not.
        extra_folder, extra_fabrics: folder with pictures of further fabrics for a full training, and their names.
        can_resume: a training was interrupted and would be resumed.
        training: the full training that runs, or the last one.
        models, promotions: the history, the newest first.
        problem: what is wrong with the history; empty without.
        in_use: identity of the model in use; empty without.
        line_bundle: name of the bundle that the line runs; empty where it cannot be read.
        is_line_bundle_in_use: that bundle is the model in use.
        candidate: identity of the new model that a person decides about; empty without.
        report: what both models did, as it was kept; None until they were evaluated.
        evaluation: the same beside the history and the samples of now.
        difference: of two models that a person chose.
        learning: the settings.
        disk_bytes, free_bytes: that the models take, and that are free.
    """

    fabrics: tuple[FabricChoice, ...] = ()
    forgotten: tuple[str, ...] = ()
    extra_folder: str = ""
    extra_fabrics: tuple[str, ...] = ()
    can_resume: bool = False
    training: TrainingState | None = None
    models: tuple[ModelRow, ...] = ()
    promotions: tuple[PromotionRow, ...] = ()
    problem: str = ""
    in_use: str = ""
    line_bundle: str = ""
    is_line_bundle_in_use: bool = False
    candidate: str = ""
    report: KeptReport | None = None
    evaluation: CandidateEvaluation | None = None
    difference: Difference | None = None
    learning: Learning = field(default_factory=Learning)
    disk_bytes: int = 0
    free_bytes: int = 0

    @property
    def is_training(self) -> bool:
        """A full training runs."""
        return self.training is not None and self.training.is_running

    def name_of(self, identity: str) -> str:
        """What people call a model of the history; of another one, its identity."""
        return next((m.name for m in self.models if m.identity == identity and m.name), identity)

    @property
    def rollback(self) -> str:
        """Identity of the model to roll back to; empty without."""
        return next((m.identity for m in self.models if m.is_rollback), "")
