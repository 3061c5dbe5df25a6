"""Whether an ONNX file judges as the detector that it was made of: both look at the same tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from cras_core.arrays import Image
from cras_core.detectors.trained import TrainedDetector
from cras_core.engines.interface import INPUTS, OUTPUTS
from cras_core.engines.onnx_export import cut
from cras_core.errors import ExportError
from cras_core.messages import Sentence

TOLERANCE = 2e-4
"""Greatest difference, of the detector's value where that is above 1; ten times what ResNet50 and Lite0 differ by."""

TURNED = 1e-3
"""Share of the scores that may differ by more: where two centres are equally near, the last digit decides."""

_SEVERAL = 3  # not the batch that the exporter saw

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one output of a file lies from the detector's.

    Attributes:
        absolute: the greatest difference.
        relative: the greatest difference as a share of the detector's value, or of 1 where that is less.
        beyond: share of the values whose relative difference is above ``TOLERANCE``, or no number.
    """

    absolute: float
    relative: float
    beyond: float

    @classmethod
    def between(cls, got: Floats, wanted: Floats) -> Difference:
        """Of what the file gives to what the detector gives, in the same order."""
        apart = np.abs(got.astype(np.float64) - wanted)
        relative = apart / np.maximum(np.abs(wanted), 1.0)
        return cls(float(apart.max()), float(relative.max()), float((~(relative <= TOLERANCE)).mean()))


def session_of(model: bytes) -> Any:
    """onnxruntime's session on the CPU. Raises ExportError where onnxruntime refuses the file."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # its warnings are about graphics cards that it looks for
    try:
        return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own that only Exception covers
        reason = str(error).strip().splitlines()[0]
        raise ExportError(
            "onnx-not-opened", "onnxruntime cannot open the ONNX file: {reason}", reason=reason
        ) from error


def prove(model: bytes, detector: TrainedDetector, tiles: Image) -> dict[str, Difference]:
    """Compares a file with the detector by output; shifted with the fabric given, each fabric in turn, and as it is
    with the fabric matched; one tile at a time and several.

    Args:
        model: contents of the file.
        detector: that it was made of, on the CPU, in float32.
        tiles: (N, H, W, 3) uint8 of the file's size. Fabrics beyond the N-th are not compared.

    Raises:
        ExportError: the file cannot be run, or judges differently.
    """
    session = session_of(model)
    for part in cut(onnx.load_model_from_string(model)):
        session_of(part)
    pairs: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in OUTPUTS}
    count, dimension = len(detector.fabrics), detector.medians.shape[1]
    shifts = np.random.default_rng(1).normal(0, 0.3, (len(tiles), dimension)).astype(np.float32)
    for chunk in [slice(0, 1), *(slice(i, i + _SEVERAL) for i in range(1, len(tiles), _SEVERAL))]:
        some = tiles[chunk]
        features = detector.extract_features(some)
        given = np.arange(len(tiles), dtype=np.int64)[chunk] % count
        cases = ((given, shifts[chunk]), (np.full_like(given, -1), np.zeros_like(shifts[chunk])))
        for fabric, shift in cases:
            matched = features.similarity.argmax(axis=1) if fabric[0] < 0 else fabric
            wanted = (
                features.similarity,
                _scores(detector, features.vectors + torch.from_numpy(shift)[:, None, None, :], matched),
                features.vectors.numpy(),
            )
            got = _run(session, some, fabric, shift)
            for name, g, w in zip(OUTPUTS, got, wanted, strict=True):
                if g.shape != w.shape:
                    raise ExportError(
                        "onnx-output-shape",
                        "The ONNX file gives {name} of {got: x } where the detector gives {wanted: x }.",
                        name=name,
                        got=g.shape,
                        wanted=w.shape,
                    )
                pairs[name].append((g.ravel(), w.ravel()))
    found = {name: Difference.between(*map(np.concatenate, zip(*p, strict=True))) for name, p in pairs.items()}
    allowed = {"scores": TURNED}
    wrong = [name for name, d in found.items() if d.beyond > allowed.get(name, 0.0)]
    if wrong:
        told = "; ".join(f"{n} by up to {found[n].absolute:.3g}, {found[n].beyond:.1%} of the values" for n in wrong)
        raise ExportError(
            "onnx-judges-differently",
            "The ONNX file does not judge as the detector does, so it was not written ({told}; allowed is "
            "{tolerance:g}). Another version of torch or onnxruntime may do better.",
            told=Sentence(told),
            tolerance=TOLERANCE,
        )
    return found


@torch.inference_mode()
def _scores(detector: TrainedDetector, vectors: torch.Tensor, fabric: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(detector.score(vectors, torch.from_numpy(fabric)).numpy())


def _run(session: Any, tiles: Image, fabric: npt.NDArray[np.int64], shift: Floats) -> list[Floats]:
    images = np.ascontiguousarray(tiles.transpose(0, 3, 1, 2), dtype=np.float32)
    try:
        return list(session.run(OUTPUTS, dict(zip(INPUTS, (images, fabric, shift), strict=True))))
    except Exception as error:  # as in session_of
        reason = str(error).strip().splitlines()[0]
        raise ExportError("onnx-not-run", "onnxruntime cannot run the ONNX file: {reason}", reason=reason) from error
