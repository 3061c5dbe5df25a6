"""The labels of a tile while somebody edits them, without a window."""

from aoi_app.samples.label_editing import History, LabelEditing
from cras_core.data.samples.labels import Label

BOX = Label("box", ((10.0, 10.0), (20.0, 16.0)), "hole")
STROKE = Label("brush", ((5.0, 40.0), (25.0, 40.0)), "", 3.0)


def test_undo_and_redo_go_the_same_way_back_and_forth() -> None:
    history = History(()).done((BOX,)).done((BOX, STROKE))
    assert history.undone().now == (BOX,)
    assert history.undone().undone().now == ()
    assert history.undone().undone().undone().now == ()
    assert history.undone().redone() == history
    assert history.redone() == history


def test_something_new_ends_what_could_be_redone() -> None:
    history = History(()).done((BOX,)).undone().done((STROKE,))
    assert history.redone().now == (STROKE,)
    assert history.undone().now == ()
    assert history.done((STROKE,)) is history, "nothing was changed"


def test_a_new_label_is_selected_and_a_removed_one_selects_nothing() -> None:
    editing = LabelEditing().added(BOX).added(STROKE)
    assert (editing.selected, editing.labels) == (1, (BOX, STROKE))
    left = editing.without_selected()
    assert (left.selected, left.labels) == (-1, (BOX,))
    assert left.without_selected() == left


def test_undo_and_redo_bring_labels_back_and_select_nothing() -> None:
    editing = LabelEditing().added(BOX)
    back = editing.undone()
    assert (back.labels, back.selected) == ((), -1)
    assert back.undone() == back
    assert back.redone().labels == (BOX,)
    assert editing.redone() == editing


def test_a_type_goes_to_the_selected_label_and_to_the_next_ones() -> None:
    editing = LabelEditing().added(STROKE).with_type("W1")
    assert [label.code for label in editing.labels] == ["W1"]
    assert editing.select(-1).code == "W1"
    assert editing.undone().labels == (STROKE,)
    assert LabelEditing().with_type("W1").labels == ()


def test_labels_are_selected_one_after_the_other_with_the_tool_that_moves_them() -> None:
    editing = LabelEditing().added(BOX).added(STROKE)
    assert editing.select_next().selected == 0
    assert editing.select_next().select_next().selected == 1
    assert editing.select_next().pen.tool == "select"
    assert LabelEditing().select_next() == LabelEditing()


def test_the_pen_is_the_same_on_the_next_tile() -> None:
    editing = LabelEditing().with_tool("brush").with_brush(1).with_type("K1").added(BOX)
    there = editing.on_tile((STROKE,))
    assert there.pen == editing.pen
    assert there.pen.radius_px == 12.0
    assert (there.labels, there.selected, there.history.past) == ((STROKE,), -1, ())
