"""Figures of evaluations as tables of the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from cras_core.detectors.base import Detector


def one_report(
    reports: dict[str, dict[str, Any]], detectors: dict[str, Detector], parts: tuple[str, ...]
) -> dict[str, Any]:
    """The report about one bundle, or mean and spread over several."""
    from cras_core.evaluation.seeds import over_bundles

    if len(reports) == 1:
        return next(iter(reports.values()))
    return over_bundles(reports, [i.config for i in detectors.values()], parts)


def spelled(figure: float | dict[str, float]) -> str:
    """A figure, or its mean and spread; a dash where it cannot be had."""
    mean, spread = (figure["mean"], figure["spread"]) if isinstance(figure, dict) else (figure, None)
    if math.isnan(mean):
        return "–"
    return f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread:.3f}"


def web_table(rows: dict[str, dict[str, Any]], first: str) -> Table:
    """Recall of defects, a row each."""
    rates = next(iter(rows.values()))["recall_per_strip"]
    pixel = ("p_auroc", "p_ap", "aupro", "defect_inspected", "matched")
    table = Table(
        first, "defects", *(f"{r}/strip" for r in rates), "P-AUROC", "P-AP", "AUPRO", "inspected", "matched",
        caption="Recall of defects at so many false alarms per strip; inspected: share of the defects' pixels that lie "
        "on inspected cloth.",
    )  # fmt: skip
    for name, figures in rows.items():
        defects = figures["defects"]["mean"] if isinstance(figures["defects"], dict) else figures["defects"]
        values = [*figures["recall_per_strip"].values(), *(figures[k] for k in pixel)]
        table.add_row(escape(name), f"{defects:.0f}", *map(spelled, values))
    return table


def threshold_table(rows: dict[str, dict[str, Any]], first: str) -> Table:
    """What the calibrated threshold is worth, a row each."""
    rates = next(iter(rows.values()))["recall_per_m2"]
    table = Table(
        first, *(f"{float(r):g}/m²" for r in rates), "found", "of", "inside", "end", "edge", "per m²", "promised",
        title="At fixed false alarms per square metre, and at the calibrated threshold",
        caption="Recall with the interval that holds the true one with 95 % confidence. Found, of: defects at the "
        "calibrated threshold. Inside, end, edge: its false alarms, by place; at an end the web goes on and the "
        "picture does not. Where there is too little cloth for a rate, the recall is that without any false alarm.",
    )  # fmt: skip
    for name, figures in rows.items():
        at, intervals = figures["at_threshold"], figures["recall_per_m2_interval"]
        recalls = [_with_interval(figures["recall_per_m2"][r], intervals[r]) for r in rates]
        counts = [_count(v) for v in (at["found"], at["defects"], *at["false_alarms"].values())]
        rate = _with_interval(at["false_alarms_per_m2"], at["false_alarms_per_m2_interval"], digits=1)
        table.add_row(escape(name), *recalls, *counts, rate, f"{_mean(at['promised_per_m2']):g}")
    return table


def _mean(figure: float | dict[str, float]) -> float:
    return figure["mean"] if isinstance(figure, dict) else figure


def _count(figure: float | dict[str, float]) -> str:
    return f"{_mean(figure):.0f}"


def _with_interval(figure: float | dict[str, float], bounds: dict[str, Any], digits: int = 2) -> str:
    if math.isnan(_mean(figure)):
        return "–"
    low, high = (_mean(bounds[side]) for side in ("low", "high"))
    return f"{_mean(figure):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def methods_table(summary: dict[str, dict[str, Any]], seeds: int) -> Table:
    """Mean and spread of every method, a row each."""
    first = next(iter(summary.values()))
    rates = tuple(first.get("recall_per_strip", ()))
    pixel = {"p_auroc": "P-AUROC", "p_ap": "P-AP", "aupro": "AUPRO"}
    names = pixel if rates else {"i_auroc": "I-AUROC", "i_ap": "I-AP", **pixel}
    table = Table("method", *(f"{r}/strip" for r in rates), *names.values())
    recall = "Recall of defects at so many false alarms per strip; " if rates else ""
    table.caption = f"{recall}mean and spread of {seeds} seeds."
    for method, row in summary.items():
        values = [*(row["recall_per_strip"][r] for r in rates), *(row[n] for n in names)]
        table.add_row(method, *map(spelled, values))
    return table
