"""Stand-ins where only geometry is tested, and small helpers of the tests of the program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.inspection.findings.defects import Defect, Gap
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import EndOfWeb, FrameSource
from cras_core.web.calibration import FabricCalibration
from cras_core.web.protocols import CellScores
from cras_core.web.tiling import TilingConfig

Image = npt.NDArray[np.uint8]

PLAIN = Recipe(find_edges=False, relative=False, find_shade=False, proof_every_m=0.0)
"""Nothing between the brightness of a cell and its score."""


@dataclass(frozen=True)
class SeenBrightness:
    raw: npt.NDArray[np.float32]
    similarity: npt.NDArray[np.float32]

    def median_features(self, cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        return np.median(self.raw[cells], keepdims=True).astype(np.float32)

    def score(self, fabric: int | None = None, middle: npt.NDArray[np.float32] | None = None) -> CellScores:
        raw = self.raw if middle is None else self.raw - middle
        return CellScores(raw[None], self.similarity, np.full(len(raw), 0 if fabric is None else fabric, np.int64))


class Brightness:
    """Scores a cell by its mean brightness: 100 grey values are the limit of the fabric."""

    def __init__(self, fabrics: Sequence[str] = ("plain", "twill")) -> None:
        self.calibrations = tuple(
            FabricCalibration(
                fabric=f,
                centre=0.0,
                spread=1.0,
                limit=1.0,
                raw_limit=1.0,
                level_limit=1e9,
                seen_m2=1.0,
            )
            for f in fabrics
        )

    @property
    def medians(self) -> npt.NDArray[np.float32]:
        return np.zeros((len(self.calibrations), 1), np.float32)

    def extract_features(self, tiles: Image) -> SeenBrightness:
        grey = tiles.astype(np.float32) if tiles.ndim == 3 else tiles.astype(np.float32).mean(axis=3)
        n, height, width = grey.shape
        raw = grey.reshape(n, height // 8, 8, width // 8, 8).mean(axis=(2, 4)) / np.float32(100.0)
        similarity = np.zeros((n, len(self.calibrations)), np.float32)
        similarity[:, 0] = 1.0
        return SeenBrightness(raw, similarity)


class SlowBrightness(Brightness):
    """The same, later."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def extract_features(self, tiles: Image) -> SeenBrightness:
        time.sleep(self._seconds)
        return super().extract_features(tiles)


class FailingBrightness(Brightness):
    """Breaks down at the nth call and at all that follow."""

    def __init__(self, at_call: int) -> None:
        super().__init__()
        self._left = at_call

    def extract_features(self, tiles: Image) -> SeenBrightness:
        self._left -= 1
        if self._left <= 0:
            raise RuntimeError("the accelerator has fallen off the bus")
        return super().extract_features(tiles)


class Items:
    """A source of given items; an exception among them is raised, an event waited for."""

    def __init__(self, *items: Any, is_live: bool = False) -> None:
        self._items = iter(items)
        self.is_live = is_live
        self.name = "items"
        self.total_lines = None
        self.closed = False

    def __enter__(self) -> Items:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    def read(self, timeout_s: float) -> Frame | Lost | None:
        item = next(self._items, EndOfWeb())
        if isinstance(item, threading.Event):
            item.wait(60.0)
            return None
        if isinstance(item, Exception):
            raise item
        return item


def roll_inspection(recipe: Recipe = PLAIN, *, keep_tiles: bool = False) -> RollInspection:
    return RollInspection(Brightness(), TilingConfig(), recipe, keep_tiles=keep_tiles)


def dark(lines: int, width_px: int = 256) -> Image:
    return np.zeros((lines, width_px), np.uint8)


def frame(image: Image, source: str = "a.png", *, starts_web: bool = False) -> Frame:
    return Frame(image, source, 0.0, starts_web)


def cut_frames(image: Image, sizes: Iterable[int]) -> list[Frame]:
    """Frames of these sizes one after the other; the last one takes what is left."""
    frames, line = [], 0
    for size in sizes:
        if size > 0 and line < len(image):
            frames.append(frame(image[line : line + size], f"f{len(frames):04d}.png"))
            line += size
    if line < len(image):
        frames.append(frame(image[line:], f"f{len(frames):04d}.png"))
    return frames


def inspect_all(inspection: RollInspection, items: Iterable[Frame | Lost]) -> list[Outcome]:
    return [*(inspection.push(item) for item in items), inspection.finish()]


def listed(outcomes: Iterable[Outcome]) -> list[Defect]:
    """The defects as they stand in the end, by number."""
    now: dict[int, Defect] = {}
    for outcome in outcomes:
        now |= {d.number: d for d in outcome.defects}
        for number in outcome.withdrawn:
            now.pop(number, None)
    return [now[number] for number in sorted(now)]


def gaps_of(outcomes: Iterable[Outcome]) -> list[Gap]:
    return [g for o in outcomes for g in o.gaps]


def read_all(source: FrameSource) -> list[Frame | Lost]:
    items = []
    with source:
        while True:
            try:
                item = source.read(1.0)
            except EndOfWeb:
                return items
            if item is not None:
                items.append(item)


def png(image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Waits for something that will happen; fails when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
