"""The services that teach fabrics, evaluate candidates and keep models, with real stores and a small real model."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from aoi_app.learning.services import LearningServices
from aoi_app.learning.start_model import model_to_start
from aoi_app.learning.state import LearningState
from aoi_app.learning.training_state import TrainingPhase
from aoi_app.learning.wording import training_end_text
from aoi_app.learning.workspace import LearningWorkspace
from aoi_app.settings.settings import Learning
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.evaluation.candidate_reports import was_cut_off
from cras_core.registry import store as model_store
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore

TINY = ("train.epochs=2", "train.patches_per_epoch=512", "synthesis.drawn_tiles=1")
FEWEST_SAMPLES = 4
Make = Callable[..., LearningServices]


class Line:
    """What the line runs, and what it was told to run."""

    def __init__(self, bundle: Path) -> None:
        self.bundle: Path | None = bundle
        self.promoted: list[Path] = []


def services_in(folder: Path, line: Line, learning: Learning | None = None) -> LearningServices:
    workspace = LearningWorkspace(
        SampleStore(folder / "library"),
        ModelStore(folder / "models"),
        line_bundle=lambda: line.bundle,
        learning=learning,
        device="cpu",
        yields=0.0,
    )
    return LearningServices(workspace, line.promoted.append, settings=TINY, gives_way=False)


@pytest.fixture
def line(bundle_path: Path) -> Line:
    return Line(bundle_path)


@pytest.fixture
def folder(cloth_samples: SampleStore, tmp_path: Path) -> Path:
    """``library`` and ``models`` of a mill."""
    shutil.copytree(cloth_samples.root, tmp_path / "library")
    return tmp_path


@pytest.fixture
def make(folder: Path, line: Line) -> Iterator[Make]:
    made: list[LearningServices] = []

    def services(learning: Learning | None = None) -> LearningServices:
        made.append(services_in(folder, line, learning))
        return made[-1]

    yield services
    for one in made:
        one.close(60)
        assert one.is_at_rest


def until(
    services: LearningServices, is_so: Callable[[LearningState], object], seconds: float = 600.0
) -> LearningState:
    end_s = time.monotonic() + seconds
    while not is_so(services.state()):
        assert time.monotonic() < end_s, services.state()
        time.sleep(0.02)
    return services.state()


@dataclass(frozen=True)
class Enrolled:
    """What a quick enrolment of satin has led to: the folder of the stores, the last state, what the line was told."""

    folder: Path
    state: LearningState
    promoted: list[Path]


@pytest.fixture(scope="module")
def enrolled(cloth_samples: SampleStore, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Enrolled:
    """Satin was enrolled quickly and nobody has decided yet."""
    folder, line = tmp_path_factory.mktemp("enrolled"), Line(bundle_path)
    shutil.copytree(cloth_samples.root, folder / "library")
    services = services_in(folder, line)
    until(services, lambda s: s.fabrics)
    services.learning.enrol("satin")
    state = until(services, lambda s: s.evaluation is not None and s.note and not s.busy)
    services.close(60)
    return Enrolled(folder, state, line.promoted)


@pytest.fixture
def after(enrolled: Enrolled, folder: Path) -> ModelStore:
    """A history with the line's model in use and a candidate that knows satin too."""
    shutil.copytree(enrolled.folder / "models", folder / "models")
    return ModelStore(folder / "models")


def candidate(models: ModelStore) -> str:
    (new,) = [e.identity for e in models.entries() if not e.in_use]
    return new


def few_samples(folder: Path, fabric: str) -> None:
    """Leaves one fabric, with few samples."""
    samples = SampleStore(folder / "library")
    for record in samples.fabrics():
        if record.name != fabric:
            samples.remove_fabric(record.name)
    for sample in samples.samples(fabric)[FEWEST_SAMPLES:]:
        samples.remove(sample)


def test_what_is_there_is_shown(make: Make, bundle: Bundle) -> None:
    services = make()
    state = until(services, lambda s: s.fabrics and s.line_bundle)
    assert {f.name: (f.good, f.webs, f.is_known) for f in state.fabrics} == {
        "plain": (12, 6, True),
        "satin": (12, 6, False),
        "twill": (12, 6, True),
    }
    assert (state.models, state.in_use, state.problem) == ((), "", "")


def test_a_quick_enrolment_begins_the_history_with_the_model_of_the_line(
    after: ModelStore, bundle: Bundle, make: Make
) -> None:
    assert after.in_use is not None
    assert after.in_use.identity == bundle.identity
    assert "the line ran it when the history began" in after.promotions[0].reason
    new = after.entry(candidate(after))
    assert (new.kind, new.fabrics, new.provisional) == ("quick", ("plain", "twill", "satin"), ("satin",))
    services = make()
    services.candidates.show(new.identity)
    state = until(services, lambda s: s.evaluation)
    assert state.evaluation is not None
    assert (state.evaluation.before, state.evaluation.after) == (bundle.identity, new.identity)
    satin = next(f for f in state.evaluation.fabrics if f.name == "satin")
    assert satin.is_provisional
    assert satin.after.pieces > 0
    assert satin.after.drawn > 0
    assert satin.before is not None
    assert not satin.before.known
    assert all(t.path.is_file() for t in satin.tiles)


