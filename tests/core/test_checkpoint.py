"""A training that was cut off goes on from where it was, and ends as if nothing had been."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shared import Shared

import cras_core.training.checkpoint
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.errors import TrainingError
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.training.progress import Progress
from cras_core.training.train import train

TINY = {
    "backbone.input_scale": "1.0",
    "train.epochs": "4",
    "train.patches_per_epoch": "2048",
    "train.patches_per_step": "512",
    "synthesis.drawn_tiles": "1",
    "centers.prototypes": "4",
    "centers.refreshes": "1",
}


def tiny(**changes: str) -> CrasConfig:
    return with_settings(cloth(), TINY | {name.replace("__", "."): text for name, text in changes.items()})


@pytest.fixture(scope="module")
def strips(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[NormalImages]:
    folder = tmp_path_factory.mktemp("mill")
    found = []
    for weave in ("plain", "twill"):
        paths = []
        (folder / weave / "normal").mkdir(parents=True)
        for path in list_images(loom_data / weave / "normal")[:3]:
            paths.append(folder / weave / "normal" / path.name)
            Image.fromarray(read_image(path)[:256, 200:712]).save(paths[-1])
        found.append(NormalImages(weave, tuple(paths), are_strips=True))
    return found


@pytest.fixture(scope="module")
def whole(strips: list[NormalImages], shared: Shared) -> Bundle:
    """What comes out when nothing happens."""
    return shared.model(strips, tiny())


@pytest.fixture(scope="module")
def ended(strips: list[NormalImages], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Progress]]:
    """What a training that went to its end has put aside, and what it told."""
    folder = tmp_path_factory.mktemp("ended") / "kept"
    steps: list[Progress] = []
    train(strips, tiny(), "cpu", steps.append, checkpoint=folder)
    return folder, steps


@pytest.fixture(scope="module")
def cut_off(strips: list[NormalImages], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training that was cut off in its third epoch has put aside."""
    folder = tmp_path_factory.mktemp("cut off") / "kept"
    with pytest.raises(Cut):
        train(strips, tiny(), "cpu", cut_at("training", 3), checkpoint=folder)
    return folder


class Cut(Exception):  # noqa: N818 (stands for a power cut)
    pass


def cut_at(stage: str, step: int) -> Callable[[Progress], None]:
    """Cuts training off at the n-th report of a stage."""
    seen = 0

    def on_progress(progress: Progress) -> None:
        nonlocal seen
        seen += progress.stage == stage
        if seen == step and progress.stage == stage:
            raise Cut

    return on_progress


def stages(steps: list[Progress]) -> dict[str, int]:
    return {name: sum(s.stage == name for s in steps) for name in ("features", "drawn defects", "training")}


@pytest.mark.parametrize(
    ("stage", "step", "cache"),
    [
        ("features", 4, "memory"),
        ("drawn defects", 2, "disk"),
        ("training", 1, "memory"),
        ("training", 3, "disk"),
        ("calibration", 1, "memory"),
    ],
)
def test_a_training_that_was_cut_off_ends_as_if_nothing_had_been(
    strips: list[NormalImages], whole: Bundle, tmp_path: Path, stage: str, step: int, cache: str
) -> None:
    config = tiny(train__cache=f'"{cache}"')
    with pytest.raises(Cut):
        train(strips, config, "cpu", cut_at(stage, step), checkpoint=tmp_path / "kept")
    torch.manual_seed(77)
    again = train(strips, config, "cpu", checkpoint=tmp_path / "kept")
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in whole.tensors.items())
    assert again.calibrations == whole.calibrations
    assert again.provenance["loss"] == whole.provenance["loss"]


def test_what_is_there_is_not_made_again(
    strips: list[NormalImages], ended: tuple[Path, list[Progress]], tmp_path: Path
) -> None:
    folder, first = ended
    assert stages(first)["features"] == 6
    shutil.copytree(folder, tmp_path / "kept")
    again: list[Progress] = []
    train(strips, tiny(), "cpu", again.append, checkpoint=tmp_path / "kept")
    assert stages(again) == {"features": 0, "drawn defects": 0, "training": 0}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"train__discriminator_rate": "0.0005"}, {"features": 0, "training": 0}),
        ({"synthesis__sigma": "0.5"}, {"features": 0}),
        ({"train__seed": "1"}, {"features": 6}),
        ({"patches__neighbourhood": "1"}, {"features": 6}),
    ],
)
def test_only_what_fits_the_settings_is_used(
    strips: list[NormalImages],
    ended: tuple[Path, list[Progress]],
    tmp_path: Path,
    change: dict[str, str],
    kept: dict[str, int],
) -> None:
    shutil.copytree(ended[0], tmp_path / "kept")
    steps: list[Progress] = []
    train(strips, tiny(**change), "cpu", steps.append, checkpoint=tmp_path / "kept")
    found = stages(steps)
    assert {name: found[name] for name in kept} == kept
    assert "training" in kept or found["training"] > 0


