"""Windows over an axis that is too long for one tile, and their inverse.

Cutting is a change of coordinates with a named inverse: ``stitch(cut(x)) == x`` for every size. Both work in whatever
unit the caller uses; the line cuts pixels and stitches cells with the same plan, divided by the size of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from cras_core.arrays import FloatArray
from cras_core.errors import ConfigError
from cras_core.validated import Whole, validated


def ceil_to(value: int, multiple: int) -> int:
    """The smallest multiple of ``multiple`` that is not below ``value``."""
    return -(-value // multiple) * multiple


def floor_to(value: int, multiple: int) -> int:
    """The largest multiple of ``multiple`` that is not above ``value``."""
    return value // multiple * multiple


@validated("tiling")
class TilingConfig:
    """How windows slide over the web.

    Attributes:
        tile_px: side of a tile, pixels.
        overlap_px: what two neighbouring tiles share, pixels.
        halo_px: outer ring of each tile that is seen but not scored, pixels. A network pads with zeros at the border
            of its input, so the features there are not those of cloth. Twice the halo must fit into the overlap; what
            is left of the overlap is blended.
        cell_px: side of a cell, pixels; windows start on multiples of it.
    """

    tile_px: Annotated[Whole, Field(ge=1)] = 512
    overlap_px: Annotated[Whole, Field(ge=0)] = 64
    halo_px: Annotated[Whole, Field(ge=0)] = 24
    cell_px: Annotated[Whole, Field(ge=1)] = 8

    @model_validator(mode="after")
    def _fit_together(self) -> TilingConfig:
        if any(v % self.cell_px for v in (self.tile_px, self.overlap_px, self.halo_px)):
            raise ValueError(
                f"tile, overlap and halo must be multiples of the cell size, {self.cell_px} px: got {self}"
            )
        if self.overlap_px < 2 * self.halo_px or self.tile_px < 2 * self.overlap_px:
            raise ValueError(f"the overlap must hold two halos and fit twice into a tile: got {self}")
        return self

    @property
    def step_px(self) -> int:
        """Distance between the starts of neighbouring tiles, pixels."""
        return self.tile_px - self.overlap_px


@dataclass(frozen=True, slots=True)
class Windows:
    """Equal windows over ``[0, length)`` of one axis.

    Attributes:
        length: what is covered.
        size: length of one window; windows may reach past ``length`` by less than the alignment they were planned with.
        starts: ascending starts of the windows, the first 0.
        halo: outer part of every window that carries no weight.
        ramp: part inside the halo over which neighbours are blended.
    """

    length: int
    size: int
    starts: tuple[int, ...]
    halo: int = 0
    ramp: int = 0

    @property
    def end(self) -> int:
        """End of the last window; at least ``length``."""
        return self.starts[-1] + self.size

    def divided(self, unit: int) -> Windows:
        """The same windows counted in units of ``unit`` (pixels to cells)."""
        return Windows(
            ceil_to(self.length, unit) // unit,
            self.size // unit,
            tuple(s // unit for s in self.starts),
            self.halo // unit,
            self.ramp // unit,
        )

    def weight(self) -> FloatArray:
        """Blending weight over one window -> (size,), 0 in the halo, rising over the ramp to 1."""
        edge = np.arange(self.size, dtype=np.float32) + 0.5
        distance = np.minimum(edge, self.size - edge) - self.halo
        if self.ramp == 0:
            return np.asarray(distance > 0, dtype=np.float32)
        return np.asarray(np.clip(distance / self.ramp, 0.0, 1.0), dtype=np.float32)


def plan_windows(length: int, tiling: TilingConfig, multiple: int = 32) -> Windows:
    """Windows of ``tiling`` over ``length`` pixels, covered to the last one.

    A length below one tile gets a single window of that length rounded up to ``multiple`` (what the network's strides
    need). Otherwise windows follow each other by ``step_px``, and the last one is pushed back to the end, rounded up
    to a whole cell.

    Raises:
        ConfigError: ``length`` is not positive.
    """
    if length < 1:
        raise ConfigError("nothing-to-cut", "nothing to cut: {length} px", length=length)
    ramp = tiling.overlap_px - 2 * tiling.halo_px
    size = min(tiling.tile_px, ceil_to(length, multiple))
    if length <= size:
        return Windows(length, size, (0,), tiling.halo_px, ramp)
    starts = list(range(0, length - size, tiling.step_px))
    starts.append(ceil_to(length - size, tiling.cell_px))
    return Windows(length, size, tuple(starts), tiling.halo_px, ramp)


def cut(image: npt.NDArray[np.generic], rows: Windows, cols: Windows) -> npt.NDArray[np.generic]:
    """(H, W) or (H, W, C) -> (n_rows * n_cols, rows.size, cols.size[, C]), row by row.

    What a last window needs beyond the image is filled with the image's border pixels.

    Raises:
        ConfigError: the image is not the one that the windows were planned for.
    """
    if image.shape[:2] != (rows.length, cols.length):
        raise ConfigError(
            "windows-misfit-image",
            "windows for {rows} x {columns} do not fit an image of {height} x {width}",
            rows=rows.length,
            columns=cols.length,
            height=image.shape[0],
            width=image.shape[1],
        )
    missing = (max(0, rows.end - rows.length), max(0, cols.end - cols.length))
    if any(missing):
        image = np.pad(image, [(0, missing[0]), (0, missing[1]), *[(0, 0)] * (image.ndim - 2)], mode="edge")
    return np.stack([image[r : r + rows.size, c : c + cols.size] for r in rows.starts for c in cols.starts])


def stitch(
    tiles: npt.NDArray[np.generic] | Sequence[npt.NDArray[np.generic]], rows: Windows, cols: Windows
) -> FloatArray:
    """The inverse of ``cut`` for (n, h, w) tiles -> (rows.length, cols.length) float32; overlaps blend by the
    windows' weights.

    Places that only halos cover (the outer ring of the whole, when the halo is not 0) are NaN: nobody scored them.
    """
    value = np.zeros((rows.end, cols.end), np.float32)
    weight = np.zeros_like(value)
    window = rows.weight()[:, None] * cols.weight()[None, :]
    places = [(r, c) for r in rows.starts for c in cols.starts]
    for (r, c), tile in zip(places, tiles, strict=True):
        value[r : r + rows.size, c : c + cols.size] += np.asarray(tile, np.float32) * window
        weight[r : r + rows.size, c : c + cols.size] += window
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = value / weight
    return whole[: rows.length, : cols.length]
