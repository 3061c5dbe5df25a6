"""The labels of one sample, and its tile for the editor."""

from __future__ import annotations

from dataclasses import replace

from aoi_app.samples.sample_changes import SampleChanges
from aoi_app.samples.state import OpenTile
from aoi_app.samples.workspace import SamplesWorkspace
from cras_core.data.samples.labels import Label
from cras_core.errors import DataError


class LabelService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, workspace: SamplesWorkspace, changes: SampleChanges) -> None:
        self._workspace, self._changes = workspace, changes

    def open_tile(self, sample_id: str) -> None:
        """Reads the tile of a sample of the shown fabric."""
        fabric = self._workspace.holder.state.fabric
        self._workspace.do(lambda: self._workspace.holder.change(tile=self._read(fabric, sample_id)))

    def keep(self, sample_id: str, labels: tuple[Label, ...]) -> None:
        """Writes the labels of a sample of the shown fabric; without labels it is good cloth."""
        self._changes.change({sample_id: lambda sample: replace(sample, labels=labels)})

    def _read(self, fabric: str, sample_id: str) -> OpenTile:
        try:
            return OpenTile(sample_id, self._workspace.store.image(self._workspace.store.sample(fabric, sample_id)))
        except DataError as error:
            return OpenTile(sample_id, None, str(error))
