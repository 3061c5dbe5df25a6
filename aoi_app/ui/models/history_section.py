"""The section of the history: which models there are, which was in use when, and what may go."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QInputDialog,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from aoi_app.learning.state import Difference, LearningState
from aoi_app.learning.wording import disk_text, line_text
from aoi_app.ui.models.history_tables import ModelTable, PromotionLog
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plain import PlainLabel, is_sure, plain_label, set_plain_tip

_ROLLBACK = "Put the model before the one in use into use again"
_TWO = "Choose two models in the table (the second with Ctrl) to see what differs."


class HistorySection(QWidget):
    """
    Signals:
        promotion_asked: identity of a model to put into use.
        rollback_asked: the model before the one in use shall be used again.
        adoption_asked: the line's model shall be taken into the history and used.
        candidate_asked: identity of a model to show as candidate.
        pin_asked: identity, and whether it is to be pinned.
        removal_asked: identity of a model to delete.
        pruning_asked: delete the oldest models until the limits hold.
        difference_asked: identities of two models, the older first.
        fabric_renaming_asked: fabric of the model in use, and its new name.
        fabric_removal_asked: fabric of the model in use.
        settings_changed: Learning.
    """

    promotion_asked = Signal(str)
    rollback_asked = Signal()
    adoption_asked = Signal()
    candidate_asked = Signal(str)
    pin_asked = Signal(str, bool)
    removal_asked = Signal(str)
    pruning_asked = Signal()
    difference_asked = Signal(str, str)
    fabric_renaming_asked = Signal(str, str)
    fabric_removal_asked = Signal(str)
    settings_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._state = LearningState()
        self._line = Banner("Model of the line")
        self.adopt = QPushButton("Take the line's model &into the history and use it")
        self.adopt.setToolTip("The line runs with a file that the history does not have; it is copied there")
        self.adopt.clicked.connect(self.adoption_asked)
        self.table = ModelTable()
        self.table.choice_changed.connect(self._choice_changed)
        self.log = PromotionLog()
        self.difference = QPlainTextEdit()
        self.difference.setReadOnly(True)
        self.difference.setAccessibleName("What differs")
        self.difference.setToolTip("What differs between two models that are selected above")
        self.difference.setPlaceholderText(_TWO)
        self._disk = plain_label("Disk use", wraps=True)
        self.most_models, self.most_gb = QSpinBox(), QDoubleSpinBox()
        self._make_buttons()
        self._make_limits()
        self._lay_out()
        self.show_state(self._state)

    def _make_buttons(self) -> None:
        self.use = _button("Put into &use", "The line goes on with it; an older model as well", self._use)
        self.rollback = _button("Roll &back", _ROLLBACK, self.rollback_asked.emit)
        self.as_candidate = _button(
            "Sho&w as candidate", "Evaluate it beside the model in use, on the tab Candidate", self._show_as_candidate
        )
        self.pin = _button("&Pin", "A pinned model is never deleted", self._pin)
        self.delete = _button("Delete &this model…", "From the disk", self._delete)
        self._rename = _button("Re&name a fabric…", "In the model in use, and its samples", self._rename_fabric)
        self._remove = _button("Re&move a fabric…", "From the model in use; its samples are kept", self._remove_fabric)
        self._prune = _button("Delete the &oldest", "Until the limits hold", self.pruning_asked.emit)

    def _make_limits(self) -> None:
        self.most_models.setRange(2, 1000)
        self.most_models.setAccessibleName("Most models to keep")
        self.most_models.setToolTip("Older ones are deleted, but never those in use, pinned, or needed to roll back")
        self.most_models.setSuffix(" models")
        self.most_gb.setRange(0.1, 10_000)
        self.most_gb.setDecimals(1)
        self.most_gb.setSuffix(" GB")
        self.most_gb.setAccessibleName("Most gigabytes to keep")
        self.most_gb.setToolTip("Older ones are deleted, but never those in use, pinned, or needed to roll back")
        for box in (self.most_models, self.most_gb):
            box.setKeyboardTracking(False)
            box.editingFinished.connect(self._set_limits)

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self._line, 1)
        first.addWidget(self.adopt)
        buttons = QHBoxLayout()
        for button in (self.use, self.rollback, self.as_candidate, self.pin, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self._rename, self._remove):
            buttons.addWidget(button)
        below = QSplitter(Qt.Orientation.Horizontal)
        below.addWidget(self.log)
        below.addWidget(self.difference)
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.addWidget(self.table)
        whole.addWidget(below)
        whole.setStretchFactor(0, 3)
        whole.setStretchFactor(1, 2)
        limits = QHBoxLayout()
        limits.addWidget(self._disk, 1)
        limits.addWidget(PlainLabel("Keep at most"))
        limits.addWidget(self.most_models)
        limits.addWidget(self.most_gb)
        limits.addWidget(self._prune)
        column = QVBoxLayout(self)
        column.addLayout(first)
        column.addLayout(buttons)
        column.addWidget(whole, 1)
        column.addLayout(limits)

    def show_state(self, state: LearningState) -> None:
        """Draws how things stand."""
        before, self._state = self._state, state
        self._line.say(line_text(state))
        self.adopt.setVisible(bool(state.line_bundle) and not state.is_line_bundle_in_use)
        self.table.show_models(state.models)
        self.log.show_promotions(state.promotions)
        if state.difference is not before.difference:
            self.difference.setPlainText(_difference_text(state.difference))
        self._disk.setText(disk_text(state))
        if not self.most_models.hasFocus():
            self.most_models.setValue(state.learning.most_models)
        if not self.most_gb.hasFocus():
            self.most_gb.setValue(state.learning.most_gb)
        self._show_able()

    def _show_able(self) -> None:
        state, chosen = self._state, self.table.chosen
        is_free = not state.busy
        one = chosen[0] if len(chosen) == 1 else None
        is_sound = one is not None and not one.problem
        self.use.setEnabled(is_free and one is not None and is_sound and not one.in_use)
        can_compare = one is not None and is_sound and (one.has_evaluation or not one.in_use)
        self.as_candidate.setEnabled(is_free and can_compare)
        self.pin.setEnabled(is_sound)
        self.pin.setText("Un&pin" if one is not None and one.pinned else "&Pin")
        self.delete.setEnabled(one is not None and not one.in_use and not one.pinned)
        self.rollback.setEnabled(is_free and bool(state.rollback))
        target = next((m for m in state.models if m.is_rollback), None)
        self.rollback.setText(f"Roll &back to that of {target.made}" if target is not None else "Roll &back")
        set_plain_tip(self.rollback, _ROLLBACK if target is None else f"{_ROLLBACK}:\n{target.name}\n{target.identity}")
        has_model = is_free and bool(state.in_use) and not state.problem
        self._rename.setEnabled(has_model)
        self._remove.setEnabled(has_model and len(self._fabrics()) > 1)

    def _choice_changed(self) -> None:
        self._show_able()
        chosen = self.table.chosen
        if len(chosen) == 2 and not any(m.problem for m in chosen):
            self.difference_asked.emit(chosen[0].identity, chosen[1].identity)
        elif self._state.difference is not None:
            self.difference.setPlainText("")

    def _fabrics(self) -> tuple[str, ...]:
        return next((m.fabrics for m in self._state.models if m.in_use), ())

    def _use(self) -> None:
        self.promotion_asked.emit(self.table.chosen[0].identity)

    def _show_as_candidate(self) -> None:
        self.candidate_asked.emit(self.table.chosen[0].identity)

    def _pin(self) -> None:
        one = self.table.chosen[0]
        self.pin_asked.emit(one.identity, not one.pinned)

    def _delete(self) -> None:
        one = self.table.chosen[0]
        rollback = " It is the model to roll back to." if one.is_rollback else ""
        if is_sure(self, "Delete", f"Delete the model {one.name}?{rollback} This cannot be undone."):
            self.removal_asked.emit(one.identity)

    def _rename_fabric(self) -> None:
        old, is_chosen = QInputDialog.getItem(self, "Rename a fabric", "Fabric", self._fabrics(), 0, False)
        if not is_chosen:
            return
        new, is_named = QInputDialog.getText(self, "Rename a fabric", "New name", text=old)
        if is_named and new.strip() and new.strip() != old:
            self.fabric_renaming_asked.emit(old, new.strip())

    def _remove_fabric(self) -> None:
        fabric, is_chosen = QInputDialog.getItem(self, "Remove a fabric", "Fabric", self._fabrics(), 0, False)
        question = f"The line will no longer know {fabric}. Its samples are kept, and you can roll back. Remove it?"
        if is_chosen and is_sure(self, "Remove a fabric", question):
            self.fabric_removal_asked.emit(fabric)

    def _set_limits(self) -> None:
        limits = {"most_models": self.most_models.value(), "most_gb": self.most_gb.value()}
        changed = self._state.learning.model_copy(update=limits)
        if changed != self._state.learning:
            self.settings_changed.emit(changed)


def _difference_text(difference: Difference | None) -> str:
    if difference is None:
        return ""
    lines = [f"From {difference.before} to {difference.after}"]
    for heading, parts in difference.parts:
        lines += ["", heading, *(f"  {part}" for part in parts)]
    return "\n".join(lines)


def _button(text: str, tip: str, answer: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: answer())
    return button
