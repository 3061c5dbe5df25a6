"""Takes verdicts over into the store of samples, in a thread of its own, one after the other."""

from __future__ import annotations

from aoi_app.background.state_holder import ServiceState, StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.samples.review_samples import ReviewedRoll, update_samples
from cras_core.data.samples.store import SampleStore


class ReviewSampleService:
    """``close`` it when the program ends. Its state is a note about what a person should know."""

    def __init__(self, store: SampleStore, author: str) -> None:
        self._store, self._author = store, author
        self._holder = StateHolder(ServiceState())
        self._worker = SerialWorker("samples of verdicts", self._fail)
        self._is_closed = False

    def state(self) -> ServiceState:
        """The newest one; its revision grows only when there is something to tell."""
        return self._holder.ask()

    def update(self, roll: ReviewedRoll, defect: Defect, review: Review) -> None:
        """Brings the samples of a defect in line with its verdict, which is recorded elsewhere. Returns at once."""
        self._worker.put(lambda: self._update(roll, defect, review))

    @property
    def is_at_rest(self) -> bool:
        """Everything was taken over; after ``close``, its thread has ended too."""
        return not self._worker.is_alive if self._is_closed else self._worker.is_idle

    def close(self, timeout_s: float = 10.0) -> None:
        """What was asked for is still done, within the time."""
        self._is_closed = True
        self._worker.close()
        self._worker.wait(timeout_s)

    def _update(self, roll: ReviewedRoll, defect: Defect, review: Review) -> None:
        said = update_samples(self._store, roll, defect, review, self._author)
        if said:
            self._holder.say(said)

    def _fail(self, text: str) -> None:
        self._holder.fail(f"The verdict is recorded, but its tile did not become a sample: {text}")
