"""The page on which models are learnt: a fabric quickly, or all of them thoroughly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from aoi_app.learning.state import Models, ModelView, TrainingView
from aoi_app.learning.wording import full_training, lost_text, quick_enrolment
from aoi_app.ui.models.job_status import DeskStatus
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plots import plot
from aoi_app.ui.widgets.theme import Theme

_QUICK = (
    "Adds one fabric to the model in use; the other fabrics stay as they are. Takes half a minute to a few minutes. "
    "The line can inspect the fabric right after."
)
_PROVISIONAL = (
    "The limit of a fabric that was enrolled quickly is provisional: what judges the cloth has not been trained on it, "
    "so it finds less than it could. Train all fabrics when there is time."
)
_FULL = (
    "Trains one model for all fabrics, from all their samples. Takes minutes to an hour at low priority; the line goes "
    "on inspecting meanwhile."
)
_GAP_PX = 24
_AUTOMATIC = "Use a new model by itself where nothing got worse"


class LearnPage(QWidget):
    """Asks the desk to learn; draws how it goes."""

    def __init__(self, desk: Models, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._view = ModelView()
        self.status = DeskStatus()
        self.status.stop_asked.connect(desk.stop)
        self.fabric = QComboBox()
        self.fabric.setAccessibleName("Fabric to enrol quickly")
        self.fabric.currentTextChanged.connect(lambda _: self._show_possible())
        self.quick = _button("&Enrol quickly")
        self.quick.clicked.connect(self._enrol)
        self._quick_text, self._full_text = _text("Quick enrolment"), _text("Full training")
        self.full = _button("&Train all fabrics")
        self.full.clicked.connect(self._train)
        self.fresh = QCheckBox("&Begin anew instead of going on where it was")
        self.lost = Banner("Fabrics that would be forgotten")
        self.more = QPushButton("Folder with their &cloth…")
        self.more.setToolTip("One folder for each fabric, with good cloth in it, as for cras train")
        self.more.clicked.connect(self._choose_more)
        self.automatic = QCheckBox(_AUTOMATIC)
        self.automatic.setToolTip("Otherwise you are asked on the page Compare")
        self.automatic.toggled.connect(self._set_automatic)
        self._ended = Banner("How the training ended")
        self._plot = plot("Error on cloth it has not seen", "round", "error, lower is better", theme)
        self._curve = self._plot.plot(pen=pg.mkPen(theme.accent, width=2), symbol="o", symbolSize=5)
        self._curve.setSymbolBrush(theme.accent)
        self._lay_out()
        self.show_view(self._view)

    def _lay_out(self) -> None:
        both = QWidget()
        both.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        cards = QHBoxLayout(both)
        cards.setContentsMargins(0, 0, 0, 0)
        (quick_card, quick), (full_card, full) = _card("Quick enrolment", _QUICK), _card("Full training", _FULL)
        quick.addWidget(QLabel("Fabric"))
        quick.addWidget(self.fabric)
        quick.addWidget(self._quick_text)
        quick.addSpacing(_GAP_PX)
        quick.addStretch(1)
        quick.addWidget(_faint(_PROVISIONAL))
        quick.addWidget(self.quick)
        full.addWidget(self._full_text)
        full.addWidget(self.lost)
        full.addWidget(self.more)
        full.addSpacing(_GAP_PX)
        full.addStretch(1)
        full.addWidget(self.fresh)
        full.addWidget(self.full)
        for card in (quick_card, full_card):
            cards.addWidget(card, 1)
        column = QVBoxLayout(self)
        column.addWidget(self.status)
        column.addWidget(self._ended)
        column.addWidget(both)
        column.addWidget(self.automatic)
        column.addWidget(self._plot, 1)
        column.addStretch(0)

    def choose(self, fabric: str) -> None:
        """The fabric that a person looks at elsewhere."""
        self.fabric.setCurrentText(fabric)

    def show_view(self, view: ModelView) -> None:
        """Draws how things stand."""
        self._view = view
        self.status.show_view(view)
        self._show_fabrics([f.name for f in view.fabrics if not f.is_retired])
        self._show_possible()
        self._show_training(view.training)
        before = self.automatic.blockSignals(True)
        self.automatic.setChecked(view.learning.promote_unless_worse)
        self.automatic.blockSignals(before)

    def _show_fabrics(self, names: list[str]) -> None:
        if names == [self.fabric.itemText(i) for i in range(self.fabric.count())]:
            return
        chosen = self.fabric.currentText()
        before = self.fabric.blockSignals(True)
        self.fabric.clear()
        self.fabric.addItems(names)
        new = next((f.name for f in self._view.fabrics if not f.is_known and not f.is_retired), "")
        self.fabric.setCurrentText(chosen if chosen in names else new)
        self.fabric.blockSignals(before)

    def _show_possible(self) -> None:
        view = self._view
        quick, full = quick_enrolment(view, self.fabric.currentText()), full_training(view)
        for possible, button, text in ((quick, self.quick, self._quick_text), (full, self.full, self._full_text)):
            button.setEnabled(possible.is_possible)
            text.setText(possible.text)
        self.fresh.setVisible(view.can_resume and full.is_possible)
        self.lost.say(lost_text(view))
        self.more.setVisible(bool(view.lost or view.more))
        self.more.setText(f"Folder with more &cloth: {view.more}" if view.more else "Folder with their &cloth…")

    def _show_training(self, training: TrainingView | None) -> None:
        over = training is not None and not training.is_running
        ended = training.message if training is not None and over and training.message != "done" else ""
        self._ended.say(ended, alarm=training is not None and training.is_alarm)
        losses = training.losses if training is not None else ()
        self._plot.setVisible(bool(losses))
        self._curve.setData(np.arange(1, len(losses) + 1), np.asarray(losses, np.float64))

    def _enrol(self) -> None:
        fabric = self.fabric.currentText()
        found = next((f for f in self._view.fabrics if f.name == fabric), None)
        if found is not None and found.is_known and not found.is_provisional:
            question = f"{fabric} is known from a full training. Replace that by a quick enrolment, which finds less?"
            if not self._is_sure(question):
                return
        self._desk.enrol(fabric)

    def _train(self) -> None:
        if self._view.lost:
            names = ", ".join(self._view.lost)
            if not self._is_sure(f"The new model will not know these fabrics any more: {names}. Train without them?"):
                return
        self._desk.train(fresh=self.fresh.isVisible() and self.fresh.isChecked())

    def _is_sure(self, question: str) -> bool:
        return QMessageBox.question(self, "Learn", question) == QMessageBox.StandardButton.Yes

    def _choose_more(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with one folder for each fabric", self._view.more)
        self._desk.choose_more(Path(folder) if folder else None)

    def _set_automatic(self, wanted: bool) -> None:
        self._desk.change(self._view.learning.model_copy(update={"promote_unless_worse": wanted}))


def _card(title: str, text: str) -> tuple[QFrame, QVBoxLayout]:
    frame = QFrame()
    frame.setObjectName("card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 16)
    column.setSpacing(10)
    heading = QLabel(title)
    heading.setObjectName("figure")
    column.addWidget(heading)
    column.addWidget(_faint(text))
    return frame, column


def _faint(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setObjectName("hint")
    return label


def _text(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName("main")
    return button
