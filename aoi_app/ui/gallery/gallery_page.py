"""The page on which defects of all rolls are judged, many at once and with the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout

from aoi_app.review.gallery_state import GalleryItem, GalleryState
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.gallery.filter_bar import FilterBar
from aoi_app.ui.gallery.gallery_view import GalleryView
from aoi_app.ui.widgets.actions import ActionRow, make_actions
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import PlainLabel, show_text

KEYS = (
    ActionRow("confirm", "Confirm", "C", "The chosen defects are defects"),
    ActionRow("reject", "Reject", "R", "The chosen defects are false alarms"),
    ActionRow("clear_verdict", "Clear verdict", "V", "Take back what was said of the chosen defects"),
    ActionRow("name_type", "Name the type", "D", "Say what kind of fault the chosen defects are"),
    ActionRow("take_type", "Take the suggested type", "S", "Give each chosen defect the type that is suggested for it"),
    ActionRow("undo", "Undo", "U", "Take back the last command"),
)


class GalleryPage(Page):
    """
    Signals:
        wanted_changed: DefectFilter.
        more_wanted: the end of what is shown is near.
        decided: list of GalleryItem, and "confirmed", "rejected" or empty.
        type_named: list of GalleryItem, and DefectType.
        suggestions_taken: list of GalleryItem, each with a suggestion.
        undo_asked: the last command is to be taken back.
    """

    wanted_changed = Signal(object)
    more_wanted = Signal()
    decided = Signal(object, str)
    type_named = Signal(object, object)
    suggestions_taken = Signal(object)
    undo_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._types: tuple[DefectType, ...] = ()
        self.filter = FilterBar()
        self.filter.changed.connect(self.wanted_changed)
        self.view = GalleryView()
        self.view.end_seen.connect(self.more_wanted)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        self._note = Banner("About the defects")
        self._chosen = PlainLabel()
        self._chosen.setAccessibleName("Chosen defects")
        self._chosen.setWordWrap(True)
        self._about = PlainLabel()
        self._about.setObjectName("hint")
        self._about.setAccessibleName("About suggested types")
        self._undo = QPushButton("Undo")
        self._undo.setToolTip("Take back the last command (U)")
        self._undo.clicked.connect(self.undo_asked)
        below = QHBoxLayout()
        below.setContentsMargins(8, 4, 8, 6)
        words = QVBoxLayout()
        words.addWidget(self._chosen)
        words.addWidget(self._about)
        below.addLayout(words, 1)
        below.addWidget(self._undo, 0, Qt.AlignmentFlag.AlignTop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._note)
        whole.addWidget(self.filter)
        whole.addWidget(self.view, 1)
        whole.addLayout(below)
        self._add_keys()
        self.setFocusProxy(self.view)

    def keys(self) -> Sequence[ActionRow]:
        """For the list of all keys."""
        return KEYS

    def show_state(self, state: GalleryState) -> None:
        """The defects that were found, and what came of the last command."""
        self.view.show_items(state.items)
        self._note.say(state.note or state.busy, alarm=state.is_alarm)
        self._undo.setEnabled(bool(state.undoable))
        self._undo.setText(f"Undo: {state.undoable}" if state.undoable else "Undo")
        show_text(self._about, state.about_suggestions)
        self._show_chosen()

    def show_types(self, types: Sequence[DefectType]) -> None:
        """What a person may call a defect."""
        self._types = tuple(types)
        self.filter.show_types(types)

    def _add_keys(self) -> None:
        answers = {
            "confirm": lambda: self._decide("confirmed"),
            "reject": lambda: self._decide("rejected"),
            "clear_verdict": lambda: self._decide(""),
            "name_type": self._ask_type,
            "take_type": self._take_suggestions,
            "undo": self.undo_asked.emit,
        }
        for key, action in make_actions(self, KEYS).items():
            # Of the grid only: in the fields above, letters are letters.
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda _checked=False, answer=answers[key]: answer())
            self.view.addAction(action)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _decide(self, verdict: str) -> None:
        self._about_chosen(lambda chosen: self.decided.emit(chosen, verdict))

    def _take_suggestions(self) -> None:
        chosen = [item for item in self.view.chosen() if item.suggestion is not None]
        if chosen:
            self.suggestions_taken.emit(chosen)
            self.view.go_on()

    def _ask_type(self) -> None:
        chosen = self.view.chosen()
        if not chosen:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for kind in self._types:
            action = menu.addAction(f"{kind.code}  {kind.name} ({kind.severity})")
            action.triggered.connect(lambda _=False, kind=kind: self._name(kind))
        menu.popup(self.view.viewport().mapToGlobal(self.view.visualRect(self.view.currentIndex()).center()))

    def _name(self, kind: DefectType) -> None:
        self._about_chosen(lambda chosen: self.type_named.emit(chosen, kind))

    def _about_chosen(self, tell: Callable[[list[GalleryItem]], object]) -> None:
        chosen = self.view.chosen()
        if chosen:
            tell(chosen)
            self.view.go_on()

    def _show_chosen(self) -> None:
        chosen = self.view.chosen()
        text = "Choose defects: Ctrl and Shift choose several."
        if len(chosen) == 1:
            text = chosen[0].text
        elif chosen:
            guessed = sum(item.suggestion is not None for item in chosen)
            text = f"{len(chosen)} defects are chosen; a type is suggested for {guessed} of them (S takes it)."
        show_text(self._chosen, text)
