"""The command line from outside: exit status, files, and one line for every mistake."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aoi_process import CommandLine

from aoi_app.__main__ import main
from aoi_app.settings.folder_holder import Hold


def strips(loom_data: Path, folder: Path, count: int = 2, weave: str = "plain") -> Path:
    folder.mkdir(parents=True)
    for path in sorted((loom_data / weave / "defect").iterdir())[:count]:
        shutil.copy(path, folder)
    return folder


def query(database: Path, sql: str) -> list[Any]:
    if not database.exists():
        return []
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:  # the tables are not made yet
        return []
    finally:
        connection.close()


def wait_for(process: subprocess.Popen[str], condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600  # long after it failed; a machine may be busy
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def assert_one_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    said = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(said) == 1, result.stderr
    assert said[0].startswith("Error:")
    for word in words:
        assert word in said[0]


@pytest.fixture(scope="module")
def inspected(
    tmp_path_factory: pytest.TempPathFactory, loom_data: Path, quick_bundle_path: Path
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder that was inspected from the command line, and what was said."""
    folder = tmp_path_factory.mktemp("line")
    strips(loom_data, folder / "strips")
    line = CommandLine(folder)
    return folder, line.apart(
        "inspect", "strips", "--bundle", quick_bundle_path, "--out", "out", "--maps", "--device", "cpu"
    )


Inspected = tuple[Path, subprocess.CompletedProcess[str]]


