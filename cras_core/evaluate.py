"""How good a model is on a data set with masks (MVTec layout)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from cras_core.data import find_test_images
from cras_core.errors import DataError
from cras_core.features import preprocess
from cras_core.images import read_bits, read_image
from cras_core.inspector import Inspector
from cras_core.metrics import aupro, auroc, average_precision


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one fabric, or their mean; 0..1, NaN where they cannot be had.

    Attributes:
        i_auroc, i_ap: per picture, good against defective, by the maximum of the anomaly map (eq. 10).
        p_auroc, p_ap: per pixel (eq. 9).
        aupro: per-region overlap up to 30 % false positives.
        matched: share of pictures that were matched to their own fabric (eq. 2), where the model knows it.
    """

    i_auroc: float
    i_ap: float
    p_auroc: float
    p_ap: float
    aupro: float
    matched: float


def evaluate(
    inspector: Inspector, root: Path, on_image: Callable[[Path, int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Figures per fabric and their mean, with the protocol they were measured by; plain values for JSON.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
    """
    fabrics = find_test_images(root)
    total, done = sum(len(images) for images in fabrics.values()), 0
    found: dict[str, Figures] = {}
    for name, images in fabrics.items():
        own = inspector.fabrics.index(name) if name in inspector.fabrics else None
        bits = read_bits(images[0].path)
        masks, maps, defective, scores, matched = [], [], [], [], []
        for image in images:
            picture = read_image(image.path, bits)
            mask = (
                preprocess(image.read_mask(*picture.shape[:2]).astype(np.uint8) * 255, inspector.config.preprocess)
                > 127
            )
            prediction = inspector.predict(preprocess(picture, inspector.config.preprocess)[None])
            masks.append(np.asarray(mask))
            maps.append(prediction.anomaly_map[0])
            defective.append(image.defect != "good")
            scores.append(float(prediction.score[0]))
            matched.append(own is not None and int(prediction.fabric[0]) == own)
            done += 1
            on_image(image.path, done, total)
        if all(defective) or not any(defective):
            raise DataError(
                f"fabric {name} has only {'defective' if defective[0] else 'good'} test pictures; both kinds are needed"
            )
        truth, anomaly = np.concatenate([m.ravel() for m in masks]), np.concatenate([m.ravel() for m in maps])
        image_truth, image_score = np.array(defective), np.array(scores, np.float32)
        found[name] = Figures(
            i_auroc=auroc(image_truth, image_score),
            i_ap=average_precision(image_truth, image_score),
            p_auroc=auroc(truth, anomaly),
            p_ap=average_precision(truth, anomaly),
            aupro=aupro(masks, maps),
            matched=float(np.mean(matched)) if own is not None else float("nan"),
        )
    mean = Figures(*(float(np.mean([getattr(f, field.name) for f in found.values()])) for field in fields(Figures)))
    return {
        "protocol": {
            "data": str(root),
            "pictures": total,
            "mask_above": 127,
            "aupro_fpr_limit": 0.3,
            "resize_px": inspector.config.preprocess.resize_px,
            "crop_px": inspector.config.preprocess.crop_px,
            "backbone": inspector.config.backbone.name,
            "weights_hash": inspector.model.extractor.backbone.weights_hash,
            "seed": inspector.config.train.seed,
            "score": inspector.config.score.kind,
        },
        "fabrics": {name: asdict(figures) for name, figures in found.items()},
        "mean": asdict(mean),
    }
