"""Puts a roll together: source, model, recipe and records make a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.inspection.imaging.imaging_watch import ImagingSetup
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.roll_start import FIRST_LINE
from aoi_app.inspection.threshold.wanted_rate import WantedRate
from aoi_app.live.first_cloth import FirstCloth, Teach
from aoi_app.live.line_care import LineCare
from aoi_app.live.session import Session
from aoi_app.live.state import Sink
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.roll_log import RollLog
from aoi_app.records.tiles import TileWriter
from aoi_app.records.upkeep.left_roll import LeftRoll
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.running_tails import RunningTails
from aoi_app.settings.work_order import NO_ORDER, WorkOrder
from aoi_app.sources.resumed import ResumedSource, waits_for_reader
from aoi_app.sources.source import FrameSource
from aoi_app.sources.source_choice import SourceChoice

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cras_core.detectors.trained import TrainedDetector


def at_depth_of(choice: SourceChoice, model: TrainedDetector) -> SourceChoice:
    """The source with the depth that the model has learnt, where nobody has said another."""
    return choice if choice.bits is not None else replace(choice, bits=model.bits)


def make_session(
    detector: TrainedDetector,
    source: FrameSource,
    recipe: Recipe,
    engine: Engine,
    *,
    model: str,
    name: str,
    order: WorkOrder = NO_ORDER,
    tiles: Path | None = None,
    rescue: Path | None = None,
    sinks: Sequence[Sink] = (),
    own_recipes: Mapping[str, Recipe] | None = None,
    tails: RunningTails | None = None,
    care: LineCare = LineCare(),  # noqa: B008 (a value; nothing of it changes)
    alarms: AlarmList | None = None,
    alarm_log: AlarmLog | None = None,
    model_problem: str = "",
    left: LeftRoll | None = None,
    teach: Teach | None = None,
) -> Session:
    """A session that is ready to start.

    Args:
        detector: the model.
        source: where frames come from.
        recipe: settings of the roll.
        engine: the records.
        model: identity of the bundle.
        name: of the roll.
        order: what the mill knows of it.
        tiles: folder for tiles of the roll, as a data set in ITDD's layout; None keeps none.
        rescue: folder for a file with what the records do not take.
        sinks: also given every outcome.
        own_recipes: of fabrics, by fabric; their limits hold where the cloth is matched and proves to be theirs.
        alarms, alarm_log: where what is wrong with the line is raised and recorded; None makes them for this roll.
        model_problem: why another model inspects than the one in use.
        left: the roll that goes on; None begins a new one.
        teach: makes a model of the first cloth, where the recipe says that the roll teaches itself; None lets the
            model judge as it is.
        tails: what earlier rolls have taught of the scores of good cloth; None begins anew and keeps nothing.
        care: what the line knows of its camera and computer.

    A roll that goes on is given its own recipe, name and folder of tiles; its source gives out the lines that follow,
    where it still has them.

    Raises:
        RecipeError: the recipe does not fit the model.
    """
    if left is not None:
        source, left = _go_on(source, left)
    inspection = RollInspection(
        detector,
        detector.config.tiling,
        recipe,
        keep_tiles=tiles is not None,
        own_recipes=own_recipes,
        wanted_rate=WantedRate(tails or RunningTails(None)),
        identity=model,
        imaging=ImagingSetup(care.imaging, source.name, name, detector.enrolled, care.drift_limits),
        start=left.start if left is not None else FIRST_LINE,
    )
    alarms = alarms or AlarmList()
    if left is not None:
        alarms.go_on(left.roll_id, left.last_alarm)

    everybody = list(sinks)
    if tiles is not None:
        writer = TileWriter(tiles, name)
        everybody.append(lambda outcome: writer.write(outcome.tiles))

    def begin_log() -> RollLog:
        return RollLog(
            engine,
            name=name,
            source=source.name,
            model=model,
            recipe=recipe.model_dump(),
            threshold=recipe.threshold,
            order=order,
            tiles=tiles,
            rescue=rescue,
            left=left,
        )

    return Session(
        source,
        inspection,
        begin_log,
        mm_per_line=recipe.line_mm,
        mm_per_px=recipe.mm_per_px,
        alarms=alarms,
        alarm_log=alarm_log or AlarmLog(engine),
        model_problem=model_problem,
        care=care,
        folders=tuple(filter(None, (tiles, rescue))),
        sinks=everybody,
        first_cloth=first_cloth_of(recipe, teach) if teach is not None and recipe.self_taught else None,
    )


def _go_on(source: FrameSource, left: LeftRoll) -> tuple[FrameSource, LeftRoll]:
    """The source from where the roll stands, and the roll with what nobody has seen meanwhile."""
    if waits_for_reader(source) and source.name == left.source:
        return ResumedSource(source, left.start.line), left
    return source, left.without_source()


def first_cloth_of(recipe: Recipe, teach: Teach) -> FirstCloth:
    """So much cloth as a recipe says, which is to teach the model."""
    return FirstCloth(teach, max(1, round(recipe.first_cloth_m * 1000.0 / recipe.line_mm)))
