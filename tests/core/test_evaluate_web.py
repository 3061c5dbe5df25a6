"""Judging detectors on strips with masks, beside each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shared import copy_strips

from cras_core.config.presets import PRESETS, cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.detectors.patchcore import PatchCore, coreset
from cras_core.errors import ConfigError, DataError
from cras_core.evaluation.web_figures import RATES_PER_M2, RATES_PER_STRIP
from cras_core.evaluation.webs import evaluate_web
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.images import read_image
from cras_core.studies.ablations import TABLES, Variant, ablate, changes_of
from cras_core.studies.methods import compare, variant_a

QUICK = {
    "backbone.input_scale": "1.0",
    "train.epochs": "2",
    "train.patches_per_epoch": "4000",
    "synthesis.drawn_tiles": "2",
    "centers.prototypes": "8",
    "centers.refreshes": "0",
}


@pytest.fixture(scope="module")
def two_strips(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two defective strips of plain cloth, with normal cloth beside them."""
    root = tmp_path_factory.mktemp("strips")
    copy_strips(loom_data, root, "plain", 2)
    (root / "plain" / "normal").mkdir()
    for path in sorted((loom_data / "plain" / "normal").iterdir())[:2]:
        Image.fromarray(read_image(path)[:256]).save(root / "plain" / "normal" / path.name)
    return root


def test_a_report_has_every_figure_and_is_plain_json(inspector: CrasDetector, two_strips: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = evaluate_web(
        {"a": inspector, "b": inspector},
        two_strips,
        lambda path, done, total: told.append((path.name, done, total)),
    )
    assert report["a"] == report["b"]
    assert [t[1:] for t in told] == [(1, 2), (2, 2)]
    figures = report["a"]["fabrics"]["plain"]
    assert figures["strips"] == 2
    assert figures["defects"] >= 2
    assert set(figures["recall_per_strip"]) == {str(r) for r in RATES_PER_STRIP}
    assert set(figures["recall_per_m2"]) == {str(r) for r in RATES_PER_M2}
    recalls = list(figures["recall_per_strip"].values())
    assert recalls == sorted(recalls)
    assert 0.5 < figures["p_auroc"] <= 1
    assert report["a"]["all"]["recall_per_strip"] == figures["recall_per_strip"]
    assert json.dumps(report, allow_nan=False)


def test_cloth_that_is_not_given_is_matched(inspector: CrasDetector, two_strips: Path) -> None:
    assert evaluate_web({"a": inspector}, two_strips, known=False)["a"]["all"]["matched"] == 1.0


def test_strips_without_masks_are_named(inspector: CrasDetector, two_strips: Path, tmp_path: Path) -> None:
    (tmp_path / "plain" / "defect").mkdir(parents=True)
    (tmp_path / "plain" / "mask").mkdir()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "plain" / "defect" / "one.png")
    with pytest.raises(DataError, match=r"one\.png: no mask for it"):
        evaluate_web({"a": inspector}, tmp_path)
    with pytest.raises(DataError, match="holds no strips to evaluate on: expected"):
        evaluate_web({"a": inspector}, tmp_path / "plain" / "mask")


def test_a_mask_of_another_size_is_named(inspector: CrasDetector, two_strips: Path, tmp_path: Path) -> None:
    for kind in ("defect", "mask"):
        (tmp_path / "plain" / kind).mkdir(parents=True)
    picture = sorted((two_strips / "plain" / "defect").iterdir())[0]
    Image.fromarray(read_image(picture)).save(tmp_path / "plain" / "defect" / "one.png")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "plain" / "mask" / "one.png")
    with pytest.raises(DataError, match=r"one\.png is 64 x 64 px, its picture"):
        evaluate_web({"a": inspector}, tmp_path)


# The bank


