"""The features of the training cloth, taken once and kept.

The backbone is frozen and nothing is augmented behind it, so its features never change: the heads train on this cache
and the images are read only once.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.arrays import Image
from cras_core.config.settings import CrasConfig, PreprocessConfig
from cras_core.data.drawn_defects import draw_defects
from cras_core.data.values import NormalImages, Piece
from cras_core.errors import DataError
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.patches import cell_places
from cras_core.features.tensors import to_images
from cras_core.images import read_bits, read_image
from cras_core.web.bands import StretchCutter
from cras_core.web.border import continue_cloth
from cras_core.web.canvas import NARROWEST_CLOTH_PX, WebConfig, prepare
from cras_core.web.tiling import ceil_to

_LARGEST_HALF = 65504.0
_TILES_AT_ONCE = 1  # one tile stays in a processor's cache, two do not


class FeatureCache:
    """Vectors of one fabric, float16, in memory or in a temporary file; never more than planned."""

    def __init__(self, dimension: int, capacity: int, where: str) -> None:
        """Raises DataError where there is no room for it in memory. Room on disk is taken as it is needed."""
        self._capacity, self._where = capacity, where
        self._file: IO[bytes] | None = None
        self.positions = np.zeros(0, np.int32)
        """Where each vector lay in its picture, in row order; means something only where ``FabricFeatures.grid`` is."""
        self.places = np.zeros((0, 2), np.float16)
        """Where each vector lay in its tile, row and column in -1..1; see ``patches.cell_places``."""
        self._n = 0
        self._vectors = self._room_for(0 if where == "disk" else capacity, dimension)

    def __len__(self) -> int:
        return self._n

    def add(self, vectors: Tensor, positions: Tensor | None = None, places: Tensor | None = None) -> None:
        """Appends (n, D) vectors, their (n,) positions and their (n, 2) places in their tiles; those beyond the
        capacity are left out.

        Raises:
            DataError: the disk is full.
        """
        n = min(len(vectors), self._capacity - self._n)
        if self._n + n > len(self._vectors):
            self._vectors = self._room_for(min(self._capacity, 2 * (self._n + n)), vectors.shape[1])
        if positions is not None:
            self.positions[self._n : self._n + n] = positions[:n].numpy()
        if places is not None:
            self.places[self._n : self._n + n] = places[:n].numpy()
        self._vectors[self._n : self._n + n] = vectors[:n].clamp(-_LARGEST_HALF, _LARGEST_HALF).cpu().numpy()
        self._n += n

    def take(self, index: npt.NDArray[np.int64]) -> Tensor:
        """(n,) indices -> (n, D) float32."""
        return torch.from_numpy(self._vectors[index].astype(np.float32))

    def _room_for(self, rows: int, dimension: int) -> npt.NDArray[np.float16]:
        """As many rows, those that are known at the beginning."""
        try:
            self.positions = np.concatenate([self.positions[: self._n], np.zeros(rows - self._n, np.int32)])
            self.places = np.concatenate([self.places[: self._n], np.zeros((rows - self._n, 2), np.float16)])
            if self._where == "memory" or rows == 0:
                return np.empty((rows, dimension), np.float16)
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="cras-features-")  # noqa: SIM115 (closed with the cache)
                weakref.finalize(self, self._file.close)
            # Really taken: a disk that is full is said here, not by a crash in the middle of training.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), 0, 2 * rows * dimension)
            return np.memmap(self._file, np.float16, "r+" if self._n else "w+", shape=(rows, dimension))
        except (OSError, MemoryError, ValueError) as error:
            size = f"{rows * dimension * 2 / 1e6:.0f} MB"
            place = (
                "in memory" if self._where == "memory" else f"on disk, in {tempfile.tempdir or 'the temporary folder'}"
            )
            raise DataError(f"No room for {size} of features {place} ({error}). Lower train.cache_mb.") from error

    def save(self, path: Path) -> None:
        """Writes it beside ``path``, as ``path``.vectors.npy, positions and places likewise. Raises OSError."""
        for kind, array in (("vectors", self._vectors), ("positions", self.positions), ("places", self.places)):
            place = path.with_name(f"{path.name}.{kind}.npy")
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{place.name}.", delete=False) as file:
                try:
                    np.save(file, array[: self._n])
                except BaseException:
                    file.close()
                    Path(file.name).unlink()
                    raise
            Path(file.name).replace(place)

    @classmethod
    def load(cls, path: Path, where: str) -> FeatureCache:
        """The inverse of ``save``; ``where`` is ``memory``, or ``disk`` to leave the vectors in their file.

        Raises:
            OSError, EOFError, ValueError: there is none, or it is damaged.
        """
        found = cls.__new__(cls)
        mode: Literal["r"] | None = "r" if where == "disk" else None
        found._vectors = np.load(path.with_name(f"{path.name}.vectors.npy"), mmap_mode=mode)
        found.positions = np.load(path.with_name(f"{path.name}.positions.npy"))
        found.places = np.load(path.with_name(f"{path.name}.places.npy"))
        if (
            found._vectors.ndim != 2
            or found._vectors.dtype != np.float16
            or len(found._vectors) != len(found.positions)
            or found.places.shape != (len(found._vectors), 2)
        ):
            raise ValueError(f"{path} holds something else")
        found._n = found._capacity = len(found._vectors)
        found._where, found._file = where, None
        return found


@dataclass(frozen=True, slots=True)
class FabricFeatures:
    """What is kept of the normal pictures of one fabric.

    Attributes:
        cache: raw vectors, before normalisation.
        mean_map: (h, w, D) float64 mean of the raw vectors position by position; None where the pictures differ in
            size or are strips.
        first_map: (h, w, D) raw vectors of the first picture, likewise.
        total, total_squared: (D,) float64 sums over all vectors, also those that are not in the cache.
        count: number of all vectors.
        is_whole: the cache holds every vector of every picture, picture after picture in row order.
    """

    cache: FeatureCache
    mean_map: Tensor | None
    first_map: Tensor | None
    total: Tensor
    total_squared: Tensor
    count: int
    is_whole: bool


def extract(
    normal: NormalImages,
    paths: Sequence[Path],
    extractor: FeatureExtractor,
    config: CrasConfig,
    capacity: int,
    device: torch.device,
    rng: np.random.Generator,
    on_image: Callable[[Path], None],
) -> FabricFeatures:
    """Takes the features of some pictures of a fabric; each gives an equal share of the cache, chosen at random.

    Raises:
        DataError: a picture cannot be read, or none shows enough cloth.
    """
    quota = max(1, capacity // len(paths))
    cache = FeatureCache(extractor.dimension, min(capacity, quota * len(paths)), config.train.cache)
    total = torch.zeros(extractor.dimension, dtype=torch.float64)
    total_squared, count, is_whole = torch.zeros_like(total), 0, True
    mean_map = _MeanMap(config.centers.mean_batch)
    bits = read_bits(paths[0])
    for path in paths:
        picture = read_image(path, bits)
        vectors, places = [], []
        for tiles, scored in tiles_of(picture, normal.are_strips, config, normal.piece(path)):
            for i in range(0, len(tiles), _TILES_AT_ONCE):
                with torch.inference_mode():
                    t = extractor.raw(
                        to_images(tiles[i : i + _TILES_AT_ONCE], device, config.backbone.multiple_px)
                    ).cpu()
                mask = torch.from_numpy(scored[i : i + _TILES_AT_ONCE])
                t = t[:, : mask.shape[1], : mask.shape[2]]
                vectors.append(t[mask])
                places.append(cell_places(mask.shape[1], mask.shape[2]).expand(len(mask), -1, -1, -1)[mask])
                if not normal.are_strips:
                    mean_map.add(t[0].double())
        on_image(path)
        if not vectors:
            continue
        found = torch.cat(vectors)
        total += found.double().sum(dim=0)
        total_squared += found.double().square().sum(dim=0)
        count += len(found)
        kept = (
            torch.arange(len(found)) if len(found) <= quota else torch.from_numpy(rng.permutation(len(found))[:quota])
        )
        cache.add(found[kept], kept, torch.cat(places)[kept])
        is_whole &= len(kept) == len(found)
    if count == 0:
        raise DataError(
            f"fabric {normal.fabric}: no cloth found in {len(paths)} pictures, the first of them {paths[0]}"
        )
    return FabricFeatures(
        cache,
        *mean_map.result(),
        total,
        total_squared,
        count,
        is_whole and len(cache) == count,
    )


class _MeanMap:
    """Eq. 1 before the adapter, while the pictures come: their mean position by position."""

    def __init__(self, batch: int | None) -> None:
        self._batch = batch
        self._first: Tensor | None = None
        self._same_size = True
        self._sum: Tensor | None = None  # of the pictures of this batch
        self._pictures = 0
        self._means: Tensor | None = None  # sum of the means of the batches before
        self._batches = 0

    def add(self, t: Tensor) -> None:
        """Takes the (h, w, D) float64 vectors of one picture."""
        self._first = t if self._first is None else self._first
        self._same_size &= t.shape == self._first.shape
        if not self._same_size:
            return
        self._sum = t if self._sum is None else self._sum + t
        self._pictures += 1
        if self._pictures == self._batch:
            self._end_batch()

    def result(self) -> tuple[Tensor | None, Tensor | None]:
        """The mean map and the map of the first picture; None without pictures, or where they differ in size."""
        self._end_batch()
        if self._means is None or not self._same_size:
            return None, None
        return self._means / self._batches, self._first

    def _end_batch(self) -> None:
        if self._sum is None:
            return
        mean = self._sum / self._pictures
        self._means = mean if self._means is None else self._means + mean
        self._batches += 1
        self._sum, self._pictures = None, 0


@dataclass(frozen=True, slots=True)
class DrawnFeatures:
    """Cells of normal tiles under drawn defects: their raw vectors without the defect, and by how much it moves them;
    row by row.
    """

    clean: FeatureCache
    change: FeatureCache


def extract_drawn(
    normal: NormalImages,
    paths: Sequence[Path],
    extractor: FeatureExtractor,
    config: CrasConfig,
    device: torch.device,
    rng: np.random.Generator,
    on_tile: Callable[[Path], None],
) -> DrawnFeatures:
    """Draws defects on some normal tiles of a fabric and keeps what they do to the features.

    Raises:
        DataError: a picture cannot be read, or none shows enough cloth.
    """
    capacity = config.synthesis.drawn_tiles * _DRAWN_CELLS
    clean, change = (FeatureCache(extractor.dimension, capacity, "memory") for _ in range(2))
    bits = read_bits(paths[0])
    for _ in range(config.synthesis.drawn_tiles):
        path = paths[int(rng.integers(len(paths)))]
        candidates = [
            (tile, mask)
            for tiles, scored in tiles_of(read_image(path, bits), normal.are_strips, config, normal.piece(path))
            for tile, mask in zip(tiles, scored, strict=True)
        ]
        on_tile(path)
        if not candidates:
            continue
        tile, scored_cells = candidates[int(rng.integers(len(candidates)))]
        if min(tile.shape[:2]) < _SMALLEST_DRAWN_PX:
            continue
        spoilt, where = draw_defects(tile, max(2, round(tile.shape[0] * tile.shape[1] / _PX_PER_DEFECT)), rng)
        with torch.inference_mode():
            pair = extractor.raw(to_images(np.stack([tile, spoilt]), device, config.backbone.multiple_px)).cpu()[
                :, : scored_cells.shape[0], : scored_cells.shape[1]
            ]
        cell = config.tiling.cell_px
        spread = cv2.dilate(where, np.ones((5, 5), np.uint8))
        covered = (
            cv2.resize(spread, (-(-tile.shape[1] // cell), -(-tile.shape[0] // cell)), interpolation=cv2.INTER_AREA)
            > _COVERED
        )
        chosen = torch.from_numpy(covered & scored_cells)
        keep = torch.from_numpy(rng.permutation(int(chosen.sum()))[:_DRAWN_CELLS])
        places = cell_places(*chosen.shape)[chosen][keep]
        clean.add(pair[0][chosen][keep], chosen.flatten().nonzero()[keep, 0], places)
        change.add((pair[1] - pair[0])[chosen][keep])
    if len(clean) == 0:
        raise DataError(f"fabric {normal.fabric}: no tile of {_SMALLEST_DRAWN_PX} px or more; set synthesis.drawn=0")
    return DrawnFeatures(clean, change)


_DRAWN_CELLS = 1024  # most cells kept of one tile
_PX_PER_DEFECT = 16_000  # one drawn defect on this many pixels
_SMALLEST_DRAWN_PX = 64
_COVERED = 0.08  # share of a cell under a defect from which its features count as moved


def tiles_of(
    picture: Image, is_strip: bool, config: CrasConfig, piece: Piece | None = None
) -> Iterator[tuple[Image, npt.NDArray[np.bool_]]]:
    """Tiles of a picture and which of their cells are cloth: (B, H, W[, 3]) uint8 and (B, h, w) bool.

    A strip is cut by the same code that cuts the running web; a piece of a web is seen as the web's tile there is; any
    other picture is one tile.
    """
    cell = config.tiling.cell_px
    if is_strip:
        cutter = StretchCutter(config.tiling)
        web = WebConfig(config.tiling, config.edges, config.reference)
        for stretch in [*cutter.push(picture), *cutter.finish()]:
            canvas = prepare(stretch, web)
            if canvas is not None:
                yield canvas.tiles, canvas.scored_cells(cell)
        return
    if piece is not None:
        seen = tile_of_web(picture, piece, config)
        if seen is not None:
            yield seen[0][None], seen[1][None]
        return
    tile = preprocess(picture, config.preprocess)[None]
    yield tile, np.ones((1, -(-tile.shape[1] // cell), -(-tile.shape[2] // cell)), np.bool_)


def tile_of_web(picture: Image, piece: Piece, config: CrasConfig) -> tuple[Image, npt.NDArray[np.bool_]] | None:
    """A piece of a web as the line sees it: carried on beyond the edge of the cloth, and without the outer ring, where
    the network pads with zeros.

    Returns:
        (H, W[, 3]) uint8 and (h, w) bool, the cells that count; None where it shows too little cloth.
    """
    cell, ring = config.tiling.cell_px, config.tiling.halo_px // config.tiling.cell_px
    lines, width = picture.shape[:2]
    left, right = piece.bounds(width)
    if right - left < NARROWEST_CLOTH_PX or lines < NARROWEST_CLOTH_PX:
        return None
    tile = continue_cloth(picture, np.full(lines, left), np.full(lines, right), 0, width)
    counts = np.zeros((ceil_to(lines, cell) // cell, ceil_to(width, cell) // cell), np.bool_)
    counts[ring : lines // cell - ring, ring : width // cell - ring] = True
    column = (np.arange(counts.shape[1]) + 0.5) * cell
    return tile, counts & ((column > left) & (column - cell / 2 < right))[None, :]


def preprocess(picture: npt.NDArray[np.uint8], config: PreprocessConfig) -> npt.NDArray[np.uint8]:
    """Resizes the shorter side and crops the centre, where the settings say so; (H, W) or (H, W, 3), masks too."""
    if config.resize_px is not None:
        scale = config.resize_px / min(picture.shape[:2])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(
            np.uint8
        )
    if config.crop_px is not None:
        top, left = (picture.shape[0] - config.crop_px) // 2, (picture.shape[1] - config.crop_px) // 2
        picture = picture[top : top + config.crop_px, left : left + config.crop_px]
    return picture
