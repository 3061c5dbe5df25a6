"""How the authors' code matches test pictures to classes, to compare with its figures and for nothing else.

Their published code replaces the class that each picture matches (eq. 2) by the one that most pictures of its test
batch match. A picture's score then depends on its neighbours, and the figures assume batches of one class, so
inspection cannot be done like this and no detector offers it. Only
``cras_core.evaluation.images`` may import this module.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cras_core.detectors.base import Detector, Prediction

BATCH = 32
"""Pictures that vote together: the batch of the paper (section IV-A)."""


def predict_by_vote(detector: Detector, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[Prediction]:
    """Compares all pictures of a batch with the fabric that most of them match; of equals, the first.

    Args:
        detector: any.
        pictures: (H, W) grey or (H, W, 3) RGB uint8 each; their sizes may differ.

    Returns:
        One prediction per picture, as ``Detector.predict`` gives for one.
    """
    alone = [detector.predict(picture[None]) for picture in pictures]
    voted = int(np.bincount([int(p.fabric[0]) for p in alone]).argmax())
    return [
        p if int(p.fabric[0]) == voted else detector.predict(picture[None], voted)
        for p, picture in zip(alone, pictures, strict=True)
    ]
