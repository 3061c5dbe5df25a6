"""Where a model runs: a line whose GPU is not there inspects slowly, and says so."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from aoi_app.live.model_loader import LoadedModel, ModelLoader, missing_gpu

DEMO = Path(__file__).parents[2] / "resources" / "demo.cras"


def loaded_on(device: str, bundle: Path = DEMO) -> LoadedModel:
    """What becomes of a bundle."""
    done, outcome = threading.Event(), []

    def take(loaded: LoadedModel) -> None:
        outcome.append(loaded)
        done.set()

    ModelLoader(device, "float32", take).load(bundle)
    assert done.wait(300)
    return outcome[0]


def test_a_device_that_is_not_there_leaves_the_cpu_and_is_told() -> None:
    loaded = loaded_on("cuda:99")
    assert loaded.detector is not None
    assert loaded.detector.device.type == "cpu"
    assert loaded.problem == ""
    assert loaded.device_problem.startswith("The device cuda:99 cannot be used here")
    assert loaded.device_problem.endswith("The CPU inspects instead, which is slower")


def test_a_bundle_that_is_not_there_is_a_problem_on_any_device(tmp_path: Path) -> None:
    loaded = loaded_on("cuda:99", tmp_path / "none.cras")
    assert loaded.detector is None
    assert "There is no bundle" in loaded.problem


@pytest.mark.parametrize(
    ("wanted", "runs_on", "was_used", "is_told"),
    [
        ("auto", "cpu", True, True),
        ("auto", "cpu", False, False),
        ("auto", "cuda", True, False),
        ("cpu", "cpu", True, False),
    ],
)
def test_a_gpu_that_was_used_before_is_missed(wanted: str, runs_on: str, *, was_used: bool, is_told: bool) -> None:
    assert bool(missing_gpu(wanted, runs_on, gpu_was_used=was_used)) is is_told
