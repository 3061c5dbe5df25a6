"""The desk that learns, compares and keeps models, with real stores and a small real model."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from aoi_app.learning.service import LearningService
from aoi_app.learning.start_model import model_to_start
from aoi_app.learning.state import ModelView
from aoi_app.settings.settings import Learning
from cras_core.data.samples.store import SampleStore
from cras_core.evaluation.candidate_reports import was_cut_off
from cras_core.registry import store as model_store
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore

FEW = ("train.epochs=2", "train.patches_per_epoch=4096", "synthesis.drawn_tiles=2")
MakeDesk = Callable[..., LearningService]


class Line:
    """What the line runs, and what it was told to run."""

    def __init__(self, bundle: Path) -> None:
        self.bundle: Path | None = bundle
        self.promoted: list[Path] = []
        self.kept: list[Learning] = []


@pytest.fixture
def line(bundle_path: Path) -> Line:
    return Line(bundle_path)


@pytest.fixture
def folder(cloth_samples: SampleStore, tmp_path: Path) -> Path:
    """``library`` and ``models`` of a mill."""
    shutil.copytree(cloth_samples.root, tmp_path / "library")
    return tmp_path


@pytest.fixture
def make(folder: Path, line: Line) -> Iterator[MakeDesk]:
    made: list[LearningService] = []

    def desk(**more: object) -> LearningService:
        made.append(
            LearningService(
                SampleStore(folder / "library"),
                ModelStore(folder / "models"),
                running=lambda: line.bundle,
                on_promoted=line.promoted.append,
                on_learning=line.kept.append,
                device="cpu",
                settings=FEW,
                **more,  # type: ignore[arg-type]
            )
        )
        return made[-1]

    yield desk
    for one in made:
        one.close(60)
        assert one.is_at_rest


def until(desk: LearningService, is_so: Callable[[ModelView], object], seconds: float = 120.0) -> ModelView:
    end_s = time.monotonic() + seconds
    while not is_so(desk.view()):
        assert time.monotonic() < end_s, desk.view()
        time.sleep(0.02)
    return desk.view()


@pytest.fixture(scope="module")
def enrolled(cloth_samples: SampleStore, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores after satin was enrolled quickly and nobody has decided yet."""
    folder = tmp_path_factory.mktemp("enrolled")
    shutil.copytree(cloth_samples.root, folder / "library")
    desk = LearningService(
        SampleStore(folder / "library"),
        ModelStore(folder / "models"),
        running=lambda: bundle_path,
        on_promoted=lambda _: None,
        device="cpu",
    )
    until(desk, lambda v: v.fabrics)
    desk.enrol("satin")
    until(desk, lambda v: v.compared is not None and not v.busy)
    desk.close(60)
    return folder


@pytest.fixture
def after(enrolled: Path, folder: Path) -> ModelStore:
    """A history with the line's model in use and a candidate that knows satin too."""
    shutil.copytree(enrolled / "models", folder / "models")
    return ModelStore(folder / "models")


def candidate(models: ModelStore) -> str:
    (new,) = [e.identity for e in models.entries() if not e.in_use]
    return new


def test_what_is_there_is_shown(make: MakeDesk, bundle: Bundle) -> None:
    desk = make()
    view = until(desk, lambda v: v.fabrics and v.running)
    assert {f.name: (f.good, f.webs, f.is_known) for f in view.fabrics} == {
        "plain": (12, 6, True),
        "satin": (12, 6, False),
        "twill": (12, 6, True),
    }
    assert (view.models, view.in_use, view.problem) == ((), "", "")


def test_a_quick_enrolment_begins_the_history_with_the_model_of_the_line(
    after: ModelStore, bundle: Bundle, make: MakeDesk
) -> None:
    assert after.in_use is not None
    assert after.in_use.identity == bundle.identity
    assert "the line ran it when the history began" in after.promotions[0].reason
    new = after.entry(candidate(after))
    assert (new.kind, new.fabrics, new.provisional) == ("quick", ("plain", "twill", "satin"), ("satin",))
    desk = make()
    desk.compare(new.identity)
    view = until(desk, lambda v: v.compared)
    assert view.compared is not None
    assert (view.compared.before, view.compared.after) == (bundle.identity, new.identity)
    satin = next(f for f in view.compared.fabrics if f.name == "satin")
    assert satin.is_provisional
    assert satin.after.pieces > 0
    assert satin.after.drawn > 0
    assert satin.before is not None
    assert not satin.before.known
    assert all(t.path.is_file() for t in satin.tiles)


