"""The few settings of a camera that matter on a line, as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from aoi_app.camera_setup.feature_rows import FeatureRow, Key, PanelRow
from aoi_app.ui.cameras.feature_tree import plain_tip
from aoi_app.ui.cameras.value_editor import editor_text, on_edit, value_editor
from aoi_app.ui.widgets.theme import Theme

_COLUMNS = 2


class LineScanPanel(QWidget):
    """A field for what the camera has, a sentence for what it lacks.

    Signals:
        edited: key of a feature and the text that the person gave it.
    """

    edited = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._shape: tuple[object, ...] = ()
        self._editors: dict[Key, QLineEdit | QComboBox] = {}
        self._spans: dict[Key, QLabel] = {}
        self._values: dict[Key, str] = {}
        self._alarm = ""

    def set_theme(self, theme: Theme) -> None:
        """Colours what is wrong, from the next time on that it is shown."""
        self._alarm = theme.alarm

    def show_rows(self, rows: Sequence[PanelRow], errors: Mapping[Key, str]) -> None:
        """Shows the settings; what is being typed stays."""
        shape = tuple(
            (r.caption, r.lack, None if r.feature is None else (r.feature.key, r.feature.entries)) for r in rows
        )
        if shape != self._shape:
            self._shape = shape
            self._rebuild(rows)
        for feature in (r.feature for r in rows if r.feature is not None):
            self._fill(feature, errors.get(feature.key, ""))

    def _rebuild(self, rows: Sequence[PanelRow]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._editors, self._spans, self._values = {}, {}, {}
        for i, row in enumerate(rows):
            line, column = i // _COLUMNS, 3 * (i % _COLUMNS)
            self._grid.addWidget(QLabel(row.caption), line, column)
            if row.feature is None:
                lack = QLabel(row.lack)
                lack.setObjectName("caption")
                self._grid.addWidget(lack, line, column + 1, 1, 2)
                continue
            editor, span = value_editor(row.feature), QLabel()
            editor.setAccessibleName(row.caption)
            span.setObjectName("caption")
            span.setWordWrap(True)
            span.setTextFormat(Qt.TextFormat.PlainText)
            key = row.feature.key
            on_edit(editor, partial(self._announce, key, editor))
            self._editors[key], self._spans[key] = editor, span
            self._grid.addWidget(editor, line, column + 1)
            self._grid.addWidget(span, line, column + 2)
        for column, stretch in enumerate((0, 2, 3) * _COLUMNS):
            self._grid.setColumnStretch(column, stretch)

    def _announce(self, key: Key, editor: QWidget) -> None:
        self.edited.emit(key, editor_text(editor))

    def _fill(self, feature: FeatureRow, error: str) -> None:
        editor, span = self._editors[feature.key], self._spans[feature.key]
        if self._values.get(feature.key) != feature.value:  # typing is not overwritten by what has not changed
            self._values[feature.key] = feature.value
            if isinstance(editor, QComboBox):
                editor.setCurrentText(feature.value)
            else:
                editor.setText(feature.value)
        editor.setEnabled(feature.is_writable)
        text = error or ("" if feature.entries else feature.span) + ("" if feature.is_writable else " (locked now)")
        span.setText(text)
        span.setStyleSheet(f"color: {self._alarm};" if error else "")
        editor.setToolTip(plain_tip(feature.tip))
