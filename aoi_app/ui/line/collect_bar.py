"""A line above the web for collecting samples of the cloth that runs: asks what it is, tells how it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton

from aoi_app.samples.collection_state import CollectionPhase, CollectionState, collection_text
from aoi_app.ui.widgets.keyboard import hide_with_keyboard
from aoi_app.ui.widgets.plain import plain_label

_LONGEST_NAME = 80


class CollectBar(QFrame):
    """Hidden until samples are asked for, or offered.

    Signals:
        begin_asked: the name of the fabric to collect.
        keep_asked: the name of the fabric that the cloth of this roll, which has taught the model, is to be.
        end_asked: enough was collected.
        teach_asked: the cloth that comes next is to teach the model.
        samples_asked: the person wants to see what was collected.
    """

    begin_asked = Signal(str)
    keep_asked = Signal(str)
    end_asked = Signal()
    teach_asked = Signal()
    samples_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("collect_bar")
        self._text = plain_label("Collecting samples", wraps=True)
        self._name = QComboBox()
        self._name.setEditable(True)
        self._name.setMinimumWidth(220)
        self._name.setAccessibleName("Fabric to collect")
        self._name.setToolTip("Choose a fabric, or type the name of a new one")
        self._collect = _button("Collect", "Take samples of good cloth while the web runs", self._begin)
        self._keep = _button("Keep as fabric", "Put the model into use that this web has taught", self._keep_web)
        self._teach = _button(
            "Let it teach",
            "The next cloth teaches the model what this is, defects and all; then the roll goes on with that",
            self._let_it_teach,
        )
        self._end = _button("Enough", "End collecting", self.end_asked.emit)
        self._samples = _button("Show samples", "Check the samples on the page Samples", self.samples_asked.emit)
        self._close = _button("Close", "Hide this line (Esc)", lambda: hide_with_keyboard(self))
        edit = self._name.lineEdit()
        if edit is not None:
            edit.setMaxLength(_LONGEST_NAME)
            edit.setPlaceholderText("name of the fabric")
            edit.returnPressed.connect(self._answer)
            edit.textChanged.connect(self._name_changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.addWidget(self._text, 1)
        for widget in (self._name, self._collect, self._keep, self._teach, self._end, self._samples, self._close):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self._is_asking = False
        self.hide()

    @property
    def is_asking(self) -> bool:
        """The person is asked for the name of a fabric."""
        return self._is_asking and not self.isHidden()

    def ask(
        self,
        text: str,
        fabrics: Sequence[str],
        suggestion: str = "",
        *,
        takes_keyboard: bool = True,
        may_teach: bool = False,
    ) -> None:
        """Asks which fabric this cloth is.

        Args:
            text: why it is asked.
            fabrics: names that are known; any other may be typed.
            suggestion: the likeliest one.
            takes_keyboard: the person has asked for it. Where the program offers it by itself the keyboard stays
                where it is, or the next key of the line, "A" for an alarm, would end up in a name.
            may_teach: the cloth may also teach the model without a name.
        """
        self._ask(text, fabrics, suggestion)
        self._show_only(self._name, self._collect, *([self._teach] if may_teach else []), self._close)
        if takes_keyboard:
            self._name.setFocus()

    def ask_to_keep(self, text: str, fabrics: Sequence[str]) -> None:
        """Asks which fabric the cloth is to be that has taught the model; arguments as for ``ask``."""
        self._ask(text, fabrics, "")
        self._show_only(self._name, self._keep, self._close)

    def show_state(self, state: CollectionState) -> None:
        """How it goes; nothing before the first time."""
        if state.phase is CollectionPhase.IDLE:
            return
        self._is_asking = False
        self._text.setText(collection_text(state))
        self.setProperty("kind", "alarm" if state.is_alarm else "note")
        self.style().unpolish(self)
        self.style().polish(self)
        is_running = state.phase is CollectionPhase.COLLECTING
        self._show_only(*([self._end] if is_running else [self._samples, self._close]))

    def _ask(self, text: str, fabrics: Sequence[str], suggestion: str) -> None:
        self._is_asking = True
        self._text.setText(text)
        self._name.clear()
        self._name.addItems(list(fabrics))
        self._name.setCurrentText(suggestion)
        self._name_changed(suggestion)

    def _name_changed(self, text: str) -> None:
        for button in (self._collect, self._keep):
            button.setEnabled(bool(text.strip()))

    def _show_only(self, *widgets: QPushButton | QComboBox) -> None:
        for widget in (self._name, self._collect, self._keep, self._teach, self._end, self._samples, self._close):
            widget.setVisible(widget in widgets)
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Esc hides the line while it asks."""
        if event.key() == Qt.Key.Key_Escape and self.is_asking:
            hide_with_keyboard(self)
        else:
            super().keyPressEvent(event)

    def _let_it_teach(self) -> None:
        hide_with_keyboard(self)
        self.teach_asked.emit()

    def _keep_web(self) -> None:
        name = self._name.currentText().strip()
        if name:
            hide_with_keyboard(self)
            self.keep_asked.emit(name)

    def _answer(self) -> None:
        """Enter in the name does what its button does."""
        if self._keep.isHidden():
            self._begin()
        else:
            self._keep_web()

    def _begin(self) -> None:
        name = self._name.currentText().strip()
        if name:
            self.begin_asked.emit(name)


def _button(text: str, tip: str, answer: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: answer())
    return button