def test_a_model_that_was_chosen_goes_to_the_line_and_one_can_go_back(
    after: ModelStore, make: MakeDesk, line: Line, bundle: Bundle
) -> None:
    new = candidate(after)
    desk = make()
    desk.promote(new, "chosen")
    view = until(desk, lambda v: v.in_use == new)
    assert line.promoted == [after.folder / f"{new}.cras"]
    assert view.promotions[0].reason == "chosen"
    assert [m.identity for m in view.models if m.is_way_back] == [bundle.identity]
    desk.promote(bundle.identity, "went back to it")
    until(desk, lambda v: v.in_use == bundle.identity)
    assert line.promoted[-1].name == f"{bundle.identity}.cras"
    assert [p.identity for p in after.promotions] == [bundle.identity, new, bundle.identity]


def test_a_model_goes_live_by_itself_only_where_the_engineer_allows_it(
    after: ModelStore, make: MakeDesk, line: Line, bundle: Bundle
) -> None:
    new = candidate(after)
    desk = make()
    desk.compare(new, anew=True)
    view = until(desk, lambda v: v.compared and not v.busy)
    assert view.compared is not None
    assert view.compared.worse == ()
    assert "not in use yet" in view.note
    assert line.promoted == []
    allowed = Learning(promote_unless_worse=True)
    desk.change(allowed)
    assert line.kept == [allowed]
    desk.compare(new, anew=True)
    until(desk, lambda v: v.in_use == new)
    assert after.promotions[-1].reason == "by itself: nothing got worse"
    assert [p.stem for p in line.promoted] == [new]


def test_the_history_is_kept_within_bounds(after: ModelStore, make: MakeDesk, bundle: Bundle) -> None:
    new = candidate(after)
    desk = make(learning=Learning(most_models=2))
    desk.pin(new, pinned=True)
    until(desk, lambda v: any(m.pinned for m in v.models))
    desk.remove(new)
    assert "unpin it first" in until(desk, lambda v: v.is_alarm).note
    desk.pin(new, pinned=False)
    desk.take_out("twill")
    view = until(desk, lambda v: v.in_use not in ("", bundle.identity))
    assert f"Deleted because there were more than are kept: {new}" in view.note
    assert {m.identity for m in view.models} == {bundle.identity, view.in_use}
    assert not (after.folder / ".trials" / f"{new}.json").exists()
    assert next(f for f in view.fabrics if f.name == "twill").is_retired
    desk.prune()
    until(desk, lambda v: "the bounds hold" in v.note)


def test_a_fabric_is_renamed_in_the_model_and_in_the_samples(after: ModelStore, make: MakeDesk, line: Line) -> None:
    desk = make()
    desk.rename_fabric("twill", "twill 7")
    view = until(desk, lambda v: any(f.name == "twill 7" and f.is_known for f in v.fabrics))
    assert "twill is called twill 7" in view.note
    assert line.promoted[-1].stem == view.in_use
    desk.rename_fabric("plain", "twill 7")
    assert "in the model already" in until(desk, lambda v: v.is_alarm and not v.busy).note


def test_two_models_are_told_apart(after: ModelStore, make: MakeDesk, bundle: Bundle) -> None:
    desk = make()
    desk.differ(bundle.identity, candidate(after))
    view = until(desk, lambda v: v.difference)
    assert view.difference is not None
    parts = dict(view.difference.parts)
    assert parts["Fabrics"] == ("satin: only in the second",)
    assert parts["What judges the cloth"] == ("the same",)


def test_the_model_of_the_line_is_taken_into_the_history(
    after: ModelStore, make: MakeDesk, line: Line, tmp_path: Path
) -> None:
    line.bundle = shutil.copy(after.entry(candidate(after)).path, tmp_path / "other.cras")
    desk = make()
    assert not until(desk, lambda v: v.running == "other.cras").is_running_kept
    desk.adopt()
    view = until(desk, lambda v: v.is_running_kept)
    assert view.in_use == candidate_of(view)


