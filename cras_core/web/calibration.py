"""What normal cloth scores, and the limits that follow from it.

Thresholds come from normal cloth that training has not seen. How often a limit is exceeded on good cloth is known
down to about one in the cloth at hand; rarer rates are extrapolated along the tail of the largest scores (Pickands'
theorem: exceedances over a high level are nearly exponential for light tails).
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from cras_core.arrays import FloatArray
from cras_core.errors import DataError
from cras_core.validated import Endless, Number, validated

THIS_WEB = "this web"
"""Name of the fabric that a running web has taught a model, until a person gives it another."""


@validated("calibration")
class CalibrationConfig:
    """What the limits are made for.

    Attributes:
        false_alarms_per_m2: wanted false alarms on normal cloth, per square metre.
        mm_per_px: size of a pixel of the enrolled cloth, millimetres; with it pixels become square metres.
        held_back: share of the normal images that training does not see.
    """

    false_alarms_per_m2: Annotated[Number, Field(gt=0)] = 1.0
    mm_per_px: Annotated[Number, Field(gt=0)] = 0.2
    held_back: Annotated[Number, Field(gt=0, le=0.5)] = 0.2


@validated("calibrations")
class FabricCalibration:
    """What is known of one fabric from its normal cloth.

    Attributes:
        fabric: name of the fabric.
        centre, spread: median and interquartile range of the raw score of its cells.
        limit: relative score, in spreads above the web's centre, that normal cloth exceeds at the wanted rate. It is
            the 1 of every score that is shown.
        raw_limit: the same for the raw score as it comes.
        level_limit: how far the median features of a web may lie from those of the fabric before the cloth counts as
            unknown, or as strange as a whole where the order names the fabric: root mean square over the features, in
            standard deviations of the cloth trained on.
        seen_m2: normal cloth that these figures come from, square metres.
        own_distances: how far the median features of each of those pictures lie from those of the fabric, as in
            ``level_limit``, which follows from them and from those of the other fabrics; None where nobody kept them.
        similarity_limit, own_similarity, own_level: of models of earlier versions, whose identity they are a part of;
            nothing follows from them any more.
        enrolled_quickly: the heads have not seen this fabric, and its limits are provisional until a full training.
    """

    fabric: str
    centre: Number
    spread: Annotated[Number, Field(gt=0)]
    limit: Annotated[Number, Field(gt=0)]
    raw_limit: Number
    level_limit: Annotated[Endless, Field(gt=0)]
    seen_m2: Annotated[Number, Field(ge=0)]
    own_distances: tuple[Annotated[Number, Field(ge=0)], ...] | None = None
    similarity_limit: Number | None = None
    own_similarity: Number | None = None
    own_level: Number | None = None
    enrolled_quickly: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them; without those that may be left out and say nothing, so that what was
        written before there were any stays the same.
        """
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    @property
    def absolute_limit(self) -> float:
        """``raw_limit`` in spreads above ``centre``: the limit where scores are not taken relative to the web."""
        return (self.raw_limit - self.centre) / self.spread

    def limit_of(self, *, is_relative: bool) -> float:
        """Spreads that are a score of 1: above the centre of the web, or above that of the enrolled cloth."""
        return self.limit if is_relative else self.absolute_limit

    def absolute_map(self, raw: FloatArray) -> FloatArray:
        """Raw scores of a picture that is no web, of any shape -> float32 scores; 1 is the calibrated threshold."""
        return np.asarray((raw - self.centre) / (self.raw_limit - self.centre), dtype=np.float32)

    @model_validator(mode="after")
    def _is_usable(self) -> FabricCalibration:
        if self.raw_limit <= self.centre:
            raise ValueError(
                f"fabric {self.fabric}: the calibration is not usable, its raw limit is its centre or less"
            )
        return self


def calibrated_score(
    relative: FloatArray,
    kinds: FloatArray,
    calibration: FabricCalibration,
    limit: float,
    places: FloatArray | None = None,
) -> FloatArray:
    """The score of cells as it is shown, compared and recorded everywhere; 1 is the calibrated threshold.

    Args:
        relative: (rows, cols) spreads above the centre, as ``RunningBaseline.relate`` gives them; NaN does not count.
        kinds: (S, rows, cols) raw scores of the same cells.
        calibration: of the fabric.
        limit: spreads that are a score of 1 inside the cloth.
        places: (rows, cols) how much more good cloth scores at each place (``place_factors``); None where no end or
            edge of a web is seen.

    Returns:
        (rows, cols) float32.
    """
    score = relative / (np.float32(limit) if places is None else np.float32(limit) * places)
    return np.asarray(np.maximum(score, absolute_score(kinds, calibration)), dtype=np.float32)


