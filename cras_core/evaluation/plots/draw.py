"""Decided content in, matplotlib figures out; nothing here reads a file or knows a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from cras_core.arrays import Image
from cras_core.evaluation.plots.scored import Bools, Floats, Judged

TOP_SCORE = 2.0
"""Scores are drawn from 0 to this, whatever there is in a picture: 1 is the limit."""

_MAP = colormaps["inferno"]
_CONTOUR = (0.1, 0.9, 0.5)
_ZOOM_PX = 320
_WIDE = 3.0  # a picture wider than this many times its height is shown whole and in a cut


def scatter(
    panels: Mapping[str, Sequence[tuple[str, npt.NDArray[np.float64], Bools]]],
    title: str,
    marks: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> Figure:
    """A panel per name: points of every fabric, normal as dots and anomalous as crosses; ``marks`` are stars, such as
    centres, (1, 2) per fabric, on the last panel.
    """
    figure = Figure((6.2 * len(panels), 6.0), layout="constrained")
    colours = colormaps["tab10"]
    for axes, (name, groups) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        for i, (fabric, points, anomalous) in enumerate(groups):
            colour = colours(i % 10)
            good, bad = points[~anomalous], points[anomalous]
            axes.scatter(good[:, 0], good[:, 1], s=7, color=colour, alpha=0.45, linewidths=0, label=f"{fabric}, normal")
            if len(bad):
                axes.scatter(
                    bad[:, 0], bad[:, 1], s=22, color=colour, marker="x", linewidths=0.9, label=f"{fabric}, anomalous"
                )
            if marks is not None and fabric in marks:
                star = marks[fabric]
                axes.scatter(star[:, 0], star[:, 1], s=220, color=colour, marker="*", edgecolors="black", zorder=3)
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.axes[-1].legend(fontsize=7, loc="best")
    figure.suptitle(title, fontsize=10)
    return figure


def evolution(panels: Mapping[str, Sequence[tuple[str, npt.NDArray[np.float64]]]]) -> Figure:
    """A panel per moment of training, all of one scale: the (n, 2) centroids of every set by its name (figure 4 of the
    AnomNet paper).
    """
    figure = Figure((4.6 * len(panels), 4.8), layout="constrained")
    colours = colormaps["tab10"]
    for axes, (moment, sets) in zip(
        np.atleast_1d(figure.subplots(1, len(panels), sharex=True, sharey=True)), panels.items(), strict=True
    ):
        for i, (name, points) in enumerate(sets):
            axes.scatter(points[:, 0], points[:, 1], s=16, color=colours(i % 10), alpha=0.7, linewidths=0, label=name)
        axes.set_title(moment)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.axes[-1].legend(fontsize=7, loc="best")
    return figure


def histograms(scores: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    """A panel per fabric: how many cells beside and under the masks have which score."""
    figure = Figure((8.0, 2.4 * len(scores)), layout="constrained")
    edges = np.linspace(-1.0, 2 * TOP_SCORE, 101)
    panels = np.atleast_1d(figure.subplots(len(scores), 1, sharex=True))
    for axes, (fabric, (normal, defective)) in zip(panels, scores.items(), strict=True):
        for values, label, colour in ((normal, "beside the masks", "tab:blue"), (defective, "under a mask", "tab:red")):
            if len(values):
                weight = np.full(len(values), 100.0 / len(values))
                axes.hist(
                    np.clip(values, edges[0], edges[-1]), edges, weights=weight, label=f"{label} ({len(values)} cells)",
                    color=colour, alpha=0.55,
                )  # fmt: skip
        axes.axvline(1.0, color="black", linewidth=1, linestyle="--")
        axes.set_yscale("log")
        axes.set_ylabel("% of the cells")
        axes.set_title(fabric, fontsize=9, loc="left")
        axes.legend(fontsize=7)
    panels[-1].set_xlabel("score of a cell; 1 is the limit; the ends hold what lies beyond")
    return figure


def recall_curves(curves: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> Figure:
    """For every report a line per fabric and a thick one for all: recall over false alarms per strip."""
    figure = Figure((7.0, 5.0), layout="constrained")
    axes = figure.subplots()
    styles, colours = ("-", "--", ":", "-."), colormaps["tab10"]
    names = sorted({name for report in curves.values() for name in report} - {"all"})
    for k, (report, fabrics) in enumerate(curves.items()):
        for name, recall in fabrics.items():
            known = [(float(rate), value) for rate, value in recall.items() if value is not None]
            if known:
                axes.plot(
                    *zip(*known, strict=True), marker="o", markersize=3, linestyle=styles[k % len(styles)],
                    linewidth=2.5 if name == "all" else 1.0, label=f"{report}: {name}",
                    color="black" if name == "all" else colours(names.index(name) % 10),
                )  # fmt: skip
    axes.set_xscale("log")
    rates = sorted({float(rate) for report in curves.values() for recall in report.values() for rate in recall})
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.set_ylim(0.0, 1.0)
    axes.grid(alpha=0.3)
    axes.set_xlabel("false alarms per strip")
    axes.set_ylabel("share of the defects found")
    axes.legend(fontsize=7)
    return figure


def sheet(items: Sequence[Judged], title: str, *, min_max: bool = False) -> Figure:
    """A row per picture: as it is, with its mask, with its heat map; long strips are also shown whole (figure 6).

    ``min_max`` colours every map from its own least to its own greatest score, as AnomNet's figure 5 does; how strange
    a picture is cannot be seen then.
    """
    shade = _from_least_to_greatest if min_max else _from_zero_to_top
    wide = items[0].picture.shape[1] > _WIDE * items[0].picture.shape[0]
    figure = Figure((10.0, 3.5 * len(items) + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = GridSpec(2 * len(items), 3, figure, height_ratios=([1, 4] if wide else [1e-3, 4]) * len(items))
    for i, item in enumerate(items):
        lit = Judged(item.path, item.picture, item.mask, shade(item.score))
        if wide:
            whole = figure.add_subplot(grid[2 * i, :])
            _heat(whole, item.picture, lit.score)
            _outline(whole, item.mask)
            whole.set_title(_caption(item), fontsize=8, loc="left")
        shown = _zoomed(lit) if wide else lit
        panels = [figure.add_subplot(grid[2 * i + 1, k]) for k in range(3)]
        _picture(panels[0], shown.picture)
        _picture(panels[1], shown.picture)
        _outline(panels[1], shown.mask)
        _heat(panels[2], shown.picture, shown.score)
        if not wide:
            panels[0].set_title(_caption(item), fontsize=8, loc="left")
    bar = ScalarMappable(Normalize(0.0, 1.0 if min_max else TOP_SCORE), _MAP)
    label = "least to greatest score of each" if min_max else "score; 1 is the limit"
    figure.colorbar(bar, ax=figure.axes, label=label, shrink=0.4, aspect=30, pad=0.01)
    return figure


def _caption(item: Judged) -> str:
    if not item.mask.any():
        return f"{item.path.name}: good, highest score {np.nanmax(item.score, initial=0.0):.2f}"
    return f"{item.path.name}: the defect stands out by {item.margin:+.2f}"


def _zoomed(item: Judged) -> Judged:
    """A cut of a strip around its largest defect, or its middle."""
    middle = item.mask.shape[1] // 2
    if item.mask.any():
        _, _, stats, centres = cv2.connectedComponentsWithStats(item.mask.astype(np.uint8))
        middle = int(centres[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))][0])
    left = max(0, min(item.mask.shape[1] - _ZOOM_PX, middle - _ZOOM_PX // 2))
    cols = np.s_[:, left : left + _ZOOM_PX]
    return Judged(item.path, item.picture[cols], item.mask[cols], item.score[cols])


def _picture(axes: Axes, picture: Image) -> None:
    grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if picture.ndim == 2 else {}
    axes.imshow(picture, **grey)
    axes.set_axis_off()


def _from_zero_to_top(score: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num(score) / TOP_SCORE, 0.0, 1.0))


def _from_least_to_greatest(score: Floats) -> Floats:
    """Section 2.3 of AnomNet, for the eye alone; 0 where nothing was inspected, or all scores are the same."""
    known = score[np.isfinite(score)]
    if not len(known) or known.max() == known.min():
        return np.zeros_like(score)
    return np.asarray(np.nan_to_num((score - known.min()) / (known.max() - known.min())), dtype=np.float32)


def _heat(axes: Axes, picture: Image, strength: Floats) -> None:
    """The picture under its scores, brought to 0..1; the stranger, the less of it is seen."""
    _picture(axes, picture)
    axes.imshow(strength, cmap=_MAP, vmin=0.0, vmax=1.0, alpha=np.clip(1.6 * strength, 0.0, 0.9))


def _outline(axes: Axes, mask: Bools) -> None:
    if mask.any() and not mask.all():
        axes.contour(mask.astype(np.float32), [0.5], colors=[_CONTOUR], linewidths=1.0)
