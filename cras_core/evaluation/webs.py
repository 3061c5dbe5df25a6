"""How good detectors are on strips of web with masks: the same way from pixels to boxes that the line goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.data.datasets import DataSet, open_data_set
from cras_core.data.validation import validate_test_images
from cras_core.data.values import Strip
from cras_core.detectors.base import Detector
from cras_core.evaluation.images import Alter, Bools, depth_of
from cras_core.evaluation.metrics import PixelScores
from cras_core.evaluation.report_header import protocol, remarks
from cras_core.evaluation.web_figures import Tally, at_threshold, figures_of, together
from cras_core.evaluation.web_recall import Reported, StripResult, match_reports, place_of
from cras_core.images import read_image
from cras_core.web.canvas import WebConfig
from cras_core.web.regions import RegionConfig, RegionTracker
from cras_core.web.scoring import ScoredRows, WebInspection

Floats = npt.NDArray[np.float32]
OnResult = Callable[[str, Path, Image, StripResult], object]
"""Name of the detector, file, (H, W) or (H, W, 3) uint8 picture, and what was reported about it."""

Teach = Callable[[str, str, Sequence[Image]], Detector]
"""Name of the detector, fabric, and first pictures of it -> the detector that they have taught."""

_LOWEST_SCORE = 0.2  # regions weaker than this share of the calibrated threshold are not listed
_NEAR_EDGE_MM = 44.0  # of the cloth: as far as a selvedge and what the features of a cell see of it


def evaluate_web(
    detectors: Mapping[str, Detector],
    data: DataSet | Path,
    on_strip: Callable[[Path, int, int], None] = lambda *_: None,
    *,
    known: bool = True,
    on_check: Callable[[Path, int, int], None] = lambda *_: None,
    alter: Alter | None = None,
    on_result: OnResult = lambda *_: None,
    teach: Teach | None = None,
    first_cloth_m: float = 0.5,
) -> dict[str, Any]:
    """Defect recall at fixed false alarms, and pixel figures on cloth; plain values for JSON.

    Args:
        detectors: by name; all judged on the same strips, strip by strip.
        data: a data set of strips; a folder is opened without a name: ``<fabric>/defect`` with ``<fabric>/mask``.
        on_strip: told after each strip how many are done, of how many.
        known: the fabric is given; otherwise each strip is matched (eq. 2).
        on_check: told as ``on_strip`` while all strips are looked at, before the first is judged.
        alter: what is done to every strip first.
        on_result: given what became of each strip, by each detector.
        teach: makes of each detector one that the first strips of a fabric have taught, which then judges all strips
            of it; None lets the detectors judge as they are.
        first_cloth_m: length of those strips together, metres; one strip at least.

    Returns:
        For every detector the figures of every fabric, and of all together: each fabric has a threshold of its own
        for a rate, and the recall of all is that of all their defects. Pixel figures are of inspected cloth;
        ``defect_inspected`` says how much of the masks that is, and what was not inspected is missed in the recall.
        ``remarks`` give the reason of every figure that cannot be had.

    Raises:
        DataError: no such data set, a picture or a mask that cannot be used.
    """
    data = data if isinstance(data, DataSet) else open_data_set(data)
    bits = depth_of(list(detectors.values()), data)
    fabrics, condition = validate_test_images(
        data.strips(), skip_corrupt=data.skip_corrupt, bits=bits, on_picture=on_check
    )
    total, done = sum(len(strips) for strips in fabrics.values()), 0
    report: dict[str, Any] = {name: {} for name in detectors}
    every: dict[str, list[StripResult]] = {name: [] for name in detectors}
    for fabric, strips in fabrics.items():
        mine = {name: Tally([], PixelScores(), *_promise_of(detector)) for name, detector in detectors.items()}
        judges = dict(detectors)
        if teach is not None:
            for name, detector in detectors.items():
                mm_per_px = detector.config.calibration.mm_per_px
                judges[name] = teach(name, fabric, _first_cloth(strips, condition.bits, first_cloth_m, mm_per_px))
        for strip in strips:
            picture = read_image(strip.path, condition.bits)
            mask = strip.read_mask(*picture.shape[:2])
            if alter is not None:
                picture, mask = alter(picture, mask, done)
            for name, detector in judges.items():
                _judge(detector, strip, picture, mask, mine[name], known=known)
                on_result(name, strip.path, picture, mine[name].strips[-1])
            done += 1
            on_strip(strip.path, done, total)
        for name, tally in mine.items():
            every[name] += tally.strips
            report[name][fabric] = figures_of(tally)  # the tally itself, 25 MB of histograms, is not kept
    return {
        name: {
            "protocol": protocol(detector, data, fabrics, condition) | _web_protocol(detector, total, known=known),
            "remarks": remarks(detector, data, fabrics, condition) + _without_figures(report[name]),
            "fabrics": report[name],
            "all": together(report[name], at_threshold(every[name], *_promise_of(detector))),
        }
        for name, detector in detectors.items()
    }


def _first_cloth(strips: Sequence[Strip], bits: int | None, length_m: float, mm_per_px: float) -> list[Image]:
    """The first pictures of a fabric, so many that they make this length."""
    pictures: list[Image] = []
    for strip in strips:
        if sum(len(p) for p in pictures) * mm_per_px / 1000.0 >= length_m:
            break
        pictures.append(read_image(strip.path, bits))
    return pictures


def inspect_strip(detector: Detector, picture: Image, fabric: int | None) -> tuple[list[ScoredRows], int | None]:
    """A strip as the line inspects a web: its rows, and the fabric that it was compared with; ``fabric`` fixes it."""
    config = detector.config
    web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric=fabric))
    return [*web.push(picture), *web.finish()], web.fabric


def per_pixel(score: Floats, cell_px: int, shape: tuple[int, int]) -> tuple[Floats, Bools]:
    """(rows, cols) scores of cells, NaN where nothing was inspected -> (H, W) float32 scores of pixels, 0 there, and
    (H, W) bool where pixels were inspected.
    """
    inside = np.s_[: shape[0], : shape[1]]
    looked_at = np.isfinite(score).repeat(cell_px, axis=0).repeat(cell_px, axis=1)[inside]
    pixels = cv2.resize(np.nan_to_num(score), None, fx=cell_px, fy=cell_px, interpolation=cv2.INTER_LINEAR)[inside]
    return np.asarray(pixels, np.float32), np.asarray(looked_at)


def _promise_of(detector: Detector) -> tuple[float, float]:
    """Millimetres of a pixel, and the false alarms per m2 that its thresholds were made for."""
    calibration = detector.config.calibration
    return calibration.mm_per_px, calibration.false_alarms_per_m2


def _cloth(rows: Sequence[ScoredRows]) -> tuple[float, float]:
    """Left and right edge of the cloth of a strip."""
    left, right = (np.concatenate([getattr(r.edges, side) for r in rows]) for side in ("left", "right"))
    return float(np.median(left)), float(np.median(right))


def _judge(detector: Detector, strip: Strip, picture: Image, mask: Bools, tally: Tally, *, known: bool) -> None:
    config, fabric = detector.config, strip.fabric
    own = detector.fabrics.index(fabric) if fabric in detector.fabrics else None
    rows, matched = inspect_strip(detector, picture, own if known else None)
    tracker = RegionTracker(RegionConfig(_LOWEST_SCORE, is_relative=config.reference.enabled))
    regions = [region for scored in rows for region in tracker.push(scored.score, scored.raw)]
    regions += tracker.finish()
    cell = config.tiling.cell_px
    score = np.concatenate([r.score for r in rows])
    area_m2 = float(np.isfinite(score).sum()) * (cell * config.calibration.mm_per_px / 1000.0) ** 2
    cloth = _cloth(rows)
    boxes = [(r.peak, (r.first_col * cell, r.first_row * cell, r.end_col * cell, r.end_row * cell)) for r in regions]
    near_px = _NEAR_EDGE_MM / config.calibration.mm_per_px
    reported = [Reported(peak, *box, place_of(box, cloth, mask.shape, near_px)) for peak, box in boxes]
    tally.strips.append(match_reports(mask, reported, area_m2, strip.unmarked))
    pixels, looked_at = per_pixel(score, cell, (mask.shape[0], mask.shape[1]))
    tally.pixels.add(mask & looked_at, pixels, looked_at)
    tally.masked_px += int(mask.sum())
    tally.masked_and_inspected_px += int((mask & looked_at).sum())
    tally.is_known = own is not None
    tally.matched += own is not None and matched == own


def _without_figures(figures: Mapping[str, dict[str, Any]]) -> list[str]:
    """Why fabrics lack figures."""
    return [
        f"{name}: no defects on its strips, so there is no recall" for name, f in figures.items() if not f["defects"]
    ]


def _web_protocol(detector: Detector, strips: int, *, known: bool) -> dict[str, Any]:
    config = detector.config
    return {
        "strips": strips,
        "fabric_known": known,
        "lowest_score": _LOWEST_SCORE,
        "tile_px": config.tiling.tile_px,
        "mm_per_px": config.calibration.mm_per_px,
        "config": config.to_dict(),
    }
