"""The map of a roll: what lies where, the gravest on top, and one defect found under the mouse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem
from pytestqt.qtbot import QtBot

from aoi_app.ui.rolls.defect_layer import SEVERITIES, DefectLayer, MapMark
from aoi_app.ui.rolls.roll_map import MapGap, RollMap, RollMapContent


def mark(number: int, at_m: float, across_mm: float, points: int = 1, *, rejected: bool = False) -> MapMark:
    return MapMark(number, at_m, at_m + 0.01, across_mm, across_mm + 5, points, rejected, f"defect {number}")


def painted(layer: DefectLayer, length_m: float = 100.0, width_mm: float = 1000.0) -> QImage:
    """500 x 250 px of the whole roll."""
    image = QImage(500, 250, QImage.Format.Format_ARGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.scale(500 / length_m, 250 / width_mm)
    option = QStyleOptionGraphicsItem()
    option.exposedRect = QRectF(0, 0, length_m, width_mm)
    layer.paint(painter, option)
    painter.end()
    return image


def colours(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def test_a_defect_is_drawn_where_it_lies_in_the_colour_of_its_points(qtbot: QtBot) -> None:
    layer = DefectLayer()
    layer.set_marks([mark(1, 20.0, 500.0, 4), mark(2, 60.0, 200.0, 1)])
    image = painted(layer)
    assert image.pixelColor(102, 127).name() == SEVERITIES[4]
    assert image.pixelColor(302, 52).name() == SEVERITIES[1]
    assert colours(image) == {"#000000", SEVERITIES[4], SEVERITIES[1]}


def test_of_many_in_one_place_the_gravest_is_seen(qtbot: QtBot) -> None:
    """As exact marks and as cells of a coarse picture."""
    for crowd in (10, 5000):
        layer = DefectLayer()
        marks = [mark(n, 20.0, 500.0, 1) for n in range(crowd)]
        layer.set_marks([mark(99_999, 20.0, 500.0, 4), *marks])
        image = painted(layer)
        assert image.pixelColor(102, 127).name() == SEVERITIES[4]
        assert SEVERITIES[1] not in colours(image)


def test_what_was_rejected_lies_below_everything(qtbot: QtBot) -> None:
    layer = DefectLayer()
    layer.set_marks([mark(1, 20.0, 500.0, 0), mark(2, 20.0, 500.0, 4, rejected=True)])
    assert painted(layer).pixelColor(102, 127).name() == SEVERITIES[0]


def test_the_defect_under_the_mouse_or_the_nearest_within_reach(qtbot: QtBot) -> None:
    layer = DefectLayer()
    assert layer.nearest(1.0, 1.0, 1.0, 1.0) is None
    layer.set_marks([mark(1, 20.0, 500.0), mark(2, 20.5, 500.0)])
    for along, number in ((20.005, 1), (20.1, 1), (20.45, 2)):
        found = layer.nearest(along, 500.0, 0.2, 10.0)
        assert found is not None
        assert found.number == number
    assert layer.nearest(25.0, 500.0, 0.2, 10.0) is None
    assert layer.nearest(20.0, 700.0, 0.2, 10.0) is None


def test_it_shows_the_whole_roll_and_goes_to_a_defect_that_is_out_of_sight(qtbot: QtBot) -> None:
    view = RollMap()
    qtbot.addWidget(view)
    marks = [mark(n, float(n), 500.0) for n in range(90)]
    content = RollMapContent(
        100.0, 1500.0, marks, [MapGap(30.0, 35.0, "pause")], [(0.0, 1490.0), (1.0, 1500.0)], [50.0], 1.0, {3: 4}, "m"
    )
    view.show_roll(content)
    assert [line.value() for line in view._splices] == [50.0]
    assert view._edge.getData()[1].tolist() == [1490.0, 1500.0]
    assert np.allclose(view.view_m, (0.0, 100.0))
    view._window.setRegion((10.0, 12.0))  # a hand on the plot of the whole roll
    assert np.allclose(view.view_m, (10.0, 12.0))
    view.choose(50)
    assert np.allclose(view.view_m, (49.0, 51.0))
    view.show_roll(content, keeps_view=True)  # a verdict changes colours, not the place
    assert np.allclose(view.view_m, (49.0, 51.0))
    assert np.allclose(view._window.getRegion(), (49.0, 51.0))


def test_a_roll_that_runs_and_is_seen_whole_stays_seen_whole(qtbot: QtBot) -> None:
    view = RollMap()
    qtbot.addWidget(view)
    for length_m in (10.0, 12.0, 40.0):
        view.show_roll(
            RollMapContent(length_m, 1500.0, [mark(1, 5.0, 500.0)], [], [], [], 1.0, {5: 1}, "m"), keeps_view=True
        )
        assert np.allclose(view.view_m, (0.0, length_m))
