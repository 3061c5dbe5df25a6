"""Training all fabrics anew from the store of samples, and setting the result beside the model in use.

What an operator rejected as no defect is in the store as good cloth and is learnt; what was confirmed as a defect is
kept away from learning and judges the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig
from cras_core.data.samples.good_cloth import normal_images
from cras_core.data.samples.store import SampleStore
from cras_core.data.values import NormalImages
from cras_core.errors import DataError, TrainingError
from cras_core.evaluation.candidate import Case, compare
from cras_core.evaluation.candidate_cases import cases_of, count_of
from cras_core.evaluation.candidate_verdicts import CandidateReport
from cras_core.loading import detector_of
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import samples_of, stamp
from cras_core.training.progress import COMPARISON_STAGE, OnProgress, Progress, ShouldStop
from cras_core.training.train import train


@dataclass(frozen=True, slots=True)
class Retraining:
    """What to train.

    Attributes:
        store: the samples.
        config: settings, the seed among them.
        fabrics: names; None takes all that are not retired and have samples of good cloth.
        more: good cloth that lies elsewhere, of other fabrics than those of the store.
        device: ``auto``, ``cpu``, ``cuda``, ...
        author: who asked for it; None takes who is logged in.
        checkpoint: folder for what a training that is cut off has so far; the caller removes it when the bundle is
            safe.
    """

    store: SampleStore
    config: CrasConfig
    fabrics: tuple[str, ...] | None = None
    more: tuple[NormalImages, ...] = ()
    device: str = "auto"
    author: str | None = None
    checkpoint: Path | None = None


def retrain(
    job: Retraining,
    parent: Bundle | None,
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Bundle:
    """Trains a model of all fabrics.

    Args:
        job: what to train.
        parent: the model in use, for the record only.
        on_progress, should_stop: see ``train``.

    Raises:
        CrasError: the samples or the settings cannot be used, training diverged, or it was stopped.
    """
    stored = normal_images(job.store, job.fabrics)
    names = {n.fabric for n in stored}
    doubled = sorted(names & {n.fabric for n in job.more})
    if doubled:
        raise DataError(
            "fabric-in-store-and-folder",
            "{fabrics}: both in the store and in the folder; leave one of the two out.",
            fabrics=doubled,
        )
    data = [*stored, *job.more]
    if not data:
        raise DataError(
            "no-fabric-to-learn",
            "The store {store} has no fabric to learn. Collect samples first.",
            store=job.store.root,
        )
    bundle = train(data, _at_scale(job, stored), job.device, on_progress, should_stop, job.checkpoint)
    told = {**bundle.provenance, **stamp("full", job.author), "samples": {d.fabric: samples_of(d) for d in data}}
    if parent is not None:
        told |= {"parent": parent.identity, "ancestors": [*parent.provenance.get("ancestors", ()), parent.identity]}
    return replace(bundle, provenance=told)


_SAME_SCALE = 1.05


def _at_scale(job: Retraining, stored: Sequence[NormalImages]) -> CrasConfig:
    """The settings with the scale of the samples. Raises DataError when a fabric has samples of several."""
    scales = []
    for normal in stored:
        mine = sorted((s.mm_per_px, s.id) for s in job.store.samples(normal.fabric) if s.is_good)
        (finest, first), (coarsest, last) = mine[0], mine[-1]
        if coarsest > _SAME_SCALE * finest:
            raise DataError(
                "samples-of-two-scales",
                "{fabric}: samples of {finest:g} mm per pixel ({first}) and of {coarsest:g} ({last}) cannot be learnt "
                "as one cloth. Throw those of the other camera setting out.",
                fabric=normal.fabric,
                finest=finest,
                first=first,
                coarsest=coarsest,
                last=last,
            )
        scales += [mm for mm, _ in mine]
    return with_settings(job.config, {"calibration.mm_per_px": str(float(np.median(scales)))} if scales else {})


def lost_fabrics(running: Bundle | None, store: SampleStore, more: Sequence[NormalImages] = ()) -> tuple[str, ...]:
    """Fabrics that the model in use knows and a training of the store would not: there are no samples of them."""
    if running is None:
        return ()
    taught = {f.name for f in store.fabrics() if any(s.is_good for s in store.samples(f.name))}
    retired = {f.name for f in store.fabrics() if f.is_retired}
    return tuple(f for f in running.fabrics if f not in taught | retired | {n.fabric for n in more})


def evaluate_candidate(
    store: SampleStore,
    candidate: Bundle,
    running: Bundle | None,
    device: str = "auto",
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> CandidateReport:
    """Sets a new model beside the one in use, on the store's samples that the new one has not learnt from.

    Args:
        store: the samples.
        candidate: the new model.
        running: the model in use; None where there is none.
        device, on_progress, should_stop: see ``train``.

    Raises:
        CrasError: a model or a sample cannot be used, or it was stopped.
    """
    known = {f.name for f in store.fabrics()}
    fabrics = [f for f in candidate.fabrics if f in known]
    held = candidate.provenance.get("held_back", {})
    total = count_of(store, fabrics, held)
    one, other = (detector_of(b, device) if b is not None else None for b in (candidate, running))
    assert one is not None
    return compare(
        other, one, cases_of(store, fabrics, held), learnt_ids(running), _teller(total, on_progress, should_stop)
    )


def learnt_ids(bundle: Bundle | None) -> set[str]:
    """Ids of samples that a model was trained on, as far as its provenance tells."""
    if bundle is None:
        return set()
    held = {name for names in bundle.provenance.get("held_back", {}).values() for name in names}
    listed = bundle.provenance.get("samples", {})
    return {Path(s["name"]).stem for some in listed.values() for s in some if s["name"] not in held}


def _teller(total: int, on_progress: OnProgress, should_stop: ShouldStop) -> Callable[[Case], None]:
    done = 0

    def tell(case: Case) -> None:
        nonlocal done
        done += 1
        on_progress(Progress(COMPARISON_STAGE, done, max(done, total), f"{case.fabric}: {case.id}"))
        if should_stop():
            raise TrainingError(
                "evaluation-stopped", "The comparison was stopped; the new model is kept and not in use."
            )

    return tell
