"""A detector as an ONNX file: the file judges as the detector does, and nothing is written that does not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from shared import TINY_ANOMNET, Shared

from cras_core.__main__ import main
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.config.settings import BackboneConfig
from cras_core.data.folders import find_normal_images
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.detectors.trained import TrainedDetector
from cras_core.engines.graph import Graph
from cras_core.engines.onnx_detector import OnnxDetector
from cras_core.engines.onnx_export import cloth_tiles, licence_note, random_tiles, to_onnx, write
from cras_core.engines.parity import prove, session_of
from cras_core.errors import ConfigError, ExportError
from cras_core.registry.bundle import Bundle

ODD = (100, 190)  # neither square nor a multiple of anything
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def cras(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``cras(...)`` -> exit status, messages."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["cras", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), " ".join(capsys.readouterr().err.split())

    return run


@pytest.fixture(scope="module")
def anomnet_bundle(loom_data: Path, shared: Shared) -> Bundle:
    """A small AnomNet of two fabrics, really trained."""
    normal = [n for n in find_normal_images(loom_data) if n.fabric in ("plain", "twill")]
    few = [dataclasses.replace(n, paths=n.paths[:2]) for n in normal]
    return shared.model(few, with_settings(cloth(), TINY_ANOMNET))


@pytest.fixture(scope="module")
def odd_file(inspector: CrasDetector) -> bytes:
    return to_onnx(inspector, ODD)


@pytest.fixture(scope="module")
def written(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes, for tiles of 192 px."""
    path = tmp_path_factory.mktemp("onnx") / "new" / "small.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cras", "export", str(bundle_path), "--out", str(path), "--tile-px", "192"])
        with pytest.raises(SystemExit) as caught:
            main()
    assert not caught.value.code
    return path


def altered(model: bytes, name: str, change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """The file with one of its weights changed; ``gathered`` is the largest table by fabric."""
    found = onnx.load_model_from_string(model)
    graph = found.graph
    if name == "gathered":
        by_fabric = {n.input[0] for n in graph.node if n.op_type.startswith("Gather")}
        name = max((w for w in graph.initializer if w.name in by_fabric), key=lambda w: np.prod(w.dims)).name
    weights = next(w for w in graph.initializer if w.name == name)
    weights.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(weights).copy()), name))
    return bytes(found.SerializeToString())


def test_the_file_judges_as_cras_does_on_tiles_of_any_size(odd_file: bytes, inspector: CrasDetector) -> None:
    found = prove(odd_file, inspector, random_tiles(ODD, 5))
    assert set(found) == {"similarity", "scores", "vectors"}
    for difference in found.values():
        assert difference.absolute > 0, "two programs agree to the last digit only if one of them did not run"
        assert difference.relative < 1e-4
        assert difference.beyond == 0.0


def test_the_file_judges_as_anomnet_does(anomnet_bundle: Bundle) -> None:
    anomnet = AnomNetDetector.from_bundle(anomnet_bundle, "cpu")
    model = to_onnx(anomnet, ODD)
    found = prove(model, anomnet, random_tiles(ODD, 4))
    assert max(d.relative for d in found.values()) < 1e-4
    with pytest.raises(ExportError, match="does not judge as the detector does"):
        prove(altered(model, "gathered", lambda w: w * 1.01), anomnet, random_tiles(ODD, 4))


@pytest.mark.parametrize(
    "changes",
    [
        {"centers.local": "false"},
        {"score.kind": '"residual"'},
        {"score.kind": '"probability"'},
    ],
    ids=str,
)
def test_the_graph_is_the_detector_whatever_its_settings(bundle: Bundle, changes: dict[str, str]) -> None:
    changed = dataclasses.replace(bundle, config=with_settings(bundle.config, changes))
    check_graph(CrasDetector.from_bundle(changed, "cpu"))


