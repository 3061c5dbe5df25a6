"""Changes of samples: shown at once, written right after. Where that fails, the sample is shown as it is on disk, and
the failure is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aoi_app.samples.workspace import SamplesWorkspace
from cras_core.data.samples.values import Sample
from cras_core.errors import DataError

Change = Callable[[Sample], Sample]


class SampleChanges:
    """Changes samples of the fabric that is shown."""

    def __init__(self, workspace: SamplesWorkspace) -> None:
        self._workspace = workspace
        self._store, self._holder, self._reader = workspace.store, workspace.holder, workspace.reader

    def change(self, changes: Mapping[str, Change]) -> None:
        """Shows changes, by the samples' ids, and has them written. Returns at once."""
        with self._holder.lock:
            state = self._holder.state
            fabric = state.fabric
            self._reader.show_changes(fabric, {s.id: changes[s.id](s) for s in state.samples if s.id in changes})
            self._holder.change(pending=state.pending + 1)  # until then the disk is older than what is shown
        self._workspace.do(lambda: self._write(fabric, changes))

    def _write(self, fabric: str, changes: Mapping[str, Change]) -> None:
        try:
            failed = self._write_each(fabric, changes)
        finally:
            with self._holder.lock:
                self._holder.change(pending=self._holder.state.pending - 1)
        if failed:
            what = f"{len(failed)} changes are" if len(failed) > 1 else "The change is"
            self._holder.fail(f"{what} not saved: {next(iter(failed.values()))}")

    def _write_each(self, fabric: str, changes: Mapping[str, Change]) -> dict[str, str]:
        """Changes what is on disk, not what was read long ago: somebody else may have changed the sample meanwhile.

        Returns:
            Why changes could not be written, by the samples' ids.
        """
        is_known = self._reader.is_up_to_date(fabric)
        failed = {}
        for sample_id, change in changes.items():
            try:
                self._store.update(change(self._store.sample(fabric, sample_id)))
            except DataError as error:
                failed[sample_id] = str(error)
        on_disk = {sample_id: self._on_disk(fabric, sample_id) for sample_id in failed}
        with self._holder.lock:
            self._reader.show_changes(fabric, on_disk)
            others = {k: v for k, v in self._holder.state.unsaved.items() if k not in changes}
            self._holder.change(unsaved=others | failed)
            if is_known:  # nobody else wrote, so there is nothing to read
                self._reader.mark_read(fabric)
        return failed

    def _on_disk(self, fabric: str, sample_id: str) -> Sample | None:
        try:
            return self._store.sample(fabric, sample_id)
        except DataError:  # it is gone, which is what is told
            return None
