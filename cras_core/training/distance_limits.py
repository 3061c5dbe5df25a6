"""From which distance cloth is of no enrolled fabric, or strange as a whole.

The distance of a web from a fabric is that of its median features from those of the fabric. What held-back pictures
of the fabric itself come to says how far its own cloth may lie. Those pictures are few, often three or four, so their
logarithms are drawn towards those of all fabrics of the model together, and all of these towards what woven cloth came
to in general; the limit is the upper prediction bound of one more picture. Cloth of one day lies closer together than
that of a week, so the limit is never less than a quarter more than the furthest picture, and than 0.3. Chosen over four
fabrics of real cloth and twenty weaves of the built-in loom, of which two to sixteen were enrolled at a time: of unseen
strips of the enrolled fabrics 0 to 0.6 % lay beyond their limit (up to 3 % where the strips were not mixed before some
were held back), and 0 to 5 % of the fabrics left out lay within that of another one. A limit of the similarity (eq. 2)
had a fifth of the strips of one fabric beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cras_core.web.calibration import FabricCalibration

_STANDARD_ERRORS = 2.3  # one-sided 99 %
_USUAL_MEAN = math.log(0.13)  # of the logarithm of the distances of own cloth
_USUAL_SPREAD = 0.4  # standard deviation of the same
_FABRICS_OF_USUAL = 2.0  # so many fabrics the usual mean counts for
_PICTURES_OF_ALL = 4.0  # so many pictures of a fabric the mean of all fabrics counts for
_PICTURES_OF_USUAL = 10.0  # so many the usual spread counts for
_LEAST = 1e-3
_BEYOND_FURTHEST = 1.25  # times the distance of the furthest picture
_LOWEST_LIMIT = 0.3


def distance_limits(own: Sequence[Sequence[float]]) -> list[float]:
    """The limits of several fabrics.

    Args:
        own: distances of the held-back pictures of each fabric from it; at least one of each.

    Returns:
        The distance of each fabric beyond which cloth is not its own.
    """
    logs = [np.log(np.maximum(distances, _LEAST)) for distances in own]
    pictures = np.array([len(x) for x in logs])
    means = np.array([x.mean() for x in logs])
    of_all = (means.sum() + _FABRICS_OF_USUAL * _USUAL_MEAN) / (len(logs) + _FABRICS_OF_USUAL)
    drawn = (pictures * means + _PICTURES_OF_ALL * of_all) / (pictures + _PICTURES_OF_ALL)
    squares = sum(float(np.square(x - m).sum()) for x, m in zip(logs, means, strict=True))
    freedom = float((pictures - 1).sum()) + _PICTURES_OF_USUAL
    spread = math.sqrt((squares + _PICTURES_OF_USUAL * _USUAL_SPREAD**2) / freedom)
    bound = drawn + _STANDARD_ERRORS * spread * np.sqrt(1 + 1 / (pictures + _PICTURES_OF_ALL))
    furthest = np.array([max(distances) for distances in own])
    limits = np.maximum(np.maximum(np.exp(bound), _BEYOND_FURTHEST * furthest), _LOWEST_LIMIT)
    return [float(limit) for limit in limits]


def among(calibrations: Sequence[FabricCalibration]) -> tuple[FabricCalibration, ...]:
    """The calibrations of the fabrics that there are now, with the limits of distance that they have together. A limit
    stays as it is where nobody kept the distances of the fabric's own cloth.
    """
    known = [c for c in calibrations if c.own_distances]
    limits = iter(distance_limits([c.own_distances or () for c in known])) if known else iter(())
    return tuple(replace(c, level_limit=next(limits)) if c.own_distances else c for c in calibrations)
