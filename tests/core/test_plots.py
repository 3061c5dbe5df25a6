"""Figures show the test data as the model sees them; what is on them is decided before anything is drawn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from shared import copy_strips

from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import ConfigError, CrasError, DataError
from cras_core.evaluation.plots import PlotOptions, write_plots
from cras_core.evaluation.plots.scored import Judged, TestSet, survey
from cras_core.evaluation.plots.vectors import collect, project
from cras_core.evaluation.webs import evaluate_web

FEW = PlotOptions("pca", rows=2, vectors=40)


@pytest.fixture(scope="module")
def strips(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strips with defects of each of two fabrics."""
    root = tmp_path_factory.mktemp("strips")
    for weave in ("plain", "twill"):
        copy_strips(loom_data, root, weave, 2)
    return root


@pytest.fixture(scope="module")
def drawn(inspector: CrasDetector, mvtec: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_plots(inspector, mvtec, tmp_path_factory.mktemp("out") / "figures", FEW)


def test_pictures_get_every_figure(drawn: list[Path]) -> None:
    sheets = [f"sheet-{fabric}-{kind}.png" for fabric in ("plain", "twill") for kind in ("best", "worst", "random")]
    assert [p.name for p in drawn] == ["patches.png", "pictures.png", "scores.png", *sheets]
    assert sorted(drawn[0].parent.iterdir()) == sorted(drawn)
    for path in drawn:
        with PillowImage.open(path) as picture:
            assert min(picture.size) > 300
            assert len(set(np.asarray(picture.convert("L")).ravel().tolist())) > 50, "something is drawn"


def test_the_same_seed_draws_the_same(drawn: list[Path], inspector: CrasDetector, mvtec: Path, tmp_path: Path) -> None:
    again = write_plots(inspector, mvtec, tmp_path, FEW)
    for a, b in zip(drawn, again, strict=True):
        with PillowImage.open(a) as first, PillowImage.open(b) as second:
            assert np.array_equal(np.asarray(first), np.asarray(second)), a.name


def test_strips_are_drawn_whole_and_in_a_cut_with_their_recall(
    inspector: CrasDetector, strips: Path, tmp_path: Path
) -> None:
    (tmp_path / "web.json").write_text(json.dumps(evaluate_web({"it": inspector}, strips)["it"]))
    options = PlotOptions("pca", rows=1, vectors=40, recall=(tmp_path / "web.json",))
    names = [p.name for p in write_plots(inspector, strips, tmp_path / "out", options)]
    assert "recall.png" in names
    assert "sheet-twill-worst.png" in names


def test_a_strips_scores_are_those_of_the_line_and_unknown_beside_the_cloth(
    inspector: CrasDetector, strips: Path
) -> None:
    tests = TestSet(inspector, strips, known=True)
    judged = tests.judge(tests.by_fabric["plain"][0])
    assert judged.score.shape == judged.mask.shape == judged.picture.shape[:2]
    assert np.isnan(judged.score).any()
    assert np.nanmax(judged.score) > 1.0
    assert np.nanmedian(judged.score) < 0.5


def test_the_margin_is_what_the_defect_has_over_everything_far_from_it() -> None:
    mask = np.zeros((200, 300), np.bool_)
    mask[50:60, 50:60] = True
    score = np.full(mask.shape, 0.1, np.float32)
    score[55, 70] = 1.5  # near enough to find the defect
    score[55, 84] = 9.0  # neither
    score[150, 250] = 0.4

    def margin(score: np.ndarray, mask: np.ndarray) -> float:
        return Judged(Path("a.png"), np.zeros(mask.shape, np.uint8), mask, score).margin

    assert margin(score, mask) == pytest.approx(1.1)
    assert np.isnan(margin(score, np.zeros_like(mask)))
    unseen = score.copy()
    unseen[:120, :120] = np.nan
    assert margin(unseen, mask) == -np.inf


def test_every_item_is_ranked_and_every_cell_counted_once(inspector: CrasDetector, mvtec: Path) -> None:
    tests = TestSet(inspector, mvtec, known=True)
    seen: list[Path] = []
    overview = survey(tests, "plain", 8, seen.append)
    assert len(overview.margins) == len(seen) == 6
    assert np.isnan(overview.margins[:3]).all()
    assert np.isfinite(overview.margins[3:]).all()
    assert 3 * 32 * 32 < len(overview.normal) + len(overview.defective) <= 6 * 32 * 32
    assert np.median(overview.defective) > np.median(overview.normal)


@pytest.mark.parametrize("kind", ["pictures", "strips"])
def test_patches_lie_where_the_masks_say(inspector: CrasDetector, mvtec: Path, strips: Path, kind: str) -> None:
    tests = TestSet(inspector, mvtec if kind == "pictures" else strips, known=True)
    found = collect(inspector, tests, "plain", 50, np.random.default_rng(0), lambda _: None)
    dimension = inspector.model.extractor.dimension
    assert found.raw.shape == found.residual.shape == (len(found.anomalous), dimension)
    assert (~found.anomalous).sum() == 50
    assert 0 < found.anomalous.sum() <= 50
    length = np.linalg.norm(found.residual, axis=1)
    assert np.median(length[found.anomalous]) > 1.5 * np.median(length[~found.anomalous])
    assert found.pictures.shape == (len(found.spoilt), dimension)
    assert set(found.spoilt.tolist()) == {True, False} if kind == "pictures" else found.spoilt.any()


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_points_on_paper_keep_groups_apart(projection: str) -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(0, 1, (40, 60)), rng.normal(12, 1, (40, 60))]).astype(np.float32)
    places = project(vectors, projection, 0)
    assert places.shape == (80, 2)
    assert np.array_equal(places, project(vectors, projection, 0))
    a, b = places[:40], places[40:]
    apart = np.linalg.norm(a.mean(axis=0) - b.mean(axis=0))
    assert apart > 2 * max(a.std(axis=0).max(), b.std(axis=0).max())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_very_few_points_find_a_place(count: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 7)).astype(np.float32)
    assert np.isfinite(project(vectors, "tsne", 0)).all()


@pytest.mark.parametrize(
    "content",
    [None, "no json", "[]", "{}", '{"fabrics": {"a": {}}, "all": {}}'],
    ids=["gone", "text", "list", "empty", "half"],
)
def test_a_report_that_is_none_is_named(
    inspector: CrasDetector, mvtec: Path, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"report\.json"):
        write_plots(inspector, mvtec, tmp_path / "out", PlotOptions(recall=(path,)))
    assert not (tmp_path / "out").exists()


def test_mistakes_are_named(inspector: CrasDetector, mvtec: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no projection 'umap'; known are tsne, pca"):
        PlotOptions("umap")
    with pytest.raises(DataError, match="expected <fabric>/test/good"):
        write_plots(inspector, tmp_path, tmp_path / "out", FEW)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CrasError, match="cannot be written"):
        write_plots(inspector, mvtec, tmp_path / "file", FEW)


def test_without_matplotlib_the_command_says_how_to_get_it(bundle_path: Path, mvtec: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['matplotlib'] = None\nfrom cras_core.__main__ import main\n"
        f"sys.argv = ['cras', 'figures', {str(bundle_path)!r}, {str(mvtec)!r}, '--out', {str(tmp_path)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "pip install matplotlib" in done.stderr
    assert "Traceback" not in done.stderr
