"""What happens around a program: disks, folders, databases, clocks, memory, locks; each with the real thing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.mill import Mill
from tests.faults.promises import Book, records_are_sound
from tests.faults.running import AOI, CRAS, Ended, run, started

Found = Iterator[tuple[str, str]]
Hurt = Callable[[Mill, Path, Book], str]

_SHIM = Path(__file__).with_name("no_locks.c")
_FAKETIME = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "faketime" / "libfaketimeMT.so.1"
_TINY_MB = 1


def full_disk(mill: Mill, home: Path, book: Book) -> str:
    """Results on a disk of a few megabytes, with tiles and maps that would fill it ten times over."""
    with _small_disk(home / "disk") as disk:
        if disk is None:
            return "not tried: a small disk needs root"
        ended = run([*_inspect(mill, disk / "out"), "--maps"], home)
        kept = _recorded_defects(disk / "out" / "records.db")
        wanted = run(_inspect(mill, home / "beside"), home)
        all_of_them = _recorded_defects(home / "beside" / "records.db")
        said = ended.said.count("Not recorded:") + sum(
            len(json.loads(path.read_text())["defects"]) for path in home.rglob("*-unrecorded.json")
        )
        book.try_all("full disk", _is_told(ended, (0, 3)))
        book.try_all("full disk", _is_told(wanted, (0, 3, 4)))
        missing = all_of_them - kept
        found = [("no defect is lost in silence", f"{missing} of {all_of_them} lost" if missing > said else "")]
        book.try_all("full disk", [*found, *records_are_sound(disk / "out" / "records.db")])
        trained = run([*CRAS, "train", str(mill.strips), "--out", str(disk / "model.cras"), *mill.small], home)
        book.try_all("full disk, cras train", _is_told(trained, (0, 2, 3)))
        return f"{kept} of {all_of_them} defects fitted on {_TINY_MB} MB"


def folders(mill: Mill, home: Path, book: Book) -> str:
    """A folder that cannot be written, and one that goes away in mid-roll."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "file").write_text("no folder")
    for name, command in {
        "aoi inspect": _inspect(mill, home / "file" / "out"),
        "cras train": [*CRAS, "train", str(mill.strips), "--out", str(home / "file" / "m.cras"), *mill.small],
        "cras export": [*CRAS, "export", str(mill.bundle), "--out", str(home / "file" / "m.onnx")],
        "aoi export": [
            *AOI,
            "export",
            "1",
            "--out",
            str(home / "file" / "x"),
            "--database",
            f"sqlite:///{mill.database}",
        ],
    }.items():
        book.try_all(f"unwritable folder, {name}", _is_told(run(command, home), (2, 3)))
    out, strips = home / "gone" / "out", home / "strips"
    shutil.copytree(mill.strips / "plain", strips)
    for number, (what, folder) in enumerate({"results": home / "gone", "pictures": strips}.items()):
        with started(_inspect(mill, out, [strips] if number else None), home) as process:
            _until(lambda out=out: _is_begun(out / "records.db"))
            shutil.rmtree(folder, ignore_errors=True)
            said = process.communicate(timeout=300)[0]
        ended = Ended(process.returncode, said, 0.0)
        book.try_all(f"{what} removed in mid-roll", _is_told(ended, (2, 3)))
        if number:
            book.try_all(
                f"{what} removed in mid-roll", [*records_are_sound(out / "records.db"), *_gaps_have_length(out)]
            )
    return ""


def database(mill: Mill, home: Path, book: Book) -> str:
    """Records that another program locks for a while, and records that are replaced in mid-roll."""
    for what in ("locked", "replaced"):
        out = home / what
        file = out / "records.db"
        with started(_inspect(mill, out), home) as process:
            _until(lambda file=file: _is_begun(file))
            if what == "locked":
                connection = sqlite3.connect(file, timeout=30, isolation_level=None)
                connection.execute("BEGIN EXCLUSIVE")
                time.sleep(3)
                connection.execute("ROLLBACK")
                connection.close()
            else:
                shutil.copy(mill.database, home / "other.db")
                (home / "other.db").replace(file)
            said = process.communicate(timeout=300)[0]
        ended = Ended(process.returncode, said, 0.0)
        codes = (0, 3, 4) if what == "locked" else (2, 3)
        book.try_all(f"database {what} in mid-roll", [*_is_told(ended, codes), *records_are_sound(file)])
        if what == "locked":
            book.try_all("database locked in mid-roll", _all_is_there(mill, home, file))
    return ""


