"""Centres: which class an image belongs to, which centre vector a patch, and how centres are made (eq. 1 to 3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cras_core.detectors.centers import ClassCenters, nearest, prototypes
from cras_core.errors import DataError

seeds = st.integers(0, 2**31)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.sqrt(a @ a) * np.sqrt(b @ b)))


def some(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mean_maps(seed: int, classes: int, h: int, w: int, d: int) -> ClassCenters:
    maps = [some(seed + k, h * w, d) for k in range(classes)]
    return ClassCenters(maps, torch.stack([m.mean(dim=0) for m in maps]), (h, w))


@given(seeds, st.integers(1, 20), st.integers(1, 12), st.integers(1, 9))
def test_nearest_is_the_largest_cosine(seed: int, patches: int, vectors: int, dimension: int) -> None:
    u, c = some(seed, patches, dimension), some(seed + 1, vectors, dimension)
    index, best = nearest(u, c)
    table = np.array([[cosine(a, b) for b in c.numpy()] for a in u.numpy()])
    # Near-equal centres may change places by rounding, so scores are compared and not indices.
    np.testing.assert_allclose(best.numpy(), table.max(axis=1), atol=1e-12)
    np.testing.assert_allclose(table[np.arange(patches), index.numpy()], table.max(axis=1), atol=1e-12)


@given(seeds, st.floats(1e-3, 1e3))
def test_the_length_of_a_patch_does_not_change_its_centre(seed: int, factor: float) -> None:
    u, c = some(seed, 10, 6), some(seed + 1, 8, 6)
    assert torch.equal(nearest(u, c)[0], nearest(factor * u, c)[0])


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_a_mean_map_compares_whole_maps(seed: int, classes: int, h: int, w: int, d: int) -> None:
    centers = mean_maps(seed, classes, h, w, d)
    u = some(seed + 100, 3, h, w, d)
    similarity = centers.similarity(u)
    for i in range(3):
        for k in range(classes):
            wanted = cosine(u[i].numpy().ravel(), centers.of(k).numpy().ravel())
            assert similarity[i, k] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("grid", [None, (4, 3)])
def test_prototypes_and_images_of_another_size_compare_mean_vectors(grid: tuple[int, int] | None) -> None:
    means = some(5, 3, 6)
    centers = ClassCenters([some(k, 12, 6) for k in range(3)], means, grid)
    u = some(9, 2, 5, 7, 6)
    similarity = centers.similarity(u)
    for i in range(2):
        mean = u[i].reshape(-1, 6).mean(dim=0).numpy()
        assert similarity[i].tolist() == pytest.approx([cosine(mean, m) for m in means.numpy()], abs=1e-12)


@pytest.mark.parametrize("as_map", [True, False])
def test_every_image_of_a_mixed_batch_is_matched_as_if_it_were_alone(as_map: bool) -> None:
    h, w, d = 3, 4, 16
    centers = mean_maps(0, 3, h, w, d)
    if not as_map:
        centers = ClassCenters([centers.of(k) for k in range(3)], centers.means, None)
    noise = 0.3 * some(50, 3, h, w, d)
    order = [2, 0, 1]
    u = torch.stack([centers.of(k).reshape(h, w, d) for k in order]) + noise
    together = centers.similarity(u)
    assert together.argmax(dim=1).tolist() == order
    for i in range(3):
        torch.testing.assert_close(together[i : i + 1], centers.similarity(u[i : i + 1]), rtol=0, atol=1e-12)
    whole = centers.recompose(u, together.argmax(dim=1))
    for i, k in enumerate(order):
        alone = centers.recompose(u[i : i + 1], torch.tensor([k]))
        torch.testing.assert_close(whole[i : i + 1], alone, rtol=0, atol=0)


@given(seeds, st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_a_recomposed_center_holds_the_nearest_vectors_of_its_own_class(seed: int, sizes: list[int]) -> None:
    d = 5
    vectors = [some(seed + k, n, d) for k, n in enumerate(sizes)]
    centers = ClassCenters(vectors, some(seed, len(sizes), d), None)
    fabric = torch.tensor(list(range(len(sizes))) * 2)
    u = some(seed + 77, len(fabric), 2, 3, d)
    p = centers.recompose(u, fabric)
    for i, k in enumerate(fabric.tolist()):
        own = vectors[k].numpy()
        for y in range(2):
            for x in range(3):
                patch, center = u[i, y, x].numpy(), p[i, y, x].numpy()
                assert any(np.array_equal(center, c) for c in own)
                assert cosine(patch, center) == pytest.approx(max(cosine(patch, c) for c in own), abs=1e-12)


def test_without_local_alignment_a_mean_map_gives_the_vector_at_each_position() -> None:
    maps = mean_maps(3, 2, 2, 3, 4)
    centers = ClassCenters([maps.of(k) for k in range(2)], maps.means, (2, 3), local=False)
    u = some(8, 3, 2, 3, 4)
    p = centers.recompose(u, torch.tensor([1, 0, 1]))
    for i, k in enumerate((1, 0, 1)):
        assert torch.equal(p[i], centers.of(k).reshape(2, 3, 4))
    position = torch.tensor([4, 0, 5])
    assert torch.equal(centers.choose(some(9, 3, 4), 1, position), centers.of(1)[position])


@pytest.mark.parametrize("grid", [None, (2, 3)])
def test_without_local_alignment_and_without_positions_it_is_the_mean_of_the_fabric(
    grid: tuple[int, int] | None,
) -> None:
    maps = mean_maps(3, 2, 2, 3, 4)
    centers = ClassCenters([maps.of(k) for k in range(2)], maps.means, grid, local=False)
    p = centers.recompose(some(8, 2, 3, 5, 4), torch.tensor([1, 0]))
    for i, k in enumerate((1, 0)):
        assert torch.equal(p[i], maps.means[k].expand(3, 5, 4))


def test_patches_are_chosen_for_as_images_are_recomposed() -> None:
    centers = mean_maps(3, 2, 2, 3, 4)
    u = some(8, 1, 4, 5, 4)
    wanted = centers.recompose(u, torch.tensor([1])).reshape(-1, 4)
    assert torch.equal(centers.choose(u.reshape(-1, 4), 1), wanted)


def test_the_padding_of_a_small_class_is_never_a_center() -> None:
    # All real vectors point away from the patches; a row of zeros would have the larger cosine.
    vectors = [-torch.ones(1, 4), torch.randn(9, 4, generator=torch.Generator().manual_seed(0))]
    centers = ClassCenters(vectors, torch.randn(2, 4), None)
    assert len(centers) == 2
    assert centers.of(0).shape == (1, 4)
    assert torch.equal(centers.recompose(torch.ones(1, 2, 2, 4), torch.tensor([0])), -torch.ones(1, 2, 2, 4))


def test_prototypes_are_the_same_for_the_same_seed() -> None:
    u = some(1, 300, 6)
    assert torch.equal(prototypes(u, 12, 4), prototypes(u, 12, 4))
    assert not torch.equal(prototypes(u, 12, 4), prototypes(u, 12, 5))


def test_prototypes_are_the_means_of_what_is_nearest_to_them() -> None:
    clouds = torch.tensor([[10.0, 0.0], [0.0, 10.0], [-10.0, -10.0]], dtype=torch.float64)
    u = torch.cat([c + 0.1 * some(k, 40, 2) for k, c in enumerate(clouds)])
    found = prototypes(u, 3, 0)
    wanted = torch.stack([u[40 * k : 40 * (k + 1)].mean(dim=0) for k in range(3)])
    distance = torch.cdist(wanted, found).min(dim=1)
    assert float(distance.values.max()) < 1e-9
    assert sorted(distance.indices.tolist()) == [0, 1, 2]


def test_there_are_never_more_prototypes_than_patches() -> None:
    u = some(2, 5, 3).float()
    found = prototypes(u, 64, 0)
    assert found.shape == (5, 3)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[found[:, 0].argsort()], u[u[:, 0].argsort()])


def test_a_fabric_without_a_patch_has_no_center() -> None:
    with pytest.raises(DataError, match="without a single patch"):
        prototypes(torch.empty(0, 4), 8, 0)


def test_an_origin_moves_patches_and_means_alike() -> None:
    generator = torch.Generator().manual_seed(5)
    means, u, origin = (torch.randn(*size, generator=generator) for size in ((3, 6), (2, 4, 4, 6), (6,)))
    moved = ClassCenters([means[:1]] * 3, means, None, origin=origin).similarity(u)
    plain = ClassCenters([means[:1]] * 3, means - origin, None).similarity(u - origin)
    assert torch.allclose(moved, plain, atol=1e-6)
