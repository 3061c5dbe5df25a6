"""``aoi camera`` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aoi_process import CommandLine

from aoi_app.sources.camera.discovery import package_producer


@pytest.fixture
def viky() -> Path:
    path = package_producer()
    if path is None:
        pytest.skip("the package genicam has no producer on this system")
    return path


def test_cameras_are_listed_and_what_is_wrong_with_a_producer_is_said(
    aoi: CommandLine, viky: Path, tmp_path: Path
) -> None:
    listed = aoi("camera", "list", GENICAM_GENTL64_PATH=None)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("Machine Vision Games Ltd.") == 3
    assert "Synthetic line scan" in listed.stdout
    assert f"{viky} (the package genicam, simulated cameras): 3 cameras" in listed.stdout
    (tmp_path / "bad.cti").write_text("nothing")
    bad = aoi("camera", "list", GENICAM_GENTL64_PATH=str(tmp_path))
    assert bad.returncode == 3
    assert f"{tmp_path / 'bad.cti'} is no producer" in bad.stdout
    assert bad.stdout.count("Machine Vision Games Ltd.") == 3


def test_features_are_shown_set_saved_and_applied(aoi: CommandLine, viky: Path, tmp_path: Path) -> None:
    preset = tmp_path / "preset.json"
    shown = aoi("camera", "features", "--producer", viky, "--serial", "1", "--set", "Width=640",
                "--set", "stream.StreamBufferHandlingMode=NewestOnly", "--save", preset)  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "Width = 640  RW integer, Beginner  [100 to 800]" in shown.stdout
    assert "StreamBufferHandlingMode = NewestOnly" in shown.stdout
    assert "Acquisition Control" in shown.stdout
    kept = {f["name"]: f["value"] for f in json.loads(preset.read_text())["features"]}
    assert kept["Width"] == 640
    other = aoi("camera", "features", "--producer", "synthetic", "--preset", preset, "--search", "Width")
    assert other.returncode == 3
    assert "Width = 640 px" in other.stdout
    assert "The preset was made for Machine Vision Games Ltd. Viky" in other.stderr
    assert "no feature BouncingBallSize" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("features", "--set", "Width"), 2, "not of the form Name=value"),
        (("features", "--set", "lens.Width=3"), 2, "there is no 'lens'. Known are system, interface"),
        (("features", "--level", "Wizard"), 2, "Known are Beginner, Expert"),
        (("features", "--set", "Width=wide"), 3, "Width is a whole number; 'wide' is none. 8 to 16384"),
        (("features", "--set", "Width=9"), 3, "between two steps"),
        (("features", "--preset", "none.json"), 2, "The camera preset none.json cannot be read"),
        (("features", "--serial", "missing"), 2, "There is no synthetic camera 'missing'"),
    ],
)
def test_a_mistake_is_one_sentence(aoi: CommandLine, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = aoi("camera", arguments[0], "--producer", "synthetic", *arguments[1:])
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_tries_everything_and_writes_a_report(aoi: CommandLine, viky: Path, tmp_path: Path) -> None:
    done = aoi("camera", "check", "--seconds", "1", "--restarts", "2", "--out", tmp_path / "report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    assert len(outcomes) == 12
    assert outcomes["every pixel format"] == "passed"
    assert outcomes["comes back when its process is killed"] == "passed"
    assert outcomes["leaves nothing behind"] == "passed"
    features = next(c for c in report["checks"] if "features" in c["figures"])["figures"]["features"]
    assert {f["name"] for f in features["remote"]} >= {"Width", "PixelFormat"}
    assert "PASSED" in (tmp_path / "report.txt").read_text()


def test_a_check_of_a_camera_that_is_not_there_fails(aoi: CommandLine, tmp_path: Path) -> None:
    done = aoi("camera", "check", "--producer", "synthetic", "--serial", "missing", "--out", tmp_path / "r.json")
    assert done.returncode == 3
    assert "There is no synthetic camera 'missing'" in (tmp_path / "r.txt").read_text()


def test_the_way_from_camera_to_reader_is_measured(aoi: CommandLine) -> None:
    done = aoi(
        "camera", "benchmark", "--width-px", "512", "--line-rate", "2000", "--line-rate", "4000", "--seconds", "1"
    )
    assert done.returncode == 0, done.stderr
    assert "2,000" in done.stdout
    assert "4,000" in done.stdout
    assert "512 px, Mono8, frames of 256 lines" in done.stdout


def test_focus_is_printed_once_a_second(aoi: CommandLine) -> None:
    done = aoi("camera", "focus", "--producer", "synthetic", "--seconds", "2.2")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2
    assert all(line.startswith("sharpness 0.") and "best 0." in line for line in done.stdout.splitlines())


def test_a_flat_field_is_recorded_shown_and_removed_without_a_window(aoi: CommandLine, tmp_path: Path) -> None:
    preset = tmp_path / "white.json"
    preset.write_text(json.dumps({"features": [{"node_map": "remote", "name": "Scene", "value": "White"}]}))
    camera = ("--producer", "synthetic", "--serial", "7")

    def flat_field(*arguments: object) -> tuple[int, str]:
        done = aoi("camera", "flat-field", *arguments, typed="\n\n")
        return done.returncode, done.stdout + done.stderr

    assert "There is no flat field" in flat_field("show", *camera)[1]
    status, said = flat_field("record", *camera, "--preset", preset, "--no-dark", "--lines", "512")
    assert status == 0, said
    assert "mean of 512 lines" in said
    assert "after." in said
    status, said = flat_field("show", *camera)
    assert status == 0, said
    assert "camera 7, recorded" in said
    status, said = flat_field("record", *camera, "--lines", "512")
    assert status == 2
    assert "White is hardly brighter than dark" in said
    assert flat_field("remove", *camera)[0] == 0
    status, said = flat_field("remove", *camera)
    assert status == 2
    assert "There is no flat field" in said
