"""The few settings of a camera that matter on a line, as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from aoi_app.camera_setup.feature_rows import FeatureRow, Key, PanelRow, hint_of
from aoi_app.ui.cameras.value_editor import editor_text, on_edit, value_editor
from aoi_app.ui.widgets.plain import PlainLabel, plain_label, set_plain_tip
from aoi_app.ui.widgets.theme import Theme

_COLUMNS = 2
_STRETCH = (0, 2, 3)  # of the three cells of a setting: caption, field, remark


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
        self._remarks: dict[Key, QLabel] = {}
        self._values: dict[Key, str] = {}
        self._alarm = ""

    def set_theme(self, theme: Theme) -> None:
        """Colours what is wrong, from the next time on that it is shown."""
        self._alarm = theme.alarm_text

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
        self._editors, self._remarks, self._values = {}, {}, {}
        for i, row in enumerate(rows):
            line, column = i // _COLUMNS, len(_STRETCH) * (i % _COLUMNS)
            self._grid.addWidget(PlainLabel(row.caption), line, column)
            if row.feature is None:
                lack = PlainLabel(row.lack)
                lack.setObjectName("caption")
                self._grid.addWidget(lack, line, column + 1, 1, 2)
            else:
                self._add_field(row.caption, row.feature, line, column + 1)
        for column, stretch in enumerate(_STRETCH * _COLUMNS):
            self._grid.setColumnStretch(column, stretch)

    def _add_field(self, caption: str, feature: FeatureRow, line: int, column: int) -> None:
        editor, remark = value_editor(feature), plain_label(wraps=True)
        editor.setAccessibleName(caption)
        remark.setObjectName("caption")
        on_edit(editor, partial(self._announce, feature.key, editor))
        self._editors[feature.key], self._remarks[feature.key] = editor, remark
        self._grid.addWidget(editor, line, column)
        self._grid.addWidget(remark, line, column + 1)

    def _announce(self, key: Key, editor: QWidget) -> None:
        self.edited.emit(key, editor_text(editor))

    def _fill(self, feature: FeatureRow, error: str) -> None:
        editor, remark = self._editors[feature.key], self._remarks[feature.key]
        if self._values.get(feature.key) != feature.value:  # typing is not overwritten by what has not changed
            self._values[feature.key] = feature.value
            if isinstance(editor, QComboBox):
                editor.setCurrentText(feature.value)
            else:
                editor.setText(feature.value)
        editor.setEnabled(feature.is_writable)
        remark.setText(error or hint_of(feature))
        remark.setStyleSheet(f"color: {self._alarm};" if error else "")
        set_plain_tip(editor, feature.tip)
