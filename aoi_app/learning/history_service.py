"""The history of models: which one is in use, which may go, and what differs between two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aoi_app.learning.model_names import names_of
from aoi_app.learning.rows import difference
from aoi_app.learning.wording import promotion_reason
from aoi_app.learning.workspace import LearningWorkspace
from aoi_app.settings.settings import Learning
from cras_core.errors import StoreError
from cras_core.evaluation.candidate_reports import drop_reports
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.registry.entries import PrunePolicy
from cras_core.web.calibration import THIS_WEB


class HistoryService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, workspace: LearningWorkspace, on_promoted: Callable[[Path], None]) -> None:
        """``on_promoted``: told the bundle that was put into use, in a thread."""
        self._workspace, self._on_promoted = workspace, on_promoted
        self._models, self._holder = workspace.models, workspace.holder

    def promote(self, identity: str) -> None:
        """Puts a model into use, an older one as well; the line goes on with it."""
        self._workspace.do(lambda: self.put_into_use(identity, promotion_reason(self._holder.state, identity)))

    def rollback(self) -> None:
        """Puts the model into use that was before the one in use."""

        def do() -> None:
            before = self._holder.state.rollback
            if not before:
                raise StoreError("no-model-to-roll-back-to", "There is no model to roll back to.")
            self.put_into_use(before, "rolled back to it")

        self._workspace.do(do)

    def adopt(self) -> None:
        """Takes the line's model into the history and puts it into use there."""

        def do() -> None:
            path = self._workspace.line_bundle
            if path is not None:
                identity = self._add_line_model(path, f"the line runs it, {path.name}")
                self._holder.say(f"{path.name} is in the history and in use, as {self._workspace.name_of(identity)}.")

        self._workspace.do_and_refresh(do)

    def pin(self, identity: str, *, pinned: bool) -> None:
        """Keeps a model from being deleted, or no longer."""
        self._workspace.do_and_refresh(lambda: self._models.pin(identity, pinned=pinned))

    def remove(self, identity: str) -> None:
        """Deletes a model."""

        def do() -> None:
            name = self._workspace.name_of(identity)
            self._models.remove(identity)
            if identity == self._holder.state.candidate:
                self._holder.change(candidate="", report=None, evaluation=None)
            self._drop_reports()
            self._holder.say(f"{name} is deleted.")

        self._workspace.do_and_refresh(do)

    def prune(self) -> None:
        """Deletes the oldest models until the limits hold."""

        def do() -> None:
            gone = self._prune()
            self._holder.say(
                f"Deleted: {', '.join(gone)}." if gone else "Nothing was deleted: the history is within its limits."
            )

        self._workspace.do_and_refresh(do)

    def differ(self, before: str, after: str) -> None:
        """Tells what differs between two models."""

        def do() -> None:
            names = names_of(self._models.entries())
            self._holder.change(difference=difference(self._models.compare(before, after), names))

        self._workspace.do(do)

    def rename_fabric(self, old: str, new: str) -> None:
        """Gives a fabric of the model in use another name, and its samples too."""

        def do() -> None:
            from cras_core.training.fabric_changes import rename_fabric  # loads torch: in the thread, not at the start

            renamed = rename_fabric(self.base(), old, new)
            self._models.add(renamed)
            samples = self._workspace.samples
            names = {f.name for f in samples.fabrics()}
            if old in names and new not in names:
                samples.rename(old, new)
            self.put_into_use(renamed.identity, f"{old} was renamed to {new}")

        self._workspace.do_long(f"Renaming {old} …", do)

    def keep_web(self, taught: Path, fabric: str) -> None:
        """Puts the model into use that a running web has taught, with its cloth as a fabric of this name."""

        def do() -> None:
            from cras_core.training.fabric_changes import rename_fabric  # as above

            kept = rename_fabric(read_bundle(taught), THIS_WEB, fabric)
            self._models.add(kept)
            self.put_into_use(kept.identity, f"{fabric} was taught by a running web")

        self._workspace.do_long(f"Keeping {fabric} …", do)

    def remove_fabric(self, fabric: str) -> None:
        """Takes a fabric out of the model in use; its samples are kept and not learnt any more."""

        def do() -> None:
            from cras_core.training.fabric_changes import remove_fabric  # as above

            rest = remove_fabric(self.base(), fabric)
            self._models.add(rest)
            samples = self._workspace.samples
            for record in samples.fabrics():
                if record.name == fabric and not record.is_retired:
                    samples.change(replace(record, is_retired=True))
            self.put_into_use(rest.identity, f"{fabric} was removed")

        self._workspace.do_long(f"Removing {fabric} …", do)

    def use_settings(self, learning: Learning) -> None:
        """Other limits of the history, and another rule for new models."""
        self._holder.change(learning=learning)

    # --- in the thread of whoever calls ---------------------------------------------------------------------------

    def base(self) -> Bundle:
        """The model that new ones are made of: the one in use; where there is no history, the line's begins it.

        Raises:
            StoreError: there is neither, or the one in use is damaged.
        """
        entry = self._models.in_use
        if entry is not None:
            return self._models.read(entry.identity)
        path = self._workspace.line_bundle
        if path is None:
            raise StoreError(
                "no-model-to-add-to", "There is no model yet that a fabric could be added to. Train all fabrics first."
            )
        return self._models.read(self._add_line_model(path, f"the line ran it when the history began, {path.name}"))

    def put_into_use(self, identity: str, reason: str) -> None:
        """Promotes a model, gives it to the line, and deletes what is over the limits. Raises CrasError."""
        self._models.promote(identity, reason)
        self._on_promoted(self._models.entry(identity).path)
        name = self._workspace.name_of(identity)
        gone = self._prune()
        deleted = f" Deleted, because the history was over its limits: {', '.join(gone)}." if gone else ""
        self._holder.say(f"{name} is in use now ({reason}).{deleted}")
        self._workspace.refresh()

    def _add_line_model(self, path: Path, reason: str) -> str:
        bundle = read_bundle(path)
        self._models.add(bundle)
        self._models.promote(bundle.identity, reason)
        return bundle.identity

    def _prune(self) -> list[str]:
        """What people call the models that it deleted."""
        names, bounds = names_of(self._models.entries()), self._holder.state.learning
        gone = self._models.prune(PrunePolicy(bounds.most_models, int(bounds.most_gb * 1e9)))
        self._drop_reports()
        return [names.get(e.identity, e.identity) for e in gone]

    def _drop_reports(self) -> None:
        drop_reports(self._models.folder, {e.identity for e in self._models.entries()})
