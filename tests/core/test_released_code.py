"""With one set of weights the released-code setting gives, from the pictures to the score, what equations 1, 2, 3, 7, 9
and 10 give when they are written out step by step in float64. Equations 4 to 6 and 8 are in
``test_synthesis_and_loss.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import timm
import torch
import torchvision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cras_core.config.presets import released_code
from cras_core.config.settings import BackboneConfig, CrasConfig, PreprocessConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.centers import ClassCenters
from cras_core.detectors.cras.adapter import Adapter
from cras_core.detectors.cras.detector import CrasDetector, ScoreScale
from cras_core.detectors.cras.discriminator import Discriminator
from cras_core.detectors.cras.model import CrasModel
from cras_core.features.backbone import Backbone, load_backbone
from cras_core.features.extraction import extract_features
from cras_core.features.extractor import FeatureExtractor
from cras_core.web.calibration import provisional

Array = npt.NDArray[np.float64]
Network = Callable[[Array], list[Array]]
"""A normalised picture (3, H, W) -> one (C, h, w) per level."""

BATCH = 2  # of eq. 1 in the authors' code; theirs is 32


# The transcription. Nothing in it is ours.


def enlarged(level: Array, height: int, width: int) -> Array:
    """Bilinear, corners not aligned: (..., h, w) -> (..., height, width)."""

    def along(values: Array, size: int) -> Array:
        length = values.shape[-1]
        out = np.empty((*values.shape[:-1], size))
        for i in range(size):
            place = max(0.0, (i + 0.5) * length / size - 0.5)
            low = int(place)
            high = min(low + 1, length - 1)
            out[..., i] = values[..., low] * (1 - (place - low)) + values[..., high] * (place - low)
        return out

    return np.swapaxes(along(np.swapaxes(along(level, width), -1, -2), height), -1, -2)


def pooled(values: Array, count: int) -> Array:
    """The means of ``count`` nearly equal runs of the first axis: (n, h, w) -> (count, h, w)."""
    n = len(values)
    return np.stack([values[i * n // count : -(-(i + 1) * n // count)].mean(axis=0) for i in range(count)])


def patches(levels: list[Array], side: int, dimension: int) -> Array:
    """(h, w, D): neighbourhoods in the order channel, row, column; enlarged; pooled per level; pooled together."""
    height, width = levels[0].shape[1:]
    reach = side // 2
    unfolded = []
    for level in levels:
        channels, h, w = level.shape
        padded = np.zeros((channels, h + 2 * reach, w + 2 * reach))
        padded[:, reach : reach + h, reach : reach + w] = level
        around = np.empty((channels, side, side, h, w))
        for row in range(side):
            for column in range(side):
                around[:, row, column] = padded[:, row : row + h, column : column + w]
        unfolded.append(enlarged(around.reshape(channels * side * side, h, w), height, width))
    stacked = np.concatenate([pooled(values, dimension) for values in unfolded])
    return np.moveaxis(pooled(stacked, dimension), 0, -1)


@dataclass(frozen=True)
class Written:
    """What the equations give for one picture."""

    fabric: int
    logit: Array
    anomaly_map: Array
    score: float
    score_of_paper: float


@dataclass(frozen=True)
class Transcription:
    """The model by its weights."""

    network: Network
    mean: tuple[float, ...]
    std: tuple[float, ...]
    weights: dict[str, Array]
    side: int
    dimension: int

    def u(self, picture: npt.NDArray[np.uint8]) -> Array:
        normalised = np.moveaxis((picture / 255.0 - np.array(self.mean)) / np.array(self.std), -1, 0)
        t = patches(self.network(normalised), self.side, self.dimension)
        return t @ self.weights["adapter.linear.weight"].T + self.weights["adapter.linear.bias"]

    def center(self, pictures: list[npt.NDArray[np.uint8]], batch: int | None) -> Array:
        """Eq. 1, or the mean of the means of batches."""
        us = [self.u(picture) for picture in pictures]
        size = batch or len(us)
        means = [np.mean(us[i : i + size], axis=0) for i in range(0, len(us), size)]
        return np.asarray(np.mean(means, axis=0))

    def discriminator(self, y: Array) -> Array:
        """(n, 2D) -> (n,) before the sigmoid."""
        names = [f"discriminator.layers.{i}" for i in range(7)]
        z = y
        for linear, norm in ((names[0], names[1]), (names[3], names[4])):
            z = z @ self.weights[f"{linear}.weight"].T + self.weights[f"{linear}.bias"]
            z = (z - self.weights[f"{norm}.running_mean"]) / np.sqrt(self.weights[f"{norm}.running_var"] + 1e-5)
            z = z * self.weights[f"{norm}.weight"] + self.weights[f"{norm}.bias"]
            z = np.where(z > 0, z, 0.2 * z)
        return np.asarray((z @ self.weights[f"{names[6]}.weight"].T)[:, 0])

    def forward(self, picture: npt.NDArray[np.uint8], centers: list[Array]) -> Written:
        u = self.u(picture)
        fabric = int(np.argmax([cosine(u.ravel(), c.ravel()) for c in centers]))  # eq. 2
        bank = centers[fabric].reshape(-1, self.dimension)
        p = np.empty_like(u)
        for y in range(u.shape[0]):
            for x in range(u.shape[1]):
                p[y, x] = bank[int(np.argmax([cosine(u[y, x], c) for c in bank]))]  # eq. 3
        features = np.concatenate([u, u - p], axis=-1)  # eq. 7
        logit = self.discriminator(features.reshape(-1, features.shape[-1])).reshape(u.shape[:2])
        probability = 1 / (1 + np.exp(-logit))
        smooth = smoothed(enlarged(probability, *picture.shape[:2]), 4.0)  # eq. 9
        return Written(fabric, logit, smooth, float(probability.max()), float(smooth.max()))  # eq. 10


def cosine(a: Array, b: Array) -> float:
    return float(np.sum(a * b) / (np.sqrt(np.sum(a * a)) * np.sqrt(np.sum(b * b))))


def smoothed(values: Array, sigma: float) -> Array:
    """A Gaussian cut off at four sigma; the border is mirrored, its own pixels first."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        padded = np.pad(values, pad, mode="symmetric")
        values = np.apply_along_axis(np.convolve, axis, padded, kernel, "valid")
    return values


