"""The roll: begun, paused, ended, and ended to begin another one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from sqlalchemy import Engine

from aoi_app.app.alarms_controller import AlarmsController
from aoi_app.app.line_model import LineModel
from aoi_app.app.notifier import Notifier
from aoi_app.app.program_state import ProgramState, state_after_end, state_to_begin
from aoi_app.app.qt_bridge import QtBridge
from aoi_app.camera_setup.camera_hold import may_hold_camera
from aoi_app.live.assembly import at_depth_of, make_session
from aoi_app.live.session import Session
from aoi_app.live.state import State
from aoi_app.records.roll_name import new_roll_name
from aoi_app.samples.collection_service import RunningRoll
from aoi_app.samples.review_samples import ReviewedRoll
from aoi_app.settings.folders import tails_folder, tiles_folder
from aoi_app.settings.recipe import RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.settings.running_tails import RunningTails
from aoi_app.sources.source import FrameSource, SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source

_CLOSE_WITHIN_MS = 15_000
_ROLLS_WITH_TILES = 20


class RollController(QObject):
    """Owns the session of the running roll, and the state of the program.

    Attributes:
        state: where the program is.
        choice: the source of the next roll.
        source: of the latest roll; None before the first.
        model_problem: why another model inspects than the one in use; empty where it does.
        holders: asked before a roll begins on a camera: whether they still hold one, which they then give back.

    Signals:
        begins: Recipe; a roll begins with it: what is shown of the one before goes.
        began: Session, not started yet.
        ended: Session.
        choice_changed: another source.
        closed: the program may end.
    """

    begins = Signal(object)
    began = Signal(object)
    ended = Signal(object)
    choice_changed = Signal()
    closed = Signal()

    def __init__(
        self,
        engine: Engine,
        choice: SourceChoice,
        recipes: RecipeBook,
        line_model: LineModel,
        notifier: Notifier,
        bridge: QtBridge,
        alarms: AlarmsController,
    ) -> None:
        super().__init__()
        self._engine, self._recipes, self._line_model, self._notifier = engine, recipes, line_model, notifier
        self._bridge, self._alarms = bridge, alarms
        self._session: Session | None = None
        self._name, self._recipe = "", recipes.line  # of the latest roll; the one in the book is that of the next
        self._tails = RunningTails(tails_folder())
        self.state = ProgramState.IDLE
        self.choice = choice
        self.source: FrameSource | None = None
        self.model_problem = ""
        self._first_bundle = line_model.bundle
        self.holders: list[Callable[[], bool]] = []
        bridge.session_ended.connect(self._ended)
        bridge.ticked.connect(self._try_again)
        line_model.changed.connect(self._model_is_there)
        line_model.refused.connect(self._model_is_refused)

    # --- what there is --------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """Of the latest roll; None before the first."""
        return self._session

    @property
    def session_state(self) -> State:
        """Where the latest roll is."""
        return self._session.state if self._session is not None else State.IDLE

    @property
    def is_running(self) -> bool:
        """A roll runs or is paused."""
        return self._session is not None and not self._session.state.is_over

    @property
    def is_at_rest(self) -> bool:
        """No thread of a roll is alive."""
        return self._session is None or self._session.wait(0)

    @property
    def roll_id(self) -> int:
        """Number of the latest roll in the records; 0 before it has begun."""
        return self._session.snapshot().roll_id if self._session is not None else 0

    @property
    def running(self) -> RunningRoll | None:
        """The roll that runs with its model; None while there is none."""
        model = self._line_model.loaded.detector if self._line_model.loaded is not None else None
        if self._session is None or model is None or self._session.state.is_over:
            return None
        return RunningRoll(self._session, self._name, self._recipe, model, self.choice.separate)

    @property
    def latest(self) -> ReviewedRoll | None:
        """The roll whose defects are shown; None before the first."""
        return ReviewedRoll(self._name, tiles_folder() / self._name, self._recipe) if self._name else None

    # --- what a person asks for -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins a roll, or goes on after a pause."""
        if self._session is not None and self._session.state is State.PAUSED:
            self._session.resume()
        elif not self.is_running:
            self._begin_when_possible()

    def begin_when_loaded(self) -> None:
        """Begins a roll with the model that is being loaded, unless one runs, which goes on with it."""
        if not self.is_running and self.state is ProgramState.IDLE:
            self.state = ProgramState.LOADING

    def pause(self) -> None:
        """Stops looking at the web."""
        if self._session is not None:
            self._session.pause()

    def stop(self) -> None:
        """Ends the roll; asked a second time, without inspecting what still waits."""
        if self._session is not None:
            self._session.stop(abandon=self._session.state is State.FINISHING)

    def use_source(self, choice: SourceChoice) -> None:
        """Begins a roll with another source; the running one is ended first."""
        self.choice = choice
        self.choice_changed.emit()
        if self._session is None or self._session.state.is_over:
            self.start()
        else:
            self.state = ProgramState.CHANGING
            self._session.stop()

    def close(self) -> None:
        """Ends the roll and then the program."""
        self.state = ProgramState.CLOSING
        if self._session is None or self._session.state.is_over:
            self.closed.emit()
            return
        self._notifier.note("Ending the roll …")
        self._session.stop(abandon=True)
        QTimer.singleShot(_CLOSE_WITHIN_MS, self.closed.emit)

    # --- how it comes about ---------------------------------------------------------------------------------------

    def _begin_when_possible(self) -> None:
        has_model = self._line_model.loaded is not None
        wants_camera = has_model and may_hold_camera(self.choice.spec)
        holds = [holder() for holder in self.holders] if wants_camera else []  # ask all of them
        self.state = state_to_begin(self.state, self.session_state, camera_is_free=not any(holds), has_model=has_model)
        if self.state is ProgramState.LOADING and not self._line_model.is_loading:
            self._line_model.use(self._line_model.bundle)
        elif self.state is ProgramState.ROLL and not self.is_running:
            self._begin()

    def _try_again(self) -> None:
        """At every tick: a roll that waits for the camera, or for the end of the one before."""
        is_over = self._session is None or (self._session.state.is_over and self._session.wait(0))
        if self.state is ProgramState.WAITING or (self.state is ProgramState.CHANGING and is_over):
            self._begin_when_possible()

    def _model_is_there(self) -> None:
        if self._line_model.bundle != self._first_bundle:
            self.model_problem = ""  # somebody has chosen another one
        if self.is_running and self._session is not None:
            self._line_model.follow(self._session)
        elif self.state is ProgramState.LOADING:
            self._begin_when_possible()

    def _model_is_refused(self) -> None:
        if self.state is ProgramState.LOADING:
            self.state = ProgramState.IDLE

    def _begin(self) -> None:
        loaded = self._line_model.loaded
        assert loaded is not None
        assert loaded.detector is not None
        name = new_roll_name()
        recipe = self._recipes.line
        try:
            source = make_source(at_depth_of(self.choice, loaded.detector), recipe)
            session = make_session(
                loaded.detector,
                source,
                recipe,
                self._engine,
                model=loaded.identity,
                name=name,
                tiles=tiles_folder() / name,
                rescue=tiles_folder().parent,
                own_recipes=self._recipes.own,
                tails=self._tails,
                alarms=self._alarms.alarms,
                alarm_log=self._alarms.log,
                model_problem=self.model_problem,
            )
        except (SourceError, RecipeError) as error:
            self.state = ProgramState.IDLE
            self._notifier.warn(str(error))
            return
        self._session, self.source, self._name, self._recipe = session, source, name, recipe
        self._line_model.follow(session)
        self.begins.emit(recipe)
        self.began.emit(session)
        session.start()
        self._bridge.watch(session)

    def _ended(self, session: Session) -> None:
        _keep_latest(tiles_folder(), _ROLLS_WITH_TILES)
        self.ended.emit(session)
        if self._tails.problems:
            self._notifier.warn(" ".join(self._tails.problems))
            self._tails.problems.clear()
        if self.state is ProgramState.CLOSING:
            self.closed.emit()
        else:
            self.state = state_after_end(self.state)


def _keep_latest(folder: Path, count: int) -> None:
    """Deletes the tiles of all but the latest rolls; their defects stay in the records."""
    for old in sorted(p for p in folder.glob("*") if p.is_dir())[:-count]:
        shutil.rmtree(old, ignore_errors=True)
