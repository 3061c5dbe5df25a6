"""Another model is chosen while the roll runs."""

import dataclasses
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import (
    ENDLESS,
    PATIENCE_MS,
    Begin,
    banner,
    choose_file,
    inspecting,
    over,
    press,
    question,
    start_next,
    state,
    stop,
)

from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.settings.recipe import Recipe
from cras_core.registry.bundle import Bundle, write_bundle


def test_a_roll_goes_on_with_another_model(
    begin: Begin,
    qtbot: QtBot,
    engine: Engine,
    bundle: Bundle,
    bundle_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strict = tuple(dataclasses.replace(c, limit=0.5 * c.limit) for c in bundle.calibrations)
    other = dataclasses.replace(bundle, calibrations=strict)
    write_bundle(other, tmp_path / "strict.cras")
    application = begin(ENDLESS, bundle_path)
    inspecting(qtbot, application)
    # The cloth has been named: what is said of another model is the last word afterwards.
    qtbot.waitUntil(lambda: "the cloth matches" in banner(application), timeout=60_000)
    choose_file(monkeypatch, tmp_path / "strict.cras")
    press(application, "open_bundle")
    qtbot.waitUntil(lambda: f"the model {other.identity} judges from here on" in banner(application), timeout=60_000)
    assert state(application) == "running"
    stop(qtbot, application)
    over(qtbot, application)
    assert len(read_summaries(engine, 10)) == 1
    roll = read_roll(engine, 1)
    (said,) = [r for r in roll["remarks"] if r["kind"] == "model"]
    assert other.identity in said["text"]
    assert roll["roll"]["model"] == bundle.identity
    assert roll["gaps"] == []
    start_next(qtbot, application)
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    assert read_roll(engine, 2)["roll"]["model"] == other.identity


def test_a_model_that_cannot_go_on_is_said_and_the_running_one_goes_on(
    begin: Begin,
    qtbot: QtBot,
    engine: Engine,
    bundle: Bundle,
    bundle_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "letter.cras").write_text("this is a letter to the mill")
    renamed = tuple(dataclasses.replace(c, fabric=f"new {c.fabric}") for c in bundle.calibrations)
    write_bundle(dataclasses.replace(bundle, calibrations=renamed), tmp_path / "others.cras")
    application = begin(ENDLESS, bundle_path, recipe=Recipe(fabric="plain"))
    inspecting(qtbot, application)
    for name, reason in (("letter.cras", "no bundle at all"), ("others.cras", "does not know the fabric 'plain'")):
        choose_file(monkeypatch, tmp_path / name)
        press(application, "open_bundle")
        qtbot.waitUntil(lambda name=name, reason=reason: name in banner(application) and reason in banner(application))
        assert banner(application).endswith("goes on.")
        assert question(application) == ""
        assert state(application) == "running"
    stop(qtbot, application)
    over(qtbot, application)
    kinds = [r["kind"] for r in read_roll(engine, 1)["remarks"]]
    assert [kind for kind in kinds if kind != "proof"] == ["matched"]
    assert read_roll(engine, 1)["roll"]["model"] == bundle.identity
