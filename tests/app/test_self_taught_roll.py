"""A roll of cloth that nobody enrolled: its first metre teaches the model, and is inspected like the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aoi_fakes import until
from PIL import Image
from sqlalchemy import Engine

from aoi_app.live.assembly import first_cloth_of, make_session
from aoi_app.live.first_cloth import TaughtModel, Teach
from aoi_app.live.session import Session
from aoi_app.live.web_teacher import web_teacher
from aoi_app.records.database import open_database
from aoi_app.records.reading import read_roll
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.folder import FolderConfig, FolderSource
from cras_core.arrays import Image as Pixels
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.images import read_image
from cras_core.registry.bundle import read_bundle
from cras_core.training.self_taught import THIS_WEB

SELF_TAUGHT = Recipe(self_taught=True, first_cloth_m=0.09, proof_every_m=0.0, find_shade=False)
LINES = 256  # of each strip
LENGTH_M = 2 * LINES * 0.0002


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def strips(loom_data: Path, tmp_path: Path) -> Path:
    """Two strips of a weave that the small model does not know, both with defects."""
    folder = tmp_path / "strips"
    folder.mkdir()
    for path in sorted((loom_data / "satin" / "defect").iterdir())[:2]:
        Image.fromarray(read_image(path)[:LINES]).save(folder / path.name)
    return folder


def run(
    engine: Engine, strips: Path, inspector: CrasDetector, recipe: Recipe, teach: Teach | None
) -> tuple[Session, dict[str, Any]]:
    source = FolderSource(FolderConfig(strips))
    session = make_session(inspector, source, recipe, engine, model="known", name="r", teach=teach)
    session.start()
    assert session.wait(300.0)
    return session, read_roll(engine, session.snapshot().roll_id)


def test_the_first_cloth_teaches_and_nothing_of_it_is_missed(
    engine: Engine, strips: Path, inspector: CrasDetector, bundle_path: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "self-taught"
    session, roll = run(engine, strips, inspector, SELF_TAUGHT, web_teacher(bundle_path, "cpu", "float32", kept))
    s = session.snapshot()
    assert (s.inspected_m, s.gap_m) == pytest.approx((LENGTH_M, 0.0))
    assert s.fabric == THIS_WEB
    assert {d["fabric"] for d in roll["defects"]} == {THIS_WEB}
    assert min(d["position_m"] for d in roll["defects"]) < SELF_TAUGHT.first_cloth_m  # it is in what taught
    (model,) = [r for r in roll["remarks"] if r["kind"] == "model"]
    (file,) = kept.iterdir()
    assert read_bundle(file).identity in model["text"]
    assert "recurs" in model["text"]
    assert s.reserve_m == pytest.approx(LENGTH_M)  # nobody has looked at the cloth: that is no green
    assert not [r for r in roll["remarks"] if r["kind"] == "unknown"]


def test_cloth_that_cannot_teach_is_inspected_all_the_same_and_that_is_said(
    engine: Engine, strips: Path, inspector: CrasDetector, bundle_path: Path, tmp_path: Path
) -> None:
    missing = web_teacher(tmp_path / "missing.cras", "cpu", "float32", tmp_path / "self-taught")
    session, roll = run(engine, strips, inspector, SELF_TAUGHT, missing)
    assert session.snapshot().inspected_m == pytest.approx(LENGTH_M)
    assert any("could not teach the model" in r["text"] and "missing.cras" in r["text"] for r in roll["remarks"])


def test_a_person_lets_unknown_cloth_teach_in_the_middle_of_a_roll(
    engine: Engine, strips: Path, inspector: CrasDetector, bundle_path: Path, tmp_path: Path
) -> None:
    recipe = SELF_TAUGHT.model_copy(update={"self_taught": False})
    may_teach = threading.Event()
    begun = threading.Event()
    by_web = web_teacher(bundle_path, "cpu", "float32", tmp_path / "self-taught")

    def teach(pieces: Sequence[Pixels]) -> TaughtModel:
        begun.set()
        may_teach.wait(60)
        return by_web(pieces)

    session = make_session(
        inspector, FolderSource(FolderConfig(strips)), recipe, engine, model="known", name="r", teach=teach
    )
    session.teach(first_cloth_of(recipe, teach))
    session.start()
    assert begun.wait(60)
    session.teach(first_cloth_of(recipe, teach))  # asked again: what is held for the first time is not lost
    until(lambda: any(cause.key == "teaching" for cause in session.snapshot().status.causes))
    may_teach.set()
    assert session.wait(300.0)
    s = session.snapshot()
    assert (s.inspected_m, s.gap_m) == pytest.approx((LENGTH_M, 0.0))
    assert s.fabric == THIS_WEB


def test_a_roll_that_is_stopped_at_once_while_it_learns_has_its_gap(
    engine: Engine, strips: Path, inspector: CrasDetector
) -> None:
    never = threading.Event()
    begun = threading.Event()

    def teach(pieces: Sequence[Pixels]) -> TaughtModel:
        begun.set()
        never.wait(60)
        return TaughtModel(None, "", "", "")

    session = make_session(
        inspector, FolderSource(FolderConfig(strips)), SELF_TAUGHT, engine, model="known", name="r", teach=teach
    )
    session.start()
    assert begun.wait(60)
    session.stop(abandon=True)
    assert session.wait(60)
    never.set()
    s = session.snapshot()
    assert s.inspected_m == 0.0
    assert s.gap_m == pytest.approx(s.position_m)
    assert s.gap_m > 0
