"""What can be learnt now, and models in words: decided here, drawn by the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aoi_app.learning.state import FabricChoice, LearningState
from aoi_app.learning.training_state import TrainingPhase, TrainingState
from cras_core.errors import StoreError

_STAGES = {
    "": "starting",
    "features": "extracting features",
    "drawn defects": "making synthetic defects",
    "training": "training",
    "calibration": "calibrating thresholds",
    "comparison": "evaluating the new model",
}
KINDS = {"full": "full training", "quick": "quick enrolment", "edit": "edit", "import": "import"}
"""What a person reads for how a model came about."""

_FEWEST_TILES = 2
_RECOMMENDED_TILES = 20  # fewer make a threshold that is little more than a guess

_GB = 1e9

_NO_FABRIC = "There is no fabric with samples yet. Add one on the Samples page and collect defect-free samples of it."


@dataclass(frozen=True, slots=True)
class Possible:
    """Whether something can be done: ``text`` says what it will do, or why it cannot be done."""

    is_possible: bool
    text: str


def quick_enrolment(state: LearningState, fabric: str) -> Possible:
    """Of a fabric, now."""
    found = next((f for f in state.fabrics if f.name == fabric), None)
    if found is None:
        return Possible(False, _NO_FABRIC)
    if state.problem:
        return Possible(False, state.problem)
    if found.good < _FEWEST_TILES:
        samples = count_of(found.good, "defect-free sample")
        return Possible(False, f"{fabric} has {samples}. At least {_FEWEST_TILES} are needed.")
    if not state.in_use and not state.line_bundle:
        return Possible(False, "There is no model yet that a fabric could be added to. Train all fabrics first.")
    return _unless_busy(state, _enrolment_text(found))


def _enrolment_text(fabric: FabricChoice) -> str:
    webs = "1 roll or file" if fabric.webs == 1 else f"{fabric.webs} rolls or files"  # a picture is no roll
    said = f"Uses {count_of(fabric.good, 'defect-free sample')} from {webs} of {fabric.name}."
    if fabric.good < _RECOMMENDED_TILES:
        said += f" That is little: {_RECOMMENDED_TILES} or more give a more reliable threshold."
    if fabric.is_known and not fabric.is_provisional:
        said += (
            f" The model knows {fabric.name} from a full training. Quick enrolment replaces that, and the model will "
            "find fewer defects."
        )
    elif fabric.is_known:
        said += " It was enrolled quickly before; that is replaced."
    return said


def full_training(state: LearningState) -> Possible:
    """Of all fabrics that are not retired, now."""
    wanted = [f for f in state.fabrics if not f.is_retired]
    taught, empty = [f for f in wanted if f.good], [f.name for f in wanted if not f.good]
    if not taught and not state.extra_fabrics:
        names = ", ".join(empty)
        said = f"There are no defect-free samples of {names} yet. Collect some." if empty else _NO_FABRIC
        return Possible(False, said)
    if state.problem:
        return Possible(False, state.problem)
    tiles = sum(f.good for f in taught)
    names = ", ".join([*(f.name for f in taught), *state.extra_fabrics])
    said = f"Trains on {count_of(tiles, 'defect-free sample')}: {names}."
    left_out = [name for name in empty if name not in state.extra_fabrics]
    if left_out:
        said += f" Left out, because there are no defect-free samples yet: {', '.join(left_out)}."
    if state.can_resume:
        said += " An interrupted training is resumed if samples and settings are still the same."
    return _unless_busy(state, said)


def _unless_busy(state: LearningState, said: str) -> Possible:
    running = state.busy.rstrip(" ….") if state.busy else "Full training" if state.is_training else ""
    return Possible(not running, f"{running} is not finished. Wait until it ends, or stop it." if running else said)


def forgotten_text(state: LearningState) -> str:
    """What a full training would forget; empty when nothing."""
    if not state.forgotten:
        return ""
    it = "it" if len(state.forgotten) == 1 else "them"
    return (
        f"The model in use knows {', '.join(state.forgotten)}, but there are no samples of {it}: the new model would "
        f"not know {it}. Collect samples, or choose a folder with images of defect-free fabric."
    )


def training_text(training: TrainingState) -> str:
    """What a training that runs does now."""
    stage = _STAGES.get(training.stage, training.stage)
    return f"Full training, {stage}: {remaining_text(training.remaining_s)}"


def training_end_text(training: TrainingState | None, *, can_resume: bool) -> str:
    """How a training ended, where it did not end well.

    Args:
        training: the last one; None without.
        can_resume: what it has so far is on disk.
    """
    if training is None or training.phase in (TrainingPhase.RUNNING, TrainingPhase.DONE):
        return ""
    said = "The training was stopped." if training.phase is TrainingPhase.CANCELLED else training.message
    return f"{said} Start it again to resume it." if can_resume else said


def remaining_text(seconds: float | None) -> str:
    """How long it will take, as people say it."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 60:
        return "less than a minute left"
    minutes = math.ceil(seconds / 60)
    about = count_of(minutes, "minute") if minutes < 100 else count_of(round(minutes / 60), "hour")
    return f"about {about} left"


def size_text(size_bytes: float) -> str:
    """A size on the disk."""
    if size_bytes >= _GB:
        return f"{size_bytes / _GB:.1f} GB"
    return f"{size_bytes / 1e6:.1f} MB"


def disk_text(state: LearningState) -> str:
    """How much the history takes, and its bounds."""
    sound = sum(not m.problem for m in state.models)
    bounds = state.learning
    text = (
        f"{count_of(sound, 'model')}, {size_text(state.disk_bytes)}; {size_text(state.free_bytes)} free. "
        f"Limits: {bounds.most_models} models, {bounds.most_gb:g} GB."
    )
    is_over = sound > bounds.most_models or state.disk_bytes > bounds.most_gb * _GB
    return f"{text} The history is over its limits." if is_over else text


def line_text(state: LearningState) -> str:
    """How the line's model and the history belong together, where they are not the same."""
    line = state.line_bundle
    if not line or state.is_line_bundle_in_use:
        return ""
    if not state.in_use:
        return f"No model of this history is in use yet. New fabrics will be added to the model of the line, {line}."
    return f"The line runs {line}, which is not the model in use here. New fabrics are added to the model in use."


def promotion_reason(state: LearningState, identity: str) -> str:
    """Why a person puts a model of the history into use, for the log."""
    is_older = any(p.identity == identity for p in state.promotions)
    return "rolled back to it" if is_older else "chosen"


def count_of(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'s' * (number != 1)}"


def store_problem_text(error: StoreError) -> str:
    """A problem of the history for the window, with the place where it is mended."""
    return f"{str(error).rstrip('.')}. Models are put into use on the Models page (Ctrl+M), tab History."
