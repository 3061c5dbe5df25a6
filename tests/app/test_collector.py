"""Samples of good cloth, collected from a running roll."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from aoi_app.inspection.roll import RollInspection
from aoi_app.samples.collection_state import CollectionPhase, CollectionState, collection_text
from aoi_app.samples.collector import Collector
from aoi_app.samples.tile_plan import CollectConfig, TilePlan
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame
from aoi_app.sources.loom import LoomConfig, LoomSource
from aoi_app.sources.source import EndOfWeb
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.web.edges import EdgeConfig

SMALL = CollectConfig(tile_px=256, per_band=3, bands=3)


def frames(lines: int, weave: str = "plain", *, defects: float = 0.0) -> list[Frame]:
    config = LoomConfig(
        weave, width_px=1024, lines_per_s=None, defects_per_1000_lines=defects, total_lines=lines, seed=3
    )
    found = []
    with LoomSource(config) as loom:
        while True:
            try:
                item = loom.read(1.0)
            except EndOfWeb:
                return found
            if isinstance(item, Frame):
                found.append(item)


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    store = SampleStore(tmp_path / "library")
    store.begin(FabricRecord("denim"))
    return store


def run(inspector: CrasDetector, collector: Collector, web: list[Frame]) -> None:
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe())
    for frame in web:
        collector.take(inspection.push(frame))
    collector.take(inspection.finish())
    collector.stop()
    assert collector.wait(30)


def test_tiles_come_from_all_over_the_web(inspector: CrasDetector, store: SampleStore) -> None:
    web = frames(2560)
    collector = Collector(store, "denim", "roll-7", Recipe(), author="Ida", config=SMALL)
    run(inspector, collector, web)
    samples = store.samples("denim")
    state = collector.holder.state
    assert state.collected == len(samples) > 8
    assert state.phase is CollectionPhase.WRITING
    assert not state.note
    image = np.concatenate([f.image for f in web])
    for s in samples:
        tile = store.image(s)
        assert (image[s.first_line : s.first_line + 256, s.left_px : s.left_px + tile.shape[1]] == tile).all()
        assert s.web == "roll-7"
        assert s.position_m == pytest.approx(s.first_line * 0.2e-3)
        assert 0 < s.position_mm < s.cloth_mm
        assert s.brightness == pytest.approx(float(tile.mean()))
    assert len({s.left_px for s in samples}) >= 4  # across
    firsts = sorted({s.first_line for s in samples})
    steps = np.diff(firsts)
    assert steps[0] == 256
    assert steps[-1] >= 512  # and ever further apart along
    at_an_edge = [s for s in samples if s.cloth_left_px is not None or s.cloth_right_px is not None]
    assert at_an_edge
    assert len(at_an_edge) < len(samples)


def test_what_the_model_flags_is_left_out(inspector: CrasDetector, store: SampleStore) -> None:
    collector = Collector(store, "denim", "roll", Recipe(), config=dataclasses.replace(SMALL, bands=100))
    run(inspector, collector, frames(2048, defects=24.0))
    state = collector.holder.state
    assert state.flagged > 0
    assert not state.fabric_is_unknown
    assert state.collected > state.flagged


def test_cloth_that_the_model_does_not_know_is_collected_all_the_same(
    inspector: CrasDetector, store: SampleStore
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2048, 1024), np.uint8)
    noise[:, ::7] = 0
    unknown = [Frame(noise[i : i + 512], f"{i}", 0.0) for i in range(0, 2048, 512)]
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe(threshold=1.0, relative=False))
    collector = Collector(store, "denim", "roll", Recipe(), config=dataclasses.replace(SMALL, bands=100))
    for frame in unknown:
        collector.take(inspection.push(frame))
    collector.take(inspection.finish())
    collector.stop()
    assert collector.wait(30)
    state = collector.holder.state
    assert state.fabric_is_unknown
    assert state.collected > 0


def test_look_alikes_are_left_out_and_collecting_ends_when_there_is_enough(
    inspector: CrasDetector, store: SampleStore
) -> None:
    web = frames(2048)
    seen: list[bytes] = []

    def is_duplicate(tile: np.ndarray) -> bool:
        seen.append(tile.tobytes())
        return len(seen) % 2 == 0

    collector = Collector(
        store, "denim", "roll", Recipe(), config=dataclasses.replace(SMALL, most_tiles=4), is_duplicate=is_duplicate
    )
    run(inspector, collector, web)
    assert collector.holder.state.collected == 4
    assert collector.holder.state.duplicates == 3


def test_a_full_disk_ends_collecting_and_says_so(
    inspector: CrasDetector, store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    collector = Collector(store, "denim", "roll", Recipe(), config=SMALL)
    monkeypatch.setattr("cras_core.data.samples.files.write_atomically", full)
    run(inspector, collector, frames(1024))
    assert "No space left on device" in collector.holder.state.note
    assert collector.holder.state.phase is CollectionPhase.FAILED


def test_a_fabric_that_is_renamed_meanwhile_is_collected_on_under_its_new_name(
    inspector: CrasDetector, store: SampleStore
) -> None:
    collector = Collector(store, "denim", "roll", Recipe(), config=SMALL)
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe())
    web = frames(2048)
    collector.take(inspection.push(web[0]))
    store.rename("denim", "blue denim")
    for frame in web[1:]:
        collector.take(inspection.push(frame))
    collector.take(inspection.finish())
    collector.stop()
    assert collector.wait(30)
    state = collector.holder.state
    assert (state.phase, state.fabric) == (CollectionPhase.WRITING, "blue denim")
    assert len(store.samples("blue denim")) == state.collected > 0


def test_strips_that_are_not_neighbours_are_webs_of_their_own(inspector: CrasDetector, store: SampleStore) -> None:
    web = frames(1024)
    strips = [dataclasses.replace(f, starts_web=True, image=f.image[:200]) for f in web]
    config = dataclasses.replace(SMALL, bands=100)
    collector = Collector(store, "denim", "roll", Recipe(), each_is_a_web=True, config=config)
    run(inspector, collector, strips)
    samples = store.samples("denim")
    assert {s.web for s in samples} == {f"roll-{i + 1:04d}" for i in range(len(strips))}
    assert all(store.image(s).shape[0] == 200 for s in samples)


def test_a_band_never_spans_a_gap() -> None:
    assert list(TilePlan(SMALL, EdgeConfig()).finish()) == []


def test_how_collecting_goes_is_told_in_a_sentence() -> None:
    state = CollectionState(phase=CollectionPhase.COLLECTING, fabric="denim", collected=1)
    assert collection_text(CollectionState()) == ""
    assert collection_text(state) == "Collecting denim: 1 sample."
    more = dataclasses.replace(state, collected=9, flagged=2, missed=1, fabric_is_unknown=True)
    text = collection_text(more)
    assert text.startswith(
        "Collecting denim: 9 samples; left out: 2 flagged by the model, 1 missed because this computer was busy."
    )
    assert "does not know this cloth" in text
    over = dataclasses.replace(state, collected=9, phase=CollectionPhase.DONE)
    assert collection_text(over) == "9 samples of denim collected."
    assert "None looks suspicious" in collection_text(dataclasses.replace(over, suspicious=0))
    assert "3 of this fabric look suspicious" in collection_text(dataclasses.replace(over, suspicious=3))
    failed = dataclasses.replace(state, phase=CollectionPhase.FAILED, note="The disk is full.")
    assert collection_text(failed) == "1 sample of denim collected. The disk is full."
