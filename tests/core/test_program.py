"""Whatever a command line runs into and a person can mend ends in one line and an exit status, never in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cras_core.errors import DataError
from cras_core.program import STOPPED, USERS_MISTAKE, run_program

LONG = "x" * 300


def ends(error: BaseException) -> tuple[int, list[str]]:
    said: list[str] = []

    def run() -> None:
        raise error

    return run_program(run, said.append), said


def test_threads_that_wait_sleep_unless_somebody_wants_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("KMP_BLOCKTIME", "200")
    seen: list[str] = []
    run_program(lambda: seen.extend(os.environ[name] for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")), seen.append)
    assert seen == ["PASSIVE", "200"]


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(RuntimeError, match="somebody's mistake"):
        ends(RuntimeError("somebody's mistake"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("some-code", "{path} is wrong", path=Path("a")), "a is wrong"),
        (OSError(36, "File name too long", "/a/b"), "/a/b: File name too long"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(2, "No such file", b"\xff.png"), r"\xff.png: No such file"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
        (ImportError("failed to map segment"), "memory is short"),
    ],
)
def test_what_a_person_can_mend_is_one_line(error: Exception, text: str) -> None:
    status, said = ends(error)
    assert status == USERS_MISTAKE
    assert text in " ".join(said)


def test_a_long_name_is_cut() -> None:
    assert len(ends(OSError(36, "File name too long", "/x" * 5000))[1][0]) < 300


def test_ctrl_c_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(KeyboardInterrupt()) == (STOPPED, [])
    assert capsys.readouterr().err == "Stopped.\n"


def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        ends(ZeroDivisionError())


def test_what_ran_well_has_status_0() -> None:
    assert run_program(lambda: None, lambda _: None) == 0


@pytest.mark.parametrize(
    "command",
    [
        ["cras_core", "train", f"/{LONG}"],
        ["cras_core", "samples", f"/{LONG}", "list"],
        ["cras_core", "samples", "store", "import", f"/{LONG}.fabric"],
        ["cras_core", "samples", "store", "import-itdd", f"/{LONG}"],
        ["cras_core", "export", f"/{LONG}.cras"],
        ["aoi_app", "inspect", "--source", f"replay:/{LONG}"],
        ["aoi_app", "export", "1", "--database", f"sqlite:////{LONG}/r.db"],
    ],
)
def test_a_name_that_no_file_can_have_is_told(command: list[str], tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == USERS_MISTAKE, run.stderr[-2000:]
    assert "Error:" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("package", ["cras_core", "aoi_app"])
def test_an_output_that_takes_nothing_is_told(package: str) -> None:
    code = f"import sys; from {package} import __main__ as m; sys.argv = ['x', '--help']; m.main()"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        run = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=os.environ
        )
    assert run.returncode == USERS_MISTAKE
    assert "Traceback" not in run.stderr
