"""Pictures of what a model got wrong on strips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cras_core.errors import DataError
from cras_core.evaluation.mistakes import MistakeSheets
from cras_core.evaluation.web_recall import Reported, StripResult, TrueDefect


def strip(value: int = 120) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(value + rng.normal(0, 8, (256, 1024)), 0, 255).astype(np.uint8)


def result(alarms: list[float], defects: list[float]) -> StripResult:
    return StripResult(
        tuple(TrueDefect((500, 100, 540, 120), score) for score in defects),
        tuple(Reported(peak, 30, 200, 60, 256, "end") for peak in alarms),
        0.01,
    )


def test_false_alarms_and_misses_at_the_calibrated_threshold_get_a_picture_each(tmp_path: Path) -> None:
    sheets = MistakeSheets()
    sheets.add("a", strip(), result([1.4, 0.99, 2.0], [0.5, 1.0, -np.inf]))
    sheets.add("b", np.repeat(strip()[:, :, None], 3, axis=2), result([3.0], [7.0]))
    files = sheets.write(tmp_path / "sheets")
    assert [f.name for f in files] == ["false-alarms-1.jpg", "missed-1.jpg"]
    false, missed = (cv2.imread(str(f)) for f in files)
    assert false.shape == missed.shape == (240, 6 * 320, 3)
    shown = [part.std() > 5 for part in np.split(false, 6, axis=1)]
    assert shown == [True] * 3 + [False] * 3, "two of the first strip, one of the second"
    assert [part.std() > 5 for part in np.split(missed, 6, axis=1)] == [True] * 2 + [False] * 4
    red = (missed[:, :320, 2].astype(int) - missed[:, :320, 1]) > 100
    rows, cols = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert abs(int(rows.min()) + int(rows.max()) - 240) < 30, "the defect is in the middle"
    assert abs(int(cols.min()) + int(cols.max()) - 320) < 30
    assert sheets.left_out == 0


def test_more_than_a_sheet_holds_goes_on_the_next_and_the_strongest_come_first(tmp_path: Path) -> None:
    sheets = MistakeSheets()
    sheets.add("dark", strip(60), result([1.5] * 31, []))
    sheets.add("bright", np.full((256, 1024), 90, np.uint8), result([9.0], []))
    files = sheets.write(tmp_path)
    assert [f.name for f in files] == ["false-alarms-1.jpg", "false-alarms-2.jpg"]
    first, second = (cv2.imread(str(f)) for f in files)
    assert first.shape[0] == 5 * 240
    assert second.shape[0] == 240
    assert first[50:150, 50:200].std() < 12 < first[50:150, 370:520].std(), "the strongest, on cloth without a weave"


def test_sheets_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    for name in ("false-alarms-1.jpg", "missed-7.jpg", "mine.jpg"):
        (tmp_path / name).write_bytes(b"old")
    assert MistakeSheets().write(tmp_path) == []
    assert [p.name for p in tmp_path.iterdir()] == ["mine.jpg"]


def test_many_mistakes_do_not_fill_the_memory_and_are_counted(tmp_path: Path) -> None:
    sheets = MistakeSheets()
    for peak in (1.1, 5.0):
        sheets.add("a", strip(), result([peak] * 400, []))
    assert sheets.left_out == 200
    assert len(sheets.write(tmp_path)) == 20


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"cannot be written to .*file.*Choose another folder"):
        MistakeSheets().write(tmp_path / "file")
