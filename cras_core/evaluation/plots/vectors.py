"""Vectors of patches and of whole pictures, and their place on paper (figures 4 and 7 of the CRAS paper)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor

from cras_core.data.values import Strip, TestImage
from cras_core.detectors.base import TileFeatures
from cras_core.detectors.trained import TrainedDetector
from cras_core.evaluation.plots.scored import Bools, Floats, TestSet
from cras_core.web.bands import Band, BandCutter
from cras_core.web.baseline import RunningBaseline
from cras_core.web.canvas import Canvas, WebConfig, prepare
from cras_core.web.tiling import cut

PICTURES = 24
"""Test pictures of a fabric that vectors are taken from, chosen at random; strips have many patches each."""

_DEFECTIVE = (
    0.25  # share of a cell under a mask from which its patch counts as anomalous; below it and above 0, neither
)
_PCA_FIRST = 50  # dimensions that t-SNE is given, as its authors advise


@dataclass(frozen=True, slots=True)
class FabricVectors:
    """Vectors of one fabric, n patches of m pictures or tiles; D is their length.

    Attributes:
        raw: (n, D) float32 adapted patches u.
        residual: (n, D) float32 the same less their centres, u - p.
        anomalous: (n,) bool.
        pictures: (m, D) float32 mean patch of each picture or tile.
        spoilt: (m,) bool, whether there is a defect in it.
    """

    raw: Floats
    residual: Floats
    anomalous: Bools
    pictures: Floats
    spoilt: Bools


def collect(
    detector: TrainedDetector,
    tests: TestSet,
    fabric: str,
    most: int,
    rng: np.random.Generator,
    on_item: Callable[[Path], None],
) -> FabricVectors:
    """Takes vectors from some test pictures of a fabric: ``most`` normal and ``most`` anomalous patches at most."""
    items = tests.by_fabric[fabric]
    chosen = [items[i] for i in np.sort(rng.permutation(len(items))[:PICTURES])]
    raw, residual, anomalous, means, spoilt = [], [], [], [], []
    share = -(-4 * most // len(chosen))  # pictures have unequal numbers of patches
    for item in chosen:
        for u, p, cells, defective in _patches(detector, tests, item):
            means.append(u[cells].mean(axis=0))
            spoilt.append(bool(defective[cells].any()))
            for kind, wanted in ((False, cells & (defective == 0.0)), (True, cells & (defective >= _DEFECTIVE))):
                index = np.argwhere(wanted)
                index = index[rng.permutation(len(index))[:share]]
                raw.append(u[index[:, 0], index[:, 1]])
                residual.append(raw[-1] - p[index[:, 0], index[:, 1]])
                anomalous.append(np.full(len(index), kind))
        on_item(item.path)
    truth = np.concatenate(anomalous)
    kept = np.concatenate([rng.permutation(np.flatnonzero(truth == kind))[:most] for kind in (False, True)])
    pictures = rng.permutation(len(means))[:most]
    return FabricVectors(
        np.concatenate(raw)[kept],
        np.concatenate(residual)[kept],
        truth[kept],
        np.stack(means)[pictures],
        np.array(spoilt)[pictures],
    )


def _patches(
    detector: TrainedDetector, tests: TestSet, item: TestImage | Strip
) -> Iterator[tuple[Floats, Floats, Bools, Floats]]:
    """Of every tile of a picture or strip: u and p, (h, w, D) each, its (h, w) cells that count, and the shares of them
    under a mask.
    """
    picture, mask = tests.read(item)
    config = detector.config
    cell, fabric = config.tiling.cell_px, tests.fabric_of(item)
    if not tests.are_strips:
        share = _shares(mask, cell)
        features = detector.extract_features(picture[None])
        for u, p in _adapted(detector, features.vectors, _fabric(features, fabric)):
            yield u, p, np.ones(share.shape, np.bool_), share
        return
    cutters = BandCutter(config.tiling), BandCutter(config.tiling)
    bands, masks = (
        [*cutter.push(image), *cutter.finish()]
        for cutter, image in zip(cutters, (picture, mask.astype(np.uint8)), strict=True)
    )
    baseline = RunningBaseline(config.reference, cell)
    for band, its_mask in zip(bands, masks, strict=True):
        canvas = prepare(band, WebConfig(config.tiling, config.edges, config.reference))
        if canvas is None:
            continue
        features, scored = detector.extract_features(canvas.tiles), canvas.scored_cells(cell)
        k = _fabric(features, fabric)
        web_median = baseline.median_features(features.median_features(scored), len(band.image))
        t = features.vectors
        t = (
            t
            if web_median is None
            else t + detector.shift(torch.tensor([k], device=t.device), web_median)[:, None, None, :]
        )
        cut_masks = cut(_on_canvas(its_mask, canvas), canvas.rows, canvas.cols)
        for (u, p), cells, part in zip(_adapted(detector, t, k), scored, cut_masks, strict=True):
            if cells.any():
                yield u, p, cells, _shares(np.asarray(part, np.bool_), cell)


def _fabric(features: TileFeatures, given: int | None) -> int:
    """The fabric that tiles are compared with, all with one."""
    return int(features.similarity.mean(axis=0).argmax()) if given is None else given


@torch.inference_mode()
def _adapted(detector: TrainedDetector, t: Tensor, fabric: int) -> Iterator[tuple[Floats, Floats]]:
    """(B, h, w, D) vectors -> u and p of every tile, one after the other."""
    for tile in t:
        u, p = detector.adapted(tile[None], fabric)
        yield u[0].cpu().numpy(), p[0].cpu().numpy()


def _on_canvas(mask: Band, canvas: Canvas) -> npt.NDArray[np.uint8]:
    """The mask of a band in the coordinates of its windows; what was carried on beyond the web has none."""
    placed = np.zeros((canvas.rows.length, canvas.cols.length), np.uint8)
    first, end = max(0, canvas.first_col), min(mask.image.shape[1], canvas.first_col + canvas.cols.length)
    placed[canvas.above : canvas.above + len(mask.image), first - canvas.first_col : end - canvas.first_col] = (
        mask.image[:, first:end]
    )
    return placed


def _shares(mask: Bools, cell: int) -> Floats:
    """(H, W) bool -> (h, w) share of each cell."""
    height, width = (-(-n // cell) * cell for n in mask.shape)
    padded = np.zeros((height, width), np.float32)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    cells = padded.reshape(height // cell, cell, width // cell, cell)
    return np.asarray(cells.mean(axis=(1, 3)), dtype=np.float32)


def project(vectors: Floats, projection: str, seed: int) -> npt.NDArray[np.float64]:
    """(n, D) -> (n, 2) by ``tsne`` or ``pca``; the same seed gives the same places."""
    if len(vectors) < 2:
        return np.zeros((len(vectors), 2))
    if projection == "pca" or len(vectors) < 4:
        count = min(2, *vectors.shape)
        flat = PCA(count, random_state=seed).fit_transform(vectors)
        return np.pad(np.asarray(flat, dtype=np.float64), [(0, 0), (0, 2 - count)])
    dimensions = min(_PCA_FIRST, *vectors.shape)
    reduced = PCA(dimensions, random_state=seed).fit_transform(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced), np.float64)