def test_other_cloth_is_looked_at_anew(strips: list[NormalImages], tmp_path: Path) -> None:
    moved = tmp_path / "plain.png"
    moved.write_bytes(strips[0].paths[0].read_bytes())
    data = [NormalImages("plain", (moved, *strips[0].paths[1:]), are_strips=True), strips[1]]
    train(data, tiny(), "cpu", checkpoint=tmp_path / "kept")
    Image.fromarray(read_image(moved)[::-1]).save(moved)
    os.utime(moved, (time.time() + 5, time.time() + 5))
    steps: list[Progress] = []
    train(data, tiny(), "cpu", steps.append, checkpoint=tmp_path / "kept")
    assert stages(steps)["features"] == 6


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("heads.safetensors", None),
        ("seen-0.safetensors", b"\0" * 100),
        ("seen-1.vectors", b""),
        ("held-0.vectors", None),
    ],
)
def test_a_damaged_folder_costs_time_and_nothing_else(
    strips: list[NormalImages], whole: Bundle, cut_off: Path, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    shutil.copytree(cut_off, tmp_path / "kept")
    file = tmp_path / "kept" / name
    file.write_bytes(damage if damage is not None else file.read_bytes()[: file.stat().st_size // 2])
    again = train(strips, tiny(), "cpu", checkpoint=tmp_path / "kept")
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in whole.tensors.items())


def test_a_full_disk_is_a_warning(
    strips: list[NormalImages], whole: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cras_core.training.checkpoint, "write_atomically", full)
    made = train(strips, tiny(), "cpu", checkpoint=tmp_path / "kept")
    assert made.identity == whole.identity
    assert any("could be put aside" in w and "No space left on device" in w for w in made.provenance["warnings"])
    assert not (tmp_path / "kept").exists()


@pytest.fixture
def spoilt_loss(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Makes the loss a NaN from the n-th step on."""
    import cras_core.detectors.cras.training

    honest, steps = cras_core.detectors.cras.training.discrimination_loss, 0

    def begin(n: int) -> None:
        def spoilt(*args: torch.Tensor) -> torch.Tensor:
            nonlocal steps
            steps += 1
            return honest(*args) * (float("nan") if steps >= n else 1.0)

        monkeypatch.setattr(cras_core.detectors.cras.training, "discrimination_loss", spoilt)

    yield begin
    monkeypatch.setattr(cras_core.detectors.cras.training, "discrimination_loss", honest)


def test_a_loss_that_is_no_number_keeps_the_last_good_epoch_and_says_how_to_go_on(
    strips: list[NormalImages],
    whole: Bundle,
    tmp_path: Path,
    spoilt_loss: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoilt_loss(13)  # four steps and a validation in an epoch: the third epoch's third step
    with pytest.raises(
        TrainingError, match=r"epoch 3, step 3.*Lower the learning rates.*until epoch 2 is kept.*--epochs 2"
    ):
        train(strips, tiny(), "cpu", checkpoint=tmp_path / "kept")
    monkeypatch.undo()
    ended = train(strips, tiny(train__epochs="2"), "cpu", checkpoint=tmp_path / "kept")
    assert [row["epoch"] for row in ended.provenance["loss"]] == [1, 2]
    again = train(strips, tiny(), "cpu", checkpoint=tmp_path / "kept")
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in whole.tensors.items())
    assert np.isfinite([row["loss"] for row in again.provenance["loss"]]).all()


def test_the_command_goes_on_after_kill_9_and_leaves_nothing_behind(strips: list[NormalImages], tmp_path: Path) -> None:
    out = tmp_path / "out" / "fabrics.cras"
    settings = [f"--set={name}={text}" for name, text in TINY.items() if name != "train.epochs"]
    command = [sys.executable, "-m", "cras_core", "train", str(strips[0].paths[0].parents[2]), "--out", str(out)]
    process = subprocess.Popen([*command, *settings, "--epochs", "100000"], stderr=subprocess.DEVNULL)
    kept = out.with_name("fabrics.cras.training") / "heads.safetensors"
    while not kept.is_file() and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert kept.is_file()
    done = subprocess.run(
        [*command, *settings, "--epochs", "2"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Going on with what" in done.stderr
    assert not kept.parent.exists()
    assert read_bundle(out).fabrics == ("plain", "twill")
    assert [p.name for p in out.parent.iterdir()] == ["fabrics.cras"]
