"""What the pages show on which models are learnt, compared and kept: values without Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from aoi_app.settings.settings import Learning

CaseKind = Literal["good", "drawn", "defect"]


@dataclass(frozen=True, slots=True)
class FabricChoice:
    """A fabric of the samples, as something to be learnt.

    Attributes:
        name: of the fabric.
        good, defects: how many samples of good and of defective cloth it has.
        webs: how many rolls or files the good ones come from.
        is_retired: it is not learnt any more.
        is_known, is_provisional: the model in use knows it, by a quick enrolment only.
    """

    name: str
    good: int = 0
    defects: int = 0
    webs: int = 0
    is_retired: bool = False
    is_known: bool = False
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A full training as it is shown.

    Attributes:
        is_running: it goes on.
        stage: in words.
        share: of all its work, 0..1.
        message: one line; of a training that ended, how, and what to do.
        is_alarm: it ended with something to be mended.
        losses: error on cloth it has not seen, after each round.
        remaining_s: about so long; None while nobody can tell.
    """

    is_running: bool
    stage: str = ""
    share: float = 0.0
    message: str = ""
    is_alarm: bool = False
    losses: tuple[float, ...] = ()
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the history; ``problem`` says why a damaged one cannot be used."""

    identity: str
    made: str
    author: str = ""
    kind: str = ""
    fabrics: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()
    size_bytes: int = 0
    in_use: bool = False
    pinned: bool = False
    is_way_back: bool = False
    has_trial: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """When which model was put into use, by whom, in the place of which, and why."""

    at: str
    author: str
    before: str
    identity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model does on one fabric; see ``cras_core.evaluation.candidate.FabricMetrics``."""

    known: bool
    pieces: int
    area_m2: float
    alarms: int
    drawn: int
    drawn_found: int
    defects: int
    defects_found: int

    @property
    def alarms_per_100_m2(self) -> float:
        """NaN without any cloth."""
        return 100.0 * self.alarms / self.area_m2 if self.area_m2 > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of cloth that models were compared on.

    Attributes:
        id: of the sample.
        kind: good cloth, with drawn defects, or with confirmed defects.
        before, after: largest score by the model that was in use and by the new one; 1 is the limit. None without one.
        path: the picture; a drawn defect is not on it.
        seen_before: the model that was in use may have learnt from it.
    """

    id: str
    kind: CaseKind
    before: float | None
    after: float
    path: Path
    seen_before: bool = False


@dataclass(frozen=True, slots=True)
class ComparedFabric:
    """Two models on one fabric; ``before`` is None without a model that was in use."""

    name: str
    before: Figures | None
    after: Figures
    tiles: tuple[Tile, ...]
    is_provisional: bool = False

    @property
    def seen_before(self) -> int:
        """Good pieces that the model that was in use may have learnt from."""
        return sum(t.seen_before for t in self.tiles if t.kind == "good")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two models side by side.

    Attributes:
        before, after: identities; ``before`` is empty without one, or where nobody wrote it down.
        fabrics: that were judged.
        worse: what the new model does worse, sentences.
        is_current: ``before`` is the model in use.
    """

    before: str
    after: str
    fabrics: tuple[ComparedFabric, ...]
    worse: tuple[str, ...]
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two models: headings with their lines."""

    before: str
    after: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ModelView:
    """Everything that the pages show at one moment.

    Attributes:
        revision: another number, another view.
        busy: what is being done; empty when nothing is.
        progress: of it, 0..1; None where nobody knows.
        note, is_alarm: what the last command led to, and whether something went wrong.
        fabrics: of the samples.
        lost: fabrics that the model in use knows and a full training would not.
        more, more_fabrics: folder with cloth of further fabrics, and their names.
        can_resume: a training was cut off and would go on.
        training: the full training that runs, or the last one.
        models, promotions: the history, the newest first.
        problem: what is wrong with the history; empty without.
        in_use: identity; empty without.
        running: name of the bundle that the line runs; ``is_running_kept`` it is the model in use.
        candidate: identity of the new model that is asked about; empty without.
        compared: it beside the model that was in use.
        difference: of two models that a person chose.
        learning: the settings.
        disk_bytes, free_bytes: that the models take, and that are free.
    """

    revision: int = 0
    busy: str = ""
    progress: float | None = None
    note: str = ""
    is_alarm: bool = False
    fabrics: tuple[FabricChoice, ...] = ()
    lost: tuple[str, ...] = ()
    more: str = ""
    more_fabrics: tuple[str, ...] = ()
    can_resume: bool = False
    training: TrainingView | None = None
    models: tuple[ModelRow, ...] = ()
    promotions: tuple[PromotionRow, ...] = ()
    problem: str = ""
    in_use: str = ""
    running: str = ""
    is_running_kept: bool = False
    candidate: str = ""
    compared: Compared | None = None
    difference: Difference | None = None
    learning: Learning = field(default_factory=Learning)
    disk_bytes: int = 0
    free_bytes: int = 0


class Models(Protocol):
    """Whom the pages ask. Every call returns at once; ``view`` tells later what came of it."""

    def view(self) -> ModelView:
        """What there is to show now."""

    def enrol(self, fabric: str) -> None:
        """Adds a fabric to the model in use, without training, and compares."""

    def train(self, *, fresh: bool) -> None:
        """Trains all fabrics; one that was cut off goes on, unless it is to begin anew."""

    def choose_more(self, folder: Path | None) -> None:
        """Cloth of further fabrics for the training."""

    def stop(self) -> None:
        """Ends what goes on."""

    def compare(self, identity: str, *, anew: bool = False) -> None:
        """Sets a model beside the one in use."""

    def promote(self, identity: str, reason: str) -> None:
        """Puts a model into use."""

    def dismiss(self) -> None:
        """The old model stays; the new one is kept in the history."""

    def adopt(self) -> None:
        """Takes the line's model into the history and puts it into use there."""

    def pin(self, identity: str, *, pinned: bool) -> None:
        """Keeps a model from being deleted."""

    def remove(self, identity: str) -> None:
        """Deletes a model."""

    def prune(self) -> None:
        """Deletes the oldest models until the bounds hold."""

    def differ(self, before: str, after: str) -> None:
        """Tells what differs between two models."""

    def rename_fabric(self, old: str, new: str) -> None:
        """Gives a fabric of the model in use another name."""

    def take_out(self, fabric: str) -> None:
        """Takes a fabric out of the model in use."""

    def change(self, learning: Learning) -> None:
        """Other settings."""
