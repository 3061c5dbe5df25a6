"""The model file: everything that inspection needs, in one file.

A bundle is a safetensors file; its metadata hold the format, the version and one JSON text. There is nothing in it
that could run. The weights of the frozen backbone are not in it, only their name and hash: they are installed with
the program or fetched by timm, and checked when the bundle is opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from cras_core.config.settings import CrasConfig
from cras_core.errors import BundleError, JsonFileError
from cras_core.files import write_atomically
from cras_core.json_files import parse_json
from cras_core.messages import Sentence
from cras_core.registry.tensor_file import TensorFileError, read_tensors, tensor_bytes
from cras_core.validated import Plain, validated
from cras_core.web.calibration import FabricCalibration

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "cras-bundle"
VERSION = 2

_KINDS = ("torch.float32", "torch.float16", "torch.int64")  # of numbers that this program writes


@dataclass(frozen=True, slots=True)
class Bundle:
    """One model for all fabrics.

    Attributes:
        config: all settings it was made with.
        weights_hash: sha256 of the backbone's weights.
        calibrations: one per fabric, in the order of the centres.
        grid: (h, w) of a mean map; None for prototypes.
        tensors: statistics, adapter, centres, discriminator, by name.
        provenance: how it came about: program version, time, data, seed, figures, warnings. For people; nothing
            depends on it.
        bits: depth of the pictures that it has learnt from, 9..16: others are read with the same. None where they had
            8 bits, or the model is older than this.
    """

    config: CrasConfig
    weights_hash: str
    calibrations: tuple[FabricCalibration, ...]
    grid: tuple[int, int] | None
    tensors: dict[str, Tensor]
    provenance: dict[str, Any]
    bits: int | None = None

    @property
    def fabrics(self) -> tuple[str, ...]:
        """Names of the fabrics."""
        return tuple(c.fabric for c in self.calibrations)

    @property
    def identity(self) -> str:
        """The first 12 digits of the hash of everything that decides: short enough for a roll report."""
        digest = hashlib.sha256(_digest(self.tensors).encode())
        calibrations = [c.to_dict() for c in self.calibrations]
        deciding: list[object] = [self.config.deciding(), self.weights_hash, calibrations, self.grid]
        # Models of 8-bit pictures keep the identity that they had before there was a depth.
        deciding += [] if self.bits is None else [self.bits]
        digest.update(json.dumps(deciding, sort_keys=True).encode())
        return digest.hexdigest()[:12]


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Writes a bundle; the file is either the old one or the new one, whole, whatever happens in between.

    Raises:
        BundleError: the file cannot be written.
    """
    header = {
        "config": bundle.config.to_dict(),
        "weights_hash": bundle.weights_hash,
        "calibrations": [c.to_dict() for c in bundle.calibrations],
        "grid": bundle.grid,
        "provenance": bundle.provenance,
        **({} if bundle.bits is None else {"bits": bundle.bits}),  # older programs read the others
    }
    text = json.dumps(header)
    checksum = _checksum(text, bundle.tensors)
    data = tensor_bytes(
        bundle.tensors, {"format": FORMAT, "version": str(VERSION), "header": text, "checksum": checksum}
    )
    try:
        write_atomically(path, data)
    except OSError as error:
        raise BundleError(
            "bundle-unwritable",
            "The bundle {path} cannot be written: {reason}. Choose another place or free some space.",
            path=path,
            reason=error,
        ) from error


def read_bundle(path: Path) -> Bundle:
    """Opens a bundle.

    Raises:
        BundleError: there is no such file, it is cut off or damaged, it is no bundle, or a newer program wrote it.
    """
    try:
        file = read_tensors(path)
    except JsonFileError as error:
        if error.fault == "missing":
            raise BundleError(
                "bundle-missing",
                "There is no bundle at {path}.",
                hint="Train one: cras train DATA --out {name}",
                path=path,
                name=path.name,
            ) from error
        raise BundleError("bundle-unreadable", "The bundle {reason}", reason=error) from error
    except TensorFileError as error:
        raise BundleError(
            "bundle-cut-off",
            "{path} is cut off or no bundle at all ({reason}). Copy it anew or train again.",
            path=path,
            reason=error,
        ) from error
    _check_format(path, file.texts)
    if file.texts.get("checksum") != _checksum(file.texts.get("header", ""), file.tensors):
        raise BundleError(
            "bundle-damaged",
            "{path} is damaged: its contents do not match their checksum. Copy it anew or train again.",
            path=path,
        )
    try:
        header = parse_json(file.texts["header"], _Header, "its header")
    except JsonFileError as error:
        raise BundleError(
            "bundle-content-wrong",
            "{path} does not hold what a bundle of version {version} holds ({reason}). Train again with this program.",
            path=path,
            version=VERSION,
            reason=error,
        ) from error
    import torch  # not above: who only knows that there are models, as the window at its start, need not wait for it

    for name, tensor in file.tensors.items():
        if str(tensor.dtype) not in _KINDS:
            raise BundleError(
                "bundle-of-other-numbers",
                "{path} cannot judge: its tensor {tensor} holds numbers of another kind ({kind}).",
                path=path,
                tensor=name,
                kind=str(tensor.dtype),
            )
        if not torch.isfinite(tensor).all():
            raise BundleError(
                "bundle-not-finite",
                "{path} cannot judge: its tensor {tensor} holds values that are no numbers.",
                path=path,
                tensor=name,
            )
    return Bundle(
        header.config,
        header.weights_hash,
        header.calibrations,
        header.grid,
        file.tensors,
        header.provenance,
        header.bits,
    )


@validated("", BundleError)
class _Header:
    """The text of a bundle."""

    config: CrasConfig
    weights_hash: str
    calibrations: Annotated[tuple[FabricCalibration, ...], Field(min_length=1)]
    grid: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None
    provenance: dict[str, Plain]
    bits: Annotated[int, Field(ge=9, le=16)] | None = None


def _check_format(path: Path, texts: Mapping[str, str]) -> None:
    if texts.get("format") != FORMAT:
        raise BundleError(
            "not-a-bundle",
            "{path} is no bundle of this program.",
            hint="Train one: cras train DATA --out fabrics.cras",
            path=path,
        )
    version = texts.get("version", "?")
    if version != str(VERSION):
        newer = version.isdecimal() and len(version) < 10 and int(version) > VERSION
        way_out = "Update this program to open it." if newer else "Train again with this program."
        raise BundleError(
            "bundle-version",
            "{path} is a bundle of version {version}; this program reads version {known}. {way_out}",
            path=path,
            version=version,
            known=VERSION,
            way_out=Sentence(way_out),
        )


def _checksum(header: str, tensors: dict[str, Tensor]) -> str:
    return hashlib.sha256(f"{header}\n{_digest(tensors)}".encode()).hexdigest()


def _digest(tensors: dict[str, Tensor]) -> str:
    import torch  # see read_bundle

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        # As bytes: numpy does not know every kind of number that a file may hold.
        plain = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
