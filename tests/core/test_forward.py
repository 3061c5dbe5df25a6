"""The whole model from features to logits is equations 2, 3, 4, 7 and 9, written out step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cras_core.config.settings import CrasConfig, PatchConfig
from cras_core.detectors.centers import ClassCenters
from cras_core.detectors.cras.adapter import Adapter
from cras_core.detectors.cras.discriminator import Discriminator
from cras_core.detectors.cras.model import CrasModel
from cras_core.features.backbone import Backbone
from cras_core.features.extractor import FeatureExtractor

DIMENSION = 24


def some_model(backbone: Backbone, grid: tuple[int, int] | None, seed: int) -> CrasModel:
    """Random heads in float64, nothing at its initial value."""
    torch.manual_seed(seed)
    config = CrasConfig(patches=PatchConfig(3, DIMENSION, 8))
    extractor = FeatureExtractor(backbone, config)
    extractor.mean.normal_()
    extractor.std.uniform_(0.5, 2.0)
    adapter = Adapter(DIMENSION, start_as_identity=False)
    torch.nn.init.normal_(adapter.linear.bias)
    discriminator = Discriminator(DIMENSION)
    for module in discriminator.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    sizes = [grid[0] * grid[1]] * 3 if grid else [5, 9, 1]
    vectors = [torch.randn(n, DIMENSION) for n in sizes]
    centers = ClassCenters(vectors, torch.stack([v.mean(dim=0) for v in vectors]), grid)
    return CrasModel(extractor, adapter, centers, discriminator).double().eval()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b) / float(np.sqrt(a @ a) * np.sqrt(b @ b))


def by_the_paper(model: CrasModel, t: np.ndarray, known: int | None) -> tuple[np.ndarray, np.ndarray, list[float], int]:
    """(h, w, D) normalised features of one image -> logit, residual, similarities, class."""
    h, w, d = t.shape
    values = {k: v.detach().numpy() for k, v in model.state_dict().items()}
    u = np.stack(
        [values["adapter.linear.weight"] @ x + values["adapter.linear.bias"] for x in t.reshape(-1, d)]
    ).reshape(h, w, d)
    centers = [model.centers.of(k).numpy() for k in range(len(model.centers))]
    if model.centers.grid == (h, w):
        similarity = [cosine(u.ravel(), c.ravel()) for c in centers]  # eq. 2
    else:
        similarity = [cosine(u.reshape(-1, d).mean(axis=0), m) for m in values["centers.means"]]
    k = int(np.argmax(similarity)) if known is None else known
    logit, residual = np.zeros((h, w)), np.zeros((h, w))
    for y in range(h):
        for x in range(w):
            p = centers[k][int(np.argmax([cosine(u[y, x], c) for c in centers[k]]))]  # eq. 3
            residual[y, x] = np.linalg.norm(u[y, x] - p)  # eq. 4
            z = np.concatenate([u[y, x], u[y, x] - p])  # eq. 7
            for layer in (0, 3):  # D: linear, batch normalisation, leaky ReLU, twice
                name = f"discriminator.layers.{layer}"
                norm = f"discriminator.layers.{layer + 1}"
                z = values[f"{name}.weight"] @ z + values[f"{name}.bias"]
                z = (z - values[f"{norm}.running_mean"]) / np.sqrt(values[f"{norm}.running_var"] + 1e-5)
                z = z * values[f"{norm}.weight"] + values[f"{norm}.bias"]
                z = np.where(z > 0, z, 0.2 * z)
            logit[y, x] = (values["discriminator.layers.6.weight"] @ z).item()
    return logit, residual, similarity, k


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("grid", [None, (4, 6), (5, 5)])
@pytest.mark.parametrize("known", [None, 1])
def test_inference_is_the_papers(
    tiny_backbone: Callable[..., Backbone], grid: tuple[int, int] | None, known: int | None, seed: int
) -> None:
    model = some_model(tiny_backbone(seed), grid, seed)
    images = 255 * torch.rand(3, 3, 32, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        fabric = None if known is None else torch.full((3,), known)
        output = model(images, fabric)
        t = model.extractor(images).numpy()
    assert t.shape == (3, 4, 6, DIMENSION)
    for i in range(3):
        logit, residual, similarity, k = by_the_paper(model, t[i], known)
        assert int(output.fabric[i]) == k
        np.testing.assert_allclose(output.similarity[i].numpy(), similarity, rtol=0, atol=1e-9)
        np.testing.assert_allclose(output.residual[i].numpy(), residual, rtol=0, atol=1e-9)
        np.testing.assert_allclose(output.logit[i].numpy(), logit, rtol=0, atol=1e-9)


def test_cells_that_are_padding_play_no_part(tiny_backbone: Callable[..., Backbone]) -> None:
    model = some_model(tiny_backbone(), (3, 5), 0)
    images = 255 * torch.rand(2, 3, 32, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        output = model(images, size=(3, 5))
        t = model.extractor(images)[:, :3, :5].numpy()
    for i in range(2):
        logit, residual, similarity, k = by_the_paper(model, t[i], None)
        assert int(output.fabric[i]) == k
        np.testing.assert_allclose(output.similarity[i].numpy(), similarity, rtol=0, atol=1e-9)
        np.testing.assert_allclose(output.residual[i].numpy(), residual, rtol=0, atol=1e-9)
        np.testing.assert_allclose(output.logit[i].numpy(), logit, rtol=0, atol=1e-9)


def test_features_are_those_of_the_backbone_less_the_mean_by_the_deviation(
    tiny_backbone: Callable[..., Backbone],
) -> None:
    model = some_model(tiny_backbone(), None, 0)
    images = 255 * torch.rand(2, 3, 32, 32, dtype=torch.float64)
    raw = model.extractor.patches(model.extractor.backbone(images)).permute(0, 2, 3, 1)
    wanted = (raw - model.extractor.mean) / model.extractor.std
    torch.testing.assert_close(model.extractor(images), wanted, rtol=0, atol=1e-12)
    assert model.extractor.dimension == DIMENSION
    assert model.extractor.cell_px == 8


def test_single_precision_gives_the_same_scores(tiny_backbone: Callable[..., Backbone]) -> None:
    model = some_model(tiny_backbone(), None, 0)
    images = 255 * torch.rand(2, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = model(images, torch.tensor([0, 1]))
        single = model.float()(images.float(), torch.tensor([0, 1]))
    torch.testing.assert_close(single.residual.double(), exact.residual, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(single.logit.double(), exact.logit, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("identity", [True, False])
def test_the_adapter_is_one_linear_layer(identity: bool) -> None:
    torch.manual_seed(0)
    adapter = Adapter(DIMENSION, start_as_identity=identity)
    t = torch.randn(50, DIMENSION)
    assert sum(p.numel() for p in adapter.parameters()) == DIMENSION**2 + DIMENSION
    torch.testing.assert_close(adapter(t), t @ adapter.linear.weight.T + adapter.linear.bias)
    if identity:
        assert torch.equal(adapter(t), t)
    else:
        assert float(adapter.linear.weight.detach().std()) == pytest.approx((2 / (2 * DIMENSION)) ** 0.5, rel=0.1)


def test_the_heads_have_the_size_of_the_papers() -> None:
    dimension = 1536
    with torch.device("meta"):
        adapter = Adapter(dimension, start_as_identity=False)
        discriminator = Discriminator(dimension)
    assert sum(p.numel() for p in adapter.parameters()) == pytest.approx(2.36e6, rel=0.005)
    assert sum(p.numel() for p in discriminator.parameters()) == pytest.approx(5.91e6, rel=0.005)