def candidate_of(view: ModelView) -> str:
    return next(m.identity for m in view.models if "satin" in m.fabrics)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_training_that_is_killed_goes_on_when_started_again_and_ends_in_a_comparison(
    make: MakeDesk, folder: Path, line: Line
) -> None:
    for fabric in ("satin", "twill"):
        shutil.rmtree(folder / "library" / fabric)
    desk = make()
    assert until(desk, lambda v: v.lost).lost == ("twill",)
    desk.train(fresh=False)
    until(desk, lambda _: was_cut_off(folder / "models"))  # as soon as there is something to go on with
    assert desk._job is not None
    os.kill(desk._job._process.pid, signal.SIGKILL)
    view = until(desk, lambda v: v.training is not None and not v.training.is_running and v.can_resume)
    assert view.training is not None
    assert view.training.is_alarm
    assert view.training.message.endswith("Started again, it goes on where it was.")
    assert ModelStore(folder / "models").in_use is not None
    desk.train(fresh=False)
    view = until(desk, lambda v: v.compared)
    assert view.training is not None
    assert (view.training.is_running, view.training.is_alarm) == (False, False)
    assert view.candidate != view.in_use
    assert view.compared is not None
    assert view.compared.worse == ("twill: the new model does not know it any more",)
    assert not until(desk, lambda v: not v.can_resume).can_resume
    assert line.promoted == []


def test_what_fails_is_said_with_its_name(make: MakeDesk, folder: Path, after: ModelStore, line: Line) -> None:
    desk = make()
    new = candidate(after)
    (folder / "models" / f"{new}.cras").write_bytes(b"half")
    desk.promote(new, "chosen")
    assert new in until(desk, lambda v: v.is_alarm).note
    view = until(desk, lambda v: any(m.problem for m in v.models))
    assert [m.identity for m in view.models if m.problem] == [new]
    assert line.promoted == []
    desk.choose_more(folder / "nowhere")
    until(desk, lambda v: "nowhere" in v.note)
    desk.enrol("wool")
    until(desk, lambda v: "wool" in v.note and not v.busy)


def test_a_store_that_another_process_holds_is_said(
    make: MakeDesk, after: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_store, "_PATIENCE_S", 0.1)
    desk = make()
    with FileLock(after.folder / "store.lock"):
        desk.promote(candidate(after), "chosen")
        assert "another program has been changing the models" in until(desk, lambda v: v.is_alarm).note
    desk.promote(candidate(after), "chosen")
    until(desk, lambda v: v.in_use == v.models[0].identity)


def test_a_full_disk_loses_nothing(make: MakeDesk, after: ModelStore, bundle: Bundle) -> None:
    resource = pytest.importorskip("resource")
    desk = make()
    until(desk, lambda v: v.models)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        desk.promote(candidate(after), "chosen")
        assert "free some space" in until(desk, lambda v: v.is_alarm).note
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert after.in_use is not None
    assert after.in_use.identity == bundle.identity


def test_a_damaged_model_in_use_is_mended_by_choosing_another(
    make: MakeDesk, after: ModelStore, bundle: Bundle
) -> None:
    after.promote(candidate(after))
    new = after.promotions[-1].identity
    (after.folder / f"{new}.cras").unlink()
    desk = make()
    view = until(desk, lambda v: v.problem)
    assert new in view.problem
    assert "page Models" in view.problem
    desk.enrol("satin")
    assert new in until(desk, lambda v: v.is_alarm and not v.busy).note
    desk.promote(bundle.identity, "went back to it")
    until(desk, lambda v: not v.problem and v.in_use == bundle.identity)


def test_closing_while_a_fabric_is_enrolled_leaves_the_history_as_it_was(make: MakeDesk, folder: Path) -> None:
    desk = make()
    desk.enrol("satin")
    until(desk, lambda v: v.progress is not None)
    desk.close(60)
    assert desk.is_at_rest
    assert len(ModelStore(folder / "models").entries()) == 1


def test_the_program_starts_with_the_model_in_use_or_says_why_not(after: ModelStore, tmp_path: Path) -> None:
    demo = tmp_path / "demo.cras"
    assert model_to_start(tmp_path / "none", demo) == (demo, "")
    assert after.in_use is not None
    assert model_to_start(after.folder, demo) == (after.in_use.path, "")
    identity = after.in_use.identity
    after.in_use.path.write_bytes(b"")
    bundle, said = model_to_start(after.folder, demo)
    assert bundle == demo
    assert identity in said
    assert candidate(ModelStore(after.folder)) in said
    assert "page Models" in said
    assert said.endswith("Until then demo.cras inspects, which may not know your cloth.")
    (after.folder / "store.json").write_text("{")
    assert "nobody knows the model in use" in model_to_start(after.folder, demo)[1]


def test_a_promotion_that_was_cut_off_leaves_the_model_before_in_use(after: ModelStore) -> None:
    """What a kill leaves: the new file of the store beside the old one, not yet in its place."""
    assert after.in_use is not None
    path = after.in_use.path
    (after.folder / ".store.json.x1y2").write_text('{"version": 1, "promo')
    (after.folder / ".abc.cras.x1").write_bytes(b"half a model")
    assert model_to_start(after.folder, Path("demo.cras")) == (path, "")
