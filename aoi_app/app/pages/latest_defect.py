"""The latest defect of the running roll: shown large, said in one word, heard where that is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QApplication

from aoi_app.alarms.condition import Condition
from aoi_app.app.pages.program import Program
from aoi_app.inspection.findings.attention import attention_of, latest_of
from aoi_app.inspection.findings.defects import Defect
from aoi_app.live.state import Snapshot
from aoi_app.ui.line.line_page import LinePage

_KEPT = 64


class LatestDefect:
    """Follows the news of a roll."""

    def __init__(self, program: Program, page: LinePage) -> None:
        """``page``: of the operator; its table knows the verdicts."""
        self._program, self._page = program, page
        self._known: dict[int, Defect] = {}  # the last ones: one may be withdrawn
        self._heard = 0  # the highest number so far

    def clear(self) -> None:
        """Another roll begins."""
        self._known.clear()
        self._heard = 0

    def go_on(self, defects: Sequence[Defect]) -> None:
        """Defects that an earlier program has found on this roll: known, and not heard again."""
        self._keep(defects)
        self._heard = max(self._known, default=0)

    def take(self, defects: Sequence[Defect], withdrawn: Sequence[int]) -> None:
        """What was found since the last look."""
        self._keep(defects)
        for number in withdrawn:
            self._known.pop(number, None)
        newest = max(self._known, default=0)
        if newest > self._heard and self._program.settings.now.defect_sound:
            QApplication.beep()
        self._heard = max(self._heard, newest)

    def _keep(self, defects: Sequence[Defect]) -> None:
        known = self._known | {defect.number: defect for defect in defects}
        latest = sorted(known.values(), key=_end_of)[-_KEPT:]
        self._known = {defect.number: defect for defect in latest}

    def show(self, snapshot: Snapshot) -> None:
        """Shows what holds at this moment."""
        last = latest_of(self._known.values(), snapshot.position_m)
        review = self._page.table.defects.review(last.number) if last is not None else None
        panel = self._page.last_defect
        panel.show_defect(last, review)
        panel.show_attention(
            attention_of(
                last if not snapshot.state.is_over else None,
                review.verdict if review is not None else None,
                position_m=snapshot.position_m,
                threshold=snapshot.threshold,
                is_proven=snapshot.status.condition is Condition.INSPECTING,
            )
        )


def _end_of(defect: Defect) -> tuple[bool, float]:
    return defect.is_open, defect.position_m + defect.length_mm / 1000.0
