"""A folder of pictures is opened: measured first, then asked once how its pictures lie, then inspected."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from aoi_app.app.ground.asker import Asker
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.sources.folder_layout import folder_of, layout_text, measure_layout
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.main.question_bar import Answer, Question
from cras_core.errors import CrasError
from cras_core.web.neighbours import Layout, NeighbourReport

logger = logging.getLogger(__name__)

_ONE_WEB, _SEPARATE, _CANCEL = "one web", "separate", "cancel"
_MOST_KEPT = 200


class FolderOpening(QObject):
    """The answer is kept in the settings of the user, not in the folder: that belongs to somebody else."""

    _measured = Signal(int, object, object)  # turn, folder, NeighbourReport or the problem; from the thread

    def __init__(self, roll: RollController, settings: SettingsHolder, asker: Asker, notifier: Notifier) -> None:
        super().__init__()
        self._roll, self._settings, self._asker, self._notifier = roll, settings, asker, notifier
        self._turn = 0  # of the latest folder; one that was measured for an older one is not asked about
        self._threads: list[threading.Thread] = []
        self._measured.connect(self._take)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being measured."""
        self._threads = [t for t in self._threads if t.is_alive()]
        return not self._threads

    def open(self, folder: Path) -> None:
        """Begins a roll from a folder, when it was asked what has to be asked."""
        kept = self._settings.now.separate_pictures.get(str(folder))
        if kept is not None:
            self._turn += 1
            self._begin(folder, is_separate=kept)
        else:
            self._measure(folder)

    def ask_again(self) -> None:
        """Asks anew how the pictures of the folder lie that the line inspects."""
        folder = folder_of(self._roll.choice)
        if folder is None:
            self._notifier.note("The line does not inspect a folder of pictures.")
        else:
            self._measure(folder)

    def _measure(self, folder: Path) -> None:
        self._turn += 1
        turn = self._turn

        def run() -> None:
            found: NeighbourReport | str
            try:
                found = measure_layout(folder)
            except CrasError as error:
                found = str(error)
            except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
                logger.exception("measuring %s", folder)
                found = f"That failed ({type(error).__name__}: {error}). Please report it with the log file."
            self._measured.emit(turn, folder, found)

        self._notifier.note(f"Looking at the pictures in {folder.name} …")
        thread = threading.Thread(target=run, name="measure pictures", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _take(self, turn: int, folder: Path, found: NeighbourReport | str) -> None:
        if turn != self._turn:
            return
        self._notifier.note("")
        if isinstance(found, str):
            self._notifier.warn(found + (" The roll goes on." if self._roll.is_running else ""))
        elif found.boundaries == 0:  # a single picture, or none that can be read, which the proof tells
            self._begin(folder, is_separate=False)
        else:
            self._asker.ask(layout_question(folder.name, found), lambda key: self._answered(folder, key))

    def _answered(self, folder: Path, key: str) -> None:
        if key == _CANCEL:
            return
        is_separate = key == _SEPARATE
        latest = {**self._settings.now.separate_pictures, str(folder): is_separate}
        self._settings.change(separate_pictures=dict(list(latest.items())[-_MOST_KEPT:]))
        self._settings.save()
        self._begin(folder, is_separate=is_separate)

    def _begin(self, folder: Path, *, is_separate: bool) -> None:
        self._roll.use_source(SourceChoice(f"folder:{folder}", separate=is_separate))


def layout_question(name: str, report: NeighbourReport) -> Question:
    """How the pictures of a folder are to be inspected; what was measured is the first answer, and where nothing tells,
    the one that makes no seam a defect.
    """
    answers = [Answer(_ONE_WEB, "Inspect as one web"), Answer(_SEPARATE, "Inspect as separate pictures")]
    if report.layout is not Layout.ONE_WEB:
        answers.reverse()
    return Question(f"{name}: {layout_text(report)}", (*answers, Answer(_CANCEL, "Cancel")), _CANCEL)
