"""Collecting samples as the window asks for it: what a click leads to, without the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aoi_app.inspection.defects import Remark
from aoi_app.live.session import Session
from aoi_app.samples.collection import Collection
from aoi_app.samples.collection_state import CollectStatus
from aoi_app.settings.recipe import Recipe
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector


class Bar(Protocol):
    """What asks and tells."""

    @property
    def is_asking(self) -> bool:
        """The person is asked for the name of a fabric."""

    def ask(self, text: str, fabrics: Sequence[str], suggestion: str = "") -> None:
        """Asks which fabric this cloth is."""

    def show_status(self, status: CollectStatus) -> None:
        """How it goes."""


@dataclass(frozen=True, slots=True)
class RunningRoll:
    """The roll that samples can be collected from.

    Attributes:
        session: it.
        name: of the roll.
        recipe: it runs with.
        inspector: its model.
        separate: its pieces are not neighbours.
    """

    session: Session
    name: str
    recipe: Recipe
    inspector: TrainedDetector
    separate: bool


class CollectionController:
    """Asks, begins, ends and tells."""

    def __init__(
        self,
        desk: Collection,
        store: SampleStore,
        bar: Bar,
        roll: Callable[[], RunningRoll | None],
        warn: Callable[[str], None],
    ) -> None:
        self._desk, self._store, self._bar, self._roll, self._warn = desk, store, bar, roll, warn
        self._offered = ""  # the roll that it was offered for

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being collected, written or judged."""
        return self._desk.is_at_rest

    def ask(self) -> None:
        """Asks what the cloth is that runs."""
        roll = self._roll()
        if roll is None:
            self._warn("Samples are collected from running cloth: begin a roll first.")
            return
        if not self._desk.status().is_running:
            self._bar.ask(
                "Which fabric is running? Good samples of it are collected.", self._names(), self._likely(roll)
            )

    def offer(self, remarks: Sequence[Remark]) -> None:
        """Offers once a roll to collect cloth that no model knows."""
        unknown = [r for r in remarks if r.kind == "unknown"]
        roll = self._roll()
        if not unknown or roll is None or roll.name == self._offered or self._desk.status().is_running:
            return
        self._offered = roll.name
        at = f"{unknown[0].position_m:.2f} m"
        self._bar.ask(f"Unknown cloth at {at}. Collect samples to enrol it? Give it a name.", self._names())

    def begin(self, fabric: str) -> None:
        """Collects the cloth that runs, as this fabric."""
        roll = self._roll()
        if roll is None:
            self._warn("The roll has ended; begin another to collect samples from.")
            return
        try:
            self._desk.begin(fabric, roll.session, roll.name, roll.recipe, roll.inspector, separate=roll.separate)
        except CrasError as error:
            self._warn(str(error))
            return
        self._bar.show_status(self._desk.status())

    def end(self) -> None:
        """Enough."""
        self._desk.end()
        self.tick()

    def tick(self) -> None:
        """Shows what is new."""
        status = self._desk.status()
        if status.text and not self._bar.is_asking:
            self._bar.show_status(status)

    def _names(self) -> list[str]:
        return [f.name for f in self._store.fabrics() if not f.is_retired]

    def _likely(self, roll: RunningRoll) -> str:
        return roll.recipe.fabric or ""
