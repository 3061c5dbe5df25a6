"""Where samples of cloth are added, chosen and labelled: threads that do it, so that no window waits for the disk.

What a person decides is shown at once and written right after, in a thread of its own, whatever long work goes on
beside it; where that fails, the sample is shown again as it is on disk, and the failure is told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from aoi_app.background.worker import SerialWorker
from aoi_app.samples.state import FabricRow, OpenTile, SamplesState, count
from aoi_app.settings.defect_types import DefectType, DefectTypesError, load_defect_types, save_defect_types
from cras_core.data.samples.archive import export_fabric, import_fabric
from cras_core.data.samples.cutting import pictures_at
from cras_core.data.samples.itdd_export import export_itdd
from cras_core.data.samples.itdd_import import import_itdd
from cras_core.data.samples.labels import Label
from cras_core.data.samples.picture_import import add_pictures
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Choice, FabricRecord, Sample
from cras_core.errors import DataError

_READING = "Reading the samples …"
_REFRESH_S = 2.0
_SHARE = 4  # of the time between two readings of the store, so much more than one takes
_UNWATCHED_S = 3.0  # nobody asked for the view so long: the window is closed
_SHOW_S = 0.5  # between two views of samples that are being added


class SampleService:
    """A ``SampleDesk`` for the window. ``close`` it when the program goes."""

    def __init__(self, store: SampleStore, catalogue: Path, author: str = "") -> None:
        """
        Args:
            store: the samples; its folder need not be there yet.
            catalogue: file of the types of defects.
            author: whoever adds samples.
        """
        self._store, self._catalogue, self._author = store, catalogue, author
        self._lock = threading.RLock()
        self._view = SamplesState(busy=_READING)
        self._steps: list[Mapping[str, Choice]] = []  # what undo writes, the latest last
        self._writes = 0  # that wait or go on
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._stopping = threading.Event()
        self._asked_s = self._next_look_s = 0.0
        self._quick = SerialWorker("samples", self._fail)
        self._slow = SerialWorker("fabrics", self._fail, self._refresh, _REFRESH_S)
        self._quick.put(self._load_catalogue)
        self.look()

    @property
    def is_at_rest(self) -> bool:
        """No thread is alive."""
        return self._quick.wait(0) and self._slow.wait(0)

    def view(self) -> SamplesState:
        """What there is to show now."""
        self._asked_s = time.monotonic()
        with self._lock:
            return self._view

    def close(self, timeout_s: float = 10.0) -> None:
        """Ends what takes long and waits until what was decided is on disk."""
        self._stopping.set()
        for lane in (self._quick, self._slow):
            lane.close()
        self._quick.wait(timeout_s)
        self._slow.wait(timeout_s)

    # --- fabrics --------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Reads the store anew."""
        self._long(_READING, self._look)

    def choose(self, fabric: str) -> None:
        """Shows the samples of a fabric."""
        self._quick.put(lambda: self._choose(fabric))

    def begin(self, fabric: str) -> None:
        """Makes a new fabric and shows it."""

        def do() -> None:
            self._store.begin(FabricRecord(fabric, created_at=_now(), author=self._author))
            self._look()
            self._choose(fabric)

        self._long("", do)

    def rename(self, old: str, new: str) -> None:
        """Gives a fabric another name."""

        def do() -> None:
            self._store.rename(old, new)
            self._follow(old, new)
            self._look()

        self._long("", do)

    def merge(self, source: str, target: str) -> None:
        """Moves all samples of one fabric into another."""

        def do() -> None:
            moved = self._store.merge(source, target)
            self._follow(source, target)
            self._look()
            self._say(f"{moved} samples of {source} belong to {target} now.")

        self._long(f"Merging {source} into {target} …", do)

    def retire(self, fabric: str, *, is_retired: bool) -> None:
        """A retired fabric is not learnt any more; it can be restored."""

        def do() -> None:
            self._store.change(replace(self._store.fabric(fabric), is_retired=is_retired))
            self._look()

        self._long("", do)

    def delete(self, fabric: str) -> None:
        """Deletes a fabric and all its samples."""

        def do() -> None:
            self._store.remove_fabric(fabric)
            self._look()
            self._say(f"{fabric} is deleted.")

        self._long(f"Deleting {fabric} …", do)

    def add_pictures(self, fabric: str, paths: Sequence[Path]) -> None:
        """Cuts pictures, or all of a folder, into samples of a fabric."""
        self._stopping.clear()
        self._long(f"Adding pictures to {fabric} …", lambda: self._add(fabric, list(paths)))

    def export(self, fabric: str, path: Path) -> None:
        """Writes a fabric with all its samples into one file."""

        def do() -> None:
            count = export_fabric(self._store, fabric, path, self._told, self._stopping.is_set)
            self._say(f"{_number(count, 'sample')} of {fabric} written to {path}.")

        self._stopping.clear()
        self._long(f"Writing {fabric} …", do)

    def import_(self, path: Path) -> None:
        """Reads a fabric from one file and shows it."""

        def do() -> None:
            record = import_fabric(path, self._store, None, self._told, self._stopping.is_set)
            self._look()
            self._choose(record.name)
            self._say(f"{record.name} is read from {path}.")

        self._stopping.clear()
        self._long(f"Reading {path.name} …", do)

    def export_data_set(self, folder: Path) -> None:
        """Writes all fabrics that are not retired as a data set in ITDD's layout, split by web, with a card."""

        def do() -> None:
            card = export_itdd(self._store, folder, on_progress=self._told, should_stop=self._stopping.is_set)
            self._say(f"{_number(len(card.fabrics), 'fabric')} written to {folder} as a data set.")

        self._stopping.clear()
        self._long(f"Writing {folder.name} …", do)

    def import_data_set(self, folder: Path) -> None:
        """Reads the fabrics of a data set in ITDD's layout."""

        def do() -> None:
            found = import_itdd(folder, self._store, on_progress=self._told, should_stop=self._stopping.is_set)
            self._look()
            self._say(f"{', '.join(f.fabric for f in found)}: read from {folder}.")

        self._stopping.clear()
        self._long(f"Reading {folder.name} …", do)

    def _told(self, _path: Path, done: int, of: int) -> None:
        self._show(progress=done / max(1, of))

    def stop(self) -> None:
        """Ends what takes long; what was done of it stays."""
        self._stopping.set()

    # --- samples --------------------------------------------------------------------------------------------------

    def decide(self, names: Collection[str], choice: Choice) -> None:
        """Keeps samples of the shown fabric, or throws them out."""
        with self._lock:
            before = {s.id: s.choice for s in self._view.samples if s.id in names and s.choice != choice}
            if before:
                self._steps.append(before)
                self._write_choices(dict.fromkeys(before, choice))
                verb = "thrown out, not deleted" if choice == "thrown out" else "kept"
                self._say(f"{_number(len(before), 'sample')} {verb}. Ctrl+Z undoes that.")

    def undo(self) -> None:
        """Takes the last decision back."""
        with self._lock:
            if self._steps:
                step = self._steps.pop()
                self._write_choices(step)
                self._say(f"The decision about {_number(len(step), 'sample')} is taken back.")

    def open_tile(self, name: str) -> None:
        """Reads a tile for the editor."""
        fabric = self._view.fabric
        self._quick.put(lambda: self._open_tile(fabric, name))

    def label(self, name: str, labels: tuple[Label, ...]) -> None:
        """Keeps the labels of a sample of the shown fabric."""
        self._write({name: lambda s: replace(s, labels=labels)})

    def keep_catalogue(self, types: tuple[DefectType, ...]) -> None:
        """Keeps the types of defects."""

        def do() -> None:
            try:
                save_defect_types(types, self._catalogue)
            except DefectTypesError as error:
                self._fail(str(error))
            else:
                self._show(catalogue=types)

        self._quick.put(do)

    def _write_choices(self, choices: Mapping[str, Choice]) -> None:
        self._write({name: partial(_chosen, choice) for name, choice in choices.items()})

    def _write(self, changes: Mapping[str, Callable[[Sample], Sample]]) -> None:
        """Shows changes and has them written."""
        with self._lock:
            fabric = self._view.fabric
            self._put(fabric, {s.id: changes[s.id](s) for s in self._view.samples if s.id in changes})
            self._writes += 1

        def do() -> None:
            try:
                self._write_now(fabric, changes)
            finally:
                with self._lock:
                    self._writes -= 1

        self._quick.put(do)

    # --- in the threads -------------------------------------------------------------------------------------------

    def _write_now(self, fabric: str, changes: Mapping[str, Callable[[Sample], Sample]]) -> None:
        """Changes what is on disk, not what was read long ago: somebody else may have judged the sample meanwhile."""
        folder = self._folder(fabric)
        is_known = folder is not None and self._seen.get(folder) == self._store.stamps().get(folder)
        failed = {}
        for name, change in changes.items():
            try:
                self._store.update(change(self._store.sample(fabric, name)))
            except DataError as error:
                failed[name] = str(error)
        on_disk = {name: self._on_disk(fabric, name) for name in failed}
        with self._lock:
            self._put(fabric, on_disk)
            kept = {k: v for k, v in self._view.not_kept.items() if k not in changes}
            self._show(not_kept=kept | failed)
            if folder is not None and is_known:  # nobody else wrote, so there is nothing to read
                self._seen[folder] = self._store.stamps().get(folder, ())
        if failed:
            number = f"{len(failed)} changes are" if len(failed) > 1 else "The change is"
            self._fail(f"{number} not kept: {next(iter(failed.values()))}")

    def _on_disk(self, fabric: str, name: str) -> Sample | None:
        try:
            return self._store.sample(fabric, name)
        except DataError:  # it is gone, which is what was just told
            return None

    def _open_tile(self, fabric: str, name: str) -> None:
        try:
            sample = self._store.sample(fabric, name)
            self._show(tile=OpenTile(name, self._store.image(sample)))
        except DataError as error:
            self._show(tile=OpenTile(name, None, str(error)))

    def _load_catalogue(self) -> None:
        types, problem = load_defect_types(self._catalogue)
        self._show(catalogue=types)
        if problem is not None:
            self._fail(problem)

    def _look(self) -> None:
        """All fabrics and how many samples each has; the shown one's samples."""
        seen = self._store.stamps()
        records = self._store.fabrics()
        known = {row.name: row.counts for row in self._view.fabrics}
        self._show(fabrics=tuple(FabricRow(r, known.get(r.name)) for r in records))
        fabric = self._view.fabric
        if fabric not in {r.name for r in records}:
            self._choose(records[0].name if records else "")
        for record in records:
            folder = self._folder(record.name)
            if known.get(record.name) is None or folder is None or self._seen.get(folder) != seen.get(folder):
                is_shown = self._take(record.name, tuple(self._store.samples(record.name)))
                if folder is not None and not is_shown:
                    seen.pop(folder, None)  # the next look reads it again
        self._show(problems=tuple(self._store.problems()))
        self._seen = seen

    def _refresh(self) -> None:
        """Reads the store again where somebody else wrote to it and somebody looks at it."""
        began_s = time.monotonic()
        if began_s - self._asked_s > _UNWATCHED_S or began_s < self._next_look_s or self._writes:
            return
        if self._store.stamps() != self._seen:
            self._look()
            self._next_look_s = time.monotonic() + _SHARE * (time.monotonic() - began_s)

    def _choose(self, fabric: str) -> None:
        samples = tuple(self._store.samples(fabric)) if fabric else ()
        with self._lock:
            if fabric != self._view.fabric:
                self._steps.clear()
                self._show(not_kept={}, tile=None)
            folder = self._folder(fabric)
            self._show(fabric=fabric, samples=samples, folder=None if folder is None else folder / "samples")

    def _take(self, fabric: str, samples: tuple[Sample, ...]) -> bool:
        """Shows what was read; not while something newer of it waits to be written."""
        with self._lock:
            if fabric == self._view.fabric and self._writes:
                return False
            if fabric == self._view.fabric:
                self._show(samples=samples)
            self._count(fabric, samples)
            return True

    def _follow(self, old: str, new: str) -> None:
        if self._view.fabric in (old, new):
            self._choose(new)

    def _add(self, fabric: str, paths: list[Path]) -> None:
        shown_s = time.monotonic()

        def on_picture(added: list[Sample], done: float) -> bool:
            nonlocal shown_s
            self._show(progress=done)
            if time.monotonic() - shown_s > _SHOW_S:
                self._put(fabric, {s.id: s for s in added})
                shown_s = time.monotonic()
            return not self._stopping.is_set()

        record = self._store.fabric(fabric)
        result = add_pictures(self._store, record, pictures_at(paths), self._author, _now(), on_picture)
        self._put(fabric, {s.id: s for s in result.added})
        self._look()
        self._say(f"{fabric}: {result.text}", alarm=result.is_alarm)

    # --- what is shown --------------------------------------------------------------------------------------------

    def _long(self, busy: str, do: Callable[[], object]) -> None:
        def job() -> None:
            self._show(busy=busy, progress=None)
            try:
                do()
            finally:
                self._show(busy="", progress=None)

        self._slow.put(job)

    def _put(self, fabric: str, changed: Mapping[str, Sample | None]) -> None:
        """Shows samples as they are now; None takes one away."""
        with self._lock:
            if fabric != self._view.fabric or not changed:
                return
            by_name: dict[str, Sample | None] = {s.id: s for s in self._view.samples}
            by_name.update(changed)
            samples = sorted(
                (s for s in by_name.values() if s is not None), key=lambda s: (s.web, s.first_line, s.left_px, s.id)
            )
            self._show(samples=tuple(samples))
            self._count(fabric, samples)

    def _count(self, fabric: str, samples: Sequence[Sample]) -> None:
        counts = count(samples)
        self._show(fabrics=tuple(replace(r, counts=counts) if r.name == fabric else r for r in self._view.fabrics))

    def _folder(self, fabric: str) -> Path | None:
        try:
            return self._store.folder(fabric) if fabric else None
        except DataError:  # somebody deleted it; the next look tells
            return None

    def _say(self, text: str, *, alarm: bool = False) -> None:
        self._show(note=text, is_alarm=alarm)

    def _fail(self, text: str) -> None:
        self._say(text, alarm=True)

    def _show(self, **changes: Any) -> None:
        with self._lock:
            changed = replace(self._view, revision=self._view.revision + 1, **changes)
            self._view = replace(changed, can_undo=bool(self._steps))


def _chosen(choice: Choice, sample: Sample) -> Sample:
    return replace(sample, choice=choice)


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
