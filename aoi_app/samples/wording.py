"""Samples and fabrics in words, for the page that shows them."""

from __future__ import annotations

from collections.abc import Sequence

from aoi_app.samples.state import Counts, FabricRow, SampleFilter, SamplesState, SortOrder, is_suspicious
from cras_core.data.samples.values import Sample

SORT_TEXTS: dict[SortOrder, str] = {
    "suspicion": "most suspicious first",
    "place": "by place on the web",
    "time": "oldest first",
}
FILTER_TEXTS: dict[SampleFilter, str] = {
    "kept": "kept samples",
    "suspicious": "suspicious samples",
    "good": "good cloth",
    "defects": "defects",
    "thrown out": "thrown out samples",
    "all": "all samples",
}
_MOST_PROBLEMS = 3


def number(count: int, what: str) -> str:
    """``1 sample``, ``2 samples``."""
    return f"{count} {what}{'s' * (count != 1)}"


def sample_text(sample: Sample, unsaved: str = "") -> str:
    """All that matters of a sample, for tips and screen readers.

    Args:
        sample: it.
        unsaved: why its last change is not on disk; empty where it is.
    """
    parts = [place_text(sample)]
    if sample.choice == "thrown out":
        parts.append("thrown out")
    if sample.labels:
        parts.append(f"defect, {number(len(sample.labels), 'label')} {', '.join(_codes(sample))}".rstrip())
    if sample.suspicion is not None:
        parts.append(f"suspicion {sample.suspicion:.2f}" + (", please check it" if is_suspicious(sample) else ""))
    if unsaved:
        parts.append(f"the last change is not saved: {unsaved}")
    return "; ".join(parts)


def place_text(sample: Sample) -> str:
    """Where it lies."""
    return f"{sample.web}, {sample.position_m:.2f} m along, {sample.position_mm:.0f} mm across"


def caption(sample: Sample, *, is_unsaved: bool = False) -> str:
    """The line under its picture: what matters most."""
    if is_unsaved:
        return "NOT SAVED"
    if sample.choice == "thrown out":
        return "thrown out"
    if sample.labels:
        return "■ " + (", ".join(_codes(sample)) or f"defect ({len(sample.labels)})")
    if is_suspicious(sample):
        return f"suspicion {sample.suspicion:.1f}"
    return f"{sample.position_m:.2f} m · {sample.position_mm:.0f} mm"


def fabric_text(row: FabricRow) -> str:
    """A line of the list of fabrics."""
    name = f"{row.name} (retired)" if row.record.is_retired else row.name
    return f"{name}\n{counts_text(row.counts) if row.counts is not None else '…'}"


def counts_text(counts: Counts) -> str:
    """How many samples there are of each kind."""
    parts = [f"{counts.good} good", number(counts.defects, "defect")]
    parts += [f"{counts.thrown_out} thrown out"] if counts.thrown_out else []
    return ", ".join(parts)


def shown_text(state: SamplesState, shown: int) -> str:
    """How many samples a filter lets through, and how many should be checked."""
    if not state.fabric:
        return ""
    counts = next((r.counts for r in state.fabrics if r.name == state.fabric and r.counts), Counts())
    text = f"{shown} of {len(state.samples)}"
    return f"{text}, {counts.suspicious} suspicious: please check" if counts.suspicious else text


def hint(state: SamplesState) -> str:
    """What to do while there is no sample to show."""
    if not state.fabric:
        return "" if state.busy else "Start with a new fabric, on the left."
    if not state.samples:
        return "No samples yet. Add pictures of defect-free cloth with the buttons on the left: strips or tiles."
    return "No such samples. Choose something else under Show, above."


def problems_text(problems: Sequence[str]) -> str:
    """The first problems of the store, one a line, and how many more there are."""
    more = len(problems) - _MOST_PROBLEMS
    return "\n".join([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])


def _codes(sample: Sample) -> list[str]:
    return sorted({label.code for label in sample.labels if label.code})


def compared_text(suspicious: int | None) -> str:
    """What came of comparing the samples of a fabric with each other.

    Args:
        suspicious: how many a person should check; None where there are too few to tell.
    """
    if suspicious is None:
        return "There are too few of this fabric to compare them with each other."
    return f"{suspicious} of this fabric look suspicious, please check." if suspicious else "None looks suspicious."
