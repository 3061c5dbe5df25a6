"""What a command makes of a folder whose pictures nobody has said anything of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from aoi_app.sources.folder_layout import settle_layout
from aoi_app.sources.source_choice import SourceChoice


def folder_of(tmp_path: Path, *pictures: np.ndarray) -> SourceChoice:
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    return SourceChoice(f"folder:{tmp_path}")


@pytest.mark.parametrize("shape", [(4, 800), (64, 20), (64, 800)])
def test_where_nothing_tells_no_seam_is_made(tmp_path: Path, shape: tuple[int, int]) -> None:
    choice, said = settle_layout(folder_of(tmp_path, *[np.full(shape, 120, np.uint8)] * 3), None)
    assert choice.separate is True
    assert "Nothing tells" in said
    assert "safe answer" in said


def test_a_single_picture_is_a_web_without_a_word(tmp_path: Path) -> None:
    choice, said = settle_layout(folder_of(tmp_path, np.full((64, 800), 120, np.uint8)), None)
    assert (choice.separate, said) == (False, "")


def test_what_somebody_has_said_is_not_measured(tmp_path: Path) -> None:
    pictures = [np.full((64, 800), 120, np.uint8)] * 3
    choice, said = settle_layout(folder_of(tmp_path, *pictures), False)
    assert choice.separate is False
    assert "as was answered in the window" in said
