"""An ONNX file that ``cras export`` wrote, as a detector: to judge the file itself with the evaluations of bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from pydantic import Field
from torch import Tensor

from cras_core.arrays import Image
from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import Detector, TileFeatures
from cras_core.engines.interface import FORMAT, VERSION
from cras_core.engines.onnx_export import cut
from cras_core.engines.parity import session_of
from cras_core.errors import ConfigError, ExportError, JsonFileError
from cras_core.json_files import parse_json, read_bytes
from cras_core.validated import Number, validated
from cras_core.web.calibration import FabricCalibration

_LARGEST_BYTES = 2**31 - 1  # of a message of protobuf


@validated("", ExportError, takes_more=True)
class Header:
    """What the metadata of an ONNX file tell of its detector (``onnx_export``)."""

    config: CrasConfig
    weights_hash: str
    calibrations: Annotated[tuple[FabricCalibration, ...], Field(min_length=1)]
    middles: tuple[tuple[Number, ...], ...]
    size_px: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    bits: Annotated[int, Field(ge=9, le=16)] | None = None


class OnnxDetector(Detector):
    """Runs the file with onnxruntime on the CPU, cut at ``vectors``.

    Attributes:
        size_px: (H, W), the only size of tiles that it takes.
    """

    def __init__(self, model: onnx.ModelProto, header: Header, identity: str | None) -> None:
        """
        Args:
            model: the whole file.
            header: its metadata of that name.
            identity: of the bundle that it was made of.

        Raises:
            ValueError: the file lacks an input or an output.
        """
        medians = torch.tensor(header.middles, dtype=torch.float32)  # (K, D)
        super().__init__(header.config, header.calibrations, medians, torch.device("cpu"), header.weights_hash)
        self.identity, self.bits = identity, header.bits
        self.size_px = header.size_px
        self._features, self._match, self._score = map(session_of, cut(model))

    @classmethod
    def load(cls, path: Path) -> OnnxDetector:
        """Opens a file.

        Raises:
            ExportError: there is none, it is damaged, or it is not one that this program wrote.
        """
        try:
            model = onnx.load_model_from_string(read_bytes(path, _LARGEST_BYTES))
        except JsonFileError as error:
            raise ExportError("onnx-unreadable", "The ONNX file {reason}", reason=error) from error
        except DecodeError as error:
            raise ExportError(
                "onnx-cut-off",
                "{path} is cut off or no ONNX file. Write it anew.",
                hint="With: cras export BUNDLE",
                path=path,
            ) from error
        told = {p.key: p.value for p in model.metadata_props}
        if told.get("format") != FORMAT or told.get("version") != str(VERSION):
            raise ExportError(
                "not-an-onnx-file",
                "{path} is no ONNX file of this program.",
                hint="Write one: cras export BUNDLE --out {name}",
                path=path,
                name=path.name,
            )
        try:
            return cls(model, parse_json(told.get("header", ""), Header, "its header"), told.get("identity") or None)
        except (JsonFileError, ValueError) as error:
            raise ExportError(
                "onnx-incomplete",
                "{path} lacks what it should hold ({reason}). Write it anew.",
                hint="With: cras export BUNDLE",
                path=path,
                reason=error,
            ) from error

    def extract_features(self, tiles: Image) -> TileFeatures:
        """See ``Detector.extract_features``. Raises ConfigError where the tiles have another size than the file."""
        if tiles.shape[1:3] != self.size_px:
            wanted, got = ("{1} x {0}".format(*size) for size in (self.size_px, tiles.shape[1:3]))
            raise ConfigError(
                "onnx-tile-size",
                "the ONNX file takes tiles of {wanted} px, not {got}; export it for these",
                hint="With: --tile-px {height}x{width}",
                wanted=wanted,
                got=got,
                height=tiles.shape[1],
                width=tiles.shape[2],
            )
        return super().extract_features(tiles)

    def features(self, images: Tensor) -> Tensor:
        """See ``Detector.features``; the graph pads by itself."""
        height, width = self.size_px
        tiles = np.ascontiguousarray(images[:, :, :height, :width].numpy())
        return torch.from_numpy(self._features.run(None, {"tiles": tiles})[0])

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self._run_heads(self._match, t, torch.zeros(len(t), dtype=torch.int64))

    def score(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
        return self._run_heads(self._score, t, fabric)

    def _run_heads(self, session: Any, t: Tensor, fabric: Tensor) -> Tensor:
        shift = np.zeros((len(t), t.shape[-1]), np.float32)
        given = {"vectors": t.numpy(), "fabric": fabric.numpy(), "shift": shift}
        return torch.from_numpy(session.run(None, given)[0])
