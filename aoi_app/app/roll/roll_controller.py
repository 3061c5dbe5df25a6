"""The roll: begun, paused, ended, and ended to begin another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from sqlalchemy import Engine

from aoi_app.app.ground.alarms_controller import AlarmsController
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.program_state import ProgramState, state_after_end, state_to_begin
from aoi_app.app.ground.qt_bridge import QtBridge
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.roll.ending_question import Wish, source_words
from aoi_app.app.roll.line_model import LineModel
from aoi_app.app.roll.roll_ending import RollEnding
from aoi_app.app.roll.source_proof import prove_beginning
from aoi_app.camera_setup.camera_hold import may_hold_camera
from aoi_app.live.assembly import at_depth_of, first_cloth_of, make_session
from aoi_app.live.awake import KeepAwake
from aoi_app.live.line_care import LineCare
from aoi_app.live.model_loader import LoadedModel
from aoi_app.live.session import Session
from aoi_app.live.state import State
from aoi_app.records.errors import RecordsError
from aoi_app.records.roll_name import new_roll_name
from aoi_app.records.upkeep.left_roll import LeftRoll
from aoi_app.samples.collection_service import RunningRoll
from aoi_app.samples.review_samples import ReviewedRoll
from aoi_app.settings.calibration import Calibration
from aoi_app.settings.folders import imaging_folder, tails_folder, tiles_folder
from aoi_app.settings.imaging_history import ImagingHistory
from aoi_app.settings.printable import printable
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.settings.running_tails import RunningTails
from aoi_app.settings.work_order import NO_ORDER
from aoi_app.sources.source import FrameSource, SourceError
from aoi_app.sources.source_choice import SourceChoice, make_source

_CLOSE_WITHIN_MS = 15_000


class RollController(QObject):
    """Owns the session of the running roll, and the state of the program.

    Attributes:
        state: where the program is.
        choice: the source of the next roll.
        source: of the latest roll; None before the first.
        holders: asked before a roll begins on a camera: whether they still hold one, which they then give back.
        next_order: what the mill knows of the next roll.
        ending: asked before anything that ends the roll or takes its table from the screen.

    Signals:
        begins: Recipe; a roll begins with it: what is shown of the one before goes.
        began: Session, not started yet.
        went_on: LeftRoll; the roll that begins is one that an earlier program has left.
        ended: Session.
        choice_changed: another source.
        closed: the program may end.
    """

    begins = Signal(object)
    began = Signal(object)
    went_on = Signal(object)
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
        ending: RollEnding,
        settings: SettingsHolder,
    ) -> None:
        super().__init__()
        self._engine, self._recipes, self._line_model, self._notifier = engine, recipes, line_model, notifier
        self._bridge, self._alarms, self._settings = bridge, alarms, settings
        self._session: Session | None = None
        self._name, self._recipe = "", recipes.line  # of the latest roll; the one in the book is that of the next
        self._tails = RunningTails(tails_folder())
        self._imaging = ImagingHistory(imaging_folder())
        self._awake = KeepAwake()
        self._left: LeftRoll | None = None  # goes on as the next roll
        self.state = ProgramState.IDLE
        self.choice = choice
        self.source: FrameSource | None = None
        self.holders: list[Callable[[], bool]] = []
        self.next_order = NO_ORDER
        self.ending = ending
        ending.is_running = lambda: self.is_running and self.state is not ProgramState.CHANGING
        bridge.ticked.connect(ending.tick)
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
    def recipe_of_line(self) -> Recipe:
        """That a new roll would begin with."""
        return self._recipes.line

    @property
    def is_running(self) -> bool:
        """A roll runs or is paused."""
        return self._session is not None and not self._session.state.is_over

    @property
    def is_at_rest(self) -> bool:
        """No thread of a roll is alive, and no source is being proven."""
        return self.ending.is_at_rest and (self._session is None or self._session.wait(0))

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
        return RunningRoll(self._session, self._name, self._recipe, model, bool(self.choice.separate))

    @property
    def latest(self) -> ReviewedRoll | None:
        """The roll whose defects are shown; None before the first."""
        return ReviewedRoll(self._name, tiles_folder() / self._name, self._recipe) if self._name else None

    # --- what a person asks for -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins a roll, or goes on after a pause. What is on the screen of the roll before may cost a question."""
        if self._session is None:
            self._begin_when_possible()
        elif self._session.state is State.PAUSED:
            self._session.resume()
        elif not self.is_running:
            wish = Wish("Start the next roll?", "Start the next roll")
            self.ending.ask(wish, self._begin_when_possible, self._may_begin_with(self.choice))

    def go_on_with(self, left: LeftRoll) -> None:
        """Goes on with a roll that an earlier program has left, as the first roll of this one."""
        self._left = left
        self.start()

    def begin_when_loaded(self) -> None:
        """Begins the first roll with the model that is being loaded. A later one is begun by a person: until then the
        roll before stays on the screen.
        """
        if self._session is None and self.state is ProgramState.IDLE:
            self.state = ProgramState.LOADING

    def pause(self) -> None:
        """Stops looking at the web."""
        if self._session is not None:
            self._session.pause()

    def splice(self) -> None:
        """The cloth that runs now is spliced to that before."""
        if self.session_state is State.RUNNING and self._session is not None:
            self._session.splice()

    def stop(self) -> None:
        """Ends the roll, after a question; asked again while it ends, without inspecting what still waits."""
        session = self._session
        if session is None or session.state.is_over:
            return
        is_ending = session.state is State.FINISHING
        wish = (
            Wish("End at once? What still waits is not inspected.", "End at once", takes_table=False, needs_roll=True)
            if is_ending
            else Wish("End the roll?", "End the roll", takes_table=False, needs_roll=True)
        )
        self.ending.ask(wish, lambda: session.stop(abandon=is_ending))

    def teach(self) -> None:
        """Lets the cloth that comes from now on teach the model what it is."""
        if self._session is not None and self.is_running:
            self._session.teach(first_cloth_of(self._recipe, self._line_model.teacher()))

    def use_source(self, choice: SourceChoice) -> None:
        """Begins a roll with another source, once that is proven good and the person agrees to the end of the one
        before.
        """
        wish = Wish(f"Start a roll from {printable(source_words(choice.spec))}?", "Start the new roll")
        self.ending.ask(wish, lambda: self._change_source(choice), self._may_begin_with(choice))

    def close(self) -> None:
        """Ends the roll and then the program, after a question where that costs anything."""
        if self.state is ProgramState.CLOSING:
            self.shut_down()
        else:
            self.ending.ask(Wish("Quit the program?", "Quit", ends_program=True), self.shut_down)

    def shut_down(self) -> None:
        """Ends the roll and then the program, without asking: somebody has agreed, or the computer is going down."""
        self.state = ProgramState.CLOSING
        self.ending.forget()
        self._line_model.close()
        if self._session is None or self._session.state.is_over:
            self.closed.emit()
            return
        self._notifier.note("Ending the roll …")
        self._session.stop(abandon=True)
        QTimer.singleShot(_CLOSE_WITHIN_MS, self.closed.emit)

    def leave(self) -> None:
        """The program ends now."""
        self._awake.close()

    def wait(self, timeout_s: float) -> bool:
        """Waits until the roll that is being ended is in the records; False when it is not within the time."""
        return self._session is None or self._session.wait(timeout_s)

    # --- how it comes about ---------------------------------------------------------------------------------------

    def _may_begin_with(self, choice: SourceChoice) -> Callable[[], None]:
        running = self.choice if self.is_running else None
        return partial(
            prove_beginning, choice, self._recipes.line, self._line_model.loaded, running, tuple(self.holders)
        )

    def _change_source(self, choice: SourceChoice) -> None:
        self.choice, self._left = choice, None
        self.choice_changed.emit()
        self.end_to_begin()

    def end_to_begin(self) -> None:
        """Everybody agrees: the roll is ended, if one runs, and the next begins after it."""
        if self._session is None or self._session.state.is_over:
            self._begin_when_possible()
        else:
            self.state = ProgramState.CHANGING
            self._session.stop()

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
        left, self._left = self._left, None
        recipe = left.recipe if left is not None else self._recipes.line
        if left is not None:
            self.next_order = left.order
        try:
            name = left.name if left is not None else new_roll_name(self._engine, tiles_folder())
            source = make_source(at_depth_of(self.choice, loaded.detector), recipe)
            session = make_session(
                loaded.detector,
                source,
                recipe,
                self._engine,
                model=loaded.identity,
                name=name,
                order=self.next_order,
                tiles=tiles_folder() / name,
                rescue=tiles_folder().parent,
                own_recipes=self._recipes.own,
                tails=self._tails,
                care=self._care(loaded),
                alarms=self._alarms.alarms,
                alarm_log=self._alarms.log,
                model_problem=loaded.remark,
                left=left,
                teach=self._line_model.teacher(),
            )
        except (SourceError, RecipeError, RecordsError) as error:
            self.state = ProgramState.IDLE
            self._notifier.warn(str(error))
            return
        self._session, self.source, self._name, self._recipe = session, source, name, recipe
        self._line_model.follow(session)
        self.begins.emit(recipe)
        self.began.emit(session)
        if left is not None:
            self.went_on.emit(left)
        session.start()
        self._awake.begin()
        self._bridge.watch(session)

    def _care(self, loaded: LoadedModel) -> LineCare:
        """What the line knows of its camera and computer."""
        settings = self._settings.now
        made: dict[Calibration, str] = {"scale": settings.calibrated.get("scale", "")}
        if settings.camera.mm_per_count is not None:
            made["encoder"] = settings.calibrated.get("encoder", "")
        return LineCare(self._imaging, settings.drift.limits, made, settings.calibration_days, loaded.device_problem)

    def _ended(self, session: Session) -> None:
        self._awake.end()
        self.ended.emit(session)
        for kept in (self._tails, self._imaging):
            if kept.problems:
                self._notifier.warn(" ".join(kept.problems))
                kept.problems.clear()
        if self.state is ProgramState.CLOSING:
            self.closed.emit()
        else:
            self.state = state_after_end(self.state)
