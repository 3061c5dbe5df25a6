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
