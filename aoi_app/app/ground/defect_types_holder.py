"""The defect types while the program runs: changed on the page Settings, used by the line and by labels."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from aoi_app.settings.defect_types import DefectType, load_defect_types, save_defect_types


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
        self.now, self.problem = load_defect_types(path)

    def keep(self, types: tuple[DefectType, ...]) -> None:
        """Writes other types, and uses them. Raises DefectTypesError when they cannot be written."""
        save_defect_types(types, self._path)
        self.now, self.problem = types, None
        self.changed.emit()
