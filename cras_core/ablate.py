"""The ablations of the paper as changes of settings, measured on one's own data beside the paper's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cras_core.backbone import load_backbone
from cras_core.config import CrasConfig, with_settings
from cras_core.cras import FeatureExtractor
from cras_core.data import NormalImages
from cras_core.datasets import DataSet
from cras_core.detector import pick_device
from cras_core.errors import ConfigError, DataError
from cras_core.evaluate import evaluate
from cras_core.evaluate_web import evaluate_web
from cras_core.train import OnProgress, Prepared, Run, fit, prepare


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a table.

    Attributes:
        name: as in the paper.
        settings: what differs from the preset, by dotted name, as JSON.
        published: I-AUROC and P-AUROC on MVTec AD in percent, where the paper gives them.
    """

    name: str
    settings: Mapping[str, str]
    published: tuple[float, float] | None = None


_WHITE = {"synthesis.beta": "0", "synthesis.share": "1", "synthesis.drawn": "0"}
_RAW = {"heads.features": '"raw"', "score.kind": '"logit"'}

TABLES: dict[str, tuple[Variant, ...]] = {
    "components": (  # table V
        Variant("A: none (SimpleNet)", _WHITE | _RAW, (94.9, 96.8)),
        Variant("B: without MCMC, one sample as centre", {"centers.kind": '"one_sample"'}, (97.6, 97.5)),
        Variant("C: without HPI", {"centers.local": "false"}, (97.8, 97.8)),
        Variant("D: without DAFS", {"synthesis.beta": "0"}, (97.6, 97.6)),
        Variant("E: without CRD", _RAW, (95.8, 96.9)),
        Variant("without the adapter", {"heads.adapter": "false"}),
        Variant("CRAS", {}, (98.3, 98.0)),
    ),
    "ratio": (  # table VI, left; "without scaling" leaves the ratio as it is, which is beta 1
        Variant("beta = 0", {"synthesis.beta": "0"}, (97.6, 97.6)),
        Variant("without scaling", {"synthesis.beta": "1"}, (97.9, 97.6)),
        Variant("1/g, 1/r", {"synthesis.ratio": '"1/gr"'}, (98.0, 97.8)),
        Variant("1/r", {"synthesis.ratio": '"1/r"'}, (98.2, 97.9)),
        Variant("g, 1/r", {}, (98.3, 98.0)),
    ),
    "features": (  # table VI, right
        Variant("raw", _RAW, (95.8, 96.9)),
        Variant("residual", {"heads.features": '"residual"'}, (97.7, 97.5)),
        Variant("raw+raw", {"heads.features": '"raw+raw"'}, (96.9, 96.7)),
        Variant("residual+residual", {"heads.features": '"residual+residual"'}, (98.1, 97.8)),
        Variant("raw+residual", {}, (98.3, 98.0)),
    ),
    "neighbourhood": tuple(Variant(f"p = {p}", {"patches.neighbourhood": str(p)}) for p in (1, 3, 5, 7)),  # figure 8(b)
    "levels": tuple(Variant(f"levels {v}", {"backbone.levels": v}) for v in ("[2]", "[3]", "[1, 2]", "[2, 3]")),  # 8(c)
    # figure 8(e)
    "beta": tuple(Variant(f"beta = {b}", {"synthesis.beta": b}) for b in ("0", "0.1", "0.3", "0.5", "0.7", "1")),
    "prototypes": tuple(Variant(f"K = {k}", {"centers.prototypes": k}) for k in ("1", "16", "64", "256")),
    "drawn": tuple(Variant(f"drawn = {d}", {"synthesis.drawn": d}) for d in ("0", "0.25", "0.5", "0.75", "1")),
}


def ablate(
    table: str,
    data: Sequence[NormalImages],
    root: DataSet | Path,
    config: CrasConfig,
    device: str = "auto",
    on_progress: OnProgress = lambda _: None,
    on_variant: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Trains and judges every variant of a table.

    Args:
        table: one of ``TABLES``.
        data: normal pictures.
        root: what to judge on: pictures with masks in MVTec layout where ``data`` are pictures, strips with masks where
            they are strips.
        config: the preset that the variants change.
        device: for torch.
        on_progress: told how far training is.
        on_variant: told the name of each variant before it begins.

    Returns:
        A row per variant: ``name``, ``settings``, ``published``, and ``figures`` (of ``evaluate``'s mean, or of
        ``evaluate_web``'s all; None where the variant cannot be had on such data, with the reason in ``impossible``).

    Raises:
        ConfigError: there is no such table.
        CrasError: the data or the settings cannot be used.
    """
    if table not in TABLES:
        raise ConfigError(f"there is no ablation {table!r}; known are {', '.join(TABLES)}")
    rows = []
    known: tuple[Any, Prepared] | None = None
    for variant in TABLES[table]:
        on_variant(variant.name)
        mine = with_settings(config, variant.settings)
        run = Run(list(data), mine, pick_device(device), on_progress, lambda: False)
        features = (mine.backbone, mine.patches, mine.preprocess, mine.tiling, mine.synthesis.drawn > 0)
        if known is None or known[0] != features:
            known = features, prepare(run, FeatureExtractor(load_backbone(mine.backbone), mine))
        row: dict[str, Any] = {
            "name": variant.name,
            "settings": dict(variant.settings),
            "published": variant.published,
        }
        try:
            row["figures"] = _measure(known[1], mine, run, root)
        except DataError as error:  # a variant that needs pictures of one size, on strips
            row["figures"], row["impossible"] = None, str(error)
        rows.append(row)
    if all(row["figures"] is None for row in rows):
        raise DataError(rows[0]["impossible"])
    return rows


def _measure(prepared: Prepared, config: CrasConfig, run: Run, root: DataSet | Path) -> dict[str, Any]:
    inspector, _ = fit(prepared, config, run)
    if run.data[0].are_strips:
        inspector.calibrate(run.measure_limits(inspector, prepared))
        found: dict[str, Any] = evaluate_web({"it": inspector}, root)["it"]["all"]
    else:
        found = evaluate(inspector, root)["mean"]
    return found
