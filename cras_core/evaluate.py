"""How good a model is on a data set with masks (MVTec layout)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from cras_core.data import find_test_images
from cras_core.detector import Detector
from cras_core.errors import DataError
from cras_core.features import preprocess
from cras_core.images import read_bits, read_image
from cras_core.metrics import PixelScores, auroc, average_precision, f1_max


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
    detector: Detector, root: Path, on_image: Callable[[Path, int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Figures per fabric and their mean, with the protocol they were measured by; plain values for JSON.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
    """
    fabrics = find_test_images(root)
    total, done = sum(len(images) for images in fabrics.values()), 0
    found: dict[str, Figures] = {}
    for name, images in fabrics.items():
        own = detector.fabrics.index(name) if name in detector.fabrics else None
        bits = read_bits(images[0].path)
        pixels, defective, scores, matched = PixelScores(), [], [], []
        for image in images:
            picture = read_image(image.path, bits)
            mask = (
                preprocess(image.read_mask(*picture.shape[:2]).astype(np.uint8) * 255, detector.config.preprocess) > 127
            )
            prediction = detector.predict(preprocess(picture, detector.config.preprocess)[None])
            pixels.add(np.asarray(mask), prediction.anomaly_map[0])
            defective.append(image.defect != "good")
            scores.append(float(prediction.score[0]))
            matched.append(own is not None and int(prediction.fabric[0]) == own)
            done += 1
            on_image(image.path, done, total)
        if all(defective) or not any(defective):
            raise DataError(
                f"fabric {name} has only {'defective' if defective[0] else 'good'} test pictures; both kinds are needed"
            )
        image_truth, image_score = np.array(defective), np.array(scores, np.float32)
        found[name] = Figures(
            i_auroc=auroc(image_truth, image_score),
            i_ap=average_precision(image_truth, image_score),
            i_f1_max=f1_max(image_truth, image_score),
            p_auroc=pixels.auroc(),
            p_ap=pixels.average_precision(),
            p_f1_max=pixels.f1_max(),
            aupro=pixels.aupro(),
            matched=float(np.mean(matched)) if own is not None else float("nan"),
        )
    mean = Figures(*(float(np.mean([getattr(f, field.name) for f in found.values()])) for field in fields(Figures)))
    return {
        "protocol": {
            "data": str(root),
            "pictures": total,
            "mask_above": 127,
            "aupro_fpr_limit": 0.3,
            "resize_px": detector.config.preprocess.resize_px,
            "crop_px": detector.config.preprocess.crop_px,
            "backbone": detector.config.backbone.name,
            "weights_hash": detector.weights_hash,
            "seed": detector.config.train.seed,
            "score": detector.config.score.kind,
        },
        "fabrics": {name: asdict(figures) for name, figures in found.items()},
        "mean": asdict(mean),
    }
