"""Samples that come from pictures are compared with each other like those that come from the line."""

from pathlib import Path

import cv2
from test_samples_services import until

from aoi_app.samples.services import SamplesServices
from aoi_app.samples.state import arranged
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.detectors.cras.detector import CrasDetector


def tiles(loom_data: Path, folder: Path, count: int, stained: str = "") -> Path:
    """Tiles of good cloth as pictures of their own; one with a stain."""
    folder.mkdir()
    strips = [cv2.imread(str(path), 0) for path in sorted((loom_data / "plain" / "normal").iterdir())]
    for k in range(count):
        strip = strips[k % len(strips)]
        tile = strip[:512, 512 * (k // len(strips)) :][:, :512].copy()
        if f"{k}" == stained:
            cv2.ellipse(tile, (250, 260), (60, 40), 0, 0, 360, 20, -1)
        cv2.imwrite(str(folder / f"{k}.png"), tile)
    return folder


def added(loom_data: Path, tmp_path: Path, detector: CrasDetector | None, count: int) -> tuple[SampleStore, str]:
    store = SampleStore(tmp_path / "library")
    store.begin(FabricRecord("plain"))
    services = SamplesServices(store, "me", lambda: detector)
    try:
        until(services, lambda v: not v.busy and v.fabrics)
        services.samples.add_pictures("plain", [tiles(loom_data, tmp_path / "pictures", count, stained="7")])
        state = until(
            services, lambda v: "added" in v.note and not v.busy and ("compare" in v.note or "susp" in v.note)
        )
    finally:
        services.close()
    return store, state.note


def test_the_most_suspicious_comes_first(loom_data: Path, tmp_path: Path, inspector: CrasDetector) -> None:
    store, note = added(loom_data, tmp_path, inspector, 12)
    samples = store.samples("plain")
    assert len(samples) == 12
    assert all(s.suspicion is not None for s in samples)
    first = arranged(samples, "kept", "suspicion")[0]
    assert first.web.startswith("7") or "7" in first.id
    assert "of this fabric look suspicious, please check." in note


def test_too_few_are_not_compared_and_said(loom_data: Path, tmp_path: Path, inspector: CrasDetector) -> None:
    store, note = added(loom_data, tmp_path, inspector, 3)
    assert "too few of this fabric to compare" in note
    assert [s.suspicion for s in store.samples("plain")] == [None] * 3


def test_without_a_model_that_is_said(loom_data: Path, tmp_path: Path) -> None:
    store, note = added(loom_data, tmp_path, None, 12)
    assert "not compared with each other: no model is loaded" in note
    assert {s.suspicion for s in store.samples("plain")} == {None}
