"""A folder beside the bundle in which training puts aside what it has, so that one that was cut off goes on from there.

Two things are kept: the features of the cloth, which cost most of the time, and the heads after every epoch. Each says
what it was made of and is used only by a training of the same; what does not fit is thrown away. Losing the folder
costs time and nothing else, so a full disk here is a warning.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

import cras_core
from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.kinds import kind_of
from cras_core.detectors.training import HeadState
from cras_core.features.cache import DrawnFeatures, FabricFeatures, FeatureCache
from cras_core.files import write_atomically


class Checkpoint:
    """What a training has put aside.

    Attributes:
        problem: why nothing can be put aside any more; empty while it can.
    """

    def __init__(self, folder: Path | None = None, features: str = "", heads: str = "", where: str = "memory") -> None:
        """``folder`` None puts nothing aside and finds nothing; for the rest see ``of``."""
        self._folder, self._features, self._heads, self._where = folder, features, heads, where
        self.problem = ""

    @classmethod
    def of(cls, folder: Path | None, config: CrasConfig, data: Sequence[NormalImages], weights_hash: str) -> Checkpoint:
        """The folder of a training with such settings, pictures and weights of the backbone."""
        if folder is None:
            return cls()
        features = _features_made_of(config, data, weights_hash)
        heads = {"features": features, **_heads_made_of(config)}
        return cls(folder, json.dumps(features, sort_keys=True), json.dumps(heads, sort_keys=True), config.train.cache)

    def features(self, name: str) -> FabricFeatures | None:
        """Features of good cloth that were kept under a name; None without any."""
        found = self._read(f"{name}.safetensors", self._features)
        cache = self._read_cache(name, found)
        if found is None or cache is None:
            return None
        tensors, values = found
        return FabricFeatures(
            cache,
            tensors.get("mean_map"),
            tensors.get("first_map"),
            tensors["total"],
            tensors["total_squared"],
            int(values["count"]),
            bool(values["is_whole"]),
        )

    def keep_features(self, name: str, made: FabricFeatures) -> None:
        """Puts the features of one fabric aside."""
        tensors = {"total": made.total, "total_squared": made.total_squared}
        tensors |= {k: v for k, v in (("mean_map", made.mean_map), ("first_map", made.first_map)) if v is not None}
        if self._keep_cache(name, made.cache):
            self._write(
                f"{name}.safetensors", self._features, tensors, {"count": made.count, "is_whole": made.is_whole}
            )

    def drawn(self, name: str) -> DrawnFeatures | None:
        """Cells under drawn defects that were kept under a name; None without any."""
        found = self._read(f"{name}.safetensors", self._features)
        clean, change = self._read_cache(f"{name}-clean", found), self._read_cache(f"{name}-change", found)
        return None if clean is None or change is None else DrawnFeatures(clean, change)

    def keep_drawn(self, name: str, made: DrawnFeatures) -> None:
        """Puts the cells under drawn defects of one fabric aside."""
        if self._keep_cache(f"{name}-clean", made.clean) and self._keep_cache(f"{name}-change", made.change):
            self._write(f"{name}.safetensors", self._features, {}, {})

    def heads(self) -> HeadState | None:
        """The heads after the last epoch that was over; None without any."""
        found = self._read("heads.safetensors", self._heads)
        return None if found is None else HeadState(*found)

    def keep_heads(self, state: HeadState) -> None:
        """Puts the heads aside."""
        self._write("heads.safetensors", self._heads, state.tensors, state.values)

    def way_on(self, epoch: int) -> str:
        """How to go on after a failure of the heads, for its message."""
        if self._folder is None or self.problem or epoch == 0:
            return ""
        return (
            f" What was learnt until epoch {epoch} is kept in {self._folder}: the same command with lower rates goes "
            f"on from there, with --epochs {epoch} it ends there."
        )

    def clear(self) -> None:
        """Removes the folder; the training is over, or is to begin anew."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, name: str, made_of: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and values; None where there are none, they are damaged, or were made of something else."""
        if self._folder is None or not (self._folder / name).is_file():
            return None
        try:
            with safe_open(self._folder / name, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("made_of") != made_of:
                    return None
                return {k: file.get_tensor(k) for k in file.keys()}, json.loads(metadata["values"])  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError):
            return None  # it will be made again

    def _write(self, name: str, made_of: str, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        if self._folder is None or self.problem:
            return
        metadata = {"made_of": made_of, "values": json.dumps(values)}
        data = save({k: v.detach().cpu().contiguous() for k, v in (tensors or _EMPTY).items()}, metadata=metadata)
        try:
            write_atomically(self._folder / name, data)
        except OSError as error:
            self._give_up(error)

    def _read_cache(self, name: str, found: object | None) -> FeatureCache | None:
        if self._folder is None or found is None:
            return None
        try:
            return FeatureCache.load(self._folder / name, self._where)
        except (OSError, EOFError, ValueError):
            return None  # it will be made again

    def _keep_cache(self, name: str, cache: FeatureCache) -> bool:
        """Whether it could be kept."""
        if self._folder is None or self.problem:
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            cache.save(self._folder / name)
        except OSError as error:
            self._give_up(error)
            return False
        return True

    def _give_up(self, error: OSError) -> None:
        self.clear()
        self.problem = (
            f"nothing of this training could be put aside in {self._folder} ({error.strerror or error}); had it been "
            "cut off, it would have begun anew"
        )


_EMPTY = {"nothing": torch.zeros(0)}


def _features_made_of(config: CrasConfig, data: Sequence[NormalImages], weights_hash: str) -> dict[str, Any]:
    return {
        "program": cras_core.__version__,
        "weights": weights_hash,
        **{
            name: asdict(getattr(config, name))
            for name in ("backbone", "patches", "preprocess", "tiling", "edges", "calibration")
        },
        "drawn": [config.synthesis.drawn > 0, config.synthesis.drawn_tiles],
        "train": [config.train.seed, config.train.cache_mb],
        "data": [
            [
                d.fabric,
                d.are_strips,
                [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in d.paths],
                [[p.web, p.left_px, p.right_px] for p in d.pieces],
            ]
            for d in data
        ],
    }


def _heads_made_of(config: CrasConfig) -> dict[str, Any]:
    """Without what may change while training goes on."""
    training = kind_of(config).training
    return {
        section: {
            k: v for k, v in asdict(getattr(config, section)).items() if f"{section}.{k}" not in training.adjustable
        }
        for section in training.sections
    }
