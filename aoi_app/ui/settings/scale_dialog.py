"""The length of a ruler that was marked with two clicks, and the scale that follows."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QWidget,
)

from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.scale import Direction, direction_of, propose_recipe
from aoi_app.ui.widgets.plain import PlainLabel

_WAYS: dict[str, Direction] = {"across the web": "across", "along the web": "along"}


class ScaleDialog(QDialog):
    """Asks for the true length between two marks; shows what it makes of the recipe, and accepts nothing else."""

    def __init__(
        self, recipe: Recipe, begin: tuple[float, float], end: tuple[float, float], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Measure scale")
        self.recipe = recipe
        self._before, self._begin, self._end = recipe, begin, end
        self._length = QDoubleSpinBox()
        self._length.setDecimals(2)
        self._length.setRange(0, 100_000)
        self._length.setSuffix(" mm")
        self._length.setAccessibleName("True length")
        self._way = QComboBox()
        self._way.addItems(list(_WAYS))
        self._way.setCurrentIndex(list(_WAYS.values()).index(direction_of(begin, end)))
        self._way.setAccessibleName("Direction")
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._text.setMinimumSize(460, 3 * self._text.fontMetrics().lineSpacing())
        self._text.setAccessibleName("Scale")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("Between the marks", PlainLabel(_apart(begin, end)))
        form.addRow("True &length", self._length)
        form.addRow("The ruler &lies", self._way)
        form.addRow(self._text)
        form.addRow(self._buttons)
        self._length.valueChanged.connect(self._propose)
        self._way.currentIndexChanged.connect(self._propose)
        self._propose()
        self._length.setFocus()
        self._length.selectAll()

    def _propose(self) -> None:
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        try:
            proposal = propose_recipe(
                self._before, self._begin, self._end, self._length.value(), _WAYS[self._way.currentText()]
            )
        except RecipeError as error:
            self._text.setText("Type its length." if self._length.value() == 0 else str(error))
            ok.setEnabled(False)
            return
        self.recipe = proposal.recipe
        self._text.setText(proposal.text)
        ok.setEnabled(True)


def _apart(begin: tuple[float, float], end: tuple[float, float]) -> str:
    return f"{abs(end[0] - begin[0]):.0f} px across, {abs(end[1] - begin[1]):.0f} lines along"