def test_a_folder_is_inspected_from_end_to_end(inspected: Inspected) -> None:
    folder, result = inspected
    assert result.returncode == 0, result.stderr
    assert "defects at threshold" in result.stderr
    roll = json.loads((folder / "out" / "defects.json").read_text(encoding="utf-8"))
    assert roll["roll"]["state"] == "finished"
    assert roll["roll"]["fabric"] == "plain"
    assert roll["roll"]["length_m"] == pytest.approx(2 * 512 * 0.0002)
    assert roll["gaps"] == []
    assert roll["defects"]
    names = sorted(p.name for p in (folder / "strips").iterdir())
    for defect in roll["defects"]:
        for box in defect["boxes"]:
            assert box["source"] in names
            assert 0 <= box["x_px"] < box["x_px"] + box["w_px"] <= 1024
            assert 0 <= box["y_px"] < box["y_px"] + box["h_px"] <= 512
    with (folder / "out" / "defects.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [str(d["id"]) for d in roll["defects"]]


def test_maps_tiles_and_records_lie_beside_the_defects(inspected: Inspected) -> None:
    out = inspected[0] / "out"
    for path in (inspected[0] / "strips").iterdir():
        score = cv2.imread(str(out / "maps" / path.name), cv2.IMREAD_UNCHANGED)
        assert (score.shape, score.dtype) == ((512, 1024), np.uint16)
    assert query(out / "records.db", "SELECT state FROM rolls") == [("finished",)]
    assert list((out / "itdd" / "plain").rglob("*.png"))
    assert {p.name for p in out.iterdir()} >= {"defects.json", "defects.csv", "records.db", "itdd", "maps"}
    assert not [p for p in out.rglob("*") if p.name.startswith(".")], "nothing half written is left"


def test_what_is_found_is_where_the_defects_were_planted(aoi: CommandLine, loom_data: Path, bundle_path: Path) -> None:
    folder = strips(loom_data, aoi.folder / "strips", count=4)
    assert aoi("inspect", folder, "--bundle", bundle_path, "--separate", "--no-tiles").returncode == 0
    roll = json.loads((aoi.folder / "inspected" / "defects.json").read_text())
    assert not (aoi.folder / "inspected" / "itdd").exists()
    assert not (aoi.folder / "inspected" / "maps").exists()
    assert roll["roll"]["length_m"] == pytest.approx(4 * 512 * 0.0002)
    assert all(0 <= d["position_m"] < roll["roll"]["length_m"] for d in roll["defects"])
    assert max(d["position_m"] for d in roll["defects"]) > 512 * 0.0002, "metres of the roll, not of the picture"
    assert all(len(d["boxes"]) == 1 for d in roll["defects"])
    hit = set()
    for box in (d["boxes"][0] for d in roll["defects"]):
        mask = cv2.imread(str(loom_data / "plain" / "mask" / box["source"]), cv2.IMREAD_GRAYSCALE)
        if mask[box["y_px"] : box["y_px"] + box["h_px"], box["x_px"] : box["x_px"] + box["w_px"]].any():
            hit.add(box["source"])
    assert len(hit) >= 2, "the model of the tests has seen little, but not nothing"


def test_a_cut_off_picture_is_listed_and_the_others_are_inspected(
    aoi: CommandLine, loom_data: Path, quick_bundle_path: Path
) -> None:
    folder = strips(loom_data, aoi.folder / "strips", count=3)
    victim = sorted(folder.iterdir())[1]
    victim.write_bytes(victim.read_bytes()[:5000])
    result = aoi("inspect", folder, "--bundle", quick_bundle_path, "--out", "out")
    assert result.returncode == 3
    assert "Not inspected" in result.stderr
    assert victim.name in result.stderr
    roll = json.loads((aoi.folder / "out" / "defects.json").read_text())
    (gap,) = roll["gaps"]
    assert victim.name in gap["reason"]
    assert gap["lines"] == 512
    assert roll["roll"]["inspected_m"] + roll["roll"]["gap_m"] == pytest.approx(roll["roll"]["length_m"])


def test_a_folder_of_nothing_readable_is_incomplete(aoi: CommandLine, quick_bundle_path: Path) -> None:
    (aoi.folder / "strips").mkdir()
    (aoi.folder / "strips" / "a.png").write_text("no picture")
    result = aoi("inspect", "strips", "--bundle", quick_bundle_path)
    assert result.returncode == 3
    assert "a.png" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_folder_is_one_line(aoi: CommandLine, quick_bundle_path: Path) -> None:
    assert_one_line(aoi("inspect", "nowhere", "--bundle", quick_bundle_path), "nowhere", "no folder")
    assert not (aoi.folder / "inspected").exists()


def test_an_empty_folder_is_one_line(aoi: CommandLine, quick_bundle_path: Path) -> None:
    (aoi.folder / "empty").mkdir()
    assert_one_line(aoi("inspect", "empty", "--bundle", quick_bundle_path), "no pictures", ".png")


def test_a_file_that_is_no_bundle_is_one_line(aoi: CommandLine, loom_data: Path) -> None:
    (aoi.folder / "letter.cras").write_text("this is a letter to the mill")
    folder = strips(loom_data, aoi.folder / "strips", 1)
    assert_one_line(aoi("inspect", folder, "--bundle", "letter.cras"), "letter.cras")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bundle", "nothing.cras"], ["nothing.cras"]),
        (["--fabric", "denim"], ["denim", "plain, twill"]),
        (["--device", "abacus"], ["abacus"]),
        (["--precision", "int3"], ["int3"]),
    ],
)
def test_what_the_model_cannot_do_is_one_line(
    tmp_path: Path,
    loom_data: Path,
    quick_bundle_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: list[str],
) -> None:
    folder = strips(loom_data, tmp_path / "strips", 1)
    monkeypatch.setattr(
        sys,
        "argv",
        ["aoi", "inspect", str(folder), "--bundle", str(quick_bundle_path), "--out", str(tmp_path), *arguments],
    )
    with pytest.raises(SystemExit) as ended:  # in this process: torch is loaded here
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("Error:")
    assert len(said.splitlines()) == 1
    assert all(word in said for word in words)


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "cannot be read"), (b"{", "no JSON"), (b'{"threshold": 0}', "threshold"), (b"\xff\xfe\x00", "recipe.json")],
)
def test_a_bad_recipe_is_one_line(aoi: CommandLine, loom_data: Path, content: bytes | None, word: str) -> None:
    folder = strips(loom_data, aoi.folder / "strips", 1)
    if content is not None:
        (aoi.folder / "recipe.json").write_bytes(content)
    assert_one_line(aoi("inspect", folder, "--recipe", "recipe.json"), word, "recipe.json")


def test_an_option_out_of_range_is_one_line(aoi: CommandLine, loom_data: Path) -> None:
    folder = strips(loom_data, aoi.folder / "strips", 1)
    assert_one_line(aoi("inspect", folder, "--threshold", "0"), "threshold")


