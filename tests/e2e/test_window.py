"""The window of the operator with everything behind it, drawn off the screen."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pyqtgraph as pg
import pytest
from form_tools import keep
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QProgressBar, QSlider, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import (
    PATIENCE_MS,
    Begin,
    answer,
    banner,
    choose_file,
    condition,
    figure,
    inspecting,
    keys_shown,
    over,
    press,
    question,
    recipe_form,
    rows,
    start_next,
    state,
    stop,
    why,
)

from aoi_app.app.application import Application
from aoi_app.app.pages.pages import PAGES, PageRow
from aoi_app.inspection.findings.defects import Defect
from aoi_app.live.state import News, State
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import load_settings
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.main.actions import MENUS, ROWS

LOOM = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1100)
ENDLESS = SourceChoice("loom:plain", lines_per_s=1200.0, seed=13)


def slider(application: Application, name: str) -> QSlider:
    (found,) = [x for x in application.window.findChildren(QSlider) if x.accessibleName() == name]
    return found


def use_threshold(application: Application, value: float) -> None:
    """As a person does: unlock, move, confirm."""
    press(application, "unlock")
    slider(application, "Threshold").setValue(round(100 * value))
    application.line.page.threshold_control.confirm()


def backlog_percent(application: Application) -> int:
    (bar,) = application.window.findChildren(QProgressBar)
    return bar.value()


def web(application: Application) -> pg.PlotWidget:
    (found,) = [x for x in application.line.page.live_view.findChildren(pg.PlotWidget) if x.accessibleName() == "Web"]
    return found


def pixels(widget: QWidget) -> np.ndarray:
    """What is on the screen -> (H, W, 3) int."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def test_the_web_appears_and_its_defects_fill_the_table(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    assert "Loading the model small.cras" in banner(application)
    over(qtbot, application)
    roll = read_roll(engine, 1)
    assert roll["roll"]["state"] == "finished"
    assert rows(application) == len(roll["defects"]) > 0
    assert figure(application, "defects") == str(len(roll["defects"]))
    assert figure(application, "Position along the web") == "0.22 m"
    assert figure(application, "not inspected") == "0.00 m (0)"
    assert figure(application, "fabric (similarity)").startswith("plain (")
    assert figure(application, "width of cloth").endswith(" mm")
    assert condition(application) == "ROLL ENDED"
    assert "0.22 m good, nothing missed" in why(application)
    shown = pixels(web(application))
    assert shown[200:-100, 200:-100].std() > 5, "there is cloth"
    assert len(np.unique(shown[len(shown) // 2].sum(axis=1))) > 50


def test_the_newest_cloth_is_followed(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    over(qtbot, application)
    qtbot.waitUntil(lambda: abs(web(application).getViewBox().viewRange()[1][1] - 1100) < 30, timeout=PATIENCE_MS)
    across = web(application).getViewBox().viewRange()[0]
    assert across[0] <= 0.5
    assert across[1] >= 1535.5


def marked(application: Application) -> int:
    """Pixels in the colour of the marks."""
    shown = pixels(web(application))
    return int((np.abs(shown - [0, 230, 255]).max(axis=2) < 30).sum())


def test_a_threshold_changes_what_comes_and_not_what_was(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    recorded = len(read_roll(engine, 1)["defects"])
    slider(application, "Opacity of the heat map").setValue(0)
    shown = marked(application)
    assert shown > 0
    for value in (2.0, 4.0, slider(application, "Threshold").minimum() / 100, 1.0):
        use_threshold(application, value)
        assert application.line.page.threshold == value
        assert rows(application) == recorded
        assert marked(application) == pytest.approx(shown, rel=0.1), "the picture may have moved by a line"
    assert figure(application, "defects") == str(recorded)
    assert state(application) == "ended"
    assert len(read_summaries(engine, 10)) == 1


def test_a_threshold_set_by_hand_holds_for_the_running_roll(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    inspecting(qtbot, application)
    use_threshold(application, 2.5)
    over(qtbot, application)
    assert read_roll(engine, 1)["roll"]["threshold"] == 2.5


@pytest.mark.parametrize("threshold", [0.1, 6.0])
def test_the_threshold_of_the_recipe_holds_even_where_the_slider_ends(
    begin: Begin, qtbot: QtBot, engine: Engine, threshold: float
) -> None:
    application = begin(recipe=Recipe(threshold=threshold))
    over(qtbot, application)
    assert read_roll(engine, 1)["roll"]["threshold"] == threshold


def test_the_heat_map_can_be_hidden(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    over(qtbot, application)
    application.line.page.table.selectRow(0)  # a defect is in view
    slider(application, "Opacity of the heat map").setValue(100)

    def coloured() -> int:
        shown = pixels(web(application))
        return int((shown[..., 0] - shown[..., 2] > 60).sum())

    with_heat = coloured()
    press(application, "heat")
    without = coloured()
    press(application, "heat")
    assert with_heat > without
    assert coloured() == with_heat
    slider(application, "Opacity of the heat map").setValue(0)
    assert coloured() == without


def selected(application: Application) -> int:
    index = application.line.page.table.currentIndex()
    return int(index.siblingAtColumn(1).data()) if index.isValid() else 0


def test_choosing_a_defect_shows_it_and_the_view_stays_there(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    count = rows(application)
    seen = set()
    for _ in range(count):
        press(application, "next")
        number = selected(application)
        seen.add(number)
        defect = application.line.page.table.defects.defect(number - 1)
        low, high = web(application).getViewBox().viewRange()[1]
        assert low <= (defect.first_line + defect.end_line) / 2 <= high or defect.end_line - defect.first_line > 800
        assert not application.window.actions_by_key["follow"].isChecked()
    assert seen == set(range(1, count + 1))
    press(application, "next")
    assert selected(application) in seen
    press(application, "previous")
    press(application, "follow")
    assert application.window.actions_by_key["follow"].isChecked()
    assert web(application).getViewBox().viewRange()[1][1] == pytest.approx(1100, abs=1)


def test_a_click_on_a_defect_chooses_it_in_the_table(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    over(qtbot, application)
    model = application.line.page.table.defects
    defects = [model.defect(row) for row in range(model.rowCount())]
    defect = max(defects, key=lambda d: d.peak)
    application.line.page.live_view.jump(defect.first_line + 4, defect.left_px + 4)
    application.line.page.table.clearSelection()
    plot = web(application)
    place = QPointF((defect.left_px + defect.right_px) / 2, defect.first_line + 4)
    at = plot.mapFromScene(plot.getViewBox().mapViewToScene(place))
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: selected(application) == defect.number, timeout=10_000)


def test_a_roll_can_be_paused_resumed_and_stopped(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(ENDLESS)
    actions = application.window.actions_by_key
    qtbot.waitUntil(actions["pause"].isEnabled, timeout=PATIENCE_MS)
    assert not actions["start"].isEnabled()
    inspecting(qtbot, application)
    press(application, "pause")
    qtbot.waitUntil(lambda: state(application) == "paused", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: actions["start"].isEnabled() and not actions["pause"].isEnabled(), timeout=PATIENCE_MS)
    press(application, "start")
    qtbot.waitUntil(lambda: state(application) == "running", timeout=PATIENCE_MS)
    stop(qtbot, application)
    over(qtbot, application)
    roll = read_roll(engine, 1)["roll"]
    assert roll["state"] == "stopped"
    assert roll["gap_m"] == 0
    assert not actions["stop"].isEnabled()
    assert actions["start"].isEnabled()


def test_a_second_roll_begins_with_an_empty_table(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    first = rows(application)
    press(application, "start")
    qtbot.waitUntil(lambda: f" {first} defect" in question(application), timeout=PATIENCE_MS)
    assert rows(application) == first
    answer(qtbot, application, "Start the next roll")
    qtbot.waitUntil(lambda: rows(application) == 0, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    over(qtbot, application)
    assert rows(application) == first
    assert [r.state for r in read_summaries(engine, 10)] == ["finished", "finished"]
    assert len({r.defects for r in read_summaries(engine, 10)}) == 1


def choose_folder(monkeypatch: pytest.MonkeyPatch, folder: Path | str) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))


def choose_export(monkeypatch: pytest.MonkeyPatch, folder: Path | str) -> list[str]:
    """The person names a folder for the roll; what the program proposes is in the list."""
    proposed: list[str] = []

    def ask(_parent: object, _title: str, place: str) -> tuple[str, str]:
        proposed.append(place)
        return str(folder), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return proposed


def test_a_roll_is_exported_where_the_person_says(
    begin: Begin, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin()
    assert not application.window.actions_by_key["export"].isEnabled()
    over(qtbot, application)
    proposed = choose_export(monkeypatch, tmp_path / "out")
    press(application, "export")
    assert Path(proposed[0]).name == "roll-1"
    assert "defects.csv" in banner(application)
    assert len(json.loads((tmp_path / "out" / "defects.json").read_text())["defects"]) == rows(application)
    assert (tmp_path / "out" / "itdd").is_dir()
    proposed = choose_export(monkeypatch, "")
    press(application, "export")  # the person has changed their mind
    assert proposed == [str(tmp_path / "roll-1")]  # beside the one before
    choose_export(monkeypatch, "/proc/nowhere")
    press(application, "export")
    assert "cannot be written" in banner(application)


def test_an_export_that_failed_stays_to_be_read_while_a_roll_runs(
    begin: Begin, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    choose_export(monkeypatch, "/proc/nowhere")
    qtbot.waitUntil(lambda: "matches plain" in banner(application), timeout=PATIENCE_MS)  # what else there is to say
    press(application, "export")
    qtbot.wait(1000)  # many ticks, and far less than it takes to read
    assert "cannot be written" in banner(application)


def test_a_folder_is_inspected_when_the_person_opens_it(
    begin: Begin, qtbot: QtBot, engine: Engine, loom_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "strips"
    folder.mkdir()
    for path in sorted((loom_data / "plain" / "defect").iterdir())[:2]:
        shutil.copy(path, folder)
    (folder / "zz broken.png").write_text("no picture")
    application = begin()
    inspecting(qtbot, application)
    choose_folder(monkeypatch, folder)
    press(application, "open_folder")
    answer(qtbot, application, "Inspect as one web")
    answer(qtbot, application, "Start the new roll")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    over(qtbot, application)
    roll = read_roll(engine, 2)
    assert roll["roll"]["source"] == str(folder)
    assert figure(application, "not inspected") == "0.00 m (1)"
    assert "zz broken.png" in roll["gaps"][0]["reason"]
    assert read_roll(engine, 1)["roll"]["state"] in ("stopped", "finished")


def test_a_folder_that_is_not_there_is_said_and_the_window_lives(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    application = begin(SourceChoice(f"folder:{tmp_path / 'nowhere'}"))
    over(qtbot, application, "failed")
    assert "There is no folder" in why(application)
    assert condition(application) == "NOT INSPECTING"
    press(application, "open_loom")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 1, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "There is no folder" not in banner(application), timeout=PATIENCE_MS)


def test_a_folder_that_disappears_in_mid_roll_is_a_gap(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "strips"
    folder.mkdir()
    for k in range(8):
        cv2.imwrite(str(folder / f"{k}.png"), np.full((512, 256), 90, np.uint8))
    application = begin(SourceChoice(f"folder:{folder}", lines_per_s=1000.0))
    inspecting(qtbot, application)
    shutil.rmtree(folder)
    over(qtbot, application, "failed")
    roll = read_roll(engine, 1)
    (gap,) = roll["gaps"]
    assert gap["length_m"] + roll["roll"]["inspected_m"] == pytest.approx(8 * 512 * 0.0002)
    assert "is gone" in gap["reason"]
    assert roll["roll"]["state"] == "failed"
    assert "pictures of it that were not inspected" in why(application)
    assert condition(application) == "NOT INSPECTING"


def test_a_model_that_cannot_be_loaded_is_said_and_another_can_be_chosen(
    begin: Begin, qtbot: QtBot, engine: Engine, bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "letter.cras"
    bad.write_text("this is a letter to the mill")
    application = begin(bundle=bad)
    qtbot.waitUntil(lambda: "letter.cras" in banner(application) and "Loading" not in banner(application))
    assert state(application) == "idle"
    choose_file(monkeypatch, bundle_path)
    press(application, "open_bundle")
    over(qtbot, application)
    assert read_roll(engine, 1)["roll"]["state"] == "finished"


def test_a_recipe_that_does_not_fit_the_model_is_said(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(recipe=Recipe(fabric="denim"))
    qtbot.waitUntil(lambda: "denim" in banner(application), timeout=PATIENCE_MS)
    assert "plain, twill" in banner(application)
    assert read_summaries(engine, 10) == []


def test_closing_in_mid_roll_ends_the_roll(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    application.window.close()
    answer(qtbot, application, "Quit")
    assert application.window.isVisible(), "it stays until the roll is closed"
    assert "Ending the roll" in banner(application)
    qtbot.waitUntil(lambda: not application.window.isVisible(), timeout=PATIENCE_MS)
    assert application.is_at_rest
    roll = read_roll(engine, 1)["roll"]
    assert roll["state"] == "stopped"
    assert roll["ended_at"] is not None
    assert roll["inspected_m"] + roll["gap_m"] == pytest.approx(roll["length_m"])


def test_closing_without_a_roll_ends_the_program_at_once(
    begin: Begin, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(start=False)
    ended: list[bool] = []
    monkeypatch.setattr(qapp, "quit", lambda: ended.append(True))
    application.window.close()
    assert ended == [True]
    assert not application.window.isVisible()


def test_stopping_twice_ends_without_inspecting_what_waits(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(SourceChoice("loom:plain", lines_per_s=20_000.0, is_live=True, seed=12))
    inspecting(qtbot, application)
    qtbot.waitUntil(lambda: backlog_percent(application) > 20, timeout=PATIENCE_MS)
    stop(qtbot, application)
    press(application, "stop")
    answer(qtbot, application, "End at once")
    over(qtbot, application)
    roll = read_roll(engine, 1)
    assert any("ended before" in g["reason"] for g in roll["gaps"])
    assert roll["roll"]["inspected_m"] + roll["roll"]["gap_m"] == pytest.approx(roll["roll"]["length_m"])


def test_the_colours_change_and_are_remembered(begin: Begin, qapp: QApplication) -> None:
    application = begin(start=False)
    dark = pixels(application.window).mean()
    press(application, "theme")
    light = pixels(application.window).mean()
    assert light > dark + 60
    assert qapp.palette().window().color().lightness() > 200
    application.window.close()
    assert load_settings()[0].theme == "light"
    press(application, "theme")
    assert qapp.palette().window().color().lightness() < 60


def test_a_new_recipe_holds_from_the_next_roll_on(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    press(application, "recipe")
    keep(recipe_form(application), Recipe(name="coarse", mm_per_px=0.4, threshold=1.5))
    assert application.line.page.threshold == 1.5
    latest = application.program.roll.latest  # what is cut out of the roll before still has its scale
    assert latest is not None
    assert latest.recipe.mm_per_px == 0.2
    start_next(qtbot, application)
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    over(qtbot, application)
    first, second = (read_roll(engine, n)["roll"] for n in (1, 2))
    assert (second["recipe"]["name"], second["threshold"]) == ("coarse", 1.5)
    assert second["length_m"] == pytest.approx(2 * first["length_m"])


def some_defect(number: int) -> Defect:
    return Defect(
        number=number,
        fabric="plain",
        shape="line",
        first_line=0,
        end_line=900,
        left_px=10,
        right_px=20,
        position_m=0.0,
        position_mm=3.0,
        length_mm=180.0,
        width_mm=2.0,
        area_mm2=360.0,
        peak=2.0,
        mean=1.5,
        raw_peak=3.0,
        boxes=(),
        is_open=True,
        thumbnail=np.zeros((96, 96), np.uint8),
    )


def test_a_defect_found_and_withdrawn_between_two_looks_is_not_listed(begin: Begin) -> None:
    application = begin(start=False)
    application.program.bridge.news_came.emit(News((), (some_defect(1), some_defect(2)), (), (), withdrawn=(2,)))
    assert rows(application) == 1
    application.program.bridge.news_came.emit(News((), (some_defect(1),), (), (), withdrawn=()))
    assert rows(application) == 1


def test_every_action_has_an_answer_a_unique_key_a_tip_and_a_menu(begin: Begin) -> None:
    application = begin(start=False)
    keys = [row.key for row in ROWS]
    shortcuts = [QKeySequence(row.shortcut) for row in ROWS]
    assert all(not s.isEmpty() for s in shortcuts)
    assert len({s.toString() for s in shortcuts}) == len(ROWS)
    in_menus = [
        action
        for top in application.window.menuBar().actions()
        for action in top.menu().actions()
        if not action.isSeparator()
    ]
    assert sorted(a.objectName() for a in in_menus) == sorted(keys)
    for action in in_menus:
        assert action.toolTip()
        assert action.statusTip()
        assert action.shortcut().toString() in action.toolTip()
    letters = [a.text()[a.text().index("&") + 1].lower() for a in application.window.menuBar().actions()]
    assert len(set(letters)) == len(letters)
    for title, entries in MENUS:
        texts = [application.window.actions_by_key[k].text() for k in entries if k]
        mnemonics = [t[t.index("&") + 1].lower() for t in texts if "&" in t]
        assert len(set(mnemonics)) == len(mnemonics), f"two entries of {title} answer to one letter"


def test_all_keys_are_listed_for_the_person(begin: Begin) -> None:
    shown = keys_shown(begin(start=False))
    of_page, everywhere = shown[: shown.index("Everywhere")], shown[shown.index("Everywhere") :]
    for row in ROWS:
        listed = [line for line in shown if line.startswith(f"{row.shortcut} ") and line.endswith(f": {row.tip}")]
        assert len(listed) == (row.page in ("", "line")), row.key
        assert not listed or listed[0] in (of_page if row.page else everywhere)


def test_full_screen_and_back(begin: Begin) -> None:
    application = begin(start=False)
    press(application, "full_screen")
    assert application.window.isFullScreen()
    press(application, "full_screen")
    assert not application.window.isFullScreen()


def test_the_keyboard_reaches_the_table(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    application.window.activateWindow()
    press(application, "table")
    qtbot.waitUntil(application.line.page.table.hasFocus)


def test_figures_and_controls_have_names_for_screen_readers(begin: Begin) -> None:
    application = begin(start=False)
    window = application.window
    figures = [x for x in window.findChildren(QLabel) if x.objectName() in ("figure", "position", "state")]
    assert len(figures) >= 8
    for label in figures:
        assert label.accessibleName(), f"the figure {label.text()!r} has no name"
    for kind in (QSlider, QProgressBar):
        assert all(x.accessibleName() for x in window.findChildren(kind))
    assert application.line.page.table.accessibleName() == "Defects"


def test_nothing_that_is_pressed_at_rest_does_harm(begin: Begin, engine: Engine) -> None:
    application = begin(start=False)
    for key in ("pause", "stop", "next", "previous", "follow", "heat", "export"):
        press(application, key)
    assert application.is_at_rest
    assert State.IDLE.value == state(application)
    assert read_summaries(engine, 10) == []


def test_the_keys_of_a_page_do_nothing_on_another(begin: Begin) -> None:
    application = begin(start=False)
    of_the_line = [application.window.actions_by_key[row.key] for row in ROWS if row.page == "line"]
    assert len(of_the_line) >= 10
    assert all(action.isEnabled() for action in of_the_line)
    application.show_page("settings")
    assert not any(action.isEnabled() for action in of_the_line)
    QTest.keyClick(application.window, Qt.Key.Key_Plus)
    assert application.line.page.threshold == 1.0
    application.show_page("line")
    assert all(action.isEnabled() for action in of_the_line)


def test_pages_are_reached_by_their_buttons_and_keys(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    application.window.activateWindow()
    keys = [row.key for row in PAGES]
    assert [a.objectName() for a in application.window.navigation.actions()] == keys
    for row in reversed(PAGES):
        (action,) = [a for a in application.window.navigation.actions() if a.objectName() == row.key]
        assert row.shortcut in action.toolTip()
        action.trigger()
        assert application.window.page == row.key
        assert action.isChecked()


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.key)
def test_the_key_of_a_page_shows_it(begin: Begin, qtbot: QtBot, row: PageRow) -> None:
    application = begin(start=False)
    application.show_page("settings" if row.key == "line" else "line")
    application.window.activateWindow()
    qtbot.waitUntil(application.window.isActiveWindow)
    pressed = QKeySequence(row.shortcut)[0]
    QTest.keyClick(application.window, pressed.key(), pressed.keyboardModifiers())
    qtbot.waitUntil(lambda: application.window.page == row.key)


def test_the_window_is_no_larger_than_the_screen(begin: Begin) -> None:
    window = begin(start=False).window
    room = window.screen().availableGeometry()
    assert window.width() <= room.width()
    assert window.height() <= room.height()
