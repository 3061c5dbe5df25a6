"""The page of the history: which models there are, which was in use when, and what may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aoi_app.learning.state import Difference, ModelRow, Models, ModelView, PromotionRow
from aoi_app.learning.wording import disk_text, size_text
from aoi_app.ui.models.job_status import DeskStatus
from aoi_app.ui.widgets.banner import Banner

_COLUMNS = ("made", "model", "by", "kind", "fabrics", "size", "state")
_LOG = ("when", "by", "model", "instead of", "why")
_TWO = "Choose two models in the table (with Ctrl) to see what differs."


class ModelsPage(QWidget):
    """Draws the history; asks the desk to change it.

    Signals:
        compare_asked: a person wants to see a comparison; the desk is asked already.
    """

    compare_asked = Signal()

    def __init__(self, desk: Models, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._view = ModelView()
        self.status = DeskStatus()
        self.status.stop_asked.connect(desk.stop)
        self.line = Banner("Model of the line")
        self.adopt = QPushButton("Take the line's model into the &history and use it")
        self.adopt.clicked.connect(desk.adopt)
        self.table = _table("History of models", _COLUMNS, stretched=4)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.itemSelectionChanged.connect(self._chosen)
        self.log = _table("Models that were in use", _LOG, stretched=4)
        self.log.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.difference = QPlainTextEdit()
        self.difference.setReadOnly(True)
        self.difference.setAccessibleName("What differs")
        self.difference.setPlaceholderText(_TWO)
        self._disk = QLabel()
        self._disk.setWordWrap(True)
        self._disk.setAccessibleName("Disk use")
        self.most_models, self.most_gb = QSpinBox(), QDoubleSpinBox()
        self._make_buttons()
        self._make_bounds()
        self._lay_out()
        self.show_view(self._view)

    def _make_buttons(self) -> None:
        self.use = _button("Put into &use", "The line goes on with it; an older one as well", self._use)
        self.compare = _button("&Compare", "Set it beside the model in use, on the page Compare", self._compare)
        self.pin = _button("&Pin", "A pinned model is never deleted", self._pin)
        self.delete = _button("&Delete…", "Delete it from the disk", self._delete)
        self.rename = _button("&Rename a fabric…", "Of the model in use, and its samples", self._rename)
        self.take_out = _button("&Take a fabric out…", "Of the model in use; its samples are kept", self._take_out)
        self.prune = _button("Delete the &oldest", "As many as are over the bounds", self._desk.prune)

    def _make_bounds(self) -> None:
        self.most_models.setRange(2, 1000)
        self.most_models.setAccessibleName("Most models that are kept")
        self.most_models.setSuffix(" models")
        self.most_gb.setRange(0.1, 10_000)
        self.most_gb.setDecimals(1)
        self.most_gb.setSuffix(" GB")
        self.most_gb.setAccessibleName("Most gigabytes that are kept")
        for box in (self.most_models, self.most_gb):
            box.setKeyboardTracking(False)
            box.editingFinished.connect(self._set_bounds)

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self.line, 1)
        first.addWidget(self.adopt)
        buttons = QHBoxLayout()
        for button in (self.use, self.compare, self.pin, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.rename, self.take_out):
            buttons.addWidget(button)
        below = QSplitter(Qt.Orientation.Horizontal)
        below.addWidget(self.log)
        below.addWidget(self.difference)
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.addWidget(self.table)
        whole.addWidget(below)
        whole.setStretchFactor(0, 3)
        whole.setStretchFactor(1, 2)
        bounds = QHBoxLayout()
        bounds.addWidget(self._disk, 1)
        bounds.addWidget(QLabel("Keep at most"))
        bounds.addWidget(self.most_models)
        bounds.addWidget(self.most_gb)
        bounds.addWidget(self.prune)
        column = QVBoxLayout(self)
        column.addWidget(self.status)
        column.addLayout(first)
        column.addLayout(buttons)
        column.addWidget(whole, 1)
        column.addLayout(bounds)

    def show_view(self, view: ModelView) -> None:
        """Draws how things stand."""
        before, self._view = self._view, view
        self.status.show_view(view)
        self.line.say(_line_text(view))
        self.adopt.setVisible(bool(view.running) and not view.is_running_kept)
        if view.models != before.models:
            self._show_models(view.models)
        if view.promotions != before.promotions:
            _fill(self.log, [_promotion(p) for p in view.promotions])
        if view.difference is not before.difference:
            self.difference.setPlainText(_difference_text(view.difference))
        self._disk.setText(disk_text(view))
        if not self.most_models.hasFocus():
            self.most_models.setValue(view.learning.most_models)
        if not self.most_gb.hasFocus():
            self.most_gb.setValue(view.learning.most_gb)
        self._show_able()

    @property
    def chosen(self) -> list[ModelRow]:
        """The models that are selected, the oldest first."""
        rows = sorted({i.row() for i in self.table.selectedIndexes()}, reverse=True)
        return [self._view.models[r] for r in rows if r < len(self._view.models)]

    def select(self, *identities: str) -> None:
        """Selects models."""
        self.table.clearSelection()
        for row, model in enumerate(self._view.models):
            if model.identity in identities:
                for item in self._items(row):
                    item.setSelected(True)

    def _show_models(self, models: Sequence[ModelRow]) -> None:
        identities = {m.identity for m in self.chosen}
        blocked = self.table.blockSignals(True)
        _fill(self.table, [_cells(m) for m in models])
        for row, model in enumerate(models):
            for item in self._items(row):
                item.setToolTip(model.problem or ", ".join(model.fabrics))
                font = item.font()
                font.setBold(model.in_use)
                item.setFont(font)
        self.select(*identities)
        self.table.blockSignals(blocked)

    def _items(self, row: int) -> list[QTableWidgetItem]:
        items = (self.table.item(row, column) for column in range(self.table.columnCount()))
        return [item for item in items if item is not None]

    def _show_able(self) -> None:
        chosen, is_free = self.chosen, not self._view.busy
        one = chosen[0] if len(chosen) == 1 else None
        is_sound = one is not None and not one.problem
        self.use.setEnabled(is_free and one is not None and is_sound and not one.in_use)
        self.compare.setEnabled(is_free and one is not None and is_sound and (one.has_trial or not one.in_use))
        self.pin.setEnabled(is_sound)
        self.pin.setText("Un&pin" if one is not None and one.pinned else "&Pin")
        self.delete.setEnabled(one is not None and not one.in_use and not one.pinned)
        has_model = is_free and bool(self._view.in_use) and not self._view.problem
        self.rename.setEnabled(has_model)
        self.take_out.setEnabled(has_model and len(self._fabrics()) > 1)

    def _chosen(self) -> None:
        self._show_able()
        chosen = self.chosen
        if len(chosen) == 2 and not any(m.problem for m in chosen):
            self._desk.differ(chosen[0].identity, chosen[1].identity)
        elif self._view.difference is not None:
            self.difference.setPlainText("")

    def _fabrics(self) -> tuple[str, ...]:
        return next((m.fabrics for m in self._view.models if m.in_use), ())

    def _use(self) -> None:
        (one,) = self.chosen
        older = any(p.identity == one.identity for p in self._view.promotions)
        self._desk.promote(one.identity, "went back to it" if older else "chosen")

    def _compare(self) -> None:
        self._desk.compare(self.chosen[0].identity)
        self.compare_asked.emit()

    def _pin(self) -> None:
        one = self.chosen[0]
        self._desk.pin(one.identity, pinned=not one.pinned)

    def _delete(self) -> None:
        one = self.chosen[0]
        way_back = " It is the one to go back to from the model in use." if one.is_way_back else ""
        if self._is_sure(f"Delete the model {one.identity} of {one.made}?{way_back} It cannot be brought back."):
            self._desk.remove(one.identity)

    def _rename(self) -> None:
        old, is_chosen = QInputDialog.getItem(self, "Rename a fabric", "Fabric", self._fabrics(), 0, False)
        if not is_chosen:
            return
        new, is_named = QInputDialog.getText(self, "Rename a fabric", f"New name of {old}", text=old)
        if is_named and new.strip() and new.strip() != old:
            self._desk.rename_fabric(old, new.strip())

    def _take_out(self) -> None:
        fabric, is_chosen = QInputDialog.getItem(self, "Take a fabric out", "Fabric", self._fabrics(), 0, False)
        if is_chosen and self._is_sure(
            f"The line will not know {fabric} any more. Its samples are kept, and one can go back to the model before."
        ):
            self._desk.take_out(fabric)

    def _set_bounds(self) -> None:
        bounds = {"most_models": self.most_models.value(), "most_gb": self.most_gb.value()}
        changed = self._view.learning.model_copy(update=bounds)
        if changed != self._view.learning:
            self._desk.change(changed)

    def _is_sure(self, question: str) -> bool:
        return QMessageBox.question(self, "Models", question) == QMessageBox.StandardButton.Yes


def _line_text(view: ModelView) -> str:
    if not view.running or view.is_running_kept:
        return ""
    if not view.in_use:
        return f"No model is in use here yet; the first one learnt is made of that of the line, {view.running}."
    return f"The line runs {view.running}, which is not the model in use here. New models are made of the one in use."


def _cells(m: ModelRow) -> tuple[str, ...]:
    if m.problem:
        return m.made, m.identity, "", "damaged", m.problem, size_text(m.size_bytes), "cannot be used"
    fabrics = ", ".join(f"{f} (provisional)" if f in m.provisional else f for f in m.fabrics)
    states = [(m.in_use, "in use"), (m.pinned, "pinned"), (m.is_way_back, "the one before")]
    state = ", ".join(text for holds, text in states if holds)
    return m.made, m.identity, m.author, m.kind, fabrics, size_text(m.size_bytes), state


def _promotion(p: PromotionRow) -> tuple[str, ...]:
    return p.at, p.author, p.identity, p.before, p.reason


def _difference_text(difference: Difference | None) -> str:
    if difference is None:
        return ""
    lines = [f"From {difference.before} to {difference.after}"]
    for heading, parts in difference.parts:
        lines += ["", heading, *(f"  {part}" for part in parts)]
    return "\n".join(lines)


def _table(name: str, columns: Sequence[str], stretched: int) -> QTableWidget:
    table = QTableWidget(0, len(columns))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(columns))
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
    return table


def _fill(table: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    table.setRowCount(len(rows))
    for i, texts in enumerate(rows):
        for j, text in enumerate(texts):
            table.setItem(i, j, QTableWidgetItem(text))


def _button(text: str, tip: str, answer: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: answer())
    return button
