"""The tables of the history: the models, and the log of which was in use when."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from aoi_app.learning.state import ModelRow, PromotionRow
from aoi_app.learning.wording import size_text
from aoi_app.ui.widgets.plain import plain_tip

_MODEL_COLUMNS = ("model", "by", "kind", "fabrics", "size", "state")  # the name of a model tells when it was made
_LOG_COLUMNS = ("when", "by", "model", "instead of", "reason")
_STRETCHED_OF_MODELS, _STRETCHED_OF_LOG = (3,), (2, 3, 4)


class _Table(QTableWidget):
    """Rows of text that nobody edits; some columns share what room is left, with long texts cut in the middle."""

    def __init__(
        self,
        name: str,
        columns: Sequence[str],
        stretched: Sequence[int],
        selection: QAbstractItemView.SelectionMode,
    ) -> None:
        super().__init__(0, len(columns))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(selection)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in stretched:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def fill(self, rows: Sequence[Sequence[str]]) -> None:
        """Other rows."""
        self.setRowCount(len(rows))
        for i, texts in enumerate(rows):
            for j, text in enumerate(texts):
                self.setItem(i, j, QTableWidgetItem(text))

    def items_of(self, row: int) -> list[QTableWidgetItem]:
        """The cells of a row."""
        items = (self.item(row, column) for column in range(self.columnCount()))
        return [item for item in items if item is not None]


class ModelTable(_Table):
    """The models of the history; one or two are chosen.

    Signals:
        choice_changed: other models are chosen.
    """

    choice_changed = Signal()

    def __init__(self) -> None:
        super().__init__(
            "History of models", _MODEL_COLUMNS, _STRETCHED_OF_MODELS, QAbstractItemView.SelectionMode.ExtendedSelection
        )
        self._models: tuple[ModelRow, ...] = ()
        self.itemSelectionChanged.connect(self.choice_changed)

    @property
    def chosen(self) -> list[ModelRow]:
        """The models that are chosen, the oldest first."""
        rows = sorted({i.row() for i in self.selectedIndexes()}, reverse=True)
        return [self._models[r] for r in rows if r < len(self._models)]

    def choose(self, *identities: str) -> None:
        """Chooses models."""
        self.clearSelection()
        for row, model in enumerate(self._models):
            if model.identity in identities:
                for item in self.items_of(row):
                    item.setSelected(True)

    def show_models(self, models: tuple[ModelRow, ...]) -> None:
        """Other models; those that were chosen stay chosen, and nothing is announced for them."""
        if models == self._models:
            return
        identities = {m.identity for m in self.chosen}
        before = self.blockSignals(True)
        self._models = models
        self.fill([_cells(m) for m in models])
        for row, model in enumerate(models):
            for item in self.items_of(row):
                item.setToolTip(plain_tip(model.problem or f"{', '.join(model.fabrics)}\n{model.identity}"))
                font = item.font()
                font.setBold(model.in_use)
                item.setFont(font)
        self.choose(*identities)
        self.blockSignals(before)


class PromotionLog(_Table):
    """Which model was put into use when, and why."""

    def __init__(self) -> None:
        super().__init__(
            "Models that were in use", _LOG_COLUMNS, _STRETCHED_OF_LOG, QAbstractItemView.SelectionMode.NoSelection
        )
        self._promotions: tuple[PromotionRow, ...] = ()

    def show_promotions(self, promotions: tuple[PromotionRow, ...]) -> None:
        """The latest first."""
        if promotions != self._promotions:
            self._promotions = promotions
            self.fill([(p.at, p.author, p.name, p.before_name, p.reason) for p in promotions])
            for row, promotion in enumerate(promotions):
                for item in self.items_of(row):
                    item.setToolTip(plain_tip(_log_tip(promotion)))


def _log_tip(promotion: PromotionRow) -> str:
    instead = f" instead of {promotion.before}" if promotion.before else ""
    names = f"{promotion.name}{f' instead of {promotion.before_name}' if promotion.before_name else ''}"
    return f"{names}\n{promotion.reason}\n{promotion.identity}{instead}"


def _cells(m: ModelRow) -> tuple[str, ...]:
    if m.problem:
        return m.name, "", "damaged", m.problem, size_text(m.size_bytes), "cannot be used"
    fabrics = ", ".join(f"{f} (provisional)" if f in m.provisional else f for f in m.fabrics)
    states = [(m.in_use, "in use"), (m.pinned, "pinned"), (m.is_rollback, "rollback")]
    state = ", ".join(text for holds, text in states if holds)
    return m.name, m.author, m.kind, fabrics, size_text(m.size_bytes), state
