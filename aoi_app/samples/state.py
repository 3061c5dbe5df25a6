"""What the page of the samples shows: frozen values, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from aoi_app.background.state_holder import ServiceState
from cras_core.arrays import Image
from cras_core.data.samples.values import Choice, FabricRecord, Sample

SortOrder = Literal["suspicion", "place", "time"]
SORT_ORDERS: tuple[SortOrder, ...] = get_args(SortOrder)
SampleFilter = Literal["kept", "suspicious", "good", "defects", "thrown out", "all"]
FILTERS: tuple[SampleFilter, ...] = get_args(SampleFilter)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many samples of each kind a fabric has."""

    good: int = 0
    defects: int = 0
    thrown_out: int = 0
    suspicious: int = 0


@dataclass(frozen=True, slots=True)
class FabricRow:
    """A fabric of the list; ``counts`` is None until its samples were read."""

    record: FabricRecord
    counts: Counts | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name


@dataclass(frozen=True, slots=True, eq=False)
class OpenTile:
    """The tile of the editor.

    Attributes:
        sample_id: of its sample.
        image: (H, W) or (H, W, 3) uint8; None where it cannot be read.
        problem: why it cannot be read; empty otherwise.
    """

    sample_id: str
    image: Image | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SamplesState(ServiceState):
    """Everything that the page shows at one moment.

    Attributes:
        fabrics: all of the store, by name.
        fabric: the one that is shown; empty without.
        samples: all of that fabric, by place on their webs, as a person decided last. A change that could not be
            written is not in them.
        folder: of their pictures; None without a fabric.
        problems: what in the store cannot be used, sentences.
        unsaved: why the last change of a sample is not on disk, by the sample's id.
        undo_steps: what each undo would write, by the sample's id; the next one is last.
        pending: changes that are shown and not written yet.
        tile: of the editor; None without.
    """

    fabrics: tuple[FabricRow, ...] = ()
    fabric: str = ""
    samples: tuple[Sample, ...] = ()
    folder: Path | None = None
    problems: tuple[str, ...] = ()
    unsaved: Mapping[str, str] = field(default_factory=dict)
    undo_steps: tuple[Mapping[str, Choice], ...] = ()
    pending: int = 0
    tile: OpenTile | None = None


def count(samples: Sequence[Sample]) -> Counts:
    """How many there are of each kind."""
    return Counts(
        good=sum(s.is_good for s in samples),
        defects=sum(s.is_defect for s in samples),
        thrown_out=sum(s.choice == "thrown out" for s in samples),
        suspicious=sum(is_suspicious(s) for s in samples),
    )


def with_counts(rows: Sequence[FabricRow], fabric: str, samples: Sequence[Sample]) -> tuple[FabricRow, ...]:
    """The rows with the samples of one fabric counted anew."""
    counts = count(samples)
    return tuple(replace(row, counts=counts) if row.name == fabric else row for row in rows)


def with_changes(samples: Sequence[Sample], changed: Mapping[str, Sample | None]) -> tuple[Sample, ...]:
    """The samples with others in the place of some, by place; None takes one away."""
    by_id: dict[str, Sample | None] = {s.id: s for s in samples}
    by_id.update(changed)
    return tuple(sorted((s for s in by_id.values() if s is not None), key=_place))


def is_suspicious(sample: Sample) -> bool:
    """Somebody should look whether it is good cloth: labelled and thrown out samples are decided already."""
    return sample.is_good and sample.is_suspicious


def arranged(samples: Sequence[Sample], which: SampleFilter, order: SortOrder) -> list[Sample]:
    """The samples that a filter lets through: the most suspicious first, by place on their web, or the oldest first."""
    wanted = [s for s in samples if passes(s, which)]
    if order == "suspicion":
        return sorted(wanted, key=lambda s: (-(s.suspicion if s.suspicion is not None else -1.0), _place(s)))
    return sorted(wanted, key=_place if order == "place" else lambda s: (s.taken_at, *_place(s)))


def passes(sample: Sample, which: SampleFilter) -> bool:
    """Whether a filter lets a sample through."""
    return {
        "kept": sample.choice == "kept",
        "suspicious": is_suspicious(sample),
        "good": sample.is_good,
        "defects": sample.is_defect,
        "thrown out": sample.choice == "thrown out",
        "all": True,
    }[which]


def _place(sample: Sample) -> tuple[str, int, int, str]:
    return sample.web, sample.first_line, sample.left_px, sample.id
