"""Which defect types the labels of all samples use, so that nobody removes one of them by accident."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.background.state_holder import ServiceState, StateHolder
from aoi_app.background.worker import SerialWorker
from cras_core.data.samples.store import SampleStore


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelCodesState(ServiceState):
    """``codes``: of the types that labels have, as they were read last."""

    codes: frozenset[str] = frozenset()


class LabelCodesService:
    """Reads them in a thread, when it is asked to. ``close`` it when the program ends."""

    def __init__(self, store: SampleStore) -> None:
        self._store = store
        self._holder = StateHolder(LabelCodesState())
        self._worker = SerialWorker("label codes", self._holder.fail)

    def state(self) -> LabelCodesState:
        """The newest one."""
        return self._holder.ask()

    def read(self) -> None:
        """Reads all samples of the store; returns at once."""
        if self._worker.is_idle:
            self._worker.put(self._read)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read."""
        return self._worker.is_idle

    def close(self) -> None:
        """Reads no more."""
        self._worker.close()

    def _read(self) -> None:
        samples = (s for fabric in self._store.fabrics() for s in self._store.samples(fabric.name))
        codes = {label.code for sample in samples for label in sample.labels if label.code}
        self._holder.change(codes=frozenset(codes))
