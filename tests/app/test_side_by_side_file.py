"""Sources side by side, named by a file: two halves of a strip give what the whole one gives."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from aoi_fakes import inspect_all, listed, read_all
from camera_fakes import GivenBlocks, blocks_of

from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.camera_source import CameraSource
from aoi_app.sources.frame import Frame
from aoi_app.sources.loom import Loom, LoomConfig
from aoi_app.sources.recording.recorder import Recorder
from aoi_app.sources.registry import spec_of
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source
from cras_core.detectors.cras.detector import CrasDetector

OVERLAP_PX = 96
OFFSET_LINES = 30


def strip() -> np.ndarray:
    return Loom(LoomConfig(weave="plain", width_px=1024, seed=12, defects_per_1000_lines=3.0)).weave(0, 1200)


def write(folder: Path, web: np.ndarray, lines: int = 300) -> Path:
    folder.mkdir()
    for k in range(0, len(web), lines):
        cv2.imwrite(str(folder / f"{k:05d}.png"), web[k : k + lines])
    return folder


def described(path: Path, left: str, right: str, offset_lines: int = 0) -> Path:
    cameras = [{"source": left}, {"source": right, "overlap_px": OVERLAP_PX, "offset_lines": offset_lines}]
    path.write_text(json.dumps({"cameras": cameras}))
    return path


def halves(web: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return web[:, : 480 + OVERLAP_PX], web[:, 480:]


def defects(inspector: CrasDetector, choice: SourceChoice) -> list[tuple[object, ...]]:
    inspection = RollInspection(inspector, inspector.config.tiling, Recipe())
    outcomes = inspect_all(inspection, read_all(make_source(choice)))
    return [(d.first_line, d.end_line, d.left_px, d.right_px, round(d.peak, 4)) for d in listed(outcomes)]


def test_two_halves_of_a_strip_have_the_defects_of_the_whole(inspector: CrasDetector, tmp_path: Path) -> None:
    web = strip()
    whole = write(tmp_path / "whole", web)
    left, right = halves(web)
    write(tmp_path / "left", left)
    write(tmp_path / "right", right, lines=170)
    file = described(tmp_path / "web.json", "folder:left", "folder:right")
    found = defects(inspector, SourceChoice(spec_of(file)))
    assert found == defects(inspector, SourceChoice(spec_of(whole)))
    assert found


def test_recordings_of_two_cameras_that_see_the_web_at_different_lines_are_joined(tmp_path: Path) -> None:
    web = strip()
    left, right = halves(web)
    for name, part in (("left", left), ("right", right[OFFSET_LINES:])):
        read_all(
            CameraSource(GivenBlocks(blocks_of(part, 100)), recorder=Recorder(tmp_path / name, 1 << 30, free_bytes=0))
        )
    file = described(tmp_path / "web.json", "replay:left", "replay:right", OFFSET_LINES)
    frames = [f for f in read_all(make_source(SourceChoice(f"side-by-side:{file}"))) if isinstance(f, Frame)]
    assert np.array_equal(np.concatenate([f.image for f in frames]), web[OFFSET_LINES:])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "are not valid"),
        ('{"cameras": [{"source": "loom"}]}', "cameras: Tuple should have at least 2 items"),
        ('{"cameras": [{"source": "loom"}, {"source": "loom", "overlap_px": -1}]}', r"cameras\.1\.overlap_px"),
        ('{"cameras": [{"source": "loom"}, {"source": "loom", "overlap": 1}]}', r"cameras\.1\.overlap: Extra"),
        ('{"cameras": [{"source": "loom", "overlap_px": 8}, {"source": "loom"}]}', "nothing to its left"),
        ('{"cameras": [{"source": "loom"}, {"source": "side-by-side:web.json"}]}', "cannot hold others side by side"),
        ('{"cameras": [{"source": "loom"}, {"source": "lom"}]}', "no source 'lom'"),
    ],
)
def test_a_file_that_makes_no_web_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "web.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=words):
        make_source(SourceChoice(f"side-by-side:{path}"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json cannot be read"):
        make_source(SourceChoice(f"side-by-side:{tmp_path / 'none.json'}"))
    with pytest.raises(SourceError, match="needs the file"):
        make_source(SourceChoice("side-by-side"))
