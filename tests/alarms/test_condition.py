"""One word for the line: a table of facts and what follows, and the proof that green has to be earned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aoi_app.alarms.causes import _RULES, GAP_SHOWN_S
from aoi_app.alarms.condition import Condition, LineStatus, status_of
from aoi_app.alarms.facts import Facts, LatestGap
from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.line_proof import LineProof
from cras_core.web.proof import Proof

GOOD = Facts(is_running=True, has_inspected=True, free_mb=50_000.0, width_mm=800.0, usual_width_mm=800.0)
"""Everything that has to be true for green."""

GAP = LatestGap("no cloth found in view", 3.25, age_s=1.0, is_last=True)
PROVEN = LineProof(Proof(2.0, 4, 5, 2, 2), 1.0, 5000, 0, 8.0)
UNKNOWN = ClothDoubt("unknown cloth", "unknown cloth: enrol it", 4000, 0.8)


def has(status: LineStatus, key: str) -> bool:
    return key in [cause.key for cause in status.causes]


def test_nothing_is_said_where_no_roll_runs() -> None:
    assert status_of(Facts()) == LineStatus(Condition.NO_ROLL)
    assert status_of(replace(GOOD, is_running=False, doubts=(UNKNOWN,), gap=GAP)) == LineStatus(Condition.NO_ROLL)


def test_a_line_that_is_proven_to_inspect_is_green() -> None:
    assert status_of(GOOD) == LineStatus(Condition.INSPECTING)


@pytest.mark.parametrize(
    ("change", "condition", "key", "said"),
    [
        ({"failure": "The model failed."}, Condition.NOT_INSPECTING, "failed", "The model failed."),
        ({"camera": "The camera is gone."}, Condition.NOT_INSPECTING, "camera away", "camera is gone"),
        ({"stuck_s": 31.0}, Condition.NOT_INSPECTING, "inspection stuck", "31 s"),
        ({"stuck_s": 31.0, "is_live": False}, Condition.INSPECTING, "", ""),
        ({"stuck_s": 200.0, "is_live": False}, Condition.NOT_INSPECTING, "inspection stuck", "200 s"),
        ({"gap": GAP, "gap_m": 1.5}, Condition.NOT_INSPECTING, "cloth missed", "1.50 m not inspected"),
        ({"gap": replace(GAP, age_s=1e6)}, Condition.NOT_INSPECTING, "cloth missed", "An unknown length"),
        ({"gap": replace(GAP, is_last=False)}, Condition.NOT_INSPECTING, "cloth missed", "at 3.25 m: no cloth"),
        ({"gap": replace(GAP, is_last=False, age_s=GAP_SHOWN_S + 1)}, Condition.INSPECTING, "", ""),
        ({"proof": PROVEN}, Condition.INSPECTING, "", ""),
        ({"proof": replace(PROVEN, misses=1)}, Condition.RESERVE, "test piece missed", "painted spots of 8 mm"),
        ({"proof": replace(PROVEN, misses=2)}, Condition.NOT_INSPECTING, "test piece missed", "2 times in a row"),
        ({"unaccounted": "3 lines are missing"}, Condition.NOT_INSPECTING, "unaccounted", "3 lines are missing."),
        ({"doubts": (UNKNOWN,)}, Condition.RESERVE, "unknown cloth", "From 0.80 m on unknown cloth"),
        ({"model_problem": "the model is broken"}, Condition.RESERVE, "another model", "The model is broken."),
        ({"threshold": 2.0}, Condition.RESERVE, "threshold moved", "to 2.00; the recipe says 1.00"),
        ({"threshold": 1.005}, Condition.INSPECTING, "", ""),
        ({"unrecorded": "not recorded: the disk is full"}, Condition.RESERVE, "not recorded", "disk is full."),
        ({"camera_problem": "the encoder is silent"}, Condition.RESERVE, "camera problem", "The encoder is silent."),
        ({"backlog": 0.6}, Condition.RESERVE, "falls behind", "60%"),
        (
            {"free_mb": 12.0, "full_folder": "/data"},
            Condition.RESERVE,
            "disk nearly full",
            "12 MB are left on the disk",
        ),
        ({"free_mb": None}, Condition.INSPECTING, "", ""),
        ({"quiet_s": 11.0}, Condition.RESERVE, "nothing comes", "for 11 s"),
        ({"quiet_s": 9.0}, Condition.INSPECTING, "", ""),
        ({"is_ending": True}, Condition.ENDING, "", "still inspected"),
        ({"is_ending": True, "quiet_s": 99.0, "backlog": 1.0}, Condition.ENDING, "", "F8"),
        ({"is_ending": True, "gap": GAP}, Condition.NOT_INSPECTING, "cloth missed", "no cloth"),
        ({"is_ending": True, "doubts": (UNKNOWN,)}, Condition.ENDING, "unknown cloth", "unknown cloth"),
        ({"width_mm": 600.0}, Condition.RESERVE, "width jumped", "600 mm wide, just before it was 800 mm"),
        ({"width_mm": 760.0}, Condition.INSPECTING, "", ""),
        ({"width_mm": 0.0}, Condition.INSPECTING, "", ""),
        ({"device_problem": "the GPU is gone"}, Condition.RESERVE, "another device", "The GPU is gone."),
        ({"old_calibrations": ("The scale is old.",)}, Condition.RESERVE, "calibration old", "The scale is old."),
        ({"picture_changes": ("Focus has fallen.",)}, Condition.RESERVE, "picture changed", "Focus has fallen."),
        ({"odd_columns": ("Dirty at 812 mm.",)}, Condition.RESERVE, "columns stand out", "Dirty at 812 mm."),
        ({"teaching": "40% has come"}, Condition.RESERVE, "teaching", "what it is: 40% has come. It is inspected once"),
        ({"teaching": "it learns", "quiet_s": 99.0}, Condition.RESERVE, "teaching", "it learns"),
        ({"has_inspected": False}, Condition.RESERVE, "begins", "No cloth of this roll"),
        ({"is_paused": True}, Condition.PAUSED, "", ""),
        ({"is_paused": True, "quiet_s": 99.0, "gap": GAP}, Condition.PAUSED, "", ""),
        ({"is_paused": True, "doubts": (UNKNOWN,)}, Condition.PAUSED, "unknown cloth", "unknown cloth"),
    ],
)
def test_each_cause_has_its_condition_its_words_and_its_way_out(
    change: dict[str, object], condition: Condition, key: str, said: str
) -> None:
    status = status_of(replace(GOOD, **change))  # type: ignore[arg-type]
    assert status.condition is condition
    assert [cause.key for cause in status.causes] == ([key] if key else [])
    assert said in status.text


def test_the_worst_cause_is_the_word_of_the_line() -> None:
    status = status_of(replace(GOOD, doubts=(UNKNOWN,), camera="The camera is gone.", backlog=0.9))
    assert (status.condition, status.text) == (Condition.NOT_INSPECTING, "The camera is gone.")
    assert len(status.causes) == 3


def test_what_makes_verdicts_doubtful_spoils_the_cloth_and_the_rest_does_not() -> None:
    assert status_of(replace(GOOD, doubts=(UNKNOWN,))).spoils_cloth
    assert status_of(replace(GOOD, threshold=3.0)).spoils_cloth
    assert not status_of(replace(GOOD, backlog=0.9, free_mb=1.0)).spoils_cloth


def test_a_cause_that_nobody_thought_of_is_not_green(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a single rule the line is green only where cloth was inspected just now."""
    monkeypatch.setattr("aoi_app.alarms.causes._RULES", ())
    assert status_of(GOOD).condition is Condition.INSPECTING
    for change in ({"has_inspected": False}, {"quiet_s": 99.0}, {"stuck_s": 999.0}, {"gap": GAP}):
        assert status_of(replace(GOOD, **change)).condition is Condition.RESERVE  # type: ignore[arg-type]


