"""Reads samples and history for the page; what has not changed since is not read again."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from aoi_app.learning.model_names import names_of
from aoi_app.learning.rows import model_row, promotion_row
from aoi_app.learning.state import FabricChoice
from aoi_app.learning.wording import store_problem_text
from cras_core.data.samples.store import SampleStore
from cras_core.errors import CrasError, StoreError
from cras_core.evaluation.candidate_reports import REPORTS, was_cut_off
from cras_core.registry.bundle import read_bundle
from cras_core.registry.entries import Entry, Promotion, entry_of, rollback_target
from cras_core.registry.store import ModelStore


class LearningReader:
    """What of a ``LearningState`` is on disk. Used by one thread at a time."""

    def __init__(self, samples: SampleStore, models: ModelStore) -> None:
        self._samples, self._models = samples, models
        self._counted: dict[Path, tuple[tuple[int, ...], FabricChoice]] = {}  # by folder, with the stamps of that time
        self._line: tuple[Path, int, Entry] | None = None

    def __call__(self, line_bundle: Path | None, extra_fabrics: Collection[str]) -> dict[str, Any]:
        """Fields of the state.

        Args:
            line_bundle: that the line runs.
            extra_fabrics: fabrics whose pictures lie elsewhere.

        Raises:
            CrasError: the history cannot be read at all.
        """
        entries = self._models.entries()
        promotions, problem = self._promotions()
        in_use = promotions[-1].identity if promotions else ""
        sound = [e for e in entries if not e.problem]
        line = self._line_entry(line_bundle)
        base = next((e for e in sound if e.identity == in_use), line if not in_use else None)
        fabrics = self._fabrics(base)
        known = base.fabrics if base is not None else ()
        taught = {f.name for f in fabrics if f.good or f.is_retired} | set(extra_fabrics)
        folder = self._models.folder
        evaluated = {path.stem for path in (folder / REPORTS).glob("*.json")}
        rollback = rollback_target(sound, promotions)
        names = names_of(entries)
        return {
            "fabrics": fabrics,
            "forgotten": tuple(name for name in known if name not in taught),
            "can_resume": was_cut_off(folder),
            "models": tuple(model_row(e, rollback, evaluated, names.get(e.identity, "")) for e in entries),
            "promotions": tuple(promotion_row(p, names) for p in reversed(promotions)),
            "problem": problem,
            "in_use": in_use,
            "line_bundle": line_bundle.name if line_bundle is not None and line is not None else "",
            "is_line_bundle_in_use": line is not None and line.identity == in_use,
            "disk_bytes": sum(e.size_bytes for e in entries),
            "free_bytes": free_bytes(folder),
        }

    def _promotions(self) -> tuple[tuple[Promotion, ...], str]:
        """All of them, and what is wrong with the model in use or with the log itself."""
        promotions: tuple[Promotion, ...] = ()
        try:
            promotions = self._models.promotions
            self._models.in_use  # noqa: B018 (raises when it is missing or damaged)
        except StoreError as error:
            return promotions, store_problem_text(error)
        return promotions, ""

    def _fabrics(self, base: Entry | None) -> tuple[FabricChoice, ...]:
        """``base``: the model that a quick enrolment adds to."""
        stamps = self._samples.stamps()
        known = base.fabrics if base is not None else ()
        provisional = base.provisional if base is not None else ()
        found = []
        for record in self._samples.fabrics():
            try:
                counted = self._counted_in(self._samples.folder(record.name), record.name, stamps)
            except CrasError:  # somebody has just deleted it
                continue
            found.append(
                replace(
                    counted,
                    is_retired=record.is_retired,
                    is_known=record.name in known,
                    is_provisional=record.name in provisional,
                )
            )
        return tuple(found)

    def _counted_in(self, folder: Path, fabric: str, stamps: dict[Path, tuple[int, ...]]) -> FabricChoice:
        kept = self._counted.get(folder)
        if kept is None or kept[0] != stamps.get(folder) or kept[1].name != fabric:
            kept = self._counted[folder] = stamps.get(folder, ()), self._count(fabric)
        return kept[1]

    def _count(self, fabric: str) -> FabricChoice:
        samples = self._samples.samples(fabric)
        good = [s for s in samples if s.is_good]
        return FabricChoice(fabric, len(good), sum(s.is_defect for s in samples), len({s.web for s in good}))

    def _line_entry(self, line_bundle: Path | None) -> Entry | None:
        """The line's bundle; None where it cannot be read."""
        try:
            if line_bundle is None:
                return None
            changed = line_bundle.stat().st_mtime_ns
            if self._line is None or self._line[:2] != (line_bundle, changed):
                bundle = read_bundle(line_bundle)  # its owner may have given the file any name
                entry = replace(entry_of(line_bundle), identity=bundle.identity, problem="")
                self._line = line_bundle, changed, entry
        except (OSError, CrasError):  # the line itself says what is wrong with its model
            return None
        return self._line[2]


def free_bytes(folder: Path) -> int:
    """Free on the disk of a folder, or of where it would be."""
    place = next((p for p in (folder, *folder.absolute().parents) if p.is_dir()), None)
    return shutil.disk_usage(place).free if place is not None else 0
