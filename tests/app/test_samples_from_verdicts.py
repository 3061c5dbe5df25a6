"""Verdicts at the line teach the next model."""

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.inspection.roll import RollInspection
from aoi_app.records.tiles import TileWriter
from aoi_app.samples.review_samples import ReviewedRoll, update_samples
from aoi_app.samples.review_service import ReviewSampleService
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame
from aoi_app.sources.loom import LoomConfig, LoomSource
from aoi_app.sources.source import EndOfWeb
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.detectors.cras.detector import CrasDetector

AT = datetime(2026, 3, 1, 9, 0, tzinfo=timezone.utc)
CONFIRMED = Review("confirmed", "W1", "broken end", "Ida", AT)
REJECTED = Review("rejected", None, None, "Ida", AT)


@pytest.fixture(scope="module")
def roll(
    inspector: CrasDetector, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ReviewedRoll, list[Defect], np.ndarray]:
    """A roll with defects, its tiles on disk, and the whole web."""
    folder = tmp_path_factory.mktemp("tiles")
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe(), keep_tiles=True)
    writer, defects, images = TileWriter(folder, "roll-3"), [], []
    with LoomSource(
        LoomConfig("plain", width_px=1024, lines_per_s=None, defects_per_1000_lines=2.0, total_lines=3072, seed=5)
    ) as loom:
        while True:
            try:
                item = loom.read(1.0)
            except EndOfWeb:
                break
            assert isinstance(item, Frame)
            images.append(item.image)
            outcome = inspection.push(item)
            writer.write(outcome.tiles)
            defects += outcome.defects
    outcome = inspection.finish()
    writer.write(outcome.tiles)
    defects += outcome.defects
    strong = [d for d in defects if d.peak >= 1.0 and not d.is_open]
    assert len(strong) >= 2
    return ReviewedRoll("roll-3", folder, Recipe()), strong, np.concatenate(images)


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    store = SampleStore(tmp_path)
    store.begin(FabricRecord("plain"))
    store.begin(FabricRecord("twill"))
    return store


def every(store: SampleStore) -> list:
    return [s for f in store.fabrics() for s in store.samples(f.name)]


def test_a_confirmed_defect_is_a_labelled_sample(store: SampleStore, roll: tuple) -> None:
    where, defects, web = roll
    defect = defects[0]
    assert update_samples(store, where, defect, CONFIRMED, "Ida") == ""
    samples = every(store)
    assert samples
    for s in samples:
        assert s.is_defect
        assert s.origin == "confirmed defect"
        assert s.web == "roll-3"
        assert {label.code for label in s.labels} == {"W1"}
        image = store.image(s)
        height, width = image.shape[:2]
        assert (web[s.first_line : s.first_line + height, s.left_px : s.left_px + width] == image).all()
        marked = np.argwhere(store.mask(s)) + np.array([s.first_line, s.left_px])
        inside = (marked[:, 0] >= defect.first_line) & (marked[:, 0] <= defect.end_line)
        assert inside.any()


def test_a_rejected_alarm_is_good_cloth_unless_there_is_more_on_its_tile(store: SampleStore, roll: tuple) -> None:
    where, defects, _ = roll
    kept = 0
    for defect in defects:
        said = update_samples(store, where, defect, REJECTED, "Ida")
        now = len(every(store))
        assert ("other marks" in said) or now > kept
        kept = now
    assert kept
    assert all(s.is_good and s.origin == "rejected alarm" for s in every(store))


def test_a_verdict_that_is_changed_or_taken_back_changes_the_samples(store: SampleStore, roll: tuple) -> None:
    where, defects, _ = roll
    update_samples(store, where, defects[0], CONFIRMED, "Ida")
    before = every(store)
    update_samples(store, where, defects[0], REJECTED, "Ida")
    assert not any(s.is_defect for s in every(store))
    update_samples(store, where, defects[0], CONFIRMED, "Ida")
    assert every(store) == before
    update_samples(store, where, defects[0], NO_REVIEW, "Ida")
    assert every(store) == []


def test_a_fabric_that_nobody_enrols_is_left_alone_and_trouble_is_said(
    tmp_path: Path, store: SampleStore, roll: tuple
) -> None:
    where, defects, _ = roll
    empty = SampleStore(tmp_path / "none")
    assert update_samples(empty, where, defects[0], CONFIRMED, "Ida") == ""
    assert every(empty) == []
    service = ReviewSampleService(store, "Ida")
    bad = ReviewedRoll("roll-3", tmp_path / "elsewhere", Recipe())
    bad.tiles.mkdir()
    (bad.tiles / "places.jsonl").write_text((where.tiles / "places.jsonl").read_text() + '{"tile": "x')
    for line in (where.tiles).rglob("*.png"):
        target = bad.tiles / line.relative_to(where.tiles)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"no picture")
    assert service.state().revision == 0, "there is nothing to tell"
    service.update(bad, defects[0], CONFIRMED)
    service.close()
    assert service.is_at_rest
    assert "The verdict is recorded, but its tile did not become a sample" in service.state().note
    assert service.state().is_alarm
    assert every(store) == []
