"""Pictures of every false alarm and of every miss, for whoever wants to look before choosing a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.errors import DataError
from cras_core.evaluation.web_recall import Box, StripResult
from cras_core.files import write_atomically
from cras_core.web.canvas import as_gray
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

_CROP_PX = (320, 240)  # width and height of one picture on a sheet
_ACROSS, _DOWN = 6, 5  # pictures on a sheet
_LEAST_HALF_PX = 50  # of the strip, above and below the middle of a box
_BESIDE = 0.8  # times the longer side of a box is shown on either side of its middle
_BACKGROUND = 250  # grey values from here on are a white table, and do not count for the contrast
_MOST = 600  # pictures of each kind; the strongest false alarms, the first misses

Crop = npt.NDArray[np.uint8]


class MistakeSheets:
    """Collects the mistakes at the calibrated threshold, strip by strip, and writes them as sheets of pictures.

    Holds a small picture of each, not the strips.
    """

    def __init__(self) -> None:
        self._false_alarms: list[tuple[float, Crop]] = []
        self._misses: list[Crop] = []
        self.left_out = 0
        """Mistakes that are on no sheet because there were too many."""

    def add(self, name: str, picture: Image, result: StripResult) -> None:
        """Takes what became of a strip.

        Args:
            name: of the strip.
            picture: (H, W) or (H, W, 3) uint8.
            result: what was reported about it.
        """
        grey = as_gray(picture)
        for alarm in result.false_alarms:
            if reaches(alarm.peak, CALIBRATED_THRESHOLD):
                text = f"{name} {alarm.peak:.2f} x{alarm.left_px} y{alarm.top_px} {alarm.place}"
                self._false_alarms.append((alarm.peak, _crop(grey, alarm.box, text)))
        for defect in result.defects:
            if not reaches(defect.score, CALIBRATED_THRESHOLD):
                score = f"{defect.score:.2f}" if np.isfinite(defect.score) else "not seen"
                text = f"{name} {score} x{defect.box[0]} y{defect.box[1]} {defect.shape}"
                self._misses.append(_crop(grey, defect.box, text))
        self._forget_surplus()

    def write(self, folder: Path) -> list[Path]:
        """Writes ``false-alarms-1.jpg``, the strongest first, and ``missed-1.jpg`` and so on; sheets of an earlier run
        are removed.

        Returns:
            The files; none where there was no mistake.

        Raises:
            DataError: the folder cannot be written.
        """
        by_peak = sorted(self._false_alarms, key=lambda alarm: -alarm[0])
        kinds = {"false-alarms": [crop for _, crop in by_peak], "missed": self._misses}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for kind in kinds:
                for old in folder.glob(f"{kind}-*.jpg"):
                    old.unlink()
            return [path for kind, crops in kinds.items() for path in _write(folder, kind, crops)]
        except OSError as error:
            raise DataError(
                "sheets-unwritable",
                "The sheets cannot be written to {folder}: {reason}. Choose another folder or free some space.",
                folder=folder,
                reason=error,
            ) from error

    def _forget_surplus(self) -> None:
        if len(self._false_alarms) > _MOST:
            self._false_alarms.sort(key=lambda alarm: -alarm[0])
        self.left_out += max(0, len(self._false_alarms) - _MOST) + max(0, len(self._misses) - _MOST)
        del self._false_alarms[_MOST:], self._misses[_MOST:]


def _crop(grey: Image, box: Box, text: str) -> Crop:
    """(240, 320, 3) BGR: the surroundings of a box, stretched in contrast, the box in red."""
    height, width = grey.shape
    left, top, right, bottom = box
    half = int(min(height / 2, width / 2, max(_LEAST_HALF_PX, _BESIDE * max(right - left, bottom - top))))
    across = min(width, round(2 * half * _CROP_PX[0] / _CROP_PX[1]))
    x = int(np.clip((left + right - across) // 2, 0, width - across))
    y = int(np.clip((top + bottom) // 2 - half, 0, height - 2 * half))
    part = grey[y : y + 2 * half, x : x + across].astype(np.float32)
    cloth = part[part < _BACKGROUND]
    low, high = np.percentile(cloth if len(cloth) else part, (0.5, 99.7))
    stretched = np.clip((part - low) * 255 / max(1.0, high - low), 0, 255).astype(np.uint8)
    shown = cv2.cvtColor(cv2.resize(stretched, _CROP_PX, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    by_x, by_y = _CROP_PX[0] / across, _CROP_PX[1] / (2 * half)
    corners = [(int((left - x) * by_x) - 2, int((top - y) * by_y) - 2)]
    corners += [(int((right - x) * by_x) + 2, int((bottom - y) * by_y) + 2)]
    cv2.rectangle(shown, corners[0], corners[1], (0, 0, 255), 1)
    cv2.putText(shown, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 255, 255), 1)
    return np.asarray(shown, dtype=np.uint8)


def _write(folder: Path, kind: str, crops: Sequence[Crop]) -> list[Path]:
    on_one = _ACROSS * _DOWN
    paths = []
    for number, first in enumerate(range(0, len(crops), on_one), start=1):
        part = list(crops[first : first + on_one])
        part += [np.zeros_like(part[0])] * (-len(part) % _ACROSS)
        rows = [np.hstack(part[i : i + _ACROSS]) for i in range(0, len(part), _ACROSS)]
        ok, data = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 90])
        if not ok:
            raise DataError("sheet-not-encoded", "The sheet {name} cannot be made.", name=f"{kind}-{number}.jpg")
        paths.append(folder / f"{kind}-{number}.jpg")
        write_atomically(paths[-1], data.tobytes())
    return paths
