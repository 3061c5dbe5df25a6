"""A training in a process of its own, as the window starts it."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from aoi_app.learning.training_job import JobState, JobView, TrainingJob, taken_in
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore

PATIENCE_S = 600.0  # the machine may be busy; a training that hangs is found all the same
FEW = ("train.epochs=2", "train.patches_per_epoch=4096", "synthesis.drawn_tiles=2")


@pytest.fixture
def stores(loom_data: Path, bundle: Bundle, tmp_path: Path) -> tuple[SampleStore, ModelStore]:
    store, models = SampleStore(tmp_path / "samples"), ModelStore(tmp_path / "models")
    store.begin(FabricRecord("plain"))
    for i, path in enumerate(list_images(loom_data / "plain" / "normal")):
        for left in (300, 560):
            tile = read_image(path)[:256, left : left + 256]
            store.add(Sample(f"w{i}-{left}", "plain", "collected", f"web-{i}"), tile)
    models.add(bundle)
    models.promote(bundle.identity)
    return store, models


def start(stores: tuple[SampleStore, ModelStore], promote: str = "no") -> TrainingJob:
    return TrainingJob(stores[0].root, stores[1].folder, promote=promote, settings=FEW, device="cpu")


def test_a_training_goes_from_samples_to_a_model_at_low_priority(stores: tuple[SampleStore, ModelStore]) -> None:
    job = start(stores)
    assert psutil.Process(job._process.pid).nice() != psutil.Process().nice()
    assert job.wait(PATIENCE_S)
    view = job.view()
    assert view.state is JobState.DONE, view.message
    assert len(view.losses) == 2
    assert view.share == 1.0
    assert view.worse == ("twill: the new model does not know it any more",)
    assert not view.is_in_use
    assert view.model in {e.identity for e in stores[1].entries()}


def test_a_cancelled_training_goes_on_where_it_was(stores: tuple[SampleStore, ModelStore]) -> None:
    job = start(stores)
    while job.view().stage not in ("training", "calibration", "comparison"):
        assert not job.wait(0.05), job.view().message
    job.cancel()
    assert job.wait(PATIENCE_S)
    assert job.view().state is JobState.CANCELLED
    assert (stores[1].folder / ".training").is_dir()
    assert len(stores[1].entries()) == 1
    again = start(stores, promote="yes")
    stages = set()
    while not again.wait(0.02):
        stages.add(again.view().stage)
    assert again.view().state is JobState.DONE, again.view().message
    assert again.view().is_in_use


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_training_that_is_killed_is_said_to_have_ended(stores: tuple[SampleStore, ModelStore]) -> None:
    job = start(stores)
    while not job.view().stage:
        assert not job.wait(0.05), job.view().message
    os.kill(job._process.pid, signal.SIGKILL)
    assert job.wait(PATIENCE_S)
    assert job.view().state is JobState.FAILED
    assert "ended by itself" in job.view().message
    assert stores[1].in_use is not None


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "samples", tmp_path / "models")
    assert job.wait(PATIENCE_S)
    assert job.view().state is JobState.FAILED
    assert "has no fabric to learn" in job.view().message


def test_lines_of_the_process_become_a_view() -> None:
    def line(stage: str, done: int, total: int, loss: float | None = None) -> str:
        return json.dumps({"stage": stage, "done": done, "total": total, "message": "x/y.png", "loss": loss})

    view = taken_in(JobView(), line("features", 50, 100), 10.0)
    assert view.share == pytest.approx(0.2)
    assert view.remaining_s == pytest.approx(40.0)
    assert view.message == "y.png"
    view = taken_in(view, line("training", 10, 20, 0.5), 30.0)
    assert view.losses == (0.5,)
    assert view.share == pytest.approx(0.53 + 0.135)
    assert taken_in(view, "not JSON", 31.0).message == "not JSON"
    assert taken_in(view, "[1]", 31.0).share == view.share
    done = taken_in(view, json.dumps({"model": "abc", "in_use": True, "worse": []}), 40.0)
    assert done.model == "abc"
    assert done.is_in_use


def test_a_training_that_goes_on_is_not_thought_to_be_as_fast_as_what_it_skips() -> None:
    def line(done: int) -> str:
        return json.dumps({"stage": "training", "done": done, "total": 20, "message": "", "loss": None})

    view = taken_in(
        JobView(), json.dumps({"stage": "features", "done": 1, "total": 1, "message": "", "loss": None}), 4.0
    )
    view = taken_in(taken_in(view, line(0), 5.0), line(10), 31.0)
    assert view.share == pytest.approx(0.665)
    assert view.remaining_s == pytest.approx(27.0 / 0.135 * 0.335)
