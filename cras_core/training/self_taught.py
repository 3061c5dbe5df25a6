"""A fabric that the running web teaches by its first cloth, with whatever defects lie in it.

Nobody has looked at that cloth. What is cloth recurs: in other lanes and at other metres; what lies in one place, or
runs in one lane, does not, and is left out of the centres. How much this finds beside cloth that was enrolled is in
docs/measurements.md.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.arrays import FloatArray, Image
from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import Detector, GoodCloth, TileFeatures
from cras_core.errors import EnrolError
from cras_core.loading import detector_of
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import descended
from cras_core.training.distance_limits import among
from cras_core.training.fabric_tensors import with_new_fabric
from cras_core.training.recurrence import Places, look_up
from cras_core.training.thresholds import PEAK_BLOCK_CELLS, calibration_of
from cras_core.web.bands import BandCutter
from cras_core.web.calibration import THIS_WEB, FabricCalibration
from cras_core.web.canvas import Canvas, WebConfig, prepare
from cras_core.web.scoring import WebInspection
from cras_core.web.tiling import ceil_to

_HELD_SHARE = 0.25  # of the vectors; the score scale is taken from them, which the prototypes have seen as well
_FEWEST_CELLS = 2048  # less cloth than this has no weave to learn: 0.36 of a tile
_LEAST_VARIETY = 1.0  # standard deviation, grey levels
_STRANGEST = 1.7  # ten strips of AITEX have 1.0; a view of unlike lanes more
_DOUBTFUL = 0.2  # of the pieces of cloth may be defective and do not raise the limit
_MOST_UNUSUAL = math.log(1.5)  # that a limit differs from those of the other fabrics
_PIECES_OF_OTHERS = 150  # of cloth, that the limits of the other fabrics count for: 0.1 m2 at 0.2 mm
_LEAST_RECURRING = 0.6  # of the cells; where more than the rest disagrees, nobody can tell what the cloth is


@dataclass(frozen=True, slots=True)
class WebTaught:
    """A model that a web has taught.

    Attributes:
        bundle: the model with one more fabric, the last.
        seen_m2: cloth that it was taught by.
        recurring: share of that cloth which recurs elsewhere in it; the rest was left out.
    """

    bundle: Bundle
    seen_m2: float
    recurring: float

    @property
    def text(self) -> str:
        """What it rests on, for a person."""
        recurs = (
            f"{self.recurring:.0%} of which recurs; the rest was left out" if self.recurring < 1 else "all of it recurs"
        )
        return f"taught by {self.seen_m2:.2g} m² of its own cloth, {recurs}"


def teach(bundle: Bundle, pieces: Sequence[Image], device: str = "auto", fabric: str = THIS_WEB) -> WebTaught:
    """The model with the cloth of a web as one more fabric.

    Args:
        bundle: a trained model; it is not changed. A fabric of this name is replaced.
        pieces: unbroken pieces of the web, (lines, W) or (lines, W, 3) uint8 each.
        device: ``auto``, ``cpu``, ``cuda``, ...
        fabric: what the new fabric is called.

    Raises:
        EnrolError: too little cloth, cloth that does not agree with itself, or a model that learns fabrics in a full
            training alone.
        BundleError, WeightsError: the model cannot be opened.
    """
    detector = detector_of(bundle, device)
    detector.enrolment_extractor()  # says whether it can
    if max((float(piece.std()) for piece in pieces), default=0.0) < _LEAST_VARIETY:
        raise EnrolError("first-cloth-blank", "the first cloth shows nothing: it is all the same; check the light")
    remembered = _Remembered(detector)
    cloth = _cells_of(pieces, remembered)
    if len(cloth.vectors) < _FEWEST_CELLS:
        raise EnrolError(
            "too-little-first-cloth",
            "{count} cells of cloth are too few to learn what it is; {least} are the least",
            count=len(cloth.vectors),
            least=_FEWEST_CELLS,
        )
    rng = np.random.default_rng(bundle.config.train.seed)
    found = look_up(cloth.vectors, cloth.places, rng)
    share = float(found.recurs.mean())
    if share < _LEAST_RECURRING or found.strangeness > _STRANGEST:
        raise EnrolError(
            "first-cloth-disagrees",
            "the first cloth is not like itself: {percent:.0f} % of it is found nowhere else in it, and its places are "
            "{times:.1f} times as unlike each other as each is unlike itself. What is cloth and what is a defect "
            "cannot be told",
            percent=100 * (1 - share),
            times=found.strangeness,
        )
    kept = cloth.vectors[rng.permutation(found.index[found.recurs])]
    held = max(1, round(_HELD_SHARE * len(kept)))
    described = detector.describe_fabric(GoodCloth(kept, kept[:held], kept.mean(dim=0)))
    grown = with_new_fabric(bundle, fabric, described)
    k = len(grown.calibrations) - 1
    measured = _measure(detector_of(grown, device), k, fabric, pieces, remembered)
    measured = _drawn_to_others(measured, grown.calibrations[:k], detector.config)
    calibrations = (*grown.calibrations[:k], replace(measured, enrolled_quickly=True))
    told = descended(bundle, "self-taught", None, without=fabric)
    warning = (
        f"{fabric}: taught by {measured.seen_m2:.2g} m2 of the running web that nobody has looked at; {share:.0%} of "
        "it recurs, the rest was left out. Enrol it from good cloth when there is some"
    )
    provenance = told | {"warnings": [*told["warnings"], warning]}
    return WebTaught(replace(grown, calibrations=among(calibrations), provenance=provenance), measured.seen_m2, share)


def _drawn_to_others(
    measured: FabricCalibration, others: Sequence[FabricCalibration], config: CrasConfig
) -> FabricCalibration:
    """The limits of little cloth, drawn towards those of the other fabrics: counted in spreads of good cloth those of
    woven fabrics are alike, and the tail of a few pieces, some of them defective, says little.
    """
    if not others:
        return measured
    piece_m2 = (PEAK_BLOCK_CELLS * config.tiling.cell_px * config.calibration.mm_per_px / 1000.0) ** 2
    weight = measured.seen_m2 / (measured.seen_m2 + _PIECES_OF_OTHERS * piece_m2)

    def drawn(own: float, those: Sequence[float]) -> float:
        usual = float(np.mean(np.log(those)))
        unusual = float(np.clip(math.log(own) - usual, -_MOST_UNUSUAL, _MOST_UNUSUAL))
        return math.exp(usual + weight * unusual)

    limit = drawn(measured.limit, [c.limit for c in others])
    absolute = drawn(measured.absolute_limit, [c.absolute_limit for c in others])
    return replace(measured, limit=limit, raw_limit=measured.centre + absolute * measured.spread)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Of all pieces, (N, D) vectors and their places."""

    vectors: Tensor
    places: Places


