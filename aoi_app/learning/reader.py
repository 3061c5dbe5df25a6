"""Reads samples and history for the pages; what has not changed since is not read again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from aoi_app.learning.rows import model_row, promotion_row
from aoi_app.learning.state import FabricChoice
from aoi_app.learning.wording import for_the_window
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError, StoreError
from cras_core.evaluation.candidate_reports import REPORTS, was_cut_off
from cras_core.registry.bundle import read_bundle
from cras_core.registry.entries import Entry, Promotion, entry_of, rollback_target
from cras_core.registry.store import ModelStore


class ModelsReader:
    """What of a ``ModelView`` is on disk. Used by one thread at a time."""

    def __init__(self, store: SampleStore, models: ModelStore) -> None:
        self._store, self._models = store, models
        self._counted: dict[Path, tuple[tuple[int, ...], FabricChoice]] = {}
        self._line: tuple[Path, int, Entry] | None = None

    def __call__(self, running: Path | None, more_fabrics: tuple[str, ...]) -> dict[str, Any]:
        """Fields of the view.

        Args:
            running: the bundle of the line.
            more_fabrics: fabrics whose cloth lies elsewhere.

        Raises:
            CrasError: the history cannot be read at all.
        """
        entries = self._models.entries()
        problem, in_use = "", ""
        promotions: tuple[Promotion, ...] = ()
        try:
            promotions = self._models.promotions
            in_use = promotions[-1].identity if promotions else ""
            self._models.in_use  # noqa: B018 (raises when it is missing or damaged)
        except StoreError as error:
            problem = for_the_window(str(error))
        sound = [e for e in entries if not e.problem]
        folder = self._models.folder
        trials = {p.stem for p in (folder / REPORTS).glob("*.json")}
        line = self._entry_of_line(running)
        base = next((e for e in sound if e.identity == in_use), line if not in_use else None)
        fabrics = self._fabrics(base)
        known = base.fabrics if base is not None else ()
        taught = {f.name for f in fabrics if f.good or f.is_retired} | set(more_fabrics)
        back = rollback_target(sound, promotions)
        return {
            "fabrics": fabrics,
            "lost": tuple(name for name in known if name not in taught),
            "can_resume": was_cut_off(folder),
            "models": tuple(model_row(e, back, trials) for e in entries),
            "promotions": tuple(promotion_row(p) for p in reversed(promotions)),
            "problem": problem,
            "in_use": in_use,
            "running": running.name if running is not None and line is not None else "",
            "is_running_kept": line is not None and line.identity == in_use,
            "disk_bytes": sum(e.size_bytes for e in entries),
            "free_bytes": free_bytes(folder),
        }

    def _fabrics(self, base: Entry | None) -> tuple[FabricChoice, ...]:
        stamps = self._store.stamps()
        known = base.fabrics if base is not None else ()
        provisional = base.provisional if base is not None else ()
        found = []
        for record in self._store.fabrics():
            try:
                folder = self._store.folder(record.name)
                kept = self._counted.get(folder)
                if kept is None or kept[0] != stamps.get(folder):
                    kept = stamps.get(folder, ()), self._count(record.name)
                    self._counted[folder] = kept
            except CrasError:  # somebody has just deleted it
                continue
            c = kept[1]
            found.append(
                FabricChoice(
                    record.name, c.good, c.defects, c.webs, record.is_retired, record.name in known,
                    record.name in provisional,
                )
            )  # fmt: skip
        return tuple(found)

    def _count(self, fabric: str) -> FabricChoice:
        samples = self._store.samples(fabric)
        good = [s for s in samples if s.is_good]
        return FabricChoice(fabric, len(good), sum(s.is_defect for s in samples), len({s.web for s in good}))

    def _entry_of_line(self, running: Path | None) -> Entry | None:
        """The line's bundle; None where it cannot be read."""
        try:
            if running is None:
                return None
            changed = running.stat().st_mtime_ns
            if self._line is None or self._line[:2] != (running, changed):
                bundle = read_bundle(running)  # its owner may have given the file any name
                self._line = running, changed, replace(entry_of(running), identity=bundle.identity, problem="")
        except (OSError, CrasError):  # the line itself says what is wrong with its model
            return None
        return self._line[2]


def free_bytes(folder: Path) -> int:
    """Free on the disk of a folder, or of where it would be."""
    place = next((p for p in (folder, *folder.absolute().parents) if p.is_dir()), None)
    return shutil.disk_usage(place).free if place is not None else 0