def test_a_model_that_was_chosen_goes_to_the_line_and_one_can_roll_back(
    after: ModelStore, make: Make, line: Line, bundle: Bundle
) -> None:
    new = candidate(after)
    services = make()
    services.history.promote(new)
    state = until(services, lambda s: s.in_use == new)
    assert line.promoted == [after.folder / f"{new}.cras"]
    assert state.promotions[0].reason == "chosen"
    assert state.rollback == bundle.identity
    services.history.rollback()
    until(services, lambda s: s.in_use == bundle.identity)
    assert line.promoted[-1].name == f"{bundle.identity}.cras"
    assert [p.identity for p in after.promotions] == [bundle.identity, new, bundle.identity]
    assert after.promotions[-1].reason == "rolled back to it"


def test_a_candidate_waits_for_a_person(enrolled: Enrolled, bundle: Bundle) -> None:
    state = enrolled.state
    assert state.evaluation is not None
    assert state.evaluation.worse == ()
    assert "not in use yet" in state.note
    assert state.in_use == bundle.identity
    assert enrolled.promoted == []


def test_a_candidate_is_used_or_left(after: ModelStore, make: Make, line: Line) -> None:
    new = candidate(after)
    services = make()
    services.candidates.show(new)
    until(services, lambda s: s.evaluation)
    services.candidates.dismiss()
    assert "kept in the history" in until(services, lambda s: not s.candidate).note
    assert line.promoted == []
    services.candidates.show(new)
    until(services, lambda s: s.evaluation)
    services.candidates.accept()
    assert until(services, lambda s: s.in_use == new).promotions[0].reason == "chosen"
    assert [p.stem for p in line.promoted] == [new]


def test_a_candidate_goes_live_by_itself_where_the_engineer_allows_it(
    after: ModelStore, make: Make, line: Line
) -> None:
    new = candidate(after)
    services = make()
    services.history.use_settings(Learning(promote_unless_worse=True))
    services.candidates.evaluate(new)
    until(services, lambda s: s.in_use == new)
    assert after.promotions[-1].reason == "automatic: nothing to compare with"  # the model in use does not know satin
    assert [p.stem for p in line.promoted] == [new]


def test_the_history_is_kept_within_its_limits(after: ModelStore, make: Make, bundle: Bundle) -> None:
    new = candidate(after)
    services = make(Learning(most_models=2))
    services.history.pin(new, pinned=True)
    until(services, lambda s: any(m.pinned for m in s.models))
    services.history.remove(new)
    assert "unpin it first" in until(services, lambda s: s.is_alarm).note
    services.history.pin(new, pinned=False)
    services.history.remove_fabric("twill")
    state = until(services, lambda s: s.in_use not in ("", bundle.identity))
    assert "Deleted, because the history was over its limits: plain, twill and 1 more of 20" in state.note
    assert {m.identity for m in state.models} == {bundle.identity, state.in_use}
    assert not (after.folder / ".trials" / f"{new}.json").exists()
    assert next(f for f in state.fabrics if f.name == "twill").is_retired
    services.history.prune()
    until(services, lambda s: "within its limits" in s.note)


def test_a_fabric_is_renamed_in_the_model_and_in_the_samples(after: ModelStore, make: Make, line: Line) -> None:
    services = make()
    services.history.rename_fabric("twill", "twill 7")
    state = until(services, lambda s: any(f.name == "twill 7" and f.is_known for f in s.fabrics))
    assert "twill was renamed to twill 7" in state.note
    assert line.promoted[-1].stem == state.in_use
    services.history.rename_fabric("plain", "twill 7")
    assert "in the model already" in until(services, lambda s: s.is_alarm and not s.busy).note


def test_what_differs_between_two_models_is_told(after: ModelStore, make: Make, bundle: Bundle) -> None:
    services = make()
    services.history.differ(bundle.identity, candidate(after))
    state = until(services, lambda s: s.difference)
    assert state.difference is not None
    parts = dict(state.difference.parts)
    assert parts["Fabrics"] == ("satin: added",)
    assert parts["Trained weights"] == ("the same",)


def test_the_model_of_the_line_is_taken_into_the_history(
    after: ModelStore, make: Make, line: Line, tmp_path: Path
) -> None:
    line.bundle = shutil.copy(after.entry(candidate(after)).path, tmp_path / "other.cras")
    services = make()
    assert not until(services, lambda s: s.line_bundle == "other.cras").is_line_bundle_in_use
    services.history.adopt()
    state = until(services, lambda s: s.is_line_bundle_in_use)
    assert state.in_use == candidate_of(state)


