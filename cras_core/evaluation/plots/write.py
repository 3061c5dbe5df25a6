"""From a model and a test set to a folder of figures."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pydantic import Field

from cras_core.data.datasets import DataSet
from cras_core.detectors.trained import TrainedDetector
from cras_core.errors import ConfigError, CrasError, DataError, JsonFileError
from cras_core.evaluation.plots.draw import evolution, histograms, recall_curves, scatter, sheet
from cras_core.evaluation.plots.scored import Overview, TestSet, survey
from cras_core.evaluation.plots.vectors import FabricVectors, collect, project
from cras_core.files import write_atomically
from cras_core.json_files import read_json
from cras_core.validated import Number, validated

OnProgress = Callable[[str, int, int, str], None]
_DPI = 110


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """What is drawn.

    Attributes:
        projection: ``tsne`` or ``pca``.
        rows: pictures on a sheet.
        vectors: most normal, and most anomalous patches of a fabric.
        recall: reports of ``cras evaluate-web`` whose recall is drawn.
        seed: every random choice follows from it.
        known: the fabric of a strip is given; otherwise it is matched.
        min_max: the heat map of each picture runs from its own least to its own greatest score.
    """

    projection: str = "tsne"
    rows: int = 4
    vectors: int = 300
    recall: tuple[Path, ...] = ()
    seed: int = 0
    known: bool = True
    min_max: bool = False

    def __post_init__(self) -> None:
        if self.projection not in ("tsne", "pca"):
            raise ConfigError(
                "projection-unknown",
                "there is no projection {projection!r}; known are tsne, pca",
                projection=self.projection,
            )
        if self.rows < 1 or self.vectors < 1 or self.seed < 0:
            raise ConfigError("figures-out-of-range", "figures: a value is out of range: {settings}", settings=self)


def write_plots(
    detector: TrainedDetector,
    data: DataSet | Path,
    out: Path,
    options: PlotOptions,
    on_progress: OnProgress = lambda *_: None,
) -> list[Path]:
    """Draws everything that the data allow.

    Args:
        detector: the trained model.
        data: pictures or strips with masks; a folder is opened without a name.
        out: folder to write to.
        options: what to draw.
        on_progress: told stage, steps done, steps in all, and a name.

    Returns:
        The files: ``centroids.png`` of a model with centroids, ``patches.png`` and ``pictures.png`` (features),
        ``sheet-<fabric>-<best, worst or random>.png``, ``scores.png``, and ``recall.png`` where there are reports.

    Raises:
        CrasError: data or reports cannot be used, or the folder cannot be written to.
    """
    tests = TestSet(detector, data, known=options.known)
    curves = {path.stem: _recall_of(path) for path in options.recall}
    written: list[Path] = []

    def save(name: str, figure: Figure) -> None:
        written.append(_save(figure, out / f"{name}.png"))

    if detector.evolution:
        save("centroids", _centroids_figure(detector, options))
    vectors = _collect(detector, tests, options, on_progress)
    save("patches", _patches_figure(vectors, options))
    save("pictures", _pictures_figure(detector, vectors, options))
    overviews = _survey(detector, tests, on_progress)
    save("scores", histograms({fabric: (o.normal, o.defective) for fabric, o in overviews.items()}))
    for number, (fabric, overview) in enumerate(overviews.items()):
        for kind, chosen in _choose(overview, options.rows, np.random.default_rng([options.seed, 2, number])).items():
            items = [tests.judge(tests.by_fabric[fabric][i]) for i in chosen]
            if items:
                title = f"{fabric}: {_KINDS[kind]}"
                save(f"sheet-{_plain(fabric)}-{kind}", sheet(items, title, min_max=options.min_max))
            on_progress("sheets", len(written), len(written), fabric)
    if curves:
        save("recall", recall_curves(curves))
    return written


_KINDS = {
    "best": "where the defect stands out furthest",
    "worst": "where it stands out least",
    "random": "chosen at random",
}


def _collect(
    detector: TrainedDetector, tests: TestSet, options: PlotOptions, on_progress: OnProgress
) -> dict[str, FabricVectors]:
    found = {}
    for number, fabric in enumerate(tests.by_fabric):

        def told(path: Path, done: int = number) -> None:
            on_progress("features", done, len(tests.by_fabric), path.name)

        rng = np.random.default_rng([options.seed, 1, number])
        found[fabric] = collect(detector, tests, fabric, options.vectors, rng, told)
        on_progress("features", number + 1, len(tests.by_fabric), fabric)
    return found


def _survey(detector: TrainedDetector, tests: TestSet, on_progress: OnProgress) -> dict[str, Overview]:
    done = 0

    def told(path: Path) -> None:
        nonlocal done
        done += 1
        on_progress("scores", done, len(tests), path.name)

    cell = detector.config.tiling.cell_px
    return {fabric: survey(tests, fabric, cell, told) for fabric in tests.by_fabric}


def _patches_figure(vectors: Mapping[str, FabricVectors], options: PlotOptions) -> Figure:
    """Figure 4: raw and residual features of patches."""
    panels = {}
    for title, name in (("raw features u", "raw"), ("residual features u - p", "residual")):
        places = project(np.concatenate([getattr(v, name) for v in vectors.values()]), options.projection, options.seed)
        ends = np.cumsum([len(v.anomalous) for v in vectors.values()])[:-1]
        panels[title] = [
            (fabric, part, v.anomalous)
            for (fabric, v), part in zip(vectors.items(), np.split(places, ends), strict=True)
        ]
    return scatter(panels, f"adapted patches, {options.projection}, seed {options.seed}")


def _centroids_figure(detector: TrainedDetector, options: PlotOptions) -> Figure:
    """Figure 4 of AnomNet: the centroids before, in the middle and at the end of the first stage."""
    epochs = sorted(detector.evolution)
    moments = np.stack([detector.evolution[e].float().numpy() for e in epochs])  # (moments, S, K, D)
    places = project(moments.reshape(-1, moments.shape[-1]), options.projection, options.seed)
    places = places.reshape(*moments.shape[:3], 2)
    names = detector.fabrics if moments.shape[1] > 1 else ("all fabrics",)
    return evolution(
        {f"epoch {e}": list(zip(names, sets, strict=True)) for e, sets in zip(epochs, places, strict=True)}
    )


def _pictures_figure(detector: TrainedDetector, vectors: Mapping[str, FabricVectors], options: PlotOptions) -> Figure:
    """Figure 7: mean vectors of pictures around the mean vectors of the fabrics, the stars."""
    known = [f for f in vectors if f in detector.fabrics]
    means = detector.means.detach().cpu().numpy()
    stars = np.stack([means[detector.fabrics.index(f)] for f in known]) if known else means[:0]
    together = np.concatenate([*(v.pictures for v in vectors.values()), stars])
    places = project(together, options.projection, options.seed)
    ends = np.cumsum([len(v.spoilt) for v in vectors.values()])
    groups = [
        (fabric, part, v.spoilt) for (fabric, v), part in zip(vectors.items(), np.split(places, ends)[:-1], strict=True)
    ]
    marks = {fabric: places[ends[-1] + i :][:1] for i, fabric in enumerate(known)}
    return scatter({"pictures and centres": groups}, f"mean vectors, {options.projection}, seed {options.seed}", marks)


def _choose(overview: Overview, rows: int, rng: np.random.Generator) -> dict[str, list[int]]:
    """Which pictures go on which sheet; the first two show defects only."""
    defective = [i for i, margin in enumerate(overview.margins) if not np.isnan(margin)]
    ranked = sorted(defective, key=lambda i: -overview.margins[i])
    order = rng.permutation(len(overview.margins))[:rows]
    return {"best": ranked[:rows], "worst": ranked[::-1][:rows], "random": sorted(order.tolist())}


def _recall_of(path: Path) -> dict[str, dict[str, float | None]]:
    """Recall over false alarms per strip of every fabric and of all."""
    try:
        report = read_json(path, _Report)
    except JsonFileError as error:
        if error.fault != "content":
            raise
        raise DataError(
            "not-a-web-report", "{path} is no report of cras evaluate-web --json ({reason})", path=path, reason=error
        ) from error
    return {name: figures.recall_per_strip for name, figures in [*report.fabrics.items(), ("all", report.all)]}


@validated("", DataError, takes_more=True)
class _Figures:
    """Of a report of webs, what is drawn of one fabric; null where there is no recall."""

    recall_per_strip: dict[Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")], Number | None]


@validated("", DataError, takes_more=True)
class _Report:
    """Of a report of webs, what is drawn."""

    fabrics: dict[str, _Figures]
    all: _Figures


def _plain(name: str) -> str:
    """A name that is one part of a path."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI)
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise CrasError("file-unwritable", "{path} cannot be written: {reason}", path=path, reason=error) from error
    return path
