"""The samples of one fabric: shown, kept or thrown out, and added from pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.background.throttle import Throttle
from aoi_app.samples.comparing import compare_samples
from aoi_app.samples.sample_changes import SampleChanges
from aoi_app.samples.wording import compared_text, number
from aoi_app.samples.workspace import SamplesWorkspace
from cras_core.data.samples.cutting import pictures_at
from cras_core.data.samples.picture_import import Imported, add_pictures
from cras_core.data.samples.values import Choice, Sample

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

_YIELD = 1.0  # of the time that a sample takes: the running roll goes first
_SHOW_S = 0.5  # between two states while samples are being added


class SampleService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(
        self,
        workspace: SamplesWorkspace,
        changes: SampleChanges,
        detector: Callable[[], TrainedDetector | None] = lambda: None,
    ) -> None:
        """
        Args:
            workspace, changes: what it works with.
            detector: of the line, which compares what was added; None while none is loaded.
        """
        self._workspace, self._changes, self._detector = workspace, changes, detector
        self._holder, self._reader = workspace.holder, workspace.reader

    def show_fabric(self, fabric: str) -> None:
        """Shows the samples of a fabric."""
        self._workspace.do(lambda: self._reader.show_fabric(fabric))

    def decide(self, sample_ids: Collection[str], choice: Choice) -> None:
        """Keeps samples of the shown fabric, or throws them out."""
        with self._holder.lock:
            state = self._holder.state
            before = {s.id: s.choice for s in state.samples if s.id in sample_ids and s.choice != choice}
            if not before:
                return
            self._holder.change(undo_steps=(*state.undo_steps, before))
            self._write(dict.fromkeys(before, choice))
        what = "thrown out; they stay on disk" if choice == "thrown out" else "kept"
        self._holder.say(f"{number(len(before), 'sample')} {what}. Ctrl+Z undoes this.")

    def undo(self) -> None:
        """Takes the last decision back."""
        with self._holder.lock:
            steps = self._holder.state.undo_steps
            if not steps:
                return
            self._holder.change(undo_steps=steps[:-1])
            self._write(steps[-1])
        self._holder.say(f"The decision about {number(len(steps[-1]), 'sample')} is undone.")

    def add_pictures(self, fabric: str, paths: Sequence[Path]) -> None:
        """Cuts pictures, or all of a folder, into samples of a fabric."""
        self._workspace.do_long(f"Adding pictures to {fabric} …", lambda: self._add(fabric, list(paths)))

    def _write(self, choices: Mapping[str, Choice]) -> None:
        self._changes.change({sample_id: partial(_with_choice, choice) for sample_id, choice in choices.items()})

    def _add(self, fabric: str, paths: list[Path]) -> None:
        shown_s = time.monotonic()

        def on_picture(added: list[Sample], done: float) -> bool:
            nonlocal shown_s
            self._holder.change(progress=done)
            if time.monotonic() - shown_s > _SHOW_S:
                self._reader.show_changes(fabric, {s.id: s for s in added})
                shown_s = time.monotonic()
            return not self._workspace.stopping.is_set()

        workspace = self._workspace
        record = workspace.store.fabric(fabric)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        result = add_pictures(workspace.store, record, pictures_at(paths), workspace.author, now, on_picture)
        self._reader.show_changes(fabric, {s.id: s for s in result.added})
        self._reader.read()
        detector = self._detector()
        told = " They were not compared with each other: no model is loaded." if result.added and not detector else ""
        self._holder.say(f"{fabric}: {result.text}{told}", is_alarm=result.is_alarm)
        if result.added and detector is not None and not workspace.stopping.is_set():
            busy = f"Comparing the samples of {fabric} …"
            workspace.do_long(busy, lambda: self._compare(fabric, detector, result))

    def _compare(self, fabric: str, detector: TrainedDetector, result: Imported) -> None:
        """What came from pictures is judged like what came from the line."""
        workspace, give_way = self._workspace, Throttle(_YIELD)

        def on_progress(path: Path, done: int, of: int) -> None:
            workspace.show_progress(path, done, of)
            give_way()

        suspicious = compare_samples(workspace.store, fabric, detector, on_progress, workspace.stopping.is_set)
        self._reader.read()
        self._holder.say(f"{fabric}: {result.text} {compared_text(suspicious)}", is_alarm=result.is_alarm)


def _with_choice(choice: Choice, sample: Sample) -> Sample:
    return replace(sample, choice=choice)
