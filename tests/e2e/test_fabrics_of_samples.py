"""Fabrics are begun, filled, renamed, merged, retired, deleted and carried on the page of the samples."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mill import Mill, tile
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QProgressBar, QPushButton


def trigger(mill: Mill, key: str) -> None:
    mill.fabrics.actions_by_key[key].trigger()


def names(mill: Mill) -> list[str]:
    list_ = mill.fabrics.list
    return [list_.item(i).text().splitlines()[0] for i in range(list_.count())]


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (text, True))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_, **__: (text, True))


def test_a_fabric_is_begun_and_filled_from_a_folder(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.open()
    assert not mill.fabrics.actions_by_key["add_folder"].isEnabled()
    answer(monkeypatch, "twill 7")
    trigger(mill, "new")
    mill.until(lambda: names(mill) == ["twill 7"])
    folder = mill.folder / "roll"
    folder.mkdir()
    strip = np.random.default_rng(1).integers(60, 180, (512, 1600)).astype(np.uint8)
    cv2.imwrite(str(folder / "strip.png"), strip)
    (folder / "bad.png").write_bytes(b"nothing")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    trigger(mill, "add_folder")
    mill.until(lambda: len(mill.shown()) == 3)
    mill.until(lambda: "bad.png" in mill.text("Alarm"))
    assert mill.application.program.settings.now.last_folder == str(folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(folder / "strip.png")], ""))
    trigger(mill, "add_files")
    mill.until(lambda: "3 were there already" in mill.text("Message"))


def test_the_page_goes_on_while_pictures_are_added_and_stops_them(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.fill(2)
    mill.open()
    folder = mill.folder / "many"
    folder.mkdir()
    for i in range(200):
        cv2.imwrite(str(folder / f"{i}.png"), tile(100 + i))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    trigger(mill, "add_folder")
    (bar,) = mill.page.findChildren(QProgressBar)
    mill.until(lambda: bar.isVisible() and bar.value() > 0)
    mill.press(Qt.Key.Key_X)
    mill.until(lambda: mill.on_disk("s0").choice == "thrown out")
    (stop,) = [b for b in mill.page.findChildren(QPushButton) if b.text() == "&Stop"]
    stop.click()
    mill.until(lambda: "are left" in mill.text("Message"))
    assert not bar.isVisible()
    assert mill.store.problems() == []


def test_fabrics_are_renamed_merged_retired_and_restored(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.fill(2, "alpha")
    mill.fill(3, "beta")
    mill.open()
    assert names(mill) == ["alpha", "beta"]
    trigger(mill, "retire")
    mill.until(lambda: names(mill) == ["alpha (retired)", "beta"])
    trigger(mill, "restore")
    mill.until(lambda: names(mill) == ["alpha", "beta"])
    answer(monkeypatch, "gamma")
    trigger(mill, "rename")
    mill.until(lambda: names(mill) == ["beta", "gamma"])
    assert len(mill.shown()) == 2
    answer(monkeypatch, "beta")
    trigger(mill, "merge")
    mill.until(lambda: names(mill) == ["beta"] and len(mill.shown()) == 5)


def test_deleting_asks_first(mill: Mill) -> None:
    mill.fill(2, "alpha")
    mill.open()
    mill.answer = QMessageBox.StandardButton.No
    trigger(mill, "delete")
    assert mill.asked == ["Delete alpha and all its samples (2 good, 0 defects) from the disk? This cannot be undone."]
    mill.answer = QMessageBox.StandardButton.Yes
    assert names(mill) == ["alpha"]
    trigger(mill, "delete")
    mill.until(lambda: names(mill) == [])
    assert mill.store.fabrics() == []


def test_all_fabrics_are_carried_as_a_data_set(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.fill(6, "alpha")
    mill.open()
    folder = mill.folder / "set"  # it is made
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(folder), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    trigger(mill, "export_set")
    mill.until(lambda: "1 fabric written to" in mill.text("Message"))
    assert (folder / "card.json").is_file()
    trigger(mill, "export_set")
    mill.until(lambda: str(folder) in mill.text("Alarm"))  # not empty any more
    answer(monkeypatch, "beta")
    trigger(mill, "rename")
    mill.until(lambda: names(mill) == ["beta"])
    trigger(mill, "import_set")
    mill.until(lambda: names(mill) == ["alpha", "beta"])


def test_a_fabric_is_carried_in_one_file(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.fill(3, "alpha")
    mill.open()
    path = mill.folder / "alpha.fabric"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    trigger(mill, "export")
    mill.until(lambda: "3 samples of alpha written" in mill.text("Message"))
    trigger(mill, "import")
    mill.until(lambda: "There is a fabric 'alpha' already" in mill.text("Alarm"))
    answer(monkeypatch, "beta")
    trigger(mill, "rename")
    mill.until(lambda: names(mill) == ["beta"])
    trigger(mill, "import")
    mill.until(lambda: names(mill) == ["alpha", "beta"] and len(mill.shown()) == 3)
    assert mill.state.fabric == "alpha"


def test_choosing_a_fabric_shows_its_samples(mill: Mill) -> None:
    mill.fill(2, "alpha")
    mill.fill(5, "beta")
    mill.open()
    assert len(mill.shown()) == 2
    mill.fabrics.list.setCurrentRow(1)
    mill.until(lambda: len(mill.shown()) == 5)


def test_what_cannot_be_used_is_named(mill: Mill) -> None:
    mill.fill(3)
    (mill.store.folder("denim") / "samples" / "s1.json").write_text("{")
    (mill.store.root / "other").mkdir()
    (mill.store.root / "other" / "fabric.json").write_text('{"format": "else"}')
    mill.open()
    assert mill.shown() == ["s0", "s2"]
    mill.until(lambda: "s1.json" in mill.text("Problems of the store"))
    assert "other" in mill.text("Problems of the store")
