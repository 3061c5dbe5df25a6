"""Synthetic anomalies follow equations 4 to 6, the loss equation 8."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cras_core.config.settings import Combination, DistanceRatio, SynthesisConfig
from cras_core.detectors.cras.loss import discrimination_loss
from cras_core.detectors.cras.model import center_aware
from cras_core.detectors.cras.synthesis import synthesise

seeds = st.integers(0, 2**31)


def some(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drawn_noise(u: Tensor, sigma: float, seed: int) -> np.ndarray:
    """The noise g that ``synthesise`` draws from a generator with this seed, share 1."""
    unit = torch.randn(u.shape, generator=torch.Generator().manual_seed(seed), dtype=u.dtype)
    return sigma * unit.numpy()


RATIOS: dict[DistanceRatio, Callable[[float, float], float]] = {
    "g/r": lambda g, r: g / r,
    "1/gr": lambda g, r: 1 / (g * r),
    "1/r": lambda _, r: 1 / r,
}


@given(
    seeds, st.integers(1, 20), st.integers(1, 9), st.floats(1e-3, 10), st.floats(0, 1), st.sampled_from(sorted(RATIOS))
)
def test_noise_follows_the_equations(seed: int, n: int, d: int, sigma: float, beta: float, kind: DistanceRatio) -> None:
    u, p = some(seed, n, d), some(seed + 1, n, d)
    config = SynthesisConfig(sigma, beta, share=1.0, ratio=kind)
    v = synthesise(u, p, config, torch.Generator().manual_seed(seed))
    g = drawn_noise(u, sigma, seed)
    noise_norm = [math.sqrt(sum(x * x for x in g[i])) for i in range(n)]
    residual_norm = [math.sqrt(sum(float(x) ** 2 for x in u[i] - p[i])) for i in range(n)]  # eq. 4
    ratio = [RATIOS[kind](a, b) for a, b in zip(noise_norm, residual_norm, strict=True)]
    mean = sum(ratio) / n
    for i in range(n):
        alpha = beta * (ratio[i] / mean - 1) + 1  # eq. 5
        np.testing.assert_allclose(v[i].numpy(), u[i].numpy() + alpha * g[i], rtol=1e-9, atol=1e-12)  # eq. 6


@given(seeds, st.floats(1e-3, 10))
def test_without_beta_it_is_plain_white_noise(seed: int, sigma: float) -> None:
    u, p = some(seed, 7, 5), some(seed + 1, 7, 5)
    v = synthesise(u, p, SynthesisConfig(sigma, 0.0, share=1.0), torch.Generator().manual_seed(seed))
    np.testing.assert_allclose((v - u).numpy(), drawn_noise(u, sigma, seed), rtol=1e-9, atol=1e-12)


def test_vectors_near_their_center_get_more_noise() -> None:
    u = some(0, 4000, 32)
    away = torch.nn.functional.normalize(some(1, 4000, 32), dim=1)
    distance = torch.where(torch.arange(4000) % 2 == 0, 0.5, 4.0).unsqueeze(1)
    v = synthesise(u, u + distance * away, SynthesisConfig(1.0, 0.5, share=1.0), torch.Generator().manual_seed(2))
    length = (v - u).norm(dim=1)
    near, far = float(length[::2].mean()), float(length[1::2].mean())
    # g/r is 8 times as large near the centre; with a mean of 1 that is 16/9 and 2/9, and alpha is 1 +- beta 7/9.
    assert near / far == pytest.approx((1 + 0.5 * 7 / 9) / (1 - 0.5 * 7 / 9), rel=0.03)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.25, 0.05])
def test_a_smaller_share_keeps_the_energy_of_the_noise(share: float) -> None:
    u, p = some(3, 4000, 60), some(4, 4000, 60)
    v = synthesise(u, p, SynthesisConfig(0.7, 0.0, share), torch.Generator().manual_seed(5))
    moved = v - u
    assert float(moved.square().mean()) == pytest.approx(0.7**2, rel=0.05)
    assert float((moved != 0).double().mean()) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_vector_that_no_noise_falls_on_stays_as_it_is(ratio: DistanceRatio) -> None:
    u, p = some(6, 200, 8), some(7, 200, 8)
    config = SynthesisConfig(1.0, 0.3, share=0.05, ratio=ratio)
    moved = synthesise(u, p, config, torch.Generator().manual_seed(0)) - u
    assert torch.isfinite(moved).all()
    assert (moved == 0).all(dim=1).any()


def test_a_vector_on_its_center_stays_finite() -> None:
    u = some(6, 8, 4)
    p = u.clone()
    p[1:] += 1.0
    v = synthesise(u, p, SynthesisConfig(0.5, 0.3, share=1.0), torch.Generator().manual_seed(0))
    assert torch.isfinite(v).all()


def test_the_same_seed_gives_the_same_anomalies() -> None:
    u, p = some(7, 30, 6), some(8, 30, 6)
    config = SynthesisConfig()
    one, again, other = (synthesise(u, p, config, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_global_seed_rules_where_no_generator_is_given() -> None:
    u, p = some(7, 30, 6), some(8, 30, 6)
    found = []
    for _ in range(2):
        torch.manual_seed(11)
        found.append(synthesise(u, p, SynthesisConfig()))
    assert torch.equal(*found)


def test_no_gradient_flows_through_the_size_of_the_noise() -> None:
    u = some(9, 12, 5).requires_grad_(True)
    p = some(10, 12, 5)
    v = synthesise(u, p, SynthesisConfig(1.0, 0.9, share=1.0), torch.Generator().manual_seed(0))
    weight = some(11, 12, 5)
    (v * weight).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(u.grad, weight, rtol=0, atol=1e-12)


@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_the_loss_is_binary_cross_entropy_with_labels_0_and_1(seed: int, normal: int, synthetic: int) -> None:
    a, b = 3 * some(seed, normal), 3 * some(seed + 1, synthetic)

    def probability(logit: float) -> float:
        return 1 / (1 + math.exp(-logit))

    wanted = sum(-math.log(1 - probability(x)) for x in a.tolist()) / normal
    wanted += sum(-math.log(probability(x)) for x in b.tolist()) / synthetic
    assert float(discrimination_loss(a, b)) == pytest.approx(wanted, rel=1e-9)


def test_the_loss_of_a_sure_discriminator_stays_finite() -> None:
    wrong = discrimination_loss(torch.tensor([500.0]), torch.tensor([-500.0]))
    assert float(wrong) == pytest.approx(1000.0)
    assert float(discrimination_loss(torch.tensor([-500.0]), torch.tensor([500.0]))) == 0.0


def test_center_aware_features_hold_the_vector_and_its_residual() -> None:
    u, p = some(1, 2, 3, 4), some(2, 2, 3, 4)
    y = center_aware(u, p)
    assert y.shape == (2, 3, 8)
    assert torch.equal(y[..., :4], u)
    assert torch.equal(y[..., 4:], u - p)


@pytest.mark.parametrize("features", get_args(Combination))
def test_the_discriminator_may_see_another_combination(features: Combination) -> None:
    u, p = some(1, 2, 3, 4), some(2, 2, 3, 4)
    parts = {"raw": u, "residual": u - p}
    wanted = torch.cat([parts[name] for name in features.split("+")], dim=-1)
    assert torch.equal(center_aware(u, p, features), wanted)
