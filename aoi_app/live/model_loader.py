"""Opens models beside the running line: loading takes seconds, and the window and the roll go on meanwhile."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.background.memory import give_memory_back
from cras_core.errors import CrasError

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What became of a bundle.

    Attributes:
        bundle: its path.
        detector: the model; None where it cannot be loaded.
        identity: of the bundle, empty likewise.
        problem: why it cannot be loaded, for a person; else empty.
        remark: why it is this one and not the one that was to be, for a person; else empty.
        device_problem: why it does not run where it was to, for a person; else empty.
    """

    bundle: Path
    detector: TrainedDetector | None = None
    identity: str = ""
    problem: str = ""
    remark: str = ""
    device_problem: str = ""


ChooseModel = Callable[[], tuple[Path, str]]
"""Which bundle, and why it is not the one that was to be, empty where it is. May read models, which loads torch."""


class ModelLoader:
    """Loads one bundle at a time in a thread of its own; of several that were asked for, only the last is told."""

    def __init__(self, device: str, precision: str, done: Callable[[LoadedModel], None]) -> None:
        """
        Args:
            device, precision: as for ``load_model``.
            done: told the outcome, in the loading thread.
        """
        self.device = device
        self.precision = precision
        self._done = done
        self._wanted: Path | None = None
        self._threads: list[threading.Thread] = []

    @property
    def is_loading(self) -> bool:
        """A thread still loads."""
        self._threads = [t for t in self._threads if t.is_alive()]
        return bool(self._threads)

    def load(self, bundle: Path, choose: ChooseModel | None = None) -> None:
        """Begins to load a bundle; returns at once.

        Args:
            bundle: the model.
            choose: chooses another one in its place, in the loading thread.
        """
        self._wanted = bundle
        thread = threading.Thread(target=self._run, args=(bundle, choose), name="load model", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, wanted: Path, choose: ChooseModel | None) -> None:
        bundle, remark = wanted, ""
        try:
            bundle, remark = choose() if choose is not None else (wanted, "")
            detector, device_problem = self._opened(bundle)
            loaded = LoadedModel(bundle, detector, detector.identity or "", "", remark, device_problem)
        except CrasError as error:
            loaded = LoadedModel(bundle, problem=str(error), remark=remark)
        except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
            logger.exception("loading %s", bundle)
            loaded = LoadedModel(
                bundle, problem=f"The model cannot be loaded ({type(error).__name__}: {error}).", remark=remark
            )
        if wanted == self._wanted:
            self._done(loaded)
        del loaded
        give_memory_back()

    def _opened(self, bundle: Path) -> tuple[TrainedDetector, str]:
        """The model where it is to run, or on the CPU where that device is not there, and then why. A line that
        inspects slowly is better than one that does not inspect, as long as somebody knows.
        """
        try:
            return load_model(bundle, self.device, self.precision, leave_a_core=True), ""
        except CrasError as error:
            if error.code != "device-unusable":
                raise
            detector = load_model(bundle, "cpu", self.precision, leave_a_core=True)
            return detector, f"{error} The CPU inspects instead, which is slower"


def missing_gpu(wanted: str, runs_on: str, *, gpu_was_used: bool) -> str:
    """What is to be said where a model runs on the CPU though earlier ones had a GPU; empty where nothing is.

    Args:
        wanted: device that was asked for; ``cpu`` says that nobody misses a GPU.
        runs_on: kind of device that it runs on.
        gpu_was_used: by the model that was loaded before, be it at an earlier start.
    """
    if wanted != "auto" or runs_on != "cpu" or not gpu_was_used:
        return ""
    return (
        "The GPU that inspected before is not there; the CPU inspects instead, which is slower. Check the GPU and its "
        "driver, or start with --device cpu where there is none any more"
    )


def load_model(bundle: Path, device: str, precision: str = "float32", *, leave_a_core: bool = False) -> TrainedDetector:
    """Opens a bundle. Slow: torch and the backbone are loaded here.

    Args:
        bundle: the model.
        device: ``auto``, ``cpu``, ``cuda``, ...
        precision: what the backbone computes in, ``float32``, ``bfloat16`` or ``float16``.
        leave_a_core: one core stays free for a window.

    Raises:
        CrasError: the bundle, the device or the precision cannot be used.
    """
    import torch

    from cras_core.loading import load_detector

    cores = os.cpu_count() or 2
    torch.set_num_threads(max(1, cores - 1 if leave_a_core else cores))
    detector = load_detector(bundle, device, precision)
    logger.info("model %s on %s", bundle, detector.device)
    return detector
