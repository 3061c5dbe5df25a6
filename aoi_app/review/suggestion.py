"""Which type a defect may have: that of the reviewed defects that look most like it, and how sure that is.

Nothing is learnt and nothing is kept: the reviewed defects themselves are the model, so that a type that was corrected
counts at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

Descriptors = npt.NDArray[np.float64]

_NEIGHBOURS = 5
_LEAST_KNOWN = 5  # defects with a type; fewer liken nothing to anything
_SIDE_PX = 32
_CELLS, _DIRECTIONS = 4, 4
_FAR = 3.0  # times the usual distance between reviewed defects and their neighbours: what is farther looks like none


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    Attributes:
        code, name: of the type.
        alike: so many of the defects that look most like it have this type.
        of: so many were looked at.
    """

    code: str
    name: str
    alike: int
    of: int

    @property
    def text(self) -> str:
        """For a person."""
        return f"looks like {self.code} {self.name} ({self.alike} of the {self.of} most alike)"


class TypeSuggestions:
    """Made of reviewed defects, then asked for others."""

    def __init__(self, known: Sequence[tuple[Defect, Review]]) -> None:
        """``known``: defects with what was said of them; those that are confirmed with a type count."""
        kept = [(d, r) for d, r in known if r.verdict == "confirmed" and r.type_code is not None]
        self._reviews = [review for _, review in kept]
        self._index: NearestNeighbors | None = None
        if len(kept) < _LEAST_KNOWN:
            return
        from sklearn.neighbors import NearestNeighbors

        raw = np.stack([describe(defect) for defect, _ in kept])  # (n, features)
        self._middle, spread = raw.mean(axis=0), raw.std(axis=0)
        self._spread = np.where(spread > 1e-9, spread, 1.0)
        scaled = self._scaled(raw)
        self._index = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(kept) - 1)).fit(scaled)
        # The first neighbour of each is itself, or its twin; asked without an argument, itself is left out.
        self._near, self._near_of = self._index.kneighbors()
        self._usual = float(np.median(self._near.mean(axis=1)))

    @property
    def known(self) -> int:
        """So many reviewed defects have a type."""
        return len(self._reviews)

    @property
    def right(self) -> float | None:
        """Share of the reviewed defects whose type the others suggest rightly, of those that are given one; None where
        that is not known.
        """
        if self._index is None:
            return None
        given = [
            (self._voted(distances, rows), self._reviews[i])
            for i, (distances, rows) in enumerate(zip(self._near, self._near_of, strict=True))
        ]
        said = [(suggestion, review) for suggestion, review in given if suggestion is not None]
        return sum(s.code == r.type_code for s, r in said) / len(said) if said else None

    def suggest(self, defects: Sequence[Defect]) -> list[Suggestion | None]:
        """A type for each defect; None where no reviewed one looks like it, or those that do are of several types."""
        if self._index is None or not defects:
            return [None] * len(defects)
        distances, rows = self._index.kneighbors(self._scaled(np.stack([describe(d) for d in defects])))
        return [self._voted(d, r) for d, r in zip(distances, rows, strict=True)]

    def _scaled(self, raw: Descriptors) -> Descriptors:
        return np.asarray((raw - self._middle) / self._spread / np.sqrt(raw.shape[1]), np.float64)

    def _voted(self, distances: Descriptors, rows: npt.NDArray[np.int64]) -> Suggestion | None:
        if float(distances.mean()) > _FAR * self._usual + 1e-9:
            return None
        votes = Counter(self._reviews[row].type_code for row in rows)
        code, alike = votes.most_common(1)[0]
        if code is None or 2 * alike <= len(rows):
            return None
        name = next(r.type_name for r in map(self._reviews.__getitem__, rows) if r.type_code == code)
        return Suggestion(code, name or code, alike, len(rows))


def describe(defect: Defect) -> Descriptors:
    """(features,) of size, shape, contrast and picture; the picture counts by its edges and its darkness, not by the
    light that it was taken in.
    """
    size = [
        np.log1p(defect.length_mm),
        np.log1p(defect.width_mm),
        np.log1p(defect.area_mm2),
        np.log((defect.length_mm + 1.0) / (defect.width_mm + 1.0)),
        float(defect.shade is not None),
        (defect.contrast_percent or 0.0) / 10.0,
    ]
    picture = defect.thumbnail if defect.thumbnail.ndim == 2 else cv2.cvtColor(defect.thumbnail, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)
    middle = small.astype(np.float64) - float(np.median(small))
    darkness = cv2.resize(middle, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).ravel() / 64.0
    # Size says more than a single edge: it counts as much as the whole picture.
    return np.concatenate([np.repeat(size, 6), _edges(small), darkness])


def _edges(picture: npt.NDArray[np.uint8]) -> Descriptors:
    """(cells * cells * directions,) how strong the edges of each direction are in each part of a picture; 1 in all."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0)
    along = cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, along)
    direction = np.floor(np.arctan2(along, across) % np.pi / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    parts = [
        cv2.resize(np.where(direction == k, strength, 0.0), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).ravel()
        for k in range(_DIRECTIONS)
    ]
    whole = np.concatenate(parts).astype(np.float64)
    return np.asarray(whole / max(float(whole.sum()), 1e-9), np.float64)
