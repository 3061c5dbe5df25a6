"""How good a model is on a data set with masks (MVTec layout)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.config.settings import PreprocessConfig
from cras_core.data.datasets import DataSet, open_data_set
from cras_core.data.validation import validate_test_images
from cras_core.data.values import TestImage
from cras_core.detectors.base import Detector, Prediction
from cras_core.detectors.batch_vote import BATCH, predict_by_vote
from cras_core.errors import ConfigError
from cras_core.evaluation.metrics import PixelScores, auroc, average_precision, f1_max, mean_of_known
from cras_core.evaluation.report_header import protocol, remarks
from cras_core.features.cloth_tiles import preprocess
from cras_core.images import read_image

Matching = Literal["per-picture", "authors-batch-vote"]
"""Which fabric a picture is compared with: the one that it matches itself (eq. 2), or the one that most pictures of
its test batch match, as in the authors' code; see ``cras_core.detectors.batch_vote``.
"""

Bools = npt.NDArray[np.bool_]
Alter = Callable[[Image, Bools, int], tuple[Image, Bools]]
"""Changes picture and mask before the model sees them; the last argument counts the pictures from 0."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one fabric, or their mean; 0..1, NaN where they cannot be had.

    Attributes:
        i_auroc, i_ap, i_f1_max: per picture, good against defective, by the maximum of the anomaly map (eq. 10).
        p_auroc, p_ap, p_f1_max: per pixel (eq. 9).
        aupro: per-region overlap up to 30 % false positives.
        matched: share of pictures that were matched to their own fabric (eq. 2), where the model knows it.
    """

    i_auroc: float
    i_ap: float
    i_f1_max: float
    p_auroc: float
    p_ap: float
    p_f1_max: float
    aupro: float
    matched: float


def evaluate(
    detector: Detector,
    data: DataSet | Path,
    on_image: Callable[[Path, int, int], None] = lambda *_: None,
    on_check: Callable[[Path, int, int], None] = lambda *_: None,
    *,
    matching: Matching = "per-picture",
    alter: Alter | None = None,
) -> dict[str, Any]:
    """Figures per fabric and their mean, with the protocol they were measured by; plain values for JSON.

    Args:
        detector: whom to judge.
        data: a data set; a folder is opened without a name.
        on_image: told after each picture how many are done, of how many.
        on_check: told likewise while all pictures are looked at, before the first is judged.
        matching: how the fabric of a picture is found; the report names it.
        alter: what is done to every picture first, at the size that the model sees but before the crop.

    Returns:
        ``protocol``, ``fabrics``, ``mean`` (of the fabrics that have the figure), and ``remarks`` for the reader, which
        give the reason of every figure that cannot be had.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
        ConfigError: there is no such matching.
    """
    if matching not in get_args(Matching):
        raise ConfigError(
            "protocol-unknown",
            "there is no protocol {protocol!r}; known are {known}",
            protocol=matching,
            known=get_args(Matching),
        )
    data = data if isinstance(data, DataSet) else open_data_set(data)
    fabrics, condition = validate_test_images(
        data.test_images(), skip_corrupt=data.skip_corrupt, bits=depth_of([detector], data), on_picture=on_check
    )
    total, done = sum(len(images) for images in fabrics.values()), 0

    def on_one(path: Path) -> None:
        nonlocal done
        done += 1
        on_image(path, done, total)

    found = {
        name: _judge(detector, name, _predicted(detector, images, condition.bits, matching, alter, done), on_one)
        for name, images in fabrics.items()
    }
    mean = Figures(*(mean_of_known([getattr(f, field.name) for f in found.values()]) for field in fields(Figures)))
    return {
        "protocol": protocol(detector, data, fabrics, condition) | {"pictures": total, "matching": matching},
        "remarks": remarks(detector, data, fabrics, condition)
        + [r for name, images in fabrics.items() for r in _without_figures(name, images)],
        "fabrics": {name: asdict(figures) for name, figures in found.items()},
        "mean": asdict(mean),
    }


def depth_of(detectors: Sequence[Detector], data: DataSet) -> int | None:
    """The depth to read a data set with: as a person has said it, or as the models have learnt it; None where neither
    is known. Raises ConfigError where the models contradict each other.
    """
    learnt = sorted({d.bits for d in detectors if d.bits is not None})
    if data.bits is None and len(learnt) > 1:
        raise ConfigError(
            "models-differ-in-bits",
            "the models have learnt from pictures of {least} and of {most} bits; say how many these have",
            hint="With: --bits",
            least=learnt[0],
            most=learnt[-1],
        )
    return data.bits or (learnt[0] if learnt else None)


def _judge(
    detector: Detector,
    name: str,
    predicted: Iterable[tuple[TestImage, Bools, Prediction]],
    on_one: Callable[[Path], None],
) -> Figures:
    """Figures of one fabric. Of every picture its score is kept, of its pixels only their histogram."""
    own = detector.fabrics.index(name) if name in detector.fabrics else None
    pixels, defective, scores, matched = PixelScores(), [], [], []
    for image, mask, prediction in predicted:
        pixels.add(mask, prediction.anomaly_map[0])
        defective.append(not image.is_good)
        scores.append(float(prediction.score[0]))
        matched.append(own is not None and int(prediction.fabric[0]) == own)
        on_one(image.path)
    image_truth, image_score = np.array(defective), np.array(scores, np.float32)
    has_both = any(defective) and not all(defective)
    return Figures(
        i_auroc=auroc(image_truth, image_score),
        i_ap=average_precision(image_truth, image_score) if has_both else float("nan"),
        i_f1_max=f1_max(image_truth, image_score) if has_both else float("nan"),
        p_auroc=pixels.auroc(),
        p_ap=pixels.average_precision(),
        p_f1_max=pixels.f1_max(),
        aupro=pixels.aupro(),
        matched=float(np.mean(matched)) if own is not None and matched else float("nan"),
    )


def _without_figures(name: str, images: Sequence[TestImage]) -> list[str]:
    """Why a fabric lacks figures."""
    if not images:
        return [f"{name}: no test pictures, so there are no figures"]
    good = sum(image.is_good for image in images)
    if good == len(images):
        return [f"{name}: no defective test pictures, so there are no figures per picture and per pixel"]
    if good == 0:
        return [f"{name}: no good test pictures, so there are no figures per picture"]
    return []


def _predicted(
    detector: Detector,
    images: Sequence[TestImage],
    bits: int | None,
    matching: Matching,
    alter: Alter | None,
    done: int,
) -> Iterator[tuple[TestImage, Bools, Prediction]]:
    """Every picture of a fabric with its mask and what the detector says of it; ``done`` pictures came before."""
    together = BATCH if matching == "authors-batch-vote" else 1
    for first in range(0, len(images), together):
        batch = images[first : first + together]
        shown = [_shown(detector, image, bits, alter, done + first + i) for i, image in enumerate(batch)]
        pictures = [picture for picture, _ in shown]
        if matching == "authors-batch-vote":
            predictions = predict_by_vote(detector, pictures)
        else:
            predictions = [detector.predict(picture[None]) for picture in pictures]
        for image, (_, mask), prediction in zip(batch, shown, predictions, strict=True):
            yield image, mask, prediction


def _shown(
    detector: Detector, image: TestImage, bits: int | None, alter: Alter | None, number: int
) -> tuple[Image, Bools]:
    """A picture and its mask as the model is to see them."""
    config = detector.config.preprocess
    picture = read_image(image.path, bits)
    mask = image.read_mask(*picture.shape[:2])
    if alter is not None:
        uncropped = replace(config, crop_px=None)
        picture, mask = alter(preprocess(picture, uncropped), _resized(mask, uncropped), number)
    return preprocess(picture, config), _resized(mask, config)


def _resized(mask: Bools, config: PreprocessConfig) -> Bools:
    return np.asarray(preprocess(mask.astype(np.uint8) * 255, config) > 127)
