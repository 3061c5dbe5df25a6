"""The defect types while the program runs: changed on the page Settings, used by the line and by labels."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from aoi_app.settings.defect_types import DefectType, load_catalogue, save_catalogue


class DefectTypesHolder(QObject):
    """
    Attributes:
        now: the types that hold.
        problem: why the file could not be used, a sentence; None where it could.

    Signals:
        changed: the types are others now, on disk.
    """

    changed = Signal()

    def __init__(self, path: Path) -> None:
        """``path``: of the file; without it, the usual types hold."""
        super().__init__()
        self._path = path
        self.now, self.problem = load_catalogue(path)

    def keep(self, types: tuple[DefectType, ...]) -> None:
        """Writes other types, and uses them. Raises CatalogueError when they cannot be written."""
        save_catalogue(types, self._path)
        self.now, self.problem = types, None
        self.changed.emit()
