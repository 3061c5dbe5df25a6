"""What there is to say of the cloth that is no defect, once per web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aoi_app.inspection.cloth.work_order import LASTS_LINES, WorkOrderCheck, identify_fabric
from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.findings.defects import Remark, RemarkKind
from aoi_app.inspection.web.web_scale import WebScale
from cras_core.shade.light import LightEvent
from cras_core.web.calibration import FabricCalibration
from cras_core.web.scoring import ScoredRows


class ClothRemarks:
    """Remarks on one web; each kind is said once for a fabric, not once for every piece."""

    def __init__(self, calibrations: Sequence[FabricCalibration], ordered: int | None, taught: str = "") -> None:
        """
        Args:
            calibrations: of the fabrics that the model knows.
            ordered: index of the fabric that the work order names, which the cloth is compared with whatever it
                matches; None where the cloth is matched.
            taught: what the model rests on where this web has taught it the ordered fabric; else empty.
        """
        self._calibrations = calibrations
        self._is_ordered = ordered is not None
        self._taught = taught
        self._work_order = WorkOrderCheck(calibrations, ordered)
        self._said: set[tuple[str, str]] = set()
        self._strange_since: int | None = None  # line of the roll
        self._has_begun = False
        self._doubts: tuple[ClothDoubt, ...] = ()

    @property
    def doubts(self) -> tuple[ClothDoubt, ...]:
        """What speaks against the cloth that was read last; a remark is told once, a doubt stays while it holds."""
        return self._doubts

    def forget(self) -> None:
        """Another web begins: everything is said anew."""
        self._said.clear()
        self._strange_since = None
        self._has_begun = False
        self._doubts = ()
        self._work_order.forget()

    def read(self, rows: ScoredRows, first_line: int, scale: WebScale) -> list[Remark]:
        """What is new about finished rows of cloth.

        Args:
            rows: of cells.
            first_line: line of the roll that they begin with.
            scale: of the web.
        """
        if len(rows.distances) == 0:  # their last cells, in a band that has none any more
            return []

        def remark(kind: RemarkKind, fabric: str, line: int, text: str) -> Remark:
            return Remark(kind, fabric, line, scale.position_m(line), text)

        fabric = self._calibrations[rows.fabric].fabric
        state = self._state_of(rows, first_line)
        unsaid = [kind for kind in state if (kind, fabric) not in self._said]
        new = [remark(kind, fabric, first_line, state[kind]) for kind in unsaid]
        self._said |= {(kind, fabric) for kind in state}
        mismatch = self._work_order.check(rows.distances, first_line, first_line + len(rows.image))
        if mismatch is not None:
            new.append(remark("mismatch", mismatch.fabric, mismatch.first_line, mismatch.text))
        self._doubts = tuple(self._doubts_of(state, first_line, scale))
        return new

    def _doubts_of(self, state: Mapping[RemarkKind, str], first_line: int, scale: WebScale) -> Iterator[ClothDoubt]:
        mismatch = self._work_order.now
        if mismatch is not None:
            line = mismatch.first_line
            yield ClothDoubt("wrong cloth", mismatch.text, line, scale.position_m(line))
        line = self._strange_since if self._strange_since is not None else first_line
        if "unknown" in state:
            yield ClothDoubt("unknown cloth", state["unknown"], line, scale.position_m(line))
        if "level" in state:
            yield ClothDoubt("differs as a whole", state["level"], line, scale.position_m(line))
        if self._taught:
            text = f"this web is judged by its own first cloth, which nobody has looked at ({self._taught})"
            yield ClothDoubt("taught by this web", text, first_line, scale.position_m(first_line))

    def _state_of(self, rows: ScoredRows, first_line: int) -> dict[RemarkKind, str]:
        calibration = self._calibrations[rows.fabric]
        fabric = calibration.fabric
        matches = f"is compared with {fabric}, as ordered" if self._is_ordered else f"matches {fabric}"
        if self._taught:
            matches = "is compared with the first cloth of this web"
        found: dict[RemarkKind, str] = {"matched": f"the cloth {matches} (similarity {rows.similarity:.2f})"}
        # Wrong cloth is told as a mismatch; that it is also unlike the ordered one goes without saying.
        is_another = self._is_ordered and identify_fabric(rows.distances, self._calibrations, rows.fabric) not in (
            rows.fabric,
            None,
        )
        if self._is_strange(rows, first_line) and not is_another:
            times = f"{rows.distance / calibration.level_limit:.1f} times as far from it as its own cloth may be"
            if self._is_ordered:
                found["level"] = (
                    f"this roll differs from the enrolled {fabric} as a whole: {times}; check lamp, focus and yarn"
                )
            else:
                del found["matched"]  # the nearest fabric, which it is not
                found["unknown"] = (
                    f"unknown cloth: {fabric} is nearest, {times}; enrol it, or check lamp, focus and yarn if it is "
                    f"{fabric}"
                )
        return found

    def _is_strange(self, rows: ScoredRows, first_line: int) -> bool:
        """Whether the cloth lies beyond the limit of its fabric: from the beginning of the web, or for long enough
        since. A stretch of a few decimetres may be a stain, a seam, or chance.
        """
        if rows.distance <= self._calibrations[rows.fabric].level_limit:
            self._has_begun, self._strange_since = True, None
            return False
        if self._strange_since is None:
            self._strange_since = first_line
        return not self._has_begun or first_line + len(rows.image) - self._strange_since >= LASTS_LINES


def light_text(event: LightEvent) -> str:
    """What the light did, with what it may come from."""
    towards = "brighter" if event.change_percent > 0 else "darker"
    percent = abs(event.change_percent)
    if event.kind == "jump":
        causes = "lamp or exposure, or another lot of cloth begins"
        return f"the whole width becomes {percent:.0f} % {towards} at once: {causes}"
    return f"the whole width has slowly become {percent:.0f} % {towards}: check the lamp"
