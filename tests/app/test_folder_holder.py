"""One program holds a folder; another one is told which."""

import os
import subprocess
import sys
from pathlib import Path

from aoi_app.settings.folder_holder import Hold, Holder

HOLDING = """
import sys
from pathlib import Path
from aoi_app.settings.folder_holder import Hold
hold = Hold(Path(sys.argv[1]), "window")
print(hold.take(), flush=True)
sys.stdin.read()
"""


def test_who_comes_second_is_told_who_was_first_until_that_one_is_killed(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "None\n"
    second = Hold(tmp_path, "window")
    holder = second.take()
    assert holder is not None
    assert holder.pid == first.pid
    assert f"process {first.pid}, since 20" in str(holder)
    first.kill()
    first.communicate()
    assert second.take() is None
    second.give_back()


def test_what_is_given_back_may_be_taken(tmp_path: Path) -> None:
    one, other = Hold(tmp_path, "window"), Hold(tmp_path, "window")
    assert one.take() is None
    assert other.take() == Holder(os.getpid(), *_host_and_since(other))
    one.give_back()
    assert other.take() is None
    other.give_back()


def _host_and_since(hold: Hold) -> tuple[str, str]:
    holder = hold.take()
    assert holder is not None
    return holder.host, holder.since


def test_a_note_that_says_nothing_is_another_program(tmp_path: Path) -> None:
    one, other = Hold(tmp_path, "window"), Hold(tmp_path, "window")
    one.take()
    for text in ("", "[]", '{"pid": "x"}', "\xff"):
        (tmp_path / "window.json").write_text(text)
        assert str(other.take()) == "another program"
    one.give_back()


def test_another_host_is_named() -> None:
    assert str(Holder(7, "mill-2", "2026-11-28 14:02")) == "process 7 on mill-2, since 2026-11-28 14:02"


def test_a_folder_that_cannot_be_made_stops_nobody() -> None:
    assert Hold(Path("/proc/nowhere"), "window").take() is None
