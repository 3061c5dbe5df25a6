"""The ablations of the paper as changes of settings, measured on one's own data beside the paper's figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cras_core.config.reading import with_settings
from cras_core.config.settings import HUB, PACKAGED_LITE0, CrasConfig
from cras_core.data.datasets import DataSet
from cras_core.data.values import NormalImages
from cras_core.detectors.kinds import KINDS, kind_of
from cras_core.errors import ConfigError, DataError, WeightsError
from cras_core.evaluation.images import evaluate
from cras_core.evaluation.webs import evaluate_web
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import pick_device
from cras_core.messages import Sentence
from cras_core.training.preparation import Prepared, Run, prepare
from cras_core.training.progress import OnProgress
from cras_core.training.train import fit
from cras_core.web.tiling import ceil_to


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of a table.

    Attributes:
        name: as in the paper.
        settings: what differs from the preset, by dotted name, as JSON.
        published: I-AUROC and P-AUROC on MVTec AD in percent, where the paper gives them; the bars of figure 8 carry no
            numbers, so what is here of it comes from the text.
        factor: numbers of the preset that are multiplied, by dotted name.
    """

    name: str
    settings: Mapping[str, str]
    published: tuple[float, float | None] | None = None
    factor: Mapping[str, float] = field(default_factory=dict)


_WHITE = {"synthesis.beta": "0", "synthesis.share": "1", "synthesis.drawn": "0"}
_RAW = {"heads.features": '"raw"'}
_OURS = (98.3, 98.0)


def _backbone(name: str, weights: str) -> dict[str, str]:
    """Settings of a backbone; ``caffe_strides`` belongs to the preset's own weights."""
    values = {"backbone.name": name, "backbone.weights": weights, "backbone.caffe_strides": False}
    return {setting: json.dumps(value) for setting, value in values.items()}


def _network(name: str, published: tuple[float, float] | None = None) -> Variant:
    """A backbone with the weights of timm's hub."""
    return Variant(name.partition(".")[0], _backbone(name, HUB), published)


def _centroids(name: str, settings: Mapping[str, str], published: tuple[float, float | None] | None = None) -> Variant:
    """A variant of AnomNet, whatever detector the preset names."""
    return Variant(name, {"heads.detector": '"anomnet"', **settings}, published)


def _losses(separation: bool, entropy: bool, contrast: bool) -> dict[str, str]:
    """Settings that switch off what a row of AnomNet's table 1 lacks; the attraction is always there."""
    used = {"separation": separation, "entropy": entropy, "contrast": contrast}
    return {f"anomnet.{name}": "0" for name, is_used in used.items() if not is_used}


_SINGLE = {"anomnet.stages": '"one"'}

