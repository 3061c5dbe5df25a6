"""What the services of the samples share: the store, the state that is shown, and the threads in which things are done.

The quick thread does what a person waits for: decisions and labels are shown at once and written right after. The slow
one does what takes long, such as an import, and watches whether somebody else writes to the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.samples.library_reader import LibraryReader
from aoi_app.samples.state import SamplesState
from cras_core.data.samples.store import SampleStore

_READING = "Reading the samples …"
_REFRESH_S = 2.0


class SamplesWorkspace:
    """``close`` it when the program ends.

    Attributes:
        store: the samples.
        author: whoever adds samples.
        holder: what is shown.
        reader: reads the store into it.
        stopping: what takes long shall end.
    """

    def __init__(self, store: SampleStore, author: str = "") -> None:
        """``store``: its folder need not be there yet."""
        self.store, self.author = store, author
        self.holder = StateHolder(SamplesState(busy=_READING))
        self.reader = LibraryReader(store, self.holder)
        self.stopping = threading.Event()
        self._is_closed = False
        self._quick = SerialWorker("samples", self.holder.fail)
        self._slow = SerialWorker("fabrics", self.holder.fail, self.reader.refresh, _REFRESH_S)
        self.read_again()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being done; after ``close``, no thread is alive either."""
        state = self.holder.state
        is_over = not (self._quick.is_alive or self._slow.is_alive)
        return not state.busy and not state.pending and (is_over or not self._is_closed)

    def close(self, timeout_s: float) -> None:
        """Ends what takes long and waits, each so long, until what was decided is on disk."""
        self._is_closed = True
        self.stopping.set()
        for worker in (self._quick, self._slow):
            worker.close()
        for worker in (self._quick, self._slow):
            worker.wait(timeout_s)

    def do(self, job: Callable[[], object]) -> None:
        """In the quick thread."""
        self._quick.put(job)

    def do_long(self, busy: str, job: Callable[[], object]) -> None:
        """In the slow thread, while ``busy`` is shown."""

        def whole() -> None:
            # Cleared here and not when the job is asked for: the job before it may still have to see it.
            if not self._is_closed:
                self.stopping.clear()
            with self.holder.doing(busy):
                job()

        self._slow.put(whole)

    def read_again(self) -> None:
        """Reads all of the store."""
        self.do_long(_READING, self.reader.read)

    def show_progress(self, _path: Path, done: int, of: int) -> None:
        """How many of how many files are done."""
        self.holder.change(progress=done / max(1, of))
