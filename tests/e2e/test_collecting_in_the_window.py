"""The engineer collects samples of the cloth that runs."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot
from window_tools import ENDLESS, PATIENCE_MS, Begin, banner, inspecting, over, press, stop

from aoi_app.app.application import Application
from aoi_app.inspection.findings.defects import Remark
from aoi_app.settings.folders import library_folder
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord


def said(application: Application) -> str:
    (label,) = [
        x for x in application.line.page.collect_bar.findChildren(QLabel) if x.accessibleName() == "Collecting samples"
    ]
    return label.text() if label.isVisible() else ""


def button(application: Application, text: str) -> QPushButton:
    (found,) = [b for b in application.line.page.collect_bar.findChildren(QPushButton) if b.text() == text]
    return found


def test_samples_are_collected_until_it_is_enough(begin: Begin, qtbot: QtBot) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    press(application, "collect")
    name = application.line.page.collect_bar.findChild(QComboBox)
    assert isinstance(name, QComboBox)
    assert not button(application, "Collect").isEnabled()  # a fabric has a name
    QTest.keyClicks(name.lineEdit(), "denim 12 oz")
    QTest.keyClick(name.lineEdit(), Qt.Key.Key_Return)
    store = SampleStore(library_folder())
    qtbot.waitUntil(lambda: "Collecting denim 12 oz: " in said(application), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(store.samples("denim 12 oz")) >= 8, timeout=PATIENCE_MS)
    button(application, "Enough").click()
    qtbot.waitUntil(lambda: said(application).endswith("Check them on the page Samples (Ctrl+N)."), timeout=PATIENCE_MS)
    samples = store.samples("denim 12 oz")
    assert f"{len(samples)} samples of denim 12 oz collected." in said(application)
    assert all(s.suspicion is not None for s in samples)
    assert store.fabric("denim 12 oz").recipe["fabric"] == "denim 12 oz"
    button(application, "Show samples").click()
    assert application.window.page == "samples"
    application.show_page("line")
    stop(qtbot, application)
    over(qtbot, application)
    assert len(store.samples("denim 12 oz")) == len(samples)
    press(application, "collect")
    assert "begin a roll first" in banner(application)


def test_a_name_that_is_known_is_offered_and_the_end_of_the_roll_ends_collecting(begin: Begin, qtbot: QtBot) -> None:
    store = SampleStore(library_folder())
    store.begin(FabricRecord("poplin"))
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    press(application, "collect")
    name = application.line.page.collect_bar.findChild(QComboBox)
    assert isinstance(name, QComboBox)
    assert [name.itemText(i) for i in range(name.count())] == ["poplin"]
    name.setCurrentText("Poplin")  # the same but for its capital
    button(application, "Collect").click()
    assert "There is a fabric 'poplin' already" in banner(application)
    name.setCurrentText("poplin")
    button(application, "Collect").click()
    qtbot.waitUntil(lambda: "Collecting poplin" in said(application), timeout=PATIENCE_MS)
    stop(qtbot, application)
    over(qtbot, application)
    qtbot.waitUntil(lambda: "samples of poplin collected" in said(application), timeout=PATIENCE_MS)


def test_cloth_that_no_model_knows_is_offered_to_be_enrolled_once_a_roll(begin: Begin, qtbot: QtBot) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    unknown = Remark("unknown", "plain", 0, 1.25, "unknown cloth")
    name = application.line.page.collect_bar.findChild(QComboBox)
    assert name is not None
    application.collecting.offer([unknown])
    assert "Unknown cloth at 1.25 m. To collect samples of it, give it a name." in said(application)
    assert application.window.focusWidget() is not name, "a key of the line is not typed into a name"
    press(application, "collect")
    assert application.window.focusWidget() is name, "whoever asks for it can type at once"
    QTest.keyClick(name, Qt.Key.Key_Escape)
    assert application.window.focusWidget() is None
    assert said(application) == ""
    application.collecting.offer([unknown])
    assert said(application) == ""