def test_the_graph_is_the_detector_with_mean_maps_and_with_centres_of_different_number(bundle: Bundle) -> None:
    cells = (-(-ODD[0] // 8), -(-ODD[1] // 8))
    random = torch.Generator().manual_seed(0)
    maps = {f"centers.{k}": torch.randn(cells[0] * cells[1], 152, generator=random) for k in range(2)}
    for local in ("true", "false"):
        config = with_settings(bundle.config, {"centers.kind": '"mean_map"', "centers.local": local})
        by_position = dataclasses.replace(bundle, config=config, grid=cells, tensors=bundle.tensors | maps)
        check_graph(CrasDetector.from_bundle(by_position, "cpu"))
    fewer = bundle.tensors | {"centers.1": bundle.tensors["centers.1"][:5]}
    check_graph(CrasDetector.from_bundle(dataclasses.replace(bundle, tensors=fewer), "cpu"))


def test_the_graph_is_anomnet_with_one_set_for_all_and_without_coordinates(anomnet_bundle: Bundle) -> None:
    config = with_settings(anomnet_bundle.config, {"anomnet.sharing": '"shared"', "anomnet.coordinates": "false"})
    tensors = {k: v for k, v in anomnet_bundle.tensors.items() if k != "adapter.place.weight"}
    tensors["centroids"] = tensors["centroids"][:1]
    check_graph(AnomNetDetector.from_bundle(dataclasses.replace(anomnet_bundle, config=config, tensors=tensors), "cpu"))


def check_graph(detector: TrainedDetector) -> None:
    """The graph before it is exported, beside the detector."""
    tiles = random_tiles(ODD, 3)
    features = detector.extract_features(tiles)
    images = torch.from_numpy(tiles).permute(0, 3, 1, 2).float()
    dimension = features.vectors.shape[-1]
    fabric = torch.tensor([1, 0, 1])
    with torch.inference_mode():
        similarity, scores, _ = Graph(detector, ODD)(images, fabric, torch.zeros(3, dimension))
        wanted = detector.score(features.vectors, fabric)
    np.testing.assert_allclose(similarity, features.similarity, atol=1e-5)
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    ["extractor.std", "heads.adapter.linear.bias", "heads.discriminator.layers.6.weight", "gathered"],
)
def test_one_altered_weight_is_noticed(odd_file: bytes, inspector: CrasDetector, name: str) -> None:
    def change(w: np.ndarray) -> np.ndarray:
        if name == "gathered":  # a centre alone may be one that no tile comes near
            return w + np.float32(0.05)
        w.reshape(-1)[0] += 0.5
        return w

    with pytest.raises(ExportError, match=r"does not judge as the detector does, so it was not written \(.*scores by"):
        prove(altered(odd_file, name, change), inspector, random_tiles(ODD, 4))


def test_a_file_of_other_tiles_or_no_file_at_all_is_refused(odd_file: bytes, inspector: CrasDetector) -> None:
    with pytest.raises(ExportError, match="onnxruntime cannot run the ONNX file"):
        prove(odd_file, inspector, random_tiles((96, 96), 2))
    with pytest.raises(ExportError, match="onnxruntime cannot open the ONNX file"):
        session_of(odd_file[: len(odd_file) // 2])


def test_the_file_tells_what_it_is_and_nothing_of_the_machine(written: Path, bundle: Bundle) -> None:
    data = written.read_bytes()
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model)
    told = {p.key: p.value for p in model.metadata_props}
    assert told["identity"] == bundle.identity
    assert json.loads(told["fabrics"]) == ["plain", "twill"]
    header = json.loads(told["header"])
    assert header["config"] == json.loads(json.dumps(bundle.config.to_dict()))
    assert header["weights_hash"] == bundle.weights_hash
    assert header["calibrations"] == json.loads(json.dumps([c.to_dict() for c in bundle.calibrations]))
    assert header["size_px"] == [192, 192]
    assert "Apache-2.0" in told["licence"]
    assert [i.name for i in model.graph.input] == ["tiles", "fabric", "shift"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert str(Path(__file__).parents[2]).encode() not in data


def test_the_licence_of_the_weights_is_told_as_far_as_it_is_known() -> None:
    assert "Apache-2.0" in licence_note(cloth().backbone)
    assert "apache-2.0" in licence_note(BackboneConfig("resnet18", "hub"))
    own = licence_note(BackboneConfig("resnet18", "/home/ada/secret/own.pth"))
    assert "own.pth" in own
    assert "not known" in own
    assert "ada" not in own


def test_the_file_can_be_evaluated_as_a_bundle_can(
    written: Path, inspector: CrasDetector, loom_data: Path, cras: Run, tmp_path: Path, mvtec: Path
) -> None:
    detector = OnnxDetector.load(written)
    assert detector.identity == inspector.identity
    assert detector.fabrics == inspector.fabrics
    tiles = cloth_tiles(loom_data / "twill" / "normal", (192, 192), 3)
    assert len(tiles) == 3
    mine, theirs = detector.extract_features(tiles), inspector.extract_features(tiles)
    web = theirs.median_features(np.ones(theirs.vectors.shape[:3], np.bool_)) + 0.2
    got, wanted = mine.score(None, web), theirs.score(None, web)
    np.testing.assert_allclose(got.raw, wanted.raw, rtol=1e-3, atol=1e-3)
    assert got.fabric.tolist() == wanted.fabric.tolist() == [1, 1, 1]
    with pytest.raises(ConfigError, match="192 x 192 px, not 256 x 128; export it for these") as caught:
        detector.extract_features(np.zeros((1, 128, 256), np.uint8))
    assert caught.value.hint == "With: --tile-px 128x256"
    status, said = cras("evaluate", written, mvtec, "--device", "cpu")
    assert status == 2
    assert "--tile-px 256x256" in said
    assert "run on the CPU in float32" in cras("evaluate-web", written, mvtec, "--precision", "bfloat16")[1]


def test_no_onnx_file_of_this_program(written: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="there is no such file"):
        OnnxDetector.load(tmp_path / "none.onnx")
    half = tmp_path / "half.onnx"
    half.write_bytes(written.read_bytes()[:100_000])
    with pytest.raises(ExportError, match="cut off or no ONNX file"):
        OnnxDetector.load(half)
    model = onnx.load(written)
    del model.metadata_props[:]
    onnx.save(model, half)
    with pytest.raises(ExportError, match="no ONNX file of this program"):
        OnnxDetector.load(half)


def test_what_cannot_be_exported_is_said_and_leaves_the_file_as_it_was(
    cras: Run, bundle_path: Path, tmp_path: Path, loom_data: Path
) -> None:
    out = tmp_path / "kept.onnx"
    out.write_bytes(b"old")
    (tmp_path / "file").write_text("x")
    broken = tmp_path / "broken.cras"
    broken.write_bytes(bundle_path.read_bytes()[:5000])
    for arguments, message in (
        ((tmp_path / "none.cras", "--out", out), "There is no bundle at"),
        ((broken, "--out", out), "is cut off or no bundle at all"),
        ((bundle_path, "--out", tmp_path / "file" / "m.onnx"), "m.onnx cannot be written"),
        ((bundle_path, "--out", tmp_path), "is a folder; name a file"),
        ((bundle_path, "--out", out, "--tile-px", "big"), "--tile-px takes a side or HEIGHTxWIDTH"),
        ((bundle_path, "--out", out, "--cloth", tmp_path / "none"), "There is no folder"),
        ((bundle_path, "--out", out, "--tile-px", "4096", "--cloth", loom_data), "holds no picture of 4096 x 4096 px"),
    ):
        status, said = cras("export", *arguments)
        assert status == 2, said
        assert message in said
    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.cras", "file", "kept.onnx"]


def test_a_full_disk_is_said_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="the system cannot limit files")
    out = tmp_path / "kept.onnx"
    out.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))  # a file may not grow beyond
    try:
        with pytest.raises(ExportError, match=r"kept.onnx cannot be written: .* free some space"):
            write(bytes(2_000_000), out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.onnx"]
    assert out.read_bytes() == b"old"


def test_without_the_extra_the_commands_say_how_to_get_it(
    bundle_path: Path, written: Path, tmp_path: Path, cras: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    way_out = "packages that are not installed: onnx, onnxruntime. Install them: pip install '.[export]'"
    code = (
        "import sys\nfor name in ('onnx', 'onnxruntime'): sys.modules[name] = None\n"
        "from cras_core.__main__ import main\n"
        f"sys.argv = ['cras', 'export', {str(bundle_path)!r}, '--out', {str(tmp_path / 'm.onnx')!r}]\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert way_out in " ".join(done.stderr.split())
    for name in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)
    status, said = cras("evaluate", written, tmp_path)
    assert status == 2
    assert way_out in said