# Ours, with the same weights.


def random_pictures(count: int, height: int, width: int, rng: np.random.Generator) -> list[npt.NDArray[np.uint8]]:
    """Noise on several scales, so that neighbouring cells resemble each other somewhat."""
    found = []
    for _ in range(count):
        coarse = rng.integers(0, 200, (height // 16, width // 16, 3)).repeat(16, axis=0).repeat(16, axis=1)
        found.append((coarse + rng.integers(0, 56, (height, width, 3))).astype(np.uint8))
    return found


def random_heads(dimension: int, seed: int) -> tuple[Adapter, Discriminator]:
    """Heads in float64, nothing at its initial value."""
    torch.manual_seed(seed)
    adapter, discriminator = Adapter(dimension, start_as_identity=False), Discriminator(dimension)
    torch.nn.init.normal_(adapter.linear.bias, std=0.1)
    for module in discriminator.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return adapter.eval(), discriminator.eval()


def our_inspector(
    backbone: Backbone,
    config: CrasConfig,
    by_class: list[list[npt.NDArray[np.uint8]]],
    folder: Path,
    seed: int,
) -> CrasDetector:
    """The whole model in float64; its centres come from the pictures, as in training."""
    extractor = FeatureExtractor(backbone, config)
    adapter, discriminator = random_heads(extractor.dimension, seed)
    maps = []
    for k, pictures in enumerate(by_class):
        paths = []
        for i, picture in enumerate(pictures):
            paths.append(folder / f"{k}-{i}.png")
            PillowImage.fromarray(picture).save(paths[-1])
        found = extract_features(
            NormalImages(str(k), tuple(paths), False), paths, extractor, config, 10**4, torch.device("cpu"),
            np.random.default_rng(0), lambda _: None,
        )  # fmt: skip
        assert found.mean_map is not None
        maps.append(found.mean_map)
    with torch.no_grad():
        vectors = [adapter(m).reshape(-1, extractor.dimension) for m in maps]
    means = torch.stack([v.mean(dim=0) for v in vectors])
    centers = ClassCenters(vectors, means, (int(maps[0].shape[0]), int(maps[0].shape[1])))
    model = CrasModel(extractor, adapter, centers, discriminator)
    scale = ScoreScale(*(torch.ones(len(by_class)) for _ in ScoreScale.__slots__))
    calibrations = [provisional(str(k)) for k in range(len(by_class))]
    return CrasDetector(model, config, scale, calibrations, torch.zeros_like(means), torch.device("cpu"))


def assert_agree(
    inspector: CrasDetector,
    network: Network,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    by_class: list[list[npt.NDArray[np.uint8]]],
) -> None:
    """Every picture of the first of each class, and each class's centres."""
    config = inspector.config
    heads = {**inspector.model.adapter.state_dict(prefix="adapter.")}
    heads |= inspector.model.discriminator.state_dict(prefix="discriminator.")
    weights = {name: tensor.numpy() for name, tensor in heads.items()}
    dimension = inspector.model.extractor.dimension
    written = Transcription(network, mean, std, weights, config.patches.neighbourhood, dimension)
    centers = [written.center(pictures, config.centers.mean_batch) for pictures in by_class]
    for k, center in enumerate(centers):
        found = inspector.model.centers.of(k).numpy()
        np.testing.assert_allclose(found, center.reshape(found.shape), rtol=0, atol=1e-9)
    for pictures in by_class:
        wanted = written.forward(pictures[0], centers)
        prediction = inspector.predict(pictures[0][None])
        assert int(prediction.fabric[0]) == wanted.fabric
        assert prediction.anomaly_map.dtype == np.float64
        np.testing.assert_allclose(prediction.anomaly_map[0], wanted.anomaly_map, rtol=0, atol=1e-9)
        assert float(prediction.score[0]) == pytest.approx(wanted.score, rel=0, abs=1e-9)
        raw = inspector.score_tiles(pictures[0][None]).raw[0]
        np.testing.assert_allclose(np.log(raw / (1 - raw)), wanted.logit, rtol=1e-9, atol=1e-9)
        inspector.config = replace(config, score=replace(config.score, image="smoothed"))
        of_paper = inspector.predict(pictures[0][None])
        assert float(of_paper.score[0]) == pytest.approx(wanted.score_of_paper, rel=0, abs=1e-9)
        inspector.config = config


@pytest.mark.usefixtures("double")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**31),
    half_dimension=st.integers(4, 24),
    side=st.sampled_from([1, 3, 5]),
    classes=st.integers(1, 3),
    pictures=st.integers(1, 5),
    size=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_pictures_are_scored_as_the_equations_say(
    tmp_path: Path,
    seed: int,
    half_dimension: int,
    side: int,
    classes: int,
    pictures: int,
    size: tuple[int, int],
) -> None:
    rng = np.random.default_rng(seed)
    by_class = [random_pictures(pictures, 32 * size[0], 32 * size[1], rng) for _ in range(classes)]
    preset = released_code()
    config = replace(
        preset,
        preprocess=PreprocessConfig(),
        backbone=BackboneConfig("test_resnet", "random, in tests only", (2, 3), 1.0),
        patches=replace(preset.patches, neighbourhood=side, dimension=2 * half_dimension),
        centers=replace(preset.centers, mean_batch=BATCH),
        train=replace(preset.train, cache="memory"),
    )
    network = random_network(seed)
    inspector = our_inspector(Backbone(network, config.backbone), config, by_class, tmp_path, seed)

    def levels(picture: Array) -> list[Array]:
        with torch.no_grad():
            return [level[0].numpy() for level in network(torch.from_numpy(picture)[None])]

    assert_agree(inspector, levels, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), by_class)


