"""Samples that the line gives: collected while it runs, and from the verdicts on its defects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from aoi_app.app.pages.program import Program
from aoi_app.inspection.findings.defects import Defect, Remark
from aoi_app.inspection.findings.review import Review
from aoi_app.samples.collection_service import CollectionService
from aoi_app.samples.collection_state import CollectionPhase, CollectionState
from aoi_app.samples.review_service import ReviewSampleService
from aoi_app.settings.folders import library_folder
from aoi_app.settings.people import user_name
from aoi_app.ui.line.collect_bar import CollectBar
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError


class CollectionController(QObject):
    """Works from the beginning, whatever page is shown: collecting goes on with the line.

    Signals:
        keep_asked: Path of the bundle that a web has taught, and the fabric that its cloth is to be.
    """

    keep_asked = Signal(object, str)

    def __init__(self, program: Program, bar: CollectBar) -> None:
        """``bar``: asks which fabric is running, and tells how collecting goes."""
        super().__init__()
        self._program, self._bar = program, bar
        self._store = SampleStore(library_folder())
        self._collection = CollectionService(self._store, user_name())
        self._reviews = ReviewSampleService(self._store, user_name())
        self._shown: CollectionState | None = None
        self._told = 0  # revision of the verdicts' state that the person was told
        self._taught: Path | None = None  # what the latest web has taught, for which a name was asked
        self._offered = ""  # the roll that collecting was offered for
        bar.begin_asked.connect(self._begin)
        bar.keep_asked.connect(self._keep)
        bar.teach_asked.connect(self._teach)
        bar.end_asked.connect(self._collection.end)
        program.bridge.ticked.connect(self._show)
        program.roll.ended.connect(lambda _: self._collection.end())

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being collected, written or compared."""
        return self._collection.is_at_rest and self._reviews.is_at_rest

    def close(self) -> None:
        """Ends collecting; what was collected or said of defects until now is on disk."""
        self._collection.end()
        self._reviews.close()

    def ask(self) -> None:
        """Asks which fabric is running, to collect samples of it."""
        roll = self._program.roll.running
        if roll is None:
            self._program.notifier.warn("Samples are collected from running cloth: begin a roll first.")
        elif not self._is_collecting:
            self._bar.ask(
                "Which fabric is running? Samples of its good cloth are collected.",
                self._names(),
                roll.recipe.fabric or "",
            )

    def offer(self, remarks: Sequence[Remark]) -> None:
        """Offers once a roll to collect cloth that no model knows."""
        unknown = [r for r in remarks if r.kind == "unknown"]
        roll = self._program.roll.running
        if not unknown or roll is None or roll.name == self._offered or self._is_collecting:
            return
        self._offered = roll.name
        at = f"{unknown[0].position_m:.2f} m"
        text = f"Unknown cloth at {at}. To collect samples of it, give it a name. Or let it teach the model."
        self._bar.ask(text, self._names(), takes_keyboard=False, may_teach=True)

    def take_over(self, defect: Defect, review: Review) -> None:
        """What is said of a defect becomes a sample, or is none any more."""
        roll = self._program.roll.latest
        if roll is not None:
            self._reviews.update(roll, defect, review)

    def _teach(self) -> None:
        if not self._program.roll.is_running:
            self._program.notifier.warn("The roll has ended. Begin another one; its recipe can say that it teaches.")
            return
        self._program.roll.teach()
        self._program.notifier.note("The cloth that comes now teaches the model. It is inspected once that is done.")

    def _begin(self, fabric: str) -> None:
        roll = self._program.roll.running
        if roll is None:
            self._program.notifier.warn("The roll has ended. Begin another one to collect samples from.")
            return
        try:
            self._collection.begin(fabric, roll)
        except CrasError as error:
            self._program.notifier.warn(str(error))
        else:
            self._bar.show_state(self._collection.state())

    def _show(self) -> None:
        """At every tick: what is new."""
        state = self._collection.state()
        if state is not self._shown and not self._bar.is_asking:  # a question is not wiped away by a number
            self._shown = state
            self._bar.show_state(state)
        self._offer_to_keep()
        said = self._reviews.state()
        if said.revision != self._told:
            self._told = said.revision
            self._program.notifier.warn(said.note)

    def _offer_to_keep(self) -> None:
        """Once a roll that has taught the model: whether its cloth is to be a fabric."""
        session = self._program.roll.session
        taught = session.taught_file if session is not None else None
        if taught is None or taught == self._taught or self._is_collecting or self._bar.is_asking:
            return
        self._taught = taught
        text = "This web has taught the model. To keep its cloth as a fabric, give it a new name."
        self._bar.ask_to_keep(text, self._names())

    def _keep(self, fabric: str) -> None:
        if self._taught is not None:
            self.keep_asked.emit(self._taught, fabric)

    @property
    def _is_collecting(self) -> bool:
        return self._collection.state().phase is CollectionPhase.COLLECTING

    def _names(self) -> list[str]:
        return [f.name for f in self._store.fabrics() if not f.is_retired]
