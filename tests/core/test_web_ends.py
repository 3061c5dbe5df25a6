"""Where a web begins and ends: nothing that a fill invents, nothing lost that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cras_core.detectors.cras.detector import CrasDetector
from cras_core.images import list_images, read_image
from cras_core.web.bands import BandCutter
from cras_core.web.canvas import WebConfig, prepare
from cras_core.web.places import END_CELLS
from cras_core.web.scoring import WebInspection

CELL = 8


@pytest.fixture(scope="module")
def strip(loom_data: Path) -> np.ndarray:
    """(lines, W) uint8 cloth that the model knows."""
    return read_image(list_images(loom_data / "plain" / "normal")[0])


def config(inspector: CrasDetector) -> WebConfig:
    c = inspector.config
    return WebConfig(c.tiling, c.edges, c.reference, 0)


def scores(inspector: CrasDetector, *frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(S, rows, cols) raw and (rows, cols) shown scores of frames that follow each other."""
    web = WebInspection(inspector, config(inspector))
    rows = [r for frame in frames for r in web.push(frame)] + web.finish()
    return np.concatenate([r.kinds for r in rows], axis=1), np.concatenate([r.score for r in rows])


def test_at_an_end_the_lower_of_two_fills_counts_and_inside_the_first_does(
    inspector: CrasDetector, strip: np.ndarray
) -> None:
    strip = strip[:200]  # one row of tiles sees both ends
    kinds, _ = scores(inspector, strip)
    cutter = BandCutter(inspector.config.tiling)
    (band,) = [*cutter.push(strip), *cutter.finish()]
    filled = []
    for strip_px in (24, 12):
        canvas = prepare(band, config(inspector), strip_px)
        assert canvas is not None
        features = inspector.extract_features(canvas.tiles)
        if not filled:
            median = features.median_features(canvas.scored_cells(CELL))
        raw = features.score(0, median).kinds[:, 0]  # (S, h, w) of the first tile
        filled.append(raw[:, canvas.above // CELL :, 10:30])
        of_web = slice(canvas.first_col // CELL + 10, canvas.first_col // CELL + 30)
    rows = len(strip) // CELL
    first, second = (f[:, :rows] for f in filled)
    lower = np.minimum(first, second)
    for end in (slice(0, END_CELLS), slice(rows - END_CELLS, rows)):
        np.testing.assert_allclose(kinds[:, end, of_web], lower[:, end], atol=1e-5)
        assert (lower[:, end] < first[:, end]).any()  # the fills differ, so the test can tell
    middle = slice(END_CELLS, rows - END_CELLS)
    np.testing.assert_allclose(kinds[:, middle, of_web], first[:, middle], atol=1e-5)


@pytest.mark.parametrize("lines", [16, 64, 100])
def test_the_end_of_a_frame_is_no_end(inspector: CrasDetector, strip: np.ndarray, lines: int) -> None:
    whole = np.concatenate([strip, strip[::-1], strip])
    frames = [whole[i : i + lines] for i in range(0, len(whole), lines)]
    for cut, uncut in zip(scores(inspector, *frames), scores(inspector, whole), strict=True):
        np.testing.assert_array_equal(cut, uncut)


def test_other_cloth_over_the_whole_width_alarms_as_the_first_thing_of_a_web(
    inspector: CrasDetector, strip: np.ndarray
) -> None:
    half = len(strip) // 2
    broken = strip.copy()
    broken[:half] = (np.arange(half) // CELL % 2 * 255).astype(np.uint8)[:, None]
    _, shown = scores(inspector, broken)
    above = np.fmax.reduce(shown[: half // CELL - END_CELLS])  # (cols,) NaN where there is no cloth
    assert (above[np.isfinite(above)] >= 1).mean() > 0.5
    _, good = scores(inspector, strip)
    assert np.nanmax(good) < 1
