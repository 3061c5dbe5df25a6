"""How the pictures of a folder lie is measured, asked once, and kept."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from aoi_process import CommandLine
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import PATIENCE_MS, Begin, answer, over, press, question

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import load_settings
from aoi_app.sources.source_choice import SourceChoice, make_source


def cloth(lines: int) -> np.ndarray:
    """Of the loom, without a defect that would matter here."""
    parts: list[np.ndarray] = []
    with make_source(SourceChoice("loom:twill", seed=3, lines=lines), Recipe()) as source:
        while sum(map(len, parts)) < lines:
            item = source.read(1.0)
            assert item is not None
            parts.append(item.image)  # type: ignore[union-attr]
    return np.concatenate(parts)[:lines]


@pytest.fixture(scope="module")
def web() -> np.ndarray:
    return cloth(1200)


def one_web(folder: Path, web: np.ndarray) -> Path:
    folder.mkdir()
    for k, piece in enumerate(np.array_split(web, 4)):
        cv2.imwrite(str(folder / f"{k}.png"), piece)
    return folder


def separate(folder: Path, web: np.ndarray) -> Path:
    """Pieces with cloth between them that is not there."""
    folder.mkdir()
    for k in range(4):
        first = 268 * k
        cv2.imwrite(str(folder / f"{k}.png"), web[first : first + 260])
    return folder


def open_folder(application: Application, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    press(application, "open_folder")


def first_answer(qtbot: QtBot, application: Application) -> str:
    qtbot.waitUntil(lambda: question(application) != "", timeout=PATIENCE_MS)
    asked = application.window.question_bar.question
    assert asked is not None
    return asked.answers[0].text


def test_what_was_measured_is_the_first_answer(
    begin: Begin, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: np.ndarray
) -> None:
    application = begin(start=False)
    open_folder(application, monkeypatch, one_web(tmp_path / "cut", web))
    assert first_answer(qtbot, application) == "Inspect as one web"
    assert "goes on from one picture to the next at 3 of 3 boundaries" in question(application)
    open_folder(application, monkeypatch, separate(tmp_path / "pieces", web))
    qtbot.waitUntil(lambda: question(application).startswith("pieces"), timeout=PATIENCE_MS)
    assert first_answer(qtbot, application) == "Inspect as separate pictures"
    answer(qtbot, application, "Cancel")
    assert application.program.settings.now.separate_pictures == {}


def test_it_is_asked_once_and_kept_and_can_be_asked_again(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: np.ndarray
) -> None:
    application = begin(start=False)
    folder = separate(tmp_path / "pieces", web)
    files = sorted(folder.iterdir())
    open_folder(application, monkeypatch, folder)
    answer(qtbot, application, "Inspect as separate pictures")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 1, timeout=PATIENCE_MS)
    over(qtbot, application)
    assert application.program.roll.choice.separate is True
    defects = application.line.page.table.defects.all_defects()
    assert len(defects) == len(read_roll(engine, 1)["defects"])
    for defect in defects:  # none lies on a seam
        assert defect.first_line // 260 == (defect.end_line - 1) // 260
    assert load_settings()[0].separate_pictures == {str(folder): True}
    assert sorted(folder.iterdir()) == files, "nothing is written into the person's folder"
    application.line.page.table.defects.clear()
    open_folder(application, monkeypatch, folder)
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    over(qtbot, application)
    application.line.page.table.defects.clear()
    press(application, "picture_layout")
    answer(qtbot, application, "Inspect as one web")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 3, timeout=PATIENCE_MS)
    assert application.program.roll.choice.separate is False
    assert application.program.settings.now.separate_pictures == {str(folder): False}


def test_the_command_line_says_what_it_measured_and_takes_a_word(
    aoi: CommandLine, quick_bundle_path: Path, tmp_path: Path, web: np.ndarray
) -> None:
    folder = separate(tmp_path / "pieces", web)
    said = aoi("inspect", folder, "--bundle", quick_bundle_path, "--no-tiles")
    assert "does not go on" in said.stderr
    assert "--one-web" in said.stderr
    for option in ("--one-web", "--separate"):
        assert "boundaries" not in aoi("inspect", folder, "--bundle", quick_bundle_path, "--no-tiles", option).stderr
    cut = aoi("inspect", one_web(tmp_path / "cut", web), "--bundle", quick_bundle_path, "--no-tiles")
    assert "look like one web" in " ".join(cut.stderr.split())
