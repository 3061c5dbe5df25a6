"""Options and inputs that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from cras_core.commands.terminal import (
    progress_bar,
    remark,
)
from cras_core.config.presets import PRESETS
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig
from cras_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cras_core.data.datasets import DataSet
    from cras_core.data.values import NormalImages
    from cras_core.detectors.base import Detector
    from cras_core.training.progress import OnProgress
    from cras_core.training.progress import Progress as Step

Preset = Annotated[str, typer.Option(help=f"One of {', '.join(PRESETS)}.")]


Settings = Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as section.name=value.")]


Bundles = Annotated[
    list[Path], typer.Argument(help="A bundle or its ONNX file; of several the mean and the spread are told.")
]


def chosen_config(preset: str, settings: list[str] | None, chosen: dict[str, object | None]) -> CrasConfig:
    """A preset with what the command line says on top."""
    if preset not in PRESETS:
        raise ConfigError(
            "preset-unknown", "there is no preset {preset!r}; known are {known}", preset=preset, known=list(PRESETS)
        )
    assignments = {k: json.dumps(v) for k, v in chosen.items() if v is not None}
    for setting in settings or []:
        name, separator, value = setting.partition("=")
        if not separator:
            raise ConfigError(
                "set-option-not-assignment", "--set takes section.name=value, not {setting!r}", setting=setting
            )
        assignments[name] = value
    return with_settings(PRESETS[preset](), assignments)


def normal_images(data: DataSet) -> list[NormalImages]:
    """The pictures to train on, each of them looked at. Raises CrasError."""
    from cras_core.data.validation import validate_normal_images

    found = data.normal_images()
    with progress_bar(transient=True) as bar:
        sound = validate_normal_images(
            found, skip_corrupt=data.skip_corrupt, bits=data.bits, on_picture=progress_task(bar, "check")
        )
    remark([f"{path} cannot be read and is left out" for n in sound for path in n.skipped])
    missing = data.missing([n.fabric for n in sound])
    remark([f"{data.root} lacks {', '.join(missing)}; the model will not know them"] if missing else [])
    return sound


def check_test_images(data: DataSet, normal: list[NormalImages]) -> None:
    """Looks at what will be judged on before any training. Raises CrasError."""
    from cras_core.data.validation import validate_test_images

    with progress_bar(transient=True) as bar:
        on_picture, bits = progress_task(bar, "check"), data.bits or normal[0].bits
        if normal[0].are_strips:
            validate_test_images(data.strips(), skip_corrupt=data.skip_corrupt, bits=bits, on_picture=on_picture)
        else:
            validate_test_images(data.test_images(), skip_corrupt=data.skip_corrupt, bits=bits, on_picture=on_picture)


def open_detectors(bundles: list[Path], device: str, precision: str) -> dict[str, Detector]:
    """The models by the names of their files. Raises CrasError."""
    from cras_core.loading import load_scorer

    return {str(path): load_scorer(path, device, precision) for path in bundles}


def progress_task(bar: Progress, name: str) -> Callable[[Path, int, int], None]:
    """A line of the progress display that is told what is done."""
    task = bar.add_task(name, total=None, message="")
    return lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name)


def training_stages(bar: Progress) -> OnProgress:
    """A line of the progress display for every stage of training."""
    from cras_core.training.progress import STAGES

    tasks = {stage: bar.add_task(stage, total=None, start=False, message="") for stage in STAGES}

    def on_progress(step: Step) -> None:
        bar.start_task(tasks[step.stage])
        message = Path(step.message).name if step.stage != "training" else step.message
        bar.update(tasks[step.stage], completed=step.done, total=step.total, message=message)

    return on_progress
