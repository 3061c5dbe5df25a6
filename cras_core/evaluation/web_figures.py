"""Figures of strips that were judged: recall at fixed false alarms, and what the calibrated threshold is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cras_core.evaluation.metrics import PixelScores, mean_of_known
from cras_core.evaluation.web_recall import (
    PLACES,
    SHAPES,
    StripResult,
    TrueDefect,
    found_at,
    rate_interval,
    recall_at,
    share,
    share_interval,
)
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

RATES_PER_STRIP = (0.05, 0.1, 0.25, 0.5, 1.0)
RATES_PER_M2 = (0.01, 0.1, 1.0, 10.0)
_SIZES_MM = (1.0, 2.0, 5.0, 20.0)
SIZES = ("under 1 mm", "1 to 2 mm", "2 to 5 mm", "5 to 20 mm", "over 20 mm")
"""Of defects, by the longer side of their boxes."""


@dataclass(slots=True)
class Tally:
    """What has been seen of one fabric with one detector."""

    strips: list[StripResult]
    pixels: PixelScores
    mm_per_px: float
    promised_per_m2: float
    matched: int = 0
    is_known: bool = True
    masked_px: int = 0
    masked_and_inspected_px: int = 0


def at_threshold(strips: Sequence[StripResult], mm_per_px: float, promised_per_m2: float) -> dict[str, Any]:
    """What the calibrated threshold finds, and what it raises for nothing; plain values.

    Args:
        strips: of one fabric or of several.
        mm_per_px: size of their pixels.
        promised_per_m2: false alarms that the calibration was asked for.
    """
    area_m2 = sum(s.area_m2 for s in strips)
    defects = [d for s in strips for d in s.defects]
    alarms = [a for s in strips for a in s.false_alarms if reaches(a.peak, CALIBRATED_THRESHOLD)]
    sizes = [_size_of(d.size_px * mm_per_px) for d in defects]
    return {
        **_found(defects),
        "false_alarms": {place: sum(a.place == place for a in alarms) for place in PLACES},
        "false_alarms_per_m2": len(alarms) / area_m2 if area_m2 else float("nan"),
        "false_alarms_per_m2_interval": _bounds(rate_interval(len(alarms), area_m2)),
        "promised_per_m2": promised_per_m2,
        "by_size": _by_kind(defects, sizes, SIZES),
        "by_shape": _by_kind(defects, [d.shape for d in defects], SHAPES),
    }


def _found(defects: Sequence[TrueDefect]) -> dict[str, Any]:
    found = sum(reaches(d.score, CALIBRATED_THRESHOLD) for d in defects)
    interval = _bounds(share_interval(found, len(defects)))
    return {"found": found, "defects": len(defects), "recall": share(found, len(defects)), "recall_interval": interval}


def _by_kind(defects: Sequence[TrueDefect], kinds: Sequence[str], order: Sequence[str]) -> dict[str, Any]:
    """Those kinds that there are."""
    members = {kind: [d for d, own in zip(defects, kinds, strict=True) if own == kind] for kind in order}
    return {kind: _found(those) for kind, those in members.items() if those}


def _bounds(interval: tuple[float, float]) -> dict[str, float]:
    return {"low": interval[0], "high": interval[1]}


def _size_of(longest_mm: float) -> str:
    return SIZES[int(np.searchsorted(_SIZES_MM, longest_mm, side="right"))]


def figures_of(tally: Tally) -> dict[str, Any]:
    """Of one fabric; plain values for JSON."""
    strips, area_m2 = len(tally.strips), sum(s.area_m2 for s in tally.strips)
    defects = sum(len(s.defects) for s in tally.strips)
    return {
        "strips": strips,
        "area_m2": area_m2,
        "defects": defects,
        "recall_per_strip": {str(r): recall_at(tally.strips, r * strips) for r in RATES_PER_STRIP},
        "recall_per_m2": {str(r): recall_at(tally.strips, r * area_m2) for r in RATES_PER_M2},
        "recall_per_m2_interval": {
            str(r): _bounds(share_interval(found_at(tally.strips, r * area_m2), defects)) for r in RATES_PER_M2
        },
        "at_threshold": at_threshold(tally.strips, tally.mm_per_px, tally.promised_per_m2),
        "p_auroc": tally.pixels.auroc(),
        "p_ap": tally.pixels.average_precision(),
        "p_f1_max": tally.pixels.f1_max(),
        "aupro": tally.pixels.aupro(),
        "defect_inspected": tally.masked_and_inspected_px / tally.masked_px if tally.masked_px else float("nan"),
        "matched": tally.matched / strips if strips and tally.is_known else float("nan"),
    }


def together(figures: Mapping[str, dict[str, Any]], threshold: Mapping[str, Any]) -> dict[str, Any]:
    """Of all fabrics: recall over all defects, each fabric at its own threshold for a rate; means of the rest.

    Args:
        figures: ``figures_of`` each fabric.
        threshold: ``at_threshold`` of the strips of all of them.
    """
    defects = np.array([f["defects"] for f in figures.values()], dtype=float)
    weight = defects / max(1.0, float(defects.sum()))

    def recall(key: str, rate: str) -> float:
        if not defects.any():
            return float("nan")
        return float(np.nansum([w * f[key][rate] for f, w in zip(figures.values(), weight, strict=True)]))

    per_m2 = {str(r): recall("recall_per_m2", str(r)) for r in RATES_PER_M2}
    total = int(defects.sum())
    return {
        "defects": total,
        "recall_per_strip": {str(r): recall("recall_per_strip", str(r)) for r in RATES_PER_STRIP},
        "recall_per_m2": per_m2,
        "recall_per_m2_interval": {
            rate: _bounds(share_interval(round(value * total) if total else 0, total)) for rate, value in per_m2.items()
        },
        "at_threshold": dict(threshold),
        **{
            key: mean_of_known([f[key] for f in figures.values()])
            for key in ("p_auroc", "p_ap", "p_f1_max", "aupro", "defect_inspected", "matched")
        },
    }
