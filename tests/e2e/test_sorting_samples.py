"""Samples are looked through, thrown out and taken back."""

from __future__ import annotations

from dataclasses import replace

from mill import FABRIC, Mill
from PySide6.QtCore import Qt

from aoi_app.samples.state import FILTERS
from cras_core.data.samples.values import Sample

KEY = Qt.Key


def suspect(mill: Mill, **suspicion: float) -> None:
    for name, value in suspicion.items():
        mill.store.update(replace(mill.on_disk(name), suspicion=value))


def test_the_most_suspicious_sample_is_the_first(mill: Mill) -> None:
    mill.fill(4)
    suspect(mill, s2=1.7, s1=0.3, s3=1.1)
    mill.open()
    assert mill.shown() == ["s2", "s3", "s1", "s0"]
    assert mill.text("What is shown") == "4 of 4, 2 suspicious: please check"
    mill.browser.order.setCurrentIndex(1)
    assert mill.shown() == ["s0", "s1", "s2", "s3"]


def test_x_throws_out_and_goes_on_to_the_next(mill: Mill) -> None:
    mill.fill(4)
    mill.open()
    mill.press(KEY.Key_Right, KEY.Key_X, KEY.Key_Delete)
    assert mill.shown() == ["s0", "s3"]
    assert [s.id for s in mill.grid.selected()] == ["s3"]
    mill.until(lambda: mill.on_disk("s1").choice == mill.on_disk("s2").choice == "thrown out")
    mill.until(lambda: "2 good, 0 defects, 2 thrown out" in mill.fabrics.list.item(0).text())
    assert mill.store.image(mill.on_disk("s1")).shape == (64, 96), "it stays on disk"


def test_several_go_at_once_and_undo_brings_all_back(mill: Mill) -> None:
    mill.fill(5)
    mill.open()
    mill.grid.selectAll()
    mill.press(KEY.Key_X)
    assert mill.shown() == []
    mill.browser.actions_by_key["undo"].trigger()
    mill.until(lambda: len(mill.shown()) == 5)
    mill.until(lambda: all(s.choice == "kept" for s in mill.store.samples(FABRIC)))
    mill.until(lambda: not mill.browser.actions_by_key["undo"].isEnabled())


def test_thrown_out_samples_are_found_and_kept_again(mill: Mill) -> None:
    mill.fill(3, choice="thrown out")
    mill.open()
    assert mill.shown() == []
    mill.browser.which.setCurrentIndex(FILTERS.index("thrown out"))
    assert len(mill.shown()) == 3
    mill.press(KEY.Key_K)
    assert mill.shown() == ["s1", "s2"]
    mill.until(lambda: mill.on_disk("s0").choice == "kept")


def test_among_all_samples_a_thrown_out_one_stays_and_the_next_is_selected(mill: Mill) -> None:
    mill.fill(3)
    mill.open()
    mill.browser.which.setCurrentIndex(FILTERS.index("all"))
    mill.press(KEY.Key_X)
    assert mill.shown() == ["s0", "s1", "s2"]
    assert [s.id for s in mill.grid.selected()] == ["s1"]
    assert mill.grid.samples.sample(0).choice == "thrown out"


def test_marks_do_not_depend_on_colour(mill: Mill) -> None:
    """A suspicious, a thrown out and a broken sample look different from a good one in grey as well."""
    mill.fill(1)
    for name in ("odd", "out", "broken"):
        mill.store.add(Sample(name, FABRIC, "file", "roll-1", first_line=1000), mill.store.image(mill.on_disk("s0")))
    suspect(mill, odd=1.5)
    mill.store.update(replace(mill.on_disk("out"), choice="thrown out"))
    mill.store.image_path(mill.on_disk("broken")).write_bytes(b"no picture")
    mill.open()
    mill.browser.which.setCurrentIndex(FILTERS.index("all"))
    mill.until(lambda: mill.grid.samples.wanted(range(4)) == [])
    mill.grid.clearSelection()
    mill.qtbot.wait(60)
    drawn = {name: grey_of(mill, name) for name in ("s0", "odd", "out", "broken")}
    for name in ("odd", "out", "broken"):
        different = abs(drawn[name] - drawn["s0"]) > 40
        assert different.mean() > 0.02, name


def grey_of(mill: Mill, name: str):  # type: ignore[no-untyped-def]
    import numpy as np
    from PySide6.QtGui import QImage

    index = mill.grid.samples.index(mill.grid.samples.row_of(name))
    rect = mill.grid.visualRect(index).adjusted(0, 0, 0, -20)
    image = mill.grid.viewport().grab(rect).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width()].astype(int)


def test_thousands_of_samples_read_only_what_is_seen(mill: Mill) -> None:
    first = mill.fill(1)[0]
    samples = tuple(replace(first, id=f"m{i:05}", first_line=i) for i in range(6000))
    mill.open()
    with mill.qtbot.waitSignal(mill.grid.thumbnails_wanted) as wanted:
        mill.grid.show_samples(samples, mill.store.folder(FABRIC) / "samples", {})
    (seen,) = wanted.args
    assert 20 < len(seen) < 120
    with mill.qtbot.waitSignal(mill.grid.thumbnails_wanted) as wanted:
        mill.grid.select_row(5500)
    (later,) = wanted.args
    assert mill.store.folder(FABRIC) / "samples" / "m05500.png" in later
    assert not set(later) & set(seen)


def test_what_is_said_aloud_names_the_place_and_the_decision(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.press(KEY.Key_X)
    mill.browser.which.setCurrentIndex(FILTERS.index("all"))
    index = mill.grid.samples.index(0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "roll-1, 0.00 m along, 0 mm across; thrown out"


def test_coverage_follows_what_is_thrown_out(mill: Mill) -> None:
    mill.fill(4)
    mill.open()
    assert mill.text("good tiles") == "4"
    assert "more tiles" in mill.text("Whether the samples are enough")
    mill.press(KEY.Key_X)
    assert mill.text("good tiles") == "3"