class _Remembered:
    """Takes features as a detector does, each tile once: the backbone costs nearly all of the time."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._vectors: dict[bytes, Tensor] = {}

    @property
    def calibrations(self) -> Sequence[FabricCalibration]:
        """Those of the detector."""
        return self.detector.calibrations

    @property
    def medians(self) -> FloatArray:
        """Those of the detector."""
        return self.detector.medians

    def extract_features(self, tiles: Image) -> TileFeatures:
        """As ``Detector.extract_features``, with the fabrics of the detector that is set now."""
        keys = [hashlib.blake2b(tile.tobytes(), digest_size=16).digest() for tile in tiles]
        new = [i for i, key in enumerate(keys) if key not in self._vectors]
        if new:
            found = self.detector.extract_features(tiles[new]).vectors
            self._vectors |= {keys[i]: vectors for i, vectors in zip(new, found, strict=True)}
        vectors = torch.stack([self._vectors[key] for key in keys])
        with torch.inference_mode():
            similarity = torch.cat([self.detector.match(t[None]).float().cpu() for t in vectors])
        return TileFeatures(self.detector, vectors, similarity.numpy())


def _web_config(detector: Detector, fabric: int | None) -> WebConfig:
    config = detector.config
    return WebConfig(config.tiling, config.edges, config.reference, fabric)


def _cells_of(pieces: Sequence[Image], remembered: _Remembered) -> _Cells:
    """All cells of cloth in the pieces."""
    config = _web_config(remembered.detector, None)
    cell = config.tiling.cell_px
    vectors, rows, lefts, rights = [], [], [], []
    first_row = 0
    for piece in pieces:
        cutter = BandCutter(config.tiling)
        for band in [*cutter.push(piece), *cutter.finish()]:
            canvas = prepare(band, config)
            if canvas is None:
                continue
            scored = canvas.scored_cells(cell)
            found = remembered.extract_features(canvas.tiles).vectors
            vectors.append(found[torch.from_numpy(scored).to(found.device)])
            row, col = _rows_and_columns(canvas, scored, cell)
            rows.append(first_row + band.window_first_line // cell + row)
            lefts.append(col - float(np.median(canvas.edges.left)) / cell)
            rights.append(float(np.median(canvas.edges.right)) / cell - col)
        first_row += ceil_to(len(piece), cell) // cell
    if not vectors:
        return _Cells(torch.zeros(0, 0), Places(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)))
    return _Cells(torch.cat(vectors), Places(np.concatenate(rows), np.concatenate(lefts), np.concatenate(rights)))


def _rows_and_columns(
    canvas: Canvas, scored: npt.NDArray[np.bool_], cell_px: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(n,) row under the window and column of the image, in cells, of the (B, h, w) cells that are scored."""
    tile, row, col = np.nonzero(scored)
    rows, cols = canvas.rows.divided(cell_px), canvas.cols.divided(cell_px)
    starts = np.array([(r, c) for r in rows.starts for c in cols.starts])[tile]
    return row + starts[:, 0], col + starts[:, 1] + canvas.first_col // cell_px


def _measure(
    detector: Detector, k: int, fabric: str, pieces: Sequence[Image], remembered: _Remembered
) -> FabricCalibration:
    """The limits of fabric k by what the pieces themselves score; their defects do not count."""
    remembered.detector = detector
    maps, distances = [], []
    for piece in pieces:
        web = WebInspection(remembered, _web_config(detector, k))
        rows = [*web.push(piece), *web.finish()]
        seen = [r.distance for r in rows if len(r.distances)]
        if seen:
            maps.append(np.concatenate([r.kinds for r in rows], axis=1))
            distances.append(float(np.mean(seen)))
    return calibration_of(detector.config, fabric, maps, distances, are_strips=True, doubtful=_DOUBTFUL)
