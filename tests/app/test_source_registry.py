"""The kinds of sources stand in one table; help, messages and checks follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aoi_app.camera_setup.camera_hold import may_hold_camera
from aoi_app.commands.options import SOURCES
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.recording.format import HEADER
from aoi_app.sources.registry import KINDS, SourceKind, find_kind, resolve, spec_of
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "engineer.md"
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@each_kind
def test_a_kind_is_in_the_help_of_the_option_and_in_the_message_about_what_is_not_known(kind: SourceKind) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(SourceChoice("laser"))
    for form in kind.forms:
        assert form in SOURCES
        assert form in str(caught.value)
    assert kind.help in SOURCES


@each_kind
def test_a_kind_is_in_the_guide(kind: SourceKind) -> None:
    assert kind.name in GUIDE.read_text(encoding="utf-8")


@each_kind
def test_a_kind_is_found_with_and_without_an_argument(kind: SourceKind) -> None:
    assert find_kind(kind.name) is find_kind(f"{kind.name}:7") is kind
    assert find_kind(f"{kind.name}s") is None


@each_kind
def test_an_argument_that_is_missing_is_said(kind: SourceKind) -> None:
    choice = SourceChoice(kind.name)
    if not kind.argument.is_required:
        assert make_source(choice).is_live in {True, False}
        return
    for spec in (kind.name, f"{kind.name}:"):
        with pytest.raises(SourceError, match=f"needs {kind.argument.meaning}: --source {kind.name}:"):
            make_source(SourceChoice(spec))


@each_kind
def test_only_what_is_always_live_can_be_recorded(kind: SourceKind, tmp_path: Path) -> None:
    choice = SourceChoice(f"{kind.name}:", record=tmp_path)
    if kind.is_live:
        assert make_source(choice, Recipe()).is_live
    else:
        with pytest.raises(SourceError, match=r"needs its|needs the|Only what a camera delivers"):
            make_source(choice)


def test_which_sources_are_cameras_and_which_may_hold_one() -> None:
    cameras = {kind.name for kind in KINDS if SourceChoice(kind.name).is_camera}
    assert cameras == {"genicam", "synthetic"}
    assert {kind.name for kind in KINDS if may_hold_camera(f"{kind.name}:x")} == cameras | {"side-by-side"}
    assert not SourceChoice("laser").is_camera
    assert not may_hold_camera("laser")


def test_a_path_is_named_by_what_it_is(tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    recording.mkdir()
    (recording / HEADER).write_text("{}")
    assert spec_of(tmp_path / "web.json") == f"side-by-side:{tmp_path / 'web.json'}"
    assert spec_of(recording) == f"replay:{recording}"
    assert spec_of(tmp_path) == f"folder:{tmp_path}"
    assert spec_of(tmp_path / "nowhere") == f"folder:{tmp_path / 'nowhere'}"


@pytest.mark.parametrize(
    ("spec", "resolved"),
    [
        ("folder:left", "folder:/web/left"),
        ("replay:../right", "replay:/web/../right"),
        ("folder:/cloth", "folder:/cloth"),
        ("loom:plain", "loom:plain"),
        ("genicam:17", "genicam:17"),
        ("folder:", "folder:"),
        ("laser:beam", "laser:beam"),
    ],
)
def test_a_path_in_a_file_begins_at_that_file(spec: str, resolved: str) -> None:
    assert resolve(spec, Path("/web")) == resolved
