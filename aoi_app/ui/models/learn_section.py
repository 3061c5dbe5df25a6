"""The section in which fabrics are taught: one quickly, or all of them in a full training."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from aoi_app.learning.state import LearningState
from aoi_app.learning.wording import forgotten_text, full_training, quick_enrolment, training_end_text
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plain import PlainLabel, is_sure, plain_label
from aoi_app.ui.widgets.plots import color_plot, plot
from aoi_app.ui.widgets.theme import Theme

_QUICK = (
    "Adds one fabric to the model in use, in half a minute to a few minutes. The other fabrics stay as they are. The "
    "line can inspect the new fabric right away."
)
_PROVISIONAL = (
    "The threshold of a quickly enrolled fabric is provisional: the model was not trained on it and finds fewer "
    "defects than it could. Train all fabrics when there is time."
)
_FULL = (
    "Trains one new model on the samples of all fabrics, in minutes to an hour. It runs at low priority; the line goes "
    "on inspecting."
)
_AUTOMATIC = "&Put a new model into use automatically unless it is found to be worse"
_GAP_PX = 24
_LEAST_PLOT_PX = 160


class LearnSection(QWidget):
    """
    Signals:
        enrolment_asked: fabric to add to the model in use.
        training_asked: of all fabrics; whether it starts anew instead of resuming an interrupted one.
        folder_chosen: with pictures of further fabrics; empty for none.
        settings_changed: Learning.
    """

    enrolment_asked = Signal(str)
    training_asked = Signal(bool)
    folder_chosen = Signal(str)
    settings_changed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._state = LearningState()
        self._wanted = ""
        self.fabric = QComboBox()
        self.fabric.setAccessibleName("Fabric to enrol quickly")
        self.fabric.setToolTip("The fabric that is added to the model in use; it needs defect-free samples")
        self.fabric.currentTextChanged.connect(lambda _: self._show_possible())
        self.quick = _main_button("&Enrol quickly")
        self.quick.setToolTip("Add the fabric to the model in use, in a minute or two, without a training")
        self.quick.clicked.connect(self._enrol)
        self._quick_text, self._full_text = _text("Quick enrolment"), _text("Full training")
        self.full = _main_button("&Train all fabrics")
        self.full.setToolTip("Train one new model on the samples of all fabrics; the line goes on meanwhile")
        self.full.clicked.connect(self._train)
        self.fresh = QCheckBox("Start &anew instead of resuming")
        self.fresh.setToolTip("Forget what the training that was stopped has learnt so far")
        self._forgotten = Banner("Fabrics that would be forgotten")
        self._folder = QPushButton()
        self._folder.setToolTip("One folder for each fabric, with its defect-free images in a folder named normal")
        self._folder.clicked.connect(self._choose_folder)
        self._without_folder = QPushButton("Do &not use it")
        self._without_folder.setToolTip("The next training takes the samples only, and not the images of this folder")
        self._without_folder.clicked.connect(lambda: self.folder_chosen.emit(""))
        self.automatic = QCheckBox(_AUTOMATIC)
        self.automatic.setToolTip("Otherwise you decide on the tab Candidate. Little evidence does not stop it.")
        self.automatic.toggled.connect(self._set_automatic)
        self._ended = Banner("How the training ended")
        self._plot = plot("Loss on held-out samples", "epoch", "loss, lower is better", theme)
        self._curve = self._plot.plot(symbol="o", symbolSize=5)
        self.set_theme(theme)
        self._lay_out()
        self.show_state(self._state)

    def _lay_out(self) -> None:
        both = QWidget()
        both.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        cards = QHBoxLayout(both)
        cards.setContentsMargins(0, 0, 0, 0)
        (quick_card, quick), (full_card, full) = _card("Quick enrolment", _QUICK), _card("Full training", _FULL)
        folder = QHBoxLayout()
        folder.addWidget(self._folder, 1)
        folder.addWidget(self._without_folder)
        quick.addWidget(PlainLabel("Fabric"))
        quick.addWidget(self.fabric)
        quick.addWidget(self._quick_text)
        quick.addSpacing(_GAP_PX)
        quick.addStretch(1)
        quick.addWidget(_hint(_PROVISIONAL))
        quick.addWidget(self.quick)
        full.addWidget(self._full_text)
        full.addWidget(self._forgotten)
        full.addLayout(folder)
        full.addSpacing(_GAP_PX)
        full.addStretch(1)
        full.addWidget(self.fresh)
        full.addWidget(self.full)
        for card in (quick_card, full_card):
            cards.addWidget(card, 1)
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.addWidget(self._ended)
        body.addWidget(both)
        body.addWidget(self.automatic)
        body.addWidget(self._plot, 1)
        body.addStretch(0)
        self._plot.setMinimumHeight(_LEAST_PLOT_PX)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the plot."""
        color_plot(self._plot, theme)
        self._curve.setPen(pg.mkPen(theme.accent, width=2))
        self._curve.setSymbolBrush(theme.accent)

    def choose(self, fabric: str) -> None:
        """Chooses a fabric, now or as soon as it is among the samples."""
        self._wanted = fabric if self.fabric.findText(fabric) < 0 else ""
        self.fabric.setCurrentText(fabric)

    def show_state(self, state: LearningState) -> None:
        """Draws how things stand."""
        self._state = state
        self._show_fabrics([f.name for f in state.fabrics if not f.is_retired])
        self._show_possible()
        self._ended.say(
            training_end_text(state.training, can_resume=state.can_resume),
            alarm=state.training is not None and state.training.has_failed,
        )
        losses = state.training.losses if state.training is not None else ()
        self._plot.setVisible(bool(losses))
        self._curve.setData(np.arange(1, len(losses) + 1), np.asarray(losses, np.float64))
        before = self.automatic.blockSignals(True)
        self.automatic.setChecked(state.learning.promote_unless_worse)
        self.automatic.blockSignals(before)

    def _show_fabrics(self, names: list[str]) -> None:
        if names == [self.fabric.itemText(i) for i in range(self.fabric.count())]:
            return
        able = [f for f in self._state.fabrics if f.good and not f.is_retired]  # an empty one cannot be enrolled yet
        first = [*(f.name for f in able if not f.is_known), *(f.name for f in able)]
        shown = (self._wanted, self.fabric.currentText(), *first)
        before = self.fabric.blockSignals(True)
        self.fabric.clear()
        self.fabric.addItems(names)
        self.fabric.setCurrentText(next((name for name in shown if name in names), ""))
        self.fabric.blockSignals(before)
        self._wanted = ""

    def _show_possible(self) -> None:
        state = self._state
        quick, full = quick_enrolment(state, self.fabric.currentText()), full_training(state)
        for possible, button, text in ((quick, self.quick, self._quick_text), (full, self.full, self._full_text)):
            button.setEnabled(possible.is_possible)
            text.setText(possible.text)
        self.fresh.setVisible(state.can_resume and full.is_possible)
        self._forgotten.say(forgotten_text(state))
        self._folder.setVisible(bool(state.forgotten or state.extra_folder))
        chosen = state.extra_folder.replace("&", "&&")
        self._without_folder.setVisible(bool(state.extra_folder))
        self._folder.setText(f"F&older with more images: {chosen}" if chosen else "Choose a f&older with images…")

    def _enrol(self) -> None:
        name = self.fabric.currentText()
        fabric = next((f for f in self._state.fabrics if f.name == name), None)
        if fabric is not None and fabric.is_known and not fabric.is_provisional:
            question = f"The model knows {name} from a full training. Replace it by a quick enrolment?"
            if not is_sure(self, "Quick enrolment", f"{question} The model will then find fewer defects."):
                return
        self.enrolment_asked.emit(name)

    def _train(self) -> None:
        if self._state.forgotten:
            names = ", ".join(self._state.forgotten)
            question = f"The new model will not know {names}, because there are no samples. Train without?"
            if not is_sure(self, "Full training", question):
                return
        self.training_asked.emit(self.fresh.isVisible() and self.fresh.isChecked())

    def _choose_folder(self) -> None:
        title = "Folder with one folder for each fabric"
        folder = QFileDialog.getExistingDirectory(self, title, self._state.extra_folder)
        if folder:
            self.folder_chosen.emit(folder)

    def _set_automatic(self, wanted: bool) -> None:
        self.settings_changed.emit(self._state.learning.model_copy(update={"promote_unless_worse": wanted}))


def _card(title: str, text: str) -> tuple[QFrame, QVBoxLayout]:
    frame = QFrame()
    frame.setObjectName("card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 16)
    column.setSpacing(10)
    heading = PlainLabel(title)
    heading.setObjectName("figure")
    heading.setAccessibleName(title)
    column.addWidget(heading)
    column.addWidget(_hint(text))
    return frame, column


def _hint(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setWordWrap(True)
    label.setObjectName("hint")
    return label


def _text(name: str) -> QLabel:
    label = plain_label(name, wraps=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _main_button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName("main")
    return button
