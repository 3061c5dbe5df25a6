"""Procedural cloth: several weaves, selvedges, uneven and drifting light, planted defects whose truth is known.

It ships with the program, needs neither files nor camera, and is the same for the same seed. Nothing in it claims to
be real cloth; it has what makes a
web hard: a texture without fixed phase, yarns that differ, edges that wander, light that falls off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame
from aoi_app.sources.options import SourceOptions
from aoi_app.sources.source import EndOfWeb, Pace, SourceError
from cras_core.arrays import FloatArray, Image

Shape = Literal["block", "point", "line"]

# One repeat of each weave: 1 where the warp thread lies over the weft.
_PLAIN = np.array([[1, 0], [0, 1]])
_TWILL = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1]])
_SATIN = np.array([[(3 * j) % 8 != i for i in range(8)] for j in range(8)], dtype=int)
_BASKET = np.kron(_PLAIN, np.ones((2, 2), dtype=int))


@dataclass(frozen=True, slots=True)
class Weave:
    """How a cloth is made.

    Attributes:
        name: for lists.
        pattern: (picks, ends) 1 where the warp lies on top.
        yarn_px: width of a yarn, pixels.
        brightness: of the cloth, 0..255.
        contrast: between a yarn's middle and its edge.
        unevenness: relative deviation from yarn to yarn.
    """

    name: str
    pattern: npt.NDArray[np.int_]
    yarn_px: float
    brightness: float
    contrast: float
    unevenness: float


WEAVES = {
    w.name: w
    for w in (
        Weave("plain", _PLAIN, 6.3, 120.0, 60.0, 0.05),
        Weave("twill", _TWILL, 5.2, 95.0, 55.0, 0.06),
        Weave("satin", _SATIN, 5.6, 140.0, 45.0, 0.04),
        Weave("basket", _BASKET, 4.7, 110.0, 50.0, 0.05),
    )
}

BACKGROUNDS = ("white", "dark", "table")


@dataclass(frozen=True, slots=True)
class LoomConfig:
    """What the loom weaves.

    Attributes:
        weave: one of ``WEAVES``.
        width_px: pixels in a line.
        background: what lies beside the cloth, one of ``BACKGROUNDS``.
        margin_px: mean width of the background on each side, pixels.
        frame_lines: lines in a frame.
        lines_per_s: line rate; None is as fast as inspection goes.
        is_live: do not wait for a reader that is late.
        defects_per_1000_lines: how often something goes wrong.
        total_lines: after these the roll ends; None weaves for ever.
        light_drift: relative change of the light over 20 000 lines.
        seed: everything random follows from it.
    """

    weave: str = "twill"
    width_px: int = 1536
    background: str = "white"
    margin_px: int = 90
    frame_lines: int = 256
    lines_per_s: float | None = 600.0
    is_live: bool = False
    defects_per_1000_lines: float = 1.0
    total_lines: int | None = None
    light_drift: float = 0.08
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PlantedDefect:
    """The truth about one defect, pixels and lines of the web."""

    kind: str
    shape: Shape
    first_line: int
    end_line: int
    left_px: int
    right_px: int


class Loom:
    """Weaves any lines of an endless web; the same lines always look the same."""

    def __init__(self, config: LoomConfig) -> None:
        if config.weave not in WEAVES:
            raise SourceError(
                "loom-weave-unknown",
                "The loom knows no weave {weave!r}; it knows {known}.",
                weave=config.weave,
                known=list(WEAVES),
            )
        if config.background not in BACKGROUNDS:
            raise SourceError(
                "loom-background-unknown",
                "The loom knows no background {background!r}; it knows {known}.",
                background=config.background,
                known=list(BACKGROUNDS),
            )
        if config.width_px < 2 * config.margin_px + 256 or config.frame_lines < 16:
            raise SourceError(
                "loom-too-narrow",
                "The loom needs at least {least_px} px and 16 lines in a frame.",
                least_px=2 * config.margin_px + 256,
            )
        self._config = config
        self._weave = WEAVES[config.weave]
        # A stream of its own for each thing that is random, so that none of them moves when another is changed.
        rng = np.random.default_rng([config.seed, 1])
        self._warp = 1 + self._weave.unevenness * rng.standard_normal(
            int(config.width_px / self._weave.yarn_px) + 4
        ).astype(np.float32)
        x = np.linspace(-1, 1, config.width_px, dtype=np.float32)
        self._light = (1 - 0.18 * x**2 + 0.05 * x).astype(np.float32)  # a lamp falls off towards the sides

    def weave(self, first_line: int, lines: int) -> Image:
        """(lines, width_px) uint8."""
        margin = 8  # lines of blur that reach in from above and below
        line = np.arange(first_line - margin, first_line + lines + margin)
        cloth = self._threads(line)
        for defect in self.defects(int(line[0]), int(line[-1]) + 1):
            self._spoil(cloth, defect, int(line[0]))
        blurred = np.asarray(cv2.GaussianBlur(cloth, (0, 0), 0.8), dtype=np.float32)[margin:-margin]
        line = line[margin:-margin]
        drift = 1 + self._config.light_drift * np.sin(2 * np.pi * line / 20000.0)[:, None]
        image = blurred * self._light * drift
        left, right = self.edges(line)
        column = np.arange(self._config.width_px, dtype=np.float32)[None, :]
        inside = np.clip(column - left[:, None] + 0.5, 0, 1) * np.clip(right[:, None] - column + 0.5, 0, 1)
        image = image * inside + self._beside(line) * (1 - inside)
        noise = np.concatenate([self._noise(int(n)) for n in np.unique(line // 64)])
        image += 2.0 * noise[line[0] % 64 : line[0] % 64 + len(line)]  # grey values, what a camera has on good light
        return np.asarray(np.clip(image, 0, 255), dtype=np.uint8)

    def edges(self, line: npt.NDArray[np.int_]) -> tuple[FloatArray, FloatArray]:
        """Left and right edge of the cloth in each line, pixels."""
        phase = 0.7 * self._config.seed
        left = self._config.margin_px + 9 * np.sin(line / 900.0 + phase) + 3 * np.sin(line / 170.0)
        right = (
            self._config.width_px
            - self._config.margin_px
            + 7 * np.sin(line / 1100.0 + 2 + phase)
            + 3 * np.sin(line / 210.0)
        )
        return left.astype(np.float32), right.astype(np.float32)

    def defects(self, first_line: int, end_line: int) -> list[PlantedDefect]:
        """What is planted in these lines."""
        # A defect belongs to the block of lines that it begins in, and may reach into later ones.
        blocks = range(max(0, first_line - _LONGEST_LINES) // _BLOCK_LINES, end_line // _BLOCK_LINES + 1)
        return [d for b in blocks for d in self._plant(b) if d.first_line < end_line and d.end_line > first_line]

    def _plant(self, block: int) -> list[PlantedDefect]:
        rng = np.random.default_rng([self._config.seed, 2, block])
        found = []
        for _ in range(int(rng.poisson(self._config.defects_per_1000_lines * _BLOCK_LINES / 1000.0))):
            kind, shape, height, width = _KINDS[int(rng.integers(len(_KINDS)))]
            h, w = (int(rng.integers(low, high + 1)) for low, high in (height, width))
            first = block * _BLOCK_LINES + int(rng.integers(_BLOCK_LINES))
            room = self._config.margin_px + 80
            left = int(rng.integers(room, max(room + 1, self._config.width_px - room - w)))
            found.append(
                PlantedDefect(kind, shape, first, first + h, left, min(left + w, self._config.width_px - room))
            )
        return found

    def _threads(self, line: npt.NDArray[np.int_]) -> FloatArray:
        """The weave in bare numbers: brightness of the yarn on top, round in its profile."""
        weave, width = self._weave, self._config.width_px
        x = np.arange(width) / weave.yarn_px
        y = line / weave.yarn_px
        end, pick = np.floor(x).astype(int), np.floor(y).astype(int)
        over = weave.pattern[pick[:, None] % weave.pattern.shape[0], end[None, :] % weave.pattern.shape[1]]
        round_x = np.cos(np.pi * (x - end - 0.5)).astype(np.float32)  # 1 in the middle of a yarn, 0 at its edges
        round_y = np.cos(np.pi * (y - pick - 0.5)).astype(np.float32)
        weft = 1 + weave.unevenness * np.array(
            # A weft yarn is as thick wherever the web is looked at from, so it is drawn by its own number.
            [np.random.default_rng([self._config.seed, 3, p + 10_000]).standard_normal() for p in np.unique(pick)]
        )
        weft_at = weft[pick - pick.min()].astype(np.float32)
        warp = (weave.brightness + weave.contrast * (round_x - 0.5)) * self._warp[end]
        # Weft is darker than warp, which the lamp meets lengthwise.
        filling = 0.88 * (weave.brightness + weave.contrast * (round_y - 0.5)) * weft_at
        cloth = np.where(over == 1, warp[None, :], filling[:, None]).astype(np.float32)
        left, right = self.edges(line)
        column = np.arange(width)[None, :]
        selvedge = (column < left[:, None] + 36) | (column > right[:, None] - 36)
        stripe = np.where((column // 9) % 2 == 0, 1.25, 0.8)  # selvedges are woven more densely
        return np.asarray(np.where(selvedge, cloth * stripe, cloth), dtype=np.float32)

    def _spoil(self, cloth: FloatArray, defect: PlantedDefect, first_line: int) -> None:
        """Draws a defect into ``cloth`` in place."""
        rows = np.arange(len(cloth))[:, None] + first_line
        cols = np.arange(cloth.shape[1])[None, :]
        a, b = max(0, defect.first_line - first_line), min(len(cloth), defect.end_line - first_line)
        if a >= b:
            return
        span = (slice(a, b), slice(defect.left_px, defect.right_px))
        middle_y, middle_x = (defect.first_line + defect.end_line) / 2, (defect.left_px + defect.right_px) / 2
        radius_y, radius_x = (
            max(1.0, (defect.end_line - defect.first_line) / 2),
            max(1.0, (defect.right_px - defect.left_px) / 2),
        )
        ellipse = np.clip(
            1.5
            - 1.5 * np.sqrt(((rows[a:b] - middle_y) / radius_y) ** 2 + ((cols[:, span[1]] - middle_x) / radius_x) ** 2),
            0,
            1,
        )
        if defect.kind == "stain":
            cloth[span] *= 1 - 0.35 * ellipse
        elif defect.kind == "hole":
            cloth[span] += (25.0 - cloth[span]) * (ellipse > 0.3)
        elif defect.kind == "knot":
            cloth[span] += (230.0 - cloth[span]) * 0.8 * ellipse
        elif defect.kind == "nep":
            cloth[span] *= 1 - 0.7 * ellipse
        elif defect.kind == "broken end":
            cloth[span] *= 0.45
        else:  # broken pick, thick place: a weft yarn that is missing or too thick
            cloth[span] *= 0.5 if defect.kind == "broken pick" else 1.35

    def _beside(self, line: npt.NDArray[np.int_]) -> FloatArray:
        width = self._config.width_px
        if self._config.background == "white":
            # Over 255: a white table is saturated under a lamp that is set for cloth.
            return np.full((len(line), width), 262.0, np.float32)
        if self._config.background == "dark":
            return np.full((len(line), width), 12.0, np.float32)
        streak = np.array(
            [np.random.default_rng([self._config.seed, 4, int(n)]).standard_normal() for n in line // 3], np.float32
        )
        shade = 8 * np.sin(np.arange(width, dtype=np.float32) / 60)
        return np.asarray(170 + 12 * streak[:, None] + shade[None, :], dtype=np.float32)

    def _noise(self, block: int) -> FloatArray:
        return np.random.default_rng([self._config.seed, 5, block + 1_000_000]).standard_normal(
            (64, self._config.width_px), np.float32
        )


_BLOCK_LINES = 2048  # in which defects are drawn together
_LONGEST_LINES = 3000  # of a defect
_KINDS: tuple[tuple[str, Shape, tuple[int, int], tuple[int, int]], ...] = (
    ("stain", "block", (40, 120), (40, 160)),
    ("hole", "block", (18, 40), (18, 40)),
    ("knot", "point", (9, 16), (9, 16)),
    ("nep", "point", (8, 14), (8, 14)),
    ("broken end", "line", (300, _LONGEST_LINES), (6, 7)),
    ("broken pick", "line", (6, 7), (200, 700)),
    ("thick place", "line", (8, 10), (150, 500)),
)


class LoomSource:
    """The loom as a source of frames."""

    def __init__(self, config: LoomConfig) -> None:
        self.loom = Loom(config)
        self._config = config
        self._line = 0
        self._pace = Pace(config.lines_per_s)

    @property
    def name(self) -> str:
        """What is woven."""
        return f"loom ({self._config.weave}, seed {self._config.seed})"

    @property
    def is_live(self) -> bool:
        """Whether lines are lost when nobody takes them."""
        return self._config.is_live

    @property
    def total_lines(self) -> int | None:
        """Length of the roll; None when it never ends."""
        return self._config.total_lines

    def __enter__(self) -> LoomSource:
        self._line = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame."""
        left = (
            self._config.frame_lines
            if self._config.total_lines is None
            else min(self._config.frame_lines, self._config.total_lines - self._line)
        )
        if left <= 0:
            raise EndOfWeb
        if not self._pace.wait(timeout_s):
            return None
        image = self.loom.weave(self._line, left)
        frame = Frame(image, f"loom {self._line // self._config.frame_lines:06d}", time.monotonic())
        self._line += left
        self._pace.took(left, waits=not self.is_live)
        return frame


def make_loom(weave: str, options: SourceOptions, _recipe: Recipe) -> LoomSource:
    """The loom; an empty weave is that of ``LoomConfig``. Raises SourceError: there is no such weave."""
    config = LoomConfig(seed=options.seed, is_live=options.is_live, total_lines=options.lines)
    if weave:
        config = replace(config, weave=weave)
    if options.lines_per_s is not None:
        config = replace(config, lines_per_s=options.lines_per_s)
    return LoomSource(config)
