"""The section in which a candidate is set beside the model in use, and a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from aoi_app.learning.evaluation_wording import fabric_remarks, first_to_show, heading_text, metric_rows, outcome_text
from aoi_app.learning.state import CandidateEvaluation, EvaluatedFabric, EvaluatedTile, LearningState
from aoi_app.ui.models.message_line import MessageLine
from aoi_app.ui.models.metric_table import MetricTable
from aoi_app.ui.models.threshold_panel import ThresholdPanel
from aoi_app.ui.models.tile_row import Captioned, TileRow
from aoi_app.ui.widgets.plain import PlainLabel, plain_label, set_plain_tip
from aoi_app.ui.widgets.qimage import to_qimage
from aoi_app.ui.widgets.theme import Theme
from cras_core.arrays import Image

_NOTHING = (
    "There is no candidate, that is, no new model to decide about. Teach a fabric on the tab Learn, or choose a model "
    "on the tab History and press Show as candidate."
)
_MOST_DISAGREEMENTS = 8
_GAP_PX = 10


class CandidateSection(QWidget):
    """
    Signals:
        accepted: the candidate shall be used.
        dismissed: the model in use stays.
        evaluation_asked: identity of the candidate, to be evaluated anew.
        threshold_chosen: fabric, and the threshold that its recipe shall have.
        pictures_wanted: paths, in the order in which they are wanted.
    """

    accepted = Signal()
    dismissed = Signal()
    evaluation_asked = Signal(str)
    threshold_chosen = Signal(str, float)
    pictures_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._candidate = ""
        self._shown: CandidateEvaluation | None = None
        self._thresholds: Mapping[str, float] = {}
        self._standard = 1.0
        self._pictures: dict[Path, QPixmap | None] = {}
        self._heading = plain_label("Which models are compared", wraps=True)
        self._heading.setObjectName("figure")
        self._outcome = MessageLine("Result of the evaluation")
        self.use = QPushButton("&Use the candidate")
        self.use.setToolTip("The line goes on with the candidate; Ctrl+Shift+B goes back to the model before")
        self.use.setObjectName("main")
        self.use.clicked.connect(self.accepted)
        self._keep = QPushButton("&Keep the model in use")
        self._keep.setToolTip("Nothing changes on the line; the candidate stays in the history")
        self._keep.clicked.connect(self.dismissed)
        self._again = QPushButton("Evaluate &again")
        self._again.setToolTip("Score the samples as they are now with the model in use and with the candidate")
        self._again.clicked.connect(lambda: self.evaluation_asked.emit(self._candidate))
        self.fabric = QComboBox()
        self.fabric.setAccessibleName("Fabric")
        self.fabric.setToolTip("The fabric whose figures and tiles are shown below")
        self.fabric.currentTextChanged.connect(lambda _: self._show_fabric())
        self.table = MetricTable()
        self._remarks = plain_label("What to bear in mind", wraps=True)
        self._remarks.setObjectName("hint")
        self.disagreements = TileRow("Where the two models disagree", _MOST_DISAGREEMENTS, "nowhere on these tiles")
        self.threshold = ThresholdPanel(theme)
        self.threshold.chosen.connect(self.threshold_chosen)
        self.threshold.tiles_changed.connect(self._want_pictures)
        self._nothing = PlainLabel(_NOTHING)
        self._nothing.setWordWrap(True)
        self._body = QScrollArea()
        self._lay_out()
        self.show_state(LearningState())

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._heading, 1)
        for button in (self.use, self._keep, self._again):
            top.addWidget(button)
        left = QVBoxLayout()
        row = QHBoxLayout()
        row.addWidget(PlainLabel("Fabric"))
        row.addWidget(self.fabric, 1)
        left.addLayout(row)
        left.addWidget(self.table)
        left.addWidget(self._remarks)
        left.addSpacing(_GAP_PX)
        left.addWidget(self.threshold)
        left.addStretch(1)
        middle = QHBoxLayout()
        middle.addLayout(left, 2)
        middle.addWidget(self.threshold.plot, 3)
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.addLayout(middle, 1)
        body.addWidget(self.threshold.around)
        body.addWidget(self.disagreements)
        self._body.setWidgetResizable(True)
        self._body.setFrameShape(QScrollArea.Shape.NoFrame)
        self._body.setWidget(inner)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self._outcome)
        column.addWidget(self._nothing)
        column.addWidget(self._body, 1)
        column.addStretch(0)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the plot."""
        self.threshold.set_theme(theme)

    def show_thresholds(self, of_fabrics: Mapping[str, float], standard: float) -> None:
        """The thresholds that hold now: of fabrics with a recipe of their own, and of the others."""
        self._thresholds, self._standard = of_fabrics, standard
        self._show_fabric()

    def show_state(self, state: LearningState) -> None:
        """Draws how things stand."""
        self._candidate = state.candidate
        evaluation = state.evaluation
        is_open = bool(state.candidate) and state.candidate != state.in_use and not state.busy
        for button in (self.use, self._keep, self._again):
            button.setEnabled(is_open)
        self._heading.setText(heading_text(state))
        compared = [state.candidate, evaluation.before if evaluation is not None else ""]
        set_plain_tip(self._heading, "\n".join(filter(None, compared)))  # by which records and files call them
        self._nothing.setVisible(not state.candidate)
        self._body.setVisible(evaluation is not None)
        text = outcome_text(evaluation) if evaluation is not None else ""
        self._outcome.say(text, alarm=evaluation is not None and bool(evaluation.worse))
        if evaluation != self._shown:
            self._shown = evaluation
            self._show_fabrics()

    def show_pictures(self, read: Mapping[Path, Image | None]) -> None:
        """Pictures that were read; None for one that cannot be."""
        for path, image in read.items():
            self._pictures[path] = None if image is None else QPixmap.fromImage(to_qimage(image))
        self._show_tiles()

    def _show_fabrics(self) -> None:
        fabrics = self._shown.fabrics if self._shown is not None else ()
        paths = {t.path for f in fabrics for t in f.tiles}
        self._pictures = {path: picture for path, picture in self._pictures.items() if path in paths}
        names = [f.name for f in fabrics]
        chosen = self.fabric.currentText()
        before = self.fabric.blockSignals(True)
        self.fabric.clear()
        self.fabric.addItems(names)
        self.fabric.setCurrentText(chosen if chosen in names else first_to_show(self._shown))
        self.fabric.blockSignals(before)
        self._show_fabric()

    def _current(self) -> EvaluatedFabric | None:
        name = self.fabric.currentText()
        return next((f for f in self._shown.fabrics if f.name == name), None) if self._shown is not None else None

    def _show_fabric(self) -> None:
        fabric = self._current()
        is_current = self._shown is not None and self._shown.is_current
        self.table.show_rows(metric_rows(fabric) if fabric is not None else [], "in use" if is_current else "before")
        self._remarks.setText("\n".join(fabric_remarks(fabric)) if fabric is not None else "")
        in_recipe = self._thresholds.get(fabric.name, self._standard) if fabric is not None else self._standard
        self.threshold.show_fabric(fabric, in_recipe)
        self._show_tiles()
        self._want_pictures()

    def _show_tiles(self) -> None:
        fabric = self._current()
        differing = fabric.disagreements if fabric is not None else ()
        self.disagreements.show_tiles([_captioned(t) for t in differing], self._pictures)
        self.threshold.set_pictures(self._pictures)

    def _want_pictures(self) -> None:
        paths = [*self.threshold.paths, *(t.path for t in self.disagreements.tiles)]
        self.pictures_wanted.emit([p for p in paths if p not in self._pictures])


def _captioned(tile: EvaluatedTile) -> Captioned:
    kind = "confirmed defect" if tile.kind == "defect" else "defect-free"
    seen = "\nthe model in use may have been trained on it" if tile.seen_before else ""
    old = tile.before.peak if tile.before is not None else 0.0
    new = tile.after.peak
    tip = f"{tile.id}\n{kind}; score in use {old:.2f}, of the candidate {new:.2f}{seen}"
    return Captioned(tile.path, f"{old:.2f} → {new:.2f}", tip)
