"""What mouse and keyboard do on a tile, without a window."""

import pytest

from aoi_app.samples.label_gestures import Drawn, Gesture, Moved, Pen, Selected
from cras_core.data.samples.labels import Label

BOX = Label("box", ((10.0, 10.0), (20.0, 16.0)), "hole")
TILE = Gesture(size=(64, 48))
SELECTING = Gesture(size=(64, 48), labels=(BOX,), pen=Pen("select"))


def test_a_drag_draws_a_box_of_the_chosen_type() -> None:
    gesture, said = TILE.with_pen(Pen("box", code="K1")).pressed((5, 5), 1)
    assert said is None
    assert gesture.is_going_on
    gesture, said = gesture.followed((30, 20)).released()
    assert said == Drawn(Label("box", ((5, 5), (30, 20)), "K1"))
    assert not gesture.is_going_on
    assert gesture.labels == (), "who hears it adds it"


def test_a_polygon_goes_on_after_the_button_is_up() -> None:
    gesture = TILE.with_pen(Pen("polygon"))
    for corner in ((5, 5), (30, 5), (30, 30)):
        gesture, said = gesture.followed(corner).pressed(corner, 1)
        assert said is None
        gesture, said = gesture.released()
        assert said is None
    gesture, said = gesture.finished()
    assert isinstance(said, Drawn)
    assert len(said.label.points) == 3
    assert gesture.finished() == (gesture, None)


def test_another_tool_forgets_what_was_being_drawn_and_another_brush_does_not() -> None:
    gesture, _ = TILE.with_pen(Pen("brush", 8.0)).pressed((5, 5), 1)
    wider = gesture.with_pen(Pen("brush", 16.0))
    assert wider.draft is not None
    assert wider.draft.radius_px == 16.0
    assert not wider.with_pen(Pen("box")).is_going_on


def test_a_click_selects_and_a_drag_moves() -> None:
    gesture, said = SELECTING.pressed((15, 12), 1)
    assert said == Selected(0)
    still, said = gesture.released()
    assert said is None, "it lies where it lay"
    assert not still.is_going_on
    gesture, said = gesture.followed((18, 14)).released()
    there = Label("box", ((13.0, 12.0), (23.0, 18.0)), "hole")
    assert said == Moved((there,))
    assert SELECTING.pressed((50, 40), 1)[1] == Selected(-1)


def test_what_is_cancelled_lies_where_it_lay() -> None:
    gesture, _ = SELECTING.pressed((15, 12), 1)
    assert gesture.followed((40, 40)).cancelled().labels == (BOX,)
    drawing, _ = TILE.pressed((5, 5), 1)
    assert not drawing.cancelled().is_going_on


def test_labels_that_are_shown_again_do_not_end_a_drag_and_others_do() -> None:
    gesture, _ = SELECTING.pressed((15, 12), 1)
    assert gesture.with_labels((BOX,), 0).held is not None
    assert gesture.with_labels((), -1).held is None
    assert SELECTING.with_labels((BOX,), 5).selected == -1


def test_arrows_move_a_cross_from_the_middle_and_stop_at_the_border() -> None:
    assert TILE.stepped(1, 0).cursor == (33, 24)
    assert TILE.stepped(-500, 500).cursor == (0, 47)
    assert TILE.stepped(1, 0).by_mouse().cursor is None


def test_a_box_is_drawn_by_keyboard_with_two_clicks() -> None:
    gesture, said = TILE.stepped(-10, 0).clicked(1)
    assert said is None
    gesture, said = gesture.stepped(10, 10).clicked(1)
    assert said == Drawn(Label("box", ((22, 24), (32, 34))))
    assert TILE.clicked(1) == (TILE, None), "there is no cross yet"


def test_arrows_move_the_selected_label_and_the_last_key_up_tells_it() -> None:
    gesture = SELECTING.with_labels((BOX,), 0).stepped(1, 0).stepped(1, -3)
    _, said = gesture.released()
    assert said == Moved((Label("box", ((12.0, 7.0), (22.0, 13.0)), "hole"),))
    assert gesture.cancelled().labels == (BOX,)


@pytest.mark.parametrize("tool", ["box", "polygon", "brush"])
def test_another_tile_forgets_what_was_going_on(tool: str) -> None:
    gesture, _ = TILE.with_pen(Pen(tool)).stepped(1, 1).clicked(1)  # type: ignore[arg-type]
    assert gesture.is_going_on
    there = gesture.on_tile((10, 10))
    assert not there.is_going_on
    assert there.cursor is None
