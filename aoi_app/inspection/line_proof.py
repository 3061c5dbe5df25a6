"""The line proves, every so many metres, that it can see: a test piece is painted on a copy of the cloth that runs."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from aoi_app.inspection.roll_model import RollModel
from aoi_app.inspection.web.segment import Segment
from aoi_app.inspection.web.web_scale import WebScale
from aoi_app.settings.recipe import Recipe
from cras_core.web.proof import Proof, paint_pieces, plan_pieces, read_proof
from cras_core.web.scoring import WebInspection

_SOON_M = 2.0  # after a change, or after a piece that was not found: long enough to cost little, short enough to help
_LEAST_LINES = 192  # the tallest piece and the room around it


@dataclass(frozen=True, slots=True)
class LineProof:
    """The latest proof.

    Attributes:
        proof: what was found.
        position_m: where, along the web.
        line: the same, line of the roll.
        misses: proofs in a row, this one included, in which a spot was missed that has to be found.
        wanted_mm: spots of this size and larger have to be found.
    """

    proof: Proof
    position_m: float
    line: int
    misses: int
    wanted_mm: float

    @property
    def text(self) -> str:
        """What the line sees, for a person."""
        smallest = self.proof.smallest_mm
        seen = f"sees spots of {smallest:g} mm and more" if smallest is not None else "sees none of the painted spots"
        return f"{seen}, {self.proof.threads_found} of {self.proof.threads} threads"


class Prover:
    """Paints the test piece when it is due, and has it scored. Nothing of it becomes a defect, or part of what the web
    is compared with.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._every_m, self._wanted_mm = recipe.proof_every_m, recipe.proof_mm
        self.latest: LineProof | None = None
        self._proven: tuple[str, float] | None = None  # model and threshold of the latest proof
        self._tried_line: int | None = None

    def forget(self) -> None:
        """The line stood, or was changed: it is to be proven anew."""
        self._proven = None

    def prove(self, segment: Segment, model: RollModel, threshold: float, scale: WebScale) -> LineProof | None:
        """Proves the line on the newest cloth, where that is due.

        Args:
            segment: that runs.
            model: that scores it.
            threshold: in force.
            scale: of the web.

        Returns:
            The proof; None where it is not due, or where there is not enough good cloth to paint on.
        """
        line = segment.recent.newest.end_line
        if not self._is_due(line, (model.identity, threshold), scale):
            return None
        image, score = segment.recent.last_scored(segment.recent.tile_px)
        if len(image) < _LEAST_LINES:
            return None
        self._tried_line = line
        cell_px = model.config.tiling.cell_px
        rng = np.random.default_rng(line)  # a roll that is inspected again is proven at the same places
        pieces = plan_pieces(score, cell_px, scale.width_mm(1), scale.length_mm(1), rng)
        if pieces is None:  # tried again soon
            self.forget()
            return None
        baseline = copy.deepcopy(segment.web.baseline)  # the test piece must not become usual cloth
        web = WebInspection(model.detector, model.config, baseline, segment.web.fabric)
        rows = [*web.push(paint_pieces(image, pieces)), *web.finish()]
        proof = read_proof(np.concatenate([r.score for r in rows]), pieces, cell_px, threshold)
        is_missed = proof.smallest_mm is None or proof.smallest_mm > self._wanted_mm
        misses = (self.latest.misses if self.latest is not None else 0) + 1 if is_missed else 0
        self._proven = (model.identity, threshold)
        self.latest = LineProof(proof, scale.position_m(line), line, misses, self._wanted_mm)
        return self.latest

    def _is_due(self, line: int, now: tuple[str, float], scale: WebScale) -> bool:
        if self._every_m <= 0:
            return False
        if self._tried_line is None:
            return True
        is_open = now != self._proven or (self.latest is not None and self.latest.misses > 0)
        wait_m = min(_SOON_M, self._every_m) if is_open else self._every_m
        return scale.length_mm(line - self._tried_line) >= 1000 * wait_m
