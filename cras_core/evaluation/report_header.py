"""What a report says about how it was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cras_core.config.presets import PRESETS
from cras_core.config.settings import CrasConfig
from cras_core.data.datasets import DataSet
from cras_core.data.folders import listed
from cras_core.data.masks import GREY_ABOVE
from cras_core.data.validation import Condition
from cras_core.detectors.base import Detector
from cras_core.version import __version__

_NO_MATTER_OF_PRESETS = ("train.seed",)  # told on its own


def protocol(detector: Detector, data: DataSet, fabrics: Iterable[str], condition: Condition) -> dict[str, Any]:
    """How a detector was judged; plain values for JSON.

    Args:
        detector: who was judged.
        data: on what.
        fabrics: those of it that were there.
        condition: of the pictures and their masks.
    """
    config = detector.config
    above = 0 if data.name == "visa" else GREY_ABOVE
    return {
        "program": f"cras {__version__}",
        "data_set": data.name,
        "data": str(data.root),
        "classes_missing": data.missing(fabrics),
        "without_mask": [p.name for p in data.left_out()],
        "unreadable": list(condition.unreadable),
        "mask_above": above,
        "masks": condition.masks,
        "masks_with_grey_between": len(condition.grey),
        "masks_empty": [str(p) for p in condition.empty],
        "masks_mostly_defective": [str(p) for p in condition.mostly],
        "bits": condition.bits,
        "model": detector.identity,
        "preset": nearest_preset(config),
        "backbone": config.backbone.name,
        "weights_hash": detector.weights_hash,
        "seed": config.train.seed,
        "resize_px": config.preprocess.resize_px,
        "crop_px": config.preprocess.crop_px,
        "input_scale": config.backbone.input_scale,
        "cell_px": config.tiling.cell_px,
        "score": config.score.kind,
        "aupro_fpr_limit": 0.3,
    }


def remarks(detector: Detector, data: DataSet, fabrics: Iterable[str], condition: Condition) -> list[str]:
    """What a person who reads the figures has to know about the data; arguments as for ``protocol``."""
    said = []
    there = list(fabrics)
    unknown = [name for name in there if name not in detector.fabrics]
    if unknown:
        said.append(f"the model was not trained on {', '.join(unknown)}: they are compared with the nearest it knows")
    missing = data.missing(there)
    if missing:
        said.append(f"{data.root} lacks {', '.join(missing)}; the figures are those of the other classes")
    left_out = data.left_out()
    if left_out:
        names = listed([p.name for p in left_out], ", ")
        said.append(f"strips without a mask are left out, {len(left_out)}: {names}")
    if condition.unreadable:
        number = len(condition.unreadable)
        said.append(f"pictures that cannot be read are left out, {number}:\n{listed(condition.unreadable)}")
    if condition.grey:
        said.append(
            f"{len(condition.grey)} of {condition.masks} masks have grey levels between 0 and 255; what is above "
            f"{GREY_ABOVE} counts as defective"
        )
    if condition.empty:
        names = listed([p.name for p in condition.empty], ", ")
        said.append(f"{len(condition.empty)} of {condition.masks} masks show no defect: those of {names}")
    if condition.mostly:
        names = listed([p.name for p in condition.mostly], ", ")
        said.append(
            f"{len(condition.mostly)} of {condition.masks} masks call more than half of the picture defective, those "
            f"of {names}; white is defective: are they inverted?"
        )
    strays = data.stray_masks()
    if strays:
        said.append(f"masks that belong to no strip, {len(strays)}: {listed([p.name for p in strays], ', ')}")
    return said


def nearest_preset(config: CrasConfig) -> dict[str, Any]:
    """``name`` of the preset with the fewest other settings, and ``differs``: those by dotted name, as
    [preset, here]. The seed is no matter of presets.
    """
    mine = flat(config)
    differing = {}
    for name, make in PRESETS.items():
        theirs = flat(make())
        differing[name] = {k: [theirs[k], v] for k, v in mine.items() if theirs[k] != v}
    name = min(differing, key=lambda n: len(differing[n]))
    return {"name": name, "differs": differing[name]}


def flat(config: CrasConfig) -> dict[str, Any]:
    """Settings by dotted name, without those that are no matter of presets; lists where JSON has no tuples."""
    values = {f"{s}.{name}": value for s, part in config.to_dict().items() for name, value in part.items()}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name not in _NO_MATTER_OF_PRESETS
    }
