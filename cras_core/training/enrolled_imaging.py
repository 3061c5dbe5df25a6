"""How bright and how sharp the pictures are that a fabric is learnt from, for the line to be compared with."""

from __future__ import annotations

from cras_core.data.values import NormalImages
from cras_core.errors import DataError
from cras_core.images import read_image
from cras_core.imaging.enrolled import EnrolledFigures, enrolled_figures, figures_of_picture
from cras_core.web.canvas import as_gray

_MOST_PICTURES = 64  # each is read once more, which is little beside its features


def measure_imaging(normal: NormalImages) -> EnrolledFigures | None:
    """The figures of the pictures of a fabric, of so many that are spread over all; None where none has texture."""
    step = -(-len(normal.paths) // _MOST_PICTURES)
    found = []
    for path in normal.paths[::step]:
        try:
            grey = as_gray(read_image(path, normal.bits))
        except DataError:  # what cannot be read was told where features were made of it
            continue
        piece = normal.piece(path)
        if piece is not None:
            left, right = piece.bounds(grey.shape[1])
            grey = grey[:, int(left) : int(right)]
        figures = figures_of_picture(grey)
        found += [figures] if figures is not None else []
    return enrolled_figures(found)


def imaging_of(normal: NormalImages) -> dict[str, object]:
    """The same as plain values, as a provenance keeps them; empty where nothing was measured."""
    measured = measure_imaging(normal)
    return measured.to_dict() if measured is not None else {}
