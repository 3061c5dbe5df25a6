"""Figures over several seeds: mean and spread, and whether the seed is all that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cras_core.config.settings import CrasConfig
from cras_core.evaluation.report_header import flat


def mean_and_deviation(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``mean`` and ``spread`` (standard deviation) of every figure over the seeds; NaN where one of them is.

    Args:
        figures: of each seed, by name, nested or not; all have the same names.
    """

    def over_seeds(values: list[Any]) -> Any:
        if isinstance(values[0], dict):
            return {key: over_seeds([v[key] for v in values]) for key in values[0]}
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return {"mean": float(np.mean(values)), "spread": spread}

    summary: dict[str, Any] = over_seeds([dict(f) for f in figures])
    return summary


def over_bundles(
    reports: Mapping[str, Mapping[str, Any]], configs: Sequence[CrasConfig], parts: Sequence[str]
) -> dict[str, Any]:
    """Reports about several bundles as one: ``bundles``, ``summary`` of the parts, ``remarks``.

    Args:
        reports: by the name of the bundle; all about the same data.
        configs: settings of the bundles.
        parts: of a report, those that hold figures.
    """
    remarks = list(dict.fromkeys(r for report in reports.values() for r in report["remarks"]))
    settings = [flat(config) for config in configs]
    differing = [name for name in settings[0] if any(s[name] != settings[0][name] for s in settings)]
    if differing:
        remarks.append(f"the bundles differ in more than their seed, so the spread is not that of seeds: {differing}")
    seeds = [config.train.seed for config in configs]
    if len(set(seeds)) < len(seeds):
        remarks.append(f"bundles have the same seed, so the spread is too small: {seeds}")
    summary = {part: mean_and_deviation([report[part] for report in reports.values()]) for part in parts}
    return {"seeds": seeds, "summary": summary, "remarks": remarks, "bundles": dict(reports)}
