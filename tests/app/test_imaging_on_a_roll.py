"""How the camera sees the cloth, on rolls: what changes is told before it matters, and dirt is told from the cloth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from aoi_fakes import PLAIN, Brightness, frame
from rich.console import Console
from typer.testing import CliRunner

from aoi_app.command_line import app
from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.imaging.column_tracks import ColumnTracks, Window
from aoi_app.inspection.imaging.imaging_watch import ImagingSetup, ImagingWatch
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.web.web_scale import WebScale
from aoi_app.settings.imaging_history import ImagingHistory
from cras_core.errors import CrasError
from cras_core.imaging.columns import OddColumns
from cras_core.imaging.enrolled import EnrolledFigures, enrolled_figures, figures_of_picture
from cras_core.web.tiling import TilingConfig

RECIPE = PLAIN.model_copy(update={"mm_per_px": 1.0, "find_edges": False})
WIDTH = 512
Image = npt.NDArray[np.uint8]
Seen = Callable[[Image], npt.NDArray[np.floating]]


def cloth(lines: int, seed: int) -> Image:
    """Texture with a grain of two pixels, 60 grey values bright."""
    noise = np.random.default_rng(seed).normal(0, 1, (lines, WIDTH))
    grain = cv2.GaussianBlur(noise, (0, 0), 1.0)
    return np.clip(np.rint(60 + 10 * grain / grain.std()), 0, 255).astype(np.uint8)


def as_it_is(image: Image) -> npt.NDArray[np.floating]:
    return image.astype(np.float32)


class Line:
    """One camera over several rolls."""

    def __init__(self, folder: Path | None, enrolled: dict[str, EnrolledFigures] | None = None) -> None:
        self.folder, self.enrolled = folder, enrolled or {}

    def run(self, name: str, metres: Iterable[Seen], *, seed: int = 0) -> ImagingWatch:
        """A roll, of which each metre is seen in its own way."""
        setup = ImagingSetup(ImagingHistory(self.folder), "camera 1", name, self.enrolled)
        roll = RollInspection(Brightness(), TilingConfig(), RECIPE, identity="m1", imaging=setup)
        for k, seen in enumerate(metres):
            image = np.clip(np.rint(seen(cloth(1024, seed + k))), 0, 255).astype(np.uint8)
            roll.push(frame(image))
        roll.finish()
        return roll.bands.imaging


def faded(image: Image) -> npt.NDArray[np.floating]:
    """A third of the contrast is gone."""
    return 60 + (image.astype(np.float32) - 60) * 0.67


def blurred(image: Image) -> npt.NDArray[np.floating]:
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.2)


def half_lit(image: Image) -> npt.NDArray[np.floating]:
    """A segment of the lamp is out."""
    dimmed = image.astype(np.float32)
    dimmed[:, 256:384] *= 0.7
    return dimmed


def noisy(image: Image) -> npt.NDArray[np.floating]:
    return image + np.random.default_rng(5).normal(0, 8, image.shape)


def dusty(image: Image) -> npt.NDArray[np.floating]:
    dimmed = image.astype(np.float32)
    dimmed[:, 200:203] *= 0.8
    return dimmed


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (faded, "Contrast has fallen by 3"),
        (blurred, "Focus has fallen by"),
        (half_lit, "Brightness has fallen by 30 % at 256 to 384 mm (camera columns 256 to 384) since "),
        (noisy, "Noise has grown by"),
    ],
)
def test_what_changes_against_the_first_good_metres_is_told_on_a_later_roll(
    tmp_path: Path, seen: Seen, says: str
) -> None:
    line = Line(tmp_path)
    assert line.run("roll 1", [as_it_is] * 4).changes == ()
    told = line.run("roll 2", [seen] * 4, seed=50).changes
    assert any(text.startswith(says) and "(roll 1)" in text for text in told), told
    assert line.run("roll 3", [as_it_is] * 4, seed=90).changes == ()
    (kept,) = ImagingHistory(tmp_path).cameras
    assert [roll.roll for roll in kept.rolls] == ["roll 1", "roll 2", "roll 3"]


def test_one_metre_that_differs_is_not_told() -> None:
    assert Line(None).run("roll 1", [as_it_is, as_it_is, as_it_is, as_it_is, faded]).changes == ()


def test_the_first_roll_is_compared_with_the_samples_that_the_fabric_was_learnt_from() -> None:
    samples = [figures_of_picture(cloth(256, seed)) for seed in range(9)]
    enrolled = enrolled_figures(figures for figures in samples if figures is not None)
    assert enrolled is not None
    line = Line(None, {"plain": enrolled})
    assert line.run("roll 1", [as_it_is] * 4).changes == ()
    (told,) = line.run("roll 2", [faded] * 4).changes
    assert told.startswith("Contrast is 3")
    assert "less than in the 9 samples that plain was learnt from" in told


def test_known_cloth_that_another_lamp_makes_unknown_is_told_with_its_brightness() -> None:
    samples = [figures_of_picture(cloth(256, seed)) for seed in range(9)]
    enrolled = enrolled_figures(figures for figures in samples if figures is not None)
    assert enrolled is not None
    history = ImagingHistory(None)
    watch = ImagingWatch(ImagingSetup(history, "camera 1", "roll 1", {"plain": enrolled}), WebScale(1.0, 1.0))
    doubt = ClothDoubt("unknown cloth", "plain is nearest", 0, 0.0)
    roll = RollInspection(Brightness(), TilingConfig(), RECIPE, identity="m1")
    bands = roll.push(frame(np.rint(cloth(2048, 3) * 0.7).astype(np.uint8))).bands
    for band in bands:
        watch.read(replace(band, doubts=(doubt,)))
    assert re.match(
        r"Brightness is (29|30|31) % less than in the 9 samples that plain was learnt from", watch.changes[0]
    )
    watch.keep()
    assert history.cameras == [], "doubtful cloth is nothing to compare with"


def test_dust_that_comes_in_a_roll_may_be_a_stripe_until_the_next_roll_has_it_as_well(tmp_path: Path) -> None:
    line = Line(tmp_path)
    (told,) = line.run("roll 1", [as_it_is, as_it_is, dusty, dusty, dusty]).columns
    assert told.startswith("Something dark stays at 20")
    assert "or a stripe in the cloth" in told
    assert ": dust, a dead pixel or the lamp" in told
    (told,) = line.run("roll 2", [dusty] * 4, seed=60).columns
    assert told.startswith("Dirty at 20")
    assert "m of roll roll 1: something dark stays there" in told
    assert line.run("roll 3", [as_it_is] * 4, seed=80).columns == ()
    assert ImagingHistory(tmp_path).of("camera 1").columns == ()


def test_a_pixel_that_does_not_change_with_the_cloth_is_told() -> None:
    def stuck(image: Image) -> npt.NDArray[np.floating]:
        still = image.astype(np.float32)
        still[:, 300] = 60
        return still

    (told,) = Line(None).run("roll 1", [as_it_is, as_it_is, stuck, stuck, stuck]).columns
    assert told.startswith("A column that does not change stays at 300 mm (camera column 300)")


def window(at_px: int, edge_px: float | None, *, roll: str = "1", fabric: str = "plain", first: bool = False) -> Window:
    return Window([OddColumns(at_px, at_px + 3, "dark", -8.0)], 1.0, edge_px, roll, fabric, first)


def test_what_moves_with_the_cloth_is_the_cloth_and_what_stays_is_the_camera() -> None:
    stripe, dust = ColumnTracks(), ColumnTracks()
    for tracks in (stripe, dust):
        tracks.read(window(400, 100.0))
        tracks.read(window(400, 100.0))
        assert [track.is_camera for track in tracks.told] == [False]
    stripe.read(window(420, 120.0))
    dust.read(window(400, 120.0))
    assert stripe.told == []
    assert [track.is_camera for track in dust.told] == [True]


def test_a_stripe_that_the_cloth_has_from_its_beginning_is_not_told() -> None:
    tracks = ColumnTracks()
    tracks.read(window(400, None, first=True))
    tracks.read(window(400, None))
    assert tracks.told == []


def test_a_damaged_history_is_said_and_begins_anew(tmp_path: Path) -> None:
    Line(tmp_path).run("roll 1", [as_it_is] * 2)
    (file,) = tmp_path.iterdir()
    file.write_text('{"camera": 7}', encoding="utf-8")
    history = ImagingHistory(tmp_path)
    assert history.of("camera 1").profiles == {}
    (said,) = history.problems
    assert "is learnt anew" in said


def test_the_trend_over_rolls_is_a_command_and_a_new_lamp_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aoi_app.commands.drift.imaging_folder", lambda: tmp_path)
    monkeypatch.setattr("aoi_app.commands.drift.console", Console(width=200))
    runner = CliRunner()
    assert "No roll was measured yet" in runner.invoke(app, ["drift"]).output
    line = Line(tmp_path)
    for name, seen in (("roll 1", as_it_is), ("roll 2", faded)):
        line.run(name, [seen] * 2)
    shown = runner.invoke(app, ["drift"]).output
    assert "plain, camera 1, compared with 20" in shown
    assert re.search(r"roll 2 .*\(-3\d %\) !", shown), shown
    assert "is the new profile" in runner.invoke(app, ["drift", "--begin-anew", "plain"]).output
    assert line.run("roll 3", [faded] * 3).changes == ()
    refused = runner.invoke(app, ["drift", "--begin-anew", "satin"])
    assert isinstance(refused.exception, CrasError)
    assert "measured are" in str(refused.exception)
