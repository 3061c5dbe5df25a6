"""Which samples are shown, in which order, and in which words."""

from dataclasses import replace

from aoi_app.samples.state import FabricRow, SamplesState, arranged, count, is_suspicious, with_changes
from aoi_app.samples.wording import caption, fabric_text, hint, problems_text, sample_text, shown_text
from cras_core.data.samples.labels import Label
from cras_core.data.samples.values import FabricRecord, Sample

BOX = Label("box", ((1.0, 1.0), (5.0, 5.0)), "hole")


def sample(name: str, web: str = "roll", **more: object) -> Sample:
    return Sample(name, "denim", "file", web, **more)  # type: ignore[arg-type]


CALM = sample("calm", suspicion=0.4, first_line=10, taken_at="2026-01-03")
ODD = sample("odd", suspicion=1.0, first_line=30, taken_at="2026-01-01")
ODDER = sample("odder", suspicion=2.5, first_line=20, taken_at="2026-01-04")
NEW = sample("new", first_line=5, taken_at="2026-01-05")
HOLE = sample("hole", labels=(BOX,), suspicion=3.0, first_line=40, taken_at="2026-01-02")
OUT = sample("out", choice="thrown out", suspicion=9.0, web="before")
ALL = (CALM, ODD, ODDER, NEW, HOLE, OUT)


def names(which: str, order: str) -> list[str]:
    return [s.id for s in arranged(ALL, which, order)]  # type: ignore[arg-type]


def test_the_most_suspicious_come_first_and_those_that_nobody_judged_last() -> None:
    assert names("kept", "suspicion") == ["hole", "odder", "odd", "calm", "new"]


def test_they_lie_as_on_the_web_or_as_they_came() -> None:
    assert names("all", "place") == ["out", "new", "calm", "odder", "odd", "hole"]
    assert names("kept", "time") == ["odd", "hole", "calm", "odder", "new"]


def test_kinds_leave_the_others_out() -> None:
    assert set(names("good", "place")) == {"calm", "odd", "odder", "new"}
    assert names("defects", "place") == ["hole"]
    assert names("thrown out", "place") == ["out"]
    assert names("suspicious", "suspicion") == ["odder", "odd"]


def test_what_a_person_decided_is_not_suspicious_any_more() -> None:
    assert is_suspicious(ODD)
    assert not is_suspicious(HOLE)
    assert not is_suspicious(OUT)
    assert not is_suspicious(NEW)


def test_a_fabric_is_told_by_its_samples() -> None:
    row = FabricRow(FabricRecord("denim"), count(ALL))
    assert fabric_text(row) == "denim\n4 good, 1 defect, 1 thrown out"
    assert fabric_text(replace(row, record=FabricRecord("denim", is_retired=True))).startswith("denim (retired)\n")
    assert fabric_text(replace(row, counts=None)) == "denim\n…"


def test_a_sample_is_told_in_words() -> None:
    assert sample_text(HOLE) == "roll, 0.00 m along, 0 mm across; defect, 1 label hole; suspicion 3.00"
    assert "please check it" in sample_text(ODD)
    assert "thrown out" in sample_text(OUT)
    assert sample_text(NEW, "No space").endswith("the last change is not saved: No space")


def test_the_line_under_a_picture_says_what_matters_most() -> None:
    assert caption(NEW) == "0.00 m · 0 mm"
    assert caption(ODD) == "suspicion 1.0"
    assert caption(HOLE) == "■ hole"
    assert caption(replace(HOLE, labels=(replace(BOX, code=""),))) == "■ defect (1)"
    assert caption(OUT) == "thrown out"
    assert caption(OUT, is_unsaved=True) == "NOT SAVED"


def test_changed_samples_keep_their_place_and_removed_ones_go() -> None:
    changed = with_changes((ODD, CALM), {"odd": None, "calm": replace(CALM, choice="thrown out"), "out": OUT})
    assert [s.id for s in changed] == ["out", "calm"]
    assert changed[1].choice == "thrown out"


def test_who_has_no_samples_is_told_how_to_begin() -> None:
    assert "new fabric" in hint(SamplesState())
    assert hint(SamplesState(busy="Reading the samples …")) == ""
    assert "Add pictures" in hint(SamplesState(fabric="denim"))
    assert "under Show" in hint(SamplesState(fabric="denim", samples=ALL))
    assert shown_text(SamplesState(), 0) == ""
    row = FabricRow(FabricRecord("denim"), count(ALL))
    state = SamplesState(fabric="denim", samples=ALL, fabrics=(row,))
    assert shown_text(state, 3) == "3 of 6, 2 suspicious: please check"


def test_a_few_problems_are_told_and_the_rest_counted() -> None:
    assert problems_text(["a", "b"]) == "a\nb"
    assert problems_text(list("abcde")) == "a\nb\nc\nand 2 more"