TABLES: dict[str, tuple[Variant, ...]] = {
    "components": (  # table V
        Variant("A: none (SimpleNet)", _WHITE | _RAW, (94.9, 96.8)),
        Variant("B: without MCMC, one sample as centre", {"centers.kind": '"one_sample"'}, (97.6, 97.5)),
        Variant("C: without HPI", {"centers.local": "false"}, (97.8, 97.8)),
        Variant("D: without DAFS", {"synthesis.beta": "0"}, (97.6, 97.6)),
        Variant("E: without CRD", _RAW, (95.8, 96.9)),
        Variant("without the adapter", {"heads.adapter": "false"}, (95.7, None)),  # section IV-C1: 2.6 less
        Variant("CRAS", {}, _OURS),
    ),
    "ratio": (  # table VI, left; "without scaling" leaves the ratio as it is, which is beta 1
        Variant("beta = 0", {"synthesis.beta": "0"}, (97.6, 97.6)),
        Variant("without scaling", {"synthesis.beta": "1"}, (97.9, 97.6)),
        Variant("1/g, 1/r", {"synthesis.ratio": '"1/gr"'}, (98.0, 97.8)),
        Variant("1/r", {"synthesis.ratio": '"1/r"'}, (98.2, 97.9)),
        Variant("g, 1/r", {}, _OURS),
    ),
    "features": (  # table VI, right
        Variant("raw", _RAW, (95.8, 96.9)),
        Variant("residual", {"heads.features": '"residual"'}, (97.7, 97.5)),
        Variant("raw+raw", {"heads.features": '"raw+raw"'}, (96.9, 96.7)),
        Variant("residual+residual", {"heads.features": '"residual+residual"'}, (98.1, 97.8)),
        Variant("raw+residual", {}, _OURS),
    ),
    "backbone": (  # figure 8(a)
        _network("resnet18.tv_in1k"),
        _network("resnet34.tv_in1k"),
        _network("resnet50.tv_in1k"),
        _network("resnet101.tv_in1k"),
        _network("wide_resnet50_2.tv_in1k", _OURS),
        _network("wide_resnet101_2.tv_in1k"),
        Variant("embedded Lite0", _backbone("tf_efficientnet_lite0", PACKAGED_LITE0)),
    ),
    "neighbourhood": tuple(  # figure 8(b)
        Variant(f"p = {p}", {"patches.neighbourhood": str(p)}, _OURS if p == 3 else None) for p in (1, 3, 5, 7)
    ),
    "levels": tuple(  # figure 8(c)
        Variant(f"levels {v}", {"backbone.levels": v}, _OURS if v == "[2, 3]" else None)
        for v in ("[1]", "[2]", "[3]", "[1, 2]", "[2, 3]", "[1, 2, 3]")
    ),
    "sigma": tuple(  # figure 8(d); 0.005 to 0.03 with the paper's preset
        Variant(f"sigma x {x:.3g}", {}, _OURS if x == 1.0 else None, {"synthesis.sigma": x})
        for x in (1 / 3, 2 / 3, 1.0, 4 / 3, 2.0)
    ),
    "beta": tuple(  # figure 8(e) and section IV-D5
        Variant(f"beta = {b}", {"synthesis.beta": b}, {"0": (97.6, 97.6), "0.3": _OURS, "0.5": (98.4, 97.8)}.get(b))
        for b in ("0", "0.1", "0.3", "0.5", "0.7", "1")
    ),
    "prototypes": tuple(Variant(f"K = {k}", {"centers.prototypes": k}) for k in ("1", "16", "64", "256")),
    "drawn": tuple(Variant(f"drawn = {d}", {"synthesis.drawn": d}) for d in ("0", "0.25", "0.5", "0.75", "1")),
    "anomnet-stages": (  # AnomNet's table 1; P-AUROC is given for the whole model alone
        _centroids("a: one stage", _SINGLE | _losses(True, True, False), (97.7, None)),
        _centroids("b: one stage, contrast", _SINGLE | _losses(True, True, True), (98.1, None)),
        _centroids("c: two stages, attraction alone", _losses(False, False, False), (96.5, None)),
        _centroids("d: two stages, entropy", _losses(False, True, False), (98.1, None)),
        _centroids("e: two stages, separation", _losses(True, False, False), (98.8, None)),
        _centroids("f: two stages, separation and entropy", _losses(True, True, False), (99.3, None)),
        _centroids("g: AnomNet", {}, (99.5, 98.3)),
    ),
    "anomnet-contrast": tuple(  # AnomNet's figure 2, whose curve carries no numbers
        _centroids(f"contrast = {w}", {"anomnet.contrast": w}, (99.5, 98.3) if w == "0.8" else None)
        for w in ("0", "0.2", "0.5", "0.8", "1", "2")
    ),
    "anomnet-centroids": (
        *(_centroids(f"K = {k} per fabric", {"anomnet.centroids": k}) for k in ("1", "4", "16", "64", "256")),
        *(
            _centroids(f"K = {k} for all fabrics", {"anomnet.centroids": k, "anomnet.sharing": '"shared"'})
            for k in ("64", "256")
        ),
    ),
    "anomnet-adapter": (
        _centroids("without the adapter", {"heads.adapter": "false"}),
        _centroids("without coordinates", {"anomnet.coordinates": "false"}),
        _centroids("with coordinates", {"anomnet.coordinates": "true"}),
    ),
}


