"""Table VII of the CRAS paper on one's own data: how far the figures fall when the test pictures are disturbed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cras_core.arrays import Image
from cras_core.data.datasets import FOLDERS, DataSet, open_data_set
from cras_core.detectors.base import Detector
from cras_core.evaluation.disturbances import DISTURBANCES, JITTER, NOISE, PUBLISHED_MEAN, TURN_DEG, Disturbance
from cras_core.evaluation.images import Alter, Bools, evaluate
from cras_core.evaluation.webs import evaluate_web

OnPicture = Callable[[str, Path, int, int], None]

UNDISTURBED = "undisturbed"


def robustness(
    detector: Detector,
    data: DataSet | Path,
    seed: int = 0,
    on_picture: OnPicture = lambda *_: None,
    *,
    known: bool = True,
) -> dict[str, Any]:
    """Judges a model on test pictures as they are, and once for every disturbance.

    Args:
        detector: the trained model; nothing about it is changed or chosen by what is seen here.
        data: pictures or strips with masks; a folder is opened without a name.
        seed: every disturbance of every picture follows from it.
        on_picture: told the disturbance and the picture, and how many pictures of it are done, of how many.
        known: the fabric of a strip is given; otherwise it is matched.

    Returns:
        Plain values for JSON. ``figures``: mean over the fabrics (of strips: their figures together) by name of the
        disturbance, ``undisturbed`` first; None where a disturbance makes no sense for strips. ``change``: the
        difference to the undisturbed ones, and its mean. ``published``: the paper's changes of I-AUROC and P-AUROC in
        percentage points, on MVTec AD.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
    """
    data = data if isinstance(data, DataSet) else open_data_set(data)
    on_web = are_strips(data)
    report: dict[str, Any] = {}

    def judge(name: str, alter: Alter | None) -> dict[str, Any]:
        def told(path: Path, done: int, total: int) -> None:
            on_picture(name, path, done, total)

        if on_web:
            return dict(evaluate_web({"it": detector}, data, told, known=known, alter=alter)["it"])
        return evaluate(detector, data, told, alter=alter)

    plain = judge(UNDISTURBED, None)
    together = "all" if on_web else "mean"
    report["figures"] = {UNDISTURBED: plain[together]}
    for number, disturbance in enumerate(DISTURBANCES):
        possible = not (on_web and disturbance.moves)
        report["figures"][disturbance.name] = (
            judge(disturbance.name, _altering(disturbance, seed, number))[together] if possible else None
        )
    changes = {
        name: _difference(figures, plain[together])
        for name, figures in report["figures"].items()
        if figures is not None and name != UNDISTURBED
    }
    report["change"] = changes | {"mean": _mean(list(changes.values()))}
    report["remarks"] = plain["remarks"]
    report["published"] = {d.name: d.published for d in DISTURBANCES} | {"mean": PUBLISHED_MEAN}
    report["protocol"] = plain["protocol"] | {
        "disturbance_seed": seed,
        "noise_std": NOISE,
        "jitter": JITTER,
        "turn_deg": TURN_DEG,
    }
    return report


def are_strips(data: DataSet) -> bool:
    """Whether a data set is judged as strips of web: AITEX, or ``<fabric>/defect`` with ``<fabric>/mask``."""
    if data.name != FOLDERS:
        return data.name == "aitex"
    root = data.root
    folders = [root, *(p for p in root.iterdir() if p.is_dir())] if root.is_dir() else []
    return any((f / "defect").is_dir() and (f / "mask").is_dir() for f in folders)


def _altering(disturbance: Disturbance, seed: int, number: int) -> Alter:
    def alter(picture: Image, mask: Bools, index: int) -> tuple[Image, Bools]:
        return disturbance.apply(picture, mask, np.random.default_rng([seed, number, index]))

    return alter


def _difference(figures: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _difference(value, before[key]) if isinstance(value, dict) else value - before[key]
        for key, value in figures.items()
    }


def _mean(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        key: _mean([c[key] for c in changes]) if isinstance(value, dict) else float(np.mean([c[key] for c in changes]))
        for key, value in changes[0].items()
    }
