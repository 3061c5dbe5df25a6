"""The operator threshold: locked, until somebody means to change it, sees what that does, and confirms."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSlider, QToolButton, QWidget

from aoi_app.ui.widgets.plain import PlainLabel

_STEPS = 100  # slider steps for one unit of score
_LOWEST, _HIGHEST = 0.3, 4.0
_LOCKS_AFTER_MS = 30_000


class _Slider(QSlider):
    """Deaf to the wheel, which turns over it when a person scrolls past.

    Signals:
        confirmed: the Enter key.
        left: the Esc key.
    """

    confirmed = Signal()
    left = Signal()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.confirmed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class ThresholdControl(QWidget):
    """
    ::

        locked --unlock--> unlocked --move--> proposed --confirm--> locked, with the new threshold
           ^                  |                  |
           +--lock, 30 s------+------------------+   with the one before

    Attributes:
        change_bar: what a proposed threshold would do, and the buttons to answer; hidden while nothing is proposed.

    Signals:
        changed: score that holds from now on.
        proposed: score that a person tries out; ``show_effect`` answers.
    """

    changed = Signal(float)
    proposed = Signal(float)

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self._value = self._rounded(threshold)
        self._before: float | None = None
        self._slider = _Slider(Qt.Orientation.Horizontal)
        self._slider.setRange(round(_LOWEST * _STEPS), round(_HIGHEST * _STEPS))
        self._slider.setPageStep(10)
        self._slider.setFixedWidth(130)
        self._slider.setAccessibleName("Threshold")
        self._slider.setToolTip("Score from which a place is a defect; unlock it first (L). 1 is calibrated")
        self._text = PlainLabel()
        self._text.setObjectName("figure")
        self._text.setAccessibleName("Threshold as a number")
        self._lock = QToolButton()
        self._lock.setCheckable(True)
        self._back = QToolButton()
        self._back.setToolTip("Take back the last change of the threshold")
        self._back.setAccessibleName("Take back the last change of the threshold")
        self._back.hide()
        self.change_bar = QFrame()
        self.change_bar.setObjectName("question")
        self._effect = PlainLabel()
        self._effect.setWordWrap(True)
        self._effect.setAccessibleName("What the threshold would do")
        self._confirm, self._keep = QPushButton(), QPushButton()
        self._confirm.setToolTip("This threshold holds for the cloth that comes (Enter)")
        self._keep.setToolTip("Forget the one that was tried out (Esc)")
        self._confirm.setAccessibleName("Use the threshold that was tried out")
        self._keep.setAccessibleName("Keep the threshold that holds")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOCKS_AFTER_MS)
        self._lay_out()
        self._show_lock()
        self._show_value()
        self._slider.valueChanged.connect(self._moved)
        self._slider.confirmed.connect(self.confirm)
        self._slider.left.connect(self.lock)
        self._lock.toggled.connect(lambda on: self.unlock() if on else self.lock())
        self._back.clicked.connect(self.go_back)
        self._confirm.clicked.connect(self.confirm)
        self._keep.clicked.connect(self.lock)
        self._timer.timeout.connect(self.lock)

    def _lay_out(self) -> None:
        caption = PlainLabel("threshold")
        caption.setObjectName("caption")
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        for widget in (caption, self._slider, self._text, self._lock, self._back):
            row.addWidget(widget)
        answers = QHBoxLayout(self.change_bar)
        answers.setContentsMargins(12, 6, 12, 6)
        answers.addWidget(self._effect, 1)
        answers.addWidget(self._keep)
        answers.addWidget(self._confirm)
        self.change_bar.hide()

    # --- what holds -----------------------------------------------------------------------------------------------

    @property
    def value(self) -> float:
        """The threshold that holds; a proposed one does not yet."""
        return self._value

    @property
    def is_unlocked(self) -> bool:
        """A person may propose another one."""
        return self._lock.isChecked()

    def use(self, threshold: float, *, announces: bool = True) -> None:
        """Another threshold holds, of a recipe or of the cloth; what was proposed is forgotten."""
        threshold = self._rounded(threshold)
        self._before = None
        is_new, self._value = threshold != self._value, threshold
        self.lock()
        if is_new and announces:
            self.changed.emit(threshold)

    # --- what a person does ---------------------------------------------------------------------------------------

    def unlock(self) -> None:
        """A person means to change it; it locks again by itself."""
        self._lock.setChecked(True)
        self._show_lock()
        self._slider.setFocus(Qt.FocusReason.OtherFocusReason)
        self._timer.start()

    def lock(self) -> None:
        """Nothing moves it; what was proposed and not confirmed is forgotten."""
        self._timer.stop()
        self._lock.setChecked(False)
        self._show_value()
        self._show_lock()

    def step(self, by: float) -> bool:
        """Proposes a higher or lower one; False where it is locked."""
        if self.is_unlocked:
            self._slider.setValue(self._slider.value() + round(by * _STEPS))
        return self.is_unlocked

    def confirm(self) -> None:
        """What is proposed holds from now on."""
        proposed = self._slider.value() / _STEPS
        if self.is_unlocked and proposed != self._value:
            self._before, self._value = self._value, proposed
            self.lock()
            self.changed.emit(proposed)
        else:
            self.lock()

    def go_back(self) -> None:
        """The threshold before the last change holds again."""
        if self._before is not None:
            self.use(self._before)

    def locks_after(self, time_ms: int) -> None:
        """So long after the last move it locks again by itself."""
        self._timer.setInterval(time_ms)

    def show_effect(self, effect: str) -> None:
        """What the proposed threshold would do, a sentence."""
        self._effect.setText(effect)

    # --- what is shown --------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        proposed = self._slider.value() / _STEPS
        self._timer.start()
        self._text.setText(f"{proposed:.2f}")
        is_proposed = proposed != self._value
        self.change_bar.setVisible(is_proposed)
        if is_proposed:
            self._confirm.setText(f"Use {proposed:.2f}")
            self._keep.setText(f"Keep {self._value:.2f}")
            self.proposed.emit(proposed)

    def _show_value(self) -> None:
        step = round(self._value * _STEPS)
        self._slider.blockSignals(True)  # nobody has moved it
        self._slider.setRange(min(step, self._slider.minimum()), max(step, self._slider.maximum()))
        self._slider.setValue(step)
        self._slider.blockSignals(False)
        self._text.setText(f"{self._value:.2f}")
        self.change_bar.hide()
        self._back.setVisible(self._before is not None)
        if self._before is not None:
            self._back.setText(f"Back to {self._before:.2f}")

    def _show_lock(self) -> None:
        on = self.is_unlocked
        self._slider.setEnabled(on)
        self._lock.setText("Lock" if on else "Unlock")
        self._lock.setAccessibleName("Lock the threshold" if on else "Unlock the threshold")
        self._lock.setToolTip("Nothing moves the threshold" if on else "Change the threshold (L)")

    @staticmethod
    def _rounded(threshold: float) -> float:
        return round(threshold * _STEPS) / _STEPS