def absolute_score(kinds: FloatArray, calibration: FabricCalibration) -> FloatArray:
    """How far cells stand out of the enrolled cloth, whatever the web around them is like.

    A defect that fills much of the view is what the running baseline takes for the cloth; it stands out of the enrolled
    cloth all the same. Good cloth stays far below 1, also that of a roll with another lamp or yarn.

    Args:
        kinds: (S, rows, cols) raw scores.
        calibration: of the fabric.

    Returns:
        (rows, cols) float32; 1 is ``_ABSOLUTE_SPREADS`` above the centre of the enrolled cloth, or ``_ABSOLUTE_LIMITS``
        times what its good cloth reaches, whichever is more.
    """
    least = max(_ABSOLUTE_SPREADS, _ABSOLUTE_LIMITS * calibration.absolute_limit)
    score: FloatArray = (kinds.mean(axis=0) - np.float32(calibration.centre)) / np.float32(calibration.spread * least)
    return score


def tail_threshold(peaks: npt.NDArray[np.floating], area_m2: float, rate_per_m2: float, doubtful: float = 0.0) -> float:
    """The level that peaks of normal cloth exceed ``rate_per_m2`` times per square metre.

    Args:
        peaks: (n,) the largest score in each of n equal pieces of normal cloth, pieces large enough to be independent.
        area_m2: area of the n pieces together.
        rate_per_m2: wanted exceedances per square metre.
        doubtful: share of the pieces that may be defective, as of cloth that nobody has looked at. How high the
            largest so many peaks are does not count, only that they are the largest.

    Within the data the answer is a quantile; beyond it the exponential tail over the upper fifth of the peaks is
    followed. How fast that tail falls is known the better the more peaks there are; the upper bound of what it may be
    is taken (one-sided, 90 %: the mean of n exponential values has a relative standard error of 1 / sqrt(n)), so that
    little cloth makes for a higher threshold, not for more false alarms than were promised.

    Raises:
        DataError: fewer than 8 pieces.
    """
    values = np.sort(np.asarray(peaks, dtype=np.float64))[::-1]
    if len(values) < 8:
        raise DataError(
            "too-few-normal-blocks",
            "{count} pieces of normal cloth are too few for a limit; 8 are the least",
            count=len(values),
        )
    wanted = rate_per_m2 * area_m2  # exceedances among these peaks
    n_doubtful = int(doubtful * len(values))
    n_tail = min(len(values) - 1, max(4, len(values) // 5) + n_doubtful)
    if wanted >= n_tail:
        return float(values[min(len(values) - 1, int(wanted))])
    base = values[n_tail]
    # Exponential values of which the largest are only known to be no less than the one after them: the likeliest scale.
    excess = np.minimum(values[:n_tail], values[n_doubtful]) - base
    n_known = n_tail - n_doubtful
    scale = float(excess.sum()) / n_known * (1.0 + _UPPER_BOUND / math.sqrt(n_known))
    return float(base + scale * np.log(n_tail / wanted))


def block_peaks(score: FloatArray, block_cells: int) -> npt.NDArray[np.float64]:
    """(rows, cols) scores -> the largest in each block of ``block_cells`` squared; blocks that are mostly outside the
    cloth are left out.
    """
    rows, cols = (max(1, n // block_cells) for n in score.shape)
    peaks = []
    for band in np.array_split(score, rows, axis=0):
        for block in np.array_split(band, cols, axis=1):
            known = np.isfinite(block)
            if known.mean() > 0.5:
                peaks.append(float(block[known].max()))
    return np.array(peaks)


_UPPER_BOUND = 1.28  # standard errors above the estimate; one-sided 90 %
_ABSOLUTE_SPREADS = 20.0
_ABSOLUTE_LIMITS = 2.5


def provisional(fabric: str) -> FabricCalibration:
    """Stands in until the limits are known; nothing that calibration reads depends on it."""
    return FabricCalibration(fabric, 0.0, 1.0, 1.0, 1.0, math.inf, 0.0)
