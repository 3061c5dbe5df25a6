"""Cameras on the line: a recording gives what the direct run gave, from the command line too."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import gaps_of, inspect_all, listed, read_all
from camera_fakes import GivenBlocks, block_of, blocks_of

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.headless import HeadlessRun, run_headless
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.block import Block, Outage
from aoi_app.sources.camera_factory import make_camera_source
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.flat_field.correction import (
    CameraSetup,
    FlatField,
    FlatFieldError,
    non_uniformity,
)
from aoi_app.sources.flat_field.file import flat_field_path, write_flat_field
from aoi_app.sources.flat_field.levels import ColumnLevel, make_flat_field
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.loom import Loom, LoomConfig
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.registry import spec_of
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.images import read_image

SETUP = CameraSetup("17", 80.0, 1.0)


def loom_blocks(lines: int = 1300) -> list[Block]:
    loom = Loom(LoomConfig(weave="plain", width_px=1024, seed=13, defects_per_1000_lines=3.0))
    return blocks_of(loom.weave(0, lines), 100)


def found(inspector: CrasDetector, items: list[Frame | Lost]) -> list[tuple[object, ...]]:
    outcomes = inspect_all(RollInspection(inspector, inspector.config.tiling, Recipe()), items)
    return [
        *((d.first_line, d.end_line, d.left_px, d.right_px, round(d.peak, 4)) for d in listed(outcomes)),
        *((g.first_line, g.lines, g.reason) for g in gaps_of(outcomes)),
    ]


def test_a_replay_of_the_loom_has_the_defects_and_gaps_of_the_direct_run(
    inspector: CrasDetector, tmp_path: Path
) -> None:
    blocks = loom_blocks()
    items = [
        *blocks[:5],
        blocks[6],
        Outage(0.35, "unplugged"),
        *(dataclasses.replace(b, frame_id=k) for k, b in enumerate(blocks[9:])),
    ]
    source = CameraSource(GivenBlocks(items), recorder=Recorder(tmp_path, 1 << 30, free_bytes=0))
    direct = found(inspector, read_all(source))
    again = found(inspector, read_all(make_source(SourceChoice(f"replay:{tmp_path}"))))
    assert again == direct
    assert sum(len(entry) == 5 for entry in direct) >= 2
    assert [entry[:2] for entry in direct if len(entry) == 3] == [(500, 100), (700, 250)]


def test_inspecting_a_recording_from_end_to_end(bundle_path: Path, tmp_path: Path) -> None:
    from rich.console import Console

    blocks = loom_blocks()
    recorder = Recorder(tmp_path / "recorded", 1 << 30, free_bytes=0)
    read_all(CameraSource(GivenBlocks([*blocks[:6], *blocks[8:]]), recorder=recorder))
    assert recorder.path is not None
    assert spec_of(recorder.path) == f"replay:{recorder.path}"
    assert spec_of(tmp_path) == f"folder:{tmp_path}"
    with pytest.raises(SourceError, match=rf"holds recordings of a camera. .* the last is .*{recorder.path.name}"):
        make_source(SourceChoice(spec_of(recorder.path.parent))).__enter__()
    job = HeadlessRun(SourceChoice(spec_of(recorder.path)), bundle_path, tmp_path / "out", Recipe(), "cpu", tiles=False)
    assert run_headless(job, Console(quiet=True)) == 3  # a gap
    written = json.loads((tmp_path / "out" / "defects.json").read_text())
    assert [(g["first_line"], g["lines"]) for g in written["gaps"]] == [(600, 200)]
    assert written["defects"]
    assert written["roll"]["length_m"] == pytest.approx(1300 * 0.2 / 1000)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (SourceChoice("replay:"), "needs its path"),
        (SourceChoice("replay:/nowhere"), "There is no recording"),
        (SourceChoice("replay:/nowhere", lines_per_s=100.0), "pace of its own"),
        (SourceChoice("laser"), "replay:PATH"),
    ],
)
def test_what_cannot_be_replayed_is_said(choice: SourceChoice, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        make_source(choice)


def level(raw: np.ndarray) -> ColumnLevel:
    recorded = ColumnLevel()
    for block in blocks_of(raw, 64):
        recorded.add(block)
    return recorded


def field_of(light: np.ndarray, setup: CameraSetup = SETUP) -> FlatField:
    """Recorded on a white of 230 under this light."""
    white = np.rint(np.repeat(light[None] * 230, 256, axis=0)).astype(np.uint8)
    return make_flat_field(level(white), None, setup)


def test_the_flat_field_of_a_camera_is_found_and_its_changes_are_said(tmp_path: Path) -> None:
    blocks = GivenBlocks([block_of(np.full((20, 64), 100, np.uint8), 0)])
    _, remarks = make_camera_source(blocks, SETUP, Recipe(), flat_fields=tmp_path)
    assert "No flat field" in remarks[0]
    light = np.linspace(0.5, 0.9, 64)
    path = flat_field_path(tmp_path, "17")
    write_flat_field(field_of(light), path)
    source, remarks = make_camera_source(
        GivenBlocks([block_of(np.repeat(np.rint(200 * light).astype(np.uint8)[None], 20, axis=0), 0)]),
        dataclasses.replace(SETUP, exposure_us=200.0),
        Recipe(mm_per_line=0.5),
        flat_fields=tmp_path,
        mm_per_count=0.125,
    )
    assert ["exposure" in r for r in remarks] == [True]
    (item,) = read_all(source)
    assert isinstance(item, Frame)
    assert int(item.image.max()) - int(item.image.min()) <= 2
    path.write_bytes(b"broken")
    with pytest.raises(FlatFieldError, match="damaged"):
        make_camera_source(blocks, SETUP, Recipe(), flat_fields=tmp_path)


def test_the_flat_field_takes_a_lamp_out_of_real_cloth(aitex: Path) -> None:
    """The profile of a strip under an uneven lamp, before and after, beside that of the strip itself."""
    strip = read_image(sorted((aitex / "fabric_01" / "normal").glob("*.png"))[0])
    light = lamp(strip.shape[1])
    shaded = np.rint(strip * light).astype(np.uint8)
    flat = dataclasses.replace(field_of(light), target=230.0)
    (item,) = read_all(CameraSource(GivenBlocks([block_of(shaded, 0)]), flat_field=flat))
    assert isinstance(item, Frame)

    def unevenness(image: np.ndarray) -> float:
        middle = image[:, 1024:-1024]  # all cloth
        wide = middle.mean(axis=0).reshape(-1, 64).mean(axis=1)  # without the yarns
        return non_uniformity(wide)

    assert unevenness(shaded) > unevenness(strip) + 10
    assert unevenness(item.image) == pytest.approx(unevenness(strip), abs=0.5)
    assert np.abs(item.image.astype(int) - strip).max() <= 2


def lamp(width_px: int) -> np.ndarray:
    x = np.linspace(-1, 1, width_px)
    return np.asarray(0.95 - 0.45 * x**2 + 0.04 * np.sin(40 * x))


def test_cloth_under_an_uneven_lamp_is_that_under_an_even_one(inspector: CrasDetector) -> None:
    """The lamp halves the light at one side; the flat field gives it back, pixels and defects."""
    blocks = loom_blocks()
    shaded = [dataclasses.replace(b, image=np.rint(b.image * lamp(1024)).astype(np.uint8)) for b in blocks]
    flat = dataclasses.replace(field_of(lamp(1024)), target=230.0)
    corrected = read_all(CameraSource(GivenBlocks(shaded), flat_field=flat))
    for item, block in zip(corrected, blocks, strict=True):
        assert isinstance(item, Frame)
        assert np.abs(item.image.astype(int) - block.image).max() <= 2

    def defects(items: list[Frame | Lost]) -> list[Defect]:
        return listed(inspect_all(RollInspection(inspector, inspector.config.tiling, Recipe()), items))

    again = defects(corrected)
    strong = [d for d in defects(read_all(CameraSource(GivenBlocks(blocks)))) if d.peak > 1.5]
    assert strong
    for d in strong:
        overlapping = [c for c in again if c.first_line < d.end_line and c.end_line > d.first_line]
        assert any(c.left_px < d.right_px and c.right_px > d.left_px for c in overlapping)
