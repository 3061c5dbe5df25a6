"""The score relative to the running web.

Rolls of one fabric differ in brightness and yarn, lamps age, and a line-scan camera is sharper in the middle than at
the sides: each of them moves the anomaly score of perfectly good cloth by more than a small defect does. What decides
is therefore how far a cell stands out of the cloth around it and just before it. The raw score stays beside it, as
the level of the web, for a roll that is strange as a whole.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cras_core.arrays import FloatArray
from cras_core.validated import Number, Whole, validated


@validated("reference")
class BaselineConfig:
    """What a cell is compared with.

    Attributes:
        enabled: off means that the calibrated centre and spread of the fabric are used as they are, and the features
            too.
        align: the features of the web are shifted as a whole, so that their median is that of the enrolled cloth. What
            is left is what differs within the roll, and the heads see cloth as they have learnt it.
        block_px: width of the stripe of web whose median is the centre for its middle, pixels. A running defect must
            stay well below half of it.
        memory_lines: how much of the web counts as seen lately, lines.
        prior_cells: weight, in cells, of the centre of the whole web for the centre of a stripe, and of the calibrated
            centre for that of the web; matters only where very little cloth is in view.
        flagged: share of cells above the limit from which a block of a band counts neither for the centre nor for
            the memory, so that a long defect does not become the norm.
    """

    enabled: bool = True
    align: bool = True
    block_px: Annotated[Whole, Field(ge=64)] = 384
    memory_lines: Annotated[Whole, Field(ge=1)] = 4096
    prior_cells: Annotated[Whole, Field(ge=0)] = 200
    flagged: Annotated[Number, Field(gt=0, le=1)] = 0.3


@dataclass(frozen=True, slots=True)
class RelativeScores:
    """Relative scores of some rows of cells.

    Attributes:
        score: (rows, cols) float32, in spreads of the web above its centre; NaN where nothing was scored.
        spread: spread of the web that ``score`` is counted in, raw score.
    """

    score: FloatArray
    spread: float


class RunningBaseline:
    """Centre and spread of the cloth seen lately on one web."""

    def __init__(self, config: BaselineConfig, cell_px: int) -> None:
        self._config = config
        self._cell_px = cell_px
        self._memory: deque[FloatArray] = deque()
        self._rows_in_memory = 0
        self._unusual_rows = 0
        self._medians: deque[tuple[FloatArray, int]] = deque()  # of the bands seen lately, and their lines

    def forget(self) -> None:
        """Starts anew, as for another fabric."""
        self._memory.clear()
        self._medians.clear()
        self._rows_in_memory = 0
        self._unusual_rows = 0

    def median_features(self, here: FloatArray, lines: int) -> FloatArray | None:
        """The median features of the web, from the bands seen lately.

        Args:
            here: (D,) median features of a new band, which count from now on.
            lines: lines of that band.

        Returns:
            (D,) the median over the bands, so that a defect over the whole width of some of them does not move it;
            None where features are not to be shifted.
        """
        if not (self._config.enabled and self._config.align):
            return None
        self._medians.append((here, lines))
        while sum(n for _, n in self._medians) - self._medians[0][1] >= self._config.memory_lines:
            self._medians.popleft()
        return np.median(np.stack([m for m, _ in self._medians]), axis=0).astype(np.float32)

    def relate(self, raw: FloatArray, centre: float, spread: float, limit: float) -> RelativeScores:
        """Relates rows of cells to the web and remembers them.

        Args:
            raw: (S, rows, cols) float32 raw scores of S kinds, NaN where there is no cloth. Each kind is related on its
                own; the mean is the score. (rows, cols) is one kind.
            centre, spread: what normal cloth of this fabric has, from calibration; raw score.
            limit: relative score from which a cell counts as flagged.
        """
        raw = raw[None] if raw.ndim == 2 else raw
        if not self._config.enabled or not np.isfinite(raw).any():
            return RelativeScores((raw.mean(axis=0) - np.float32(centre)) / np.float32(spread), spread)
        if self._memory and (self._memory[0].shape[0], self._memory[0].shape[2]) != (raw.shape[0], raw.shape[2]):
            self.forget()
        blocks = self._blocks(raw.shape[2])
        usual = self._without_flagged(raw, blocks, centre, spread, limit)
        # Nothing of the first band can be left out: there is nothing to tell it by.
        rows = np.concatenate([*self._memory, usual], axis=1) if self._memory else raw
        score, web_spread = self._score(raw, rows, blocks, centre, spread)
        self._remember(usual if self._memory else self._flagged_out(raw, score, blocks, limit))
        return RelativeScores(score, web_spread)

    def _score(
        self, raw: FloatArray, rows: FloatArray, blocks: list[_Block], centre: float, spread: float
    ) -> tuple[FloatArray, float]:
        """``raw`` relative to the statistics of ``rows``, and the spread it is counted in; means over the kinds."""
        scores, web_spreads = [], []
        for kind, usual in zip(raw, rows, strict=True):
            centres, spreads = self._statistics(usual, blocks, centre)
            # The spread is that of the whole web: a noisy stripe of cloth would otherwise hide what is in it.
            web_spreads.append(max(float(np.median(spreads)) if len(spreads) else spread, 0.5 * spread))
            profile = np.interp(np.arange(raw.shape[2]) + 0.5, [b.middle for b in blocks], centres)
            scores.append((kind - profile[None, :]) / web_spreads[-1])
        return np.mean(scores, axis=0, dtype=np.float32), float(np.mean(web_spreads))

    def _without_flagged(
        self, raw: FloatArray, blocks: list[_Block], centre: float, spread: float, limit: float
    ) -> FloatArray:
        """What of new rows may count as usual cloth, judged by the cloth before them; NaN where it may not.

        When the whole width has stayed unusual for as long as the memory reaches, it is no defect any more but another
        cloth (a seam, another lot), and the memory starts anew.
        """
        if not self._memory:
            return raw
        usual = self._flagged_out(
            raw, self._score(raw, np.concatenate(self._memory, axis=1), blocks, centre, spread)[0], blocks, limit
        )
        if np.isfinite(usual).any():
            self._unusual_rows = 0
            return usual
        self._unusual_rows += raw.shape[1]
        if self._unusual_rows * self._cell_px < self._config.memory_lines:
            return usual
        self.forget()
        return raw

    def _flagged_out(self, raw: FloatArray, score: FloatArray, blocks: list[_Block], limit: float) -> FloatArray:
        kept: FloatArray = raw.copy()
        for block in blocks:
            cells = score[:, block.first : block.end]
            cells = cells[np.isfinite(cells)]
            if len(cells) and float((cells > limit).mean()) > self._config.flagged:
                kept[:, :, block.first : block.end] = np.nan
        return kept

    def _blocks(self, cols: int) -> list[_Block]:
        width = max(1, self._config.block_px // self._cell_px)
        n = max(1, round(2 * cols / width) - 1)
        medians = np.linspace(min(width, cols) / 2, cols - min(width, cols) / 2, n)
        return [_Block(float(m), max(0, int(m - width / 2)), min(cols, int(np.ceil(m + width / 2)))) for m in medians]

    def _statistics(
        self, rows: FloatArray, blocks: list[_Block], prior: float
    ) -> tuple[npt.NDArray[np.float64], list[float]]:
        """Centre of every block and the spreads of those that hold cloth; the prior where there is none at all."""
        # A narrow stripe is pulled towards the rest of its web, never towards the calibrated cloth: a roll may lie many
        # spreads away from that, and its selvedges would then stand out for being narrow.
        cloth = rows[np.isfinite(rows)]
        cloth = cloth[:: max(1, len(cloth) // _ENOUGH_CELLS)]
        if len(cloth):
            weight = len(cloth) / (len(cloth) + self._config.prior_cells)
            prior = weight * float(np.median(cloth)) + (1 - weight) * prior
        centres, spreads = np.full(len(blocks), np.nan), []
        for i, block in enumerate(blocks):
            cells = rows[:, block.first : block.end]
            cells = cells[np.isfinite(cells)]
            if len(cells) == 0:
                continue
            low, median, high = np.percentile(cells[:: max(1, len(cells) // _ENOUGH_CELLS)], [25, 50, 75])
            weight = len(cells) / (len(cells) + self._config.prior_cells)
            centres[i] = weight * median + (1 - weight) * prior
            spreads.append(float(high - low))
        known = np.isfinite(centres)
        if not known.any():
            return np.full(len(blocks), prior), spreads
        return np.interp(np.arange(len(blocks)), np.flatnonzero(known), centres[known]), spreads

    def _remember(self, usual: FloatArray) -> None:
        if np.isfinite(usual).any():
            self._memory.append(usual)
            self._rows_in_memory += usual.shape[1]
        while (
            self._memory
            and (self._rows_in_memory - self._memory[0].shape[1]) * self._cell_px >= self._config.memory_lines
        ):
            self._rows_in_memory -= self._memory.popleft().shape[1]


_ENOUGH_CELLS = 8192  # for quartiles to a fiftieth of a spread; every so many-th cell counts where there are more


@dataclass(frozen=True, slots=True)
class _Block:
    """A stripe of the web, in cells."""

    middle: float
    first: int
    end: int
