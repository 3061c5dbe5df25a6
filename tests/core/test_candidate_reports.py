"""Comparisons are kept beside their models."""

import json
from pathlib import Path

import pytest

from cras_core.errors import DataError
from cras_core.evaluation.candidate_reports import (
    CHECKPOINT,
    REPORTS,
    KeptReport,
    drop_reports,
    keep_report,
    load_report,
    was_cut_off,
)
from cras_core.evaluation.candidate_verdicts import CandidateReport, Verdict


def trial() -> CandidateReport:
    return CandidateReport((), (Verdict("a", "denim", "good", 0.5, 0, 0, 0, 0.01, True),))


def test_a_comparison_comes_back_with_the_model_it_was_made_beside(tmp_path: Path) -> None:
    kept = KeptReport("aaa", "bbb", trial())
    keep_report(tmp_path / "models", kept)
    assert load_report(tmp_path / "models", "bbb") == kept
    assert load_report(tmp_path / "models", "ccc") is None


def test_one_that_does_not_say_beside_which_is_read_too(tmp_path: Path) -> None:
    path = keep_report(tmp_path, KeptReport("aaa", "bbb", trial()))
    value = json.loads(path.read_text())
    del value["before"]
    path.write_text(json.dumps(value))
    kept = load_report(tmp_path, "bbb")
    assert kept is not None
    assert kept.before == ""
    assert kept.report == trial()


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"version": 99}', "\x00"])
def test_a_damaged_one_is_named_with_the_way_out(tmp_path: Path, text: str) -> None:
    path = keep_report(tmp_path, KeptReport("aaa", "bbb", trial()))
    path.write_text(text)
    with pytest.raises(DataError, match=r"bbb.json cannot be read .* Compare again"):
        load_report(tmp_path, "bbb")


def test_those_of_deleted_models_go(tmp_path: Path) -> None:
    for name in ("bbb", "ccc"):
        keep_report(tmp_path, KeptReport("aaa", name, trial()))
    drop_reports(tmp_path, {"ccc"})
    assert [p.stem for p in (tmp_path / REPORTS).iterdir()] == ["ccc"]
    drop_reports(tmp_path / "nowhere", set())


def test_a_training_was_cut_off_where_it_left_something(tmp_path: Path) -> None:
    assert not was_cut_off(tmp_path)
    (tmp_path / CHECKPOINT).mkdir()
    assert not was_cut_off(tmp_path)
    (tmp_path / CHECKPOINT / "heads.safetensors").touch()
    assert was_cut_off(tmp_path)
