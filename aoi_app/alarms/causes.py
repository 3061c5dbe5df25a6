"""Why the cloth that runs is not inspected, or only with reserve: one function for each cause, each with its way out.

A new cause is a new function in ``_RULES``. Whoever forgets one does not make the line green: ``Facts.is_proven``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aoi_app.alarms.facts import Facts
from aoi_app.alarms.severity import Severity

GAP_SHOWN_S = 10.0
"""For so long a gap is the word of the line; its alarm stays until somebody has seen it."""
_LITTLE_ROOM_MB = 1000.0
_BEHIND = 0.5  # of the queue; when it is full, cloth is lost
_WIDTH_JUMP = 0.1  # of the usual width; selvedges wander by less, folds and lost cloth are more
_SAME_THRESHOLD = 0.006  # the slider of the window has steps of 0.01


@dataclass(frozen=True, slots=True)
class Cause:
    """
    Attributes:
        key: tells causes apart, also in the records.
        severity: what it does to the condition of the line.
        text: for a person, with the way out.
        spoils_cloth: cloth that is inspected meanwhile counts as inspected with reserve.
        is_alarm: somebody has to take note of it; not of what every roll begins with.
    """

    key: str
    severity: Severity
    text: str
    spoils_cloth: bool = False
    is_alarm: bool = True


Rule = Callable[[Facts], Cause | None]


def causes_of(facts: Facts) -> Iterator[Cause]:
    """All that speak against the line."""
    if facts.failure:
        yield Cause("failed", Severity.NOT_INSPECTING, facts.failure)
    if facts.is_running:
        yield from (cause for rule in _RULES if (cause := rule(facts)) is not None)


def _camera_is_away(facts: Facts) -> Cause | None:
    return Cause("camera away", Severity.NOT_INSPECTING, facts.camera) if facts.camera else None


def _inspection_is_stuck(facts: Facts) -> Cause | None:
    if not facts.is_stuck:
        return None
    text = f"The inspection has not moved for {facts.stuck_s:.0f} s. Stop the roll and start the program again."
    return Cause("inspection stuck", Severity.NOT_INSPECTING, text)


def _cloth_was_missed(facts: Facts) -> Cause | None:
    gap = facts.gap
    if gap is None or facts.is_paused or (gap.age_s > GAP_SHOWN_S and not gap.is_last):
        return None
    missed = f"{facts.gap_m:.2f} m" if facts.gap_m > 0 else "An unknown length"
    text = f"{missed} not inspected in this roll, the latest at {gap.position_m:.2f} m: {gap.reason.rstrip('.')}."
    return Cause("cloth missed", Severity.NOT_INSPECTING, text)


def _lines_are_unaccounted_for(facts: Facts) -> Cause | None:
    if not facts.unaccounted:
        return None
    return Cause("unaccounted", Severity.NOT_INSPECTING, _sentence(facts.unaccounted))


def _nothing_comes(facts: Facts) -> Cause | None:
    if not facts.is_quiet or facts.camera:
        return None
    text = (
        f"Nothing has come from the source for {facts.quiet_s:.0f} s. If the web runs, check the camera, its trigger "
        "and the encoder."
    )
    return Cause("nothing comes", Severity.RESERVE, text)


def _cloth_teaches(facts: Facts) -> Cause | None:
    if not facts.teaching:
        return None
    text = f"The cloth teaches the model what it is: {facts.teaching}. It is inspected once that is done."
    return Cause("teaching", Severity.RESERVE, text, is_alarm=False)


def _cloth_is_doubtful(facts: Facts) -> Cause | None:
    if not facts.doubts:
        return None
    doubt = facts.doubts[0]
    is_alarm = doubt.kind != "taught by this web"  # a person has wanted it so
    text = f"From {doubt.position_m:.2f} m on {doubt.text}."
    return Cause(doubt.kind, Severity.RESERVE, text, spoils_cloth=True, is_alarm=is_alarm)


def _another_model_inspects(facts: Facts) -> Cause | None:
    if not facts.model_problem:
        return None
    return Cause("another model", Severity.RESERVE, _sentence(facts.model_problem), spoils_cloth=True)


def _test_piece_was_missed(facts: Facts) -> Cause | None:
    proof = facts.proof
    if proof is None or proof.misses == 0:
        return None
    severity = Severity.NOT_INSPECTING if proof.misses > 1 else Severity.RESERVE
    text = (
        f"At {proof.position_m:.2f} m the line did not see all painted spots of {proof.wanted_mm:g} mm and more "
        f"({proof.misses} times in a row): it {proof.text}. Check threshold, light and focus."
    )
    return Cause("test piece missed", severity, text, spoils_cloth=True)


def _threshold_is_moved(facts: Facts) -> Cause | None:
    if abs(facts.threshold - facts.promised_threshold) <= _SAME_THRESHOLD:
        return None
    text = (
        f"The threshold was moved by hand to {facts.threshold:.2f}; the recipe says {facts.promised_threshold:.2f}. "
        "Put it back, or change the recipe."
    )
    return Cause("threshold moved", Severity.RESERVE, text, spoils_cloth=True)


def _camera_has_a_problem(facts: Facts) -> Cause | None:
    if not facts.camera_problem:
        return None
    return Cause("camera problem", Severity.RESERVE, _sentence(facts.camera_problem), spoils_cloth=True)


def _records_wait(facts: Facts) -> Cause | None:
    return Cause("not recorded", Severity.RESERVE, _sentence(facts.unrecorded)) if facts.unrecorded else None


def _disk_is_nearly_full(facts: Facts) -> Cause | None:
    if facts.free_mb is None or facts.free_mb > _LITTLE_ROOM_MB:
        return None
    text = f"Only {facts.free_mb:.0f} MB are left on the disk of {facts.full_folder}. Free some space."
    return Cause("disk nearly full", Severity.RESERVE, text)


def _falls_behind(facts: Facts) -> Cause | None:
    if facts.backlog < _BEHIND or facts.is_ending:  # what waits at the end is lost to nobody
        return None
    text = f"The inspection falls behind: the queue is {facts.backlog:.0%} full. Run the line slower, or cloth is lost."
    return Cause("falls behind", Severity.RESERVE, text)


def _width_has_jumped(facts: Facts) -> Cause | None:
    now, usual = facts.width_mm, facts.usual_width_mm
    if min(now, usual) <= 0 or abs(now - usual) <= _WIDTH_JUMP * usual:
        return None
    text = f"The cloth is {now:.0f} mm wide, just before it was {usual:.0f} mm. Check its edges, folds and the camera."
    return Cause("width jumped", Severity.RESERVE, text)


def _runs_on_another_device(facts: Facts) -> Cause | None:
    return Cause("another device", Severity.RESERVE, _sentence(facts.device_problem)) if facts.device_problem else None


def _calibration_is_old(facts: Facts) -> Cause | None:
    if not facts.old_calibrations:
        return None
    return Cause("calibration old", Severity.RESERVE, " ".join(facts.old_calibrations))


def _picture_has_changed(facts: Facts) -> Cause | None:
    if not facts.picture_changes:
        return None
    return Cause("picture changed", Severity.RESERVE, " ".join(facts.picture_changes))


def _columns_stand_out(facts: Facts) -> Cause | None:
    return Cause("columns stand out", Severity.RESERVE, " ".join(facts.odd_columns)) if facts.odd_columns else None


def _nothing_inspected_yet(facts: Facts) -> Cause | None:
    if facts.has_inspected or facts.is_paused:
        return None
    return Cause("begins", Severity.RESERVE, "No cloth of this roll has been inspected yet.", is_alarm=False)


_RULES: tuple[Rule, ...] = (
    _camera_is_away,
    _inspection_is_stuck,
    _cloth_was_missed,
    _test_piece_was_missed,
    _lines_are_unaccounted_for,
    _another_model_inspects,
    _cloth_teaches,
    _cloth_is_doubtful,
    _threshold_is_moved,
    _records_wait,
    _camera_has_a_problem,
    _falls_behind,
    _disk_is_nearly_full,
    _nothing_comes,
    _width_has_jumped,
    _runs_on_another_device,
    _picture_has_changed,
    _columns_stand_out,
    _calibration_is_old,
    _nothing_inspected_yet,
)
"""Of equal severity, what comes first is the word of the line."""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
