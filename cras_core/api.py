"""What somebody needs who uses the detector from a notebook or from a program of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cras_core.arrays import FloatArray, Image
from cras_core.config.presets import PRESETS
from cras_core.config.reading import with_settings
from cras_core.data.datasets import open_data_set
from cras_core.data.validation import validate_normal_images
from cras_core.detectors.base import Detector
from cras_core.errors import ConfigError, DataError
from cras_core.evaluation.webs import inspect_strip, per_pixel
from cras_core.features.cloth_tiles import preprocess
from cras_core.images import read_image
from cras_core.loading import detector_of, load_scorer
from cras_core.registry.bundle import write_bundle
from cras_core.training.progress import Progress
from cras_core.training.train import train as train_bundle

__all__ = ["Detector", "ImageScore", "load", "score_image", "train"]


@dataclass(frozen=True, slots=True)
class ImageScore:
    """What a detector says of one picture.

    Attributes:
        score: of the whole picture, its largest; 1 is the calibrated threshold. NaN where no cloth was found.
        anomaly_map: (H, W) float32 score of every pixel; NaN where nothing was inspected, beside the cloth.
        fabric: name of the fabric that it was compared with.
    """

    score: float
    anomaly_map: FloatArray
    fabric: str


def train(
    data: str | Path,
    out: str | Path = "fabrics.cras",
    *,
    preset: str = "cloth",
    settings: Mapping[str, object] | None = None,
    bits: int | None = None,
    device: str = "auto",
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Detector:
    """Trains a model of all fabrics of a folder, writes it, and returns it ready for ``score_image``.

    Args:
        data: ``<fabric>/normal`` (strips of web) or ``<fabric>/train/good`` (tiles) for each fabric, with pictures of
            good cloth; or a data set that is known by its layout.
        out: the bundle to write.
        preset: ``cloth``, or a paper's.
        settings: what differs from the preset, by dotted name, as ``{"train.epochs": 10}``.
        bits: depth of pictures of more than 8 bits; None measures it over all of them.
        device: ``auto``, ``cpu``, ``cuda``, ...
        on_progress: called often.

    Raises:
        CrasError: the pictures or the settings cannot be used, or the file cannot be written; the text says why.
    """
    if preset not in PRESETS:
        raise ConfigError(
            "preset-unknown", "there is no preset {preset!r}; known are {known}", preset=preset, known=list(PRESETS)
        )
    config = with_settings(PRESETS[preset](), {name: json.dumps(value) for name, value in (settings or {}).items()})
    normal = validate_normal_images(open_data_set(Path(data)).normal_images(), bits=bits)
    bundle = train_bundle(normal, config, device, on_progress)
    write_bundle(bundle, Path(out))
    return detector_of(bundle, device)


def load(bundle: str | Path, device: str = "auto") -> Detector:
    """Opens a bundle, or an ONNX file that ``cras export`` wrote. Raises CrasError."""
    return load_scorer(Path(bundle), device)


def score_image(
    detector: Detector, image: Image | str | Path, fabric: str | None = None, bits: int | None = None
) -> ImageScore:
    """Scores a picture of cloth as the line scores a web: its edges are found, it is cut into tiles, and what stands
    out of the cloth around it counts. Models of aligned pictures (the presets of the papers) score it as a whole.

    Args:
        detector: as ``load`` or ``train`` gives it.
        image: (H, W) grey or (H, W, 3) RGB uint8, or a file; 64 px either way at least.
        fabric: what the cloth is; None takes the most similar of those that the model knows.
        bits: depth of a file of more than 8 bits; None takes the one that the model has learnt from.

    Raises:
        DataError: the picture cannot be used.
        ConfigError: the model does not know the fabric.
    """
    picture = image if isinstance(image, np.ndarray) else read_image(Path(image), bits or detector.bits)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise DataError(
            "picture-of-wrong-shape",
            "a picture is (H, W) or (H, W, 3) of uint8, not ({shape}) of {dtype}",
            shape=picture.shape,
            dtype=picture.dtype,
        )
    if fabric is not None and fabric not in detector.fabrics:
        raise ConfigError(
            "fabric-not-in-model-by-name",
            "the model does not know {fabric!r}; it knows {fabrics}",
            fabric=fabric,
            fabrics=list(detector.fabrics),
        )
    known = None if fabric is None else detector.fabrics.index(fabric)
    if detector.config.preprocess.resize_px is not None:
        return _score_whole(detector, picture, known)
    rows, matched = inspect_strip(detector, picture, known)
    shape = (picture.shape[0], picture.shape[1])
    cells = np.concatenate([r.score for r in rows])  # (rows, cols), NaN where nothing was inspected
    pixels, inspected = per_pixel(cells, detector.config.tiling.cell_px, shape)  # (H, W) each
    scored = np.where(inspected, pixels, np.float32("nan"))
    return _image_score(detector, scored, matched if matched is not None else 0)


def _score_whole(detector: Detector, picture: Image, known: int | None) -> ImageScore:
    found = detector.predict(preprocess(picture, detector.config.preprocess)[None], known)
    fabric = int(found.fabric[0])
    return _image_score(detector, detector.calibrations[fabric].absolute_map(found.anomaly_map[0]), fabric)


def _image_score(detector: Detector, anomaly_map: FloatArray, fabric: int) -> ImageScore:
    known = anomaly_map[np.isfinite(anomaly_map)]
    return ImageScore(float(known.max()) if len(known) else float("nan"), anomaly_map, detector.fabrics[fabric])