def random_network(seed: int) -> torch.nn.Module:
    """timm's smallest residual network in float64, not folded, all its weights random."""
    torch.manual_seed(seed)
    network = timm.create_model("test_resnet", features_only=True, out_indices=(2, 3), pretrained=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def resnet50() -> Path:
    """Real weights of ResNet-50 with the strides where Caffe has them."""
    path = Path(os.environ.get("RESNET50_WEIGHTS", ""))
    if not path.is_file():
        pytest.skip("real weights are not here: set RESNET50_WEIGHTS to a file of ResNet-50 v1 (strides as in Caffe)")
    return path


@pytest.mark.usefixtures("double")
def test_real_weights_score_as_the_equations_say(resnet50: Path, tmp_path: Path) -> None:
    """1536 dimensions from a real ResNet-50, which here is torchvision's and there timm's, folded."""
    real = torchvision.models.resnet50(weights=None)
    loaded = real.load_state_dict(torch.load(resnet50, map_location="cpu", weights_only=True), strict=False)
    assert not [k for k in loaded.missing_keys if not k.startswith(("layer4", "fc"))]
    for stage in (real.layer2, real.layer3):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    real = real.eval().requires_grad_(False)

    def levels(picture: Array) -> list[Array]:
        with torch.no_grad():
            x = real.maxpool(real.relu(real.bn1(real.conv1(torch.from_numpy(picture)[None]))))
            level2 = real.layer2(real.layer1(x))
            return [level2[0].numpy(), real.layer3(level2)[0].numpy()]

    preset = released_code()
    config = replace(
        preset,
        preprocess=PreprocessConfig(),
        backbone=BackboneConfig("resnet50", str(resnet50), (2, 3), 1.0, caffe_strides=True),
        centers=replace(preset.centers, mean_batch=BATCH),
        train=replace(preset.train, cache="memory"),
    )
    assert config.patches.dimension == 1536
    by_class = [random_pictures(3, 64, 96, np.random.default_rng(k)) for k in range(2)]
    inspector = our_inspector(load_backbone(config.backbone), config, by_class, tmp_path, 0)
    assert inspector.model.extractor.cell_px == 8
    assert_agree(inspector, levels, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_class)