facts = st.builds(
    Facts,
    is_running=st.booleans(),
    is_paused=st.booleans(),
    is_ending=st.booleans(),
    failure=st.sampled_from(["", "failed"]),
    has_inspected=st.booleans(),
    quiet_s=st.floats(0, 100),
    stuck_s=st.floats(0, 500),
    backlog=st.floats(0, 1),
    gap=st.none() | st.builds(LatestGap, st.just("why"), st.floats(0, 9), st.floats(0, 99), st.booleans()),
    doubts=st.sampled_from([(), (UNKNOWN,)]),
    threshold=st.floats(0.3, 4),
    camera=st.sampled_from(["", "gone"]),
)


@given(facts)
def test_green_is_never_without_its_proof(now: Facts) -> None:
    status = status_of(now)
    if status.condition is Condition.INSPECTING:
        assert status.causes == ()
        assert now.is_running
        assert now.has_inspected
        assert now.quiet_s <= 10
        assert not now.failure
        assert not (now.gap is not None and now.gap.is_last)
    if status.condition in (Condition.RESERVE, Condition.NOT_INSPECTING) and now.is_proven:
        assert status.text, "a person is told why"


def test_no_two_causes_share_a_key() -> None:
    worst = Facts(
        is_running=True,
        camera="x",
        stuck_s=999.0,
        gap=GAP,
        unaccounted="x",
        model_problem="x",
        doubts=(UNKNOWN,),
        proof=replace(PROVEN, misses=1),
        threshold=9.0,
        unrecorded="x",
        camera_problem="x",
        backlog=1.0,
        free_mb=1.0,
        quiet_s=99.0,
        width_mm=1.0,
        usual_width_mm=9.0,
        device_problem="x",
        picture_changes=("x",),
        odd_columns=("x",),
        old_calibrations=("x",),
    )
    keys = [cause.key for cause in status_of(worst).causes]
    assert len(set(keys)) == len(keys) == len(_RULES) - 2, "of a silent camera only one thing is said; nothing teaches"
    assert has(status_of(replace(worst, camera="")), "nothing comes")
    assert has(status_of(replace(worst, teaching="x")), "teaching")
