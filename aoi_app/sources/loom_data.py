"""The loom's cloth as files: normal strips, strips with planted defects, and their masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from aoi_app.sources.loom import WEAVES, Loom, LoomConfig, PlantedDefect
from aoi_app.sources.source import SourceError

_SHORTEST_PART_LINES = 8  # of a defect that a strip must show: one row of cells


def write_data_set(out: Path, strips: int, lines: int, width_px: int, seed: int) -> None:
    """Writes ``<weave>/normal``, ``<weave>/defect`` and ``<weave>/mask`` for every weave.

    Raises:
        SourceError: the folder cannot be written.
    """
    try:
        for k, weave in enumerate(WEAVES):
            for kind in ("normal", "defect", "mask"):
                (out / weave / kind).mkdir(parents=True, exist_ok=True)
            good = Loom(LoomConfig(weave=weave, width_px=width_px, defects_per_1000_lines=0.0, seed=seed + k))
            for i in range(strips):
                # Far apart, so that the light has drifted in between.
                _write(out / weave / "normal" / f"{weave}_n{i:03d}.png", good.weave(i * 7 * lines, lines))
            bad = Loom(LoomConfig(weave=weave, width_px=width_px, defects_per_1000_lines=2.0, seed=seed + 50 + k))
            written = line = 0
            while written < strips:
                planted = [d for d in bad.defects(line, line + lines) if _shows(d, line, line + lines)]
                if planted:
                    mask = np.zeros((lines, width_px), np.uint8)
                    for d in planted:
                        mask[max(0, d.first_line - line) : d.end_line - line, d.left_px : d.right_px] = 255
                    _write(out / weave / "defect" / f"{weave}_{written:03d}.png", bad.weave(line, lines))
                    _write(out / weave / "mask" / f"{weave}_{written:03d}.png", mask)
                    written += 1
                line += lines
    except OSError as error:
        raise SourceError("file-unwritable", "{path} cannot be written: {reason}", path=out, reason=error) from error


def _shows(defect: PlantedDefect, first_line: int, end_line: int) -> bool:
    """Whether enough of a defect lies in these lines to be seen."""
    visible = min(defect.end_line, end_line) - max(defect.first_line, first_line)
    return visible >= min(_SHORTEST_PART_LINES, defect.end_line - defect.first_line)


def _write(path: Path, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
