"""What is asked of the desk is done in threads and is on disk."""

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

from aoi_app.samples.service import SampleService
from aoi_app.samples.state import SamplesState
from aoi_app.settings.defect_types import DefectType, load_defect_types
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
def desk(store: SampleStore, tmp_path: Path) -> Iterator[SampleService]:
    desk = SampleService(store, tmp_path / "types.json")
    yield desk
    desk.close()
    assert desk.is_at_rest


def until(desk: SampleService, is_so: Callable[[SamplesState], object]) -> SamplesState:
    end_s = time.monotonic() + PATIENCE_S
    while not is_so(desk.view()):
        assert time.monotonic() < end_s, desk.view()
        time.sleep(0.01)
    return desk.view()


def ready(desk: SampleService, samples: int = 4) -> SamplesState:
    return until(desk, lambda v: len(v.samples) == samples and not v.busy and v.fabrics and v.fabrics[0].counts)


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


def test_the_first_fabric_is_shown_with_its_counts(desk: SampleService) -> None:
    view = ready(desk)
    assert view.fabric == "denim"
    assert [s.id for s in view.samples] == ["s0", "s2", "s1", "s3"]
    assert view.fabrics[0].counts is not None
    assert view.fabrics[0].counts.good == 4


def test_a_store_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    desk = SampleService(SampleStore(tmp_path / "nowhere"), tmp_path / "types.json")
    view = until(desk, lambda v: v.catalogue and not v.busy and v.revision > 3)
    assert (view.fabrics, view.fabric, view.problems, view.is_alarm) == ((), "", (), False)
    desk.begin("first of all")
    assert until(desk, lambda v: v.fabric == "first of all").fabrics[0].name == "first of all"
    desk.close()