def clock(mill: Mill, home: Path, book: Book) -> str:
    """A second program starts with a clock that was set forward or back while a roll runs."""
    if not _FAKETIME.exists():
        return "not tried: install the package faketime"
    for shift in ("+3d", "-3d", "+400d"):
        out = home / shift
        with started(_inspect(mill, out), home) as process:
            _until(lambda out=out: _is_begun(out / "records.db"))
            shifted = {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            listed = run([*AOI, "rolls", "--database", f"sqlite:///{out / 'records.db'}"], home / "other", more=shifted)
            state = _states(out / "records.db")
            said = process.communicate(timeout=300)[0]
        ended = Ended(process.returncode, said, 0.0)
        is_running = state in (["running"], ["finished"])
        wrong = "" if is_running else f"clock {shift}: {state}"
        book.try_all("clock set while a roll runs", [("the roll is not taken for a dead one", wrong)])
        book.try_all("clock set while a roll runs", [*_is_told(listed, (0,)), *_is_told(ended, (0, 3, 4))])
        book.try_all("clock set while a roll runs", records_are_sound(out / "records.db"))
        # A roll that begins in another time than the one before is a roll of its own.
        again = run(_inspect(mill, out), home, more=shifted)
        book.try_all(
            "clock set between two rolls", [*_is_told(again, (0, 3, 4)), *records_are_sound(out / "records.db")]
        )
    return ""


def memory(mill: Mill, home: Path, book: Book) -> str:
    """Less address space than the program wants, step by step."""
    for megabytes in (400, 1200, 2200, 3000):
        limited = ["prlimit", f"--as={megabytes * 1_000_000}", "--core=0", *_inspect(mill, home / str(megabytes))]
        ended = run(limited, home)
        # Libraries of C++ may end the process where there is no room at all: what was recorded has to be sound.
        book.try_all("too little memory", records_are_sound(home / str(megabytes) / "records.db"))
        if ended.code >= 0:
            book.try_all("too little memory", _is_told(ended, (0, 2, 3, 4)))
    return ""


def shared_memory(mill: Mill, home: Path, book: Book) -> str:
    """A camera where /dev/shm cannot be used, and where it is full."""
    camera = [*AOI, "inspect", "--bundle", str(mill.bundle), "--source", "synthetic:17", "--preset", str(mill.preset)]
    camera += ["--lines", "1500", "--out"]
    if os.geteuid() != 0:
        return "not tried: it needs root"
    for name, prepare in {
        "read-only /dev/shm": "mount -t tmpfs -o ro tmpfs /dev/shm",
        "full /dev/shm": "mount -t tmpfs -o size=64k tmpfs /dev/shm",
    }.items():
        command = ["unshare", "-m", "sh", "-c", f'{prepare}; exec "$@"', "sh", *camera, str(home / name[:2])]
        ended = run(command, home)
        book.try_all(name, [*_is_told(ended, (0, 2, 3, 4)), *records_are_sound(home / name[:2] / "records.db")])
    return ""


def locks(mill: Mill, home: Path, book: Book) -> str:
    """Folders on a share whose server gives no locks, by a shim in the place of the C library's calls."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "not tried: it needs a C compiler"
    home.mkdir(parents=True, exist_ok=True)
    shim = home / "no_locks.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, _SHIM, "-ldl"], check=True)
    models = home / "models"
    shutil.copytree(mill.models, models)
    for name in ("ENOLCK", "EOPNOTSUPP"):
        more = {"LD_PRELOAD": str(shim), "NO_LOCKS": str(getattr(errno, name))}
        used = run([*CRAS, "models", str(models), "use", mill.identities[1]], home, more=more)
        wrong = "" if "another program" not in used.said else used.said
        book.try_all(f"no locks ({name})", [*_is_told(used, (0, 2)), ("nobody is accused of a lock", wrong)])
        inspected = run(_inspect(mill, home / name), home, more=more)
        accused = [s for s in inspected.said.splitlines() if "locked by another" in s and "network" not in s]
        book.try_all(f"no locks ({name})", [*_is_told(inspected, (0, 2, 3, 4))])
        book.try_all(f"no locks ({name})", [("nobody is accused of a lock", "; ".join(accused))])
    return ""


KINDS: dict[str, Hurt] = {
    "full-disk": full_disk,
    "folders": folders,
    "database": database,
    "clock": clock,
    "memory": memory,
    "shared-memory": shared_memory,
    "locks": locks,
}
"""By the name that a command line names them with."""


def _inspect(mill: Mill, out: Path, strips: list[Path] | None = None) -> list[str]:
    pictures = [str(path) for path in strips or [mill.strips / "plain"]]
    return [*AOI, "inspect", *pictures, "--bundle", str(mill.bundle), "--out", str(out), "--one-web"]


def _is_told(ended: Ended, codes: tuple[int, ...]) -> Found:
    wrong = "" if ended.code in codes else f"exit status {ended.code}: {ended.said[-300:]}"
    yield f"it ends with a status and a word ({', '.join(map(str, codes))})", wrong
    yield "no traceback", ended.said[-500:] if ended.is_traceback else ""


def _is_begun(database_file: Path) -> bool:
    return bool(_states(database_file))


def _states(database_file: Path) -> list[str]:
    if not database_file.exists():
        return []
    connection = sqlite3.connect(database_file)
    try:
        return [state for (state,) in connection.execute("SELECT state FROM rolls")]
    except sqlite3.OperationalError:  # the tables are being made
        return []
    finally:
        connection.close()


def _recorded_defects(database_file: Path) -> int:
    if not database_file.exists():
        return 0
    connection = sqlite3.connect(database_file)
    try:
        (count,) = connection.execute("SELECT count(*) FROM defects").fetchone()
        return int(count)
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def _all_is_there(mill: Mill, home: Path, file: Path) -> Found:
    run(_inspect(mill, home / "undisturbed"), home)
    have, want = _recorded_defects(file), _recorded_defects(home / "undisturbed" / "records.db")
    yield "no defect is lost", f"{have} of {want}" if have != want else ""


def _gaps_have_length(out: Path) -> Found:
    path = out / "defects.json"
    gaps = json.loads(path.read_text())["gaps"] if path.exists() else []
    empty = [gap["reason"] for gap in gaps if gap["lines"] == 0]
    yield "a gap says how long it is, or that nobody knows", "; ".join(empty[:3])


def _until(is_so: Callable[[], bool], most_s: float = 120.0) -> None:
    end_s = time.monotonic() + most_s
    while not is_so() and time.monotonic() < end_s:
        time.sleep(0.02)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        yield None
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_TINY_MB}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
