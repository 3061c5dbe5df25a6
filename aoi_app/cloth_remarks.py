"""What there is to say of the cloth that is no defect, once per web."""

from __future__ import annotations

from aoi_app.defects import RemarkKind
from cras_core.calibration import FabricCalibration
from cras_core.web.inspection import ScoredRows


class ClothRemarks:
    """Remarks on one web; each kind is said once for a fabric, not once for every piece."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Another web, or another model: everything is said anew."""
        self._said.clear()

    def look(self, rows: ScoredRows, calibration: FabricCalibration) -> list[tuple[RemarkKind, str, str]]:
        """What is new about finished rows -> kind, fabric and text of each remark.

        Args:
            rows: cloth that was scored.
            calibration: of the fabric that it was compared with.
        """
        fabric = calibration.fabric
        found: dict[RemarkKind, str] = {"matched": f"the cloth matches {fabric} (similarity {rows.similarity:.2f})"}
        if rows.similarity < calibration.similarity_limit:
            found["unknown"] = (
                f"unknown cloth: its similarity to {fabric}, {rows.similarity:.2f}, "
                f"is below {calibration.similarity_limit:.2f}; enrol it"
            )
        if rows.level > calibration.level_limit:
            found["level"] = (
                f"this roll differs from the enrolled {fabric} as a whole: its features lie "
                f"{rows.level:.1f} standard deviations away (limit {calibration.level_limit:.1f}); check lamp, focus "
                "and yarn"
            )
        new = [(kind, fabric, text) for kind, text in found.items() if (kind, fabric) not in self._said]
        self._said |= {(kind, fabric) for kind in found}
        return new
