"""A training in a process of its own, as the window starts it."""

import json
from pathlib import Path

import psutil
import pytest

from aoi_app.learning.training_job import TrainingJob
from aoi_app.learning.training_state import TrainingPhase, TrainingState, after_line
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore

PATIENCE_S = 600.0  # the machine may be busy; a training that hangs is found all the same
EPOCHS = 4
TINY = (f"train.epochs={EPOCHS}", "train.patches_per_epoch=512", "synthesis.drawn_tiles=1")


@pytest.fixture
def stores(loom_data: Path, bundle: Bundle, tmp_path: Path) -> tuple[SampleStore, ModelStore]:
    """A few samples of plain, and a history with a model in use that knows twill too."""
    samples, models = SampleStore(tmp_path / "samples"), ModelStore(tmp_path / "models")
    samples.begin(FabricRecord("plain"))
    for i, path in enumerate(list_images(loom_data / "plain" / "normal")[:2]):
        for left in (300, 560):  # two of a roll: whole rolls are held out, and a threshold needs more than one tile
            tile = read_image(path)[:256, left : left + 256]
            samples.add(Sample(f"w{i}-{left}", "plain", "collected", f"web-{i}"), tile)
    models.add(bundle)
    models.promote(bundle.identity)
    return samples, models


def start(stores: tuple[SampleStore, ModelStore], promote: str, *, gives_way: bool) -> TrainingJob:
    samples, models = stores
    return TrainingJob(samples.root, models.folder, promote=promote, settings=TINY, device="cpu", gives_way=gives_way)


def test_a_training_runs_at_low_priority_and_is_resumed_after_it_was_stopped(
    stores: tuple[SampleStore, ModelStore],
) -> None:
    job = start(stores, "no", gives_way=True)
    assert psutil.Process(job.pid).nice() != psutil.Process().nice()
    while not job.state.losses:
        assert not job.wait(0.02), job.state.message
    job.cancel()
    assert job.wait(PATIENCE_S)
    assert job.state.phase is TrainingPhase.CANCELLED
    assert (stores[1].folder / ".training").is_dir()
    assert len(stores[1].entries()) == 1
    again = start(stores, "yes", gives_way=False)
    assert again.wait(PATIENCE_S)
    state = again.state
    assert state.phase is TrainingPhase.DONE, state.message
    assert state.share == 1.0
    assert 0 < len(state.losses) < EPOCHS  # the others are of the first time
    assert state.worse == ("twill: the new model does not know it any more",)
    assert state.model in {e.identity for e in stores[1].entries()}
    assert state.is_in_use


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "samples", tmp_path / "models", gives_way=False)
    assert job.wait(PATIENCE_S)
    assert job.state.phase is TrainingPhase.FAILED
    assert "has no fabric to learn" in job.state.message


def test_lines_of_the_process_become_a_state() -> None:
    def line(stage: str, done: int, total: int, loss: float | None = None) -> str:
        return json.dumps({"stage": stage, "done": done, "total": total, "message": "x/y.png", "loss": loss})

    state = after_line(TrainingState(), line("features", 50, 100), 10.0)
    assert state.share == pytest.approx(0.2)
    assert state.remaining_s == pytest.approx(40.0)
    assert state.message == "y.png"
    state = after_line(state, line("training", 10, 20, 0.5), 30.0)
    assert state.losses == (0.5,)
    assert state.share == pytest.approx(0.53 + 0.135)
    assert after_line(state, "not JSON", 31.0).message == "not JSON"
    assert after_line(state, "[1]", 31.0).share == state.share
    done = after_line(state, json.dumps({"model": "abc", "in_use": True, "worse": []}), 40.0)
    assert done.model == "abc"
    assert done.is_in_use


def test_a_training_that_goes_on_is_not_thought_to_be_as_fast_as_what_it_skips() -> None:
    def line(done: int) -> str:
        return json.dumps({"stage": "training", "done": done, "total": 20, "message": "", "loss": None})

    state = after_line(
        TrainingState(), json.dumps({"stage": "features", "done": 1, "total": 1, "message": "", "loss": None}), 4.0
    )
    state = after_line(after_line(state, line(0), 5.0), line(10), 31.0)
    assert state.share == pytest.approx(0.665)
    assert state.remaining_s == pytest.approx(27.0 / 0.135 * 0.335)
