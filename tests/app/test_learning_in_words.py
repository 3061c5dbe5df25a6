"""What can be learnt now, and models and evaluations in words."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aoi_app.learning.evaluation_wording import (
    Outcome,
    automatic_reason,
    fabric_remarks,
    first_to_show,
    heading_text,
    may_go_live,
    metric_rows,
    outcome_of,
    outcome_text,
)
from aoi_app.learning.model_names import name_of_file, names_of
from aoi_app.learning.rows import evaluation_of, promotion_row
from aoi_app.learning.state import (
    CandidateEvaluation,
    EvaluatedFabric,
    EvaluatedTile,
    FabricChoice,
    LearningState,
    ModelRow,
    PromotionRow,
)
from aoi_app.learning.threshold import around, at_threshold, histogram, threshold_at
from aoi_app.learning.training_state import TrainingPhase, TrainingState
from aoi_app.learning.wording import (
    disk_text,
    forgotten_text,
    full_training,
    line_text,
    promotion_reason,
    quick_enrolment,
    remaining_text,
    store_problem_text,
    training_end_text,
    training_text,
)
from aoi_app.settings.settings import Learning
from cras_core.errors import StoreError
from cras_core.evaluation.candidate_reports import KeptReport
from cras_core.evaluation.candidate_verdicts import CandidateReport, FabricMetrics, Kind, Verdict
from cras_core.messages import Message
from cras_core.registry.entries import Entry, Promotion

NEW = FabricChoice("denim", good=40, webs=3)
OLD = FabricChoice("twill", good=30, webs=5, is_known=True)
SMALL = FabricMetrics(
    "denim", known=True, pieces=50, area_m2=0.5, alarms=2, drawn=20, drawn_found=18, defects=3, defects_found=3,
    peaks=tuple(0.3 + 0.01 * i for i in range(50)),
)  # fmt: skip
LARGE = replace(SMALL, pieces=200, area_m2=2.0)


def state(**changes: Any) -> LearningState:
    return replace(LearningState(fabrics=(NEW, OLD), in_use="aaa", line_bundle="aaa.cras"), **changes)


def fabric(before: FabricMetrics | None = SMALL, after: FabricMetrics = SMALL, **more: Any) -> EvaluatedFabric:
    return EvaluatedFabric(after.fabric, before, after, **more)


def evaluation(*fabrics: EvaluatedFabric, **more: Any) -> CandidateEvaluation:
    return replace(CandidateEvaluation("aaa", "bbb", fabrics), **more)


def verdict(score: float, kind: Kind = "good", name: str = "") -> Verdict:
    flagged = int(score >= 1.0)
    defects = int(kind != "good")
    return Verdict(
        name or f"{kind}-{score}", "denim", kind, score, flagged * (1 - defects), defects, flagged * defects, 0.01, True
    )


def tile(score: float, kind: Kind = "good") -> EvaluatedTile:
    return EvaluatedTile(None, verdict(score, kind), Path(f"{score}.png"))


# --- what can be learnt -----------------------------------------------------------------------------------------------


def test_quick_enrolment_says_from_what_it_learns_or_why_it_cannot() -> None:
    assert quick_enrolment(state(), "denim").is_possible
    assert "40 defect-free samples from 3 rolls or files of denim" in quick_enrolment(state(), "denim").text
    assert "find fewer defects" in quick_enrolment(state(), "twill").text
    few = state(fabrics=(replace(NEW, good=1), OLD))
    assert quick_enrolment(few, "denim").text == "denim has 1 defect-free sample. At least 2 are needed."
    assert "That is little" in quick_enrolment(state(fabrics=(replace(NEW, good=5),)), "denim").text
    for impossible in (few, LearningState(), state(in_use="", line_bundle=""), state(problem="damaged")):
        assert not quick_enrolment(impossible, "denim").is_possible


@pytest.mark.parametrize(
    ("changes", "running"),
    [({"busy": "Enrolling satin …"}, "Enrolling satin"), ({"training": TrainingState()}, "Full training")],
)
def test_one_thing_is_learnt_at_a_time_and_it_is_said_which(changes: dict[str, object], running: str) -> None:
    for possible in (quick_enrolment(state(**changes), "denim"), full_training(state(**changes))):
        assert not possible.is_possible
        assert possible.text == f"{running} is not finished. Wait until it ends, or stop it."


def test_a_fabric_without_samples_is_named_and_left_out_of_a_full_training() -> None:
    assert full_training(state()).text == "Trains on 70 defect-free samples: denim, twill."
    empty = state(fabrics=(replace(NEW, good=0), OLD))
    assert full_training(empty).is_possible
    assert full_training(empty).text == (
        "Trains on 30 defect-free samples: twill. Left out, because there are no defect-free samples yet: denim."
    )
    none = state(fabrics=(replace(NEW, good=0), replace(OLD, good=0)))
    assert full_training(none).text == "There are no defect-free samples of denim, twill yet. Collect some."
    assert not full_training(none).is_possible
    elsewhere = replace(none, extra_fabrics=("denim",))
    assert full_training(elsewhere).is_possible
    assert "Left out, because there are no defect-free samples yet: twill." in full_training(elsewhere).text
    retired = state(fabrics=(replace(NEW, good=0, is_retired=True), OLD))
    assert full_training(retired).is_possible
    assert "is resumed" in full_training(state(can_resume=True)).text
    assert full_training(state(extra_fabrics=("satin",))).text.endswith("denim, twill, satin.")
    assert not full_training(LearningState()).is_possible


def test_what_would_be_forgotten_is_named() -> None:
    assert forgotten_text(state()) == ""
    assert "knows satin, basket" in forgotten_text(state(forgotten=("satin", "basket")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "time left not known yet"),
        (12.0, "less than a minute left"),
        (61.0, "about 2 minutes left"),
        (7300.0, "about 2 hours left"),
    ],
)
def test_the_remaining_time_is_said_as_people_say_it(seconds: float | None, text: str) -> None:
    assert remaining_text(seconds) == text


def test_a_training_that_ended_says_whether_it_can_be_resumed() -> None:
    killed = TrainingState(TrainingPhase.FAILED, message="The training ended by itself (exit -9).")
    assert training_end_text(killed, can_resume=True) == f"{killed.message} Start it again to resume it."
    assert training_end_text(killed, can_resume=False) == killed.message
    stopped = TrainingState(TrainingPhase.CANCELLED)
    assert training_end_text(stopped, can_resume=True).startswith("The training was stopped. Start it again")
    for unremarkable in (None, TrainingState(), TrainingState(TrainingPhase.DONE, message="done")):
        assert training_end_text(unremarkable, can_resume=True) == ""
    running = TrainingState(stage="features", remaining_s=90.0)
    assert training_text(running) == "Full training, extracting features: about 2 minutes left"


# --- the history ------------------------------------------------------------------------------------------------------


def test_a_problem_of_the_history_is_told_with_the_place_where_it_is_mended() -> None:
    inner = Message("way", "Put one that is there into use, such as d", hint="With: cras models STORE use d")
    error = StoreError("missing", "the model in use is missing. {way}.", way=inner)
    assert store_problem_text(error) == (
        "the model in use is missing. Put one that is there into use, such as d. Models are put into use on the Models "
        "page (Ctrl+M), tab History."
    )


def test_disk_use_is_told_with_its_limits() -> None:
    models = tuple(ModelRow(str(i), "") for i in range(3))
    full = state(models=models, disk_bytes=2_500_000, free_bytes=7_000_000_000)
    assert disk_text(full) == "3 models, 2.5 MB; 7.0 GB free. Limits: 20 models, 5 GB."
    assert disk_text(replace(full, learning=Learning(most_models=2))).endswith("The history is over its limits.")


def test_a_line_that_runs_another_model_is_said() -> None:
    assert line_text(state(is_line_bundle_in_use=True)) == ""
    assert "not the model in use" in line_text(state())
    assert "No model of this history is in use yet" in line_text(state(in_use=""))


def test_the_log_tells_a_rollback_from_a_choice() -> None:
    history = state(promotions=(PromotionRow("", "", "", "aaa", ""),))
    assert promotion_reason(history, "aaa") == "rolled back to it"
    assert promotion_reason(history, "bbb") == "chosen"


# --- evaluations ------------------------------------------------------------------------------------------------------


def test_a_report_becomes_rows_of_its_fabrics_with_pictures_and_disagreements() -> None:
    running = (verdict(0.9, name="a"), verdict(2.0, name="b"), verdict(1.1, name="c"), verdict(0.1, "drawn", "a"))
    candidate = (verdict(1.2, name="a"), verdict(0.5, name="b"), verdict(1.5, name="c"), verdict(3.0, "drawn", "a"))
    kept = KeptReport("aaa", "bbb", CandidateReport(running, candidate, frozenset({"a"})))
    shown = evaluation_of(kept, {"denim": Path("denim")}, {"denim"}, "aaa")
    (only,) = shown.fabrics
    assert shown.is_current
    assert only.is_provisional
    assert [t.id for t in only.disagreements] == ["b", "a"]  # the greatest difference first, no synthetic defects
    assert [t.seen_before for t in only.tiles] == [True, False, False, False]
    assert only.tiles[0].path == Path("denim/a.png")
    assert only.before is not None
    assert (only.before.alarms, only.after.alarms, only.after.drawn_found) == (2, 2, 1)
    assert not evaluation_of(kept, {}, (), "ccc").is_current


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (evaluation(), Outcome.NOTHING_SCORED),
        (evaluation(fabric(after=replace(SMALL, pieces=0, defects=0))), Outcome.NOTHING_SCORED),
        (evaluation(fabric(before=None), before=""), Outcome.NO_MODEL_IN_USE),
        (evaluation(fabric(before=replace(SMALL, known=False))), Outcome.NOT_COMPARABLE),
        (evaluation(fabric()), Outcome.THIN),
        (evaluation(fabric(after=replace(LARGE, drawn=10, defects=0))), Outcome.THIN),
        (evaluation(fabric(after=LARGE)), Outcome.NOT_WORSE),
        (evaluation(fabric(after=replace(LARGE, drawn=50, drawn_found=19))), Outcome.MISSES_MUCH),
        (evaluation(fabric(after=LARGE), fabric(after=replace(LARGE, drawn_found=9))), Outcome.MISSES_MUCH),
        (evaluation(fabric(after=LARGE), worse=("denim: 9 false alarms",)), Outcome.WORSE),
        (evaluation(worse=("twill: unknown",)), Outcome.WORSE),
    ],
)
def test_an_evaluation_comes_to_what_its_evidence_bears(result: CandidateEvaluation, outcome: Outcome) -> None:
    assert outcome_of(result) is outcome


def test_it_is_said_what_was_compared_and_how_much_of_it() -> None:
    small = "50 defect-free tiles (0.50 m²), 20 synthetic and 3 confirmed defects of denim"
    large = "200 defect-free tiles (2.00 m²), 20 synthetic and 3 confirmed defects of denim"
    thin = evaluation(fabric())
    assert outcome_text(thin) == f"Too little to tell whether it is worse: compared on only {small}."
    assert outcome_text(evaluation(fabric(after=LARGE))) == f"Nothing got worse on {large}."
    worse = outcome_text(replace(thin, worse=("denim: 9 false alarms",)))
    assert worse == f"Worse: denim: 9 false alarms. Compared on {small}."
    assert "held out" in outcome_text(evaluation())
    unknown = outcome_text(evaluation(fabric(before=replace(SMALL, known=False))))
    assert unknown.startswith("Not compared: the model in use does not know denim.")
    assert "there is no model in use" in outcome_text(evaluation(fabric(before=None), before=""))


def test_nothing_got_worse_is_never_said_on_thin_evidence() -> None:
    for result in (evaluation(), evaluation(fabric()), evaluation(fabric(before=replace(SMALL, known=False)))):
        assert "othing got worse" not in outcome_text(result)
        assert "othing got worse" not in automatic_reason(result)


def test_nothing_got_worse_is_never_said_above_defects_that_are_missed() -> None:
    weak = replace(LARGE, drawn=50, drawn_found=19, defects=0, defects_found=0)
    said = outcome_text(evaluation(fabric(before=replace(weak, drawn_found=21), after=weak)))
    assert said == (
        "The candidate misses many defects: it finds 19 of 50 of denim (the model in use 21). Compared on 200 "
        "defect-free tiles (2.00 m²), 50 synthetic and 0 confirmed defects of denim."
    )


def test_models_are_called_by_what_they_know_and_when_they_were_made() -> None:
    made_s = time.mktime((2026, 11, 28, 17, 40, 5, 0, 0, -1))

    def entry(identity: str, seconds: float = 0.0, *fabrics: str, problem: str = "") -> Entry:
        known = fabrics or ("denim", "twill")
        return Entry(identity, Path(f"{identity}.cras"), 1, made_s=made_s + seconds, fabrics=known, problem=problem)

    assert names_of([entry("aaaa1111"), entry("bbbb2222", 60), entry("cccc", problem="damaged")]) == {
        "aaaa1111": "denim, twill of 2026-11-28 17:40",
        "bbbb2222": "denim, twill of 2026-11-28 17:41",
    }
    assert names_of([entry("aaaa1111"), entry("bbbb2222", 7)]) == {
        "aaaa1111": "denim, twill of 2026-11-28 17:40:05",
        "bbbb2222": "denim, twill of 2026-11-28 17:40:12",
    }
    assert names_of([entry("aaaa1111"), entry("bbbb2222"), entry("cccc3333", 1, "a", "b", "c")]) == {
        "aaaa1111": "denim, twill of 2026-11-28 17:40:05 (aaaa)",
        "bbbb2222": "denim, twill of 2026-11-28 17:40:05 (bbbb)",
        "cccc3333": "a, b and 1 more of 2026-11-28 17:40",
    }


def test_the_model_of_the_line_is_called_as_its_file_unless_the_history_named_that() -> None:
    assert name_of_file(Path("demo.cras"), "aaaa1111", ("plain",), "2026-11-28T17:40:05+0000") == "demo.cras"
    of_history = name_of_file(Path("aaaa1111.cras"), "aaaa1111", ("plain",), "2026-11-28T17:40:05+0000")
    assert of_history == "plain of 2026-11-28 17:40"
    assert name_of_file(Path("aaaa1111.cras"), "aaaa1111", ("plain",), "") == "plain"


def test_the_log_names_models_that_are_gone() -> None:
    promotion = Promotion("2026-11-28T17:40:05+0000", "ana", "aaaa", "bbbb", "chosen")
    row = promotion_row(promotion, {"bbbb": "denim of 2026-11-28 17:40"})
    assert (row.name, row.before_name) == ("denim of 2026-11-28 17:40", "a model that is gone")
    assert (row.identity, row.before) == ("bbbb", "aaaa")


def test_a_fabric_that_only_the_candidate_knows_is_no_evidence_for_the_others() -> None:
    new = fabric(before=replace(LARGE, fabric="satin", known=False), after=replace(LARGE, fabric="satin"))
    result = evaluation(fabric(), new)
    assert outcome_of(result) is Outcome.THIN
    assert outcome_text(result).endswith("of denim.")


def test_a_candidate_goes_live_by_itself_only_where_something_was_scored_and_nothing_got_worse() -> None:
    result = evaluation(fabric())
    assert may_go_live(result)
    assert not may_go_live(replace(result, worse=("x",)))
    assert not may_go_live(replace(result, fabrics=()))
    assert not may_go_live(replace(result, is_current=False))
    assert automatic_reason(result).startswith("automatic: not worse on 50 defect-free tiles (0.50 m²)")


def test_the_heading_names_both_models() -> None:
    assert heading_text(LearningState()) == "No candidate"
    assert heading_text(state(candidate="aaa")) == "aaa is in use"
    assert heading_text(state(candidate="bbb")) == "Candidate bbb"
    assert heading_text(state(candidate="bbb", evaluation=evaluation())) == "Candidate bbb beside aaa (in use)"
    named = state(candidate="bbb", models=(ModelRow("bbb", "", name="denim of today"),), evaluation=evaluation())
    assert heading_text(named) == "Candidate denim of today beside aaa (in use)"
    older = evaluation(is_current=False)
    assert heading_text(state(candidate="bbb", evaluation=older)) == "Candidate bbb beside aaa (no longer in use)"


def test_metrics_stand_beside_each_other_with_how_much_they_come_from() -> None:
    unknown = fabric(before=replace(SMALL, known=False), after=replace(SMALL, defects=0), is_provisional=True)
    rows = metric_rows(unknown)
    assert rows[0] == ("False alarms on held-out samples", "does not know it", "2 on 0.50 m²")
    assert [r[2] for r in rows[1:]] == ["400", "18 of 20", "none there"]
    said = " ".join(fabric_remarks(unknown))
    assert "50 defect-free tiles" in said
    assert "one false alarm more or less is chance" in said
    assert "no confirmed or labelled defects" in said
    assert "provisional" in said
    assert metric_rows(replace(unknown, before=None))[0][1] == "–"


def test_what_the_model_in_use_was_trained_on_is_said() -> None:
    seen = replace(tile(0.5), seen_before=True)
    assert "trained on 1 of them" in " ".join(fabric_remarks(fabric(tiles=(seen, tile(0.6)))))


def test_the_fabric_that_tells_most_is_shown_first() -> None:
    quiet, loud = fabric(), replace(fabric(), name="twill", disagreements=(tile(1.2),))
    new = replace(fabric(before=None), name="satin")
    assert first_to_show(None) == ""
    assert first_to_show(evaluation(quiet, loud)) == "twill"
    assert first_to_show(evaluation(quiet, loud, new)) == "satin"
    assert first_to_show(evaluation(quiet, loud, new, worse=("denim: 9 false alarms",))) == "denim"


# --- the threshold ----------------------------------------------------------------------------------------------------


def test_tiles_around_a_threshold_are_the_nearest_and_never_with_synthetic_defects() -> None:
    tiles = [tile(s) for s in (0.2, 0.9, 0.7, 1.4, 1.1)] + [tile(1.05, "drawn"), tile(3.0, "defect")]
    under, over = around(tiles, 1.0, 2)
    assert [t.after.peak for t in under] == [0.9, 0.7]
    assert [t.after.peak for t in over] == [1.1, 1.4]
    counted = at_threshold(tiles, 1.2)
    assert (counted.good, counted.of_good, counted.synthetic, counted.of_synthetic, counted.confirmed) == (
        1, 5, 0, 1, 1,
    )  # fmt: skip
    assert counted.text == (
        "1 of 5 defect-free tiles flagged, 1 of 1 tiles with confirmed defects found, "
        "0 of 1 tiles with synthetic defects found"
    )


def test_a_threshold_for_a_rate_is_found_or_it_is_said_why_not() -> None:
    one = fabric(before=None)
    strict, said = threshold_at(one, 1.0)
    lax, _ = threshold_at(one, 2000.0)
    assert strict is not None
    assert lax is not None
    assert lax < 0.8 < strict
    assert "An estimate" in said
    assert "0.50 m²" in said
    assert sum(peak >= lax for peak in SMALL.peaks) == pytest.approx(10, abs=1)
    few = fabric(before=None, after=replace(SMALL, peaks=SMALL.peaks[:7]))
    assert threshold_at(few, 1.0) == (None, "7 defect-free tiles are too few to tell; at least 8 are needed.")


def test_every_tile_is_in_the_histogram() -> None:
    tiles = [tile(0.0), tile(5.0), tile(1.0, "drawn"), tile(2.5, "defect")]
    edges, counts = histogram(tiles)
    assert {k: int(c.sum()) for k, c in counts.items()} == {"good": 2, "drawn": 1, "defect": 1}
    assert len(edges) == len(counts["good"]) + 1
    assert histogram([])[1]["good"].sum() == 0
