"""The services behind the page of the samples, made and closed together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aoi_app.samples.fabric_service import FabricService
from aoi_app.samples.label_service import LabelService
from aoi_app.samples.sample_changes import SampleChanges
from aoi_app.samples.sample_service import SampleService
from aoi_app.samples.state import SamplesState
from aoi_app.samples.workspace import SamplesWorkspace
from cras_core.data.samples.store import SampleStore

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

_LAST_WAIT_S = 10.0


class SamplesServices:
    """``close`` them when the program ends.

    Attributes:
        fabrics: makes, renames, merges, retires, deletes and carries fabrics.
        samples: of one fabric, shown, decided about and added.
        labels: of one sample.
    """

    def __init__(
        self,
        store: SampleStore,
        author: str = "",
        detector: Callable[[], TrainedDetector | None] = lambda: None,
    ) -> None:
        """
        Args:
            store: the samples; its folder need not be there yet.
            author: whoever adds samples.
            detector: of the line, which compares samples; None while none is loaded. Asked in a thread.
        """
        workspace = self._workspace = SamplesWorkspace(store, author)
        changes = SampleChanges(workspace)
        self.fabrics = FabricService(workspace)
        self.samples = SampleService(workspace, changes, detector)
        self.labels = LabelService(workspace, changes)

    def state(self) -> SamplesState:
        """The newest one, for somebody who shows it and will ask again."""
        return self._workspace.holder.ask()

    def read_again(self) -> None:
        """Reads all of the store."""
        self._workspace.read_again()

    def stop(self) -> None:
        """Ends what takes long; what was done of it stays."""
        self._workspace.stopping.set()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being done; after ``close``, no thread is alive either."""
        return self._workspace.is_at_rest

    def close(self, timeout_s: float = _LAST_WAIT_S) -> None:
        """Ends what takes long and waits until what was decided is on disk."""
        self._workspace.close(timeout_s)
