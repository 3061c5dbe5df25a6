"""Files of tensors: models, flat fields, checkpoints' parts, the metadata of ONNX files."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from fuzz_tools import FIXTURES, damaged, fuzzed, holds, hostile
from onnx import TensorProto, helper

from aoi_app.sources.flat_field.correction import Correction, FlatField
from aoi_app.sources.flat_field.file import read_flat_field
from cras_core.detectors.kinds import kind_of
from cras_core.detectors.training import HeadState
from cras_core.engines.interface import FORMAT, VERSION
from cras_core.engines.onnx_detector import OnnxDetector
from cras_core.features.weights import load_into, read_weights
from cras_core.registry.bundle import Bundle, _checksum, read_bundle
from cras_core.registry.entries import entry_of
from cras_core.registry.tensor_file import read_tensors, tensor_bytes
from cras_core.training.checkpoint import Checkpoint

MODELS = (FIXTURES / "cras.cras", FIXTURES / "anomnet.cras")
FLAT = FIXTURES / "camera-synthetic-0.safetensors"


def check_sound(bundle: Bundle) -> None:
    assert len(bundle.identity) == 12
    assert all(bool(torch.isfinite(tensor).all()) for tensor in bundle.tensors.values())
    assert bundle.fabrics


def test_a_damaged_model_is_refused_or_sound(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.cras"
    path.parent.mkdir()

    def check(seed: int) -> None:
        path.write_bytes(damaged(MODELS[seed % 2].read_bytes(), seed))
        with holds("models", path.parent):
            check_sound(read_bundle(path))

    fuzzed(check)()


def test_a_model_that_was_made_to_do_harm_is_refused_or_sound(tmp_path: Path) -> None:
    """Its checksum is right: whoever wrote it knows the program."""
    path = tmp_path / "in" / "a.cras"
    path.parent.mkdir()
    files = [read_tensors(model) for model in MODELS]

    def check(seed: int) -> None:
        file = files[seed % 2]
        header = hostile(json.loads(file.texts["header"]), seed).decode("utf-8", "replace")
        tensors = dict(file.tensors)
        if seed % 5 == 0:
            name = sorted(tensors)[seed // 5 % len(tensors)]
            tensors = _spoilt(tensors, name, seed)
        texts = {**file.texts, "header": header, "checksum": _sum(header, tensors)}
        path.write_bytes(tensor_bytes(tensors, texts))
        with holds("hostile models", path.parent):
            bundle = read_bundle(path)
            check_sound(bundle)
        with holds("entries of models", path.parent):
            entry_of(path)

    fuzzed(check)()


def test_a_model_with_tensors_of_another_kind_is_refused_or_a_detector(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.cras"
    path.parent.mkdir()
    files = [read_tensors(model) for model in MODELS]

    def check(seed: int) -> None:
        file = files[seed % 2]
        tensors = _spoilt(dict(file.tensors), sorted(file.tensors)[seed // 2 % len(file.tensors)], seed)
        path.write_bytes(tensor_bytes(tensors, {**file.texts, "checksum": _sum(file.texts["header"], tensors)}))
        with holds("detectors of hostile models", path.parent):
            bundle = read_bundle(path)
            detector = kind_of(bundle.config).detector.from_bundle(bundle, "cpu", "float32")
            assert detector.fabrics == bundle.fabrics

    fuzzed(check, 0.1)()


def _sum(header: str, tensors: dict[str, torch.Tensor]) -> str:
    try:
        return _checksum(header, tensors)
    except TypeError:  # of a kind of number that has none
        return ""


def _spoilt(tensors: dict[str, torch.Tensor], name: str, seed: int) -> dict[str, torch.Tensor]:
    tensor = tensors[name]
    kinds = (
        lambda: {k: v for k, v in tensors.items() if k != name},
        lambda: tensors | {name: tensor.reshape(-1)[:0]},
        lambda: tensors | {name: tensor.to(torch.bfloat16)},
        lambda: tensors | {name: tensor.to(torch.int64)},
        lambda: tensors | {name: tensor.to(torch.float64) * float("nan")},
        lambda: tensors | {name: tensor.reshape(-1)},
        lambda: tensors | {name: torch.zeros(3, 3, 3, 3)},
        lambda: tensors | {name: tensor.to(torch.float8_e4m3fn)},
        lambda: tensors | {"Qz" * 2000: tensor.clone()},
        lambda: tensors | {name: torch.zeros(tensor.shape, dtype=torch.complex64)},
        lambda: tensors | {name: torch.full(tensor.shape, 3e38)},
        dict,
    )
    return kinds[seed // 7 % len(kinds)]()


def check_levels(flat: FlatField) -> None:
    """Lines that are corrected with it are lines; single columns may be dead."""
    lines = np.full((2, *flat.white.shape), 100, np.uint8 if flat.bits == 8 else np.uint16)
    corrected = Correction(flat, flat.bits).apply(lines)
    assert corrected.shape == lines.shape
    assert corrected.dtype == np.uint8
    assert np.isfinite(flat.white).all()
    assert np.isfinite(flat.dark).all()


def test_a_damaged_flat_field_is_refused_or_sound(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.safetensors"
    path.parent.mkdir()
    data = FLAT.read_bytes()

    def check(seed: int) -> None:
        path.write_bytes(damaged(data, seed))
        with holds("flat fields", path.parent):
            flat = read_flat_field(path)
            check_levels(flat)

    fuzzed(check, 3)()


def test_a_flat_field_that_says_odd_things_is_refused_or_sound(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.safetensors"
    path.parent.mkdir()
    file = read_tensors(FLAT)
    about = json.loads(file.texts["about"])

    def check(seed: int) -> None:
        texts = {**file.texts, "about": hostile(about, seed).decode("utf-8", "replace")}
        tensors = _spoilt(dict(file.tensors), ("dark", "white")[seed % 2], seed) if seed % 3 == 0 else file.tensors
        path.write_bytes(tensor_bytes(tensors, texts))
        with holds("hostile flat fields", path.parent):
            flat = read_flat_field(path)
            assert 0 < flat.target <= 255
            assert 8 <= flat.bits <= 16
            check_levels(flat)

    fuzzed(check, 3)()


def onnx_file(header: str) -> bytes:
    """A small file with our metadata."""
    node = helper.make_node("Identity", ["tiles"], ["vectors"])
    tiles = helper.make_tensor_value_info("tiles", TensorProto.FLOAT, [1, 3, 8, 8])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [1, 3, 8, 8])
    model = helper.make_model(helper.make_graph([node], "g", [tiles], [vectors]))
    told: dict[str, Any] = {"format": FORMAT, "version": str(VERSION), "identity": "0" * 12, "header": header}
    for key, value in told.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(model.SerializeToString())


WEIGHTS = {"conv.weight": torch.ones(4, 3, 3, 3), "conv.bias": torch.zeros(4)}


def weights_file(ending: str, seed: int) -> bytes:
    """Weights of a backbone as people pass them on, of which some were made to do harm."""
    name = sorted(WEIGHTS)[seed // 5 % len(WEIGHTS)]
    tensors = _spoilt(dict(WEIGHTS), name, seed) if seed % 3 == 0 else dict(WEIGHTS)
    if ending == ".safetensors":
        return tensor_bytes(tensors, {})
    held: Any = (tensors, {"state_dict": tensors}, {"model": {"Qz" * 2000: 1}}, list(tensors.values()))[seed // 3 % 4]
    content = io.BytesIO()
    torch.save(held, content)
    return content.getvalue()


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_damaged_weights_of_a_backbone_are_refused_or_sound(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / f"a{ending}"
    path.parent.mkdir()

    def check(seed: int) -> None:
        data = weights_file(ending, seed)
        path.write_bytes(damaged(data, seed) if seed % 2 else data)
        network = torch.nn.Sequential(OrderedDict(conv=torch.nn.Conv2d(3, 4, 3)))
        with holds(f"weights {ending}", path.parent):
            load_into(network, read_weights(str(path)), None, str(path))
            assert all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values())

    fuzzed(check)()


def checkpoint_of(folder: Path) -> Checkpoint:
    return Checkpoint(folder, "made of these", "learnt of these")


def test_a_damaged_checkpoint_is_made_again_or_sound(tmp_path: Path) -> None:
    folder, kept = tmp_path / "in", tmp_path / "kept"
    checkpoint_of(kept).keep_heads(HeadState({"w": torch.ones(3, 3)}, {"epoch": 3, "losses": [0.5, 0.25]}))
    (heads,) = kept.glob("*.safetensors")
    file = read_tensors(heads)
    values = json.loads(file.texts["values"])

    def check(seed: int) -> None:
        folder.mkdir(exist_ok=True)
        if seed % 2:
            data = damaged(heads.read_bytes(), seed)
        else:
            data = tensor_bytes(
                file.tensors, {**file.texts, "values": hostile(values, seed).decode("utf-8", "replace")}
            )
        (folder / heads.name).write_bytes(data)
        with holds("checkpoints", folder):
            found = checkpoint_of(folder).heads()
            assert found is None or isinstance(found.values, dict)

    fuzzed(check, 2)()


def test_an_onnx_file_with_odd_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.onnx"
    path.parent.mkdir()
    header = json.loads(read_tensors(MODELS[0]).texts["header"])
    header |= {"middles": [[0.0, 1.0]] * len(header["calibrations"]), "size_px": [64, 64]}

    def check(seed: int) -> None:
        data = onnx_file(hostile(header, seed).decode("utf-8", "replace"))
        path.write_bytes(damaged(data, seed) if seed % 2 else data)
        with holds("ONNX files", path.parent):
            OnnxDetector.load(path)
            raise AssertionError("a file without a detector was taken for one")

    fuzzed(check)()
    assert onnx.__version__
