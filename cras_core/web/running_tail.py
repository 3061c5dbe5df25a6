"""How much good cloth scores, learnt from the cloth that runs: which threshold keeps a wanted rate of false alarms.

The calibrated threshold comes from a few strips on one day. Lamps, lots and lenses change, and what a mill runs in an
hour is a thousand times as much cloth. The largest scores of small blocks of cloth are counted while it runs. Nearly
all blocks are good cloth, so that the upper fifth of them but for its last part says how the scores of good cloth fall
off, and the few blocks with defects do not take part. Beyond what was seen that fall is carried on, as
``calibration.tail_threshold`` does it (exceedances over a high level are nearly exponential, Pickands).

Drawn from 15 good strips of each of four fabrics and applied to five others, 1 false alarm per m2 wanted gave 1.4, and
10 gave 8.6.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.web.calibration import block_peaks
from cras_core.web.threshold import reaches

Counts = npt.NDArray[np.float64]

BLOCK_CELLS = 16
"""Side of a block of cloth, as for the calibrated threshold."""

LEAST_M2 = 2.0
"""Before so much cloth was seen no threshold follows."""

_LOWEST, _STEP, _BINS = 0.05, 1.01, 700  # scores of 0.05 to 53
_UPPER_FIFTH, _NOT_THE_DEFECTS = 0.8, 0.98  # quantiles of the blocks between which the fall is measured
_HALF_LIFE_M2 = 500.0
_BURST = 0.1  # share of the blocks of a band at the threshold, from which on it is no good cloth
_UPPER_BOUND = 1.28  # standard errors; one-sided 90 %
_OTHER_MODEL_M2 = 10.0  # so much cloth counts that another model has scored


class RunningTail:
    """Scores of the cloth of one fabric on one line.

    Attributes:
        model: identity of the model that scored it last.
        area_m2: cloth that counts; what was seen long ago counts less.
        counts: (700,) blocks by their largest score.
    """

    def __init__(self, model: str = "", area_m2: float = 0.0, counts: Counts | None = None) -> None:
        self.model = model
        self.area_m2 = area_m2
        self.counts: Counts = np.zeros(_BINS) if counts is None else counts

    def scored_by(self, model: str) -> None:
        """The cloth from now on is scored by this model. What another one gave is worth less, and still the best
        that is known.
        """
        if model != self.model and self.area_m2 > _OTHER_MODEL_M2:
            self._shrink(_OTHER_MODEL_M2 / self.area_m2)
        self.model = model

    def add(self, score: FloatArray, cell_m2: float, threshold: float) -> float:
        """Counts a band of cloth.

        Args:
            score: (rows, cols) as ``ScoredRows.score``; NaN does not count.
            cell_m2: area of a cell.
            threshold: in use. Where much of the band reaches it, something is wrong with the cloth.

        Returns:
            Its area, square metres; 0 where it does not count, as a burst of defects.
        """
        peaks = block_peaks(score, BLOCK_CELLS)
        if len(peaks) == 0 or float(reaches(peaks, threshold).mean()) > _BURST:
            return 0.0
        area = float(np.isfinite(score).sum()) * cell_m2
        self._shrink(0.5 ** (area / _HALF_LIFE_M2))
        at = np.log(np.maximum(peaks, _LOWEST) / _LOWEST) / math.log(_STEP)
        self.counts += np.bincount(np.minimum(at.astype(int), _BINS - 1), minlength=_BINS)
        self.area_m2 += area
        return area

    def threshold(self, rate_per_m2: float) -> float | None:
        """The score that good cloth reaches so many times per square metre; None where too little was seen."""
        blocks = float(self.counts.sum())
        upper_fifth = blocks * (1 - _UPPER_FIFTH)
        if self.area_m2 < LEAST_M2 or upper_fifth < 1:
            return None
        share = rate_per_m2 * self.area_m2 / blocks  # of the blocks
        if share >= 1 - _NOT_THE_DEFECTS:
            return self._quantile(max(0.0, 1 - share))
        low, high = self._quantile(_UPPER_FIFTH), self._quantile(_NOT_THE_DEFECTS)
        fall = (high - low) / math.log((1 - _UPPER_FIFTH) / (1 - _NOT_THE_DEFECTS))
        fall *= 1 + _UPPER_BOUND / math.sqrt(upper_fifth)
        return high + fall * math.log((1 - _NOT_THE_DEFECTS) / share)

    def _shrink(self, by: float) -> None:
        self.counts *= by
        self.area_m2 *= by

    def _quantile(self, share: float) -> float:
        """The score that so large a share of the blocks stays below."""
        below = np.cumsum(self.counts)
        index = int(np.searchsorted(below, share * below[-1]))
        return float(_LOWEST * _STEP ** (min(index, _BINS - 1) + 0.5))
