"""Files are written whole or not at all."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cras_core.files import write_atomically


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@given(st.binary(max_size=5000), st.binary(max_size=5000), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_a_file_holds_what_was_written_last(tmp_path: Path, first: bytes, second: bytes, durable: bool) -> None:
    path = tmp_path / "a.bin"
    for data in (first, second):
        write_atomically(path, data, durable=durable)
        assert path.read_bytes() == data
        assert names(tmp_path) == ["a.bin"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "c.txt", b"x")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"x"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_read_the_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_a_place_that_cannot_be_written_raises_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a", tmp_path / "folder"):
        with pytest.raises(OSError, match=r"file|folder"):
            write_atomically(path, b"new")
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []
    assert (tmp_path / "file").read_bytes() == b"old"


def run(code: str, *arguments: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    said = run(
        "import resource, sys\nfrom pathlib import Path\nfrom cras_core.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"try: write_atomically(Path(sys.argv[1]), bytes(100_000), durable={durable})\n"
        "except OSError as error: print(error.strerror)\n",
        path,
    )
    assert said == "File too large\n"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    said = run(
        "import sys\nfrom pathlib import Path\nfrom cras_core.files import write_atomically\n"
        "def interrupt(event, arguments):\n"  # as if Ctrl-C came when all is written but not yet in its place
        "    if event == 'os.rename': raise KeyboardInterrupt\n"
        "sys.addaudithook(interrupt)\n"
        "try: write_atomically(Path(sys.argv[1]), b'new')\n"
        "except KeyboardInterrupt: print('interrupted')\n",
        path,
    )
    assert said == "interrupted\n"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_mask_of_permissions_holds(tmp_path: Path) -> None:
    run(
        "import os, sys\nfrom pathlib import Path\nfrom cras_core.files import folder_made_whole, write_atomically\n"
        "os.umask(0o077)\nplace = Path(sys.argv[1])\nwrite_atomically(place / 'a', b'x')\n"
        "with folder_made_whole(place / 'b'): pass\n",
        tmp_path,
    )
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o700


def test_the_longest_name_that_the_system_takes_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "å" * 127):
        write_atomically(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"
