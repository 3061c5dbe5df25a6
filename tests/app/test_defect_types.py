"""The list of the mill's faults: edited by people, and never in the way of the start."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from aoi_app.settings.defect_types import STANDARD, DefectType, DefectTypesError, load_defect_types, save_defect_types

SNAG = DefectType("M1", "Fadenzieher", "minor", "line")


def test_the_standard_list_has_the_usual_faults_once_each() -> None:
    assert len(STANDARD) >= 12
    assert len({t.code for t in STANDARD}) == len({t.name for t in STANDARD}) == len(STANDARD)
    assert {t.shape for t in STANDARD} == {"block", "point", "line"}


def test_the_types_come_back_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "config" / "catalogue.json"
    assert load_defect_types(path) == (STANDARD, None)
    save_defect_types([SNAG, *STANDARD], path)
    assert load_defect_types(path) == ((SNAG, *STANDARD), None)
    save_defect_types([], path)
    assert load_defect_types(path) == ((), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "JSON"),
        ('[{"code": "A", "name": "a", "severity": "awful", "shape": "line"}]', "severity"),
        ('[{"code": "", "name": "a", "severity": "minor", "shape": "line"}]', "code"),
        ('[{"code": "A", "name": "a", "severity": "minor", "shape": "line", "points": 4}]', "points"),
        ('[{"code": "A", "name": "a", "severity": "minor", "shape": "line"}' + "]]", "JSON"),
    ],
)
def test_a_bad_file_is_named_and_the_standard_list_is_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(text)
    types, problem = load_defect_types(path)
    assert types == STANDARD
    assert problem is not None
    assert "catalogue.json" in problem
    assert words in problem
    assert "the standard ones are used" in problem


def test_a_code_stands_for_one_type(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    with pytest.raises(DefectTypesError, match="several types with the code M1"):
        save_defect_types([SNAG, SNAG], path)
    assert not path.exists()
    save_defect_types([SNAG], path)
    path.write_text(path.read_text().replace("[\n", "[\n" + path.read_text().strip()[1:-1].strip() + ",\n", 1))
    types, problem = load_defect_types(path)
    assert types == STANDARD
    assert "M1" in str(problem)


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    with pytest.raises(DefectTypesError, match=r"catalogue\.json cannot be written"):
        save_defect_types(STANDARD, tmp_path / "config" / "catalogue.json")


def test_nonsense_is_no_type() -> None:
    with pytest.raises(ValidationError):
        DefectType("", "hole", "critical", "block")
    with pytest.raises(ValidationError):
        DefectType("A", "hole", "critical", "round")
