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
from typing import Annotated, Any, TypeVar

import torch
from pydantic import Field
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.kinds import kind_of
from cras_core.detectors.training import HeadState
from cras_core.errors import DataError, JsonFileError
from cras_core.features.cache import FeatureCache
from cras_core.features.extraction import FabricFeatures
from cras_core.features.synthetic import SyntheticFeatures
from cras_core.files import write_atomically
from cras_core.json_files import parse_json
from cras_core.registry.tensor_file import TensorFileError, read_tensors, tensor_bytes
from cras_core.validated import Plain, Whole, validated
from cras_core.version import __version__

_HEADS = "heads.safetensors"
_VECTORS = ".vectors"

T = TypeVar("T")


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
        found = self._read(f"{name}.safetensors", self._features, _KeptFeatures)
        if found is None:
            return None
        tensors, kept = found
        cache = self._read_cache(name, tensors, kept.cache)
        if cache is None or not {"total", "total_squared"} <= tensors.keys():
            return None
        return FabricFeatures(
            cache,
            tensors.get("mean_map"),
            tensors.get("first_map"),
            tensors["total"],
            tensors["total_squared"],
            kept.count,
            kept.is_whole,
        )

    def keep_features(self, name: str, made: FabricFeatures) -> None:
        """Puts the features of one fabric aside."""
        cache = self._keep_cache(name, made.cache)
        if cache is not None:
            tensors = {"total": made.total, "total_squared": made.total_squared, **_places_of(name, made.cache)}
            maps = (("mean_map", made.mean_map), ("first_map", made.first_map))
            tensors |= {k: v for k, v in maps if v is not None}
            self._write(f"{name}.safetensors", self._features, tensors, _KeptFeatures(cache, made.count, made.is_whole))

    def drawn(self, name: str) -> SyntheticFeatures | None:
        """Cells under drawn defects that were kept under a name; None without any."""
        found = self._read(f"{name}.safetensors", self._features, _KeptDrawn)
        if found is None:
            return None
        tensors, kept = found
        clean = self._read_cache(f"{name}-clean", tensors, kept.clean)
        change = self._read_cache(f"{name}-change", tensors, kept.change)
        return None if clean is None or change is None else SyntheticFeatures(clean, change)

    def keep_synthetic(self, name: str, made: SyntheticFeatures) -> None:
        """Puts the cells under drawn defects of one fabric aside."""
        clean = self._keep_cache(f"{name}-clean", made.clean)
        change = self._keep_cache(f"{name}-change", made.change)
        if clean is not None and change is not None:
            tensors = _places_of(f"{name}-clean", made.clean) | _places_of(f"{name}-change", made.change)
            self._write(f"{name}.safetensors", self._features, tensors, _KeptDrawn(clean, change))

    def heads(self) -> HeadState | None:
        """The heads after the last epoch that was over; None without any."""
        found = self._read(_HEADS, self._heads, _KeptHeads)
        return None if found is None else HeadState(found[0], found[1].values)

    def keep_heads(self, state: HeadState) -> None:
        """Puts the heads aside."""
        self._write(_HEADS, self._heads, state.tensors, _KeptHeads(state.values))

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

    def _read(self, name: str, made_of: str, model: type[T]) -> tuple[dict[str, Tensor], T] | None:
        """Tensors and values; None where there are none, they are damaged, or were made of something else."""
        if self._folder is None:
            return None
        try:
            file = read_tensors(self._folder / name)
            if file.texts.get("made_of") != made_of:
                return None
            return file.tensors, parse_json(file.texts.get("values", ""), model, name)
        except (JsonFileError, TensorFileError):
            return None  # it will be made again

    def _write(self, name: str, made_of: str, tensors: dict[str, Tensor], values: Any) -> None:
        if self._folder is None or self.problem:
            return
        data = tensor_bytes(tensors, {"made_of": made_of, "values": json.dumps(asdict(values))})
        try:
            write_atomically(self._folder / name, data)
        except OSError as error:
            self._give_up(error)

    def _read_cache(self, name: str, tensors: dict[str, Tensor], kept: _KeptCache) -> FeatureCache | None:
        if self._folder is None:
            return None
        try:
            positions, places = (tensors[f"{name}.{part}"].numpy() for part in ("positions", "places"))
            path = self._folder / f"{name}{_VECTORS}"
            return FeatureCache.load(path, positions, places, kept.dimension, kept.checksum, self._where)
        except (DataError, KeyError, OSError, ValueError):
            return None  # it will be made again

    def _keep_cache(self, name: str, cache: FeatureCache) -> _KeptCache | None:
        """What is to be written down of it; None where it could not be kept."""
        if self._folder is None or self.problem:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return _KeptCache(cache.dimension, cache.save(self._folder / f"{name}{_VECTORS}"))
        except OSError as error:
            self._give_up(error)
            return None

    def _give_up(self, error: OSError) -> None:
        self.clear()
        self.problem = (
            f"nothing of this training could be put aside in {self._folder} ({error.strerror or error}); had it been "
            "cut off, it would have begun anew"
        )


@validated("", DataError)
class _KeptCache:
    """What is written down of a file of vectors."""

    dimension: Annotated[Whole, Field(ge=1)]
    checksum: str


@validated("", DataError)
class _KeptFeatures:
    """What is written down beside the tensors of a fabric's features."""

    cache: _KeptCache
    count: Annotated[int, Field(ge=1, le=2**53)]
    is_whole: bool


@validated("", DataError)
class _KeptDrawn:
    """The same of cells under drawn defects."""

    clean: _KeptCache
    change: _KeptCache


@validated("", DataError)
class _KeptHeads:
    """The same of the heads."""

    values: dict[str, Plain]


def _places_of(name: str, cache: FeatureCache) -> dict[str, Tensor]:
    """Where the vectors of a cache lay, by name."""
    return {
        f"{name}.positions": torch.from_numpy(cache.positions),
        f"{name}.places": torch.from_numpy(cache.places),
    }


def _features_made_of(config: CrasConfig, data: Sequence[NormalImages], weights_hash: str) -> dict[str, Any]:
    return {
        "program": __version__,
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
                d.bits,
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
