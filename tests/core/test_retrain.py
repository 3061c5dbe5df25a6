"""Training anew from the store of samples, and the comparison with the model in use."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cras_core.config.reading import with_settings
from cras_core.data.samples.labels import labels_of
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.data.values import Piece
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import DataError
from cras_core.evaluation.candidate import Case, judge, threshold_for
from cras_core.evaluation.candidate_reports import KeptReport, keep_report, load_report
from cras_core.evaluation.candidate_verdicts import CandidateReport, Verdict
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore
from cras_core.training.progress import Progress
from cras_core.training.retrain import Retraining, evaluate_candidate, learnt_ids, lost_fabrics, retrain

FEW = {"train.epochs": "2", "train.patches_per_epoch": "4096", "synthesis.drawn_tiles": "2"}


@pytest.fixture(scope="module")
def store(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SampleStore:
    """Tiles of two weaves, from six webs each, and two with defects."""
    store = SampleStore(tmp_path_factory.mktemp("store"))
    for weave in ("plain", "twill"):
        store.begin(FabricRecord(weave))
        for i, path in enumerate(list_images(loom_data / weave / "normal")):
            strip = read_image(path)
            for left in (300, 560):
                sample = Sample(f"w{i}-{left}", weave, "collected", f"web-{i}", left_px=left)
                store.add(sample, strip[:256, left : left + 256])
        for i, path in enumerate(list_images(loom_data / weave / "defect")[:2]):
            strip, mask = read_image(path), read_image(loom_data / weave / "mask" / path.name) > 127
            x = int(np.clip(np.flatnonzero(mask.any(axis=0))[0] - 60, 0, 768))
            y = int(np.clip(np.flatnonzero(mask[:, x : x + 256].any(axis=1))[0] - 60, 0, 256))
            labels = labels_of(mask[y : y + 256, x : x + 256], "hole")
            sample = Sample(f"d{i}", weave, "confirmed defect", f"bad-{i}", labels=labels)
            store.add(sample, strip[y : y + 256, x : x + 256])
    return store


@pytest.fixture(scope="module")
def trained(store: SampleStore, bundle: Bundle) -> Bundle:
    return retrain(Retraining(store, with_settings(bundle.config, FEW), device="cpu", author="Ida"), bundle)


def test_a_training_tells_what_it_was_made_of(store: SampleStore, bundle: Bundle, trained: Bundle) -> None:
    told = trained.provenance
    assert trained.fabrics == ("plain", "twill")
    assert told["author"] == "Ida"
    assert told["kind"] == "full"
    assert told["parent"] == bundle.identity
    assert len(told["samples"]["plain"]) == 12
    assert not any(s["name"].startswith("d") for s in told["samples"]["plain"])  # defects are not learnt
    held = told["held_back"]["plain"]
    assert held
    assert {n.split("-")[0] for n in held}.isdisjoint(i.split("-")[0] for i in learnt_ids(trained) if i not in held)


def test_two_models_are_compared_on_what_the_new_one_has_not_learnt(
    store: SampleStore, bundle: Bundle, trained: Bundle, tmp_path: Path
) -> None:
    steps: list[Progress] = []
    trial = evaluate_candidate(store, trained, bundle, "cpu", steps.append)
    held = {n.removesuffix(".png") for n in trained.provenance["held_back"]["plain"]}
    assert {v.id for v in trial.candidate if v.fabric == "plain" and v.kind == "good"} == held
    assert steps[-1].done == steps[-1].total == len(trial.candidate)
    before, after = trial.figures("plain")
    assert before is not None
    assert before.pieces == after.pieces == len(held)
    assert after.area_m2 == pytest.approx(before.area_m2)
    assert 0 < after.area_m2 < len(held) * 256 * 256 * 0.04e-6
    assert after.drawn == before.drawn > 0
    assert after.defects == before.defects >= 2
    assert before.defects_found > 0
    keep_report(tmp_path, KeptReport("", "x", trial))
    assert load_report(tmp_path, "x") == KeptReport("", "x", trial)
    alone = evaluate_candidate(store, trained, None, "cpu")
    assert alone.candidate == trial.candidate
    assert alone.got_worse == ()
    assert alone.disagreements == ()


def test_a_fabric_that_a_model_does_not_know_is_compared_with_the_nearest(store: SampleStore, bundle: Bundle) -> None:
    sample = store.samples("plain")[0]
    case = Case(sample.id, "poplin", "good", store.image(sample), Piece("w"))
    verdict = judge(CrasDetector.from_bundle(bundle, "cpu"), case)
    assert not verdict.known
    assert verdict.area_m2 > 0
    narrow = dataclasses.replace(case, piece=Piece("w", 100.0, 130.0))
    assert judge(CrasDetector.from_bundle(bundle, "cpu"), narrow).area_m2 == 0.0


def verdicts(kind: str, peaks: list[float], found: int = 0) -> list[Verdict]:
    return [
        Verdict(
            f"{kind}{i}",
            "denim",
            kind,
            p,
            int(kind == "good" and p >= 1),
            int(kind != "good"),
            int(i < found),
            0.01,
            True,
        )  # type: ignore[arg-type]
        for i, p in enumerate(peaks)
    ]


def test_what_got_worse_is_said_and_chance_is_not() -> None:
    quiet, loud = verdicts("good", [0.5] * 50), verdicts("good", [1.5] * 9 + [0.5] * 41)
    one = verdicts("good", [1.5] + [0.5] * 49)
    assert CandidateReport(tuple(quiet), tuple(one)).got_worse == ()
    (said,) = CandidateReport(tuple(quiet), tuple(loud)).got_worse
    assert said == "denim: 9 false alarms on 0.50 m2 of held-back cloth, 0 before"
    assert CandidateReport(tuple(loud), tuple(quiet)).got_worse == ()
    all_found, one_missed = verdicts("defect", [2.0] * 3, 3), verdicts("defect", [2.0] * 3, 2)
    assert CandidateReport(tuple(all_found), tuple(one_missed)).got_worse == (
        "denim: 2 of 3 confirmed defects, 3 before",
    )
    many, fewer = verdicts("drawn", [2.0] * 60, 60), verdicts("drawn", [2.0] * 60, 40)
    some, few = verdicts("drawn", [2.0] * 50, 30), verdicts("drawn", [2.0] * 50, 19)
    assert CandidateReport(tuple(some), tuple(few)).got_worse == ("denim: 19 of 50 drawn defects, 30 before",)
    others = (*few[::-1][:40], *few[:10])  # nearly as many, but other ones: that may be chance
    assert CandidateReport(tuple(some), others).got_worse == ()
    assert CandidateReport(tuple(many), tuple(fewer)).got_worse == ("denim: 40 of 60 drawn defects, 60 before",)
    lost = CandidateReport(tuple(quiet), tuple(quiet), lost=("poplin",)).got_worse
    assert lost == ("poplin: the new model does not know it any more",)
    assert [a.id for a, _ in CandidateReport(tuple(quiet), tuple(one)).disagreements] == ["good0"]


def test_a_threshold_follows_from_the_wanted_rate() -> None:
    peaks = np.random.default_rng(0).exponential(0.2, 1000)
    some, rare = (threshold_for(peaks.tolist(), 10.0, rate) for rate in (1000.0, 10.0))
    assert some is not None
    assert rare is not None
    assert some == pytest.approx(np.sort(peaks)[-101], abs=0.05)
    assert rare == pytest.approx(0.2 * np.log(1000), rel=0.15)
    assert threshold_for([0.5], 0.01, 1.0) is None


def test_samples_of_two_scales_and_fabrics_that_would_be_lost_are_said(
    store: SampleStore, bundle: Bundle, tmp_path: Path
) -> None:
    other = SampleStore(tmp_path)
    other.begin(FabricRecord("plain"))
    image = store.image(store.samples("plain")[0])
    other.add(Sample("a", "plain", "file", "w"), image)
    assert lost_fabrics(bundle, other) == ("twill",)
    assert lost_fabrics(bundle, store) == ()
    other.add(Sample("b", "plain", "file", "w", mm_per_px=0.1), image)
    with pytest.raises(DataError, match=r"samples of 0.1 mm per pixel \(b\) and of 0.2 \(a\)"):
        retrain(Retraining(other, bundle.config, device="cpu"), None)


def test_the_command_keeps_the_model_and_stops_when_its_owner_is_gone(
    store: SampleStore, bundle: Bundle, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "models")
    models.add(bundle)
    models.promote(bundle.identity)
    command = [sys.executable, "-m", "cras_core", "retrain", str(store.root), str(models.folder), "--device", "cpu"]
    command += ["--progress", "json", "--promote", "yes", *(f"--set={k}={v}" for k, v in FEW.items())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    first = json.loads(process.stdout.readline())
    assert first["stage"] == "features"
    process.stdin.close()
    process.stdout.read()
    assert process.stderr is not None
    assert "stopped" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert process.wait() == 2
    assert len(models.entries()) == 1
    done = subprocess.run(
        [c if c != "json" else "bar" for c in command],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "in use" in done.stderr
    now = models.in_use
    assert now is not None
    assert now.parent == bundle.identity
    kept = load_report(models.folder, now.identity)
    assert kept is not None
    assert kept.report.fabrics
    assert not (models.folder / ".training").exists()
