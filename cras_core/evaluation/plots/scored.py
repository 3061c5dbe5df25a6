"""Test pictures and strips with what the model says of every pixel of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.data.datasets import DataSet, open_data_set
from cras_core.data.validation import validate_test_images
from cras_core.data.values import Strip, TestImage
from cras_core.detectors.base import Detector
from cras_core.evaluation.images import depth_of
from cras_core.evaluation.robustness import are_strips
from cras_core.evaluation.web_recall import FALSE_PX, FOUND_PX, grown
from cras_core.evaluation.webs import inspect_strip, per_pixel
from cras_core.features.cloth_tiles import preprocess
from cras_core.images import read_image

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """One test picture and its judgement.

    Attributes:
        path: its file.
        picture: (H, W[, 3]) uint8, as the model sees it.
        mask: (H, W) bool, where it is defective.
        score: (H, W) float32, 1 is the calibrated limit of the fabric, NaN where nothing was inspected.
    """

    path: Path
    picture: Image
    mask: Bools
    score: Floats

    @property
    def beside(self) -> Bools:
        """(H, W) bool, what is surely no defect: far enough from the mask to be a false alarm."""
        return np.asarray(grown(self.mask.astype(np.uint8), FALSE_PX) == 0)

    @property
    def margin(self) -> float:
        """How far the defect stands out: the largest score at the mask less the largest elsewhere, both as far from it
        as in ``cras_core.evaluation.web_recall``. NaN for a good picture; minus infinity where no defect was inspected.
        """
        if not self.mask.any():
            return float("nan")
        near = grown(self.mask.astype(np.uint8), FOUND_PX) > 0
        under, elsewhere = (self.score[where & np.isfinite(self.score)] for where in (near, self.beside))
        if not len(under):
            return float("-inf")
        return float(under.max() - (elsewhere.max() if len(elsewhere) else 0.0))


class TestSet:
    """The test pictures of a data set, by fabric; each is judged when it is asked for.

    Attributes:
        are_strips: they are pieces of web.
        by_fabric: what there is.
    """

    __test__ = False

    def __init__(self, detector: Detector, data: DataSet | Path, *, known: bool) -> None:
        """``known``: the fabric of a strip is given. Raises DataError: no such data set, or pictures in it that cannot
        be used.
        """
        self._detector, self._known = detector, known
        data = data if isinstance(data, DataSet) else open_data_set(data)
        self.are_strips = are_strips(data)
        bits = depth_of([detector], data)
        found: Mapping[str, Sequence[TestImage | Strip]]
        if self.are_strips:
            found, condition = validate_test_images(data.strips(), skip_corrupt=data.skip_corrupt, bits=bits)
        else:
            found, condition = validate_test_images(data.test_images(), skip_corrupt=data.skip_corrupt, bits=bits)
        self.by_fabric: dict[str, list[TestImage | Strip]] = {
            fabric: list(items) for fabric, items in found.items() if items
        }
        self._bits = condition.bits

    def __len__(self) -> int:
        return sum(len(items) for items in self.by_fabric.values())

    def read(self, item: TestImage | Strip) -> tuple[Image, Bools]:
        """Picture and mask as the model is to see them. Raises DataError."""
        picture = read_image(item.path, self._bits)
        mask = item.read_mask(*picture.shape[:2])
        if self.are_strips:
            return picture, mask
        config = self._detector.config.preprocess
        return preprocess(picture, config), np.asarray(preprocess(mask.astype(np.uint8) * 255, config) > 127)

    def fabric_of(self, item: TestImage | Strip) -> int | None:
        """The fabric that an item is to be compared with; None lets it be matched (eq. 2)."""
        fabrics = self._detector.fabrics
        given = self.are_strips and self._known and item.fabric in fabrics
        return fabrics.index(item.fabric) if given else None

    def judge(self, item: TestImage | Strip) -> Judged:
        """One of ``by_fabric`` with its scores. Raises DataError."""
        picture, mask = self.read(item)
        detector = self._detector
        if self.are_strips:
            rows, _ = inspect_strip(detector, picture, self.fabric_of(item))
            score = np.concatenate([r.score for r in rows])
            pixels, looked_at = per_pixel(score, detector.config.tiling.cell_px, (mask.shape[0], mask.shape[1]))
            return Judged(item.path, picture, mask, np.where(looked_at, pixels, np.float32("nan")))
        found = detector.predict(picture[None])
        calibration = detector.calibrations[int(found.fabric[0])]
        return Judged(item.path, picture, mask, calibration.absolute_map(found.anomaly_map[0]))


@dataclass(frozen=True, slots=True)
class Overview:
    """What a pass over the test pictures of one fabric leaves.

    Attributes:
        margins: of every item, in order.
        normal, defective: (n,) float32 scores of one pixel of every cell beside and under the masks.
    """

    margins: list[float]
    normal: Floats
    defective: Floats


def survey(tests: TestSet, fabric: str, cell_px: int, on_item: Callable[[Path], None]) -> Overview:
    """Judges every test picture of a fabric once and keeps a number per cell."""
    margins, normal, defective = [], [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    for item in tests.by_fabric[fabric]:
        judged = tests.judge(item)
        margins.append(judged.margin)
        cells = np.s_[cell_px // 2 :: cell_px, cell_px // 2 :: cell_px]
        score, mask = judged.score[cells], judged.mask[cells]
        known = np.isfinite(score)
        normal.append(score[known & judged.beside[cells]])
        defective.append(score[known & mask])
        on_item(item.path)
    return Overview(margins, np.concatenate(normal), np.concatenate(defective))
