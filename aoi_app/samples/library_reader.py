"""What is in the store of samples, read into the state: all of it, one fabric, or what somebody else has changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aoi_app.background.state_holder import StateHolder
from aoi_app.samples.state import FabricRow, SamplesState, with_changes, with_counts
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.errors import DataError

_UNWATCHED_S = 3.0  # nobody asked for the state so long: the page is not seen
_SHARE = 4  # of the time between two readings, so much more than a reading takes


class LibraryReader:
    """Called by the threads of the workspace; raises DataError where the disk cannot be read."""

    def __init__(self, store: SampleStore, holder: StateHolder[SamplesState]) -> None:
        self._store, self._holder = store, holder
        self._seen: dict[Path, tuple[int, ...]] = {}  # stamps of the fabrics' folders when they were read
        self._next_s = 0.0

    def read(self) -> None:
        """All fabrics and how many samples each has; the samples of the one that is shown."""
        stamps = self._store.stamps()  # before the rest: what changes while it is read is read again the next time
        records = self._store.fabrics()
        known = {row.name: row.counts for row in self._holder.state.fabrics}
        self._holder.change(fabrics=tuple(FabricRow(r, known.get(r.name)) for r in records))
        if self._holder.state.fabric not in {r.name for r in records}:
            # Nobody asked for a fabric yet, or the shown one is gone: the first that models are taught.
            taught = [r for r in records if not r.is_retired] or records
            self.show_fabric(taught[0].name if taught else "")
        for record in records:
            self._read_if_changed(record, stamps, is_new=known.get(record.name) is None)
        self._holder.change(problems=tuple(self._store.problems()))
        self._seen = stamps

    def refresh(self) -> None:
        """Reads again if somebody else wrote to the store, and if the page is seen."""
        began_s = time.monotonic()
        is_due = self._holder.was_asked_within(_UNWATCHED_S) and began_s >= self._next_s
        if is_due and not self._holder.state.pending and self._store.stamps() != self._seen:
            self.read()
            self._next_s = time.monotonic() + _SHARE * (time.monotonic() - began_s)

    def show_fabric(self, fabric: str) -> None:
        """Shows the samples of a fabric; an empty name shows none."""
        samples = tuple(self._store.samples(fabric)) if fabric else ()
        folder = self._folder(fabric)
        with self._holder.lock:
            if fabric != self._holder.state.fabric:
                # Undo and failures name samples by their ids, which mean others in another fabric.
                self._holder.change(undo_steps=(), unsaved={}, tile=None)
            pictures = None if folder is None else folder / "samples"
            self._holder.change(fabric=fabric, samples=samples, folder=pictures)

    def follow(self, old: str, new: str) -> None:
        """A fabric has another name now: it stays shown if it was."""
        if self._holder.state.fabric in (old, new):
            self.show_fabric(new)

    def show_changes(self, fabric: str, changed: Mapping[str, Sample | None]) -> None:
        """Shows samples as they are now, if their fabric is shown; None takes one away."""
        with self._holder.lock:
            state = self._holder.state
            if fabric == state.fabric and changed:
                samples = with_changes(state.samples, changed)
                self._holder.change(samples=samples, fabrics=with_counts(state.fabrics, fabric, samples))

    # --- own writing is not read back -----------------------------------------------------------------------------

    def is_up_to_date(self, fabric: str) -> bool:
        """Nobody has written to the fabric since it was read."""
        folder = self._folder(fabric)
        return folder is not None and self._seen.get(folder) == self._store.stamps().get(folder)

    def mark_read(self, fabric: str) -> None:
        """What is on disk is what is shown: we wrote it."""
        folder = self._folder(fabric)
        if folder is not None:
            with self._holder.lock:
                self._seen[folder] = self._store.stamps().get(folder, ())

    def _read_if_changed(self, record: FabricRecord, stamps: dict[Path, tuple[int, ...]], *, is_new: bool) -> None:
        folder = self._folder(record.name)
        if is_new or folder is None or self._seen.get(folder) != stamps.get(folder):
            is_taken = self._take(record.name, tuple(self._store.samples(record.name)))
            if folder is not None and not is_taken:
                stamps.pop(folder, None)  # the next reading reads it again

    def _take(self, fabric: str, samples: Sequence[Sample]) -> bool:
        """Shows what was read; not while something newer of it waits to be written."""
        with self._holder.lock:
            state = self._holder.state
            is_shown = fabric == state.fabric
            if is_shown and state.pending:
                return False
            shown = {"samples": tuple(samples)} if is_shown else {}
            self._holder.change(fabrics=with_counts(state.fabrics, fabric, samples), **shown)
            return True

    def _folder(self, fabric: str) -> Path | None:
        try:
            return self._store.folder(fabric) if fabric else None
        except DataError:  # somebody deleted it; the next reading tells
            return None
