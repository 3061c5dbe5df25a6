"""What can be learnt now, and models and comparisons in words: decided here, drawn by the pages."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from aoi_app.learning.state import Compared, ComparedFabric, Figures, ModelView

STAGES = {
    "": "Starting",
    "features": "Looking at the cloth",
    "drawn defects": "Drawing defects to learn from",
    "training": "Learning",
    "calibration": "Finding the limits",
    "comparison": "Comparing with the model in use",
}
"""What a person reads for a stage of training."""
KINDS = {"full": "full training", "quick": "quick enrolment", "edit": "edit", "import": "import"}
"""What a person reads for how a model came about."""

_FEWEST_TILES = 2
_LITTLE_CLOTH = 20  # tiles; fewer make a limit that is little more than a guess

_GB = 1e9
_LITTLE_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Possible:
    """Whether something can be done: ``text`` says what it will do, or why it cannot be done."""

    is_possible: bool
    text: str


def quick_enrolment(view: ModelView, fabric: str) -> Possible:
    """Of a fabric, now."""
    found = next((f for f in view.fabrics if f.name == fabric), None)
    if found is None:
        return Possible(False, "There is no fabric with samples yet. Begin one and collect samples of good cloth.")
    if view.problem:
        return Possible(False, view.problem)
    if found.good < _FEWEST_TILES:
        return Possible(
            False, f"{fabric} has {_count(found.good, 'sample')} of good cloth; it takes {_FEWEST_TILES} or more."
        )
    if not view.in_use and not view.running:
        return Possible(False, "There is no model yet to add a fabric to. Train all fabrics first.")
    said = f"From {_count(found.good, 'sample')} of {_count(found.webs, 'roll')} of {fabric}."
    if found.good < _LITTLE_CLOTH:
        said += f" That is little: {_LITTLE_CLOTH} or more make a better limit."
    if found.is_known and not found.is_provisional:
        said += f" The model knows {fabric} from a full training; quick enrolment replaces that and will find less."
    elif found.is_known:
        said += " It was enrolled quickly before and is learnt anew."
    return Possible(_is_free(view), said if _is_free(view) else _WAIT)


def full_training(view: ModelView) -> Possible:
    """Of all fabrics that are not retired, now."""
    wanted = [f for f in view.fabrics if not f.is_retired]
    empty = [f.name for f in wanted if not f.good]
    if not wanted:
        return Possible(False, "There is no fabric with samples yet. Begin one and collect samples of good cloth.")
    if empty:
        return Possible(False, f"No samples of good cloth: {', '.join(empty)}. Collect some, or retire the fabric.")
    if view.problem:
        return Possible(False, view.problem)
    tiles = sum(f.good for f in wanted)
    names = ", ".join([*(f.name for f in wanted), *view.more_fabrics])
    said = f"Learns {names} from {_count(tiles, 'sample')} of good cloth."
    if view.can_resume:
        said += " A training that was cut off goes on where it was, if samples and settings are the same."
    return Possible(_is_free(view), said if _is_free(view) else _WAIT)


_WAIT = "Something else is being learnt or compared; wait for it, or stop it."


def lost_text(view: ModelView) -> str:
    """What a full training would forget; empty when nothing."""
    if not view.lost:
        return ""
    return (
        f"The model in use knows {', '.join(view.lost)}, of which there are no samples here: these will not be known "
        "any more. Collect samples of them, or name a folder with their good cloth."
    )


def _is_free(view: ModelView) -> bool:
    return not view.busy and (view.training is None or not view.training.is_running)


def remaining_text(seconds: float | None) -> str:
    """How long it will take, as people say it."""
    if seconds is None:
        return "how long is not known yet"
    if seconds < 60:
        return "less than a minute left"
    minutes = math.ceil(seconds / 60)
    about = _count(minutes, "minute") if minutes < 100 else _count(round(minutes / 60), "hour")
    return f"about {about} left"


def size_text(size_bytes: float) -> str:
    """A size on the disk."""
    if size_bytes >= _GB:
        return f"{size_bytes / _GB:.1f} GB"
    return f"{size_bytes / 1e6:.1f} MB"


def disk_text(view: ModelView) -> str:
    """How much the history takes, and its bounds."""
    sound = sum(not m.problem for m in view.models)
    bounds = view.learning
    over = sound > bounds.most_models or view.disk_bytes > bounds.most_gb * _GB
    text = (
        f"{_count(sound, 'model')}, {size_text(view.disk_bytes)}; {size_text(view.free_bytes)} free. "
        f"Kept: {bounds.most_models} models, {bounds.most_gb:g} GB."
    )
    return f"{text} That is over the bounds." if over else text


def verdict_text(compared: Compared) -> str:
    """What the comparison comes to, in words."""
    if not any(f.after.pieces or f.after.defects for f in compared.fabrics):
        return "There was no cloth to compare on: none of the samples were held back from learning."
    if not compared.before and not any(f.before for f in compared.fabrics):
        return "There is no model in use to compare with."
    if compared.worse:
        return "Worse: " + "; ".join(compared.worse) + "."
    is_little = sum(f.after.area_m2 for f in compared.fabrics) < _LITTLE_M2
    return "Nothing got worse, as far as so little cloth can tell." if is_little else "Nothing got worse."


def may_go_live(compared: Compared) -> bool:
    """Whether a model may be put into use without being asked about: it was compared on something and is not worse."""
    return compared.is_current and not compared.worse and any(f.after.pieces for f in compared.fabrics)


def figure_rows(fabric: ComparedFabric) -> list[tuple[str, str, str]]:
    """Caption, the model that was in use, the new one."""
    return [
        ("False alarms on cloth it has not learnt", *_both(fabric, _alarms)),
        ("… per 100 m²", *_both(fabric, _rate)),
        ("Drawn defects found", *_both(fabric, lambda f: _share(f.drawn_found, f.drawn))),
        ("Confirmed defects found", *_both(fabric, lambda f: _share(f.defects_found, f.defects))),
    ]


def fabric_remarks(fabric: ComparedFabric) -> list[str]:
    """What to bear in mind about the figures of a fabric."""
    f = fabric.after
    said = [
        f"Compared on {_count(f.pieces, 'tile')} of good cloth, {f.area_m2:.2f} m², that the new model has not seen."
    ]
    if f.area_m2 < _LITTLE_M2 and f.pieces:
        said.append("That is little: one false alarm more or less is chance.")
    if fabric.seen_before:
        said.append(
            f"The old model has learnt from {fabric.seen_before} of them and looks better there than it is on the line."
        )
    if not f.defects:
        said.append("No defects are confirmed or labelled; what is drawn stands in for them.")
    if fabric.is_provisional:
        said.append(
            f"The limit of {fabric.name} is provisional: the model has not been trained on it and finds less than it "
            "could. Train all fabrics when there is time."
        )
    return said


def _both(fabric: ComparedFabric, text: Callable[[Figures], str]) -> tuple[str, str]:
    before = fabric.before
    old = "–" if before is None else text(before) if before.known else "does not know it"
    return old, text(fabric.after) if fabric.after.known else "does not know it"


def _alarms(f: Figures) -> str:
    return f"{f.alarms} on {f.area_m2:.2f} m²" if f.pieces else "no cloth"


def _rate(f: Figures) -> str:
    return f"{f.alarms_per_100_m2:.0f}" if f.pieces and f.area_m2 > 0 else "–"


def _share(found: int, of: int) -> str:
    return f"{found} of {of}" if of else "none there"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def for_the_window(problem: str) -> str:
    """A problem of the store with the way out that the window has, instead of a command."""
    problem = problem.replace("..", ".")
    said, command, _ = problem.partition(": cras models")
    if command:
        return f"{said}: choose it on the page Models (Ctrl+M) and press Put into use."
    said, command, _ = problem.partition(" (cras models")
    return f"{said}." if command else problem
