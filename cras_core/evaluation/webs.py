"""How good detectors are on strips of web with masks: the same way from pixels to boxes that the line goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.data.datasets import DataSet, open_data_set
from cras_core.data.validation import validate_test_images
from cras_core.detectors.base import Detector
from cras_core.evaluation.images import Alter, Bools, depth_of
from cras_core.evaluation.metrics import PixelScores, mean_of_known
from cras_core.evaluation.report_header import protocol, remarks
from cras_core.evaluation.web_recall import Reported, StripResult, match_reports, recall_at
from cras_core.images import read_image
from cras_core.web.canvas import WebConfig
from cras_core.web.regions import RegionConfig, RegionTracker
from cras_core.web.scoring import ScoredRows, WebInspection

RATES_PER_STRIP = (0.05, 0.1, 0.25, 0.5, 1.0)
RATES_PER_M2 = (0.5, 1.0, 2.0, 5.0, 10.0)
Floats = npt.NDArray[np.float32]
_LOWEST_SCORE = 0.2  # regions weaker than this share of the calibrated limit are not listed


@dataclass(slots=True)
class _Tally:
    """What has been seen of one fabric with one detector."""

    strips: list[StripResult]
    pixels: PixelScores
    matched: int = 0
    is_known: bool = True
    masked_px: int = 0
    masked_and_inspected_px: int = 0


def evaluate_web(
    detectors: Mapping[str, Detector],
    data: DataSet | Path,
    on_strip: Callable[[Path, int, int], None] = lambda *_: None,
    *,
    known: bool = True,
    on_check: Callable[[Path, int, int], None] = lambda *_: None,
    alter: Alter | None = None,
) -> dict[str, Any]:
    """Defect recall at fixed false alarms, and pixel figures on cloth; plain values for JSON.

    Args:
        detectors: by name; all judged on the same strips, strip by strip.
        data: a data set of strips; a folder is opened without a name: ``<fabric>/defect`` with ``<fabric>/mask``.
        on_strip: told after each strip how many are done, of how many.
        known: the fabric is given; otherwise each strip is matched (eq. 2).
        on_check: told as ``on_strip`` while all strips are looked at, before the first is judged.
        alter: what is done to every strip first.

    Returns:
        For every detector the figures of every fabric, and of all together: each fabric has a threshold of its own
        for a rate, and the recall of all is that of all their defects. Pixel figures are of inspected cloth;
        ``defect_inspected`` says how much of the masks that is, and what was not inspected is missed in the recall.
        ``remarks`` give the reason of every figure that cannot be had.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
    """
    data = data if isinstance(data, DataSet) else open_data_set(data)
    bits = depth_of(list(detectors.values()), data)
    fabrics, condition = validate_test_images(
        data.strips(), skip_corrupt=data.skip_corrupt, bits=bits, on_picture=on_check
    )
    total, done = sum(len(strips) for strips in fabrics.values()), 0
    report: dict[str, Any] = {name: {} for name in detectors}
    for fabric, strips in fabrics.items():
        mine = {name: _Tally([], PixelScores()) for name in detectors}
        for strip in strips:
            picture = read_image(strip.path, condition.bits)
            mask = strip.read_mask(*picture.shape[:2])
            if alter is not None:
                picture, mask = alter(picture, mask, done)
            for name, detector in detectors.items():
                _judge(detector, strip.fabric, picture, mask, mine[name], known=known)
            done += 1
            on_strip(strip.path, done, total)
        for name, tally in mine.items():
            report[name][fabric] = _figures(tally)  # the tally itself, 25 MB of histograms, is not kept
    return {
        name: {
            "protocol": protocol(detector, data, fabrics, condition) | _web_protocol(detector, total, known=known),
            "remarks": remarks(detector, data, fabrics, condition) + _without_figures(report[name]),
            "fabrics": report[name],
            "all": _together(report[name]),
        }
        for name, detector in detectors.items()
    }


def inspect_strip(detector: Detector, picture: Image, fabric: int | None) -> tuple[list[ScoredRows], int | None]:
    """A strip as the line inspects a web: its rows, and the fabric that it was compared with; ``fabric`` fixes it."""
    config = detector.config
    web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric=fabric))
    return [*web.push(picture), *web.finish()], web.fabric


def per_pixel(score: Floats, cell_px: int, shape: tuple[int, int]) -> tuple[Floats, Bools]:
    """(rows, cols) scores of cells, NaN where nothing was inspected -> (H, W) float32 scores of pixels, 0 there, and
    (H, W) bool where pixels were inspected.
    """
    inside = np.s_[: shape[0], : shape[1]]
    looked_at = np.isfinite(score).repeat(cell_px, axis=0).repeat(cell_px, axis=1)[inside]
    pixels = cv2.resize(np.nan_to_num(score), None, fx=cell_px, fy=cell_px, interpolation=cv2.INTER_LINEAR)[inside]
    return np.asarray(pixels, np.float32), np.asarray(looked_at)


def _judge(detector: Detector, fabric: str, picture: Image, mask: Bools, tally: _Tally, *, known: bool) -> None:
    config = detector.config
    own = detector.fabrics.index(fabric) if fabric in detector.fabrics else None
    rows, matched = inspect_strip(detector, picture, own if known else None)
    tracker = RegionTracker(RegionConfig(_LOWEST_SCORE, is_relative=config.reference.enabled))
    regions = [region for scored in rows for region in tracker.push(scored.score, scored.raw)]
    regions += tracker.finish()
    cell = config.tiling.cell_px
    score = np.concatenate([r.score for r in rows])
    area_m2 = float(np.isfinite(score).sum()) * (cell * config.calibration.mm_per_px / 1000.0) ** 2
    reported = [
        Reported(r.peak, r.first_col * cell, r.first_row * cell, r.end_col * cell, r.end_row * cell) for r in regions
    ]
    tally.strips.append(match_reports(mask, reported, area_m2))
    pixels, looked_at = per_pixel(score, cell, (mask.shape[0], mask.shape[1]))
    tally.pixels.add(mask & looked_at, pixels, looked_at)
    tally.masked_px += int(mask.sum())
    tally.masked_and_inspected_px += int((mask & looked_at).sum())
    tally.is_known = own is not None
    tally.matched += own is not None and matched == own


def _figures(tally: _Tally) -> dict[str, Any]:
    strips, area_m2 = len(tally.strips), sum(s.area_m2 for s in tally.strips)
    return {
        "strips": strips,
        "area_m2": area_m2,
        "defects": sum(s.defects for s in tally.strips),
        "recall_per_strip": {str(r): recall_at(tally.strips, r * strips) for r in RATES_PER_STRIP},
        "recall_per_m2": {str(r): recall_at(tally.strips, r * area_m2) for r in RATES_PER_M2},
        "p_auroc": tally.pixels.auroc(),
        "p_ap": tally.pixels.average_precision(),
        "p_f1_max": tally.pixels.f1_max(),
        "aupro": tally.pixels.aupro(),
        "defect_inspected": tally.masked_and_inspected_px / tally.masked_px if tally.masked_px else float("nan"),
        "matched": tally.matched / strips if strips and tally.is_known else float("nan"),
    }


def _together(figures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Recall over all defects, each fabric at its own threshold; means of the rest."""
    defects = np.array([f["defects"] for f in figures.values()], dtype=float)
    weight = defects / max(1.0, float(defects.sum()))

    def recall(key: str, rate: str) -> float:
        if not defects.any():
            return float("nan")
        return float(np.nansum([w * f[key][rate] for f, w in zip(figures.values(), weight, strict=True)]))

    return {
        "defects": int(defects.sum()),
        "recall_per_strip": {str(r): recall("recall_per_strip", str(r)) for r in RATES_PER_STRIP},
        "recall_per_m2": {str(r): recall("recall_per_m2", str(r)) for r in RATES_PER_M2},
        **{
            key: mean_of_known([f[key] for f in figures.values()])
            for key in ("p_auroc", "p_ap", "p_f1_max", "aupro", "defect_inspected", "matched")
        },
    }


def _without_figures(figures: Mapping[str, dict[str, Any]]) -> list[str]:
    """Why fabrics lack figures."""
    return [
        f"{name}: no defects on its strips, so there is no recall" for name, f in figures.items() if not f["defects"]
    ]


def _web_protocol(detector: Detector, strips: int, *, known: bool) -> dict[str, Any]:
    config = detector.config
    return {
        "strips": strips,
        "fabric_known": known,
        "lowest_score": _LOWEST_SCORE,
        "tile_px": config.tiling.tile_px,
        "mm_per_px": config.calibration.mm_per_px,
        "config": config.to_dict(),
    }