def test_a_coreset_reaches_every_cluster() -> None:
    generator = torch.Generator().manual_seed(0)
    medians = 100 * torch.randn(12, 40, generator=generator)
    cluster = torch.randint(12, (500,), generator=generator)
    vectors = medians[cluster] + torch.randn(500, 40, generator=generator)
    assert set(cluster[coreset(vectors, 12, seed=1)].tolist()) == set(range(12))


def test_a_coreset_repeats_nothing_and_follows_its_seed() -> None:
    vectors = torch.randn(80, 5, generator=torch.Generator().manual_seed(0))
    chosen = coreset(vectors, 30, seed=3)
    assert len(set(chosen.tolist())) == 30
    assert torch.equal(chosen, coreset(vectors, 30, seed=3))
    assert len(coreset(vectors, 200, seed=3)) == 80


def test_a_bank_scores_by_the_distance_to_the_nearest_vector() -> None:
    config = with_settings(cloth(), {"backbone.input_scale": "1.0"})
    extractor = FeatureExtractor(load_backbone(config.backbone), config)
    tiles = np.random.default_rng(0).integers(0, 256, (3, 64, 96), dtype=np.uint8)
    vectors = [torch.randn(7, extractor.dimension, generator=torch.Generator().manual_seed(k)) for k in range(2)]
    means = torch.stack([v.mean(dim=0) for v in vectors])
    with torch.inference_mode():
        from cras_core.features.tensors import to_images

        t = extractor(to_images(tiles, torch.device("cpu")))
    for banks in ([torch.cat(vectors)], vectors):
        detector = PatchCore(extractor, banks, means, means, ("a", "b"), config, torch.device("cpu"))
        found = detector.score_tiles(tiles, 1)
        bank = banks[-1]
        wanted = (t.unsqueeze(3) - bank).norm(dim=-1).amin(dim=-1)
        np.testing.assert_allclose(found.raw, wanted.numpy(), rtol=1e-3)
        alone = detector.score_tiles(tiles[1:2], 1)
        np.testing.assert_allclose(alone.raw[0], found.raw[1], rtol=1e-5)


# Side by side


def test_baselines_stand_beside_cras_with_mean_and_spread(two_strips: Path) -> None:
    config = with_settings(cloth(), QUICK)
    report = compare(find_normal_images(two_strips), two_strips, config, (0, 1), "cpu")
    assert set(report["summary"]) == {
        "CRAS",
        "AnomNet",
        "PatchCore 1 %",
        "PatchCore 10 %",
        "PatchCore 10 % per fabric",
        "raw features (variant A)",
    }
    for name, figures in report["summary"].items():
        per_seed = [report["seeds"][s][name]["all"]["p_auroc"] for s in ("0", "1")]
        assert figures["p_auroc"]["mean"] == pytest.approx(sum(per_seed) / 2)
        assert figures["p_auroc"]["spread"] == pytest.approx(abs(per_seed[0] - per_seed[1]) / math.sqrt(2))
        assert figures["p_auroc"]["mean"] > 0.6
    assert json.dumps(report, allow_nan=False)


def test_baselines_are_judged_on_pictures_too(mvtec: Path) -> None:
    config = with_settings(cloth(), QUICK)
    report = compare(find_normal_images(mvtec), mvtec, config, (0, 1), "cpu")
    assert list(report["seeds"]) == ["0", "1"]
    for name, figures in report["summary"].items():
        per_seed = [report["seeds"][s][name]["mean"]["i_auroc"] for s in ("0", "1")]
        assert figures["i_auroc"]["mean"] == pytest.approx(sum(per_seed) / 2)
        assert figures["p_auroc"]["mean"] > 0.6


def test_variant_a_sees_no_centers() -> None:
    config = variant_a(cloth())
    assert (config.heads.features, config.synthesis.beta, config.synthesis.drawn) == ("raw", 0.0, 0.0)


# Ablations


