"""What the window shows in which a fabric is enrolled: values without Qt, and what is decided of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

from aoi_app.settings.defect_types import DefectType
from cras_core.arrays import Image
from cras_core.data.samples.labels import Label
from cras_core.data.samples.values import Choice, FabricRecord, Sample

Order = Literal["suspicion", "place", "time"]
ORDERS: tuple[Order, ...] = get_args(Order)
Kind = Literal["kept", "suspicious", "good", "defects", "thrown out", "all"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many samples there are of each kind."""

    good: int = 0
    defects: int = 0
    thrown_out: int = 0
    suspicious: int = 0


@dataclass(frozen=True, slots=True)
class FabricRow:
    """A fabric of the list; ``counts`` is None while nobody has counted."""

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
        name: id of the sample.
        image: (H, W) or (H, W, 3) uint8; None where it cannot be read.
        problem: why.
    """

    name: str
    image: Image | None
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SamplesState:
    """Everything that the window shows at one moment.

    Attributes:
        revision: another number, another view.
        fabrics: all of the store, by name.
        fabric: the one that is looked at; empty without.
        samples: all of it, by place, as a person decided last; what could not be kept is as it was before.
        folder: of their pictures; None without.
        problems: what in the store cannot be used, sentences.
        note: what the last command led to; empty without.
        is_alarm: the note tells of something that went wrong.
        busy: what is being done; empty when nothing is.
        progress: of it, 0..1; None where nobody knows.
        not_kept: why the last change of a sample is not on disk, by its id.
        can_undo: a choice can be taken back.
        tile: of the editor.
        catalogue: the types of defects.
    """

    revision: int = 0
    fabrics: tuple[FabricRow, ...] = ()
    fabric: str = ""
    samples: tuple[Sample, ...] = ()
    folder: Path | None = None
    problems: tuple[str, ...] = ()
    note: str = ""
    is_alarm: bool = False
    busy: str = ""
    progress: float | None = None
    not_kept: Mapping[str, str] = field(default_factory=dict)
    can_undo: bool = False
    tile: OpenTile | None = None
    catalogue: tuple[DefectType, ...] = ()


class SampleDesk(Protocol):
    """Whom the window asks. Every call returns at once; ``view`` tells later what came of it."""

    def view(self) -> SamplesState:
        """What there is to show now."""

    def look(self) -> None:
        """Reads the store anew."""

    def choose(self, fabric: str) -> None:
        """Shows the samples of a fabric."""

    def begin(self, fabric: str) -> None:
        """Makes a new fabric and shows it."""

    def rename(self, old: str, new: str) -> None:
        """Gives a fabric another name."""

    def merge(self, source: str, target: str) -> None:
        """Moves all samples of one fabric into another."""

    def retire(self, fabric: str, *, is_retired: bool) -> None:
        """A retired fabric is not learnt any more; it can be restored."""

    def delete(self, fabric: str) -> None:
        """Deletes a fabric and all its samples."""

    def add_pictures(self, fabric: str, paths: Sequence[Path]) -> None:
        """Cuts pictures, or all of a folder, into samples of a fabric."""

    def export(self, fabric: str, path: Path) -> None:
        """Writes a fabric with all its samples into one file."""

    def import_(self, path: Path) -> None:
        """Reads a fabric from one file and shows it."""

    def export_data_set(self, folder: Path) -> None:
        """Writes all fabrics that are not retired as a data set in ITDD's layout, split by web, with a card."""

    def import_data_set(self, folder: Path) -> None:
        """Reads the fabrics of a data set in ITDD's layout."""

    def stop(self) -> None:
        """Ends what takes long; what was done of it stays."""

    def decide(self, names: Collection[str], choice: Choice) -> None:
        """Keeps samples of the shown fabric, or throws them out."""

    def undo(self) -> None:
        """Takes the last decision back."""

    def open_tile(self, name: str) -> None:
        """Reads a tile for the editor."""

    def label(self, name: str, labels: tuple[Label, ...]) -> None:
        """Keeps the labels of a sample of the shown fabric."""

    def keep_catalogue(self, types: tuple[DefectType, ...]) -> None:
        """Keeps the types of defects."""


def count(samples: Sequence[Sample]) -> Counts:
    """How many there are of each kind."""
    return Counts(
        good=sum(s.is_good for s in samples),
        defects=sum(s.is_defect for s in samples),
        thrown_out=sum(s.choice == "thrown out" for s in samples),
        suspicious=sum(is_suspicious(s) for s in samples),
    )


def is_suspicious(sample: Sample) -> bool:
    """Somebody should look whether it is good cloth: labelled and thrown out samples are decided already."""
    return sample.is_good and sample.is_suspicious


def shown(samples: Sequence[Sample], kind: Kind, order: Order) -> list[Sample]:
    """The samples of a kind in an order: the most suspicious first, by place on their web, or the newest last."""
    wanted = [s for s in samples if _is_of(s, kind)]
    if order == "suspicion":
        return sorted(wanted, key=lambda s: (-(s.suspicion if s.suspicion is not None else -1.0), _place(s)))
    return sorted(wanted, key=_place if order == "place" else lambda s: (s.taken_at, *_place(s)))


def _is_of(sample: Sample, kind: Kind) -> bool:
    if kind == "kept":
        return sample.choice == "kept"
    if kind == "suspicious":
        return is_suspicious(sample)
    if kind == "good":
        return sample.is_good
    if kind == "defects":
        return sample.is_defect
    return kind == "all" or sample.choice == "thrown out"


def _place(sample: Sample) -> tuple[str, int, int, str]:
    return sample.web, sample.first_line, sample.left_px, sample.id


def describe(sample: Sample, not_kept: str = "") -> str:
    """A sample in words, for tips and for who hears the screen."""
    parts = [f"{sample.web}, {sample.position_m:.2f} m along, {sample.position_mm:.0f} mm across"]
    if sample.choice == "thrown out":
        parts.append("thrown out")
    if sample.labels:
        codes = ", ".join(sorted({label.code for label in sample.labels if label.code}))
        parts.append(f"defect, {len(sample.labels)} label{'s' * (len(sample.labels) != 1)} {codes}".rstrip())
    if sample.suspicion is not None:
        parts.append(f"suspicion {sample.suspicion:.2f}" + (", look at it" if is_suspicious(sample) else ""))
    if not_kept:
        parts.append(f"the last change is not on disk: {not_kept}")
    return "; ".join(parts)


def fabric_text(row: FabricRow) -> str:
    """A line of the list of fabrics."""
    name = f"{row.name} (retired)" if row.record.is_retired else row.name
    if row.counts is None:
        return f"{name}\n…"
    c = row.counts
    parts = [f"{c.good} good", f"{c.defects} defect{'s' * (c.defects != 1)}"]
    parts += [f"{c.thrown_out} thrown out"] if c.thrown_out else []
    return f"{name}\n{', '.join(parts)}"
