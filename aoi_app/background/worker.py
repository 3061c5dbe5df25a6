"""A thread that does what it is told, one thing after the other, so that no window waits."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from aoi_app.background.memory import give_memory_back
from cras_core.errors import CrasError

logger = logging.getLogger(__name__)

Job = Callable[[], object]

_LONG_S = 1.0  # work that takes longer has used memory that is worth giving back


class SerialWorker:
    """Does jobs in their order; one that fails is told and the next is done."""

    def __init__(
        self,
        name: str,
        on_failure: Callable[[str], None],
        on_idle: Job | None = None,
        idle_s: float | None = 2.0,
        on_end: Job = lambda: None,
        told: tuple[type[Exception], ...] = (CrasError,),
    ) -> None:
        """
        Args:
            name: of the thread.
            on_failure: told why a job failed, in the thread.
            on_idle: done when there was no job for ``idle_s``, again and again.
            idle_s: seconds, 0 for work that goes on and on; None: not now. A job may change it.
            on_end: done last, in the thread.
            told: errors whose text is for a person; any other is a bug, and goes to the log as well.
        """
        self._on_failure, self._on_idle, self._on_end, self._told = on_failure, on_idle, on_end, told
        self.idle_s = idle_s
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Does this after what was put before."""
        self._jobs.put(job)

    def close(self) -> None:
        """Ends after what was put before."""
        self._jobs.put(None)

    @property
    def has_jobs(self) -> bool:
        """Something waits to be done."""
        return not self._jobs.empty()

    @property
    def waiting(self) -> int:
        """How many jobs wait; for who would rather leave something out than be late."""
        return self._jobs.qsize()

    @property
    def is_idle(self) -> bool:
        """No job waits, and none is being done; what is done while there is no job does not count."""
        return self._jobs.unfinished_tasks == 0

    @property
    def is_alive(self) -> bool:
        """It has not ended."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float) -> bool:
        """Whether the thread has ended, within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=None if self._on_idle is None else self.idle_s)
            except queue.Empty:
                if self._on_idle is not None:
                    self._guarded(self._on_idle)
                continue
            begun_s = time.monotonic()
            self._guarded(self._on_end if job is None else job)
            if time.monotonic() - begun_s > _LONG_S:
                give_memory_back()
            self._jobs.task_done()
            if job is None:
                return

    def _guarded(self, job: Job) -> None:
        try:
            job()
        except self._told as error:
            self._on_failure(str(error))
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("%s", self._thread.name)
            self._on_failure(f"That failed ({type(error).__name__}: {error}). Please report it with the log file.")
