"""The one way by which a person's wish may end a running roll: prove, ask, prove again, do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from aoi_app.app.ground.asker import Asker
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.roll.ending_question import DO, AtStake, Wish, ending_question
from cras_core.errors import CrasError

logger = logging.getLogger(__name__)

Prove = Callable[[], object]
"""Opens what is to come and closes it again, in a thread. Raises CrasError where it cannot be used."""


class RollEnding(QObject):
    """
    ::

        ask -> prove (thread) -> question -> prove again (thread) -> do
                  | fails            | "go on"     | fails
                  +------------------+-------------+---> nothing has changed; the person is told why

    What is proven when the question is asked may be gone when it is answered: a folder on a stick, a camera. So it is
    proven again before the roll is ended. A wish that comes while another is proven or asked about replaces it.

    Attributes:
        is_running: whether a roll runs or is paused.
        unreviewed: how many defects on the screen nobody has said anything of.
        work: each tells what else goes on and would end with the program, a sentence; empty for nothing.
    """

    _proven = Signal(int, str)  # turn and problem, from the thread that proves

    def __init__(self, asker: Asker, notifier: Notifier) -> None:
        super().__init__()
        self._asker, self._notifier = asker, notifier
        self.is_running: Callable[[], bool] = lambda: False
        self.unreviewed: Callable[[], int] = lambda: 0
        self.work: list[Callable[[], str]] = []
        self._turn = 0  # of the latest wish; whatever is proven for an older one is not wanted any more
        self._open: tuple[Wish, AtStake] | None = None
        self._then: Callable[[], object] = lambda: None
        self._threads: list[threading.Thread] = []
        self._proven.connect(self._take_proof)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being opened."""
        self._threads = [t for t in self._threads if t.is_alive()]
        return not self._threads

    def ask(self, wish: Wish, do: Callable[[], object], prove: Prove | None = None) -> None:
        """Does what a person wants, after asking where it costs something.

        Args:
            wish: what is wanted.
            do: does it; ends the roll itself, if one runs.
            prove: shows that what is to come can be used; None where nothing is to come.
        """
        self._asker.withdraw()  # of the wish before
        self._turn += 1

        def settle() -> None:
            if prove is None:
                do()
            else:
                self._prove(prove, do)

        def answered(key: str) -> None:
            self._open = None
            if key == DO:
                settle()
            elif self.is_running():
                self._notifier.note("The roll goes on.")

        def put_question() -> None:
            stake = self._stake()
            question = ending_question(wish, stake)
            if question is None:
                do()
                return
            self._notifier.note("")
            self._asker.ask(question, answered)
            self._open = wish, stake

        if prove is None:
            put_question()
        else:
            self._prove(prove, put_question)

    def tick(self) -> None:
        """The words of an open question follow what is at stake now; one that has lost its object goes."""
        if self._open is None:
            return
        wish, asked_of = self._open
        question = ending_question(wish, self._stake(), asked_of)
        if question is None:
            self._asker.withdraw()
        else:
            self._asker.change(question)

    def forget(self) -> None:
        """The program ends without asking: nothing is open or wanted any more."""
        self._turn += 1
        self._asker.withdraw()

    def _stake(self) -> AtStake:
        work = tuple(filter(None, (tell() for tell in self.work)))
        return AtStake(self.is_running(), self.unreviewed(), work)

    def _prove(self, prove: Prove, then: Callable[[], object]) -> None:
        turn, self._then = self._turn, then

        def run() -> None:
            problem = ""
            try:
                prove()
            except CrasError as error:
                problem = str(error)
            except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
                logger.exception("what is to come cannot be used")
                problem = f"That failed ({type(error).__name__}: {error}). Please report it with the log file."
            self._proven.emit(turn, problem)

        self._notifier.note("Looking whether it can be used …")
        thread = threading.Thread(target=run, name="prove source", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _take_proof(self, turn: int, problem: str) -> None:
        if turn != self._turn:
            return
        if problem:
            goes_on = " The roll goes on." if self.is_running() else ""
            self._notifier.warn(problem + goes_on)
        else:
            self._notifier.note("")
            self._then()
