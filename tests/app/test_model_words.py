"""What can be learnt now, and comparisons in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from aoi_app.learning.rows import training_view
from aoi_app.learning.state import (
    CaseKind,
    Compared,
    ComparedFabric,
    FabricChoice,
    Figures,
    ModelRow,
    ModelView,
    Tile,
    TrainingView,
)
from aoi_app.learning.threshold import around, at_threshold, disagreements, histogram, threshold_at
from aoi_app.learning.training_job import JobState, JobView
from aoi_app.learning.wording import (
    disk_text,
    fabric_remarks,
    figure_rows,
    for_the_window,
    full_training,
    lost_text,
    may_go_live,
    quick_enrolment,
    remaining_text,
    verdict_text,
)
from aoi_app.settings.settings import Learning

NEW = FabricChoice("denim", good=40, webs=3)
OLD = FabricChoice("twill", good=30, webs=5, is_known=True)
VIEW = ModelView(fabrics=(NEW, OLD), in_use="aaa", running="aaa.cras")
FIGURES = Figures(True, 50, 0.5, 2, 20, 18, 3, 3)


def tile(score: float, kind: CaseKind = "good", before: float | None = None) -> Tile:
    return Tile(f"{kind}-{score}", kind, before, score, Path(f"{score}.png"))


def test_quick_enrolment_says_from_what_it_learns_or_why_it_cannot() -> None:
    assert quick_enrolment(VIEW, "denim").is_possible
    assert "From 40 samples of 3 rolls of denim" in quick_enrolment(VIEW, "denim").text
    assert "replaces that and will find less" in quick_enrolment(VIEW, "twill").text
    few = replace(VIEW, fabrics=(replace(NEW, good=1), OLD))
    assert quick_enrolment(few, "denim").text == "denim has 1 sample of good cloth; it takes 2 or more."
    assert "That is little" in quick_enrolment(replace(VIEW, fabrics=(replace(NEW, good=5),)), "denim").text
    for view in (few, ModelView(), replace(VIEW, in_use="", running=""), replace(VIEW, problem="damaged")):
        assert not quick_enrolment(view, "denim").is_possible


@pytest.mark.parametrize("changes", [{"busy": "Comparing …"}, {"training": TrainingView(True)}])
def test_one_thing_is_learnt_at_a_time(changes: dict[str, object]) -> None:
    view = replace(VIEW, **changes)  # type: ignore[arg-type]
    for possible in (quick_enrolment(view, "denim"), full_training(view)):
        assert not possible.is_possible
        assert "wait for it, or stop it" in possible.text


def test_a_full_training_names_the_fabrics_without_samples() -> None:
    assert full_training(VIEW).text == "Learns denim, twill from 70 samples of good cloth."
    empty = replace(VIEW, fabrics=(replace(NEW, good=0), OLD))
    assert full_training(empty).text == "No samples of good cloth: denim. Collect some, or retire the fabric."
    assert full_training(replace(empty, fabrics=(replace(NEW, good=0, is_retired=True), OLD))).is_possible
    assert "goes on where it was" in full_training(replace(VIEW, can_resume=True)).text
    assert not full_training(ModelView()).is_possible


def test_what_would_be_forgotten_is_named() -> None:
    assert lost_text(VIEW) == ""
    assert "knows satin, basket" in lost_text(replace(VIEW, lost=("satin", "basket")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "how long is not known yet"),
        (12.0, "less than a minute left"),
        (61.0, "about 2 minutes left"),
        (7300.0, "about 2 hours left"),
    ],
)
def test_the_remaining_time_is_said_as_people_say_it(seconds: float | None, text: str) -> None:
    assert remaining_text(seconds) == text


def test_a_training_that_ended_says_whether_it_goes_on() -> None:
    killed = JobView(JobState.FAILED, message="The training ended by itself (exit -9).")
    view = training_view(killed, can_resume=True)
    assert view.is_alarm
    assert view.message == "The training ended by itself (exit -9). Started again, it goes on where it was."
    assert training_view(killed, can_resume=False).message == killed.message
    assert training_view(JobView(JobState.CANCELLED), can_resume=True).message.startswith("Stopped; started again")
    assert training_view(JobView(stage="features"), can_resume=False).stage == "Looking at the cloth"


def test_a_comparison_says_what_got_worse_or_that_nothing_did() -> None:
    fabric = ComparedFabric("denim", FIGURES, FIGURES, ())
    result = Compared("aaa", "bbb", (fabric,), ())
    assert verdict_text(result) == "Nothing got worse, as far as so little cloth can tell."
    much = replace(result, fabrics=(replace(fabric, after=replace(FIGURES, area_m2=2.0)),))
    assert verdict_text(much) == "Nothing got worse."
    assert verdict_text(replace(result, worse=("denim: 9 false alarms",))) == "Worse: denim: 9 false alarms."
    assert "no cloth to compare on" in verdict_text(replace(result, fabrics=()))
    first = replace(result, before="", fabrics=(replace(fabric, before=None),))
    assert verdict_text(first) == "There is no model in use to compare with."


def test_a_model_goes_live_by_itself_only_where_it_was_compared_and_nothing_got_worse() -> None:
    result = Compared("aaa", "bbb", (ComparedFabric("denim", FIGURES, FIGURES, ()),), ())
    assert may_go_live(result)
    assert not may_go_live(replace(result, worse=("x",)))
    assert not may_go_live(replace(result, fabrics=()))
    assert not may_go_live(replace(result, is_current=False))


def test_figures_stand_beside_each_other_with_how_much_cloth_they_come_from() -> None:
    unknown = ComparedFabric("denim", replace(FIGURES, known=False), replace(FIGURES, defects=0), (), True)
    rows = figure_rows(unknown)
    assert rows[0] == ("False alarms on cloth it has not learnt", "does not know it", "2 on 0.50 m²")
    assert [r[2] for r in rows[1:]] == ["400", "18 of 20", "none there"]
    said = " ".join(fabric_remarks(unknown))
    assert "50 tiles" in said
    assert "one false alarm more or less is chance" in said
    assert "No defects are confirmed" in said
    assert "provisional" in said
    assert figure_rows(replace(unknown, before=None))[0][1] == "–"


def test_what_the_old_model_has_learnt_from_is_said() -> None:
    tiles = (replace(tile(0.5, before=0.4), seen_before=True), tile(0.6, before=0.4))
    assert "learnt from 1 of them" in " ".join(fabric_remarks(ComparedFabric("denim", FIGURES, FIGURES, tiles)))


def test_tiles_around_a_threshold_are_the_nearest_and_never_drawn_ones() -> None:
    tiles = [tile(s) for s in (0.2, 0.9, 0.7, 1.4, 1.1)] + [tile(1.05, "drawn"), tile(3.0, "defect")]
    under, over = around(tiles, 1.0, 2)
    assert [t.after for t in under] == [0.9, 0.7]
    assert [t.after for t in over] == [1.1, 1.4]
    counted = at_threshold(tiles, 1.2)
    assert (counted.good, counted.of_good, counted.drawn, counted.of_drawn, counted.defects) == (1, 5, 0, 1, 1)
    assert counted.text == (
        "1 of 5 good tiles flagged, 1 of 1 tiles with confirmed defects found, 0 of 1 tiles with drawn defects found"
    )


def test_tiles_on_which_the_models_disagree_come_with_the_greatest_difference_first() -> None:
    tiles = (tile(1.2, before=0.9), tile(0.5, before=2.0), tile(1.5, before=1.1), tile(3.0, "drawn", 0.1), tile(1.3))
    found = disagreements(ComparedFabric("denim", FIGURES, FIGURES, tiles))
    assert [t.after for t in found] == [0.5, 1.2]


def test_a_threshold_for_a_rate_is_found_or_it_is_said_why_not() -> None:
    tiles = tuple(tile(0.3 + 0.01 * i) for i in range(50))
    fabric = ComparedFabric("denim", None, FIGURES, tiles)
    strict, said = threshold_at(fabric, 1.0)
    lax, _ = threshold_at(fabric, 2000.0)
    assert strict is not None
    assert lax is not None
    assert lax < 0.8 < strict
    assert "An estimate: 0.50 m²" in said
    assert at_threshold(tiles, lax).good == pytest.approx(10, abs=1)
    assert threshold_at(replace(fabric, tiles=tiles[:7]), 1.0) == (
        None,
        "7 good tiles are too few to tell; it takes 8 or more.",
    )


def test_every_tile_is_in_the_histogram() -> None:
    tiles = [tile(0.0), tile(5.0), tile(1.0, "drawn"), tile(2.5, "defect")]
    edges, counts = histogram(tiles)
    assert {k: int(c.sum()) for k, c in counts.items()} == {"good": 2, "drawn": 1, "defect": 1}
    assert len(edges) == len(counts["good"]) + 1
    assert histogram([])[1]["good"].sum() == 0


def test_the_way_out_of_a_damaged_history_is_that_of_the_window() -> None:
    said = "the model in use, abc, is missing. Put one that is there into use, such as d: cras models STORE use d"
    assert for_the_window(said).endswith("such as d: choose it on the page Models (Ctrl+M) and press Put into use.")
    assert for_the_window("no sound model: train one and add it (cras models STORE add B)") == (
        "no sound model: train one and add it."
    )
    assert for_the_window("plain") == "plain"


def test_disk_use_is_told_with_its_bounds() -> None:
    models = tuple(ModelRow(str(i), "") for i in range(3))
    view = replace(VIEW, models=models, disk_bytes=2_500_000, free_bytes=7_000_000_000)
    assert disk_text(view) == "3 models, 2.5 MB; 7.0 GB free. Kept: 20 models, 5 GB."
    assert disk_text(replace(view, learning=Learning(most_models=2))).endswith("That is over the bounds.")
