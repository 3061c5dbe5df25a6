"""Thumbnails are read in a thread."""

import time
from pathlib import Path

import cv2
import numpy as np

from aoi_app.samples.thumbnails import Thumbnails, clearer, shrunk

PATIENCE_S = 30.0


def taken(thumbnails: Thumbnails, paths: list[Path]) -> dict[Path, np.ndarray | None]:
    found: dict[Path, np.ndarray | None] = {}
    until_s = time.monotonic() + PATIENCE_S
    while set(found) != set(paths):
        assert time.monotonic() < until_s
        found |= thumbnails.take()
        time.sleep(0.01)
    return found


def test_what_is_wanted_is_read_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    good, broken, gone = tmp_path / "good.png", tmp_path / "broken.png", tmp_path / "gone.png"
    cv2.imwrite(str(good), np.full((400, 200), 90, np.uint8))
    broken.write_text("no picture")
    thumbnails = Thumbnails(100)
    thumbnails.want([good, broken, gone])
    found = taken(thumbnails, [good, broken, gone])
    image = found[good]
    assert image is not None
    assert image.shape == (100, 50)
    assert found[broken] is None
    assert found[gone] is None
    thumbnails.close()
    assert thumbnails.wait(PATIENCE_S)


def test_a_picture_is_shrunk_by_its_longer_side() -> None:
    assert shrunk(np.zeros((512, 256, 3), np.uint8), 64).shape == (64, 32, 3)
    assert shrunk(np.zeros((30, 20), np.uint8), 64).shape == (30, 20)


def test_a_darker_tile_stays_darker() -> None:
    cloth = np.random.default_rng(1).integers(100, 120, (50, 50)).astype(np.uint8)
    assert clearer(cloth).std() > 1.8 * cloth.std()
    assert clearer(cloth - 40).mean() < clearer(cloth).mean() - 38
