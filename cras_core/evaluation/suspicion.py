"""Which samples of good cloth are probably not: a defect on them, no cloth, another cloth, bad light or focus.

Tiles are compared with each other, by the features of a detector that need not know the fabric. Each cell is compared
with cells of other tiles (nearest neighbours, as in PatchCore, Roth et al., CVPR 2022, but each tile is left out of its
own reference); a tile is as anomalous as its most anomalous cells. Its median features and its brightness are compared
with those of the other tiles. Limits come from the tiles themselves, from the better half of them, so that up to a
third of them may be bad. Measured in docs/measurements.md, "Bad samples".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.detectors.base import Detector
from cras_core.errors import DataError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEWEST_TILES = 8
"""Fewer cannot be judged by each other."""

_ENOUGH_TILES = 20  # with fewer the limits are wider, by a half and more: they are not well known
_DIMENSIONS = 48  # vectors are projected onto so many; distances keep within a few per cent
_REFERENCE_TILES = 32
_REFERENCE_CELLS = 64  # of each reference tile
_KEPT_CELLS = 256  # most_anomalous cells of a tile that are compared again
_MOST_ANOMALOUS = 4  # cells that make the score of a tile
_NEIGHBOUR = 0.15  # share of the reference tiles that must resemble a cell, so that a repeated defect is none the less
_DEVIATIONS = 5.0  # limit of the most anomalous cells
_PRIOR_DEVIATION = 0.05  # of the logarithm of a good tile's score, where few tiles tell it
_MEDIANS = 2.75  # limit of a tile's median, multiples of the usual distance from the median of all
_ENOUGH_OF_A_FIFTH = 5  # tiles of a fifth of the width have a median of their own from so many on
_LEAST_MEDIAN = 0.25  # least usual distance of a median, deviations of the cells of a tile
_LEAST_BRIGHTNESS = 0.25  # least limit of brightness, natural logarithm
_BRIGHTNESS_DEVIATIONS = 5.0


@dataclass(frozen=True, slots=True)
class _Summary:
    """What is kept of one tile: about 40 KB.

    Attributes:
        most_anomalous: (k, P) float16 the cells furthest from the first references.
        sample: (n, P) float16 cells chosen at random, for reference.
        median, deviation: (D,) median and standard deviation of its cells.
    """

    most_anomalous: Tensor
    sample: Tensor
    median: Floats
    deviation: Floats


def suspicions(
    count: int,
    vectors: Callable[[int], Tensor],
    brightness: Sequence[float] | Floats | None = None,
    across: Sequence[float] | None = None,
    on_tile: Callable[[int], None] = lambda _: None,
) -> npt.NDArray[np.float32]:
    """How unlike the others each tile is.

    Args:
        count: number of tiles; at least ``FEWEST_TILES``.
        vectors: of tile i, (h, w, D) as ``Detector.extract_features`` gives; asked twice for 32 tiles, once for the
            others.
        brightness: mean grey value of each tile; None leaves light out.
        across: where each tile lies across the cloth, 0 at the left to 1; light and lens make tiles at the sides differ
            from the others. None where nobody knows.
        on_tile: told after each tile how many are done.

    Returns:
        (count,) float32, 0 or more; 1 is the limit from which a person should look. Takes about 40 KB of memory and, on
        one core, 0.1 s for each tile of 512 px beside what its features take. A defect that is small and weak is not
        found: a store that was judged is cleaner, not clean.

    Raises:
        DataError: there are too few tiles.
    """
    if count < FEWEST_TILES:
        raise DataError(
            "too-few-samples-to-judge",
            "{count} samples are too few to be judged by each other; collect {least} at least.",
            count=count,
            least=FEWEST_TILES,
        )
    rng = np.random.default_rng(0)
    first = np.sort(rng.permutation(count)[:_REFERENCE_TILES])
    projection = _projection(vectors(0).shape[-1])
    references = {int(i): _some(_cells(vectors(int(i)), projection), rng) for i in first}
    summaries = []
    for i in range(count):
        summaries.append(_summary(i, vectors(i), projection, references, rng))
        on_tile(i + 1)
    fifths = np.zeros(count, np.int64) if across is None else np.clip(np.asarray(across) * 5, 0, 4).astype(np.int64)
    found = [_anomaly_of_cells(summaries, references, fifths, rng), _anomaly_of_medians(summaries, fifths)]
    if brightness is not None:
        found.append(_anomaly_of_light(np.asarray(brightness, np.float64)))
    wider = 1.0 + max(0, _ENOUGH_TILES - count) / _ENOUGH_TILES
    return np.asarray(np.maximum(np.max(found, axis=0), 0.0) / wider, np.float32)


def score_samples(
    store: SampleStore,
    fabric: str,
    detector: Detector,
    on_progress: Callable[[Path, int, int], None] = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Sample]:
    """Writes the suspicion of each sample of good cloth into the store; the samples as they are now.

    Args:
        store: holds the samples.
        fabric: whose.
        detector: gives features; it need not know the fabric.
        on_progress: told after each sample how many are done, of how many.
        should_stop: asked as often; nothing is written when it says yes.

    Raises:
        DataError: the fabric is not known or has too few samples of good cloth, a picture cannot be read, the disk
            cannot be written, or it was stopped.
    """
    samples = [s for s in store.samples(fabric) if s.is_good]
    folder = store.folder(fabric) / "samples"
    light = np.zeros(len(samples))

    def vectors(i: int) -> Tensor:
        if should_stop():
            raise DataError("judging-stopped", "Judging was stopped; no sample was changed.")
        image = store.image(samples[i])
        light[i] = image.mean()
        return detector.extract_features(image[None]).vectors[0]

    def told(done: int) -> None:
        on_progress(folder / f"{samples[done - 1].id}.png", done, len(samples))

    known = all(s.cloth_mm > 0 for s in samples)
    across = [s.position_mm / s.cloth_mm for s in samples] if known else None
    found = suspicions(len(samples), vectors, light, across, told)
    judged = [replace(s, suspicion=round(float(x), 3)) for s, x in zip(samples, found, strict=True)]
    for sample in judged:
        store.update(sample)
    return judged


def _projection(dimension: int) -> Tensor:
    """(D, P) that keeps distances as well as chance allows (Johnson and Lindenstrauss)."""
    if dimension <= _DIMENSIONS:
        return torch.eye(dimension)
    drawn = torch.randn(dimension, _DIMENSIONS, generator=torch.Generator().manual_seed(0))
    q: Tensor = torch.linalg.qr(drawn)[0]
    return q * float((dimension / _DIMENSIONS) ** 0.5)


def _cells(vectors: Tensor, projection: Tensor) -> Tensor:
    """(h, w, D) -> (h * w, P)."""
    return vectors.reshape(-1, vectors.shape[-1]).float().cpu() @ projection


def _some(cells: Tensor, rng: np.random.Generator) -> Tensor:
    return cells[torch.from_numpy(rng.permutation(len(cells))[:_REFERENCE_CELLS])].half()


def _summary(
    i: int, vectors: Tensor, projection: Tensor, references: dict[int, Tensor], rng: np.random.Generator
) -> _Summary:
    cells = _cells(vectors, projection)
    distance = _distances(cells, [r for j, r in references.items() if j != i])
    flat = vectors.reshape(-1, vectors.shape[-1]).float().cpu()
    return _Summary(
        cells[distance.topk(min(_KEPT_CELLS, len(cells))).indices].half(),
        references[i] if i in references else _some(cells, rng),
        flat.median(dim=0).values.double().numpy(),
        flat.std(dim=0).double().numpy(),
    )


def _distances(cells: Tensor, references: Sequence[Tensor]) -> Tensor:
    """(n, P) cells -> (n,) how far each is from the nearest cell of the tile that is nearest but for a share."""
    k = 1 + int(_NEIGHBOUR * len(references))
    nearest = torch.stack([torch.cdist(cells, r.float()).amin(dim=1) for r in references])
    found: Tensor = nearest.kthvalue(k, dim=0).values
    return found


def _anomaly_of_cells(
    summaries: Sequence[_Summary], references: dict[int, Tensor], fifths: Integers, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """The most anomalous cells of each tile: by the references at hand, then by the tiles that looked good in that."""

    def scores(by: dict[int, Tensor]) -> Floats:
        logs = []
        for i, summary in enumerate(summaries):
            distance = _distances(summary.most_anomalous.float(), [r for j, r in by.items() if j != i])
            logs.append(float(distance.topk(min(_MOST_ANOMALOUS, len(distance))).values.mean().clamp_min(1e-6).log()))
        return np.array(logs)

    chosen = _best(scores(references), fifths, rng)
    found = scores({int(i): summaries[i].sample for i in chosen})
    usual, low = np.quantile(found, [0.4, 0.1])
    # Between these two quantiles lie 1.03 standard deviations of a normal distribution.
    deviation = ((usual - low) / 1.03 + _PRIOR_DEVIATION) / 2
    return np.asarray((found - usual) / (_DEVIATIONS * deviation))


def _best(scores: Floats, fifths: Integers, rng: np.random.Generator) -> Integers:
    """Reference tiles among the better two thirds of each fifth of the width, of all fifths alike."""
    kinds = [np.flatnonzero(fifths == k) for k in np.unique(fifths)]
    better = [kind[np.argsort(scores[kind])[: -(-len(kind) * 2 // 3)]] for kind in kinds]
    turns = np.concatenate([np.arange(len(kind)) for kind in better])
    mixed = np.concatenate([rng.permutation(kind) for kind in better])
    return np.sort(mixed[np.argsort(turns, kind="stable")][:_REFERENCE_TILES])


def _anomaly_of_medians(summaries: Sequence[_Summary], fifths: Integers) -> npt.NDArray[np.float64]:
    """How far the median features of each tile lie from those of all, or from that of its fifth of the width."""
    medians = np.stack([s.median for s in summaries])
    deviation = np.median([s.deviation for s in summaries], axis=0) + 1e-6
    distance = _distance_from_median(medians / deviation)
    usual = max(_LEAST_MEDIAN, float(np.quantile(distance, 0.4)))
    for k in np.unique(fifths):
        mine = fifths == k
        if mine.sum() >= _ENOUGH_OF_A_FIFTH:
            distance[mine] = np.minimum(distance[mine], _distance_from_median(medians[mine] / deviation))
    return np.asarray(np.log(np.maximum(distance, 1e-6) / usual) / np.log(_MEDIANS))


def _distance_from_median(points: Floats) -> Floats:
    return np.asarray(np.sqrt(((points - np.median(points, axis=0)) ** 2).mean(axis=1)))


def _anomaly_of_light(brightness: Floats) -> npt.NDArray[np.float64]:
    logs = np.log(np.maximum(brightness, 1.0))
    off = np.abs(logs - np.median(logs))
    return np.asarray(off / max(_LEAST_BRIGHTNESS, _BRIGHTNESS_DEVIATIONS * 1.48 * float(np.median(off))))
