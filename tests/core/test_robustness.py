"""Figures under disturbances stand beside the undisturbed ones; the authors' vote is an evaluation of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from shared import copy_strips

from cras_core.data.folders import find_test_images
from cras_core.detectors.base import Prediction
from cras_core.detectors.batch_vote import predict_by_vote
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import ConfigError, DataError
from cras_core.evaluation.disturbances import DISTURBANCES
from cras_core.evaluation.images import evaluate
from cras_core.evaluation.robustness import robustness
from cras_core.evaluation.webs import evaluate_web
from cras_core.images import read_image

NAMES = [d.name for d in DISTURBANCES]


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def plain(mvtec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of one of the fabrics."""
    root = tmp_path_factory.mktemp("plain")
    (root / "plain").symlink_to(mvtec / "plain")
    return root


@pytest.fixture(scope="module")
def report(inspector: CrasDetector, plain: Path, told: list[tuple[str, int, int]]) -> dict:
    return robustness(inspector, plain, 3, lambda name, path, done, total: told.append((name, done, total)))


def test_every_disturbance_stands_beside_the_undisturbed_figures(
    report: dict, inspector: CrasDetector, plain: Path, told: list[tuple[str, int, int]]
) -> None:
    assert json.loads(json.dumps(report, allow_nan=False))["figures"].keys() == report["figures"].keys()
    assert list(report["figures"]) == ["undisturbed", *NAMES]
    undisturbed = evaluate(inspector, plain)["mean"]
    assert report["figures"]["undisturbed"] == undisturbed
    assert told == [(name, i + 1, 6) for name in report["figures"] for i in range(6)]
    for name in NAMES:
        assert report["figures"][name] != undisturbed, name
        for figure, value in report["change"][name].items():
            assert value == pytest.approx(report["figures"][name][figure] - undisturbed[figure])
    mean = np.mean([report["change"][name]["p_auroc"] for name in NAMES])
    assert report["change"]["mean"]["p_auroc"] == pytest.approx(mean)


def test_the_report_names_the_seed_and_the_strengths_and_the_paper(report: dict, inspector: CrasDetector) -> None:
    protocol = report["protocol"]
    assert (protocol["disturbance_seed"], protocol["noise_std"], protocol["jitter"], protocol["turn_deg"]) == (
        3, 0.01, 0.1, 5.0,
    )  # fmt: skip
    assert protocol["weights_hash"] == inspector.weights_hash
    assert report["published"] == {
        "adversarial noise": (-1.9, -0.5),
        "illumination variation": (-6.7, -1.8),
        "equipment vibration": (-6.0, -1.2),
        "mean": (-4.9, -1.2),
    }


def test_the_same_seed_gives_the_same_figures(report: dict, inspector: CrasDetector, plain: Path) -> None:
    assert robustness(inspector, plain, 3) == report
    assert robustness(inspector, plain, 4)["figures"]["adversarial noise"] != report["figures"]["adversarial noise"]


def test_strips_are_judged_as_a_web_and_not_turned(inspector: CrasDetector, loom_data: Path, tmp_path: Path) -> None:
    copy_strips(loom_data, tmp_path, "plain", 1)
    report = robustness(inspector, tmp_path)
    assert report["figures"]["undisturbed"] == evaluate_web({"it": inspector}, tmp_path)["it"]["all"]
    assert report["figures"]["equipment vibration"] is None
    assert "equipment vibration" not in report["change"]
    assert report["figures"]["illumination variation"] != report["figures"]["undisturbed"]
    recall = report["change"]["adversarial noise"]["recall_per_strip"]["1.0"]
    assert -1 <= recall <= 1


def test_a_folder_with_nothing_to_judge_by_says_what_was_expected(inspector: CrasDetector, tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError, match="expected <fabric>"):
            robustness(inspector, root)


# The authors' vote


def test_the_report_names_the_vote_and_the_default_has_none(inspector: CrasDetector, mvtec: Path) -> None:
    voted = evaluate(inspector, mvtec, matching="authors-batch-vote")
    alone = evaluate(inspector, mvtec)
    assert voted["protocol"]["matching"] == "authors-batch-vote"
    assert alone["protocol"]["matching"] == "per-picture"
    assert voted["fabrics"] == alone["fabrics"], "every picture of these matches its own fabric"


def test_an_unknown_protocol_is_refused(inspector: CrasDetector, mvtec: Path) -> None:
    with pytest.raises(ConfigError, match="no protocol 'best'; known are per-picture, authors-batch-vote"):
        evaluate(inspector, mvtec, matching="best")  # type: ignore[arg-type]


def test_the_few_follow_the_many(inspector: CrasDetector, mvtec: Path) -> None:
    pictures: Callable[[str], list[np.ndarray]] = lambda fabric: [  # noqa: E731
        read_image(image.path) for image in find_test_images(mvtec)[fabric] if image.defect == "good"
    ]
    plain, twill = pictures("plain"), pictures("twill")
    own = [inspector.fabrics.index(f) for f in ("plain", "twill")]
    batch = [twill[0], *plain[:2]]
    found = predict_by_vote(inspector, batch)
    assert [int(p.fabric[0]) for p in found] == [own[0]] * 3
    assert same(found[0], inspector.predict(twill[0][None], own[0]))
    assert not same(found[0], inspector.predict(twill[0][None]))
    assert same(found[1], inspector.predict(plain[0][None]))
    assert [int(p.fabric[0]) for p in predict_by_vote(inspector, twill[:1])] == [own[1]]


def same(a: Prediction, b: Prediction) -> bool:
    return np.array_equal(a.anomaly_map, b.anomaly_map) and np.array_equal(a.score, b.score)