_OF_ONE_KIND = dict.fromkeys(("components", "ratio", "features", "sigma", "beta", "prototypes", "drawn"), "cras")
"""Tables that vary parts which one kind of detector alone has; those of AnomNet name their detector themselves."""


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
        A row per variant: ``name``, ``settings`` (all that differ from the preset), ``published``, and ``figures`` (of
        ``evaluate``'s mean, or of ``evaluate_web``'s all; None where the variant cannot be had here, on such data or
        without its weights, with the reason in ``impossible``), and ``remarks`` on what became of the model.

    Raises:
        ConfigError: there is no such table, or the detector of the preset has no part in it.
        CrasError: the data or the settings cannot be used.
    """
    if table not in TABLES:
        raise ConfigError(
            "ablation-unknown",
            "there is no ablation {ablation!r}; known are {known}",
            ablation=table,
            known=list(TABLES),
        )
    needed = KINDS[_OF_ONE_KIND.get(table, config.heads.detector)]
    if kind_of(config) is not needed:
        raise ConfigError(
            "ablation-of-other-detector",
            "the ablation {ablation!r} varies parts that {title} alone has; leave heads.detector={detector}",
            ablation=table,
            title=needed.title,
            detector=needed.name,
        )
    rows = []
    known: tuple[Any, Prepared] | None = None
    for variant in TABLES[table]:
        on_variant(variant.name)
        changes = changes_of(variant, config)
        mine = with_settings(config, changes)
        run = Run(list(data), mine, pick_device(device), on_progress, lambda: False)
        drawn = mine.synthesis.drawn > 0 and kind_of(mine).training.learns_from_synthetic
        features = (mine.backbone, mine.patches, mine.preprocess, mine.tiling, drawn)
        row: dict[str, Any] = {"name": variant.name, "settings": changes, "published": variant.published, "remarks": []}
        try:
            if known is None or known[0] != features:
                known = features, prepare(run, FeatureExtractor(load_backbone(mine.backbone), mine))
            row["figures"], row["remarks"] = _measure(known[1], mine, run, root)
        except (DataError, WeightsError) as error:  # pictures of one size wanted, on strips; weights out of reach
            row["figures"], row["impossible"] = None, str(error)
        rows.append(row)
    if all(row["figures"] is None for row in rows):
        raise DataError("ablation-impossible", "{reason}", reason=Sentence(rows[0]["impossible"]))
    return rows


def changes_of(variant: Variant, config: CrasConfig) -> dict[str, str]:
    """What a variant changes in a preset, by dotted name, as JSON: what it says, and what follows from that.

    - Without residual features the score must not hold the residual either.
    - Where the finest level gives the grid, the cells of the tiles are as large as its stride.
    """
    changes = dict(variant.settings)
    for name, factor in variant.factor.items():
        section, _, setting = name.partition(".")
        changes[name] = json.dumps(float(f"{factor * getattr(getattr(config, section), setting):.6g}"))
    mine = with_settings(config, changes)
    if "residual" not in mine.heads.features and mine.score.kind in ("both", "residual"):
        changes["score.kind"] = '"logit"'
    if mine.patches.cell_px is None and mine.backbone.levels != config.backbone.levels:
        cell_px = round(2 ** (min(mine.backbone.levels) + 1) / mine.backbone.input_scale)
        changes["tiling.cell_px"], changes["tiling.halo_px"] = str(cell_px), str(ceil_to(mine.tiling.halo_px, cell_px))
    return changes


def _measure(
    prepared: Prepared, config: CrasConfig, run: Run, root: DataSet | Path
) -> tuple[dict[str, Any], list[str]]:
    """The figures of a variant, and what is wrong with what it has learnt."""
    detector, _ = fit(prepared, config, run)
    if run.data[0].are_strips:
        detector.set_calibrations(run.measure_thresholds(detector, prepared))
        found: dict[str, Any] = evaluate_web({"it": detector}, root)["it"]["all"]
    else:
        found = evaluate(detector, root)["mean"]
    return found, list(detector.health(prepared.seen).problems)
