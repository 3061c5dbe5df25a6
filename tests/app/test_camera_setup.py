"""What the page of cameras decides before it draws: which features it shows, what it says, who may hold a camera."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from aoi_app.camera_setup.camera_hold import CameraHold, may_hold_camera, why_not_now
from aoi_app.camera_setup.camera_state import CameraState
from aoi_app.camera_setup.feature_rows import FeatureRow, feature_row, hint_of, line_scan_panel, visible
from aoi_app.camera_setup.focus_curves import thinned, thumbnail
from aoi_app.camera_setup.focus_state import FlatFieldState, FocusState, Phase
from aoi_app.camera_setup.wording import camera_text, focus_text
from aoi_app.sources.block import Block
from aoi_app.sources.camera.features import Access, Feature, NodeMap, Visibility


def row(name: str, node_map: NodeMap = "remote", access: Access = "RW", level: Visibility = "Beginner") -> FeatureRow:
    return feature_row(
        Feature(node_map, name, name, ("Some Control",), "float", 4.0, access, level, 1.0, 8.0, None, "us")
    )


# --- which features are shown


def test_the_panel_takes_the_cameras_own_feature_first_and_says_what_is_lacking() -> None:
    rows = [
        row("Height", "stream"),
        row("Width", "stream"),
        row("Width"),
        row("ExposureTimeAbs"),
        row("Gain", access="NA"),
    ]
    panel = {p.caption: p for p in line_scan_panel(rows)}
    keys = {caption: p.feature.key for caption, p in panel.items() if p.feature is not None}
    assert keys == {
        "width": ("remote", "Width"),
        "lines per frame": ("stream", "Height"),  # of the frame grabber, since the camera has none
        "exposure": ("remote", "ExposureTimeAbs"),  # the name of another maker
    }
    assert panel["gain"].lack == "Gain is not available now"
    assert panel["trigger"].lack == "this camera has no TriggerMode"


def test_levels_include_those_below_and_the_search_looks_at_categories() -> None:
    rows = [row("Width"), row("Deep", level="Expert")]
    assert [r.label for r in visible(rows, "", "Beginner")] == ["Width"]
    assert [r.label for r in visible(rows, "", "Guru")] == ["Width", "Deep"]
    assert [r.label for r in visible(rows, "dEE", "Guru")] == ["Deep"]
    assert len(visible(rows, "some", "Expert")) == 2


def test_a_field_says_what_is_allowed_and_whether_it_is_locked() -> None:
    assert hint_of(row("ExposureTime")) == "1 to 8 us"
    assert hint_of(row("ExposureTime", access="RO")) == "1 to 8 us (locked now)"
    mode = Feature("remote", "TriggerMode", "", (), "enumeration", "On", "RO", "Beginner", entries=("On", "Off"))
    assert hint_of(feature_row(mode)) == "(locked now)", "the list of the field shows what there is to choose"


# --- what is said


def test_it_is_said_who_reads_the_open_camera() -> None:
    assert camera_text(CameraState()) == "No camera is open. Select one and press Choose."
    assert camera_text(CameraState(camera="Viky 1")) == "Viky 1 is open; no roll reads it."
    assert camera_text(CameraState(camera="Viky 1", is_on_line=True)) == "Viky 1 is open; the line reads it."
    assert camera_text(CameraState(camera="Viky 1", busy="Reading …")) == "Reading …"


@pytest.mark.parametrize(
    ("state", "obstacle", "said"),
    [
        (FocusState(), "", "Camera 7 is not open."),
        (FocusState(), "A roll runs.", "A roll runs."),
        (FocusState(note="It broke.", phase=Phase.FAILED), "", "It broke. Camera 7 is not open."),
        (FocusState(busy="Opening …", note="It broke."), "", "Opening …"),
        (FocusState(phase=Phase.OPEN, camera="Viky 7"), "", "Viky 7 is open; waiting for lines …"),
        (FocusState(phase=Phase.OPEN, camera="Viky 7", note="Recorded."), "", "Recorded."),
        (
            FocusState(flat_field=FlatFieldState(unsaved="camera 7")),
            "",
            "Camera 7 is not open. A recorded flat field is not saved.",
        ),
    ],
)
def test_how_the_camera_is_doing_is_one_line(state: FocusState, obstacle: str, said: str) -> None:
    assert focus_text(state, obstacle, "7") == said


def test_a_curve_with_few_points_keeps_every_peak() -> None:
    columns = np.full(5000, 100, np.float32)
    columns[1234], columns[4321] = 250, 3
    at, lowest, mean, highest = thinned(columns, points=100)
    assert len(at) == len(lowest) == len(mean) == len(highest) == 100
    assert highest.max() == 250
    assert at[highest.argmax()] == pytest.approx(1234, abs=25)
    assert lowest.min() == 3
    assert mean.mean() == pytest.approx(columns.mean())


@pytest.mark.parametrize("colours", [(), (3,)])
@pytest.mark.parametrize(
    ("lines", "width", "bits", "shape"),
    [(64, 600, 8, (64, 600)), (64, 4096, 12, (16, 1024)), (1, 2050, 16, (1, 683)), (9000, 64, 8, (160, 64))],
)
def test_what_the_camera_sees_is_a_picture_for_the_screen(
    lines: int, width: int, bits: int, shape: tuple[int, int], colours: tuple[int, ...]
) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    image = np.full((lines, width, *colours), 100 << (bits - 8), kind)
    image[:, : width // 2] = 200 << (bits - 8)
    picture = thumbnail(Block(image, bits, None, None, None, "camera", 0.0))
    assert picture.shape == (*shape, *colours)
    assert picture.dtype == np.uint8
    assert picture[0, 0].max() == 200
    assert picture[-1, -1].max() == 100


def test_a_colour_counts_like_the_others_in_a_curve() -> None:
    columns = np.array([[0, 30, 90], [10, 40, 100]], np.float32)
    at, lowest, mean, highest = thinned(columns)
    assert at.tolist() == [0, 1]
    assert (lowest.tolist(), mean.tolist(), highest.tolist()) == ([0, 10], [40, 50], [90, 100])


# --- who holds the camera


@pytest.mark.parametrize(
    ("spec", "may"), [("genicam:7", True), ("synthetic", True), ("side-by-side:web.json", True), ("loom", False)]
)
def test_a_roll_may_hold_a_camera_where_its_kind_of_source_does(spec: str, may: bool) -> None:
    assert may_hold_camera(spec) == may


def test_a_roll_that_is_about_to_begin_is_an_obstacle_too() -> None:
    assert why_not_now(is_running=False, is_about_to_begin=False) == ""
    assert "F8" in why_not_now(is_running=True, is_about_to_begin=False)
    assert "about to start" in why_not_now(is_running=False, is_about_to_begin=True)


@contextmanager
def camera(name: str, closed: list[str]) -> Iterator[str]:
    yield name
    closed.append(name)


def test_who_waits_for_the_camera_of_another_gets_it_afterwards_or_stops_waiting() -> None:
    turn = threading.Lock()
    first: CameraHold[object] = CameraHold(turn)
    second: CameraHold[object] = CameraHold(turn)
    closed: list[str] = []
    first.want()
    first.take(lambda: camera("first", closed))
    assert first.camera is not None
    second.want()
    waiting = threading.Thread(target=second.take, args=(lambda: camera("second", closed),))
    waiting.start()
    assert second.give_up()
    waiting.join(10)
    assert not waiting.is_alive()
    assert second.camera is None
    first.let_go()
    assert closed == ["first"]
    second.want()
    second.take(lambda: camera("second", closed))
    assert second.camera is not None
    second.let_go()
    assert not turn.locked()


def test_a_camera_that_cannot_be_opened_leaves_the_turn_to_others() -> None:
    turn = threading.Lock()
    hold: CameraHold[object] = CameraHold(turn)

    @contextmanager
    def broken() -> Iterator[str]:
        raise OSError("no camera")
        yield ""

    hold.want()
    with pytest.raises(OSError, match="no camera"):
        hold.take(broken)
    assert hold.camera is None
    assert not turn.locked()
