"""The one rule that makes a place a defect: its score reaches the threshold.

Scores are multiples of the limit that was calibrated for a fabric, so the calibrated threshold is 1 for every model and
cloth. The operator threshold, of a recipe or of the slider, may lie above or below it.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt

CALIBRATED_THRESHOLD = 1.0
"""The score that good cloth reaches as rarely as the calibration was asked for."""

Scores = npt.NDArray[np.floating[Any]]


@overload
def reaches(score: float, threshold: float) -> bool: ...


@overload
def reaches(score: Scores, threshold: float) -> npt.NDArray[np.bool_]: ...


def reaches(score: float | Scores, threshold: float) -> bool | npt.NDArray[np.bool_]:
    """Whether a score makes a defect.

    Args:
        score: one, or an array of any shape; multiples of the calibrated limit.
        threshold: on the same scale.

    Returns:
        True from the threshold on, for each score. NaN, where nothing was inspected, reaches no threshold.
    """
    over = score >= threshold
    return np.asarray(over, np.bool_) if isinstance(score, np.ndarray) else bool(over)
