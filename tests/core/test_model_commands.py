"""Enrolment and the history of models by command: what is said, written and refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cras_core.__main__ import main
from cras_core.images import list_images
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.training.fabric_changes import rename_fabric

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cras(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``cras(...)`` -> exit status, output, messages."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cras", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "300")
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, " ".join(said.err.split())

    return run


@pytest.fixture
def satin(loom_data: Path, tmp_path: Path) -> Path:
    """A plain folder of two strips."""
    folder = tmp_path / "satin [new]"
    folder.mkdir()
    for path in list_images(loom_data / "satin" / "normal")[:2]:
        shutil.copy(path, folder)
    return folder


def test_a_fabric_is_enrolled_and_taken_out_again(cras: Run, bundle_path: Path, satin: Path, tmp_path: Path) -> None:
    (satin / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "made" / "new.cras"
    status, _, said = cras("enrol", bundle_path, "satin [new]", satin, "--out", out, "--device", "cpu")
    assert status == 2
    assert "one picture cannot be read; mend it or remove it" in said
    status, _, said = cras(
        *("enrol", bundle_path, "satin [new]", satin, "--out", out, "--device", "cpu", "--skip-corrupt"),
        *("--author", "Ada"),
    )
    assert status == 0, said
    made = read_bundle(out)
    assert made.fabrics == ("plain", "twill", "satin [new]")
    assert made.provenance["author"] == "Ada"
    assert f"model {made.identity}, plain, twill, satin [new], enrolled in" in said
    assert "broken.png cannot be read and is left out" in said
    assert "satin [new]: enrolled quickly from 1 pictures" in said
    status, _, said = cras("enrol", out, "satin [new]", satin, "--out", out, "--skip-corrupt")
    assert status == 2
    assert "is in the model already" in said
    assert read_bundle(out).identity == made.identity
    status, _, said = cras("rename-fabric", out, "satin [new]", "satin", "--out", tmp_path / "r.cras")
    assert status == 0, said
    assert cras("merge", bundle_path, tmp_path / "r.cras", "--out", tmp_path / "m.cras")[0] == 0
    assert read_bundle(tmp_path / "m.cras").fabrics == ("plain", "twill", "satin")
    assert cras("remove-fabric", out, "satin [new]", "--out", tmp_path / "less.cras")[0] == 0
    assert read_bundle(tmp_path / "less.cras").identity == read_bundle(bundle_path).identity


def test_a_place_that_cannot_be_written_is_said_first(
    cras: Run, bundle_path: Path, satin: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    status, _, said = cras("enrol", bundle_path, "satin", satin, "--out", tmp_path / "file" / "a.cras")
    assert status == 2
    assert "a.cras cannot be written" in said
    assert "Choose another place" in said


def test_the_history_of_models(cras: Run, bundle: Bundle, bundle_path: Path, tmp_path: Path) -> None:
    folder, first = tmp_path / "models", bundle.identity
    renamed = rename_fabric(bundle, "twill", "serge [x]", "Ada")
    write_bundle(renamed, tmp_path / "b.cras")
    assert "No model is in use yet" in cras("models", folder, "list")[2]
    assert f"{first} is in the store" in cras("models", folder, "add", bundle_path)[2]
    assert cras("models", folder, "add", tmp_path / "b.cras")[0] == 0
    assert f"{first} is in use since" in cras("models", folder, "use", first[:8], "--reason", "first [one]")[2]
    status, shown, _ = cras("models", folder, "list")
    assert status == 0
    lines = {cells[2].strip(): line for line in shown.splitlines() if len(cells := line.split("│")) > 2}
    in_use, other = lines[first], lines[renamed.identity]
    assert "in use" in in_use
    assert "full" in in_use
    assert "serge [x]" in other
    assert "in use" not in other
    status, shown, _ = cras("models", folder, "show", first)
    assert status == 0
    assert "first [one]" in shown
    status, shown, _ = cras("models", folder, "compare", first, renamed.identity)
    assert status == 0
    assert "limit of serge [x]" in shown
    assert "is in use; put another one into use first" in cras("models", folder, "remove", first)[2]
    assert cras("models", folder, "pin", renamed.identity)[2] == f"{renamed.identity} is pinned"
    assert cras("models", folder, "prune", "--most", 1)[2] == "Nothing was deleted."
    assert cras("models", folder, "unpin", renamed.identity)[2] == f"{renamed.identity} is not pinned any more"
    assert cras("models", folder, "prune", "--most-mb", 0.01)[2] == f"{renamed.identity} is deleted"
    status, _, said = cras("models", folder, "use", renamed.identity)
    assert status == 2
    assert f"there is no model {renamed.identity} in" in said
    (folder / f"{first}.cras").unlink()
    status, _, said = cras("models", folder, "list")
    assert status == 2
    assert f"the model in use, {first}, is missing from" in said
    assert "cras models STORE add BUNDLE" in said
