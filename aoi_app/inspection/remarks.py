"""What there is to say of the cloth that is no defect, once per web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aoi_app.inspection.defects import RemarkKind
from aoi_app.inspection.order_check import OrderCheck
from cras_core.web.calibration import FabricCalibration
from cras_core.web.scoring import ScoredRows


@dataclass(frozen=True, slots=True)
class Said:
    """One remark: its kind, the fabric that the cloth was compared with, where it begins, and its text."""

    kind: RemarkKind
    fabric: str
    first_line: int
    text: str


class ClothRemarks:
    """Remarks on one web; each kind is said once for a fabric, not once for every piece."""

    def __init__(self, calibrations: Sequence[FabricCalibration], ordered: int | None) -> None:
        """
        Args:
            calibrations: of the fabrics that the model knows.
            ordered: index of the fabric that the order names, which the cloth is compared with whatever it matches;
                None where the cloth is matched.
        """
        self._calibrations = calibrations
        self._is_ordered = ordered is not None
        self._order = OrderCheck(calibrations, ordered)
        self._said: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Another web begins: everything is said anew."""
        self._said.clear()
        self._order.forget()

    def look(self, rows: ScoredRows, first_line: int) -> list[Said]:
        """What is new about finished rows of cloth that begin at a line of the roll."""
        if len(rows.similarities) == 0:  # their last cells, in a stretch that has none any more
            return []
        fabric = self._calibrations[rows.fabric].fabric
        found = self._state_of(rows)
        said = [
            Said(kind, fabric, first_line, text) for kind, text in found.items() if (kind, fabric) not in self._said
        ]
        self._said |= {(kind, fabric) for kind in found}
        mismatch = self._order.look(rows.similarities, first_line, first_line + len(rows.image))
        if mismatch is not None:
            said.append(Said("mismatch", mismatch.fabric, mismatch.first_line, mismatch.text))
        return said

    def _state_of(self, rows: ScoredRows) -> dict[RemarkKind, str]:
        calibration = self._calibrations[rows.fabric]
        fabric = calibration.fabric
        matches = f"is compared with {fabric}, as ordered" if self._is_ordered else f"matches {fabric}"
        found: dict[RemarkKind, str] = {"matched": f"the cloth {matches} (similarity {rows.similarity:.2f})"}
        is_another = self._is_ordered and int(rows.similarities.argmax()) != rows.fabric  # then the order is wrong
        if rows.similarity < calibration.similarity_limit and not is_another:
            found["unknown"] = (
                f"unknown cloth: its similarity to {fabric}, {rows.similarity:.2f}, "
                f"is below {calibration.similarity_limit:.2f}; enrol it"
            )
        if rows.level > calibration.level_limit and not is_another:
            found["level"] = (
                f"this roll differs from the enrolled {fabric} as a whole: its features lie "
                f"{rows.level:.1f} standard deviations away (limit {calibration.level_limit:.1f}); check lamp, focus "
                "and yarn, or enrol it where it is another fabric"
            )
        return found
