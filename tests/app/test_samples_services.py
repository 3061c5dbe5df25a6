"""What is asked of the services of the samples is done in threads and is on disk."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from aoi_app.samples.services import SamplesServices
from aoi_app.samples.state import SamplesState
from cras_core.data.samples.labels import Label
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample

PATIENCE_S = 60.0
GREY = np.random.default_rng(3).integers(80, 140, (96, 96)).astype(np.uint8)
BOX = Label("box", ((4.0, 5.0), (10.0, 9.0)), "hole")


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    store = SampleStore(tmp_path / "library")
    store.begin(FabricRecord("denim"))
    for i in range(4):
        store.add(Sample(f"s{i}", "denim", "file", f"roll-{i % 2}", first_line=i), GREY)
    return store


@pytest.fixture
def services(store: SampleStore) -> Iterator[SamplesServices]:
    services = SamplesServices(store)
    yield services
    services.close()
    assert services.is_at_rest


def until(services: SamplesServices, is_so: Callable[[SamplesState], object]) -> SamplesState:
    end_s = time.monotonic() + PATIENCE_S
    while not is_so(services.state()):
        assert time.monotonic() < end_s, services.state()
        time.sleep(0.01)
    return services.state()


def ready(services: SamplesServices, samples: int = 4) -> SamplesState:
    return until(services, lambda v: len(v.samples) == samples and not v.busy and v.fabrics and v.fabrics[0].counts)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_first_fabric_is_shown_with_its_counts(services: SamplesServices) -> None:
    state = ready(services)
    assert state.fabric == "denim"
    assert [s.id for s in state.samples] == ["s0", "s2", "s1", "s3"]
    assert state.fabrics[0].counts is not None
    assert state.fabrics[0].counts.good == 4


def test_a_store_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    services = SamplesServices(SampleStore(tmp_path / "nowhere"))
    state = until(services, lambda v: not v.busy)
    assert (state.fabrics, state.fabric, state.problems, state.is_alarm) == ((), "", (), False)
    services.fabrics.begin("first of all")
    assert until(services, lambda v: v.fabric == "first of all").fabrics[0].name == "first of all"
    services.close()


def test_decisions_are_shown_at_once_written_and_taken_back(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    services.samples.decide(["s0", "s3"], "thrown out")
    assert [s.choice for s in services.state().samples] == ["thrown out", "kept", "kept", "thrown out"]
    services.samples.decide(["s1"], "thrown out")
    services.samples.undo()
    services.close()
    assert {s.id for s in store.samples("denim") if s.choice == "thrown out"} == {"s0", "s3"}


def test_undo_goes_back_step_by_step_and_then_does_nothing(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    services.samples.decide(["s0", "s1"], "thrown out")
    services.samples.decide(["s0", "s2"], "kept")
    services.samples.undo()
    assert services.state().undo_steps
    services.samples.undo()
    assert not services.state().undo_steps
    services.samples.undo()
    services.close()
    assert all(s.choice == "kept" for s in store.samples("denim"))


def test_what_somebody_else_wrote_meanwhile_is_not_lost(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    store.update(replace(store.sample("denim", "s0"), suspicion=1.5))
    services.labels.keep("s0", (BOX,))
    services.close()
    assert store.sample("denim", "s0").suspicion == 1.5
    assert store.sample("denim", "s0").labels == (BOX,)


def test_what_somebody_else_adds_appears(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    store.add(Sample("late", "denim", "collected", "roll-9"), GREY)
    state = until(services, lambda v: len(v.samples) == 5)
    assert state.fabrics[0].counts is not None


def test_labels_make_a_defect_and_no_labels_good_cloth(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    services.labels.keep("s0", (BOX,))
    assert services.state().fabrics[0].counts == replace(services.state().fabrics[0].counts, good=3, defects=1)
    until(services, lambda _: store.sample("denim", "s0").is_defect)
    services.labels.keep("s0", ())
    until(services, lambda _: store.sample("denim", "s0").is_good)


def test_a_full_disk_is_said_and_the_sample_is_as_it_was(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    with full_disk():
        services.labels.keep("s0", (BOX,))
        state = until(services, lambda v: v.unsaved)
    assert state.is_alarm
    assert "s0.json cannot be written" in state.note
    assert "s0.json" in state.unsaved["s0"]
    assert [s.labels for s in state.samples if s.id == "s0"] == [()]
    services.labels.keep("s0", (BOX,))
    assert not until(services, lambda v: not v.unsaved).unsaved
    assert store.sample("denim", "s0").labels == (BOX,)


def test_a_full_disk_ends_an_import_and_says_how_far_it_came(
    services: SamplesServices, store: SampleStore, tmp_path: Path
) -> None:
    ready(services)
    (tmp_path / "new").mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / "new" / f"{i}.png"), GREY)
    with full_disk():
        services.samples.add_pictures("denim", [tmp_path / "new"])
        state = until(services, lambda v: v.is_alarm)
    assert "0 tiles added" in state.note
    assert "cannot be written" in state.note
    assert "3 pictures are left" in state.note
    assert len(store.samples("denim")) == 4


def test_a_sample_that_somebody_removed_is_said_and_goes(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    store.remove(store.sample("denim", "s2"))
    services.samples.decide(["s2", "s0"], "thrown out")
    state = until(services, lambda v: len(v.samples) == 3)
    assert state.is_alarm
    assert "no sample s2" in state.note
    until(services, lambda _: store.sample("denim", "s0").choice == "thrown out")


def test_pictures_are_added_once(services: SamplesServices, store: SampleStore, tmp_path: Path) -> None:
    ready(services)
    folder = tmp_path / "roll 5"
    folder.mkdir()
    strip = np.random.default_rng(1).integers(60, 180, (512, 1600)).astype(np.uint8)
    cv2.imwrite(str(folder / "strip.png"), strip)
    cv2.imwrite(str(folder / "tile.png"), GREY)
    (folder / "broken.png").write_bytes(b"nothing")
    services.samples.add_pictures("denim", [folder])
    state = until(services, lambda v: "pictures" in v.note)
    assert "3 pictures: 4 tiles added." in state.note
    assert "broken.png" in state.note
    assert state.is_alarm
    services.samples.add_pictures("denim", [folder])
    assert "4 were there already" in until(services, lambda v: "already" in v.note).note
    assert len(store.samples("denim")) == 8


def test_an_import_can_be_stopped_and_what_was_added_stays(
    services: SamplesServices, store: SampleStore, tmp_path: Path
) -> None:
    ready(services)
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(300):
        cv2.imwrite(str(folder / f"{i}.png"), np.roll(GREY, i))
    services.samples.add_pictures("denim", [folder])
    until(services, lambda v: v.progress)
    services.samples.decide(["s0"], "thrown out")
    until(services, lambda _: store.sample("denim", "s0").choice == "thrown out")
    assert services.state().busy, "a decision does not wait for the import"
    services.stop()
    state = until(services, lambda v: "are left" in v.note)
    assert 4 < len(store.samples("denim")) == len(state.samples) < 304


def test_an_empty_folder_and_one_that_is_not_there_are_said(services: SamplesServices, tmp_path: Path) -> None:
    ready(services)
    (tmp_path / "empty").mkdir()
    services.samples.add_pictures("denim", [tmp_path / "empty"])
    assert "no pictures" in until(services, lambda v: v.is_alarm).note
    services.samples.add_pictures("denim", [tmp_path / "gone.png"])
    assert "gone.png" in until(services, lambda v: "gone" in v.note).note


def test_fabrics_are_renamed_merged_retired_and_deleted(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    services.fabrics.rename("denim", "jeans")
    until(services, lambda v: v.fabric == "jeans" and len(v.samples) == 4)
    services.fabrics.begin("jeans 2")
    until(services, lambda v: v.fabric == "jeans 2" and not v.samples)
    services.fabrics.merge("jeans", "jeans 2")
    state = until(services, lambda v: len(v.samples) == 4)
    assert state.fabric == "jeans 2"
    services.fabrics.retire("jeans 2", is_retired=True)
    until(services, lambda v: v.fabrics[0].record.is_retired)
    services.fabrics.retire("jeans 2", is_retired=False)
    until(services, lambda v: not v.fabrics[0].record.is_retired)
    services.fabrics.delete("jeans 2")
    until(services, lambda v: not v.fabrics and not v.fabric and not v.samples)
    assert store.fabrics() == []


def test_a_name_that_is_taken_is_said(services: SamplesServices) -> None:
    ready(services)
    services.fabrics.begin("Denim")
    assert "There is a fabric 'denim' already" in until(services, lambda v: v.is_alarm).note


def test_broken_samples_are_named_and_the_rest_is_shown(store: SampleStore, tmp_path: Path) -> None:
    (store.folder("denim") / "samples" / "s0.json").write_text("{")
    services = SamplesServices(store)
    state = until(services, lambda v: v.problems)
    assert "s0.json" in state.problems[0]
    assert [s.id for s in state.samples] == ["s2", "s1", "s3"]
    services.close()


def test_a_tile_that_cannot_be_read_says_so(services: SamplesServices, store: SampleStore) -> None:
    ready(services)
    services.labels.open_tile("s0")
    tile = until(services, lambda v: v.tile).tile
    assert tile is not None
    assert (tile.image == GREY).all()
    store.image_path(store.sample("denim", "s1")).write_bytes(b"half a")
    services.labels.open_tile("s1")
    tile = until(services, lambda v: v.tile is not None and v.tile.sample_id == "s1").tile
    assert tile is not None
    assert tile.image is None
    assert "s1.png" in tile.problem


_KILLED = """
import sys, time
from pathlib import Path
from aoi_app.samples.services import SamplesServices
from cras_core.data.samples.store import SampleStore
services = SamplesServices(SampleStore(Path(sys.argv[1])))
while not services.state().samples:
    time.sleep(0.01)
services.samples.add_pictures("denim", [Path(sys.argv[2])])
services.samples.decide(["s0"], "thrown out")
while not services.state().progress:
    time.sleep(0.001)
print("now", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_kill_in_the_middle_leaves_a_store_that_can_be_gone_on_with(store: SampleStore, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(60):
        cv2.imwrite(str(folder / f"{i}.png"), np.roll(GREY, i))
    arguments = [sys.executable, "-c", _KILLED, str(store.root), str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    assert store.problems() == []
    assert store.sample("denim", "s0").choice == "thrown out"
    assert len(store.samples("denim")) > 4
    services = SamplesServices(store)
    services.samples.add_pictures("denim", [folder])
    until(services, lambda v: "60 pictures" in v.note)
    assert len(store.samples("denim")) == 64
    assert all(json.loads(p.read_text()) for p in store.root.rglob("*.json"))
    services.close()