def test_decisions_are_shown_at_once_written_and_taken_back(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    desk.decide(["s0", "s3"], "thrown out")
    assert [s.choice for s in desk.view().samples] == ["thrown out", "kept", "kept", "thrown out"]
    desk.decide(["s1"], "thrown out")
    desk.undo()
    desk.close()
    assert {s.id for s in store.samples("denim") if s.choice == "thrown out"} == {"s0", "s3"}


def test_undo_goes_back_step_by_step_and_then_does_nothing(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    desk.decide(["s0", "s1"], "thrown out")
    desk.decide(["s0", "s2"], "kept")
    desk.undo()
    assert desk.view().can_undo
    desk.undo()
    assert not desk.view().can_undo
    desk.undo()
    desk.close()
    assert all(s.choice == "kept" for s in store.samples("denim"))


def test_what_somebody_else_wrote_meanwhile_is_not_lost(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    store.update(replace(store.sample("denim", "s0"), suspicion=1.5))
    desk.label("s0", (BOX,))
    desk.close()
    assert store.sample("denim", "s0").suspicion == 1.5
    assert store.sample("denim", "s0").labels == (BOX,)


def test_what_somebody_else_adds_appears(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    store.add(Sample("late", "denim", "collected", "roll-9"), GREY)
    view = until(desk, lambda v: len(v.samples) == 5)
    assert view.fabrics[0].counts is not None


def test_labels_make_a_defect_and_no_labels_good_cloth(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    desk.label("s0", (BOX,))
    assert desk.view().fabrics[0].counts == replace(desk.view().fabrics[0].counts, good=3, defects=1)
    until(desk, lambda _: store.sample("denim", "s0").is_defect)
    desk.label("s0", ())
    until(desk, lambda _: store.sample("denim", "s0").is_good)


def test_a_full_disk_is_said_and_the_sample_is_as_it_was(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    with full_disk():
        desk.label("s0", (BOX,))
        view = until(desk, lambda v: v.not_kept)
    assert view.is_alarm
    assert "s0.json cannot be written" in view.note
    assert "s0.json" in view.not_kept["s0"]
    assert [s.labels for s in view.samples if s.id == "s0"] == [()]
    desk.label("s0", (BOX,))
    assert not until(desk, lambda v: not v.not_kept).not_kept
    assert store.sample("denim", "s0").labels == (BOX,)


def test_a_full_disk_ends_an_import_and_says_how_far_it_came(
    desk: SampleService, store: SampleStore, tmp_path: Path
) -> None:
    ready(desk)
    (tmp_path / "new").mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / "new" / f"{i}.png"), GREY)
    with full_disk():
        desk.add_pictures("denim", [tmp_path / "new"])
        view = until(desk, lambda v: v.is_alarm)
    assert "0 tiles added" in view.note
    assert "cannot be written" in view.note
    assert "3 pictures are left" in view.note
    assert len(store.samples("denim")) == 4


def test_a_sample_that_somebody_removed_is_said_and_goes(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    store.remove(store.sample("denim", "s2"))
    desk.decide(["s2", "s0"], "thrown out")
    view = until(desk, lambda v: len(v.samples) == 3)
    assert view.is_alarm
    assert "no sample s2" in view.note
    until(desk, lambda _: store.sample("denim", "s0").choice == "thrown out")


def test_pictures_are_added_once(desk: SampleService, store: SampleStore, tmp_path: Path) -> None:
    ready(desk)
    folder = tmp_path / "roll 5"
    folder.mkdir()
    strip = np.random.default_rng(1).integers(60, 180, (512, 1600)).astype(np.uint8)
    cv2.imwrite(str(folder / "strip.png"), strip)
    cv2.imwrite(str(folder / "tile.png"), GREY)
    (folder / "broken.png").write_bytes(b"nothing")
    desk.add_pictures("denim", [folder])
    view = until(desk, lambda v: "pictures" in v.note)
    assert "3 pictures: 4 tiles added." in view.note
    assert "broken.png" in view.note
    assert view.is_alarm
    desk.add_pictures("denim", [folder])
    assert "4 were there already" in until(desk, lambda v: "already" in v.note).note
    assert len(store.samples("denim")) == 8


def test_an_import_can_be_stopped_and_what_was_added_stays(
    desk: SampleService, store: SampleStore, tmp_path: Path
) -> None:
    ready(desk)
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(300):
        cv2.imwrite(str(folder / f"{i}.png"), np.roll(GREY, i))
    desk.add_pictures("denim", [folder])
    until(desk, lambda v: v.progress)
    desk.decide(["s0"], "thrown out")
    until(desk, lambda _: store.sample("denim", "s0").choice == "thrown out")
    assert desk.view().busy, "a decision does not wait for the import"
    desk.stop()
    view = until(desk, lambda v: "are left" in v.note)
    assert 4 < len(store.samples("denim")) == len(view.samples) < 304


def test_an_empty_folder_and_one_that_is_not_there_are_said(desk: SampleService, tmp_path: Path) -> None:
    ready(desk)
    (tmp_path / "empty").mkdir()
    desk.add_pictures("denim", [tmp_path / "empty"])
    assert "no pictures" in until(desk, lambda v: v.is_alarm).note
    desk.add_pictures("denim", [tmp_path / "gone.png"])
    assert "gone.png" in until(desk, lambda v: "gone" in v.note).note


def test_fabrics_are_renamed_merged_retired_and_deleted(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    desk.rename("denim", "jeans")
    until(desk, lambda v: v.fabric == "jeans" and len(v.samples) == 4)
    desk.begin("jeans 2")
    until(desk, lambda v: v.fabric == "jeans 2" and not v.samples)
    desk.merge("jeans", "jeans 2")
    view = until(desk, lambda v: len(v.samples) == 4)
    assert view.fabric == "jeans 2"
    desk.retire("jeans 2", is_retired=True)
    until(desk, lambda v: v.fabrics[0].record.is_retired)
    desk.retire("jeans 2", is_retired=False)
    until(desk, lambda v: not v.fabrics[0].record.is_retired)
    desk.delete("jeans 2")
    until(desk, lambda v: not v.fabrics and not v.fabric and not v.samples)
    assert store.fabrics() == []


def test_a_name_that_is_taken_is_said(desk: SampleService) -> None:
    ready(desk)
    desk.begin("Denim")
    assert "There is a fabric 'denim' already" in until(desk, lambda v: v.is_alarm).note


def test_broken_samples_are_named_and_the_rest_is_shown(store: SampleStore, tmp_path: Path) -> None:
    (store.folder("denim") / "samples" / "s0.json").write_text("{")
    desk = SampleService(store, tmp_path / "types.json")
    view = until(desk, lambda v: v.problems)
    assert "s0.json" in view.problems[0]
    assert [s.id for s in view.samples] == ["s2", "s1", "s3"]
    desk.close()


def test_a_tile_that_cannot_be_read_says_so(desk: SampleService, store: SampleStore) -> None:
    ready(desk)
    desk.open_tile("s0")
    tile = until(desk, lambda v: v.tile).tile
    assert tile is not None
    assert (tile.image == GREY).all()
    store.image_path(store.sample("denim", "s1")).write_bytes(b"half a")
    desk.open_tile("s1")
    tile = until(desk, lambda v: v.tile is not None and v.tile.name == "s1").tile
    assert tile is not None
    assert tile.image is None
    assert "s1.png" in tile.problem


def test_types_of_defects_are_kept(desk: SampleService, tmp_path: Path) -> None:
    types = (DefectType("x", "Anything", "minor", "point"),)
    desk.keep_catalogue(types)
    assert until(desk, lambda v: v.catalogue == types)
    assert load_defect_types(tmp_path / "types.json") == (types, None)


_KILLED = """
import sys, time
from pathlib import Path
from aoi_app.samples.service import SampleService
from cras_core.data.samples.store import SampleStore
desk = SampleService(SampleStore(Path(sys.argv[1])), Path(sys.argv[2]))
while not desk.view().samples:
    time.sleep(0.01)
desk.add_pictures("denim", [Path(sys.argv[3])])
desk.decide(["s0"], "thrown out")
while not desk.view().progress:
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
    arguments = [sys.executable, "-c", _KILLED, str(store.root), str(tmp_path / "types.json"), str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    assert store.problems() == []
    assert store.sample("denim", "s0").choice == "thrown out"
    assert len(store.samples("denim")) > 4
    desk = SampleService(store, tmp_path / "types.json")
    desk.add_pictures("denim", [folder])
    until(desk, lambda v: "60 pictures" in v.note)
    assert len(store.samples("denim")) == 64
    assert all(json.loads(p.read_text()) for p in store.root.rglob("*.json"))
    desk.close()