def candidate_of(state: LearningState) -> str:
    return next(m.identity for m in state.models if "satin" in m.fabrics)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_training_that_is_killed_is_resumed_when_started_again_and_ends_in_an_evaluation(
    make: Make, folder: Path, line: Line
) -> None:
    few_samples(folder, "plain")
    SampleStore(folder / "library").begin(FabricRecord("empty"))  # it does not keep the other from being learnt
    services = make()
    assert until(services, lambda s: s.forgotten).forgotten == ("twill",)
    services.learning.train(fresh=False)
    until(services, lambda _: was_cut_off(folder / "models"))  # as soon as there is something to resume
    assert services.learning.training_pid is not None
    os.kill(services.learning.training_pid, signal.SIGKILL)
    state = until(services, lambda s: s.training is not None and s.training.has_failed and s.can_resume)
    said = training_end_text(state.training, can_resume=state.can_resume)
    assert "ended by itself" in said
    assert said.endswith("Start it again to resume it.")
    assert ModelStore(folder / "models").in_use is not None
    services.learning.train(fresh=False)
    state = until(services, lambda s: s.evaluation)
    assert state.training is not None
    assert state.training.phase is TrainingPhase.DONE
    assert state.candidate != state.in_use
    assert state.evaluation is not None
    assert state.evaluation.worse == ("twill: the new model does not know it any more",)
    assert ModelStore(folder / "models").entry(state.candidate).fabrics == ("plain",)
    assert state.note.startswith("The new model plain of 20")
    until(services, lambda s: not s.can_resume)
    assert line.promoted == []


def test_what_fails_is_said_with_its_name(make: Make, folder: Path, after: ModelStore, line: Line) -> None:
    services = make()
    new = candidate(after)
    (folder / "half").write_bytes(b"half")
    (folder / "half").replace(folder / "models" / f"{new}.cras")
    services.history.promote(new)
    assert new in until(services, lambda s: s.is_alarm).note
    state = until(services, lambda s: any(m.problem for m in s.models))
    assert [m.identity for m in state.models if m.problem] == [new]
    assert line.promoted == []
    services.learning.choose_folder(folder / "nowhere")
    until(services, lambda s: "nowhere" in s.note)
    services.learning.enrol("wool")
    until(services, lambda s: "wool" in s.note and not s.busy)


def test_a_folder_with_more_pictures_is_chosen_for_every_training_to_come(
    make: Make, folder: Path, loom_data: Path
) -> None:
    more = folder / "more"
    shutil.copytree(loom_data / "twill" / "normal", more / "herringbone" / "normal")
    first = make()
    first.learning.choose_folder(more)
    kept = until(first, lambda s: s.extra_fabrics).learning
    assert kept.more_folder == str(more)
    first.close(60)

    later = make(kept)  # the program was started again
    state = until(later, lambda s: s.extra_fabrics)
    assert (state.extra_folder, state.extra_fabrics) == (str(more), ("herringbone",))
    later.learning.choose_folder(None)
    assert until(later, lambda s: not s.extra_fabrics).learning.more_folder == ""


def test_a_folder_that_is_not_there_now_stops_a_training_rather_than_being_forgotten(make: Make, folder: Path) -> None:
    services = make(Learning(more_folder=str(folder / "unplugged")))
    state = until(services, lambda s: s.is_alarm)
    assert "unplugged" in state.note
    assert state.extra_folder == str(folder / "unplugged")
    services.learning.train(fresh=False)
    state = until(services, lambda s: s.training is not None and s.training.has_failed)
    assert state.training is not None
    assert "unplugged" in state.training.message


def test_a_store_that_another_process_holds_is_said(
    make: Make, after: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_store, "_PATIENCE_S", 0.1)
    services = make()
    with FileLock(after.folder / "store.lock"):
        services.history.promote(candidate(after))
        assert "another program has been changing the models" in until(services, lambda s: s.is_alarm).note
    services.history.promote(candidate(after))
    until(services, lambda s: s.in_use == s.models[0].identity)


def test_a_full_disk_loses_nothing(make: Make, after: ModelStore, bundle: Bundle) -> None:
    resource = pytest.importorskip("resource")
    services = make()
    until(services, lambda s: s.models)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        services.history.promote(candidate(after))
        assert "free some space" in until(services, lambda s: s.is_alarm).note
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert after.in_use is not None
    assert after.in_use.identity == bundle.identity


def test_a_damaged_model_in_use_is_mended_by_choosing_another(make: Make, after: ModelStore, bundle: Bundle) -> None:
    after.promote(candidate(after))
    new = after.promotions[-1].identity
    (after.folder / f"{new}.cras").unlink()
    services = make()
    state = until(services, lambda s: s.problem)
    assert new in state.problem
    assert "Models page" in state.problem
    services.learning.enrol("satin")
    assert new in until(services, lambda s: s.is_alarm and not s.busy).note
    services.history.promote(bundle.identity)
    until(services, lambda s: not s.problem and s.in_use == bundle.identity)


def test_closing_while_a_fabric_is_enrolled_leaves_the_history_as_it_was(make: Make, folder: Path) -> None:
    services = make()
    services.learning.enrol("satin")
    until(services, lambda s: s.progress is not None)
    services.close(60)
    assert services.is_at_rest
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
    assert "Models page" in said
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
