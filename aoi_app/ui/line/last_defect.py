"""The last defect, large: its picture and what it is, below one word that is read from five metres."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from aoi_app.inspection.findings.attention import Attention
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.ui.widgets.plain import PlainLabel, show_text
from aoi_app.ui.widgets.qimage import to_qimage

_PICTURE_PX, _WIDTH_PX = 150, 312
_KINDS = {Attention.GOOD: "good", Attention.LOOK: "reserve", Attention.DEFECT: "bad", Attention.NONE: "none"}


class LastDefectPanel(QFrame):
    """Word, colour and shape say the same: a word stands beside every colour."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("attention")
        self.setFixedWidth(_WIDTH_PX)  # what it says must not move the cloth
        self._word = PlainLabel()
        self._word.setObjectName("attention_word")
        self._word.setAccessibleName("What was found")
        self._picture = PlainLabel()
        self._picture.setFixedSize(_PICTURE_PX, _PICTURE_PX)
        self._picture.setAccessibleName("Picture of the last defect")
        self._text = PlainLabel()
        self._text.setObjectName("attention_text")
        self._text.setAccessibleName("The last defect")
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 6, 10, 8)
        whole.addWidget(self._word)
        whole.addLayout(row)
        self._shown: Defect | None = None
        self.show_attention(Attention.NONE)
        self.show_defect(None, None)

    def show_attention(self, attention: Attention) -> None:
        """The word and its colour."""
        kind = _KINDS[attention]
        if self.property("kind") != kind:
            self.setProperty("kind", kind)
            for widget in (self, self._word, self._text):
                widget.style().unpolish(widget)
                widget.style().polish(widget)
        show_text(self._word, attention.value.upper())

    def show_defect(self, defect: Defect | None, review: Review | None) -> None:
        """The last defect of the roll; None before the first."""
        if defect is None:
            self._shown = None
            self._picture.clear()
            show_text(self._text, "No defect yet")
            return
        if self._shown is not defect:
            self._shown = defect
            scaled = QPixmap.fromImage(to_qimage(defect.thumbnail)).scaled(
                _PICTURE_PX,
                _PICTURE_PX,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._picture.setPixmap(scaled)
        name = (review.type_name if review is not None else None) or defect.shade or defect.shape
        runs = ", still running" if defect.is_open else ""
        show_text(
            self._text,
            f"{defect.number}: {name}{runs}\n{defect.position_m:.2f} m\n{defect.position_mm:.0f} mm across\n"
            f"{defect.length_mm:.0f} × {defect.width_mm:.0f} mm\nscore {defect.peak:.2f}",
        )
