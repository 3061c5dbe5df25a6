"""Fabrics of the store: begun, renamed, merged, retired, deleted, and carried to other computers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aoi_app.samples.wording import number
from aoi_app.samples.workspace import SamplesWorkspace
from cras_core.data.samples.archive import export_fabric, import_fabric
from cras_core.data.samples.itdd_export import export_itdd
from cras_core.data.samples.itdd_import import import_itdd
from cras_core.data.samples.values import FabricRecord


class FabricService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, workspace: SamplesWorkspace) -> None:
        self._workspace = workspace
        self._store, self._holder, self._reader = workspace.store, workspace.holder, workspace.reader
        self._should_stop = workspace.stopping.is_set

    def begin(self, fabric: str) -> None:
        """Makes a new fabric and shows it."""

        def do() -> None:
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            self._store.begin(FabricRecord(fabric, created_at=now, author=self._workspace.author))
            self._reader.read()
            self._reader.show_fabric(fabric)

        self._workspace.do_long("", do)

    def rename(self, old: str, new: str) -> None:
        """Gives a fabric another name."""

        def do() -> None:
            self._store.rename(old, new)
            self._reader.follow(old, new)
            self._reader.read()

        self._workspace.do_long("", do)

    def merge(self, source: str, target: str) -> None:
        """Moves all samples of one fabric into another."""

        def do() -> None:
            moved = self._store.merge(source, target)
            self._reader.follow(source, target)
            self._reader.read()
            self._holder.say(f"{number(moved, 'sample')} of {source} moved to {target}.")

        self._workspace.do_long(f"Merging {source} into {target} …", do)

    def retire(self, fabric: str, *, is_retired: bool) -> None:
        """Models are not taught a retired fabric any more; it can be restored."""

        def do() -> None:
            self._store.change(replace(self._store.fabric(fabric), is_retired=is_retired))
            self._reader.read()

        self._workspace.do_long("", do)

    def delete(self, fabric: str) -> None:
        """Deletes a fabric and all its samples."""

        def do() -> None:
            self._store.remove_fabric(fabric)
            self._reader.read()
            self._holder.say(f"{fabric} is deleted.")

        self._workspace.do_long(f"Deleting {fabric} …", do)

    def export(self, fabric: str, path: Path) -> None:
        """Writes a fabric with all its samples to one file."""

        def do() -> None:
            count = export_fabric(self._store, fabric, path, self._workspace.show_progress, self._should_stop)
            self._holder.say(f"{number(count, 'sample')} of {fabric} written to {path}.")

        self._workspace.do_long(f"Exporting {fabric} …", do)

    def import_fabric(self, path: Path) -> None:
        """Reads a fabric from one file and shows it."""

        def do() -> None:
            record = import_fabric(path, self._store, None, self._workspace.show_progress, self._should_stop)
            self._reader.read()
            self._reader.show_fabric(record.name)
            self._holder.say(f"{record.name} is imported from {path}.")

        self._workspace.do_long(f"Importing {path.name} …", do)

    def export_data_set(self, folder: Path) -> None:
        """Writes all fabrics that are not retired as a data set in ITDD's layout, split by web, with a card."""

        def do() -> None:
            card = export_itdd(
                self._store, folder, on_progress=self._workspace.show_progress, should_stop=self._should_stop
            )
            self._holder.say(f"{number(len(card.fabrics), 'fabric')} written to {folder} as a data set.")

        self._workspace.do_long(f"Exporting {folder.name} …", do)

    def import_data_set(self, folder: Path) -> None:
        """Reads the fabrics of a data set in ITDD's layout."""

        def do() -> None:
            found = import_itdd(
                folder, self._store, on_progress=self._workspace.show_progress, should_stop=self._should_stop
            )
            self._reader.read()
            self._holder.say(f"Imported from {folder}: {', '.join(f.fabric for f in found)}.")

        self._workspace.do_long(f"Importing {folder.name} …", do)
