"""Whether the pictures of a folder are one web or separate pictures: measured, and told to a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from aoi_app.sources.folder import FolderConfig, FolderSource
from aoi_app.sources.registry import find_kind
from aoi_app.sources.source_choice import SourceChoice
from cras_core.arrays import Image
from cras_core.errors import DataError
from cras_core.images import measured_bits, read_image
from cras_core.web.neighbours import Boundary, Layout, NeighbourReport, find_layout

_MOST_BOUNDARIES = 16  # that are read: more would keep a person waiting, and tell nothing new


def folder_of(choice: SourceChoice) -> Path | None:
    """The folder of pictures that a source reads; None where it reads something else."""
    kind = find_kind(choice.spec)
    if kind is None or kind.name != "folder":
        return None
    return Path(choice.spec.partition(":")[2]).expanduser()


def measure_layout(folder: Path) -> NeighbourReport:
    """Reads pictures of a folder that follow each other, evenly over all of it. Slow; for a thread.

    Raises:
        SourceError: it is no folder of pictures.
    """
    with FolderSource(FolderConfig(folder)) as source:
        paths = source.pictures
    if len(paths) < 2:
        return find_layout([])
    firsts = [int(first) for first in np.unique(np.linspace(0, len(paths) - 2, _MOST_BOUNDARIES).astype(int))]
    bits = measured_bits(paths[first] for first in firsts)
    boundaries = []
    for first in firsts:
        before, after = _read(paths[first], bits), _read(paths[first + 1], bits)
        if before is not None and after is not None:
            boundaries.append(Boundary(before, after))
    return find_layout(boundaries)


def layout_text(report: NeighbourReport) -> str:
    """What was measured, a sentence."""
    if report.widths_differ:
        return "The pictures have different widths: they are separate pictures."
    if report.layout is Layout.UNKNOWN:
        return (
            "Nothing tells whether the pictures are one web: there is too little texture, or they are too small. "
            "Separate pictures are the safe answer."
        )
    if report.layout is Layout.SEPARATE:
        return (
            f"The texture does not go on from one picture to the next at {report.breaks} of {report.boundaries} "
            "boundaries: they look like separate pictures."
        )
    goes_on = report.boundaries - report.breaks
    return (
        f"The texture goes on from one picture to the next at {goes_on} of {report.boundaries} boundaries: they look "
        "like one web."
    )


def settle_layout(choice: SourceChoice, kept: bool | None) -> tuple[SourceChoice, str]:
    """The source with the layout of its pictures decided, for a command, and what was decided and why.

    Args:
        choice: the source; what it says of its pictures goes before everything else.
        kept: what a person has answered of this folder in the window; None where nobody was asked.

    Raises:
        SourceError: it is a folder without pictures.
    """
    folder = folder_of(choice)
    if folder is None or choice.separate is not None:
        return choice, ""
    if kept is not None:
        words = "separate pictures" if kept else "one web"
        return replace(choice, separate=kept), f"The pictures are inspected as {words}, as was answered in the window."
    report = measure_layout(folder)
    if report.boundaries == 0 and not report.widths_differ:
        return replace(choice, separate=False), ""
    # Where nothing tells, a seam that is taken for a defect is worse than a defect that is counted twice.
    return replace(choice, separate=report.layout is not Layout.ONE_WEB), layout_text(report)


def _read(path: Path, bits: int | None) -> Image | None:
    """A picture; None where it cannot be read, which the roll tells."""
    try:
        return read_image(path, bits)
    except DataError:
        return None
