"""Recipes and settings: what is out of range is said in words, and a broken file never blocks the start."""

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aoi_app.records.database import chosen_url, file_url
from aoi_app.settings.assets import asset
from aoi_app.settings.folders import records_path, settings_path
from aoi_app.settings.recipe import Recipe, RecipeError, load_recipe
from aoi_app.settings.settings import Settings, load_settings, save_settings


def written(folder: Path, **fields: object) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(fields))
    return path


def test_the_standard_recipe_is_what_the_program_starts_with() -> None:
    assert load_recipe(asset("standard-recipe.json")) == Recipe()


def test_a_recipe_survives_being_written_and_read(tmp_path: Path) -> None:
    recipe = Recipe(name="denim 3/1", fabric="denim", mm_per_px=0.13, mm_per_line=0.2, selvedge_margin_mm=12.5)
    assert load_recipe(written(tmp_path, **recipe.model_dump())) == recipe


def test_lines_are_as_long_as_pixels_are_wide_unless_said_otherwise() -> None:
    assert Recipe(mm_per_px=0.3).line_mm == 0.3
    assert Recipe(mm_per_px=0.3, mm_per_line=0.5).line_mm == 0.5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("mm_per_px", 0),
        ("mm_per_px", -0.1),
        ("mm_per_px", 10.5),
        ("mm_per_px", "wide"),
        ("mm_per_px", float("nan")),
        ("mm_per_line", 0),
        ("overlap_px", 40),
        ("overlap_px", 264),
        ("overlap_px", 50),
        ("selvedge_margin_mm", -1),
        ("selvedge_margin_mm", 201),
        ("threshold", 0),
        ("threshold", 101),
        ("threshold", None),
        ("min_area_mm2", -1),
        ("min_area_mm2", float("inf")),
    ],
)
def test_a_value_out_of_range_is_said_with_its_field_and_file(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(RecipeError, match=rf"recipe\.json: {field}: "):
        load_recipe(written(tmp_path, **{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("overlap_px", 48),
        ("overlap_px", 256),
        ("threshold", 0.05),
        ("threshold", 100),
        ("mm_per_px", 10),
        ("selvedge_margin_mm", 0),
        ("selvedge_margin_mm", None),
    ],
)
def test_the_bounds_themselves_are_allowed(tmp_path: Path, field: str, value: object) -> None:
    assert getattr(load_recipe(written(tmp_path, **{field: value})), field) == value


def test_several_mistakes_are_said_together(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"mm_per_px: .*; threshold: "):
        load_recipe(written(tmp_path, mm_per_px=0, threshold=0))


def test_a_field_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="treshold"):
        load_recipe(written(tmp_path, treshold=2.0))


@pytest.mark.parametrize("text", ["", "{", "threshold: 1", '{"threshold": 1,}'])
def test_bad_json_is_said_with_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"recipe\.json is no JSON"):
        load_recipe(path)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"standard"'])
def test_json_that_is_no_recipe_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"recipe\.json: "):
        load_recipe(path)


def test_a_recipe_in_another_encoding_is_said_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_bytes('{"name": "Köper"}'.encode("latin-1"))
    with pytest.raises(RecipeError, match=r"recipe\.json"):
        load_recipe(path)


def test_a_missing_recipe_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.json cannot be read"):
        load_recipe(tmp_path / "nowhere.json")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.dictionaries(st.text(), s)))
def test_whatever_json_there_is_it_is_a_recipe_or_refused_in_words(content: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.json"
        path.write_text(json.dumps(content))
        with contextlib.suppress(RecipeError):
            assert isinstance(load_recipe(path), Recipe)


def test_without_a_file_the_standard_settings_hold() -> None:
    settings, remark = load_settings()
    assert settings == Settings()
    assert remark is None
    assert settings.database is None
    assert chosen_url(None, settings.database) == file_url(records_path())
    assert records_path().name == "records.db"


def test_settings_are_remembered() -> None:
    save_settings(Settings(theme="light", last_folder="/strips", database="sqlite:///x.db"))
    settings, remark = load_settings()
    assert (settings.theme, settings.last_folder, chosen_url(None, settings.database)) == (
        "light",
        "/strips",
        "sqlite:///x.db",
    )
    assert remark is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"theme": "pink"}', b"\xff\xfe", b'{"database": 5}', b'{"heat_opacity": "much"}']
)
def test_broken_settings_are_said_and_the_standard_ones_hold(content: bytes) -> None:
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    settings, remark = load_settings()
    assert settings == Settings()
    assert remark is not None
    assert str(path) in remark
    assert "standard ones" in remark


def test_settings_that_are_a_folder_are_said() -> None:
    settings_path().mkdir(parents=True)
    settings, remark = load_settings()
    assert settings == Settings()
    assert "cannot be read" in str(remark)


def test_settings_of_a_newer_program_are_read_as_far_as_they_are_known() -> None:
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"theme": "light", "hologram": true}')
    assert load_settings() == (Settings(theme="light"), None)


def test_settings_that_cannot_be_saved_do_not_stop_the_program(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    save_settings(Settings(), tmp_path / "file" / "settings.json")
    assert "cannot be saved" in caplog.text