def test_an_output_folder_that_cannot_be_written_is_one_line(aoi: CommandLine, loom_data: Path) -> None:
    (aoi.folder / "file").write_text("in the way")
    folder = strips(loom_data, aoi.folder / "strips", 1)
    assert_one_line(aoi("inspect", folder, "--out", "file"), "file")


def test_a_second_inspection_does_not_write_over_the_files_of_the_first(
    aoi: CommandLine, loom_data: Path, quick_bundle_path: Path
) -> None:
    folder, first = strips(loom_data, aoi.folder / "strips", 1), Hold(aoi.folder / "out", "inspecting")
    assert first.take() is None
    try:
        result = aoi("inspect", folder, "--bundle", quick_bundle_path, "--out", "out")
    finally:
        first.give_back()
    assert_one_line(result, "Another inspection writes into out", f"process {os.getpid()}", "--out")
    assert not (aoi.folder / "out" / "records.db").exists()


def test_ctrl_c_ends_the_roll_in_good_order(aoi: CommandLine, loom_data: Path, quick_bundle_path: Path) -> None:
    folder = strips(loom_data, aoi.folder / "strips", 6)
    for path in list(folder.iterdir()):
        for k in range(20):
            shutil.copy(path, folder / f"{k}-{path.name}")
    process = aoi.start("inspect", folder, "--bundle", quick_bundle_path, "--out", "out")
    wait_for(process, lambda: query(aoi.folder / "out" / "records.db", "SELECT 1 FROM rolls WHERE inspected_m > 0"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    roll = json.loads((aoi.folder / "out" / "defects.json").read_text())
    assert roll["roll"]["state"] == "stopped"
    assert roll["roll"]["ended_at"] is not None
    assert 0 < roll["roll"]["length_m"] < 120 * 512 * 0.0002
    assert roll["roll"]["inspected_m"] == pytest.approx(roll["roll"]["length_m"])
    assert (aoi.folder / "out" / "defects.csv").exists()


def test_after_a_kill_the_records_can_be_read(aoi: CommandLine, loom_data: Path, quick_bundle_path: Path) -> None:
    folder = strips(loom_data, aoi.folder / "strips", 6)
    for path in list(folder.iterdir()):
        for k in range(20):
            shutil.copy(path, folder / f"{k}-{path.name}")
    process = aoi.start("inspect", folder, "--bundle", quick_bundle_path, "--out", "out")
    database = aoi.folder / "out" / "records.db"
    wait_for(process, lambda: query(database, "SELECT 1 FROM defects"))
    before = query(database, "SELECT count(*) FROM defects")[0][0]
    process.kill()
    process.communicate()
    url = f"sqlite:///{database}"
    listed = aoi("rolls", "--database", url)
    assert listed.returncode == 0, listed.stderr
    assert str(folder) in listed.stdout
    assert aoi("export", 1, "--database", url, "--out", "saved").returncode == 0
    assert len(json.loads((aoi.folder / "saved" / "defects.json").read_text())["defects"]) >= before


def test_recorded_rolls_are_listed_and_exported(aoi: CommandLine, inspected: Inspected) -> None:
    out = inspected[0] / "out"
    url = f"sqlite:///{out / 'records.db'}"
    listed = aoi("rolls", "--database", url)
    assert listed.returncode == 0
    assert "finished" in listed.stdout
    assert "plain" in listed.stdout
    assert aoi("export", 1, "--database", url).returncode == 0
    for name in ("defects.json", "defects.csv"):
        assert (aoi.folder / "exported" / name).read_bytes() == (out / name).read_bytes()
    assert (aoi.folder / "exported" / "itdd" / "plain").is_dir()
    assert_one_line(aoi("export", 7, "--database", url), "no roll 7", "1")


def test_without_rolls_the_list_is_empty(aoi: CommandLine) -> None:
    listed = aoi("rolls")
    assert listed.returncode == 0
    assert "state" in listed.stdout


@pytest.mark.parametrize("url", ["paper://x", "sqlite:////proc/nowhere/records.db", "sqlite://a:b@/x"])
def test_a_database_that_cannot_be_used_is_one_line(aoi: CommandLine, url: str) -> None:
    assert_one_line(aoi("rolls", "--database", url))


def test_the_loom_weaves_a_data_set(aoi: CommandLine) -> None:
    result = aoi("weave", "cloth", "--strips", 1, "--lines", 64, "--width-px", 512)
    assert result.returncode == 0, result.stderr
    assert len(list((aoi.folder / "cloth").rglob("*.png"))) == 12
    assert "cras train" in result.stderr
    (aoi.folder / "file").write_text("in the way")
    assert_one_line(aoi("weave", "file", "--strips", 1, "--lines", 64, "--width-px", 512), "file")


def test_without_a_screen_the_window_says_so(aoi: CommandLine) -> None:
    result = aoi.apart(QT_QPA_PLATFORM="xcb", DISPLAY=None, WAYLAND_DISPLAY=None)
    assert_one_line(result, "no screen", "aoi inspect")


def test_the_window_says_a_mistake_before_it_opens(aoi: CommandLine) -> None:
    assert_one_line(aoi.apart("--source", "folder:nowhere"), "nowhere")


def test_the_window_closes_in_good_order_on_ctrl_c(aoi: CommandLine, quick_bundle_path: Path) -> None:
    database = aoi.folder / "records.db"
    url = f"sqlite:///{database}"
    process = aoi.start("--source", "loom:plain", "--bundle", quick_bundle_path, "--database", url, "--device", "cpu")
    wait_for(process, lambda: query(database, "SELECT 1 FROM rolls WHERE inspected_m > 0"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert query(database, "SELECT state, ended_at IS NOT NULL FROM rolls") == [("stopped", 1)]


def test_the_window_says_of_a_killed_roll_at_the_next_start(aoi: CommandLine, quick_bundle_path: Path) -> None:
    database = aoi.folder / "records.db"
    arguments = ["--source", "loom:plain", "--bundle", quick_bundle_path, "--database", f"sqlite:///{database}"]
    process = aoi.start(*arguments)
    wait_for(process, lambda: query(database, "SELECT 1 FROM rolls WHERE inspected_m > 0"))
    process.kill()
    process.communicate()
    assert query(database, "SELECT state FROM rolls") == [("running",)]
    process = aoi.start(*arguments)
    wait_for(process, lambda: query(database, "SELECT 1 FROM rolls WHERE id = 1 AND state = 'interrupted'"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)


def test_a_killed_inspection_goes_on_as_the_same_roll(aoi: CommandLine, quick_bundle_path: Path) -> None:
    database = aoi.folder / "inspected" / "records.db"
    arguments = ["inspect", "--source", "loom:plain", "--lines", 2600, "--bundle", quick_bundle_path, "--device", "cpu"]
    process = aoi.start(*arguments, "--roll-number", "4711")
    wait_for(process, lambda: query(database, "SELECT 1 FROM rolls WHERE told_line > 300"))
    process.kill()
    process.communicate()
    before = query(database, "SELECT number, position_m FROM defects ORDER BY number")
    assert_one_line(aoi.apart(*arguments, "--continue", 1, "--lot", "x", "--threshold", 1.2), "--threshold, --lot")
    assert_one_line(aoi.apart(*arguments, "--continue", 2), "no roll 2")
    assert_one_line(aoi.apart(*arguments, "--continue", 1, "--out", "other"), "records.db is not there", "--out")
    result = aoi.apart(*arguments, "--continue", 1)
    assert result.returncode == 3, result.stderr
    assert "the program ended before this was inspected" in result.stderr
    rolls = query(database, "SELECT id, state, roll_number, round(length_m, 4) FROM rolls")
    assert rolls == [(1, "finished", "4711", 0.52)]
    assert query(database, "SELECT number, position_m FROM defects ORDER BY number")[: len(before)] == before
    written = json.loads((aoi.folder / "inspected" / "defects.json").read_text(encoding="utf-8"))
    assert written["roll"]["inspected_m"] + written["roll"]["gap_m"] == pytest.approx(0.52)
    assert_one_line(aoi.apart(*arguments, "--continue", 1), "it is ended")


def test_the_window_closed_while_the_model_loads_ends_cleanly(aoi: CommandLine, quick_bundle_path: Path) -> None:
    database = aoi.folder / "records.db"
    process = aoi.start("--bundle", quick_bundle_path, "--database", f"sqlite:///{database}")
    wait_for(process, (aoi.folder / "records.db").exists)
    time.sleep(1.0)  # somewhere between the start of Qt and the end of loading
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (0, 130), err
    assert "Fatal" not in err