def test_every_variant_of_a_table_is_measured_beside_the_paper(two_strips: Path) -> None:
    told: list[str] = []
    rows = ablate(
        "components",
        find_normal_images(two_strips),
        two_strips,
        with_settings(cloth(), QUICK),
        "cpu",
        on_variant=told.append,
    )
    assert [r["name"] for r in rows] == told
    assert rows[-1]["published"] == (98.3, 98.0)
    impossible = [r["name"][0] for r in rows if r["figures"] is None]
    assert impossible == ["B"], "one sample has no place on a web without fixed positions"
    measured = [r["figures"]["p_auroc"] for r in rows if r["figures"] is not None]
    assert len(set(measured)) == len(measured), "each variant really differs"
    assert min(measured) > 0.5


def test_pictures_are_judged_as_pictures(mvtec: Path) -> None:
    config = with_settings(cloth(), QUICK | {"synthesis.drawn": "0"})
    rows = ablate("features", find_normal_images(mvtec), mvtec, config, "cpu")
    assert len(rows) == 5
    assert all(0 <= r["figures"]["i_auroc"] <= 1 for r in rows)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_variant_is_made_of_settings_that_exist_and_differs(table: str, preset: str) -> None:
    config = PRESETS[preset]()
    made = [with_settings(config, changes_of(v, config)) for v in TABLES[table]]
    assert len({str(m) for m in made}) == len(made)


def test_the_papers_own_setting_stands_beside_its_figure_in_every_table() -> None:
    config = PRESETS["paper"]()
    for name in {t for t in TABLES if not t.startswith("anomnet")} - {"prototypes", "drawn"}:
        ours = [v for v in TABLES[name] if with_settings(config, changes_of(v, config)) == config]
        assert [v.published for v in ours] == [(98.3, 98.0)], name


def test_without_residual_features_the_score_has_no_residual_either() -> None:
    by_name = {v.name: v for v in TABLES["features"]}
    kinds = {name: changes_of(v, cloth()).get("score.kind") for name, v in by_name.items()}
    assert kinds == {
        "raw": '"logit"', "residual": None, "raw+raw": '"logit"', "residual+residual": None, "raw+residual": None,
    }  # fmt: skip
    assert "score.kind" not in changes_of(by_name["raw"], PRESETS["paper"]()), "the paper's probability stays"


def test_the_noise_of_the_paper_goes_from_a_third_to_twice() -> None:
    config = PRESETS["paper"]()
    found = [with_settings(config, changes_of(v, config)).synthesis.sigma for v in TABLES["sigma"]]
    assert found == [0.005, 0.01, 0.015, 0.02, 0.03]


def test_other_levels_bring_the_cells_of_their_own_grid() -> None:
    config = PRESETS["paper"]()
    cells = {v.name: with_settings(config, changes_of(v, config)).tiling.cell_px for v in TABLES["levels"]}
    assert cells == {
        "levels [1]": 4, "levels [2]": 8, "levels [3]": 16, "levels [1, 2]": 4, "levels [2, 3]": 8,
        "levels [1, 2, 3]": 4,
    }  # fmt: skip


def test_weights_out_of_reach_are_a_row_without_figures(mvtec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Variant("gone", {"backbone.weights": '"gone.pth"'})
    here = Variant("here", {"synthesis.drawn": "0"})
    monkeypatch.setitem(TABLES, "backbone", (gone, here))
    rows = ablate("backbone", find_normal_images(mvtec), mvtec, with_settings(cloth(), QUICK), "cpu")
    assert [r["figures"] is None for r in rows] == [True, False]
    assert "There is no file of weights at gone.pth" in rows[0]["impossible"]
    monkeypatch.setitem(TABLES, "backbone", (gone,))
    with pytest.raises(DataError, match="no file of weights"):
        ablate("backbone", find_normal_images(mvtec), mvtec, with_settings(cloth(), QUICK), "cpu")


def test_an_unknown_table_is_refused(two_strips: Path) -> None:
    with pytest.raises(ConfigError, match="no ablation 'moon'; known are components"):
        ablate("moon", find_normal_images(two_strips), two_strips, cloth())
