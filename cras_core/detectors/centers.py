"""The centres of the classes: how they are made, which class an image belongs to, which centre vector a patch (MCMC
and HPI, eq. 1 to 3).

This is the only centre search there is; training, inference and figures all call ``nearest``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cras_core.errors import DataError


def nearest(u: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The centre vector with the largest cosine similarity to each patch (eq. 3).

    Args:
        u: (..., N, D) adapted patches.
        vectors: (..., M, D) centre vectors of one class; with the leading axes of ``u``, of the class of each image.

    Returns:
        (..., N) int64 index into ``vectors``; (..., N) cosine similarity.
    """
    cosine = nn.functional.normalize(u, dim=-1) @ nn.functional.normalize(vectors, dim=-1).mT  # (..., N, M)
    best, index = cosine.max(dim=-1)
    return index, best


def prototypes(u: Tensor, count: int, seed: int) -> Tensor:
    """(N, D) adapted patches of one class -> (K, D) prototype centres by k-means; K is ``count``, or N where that is
    less.
    """
    from sklearn.cluster import KMeans  # two seconds that only a training has to wait for

    if len(u) == 0:
        raise DataError("fabric-without-patch", "a fabric without a single patch has no centre")
    found = KMeans(min(count, len(u)), n_init=1, max_iter=20, random_state=seed).fit(u.detach().cpu().double().numpy())
    return torch.from_numpy(found.cluster_centers_).to(u)


class ClassCenters(nn.Module):
    """c_k for every class k: the position-wise mean map of eq. 1, or a set of prototypes in its place."""

    vectors: Tensor
    counts: Tensor
    means: Tensor
    origin: Tensor | None

    def __init__(
        self,
        vectors: list[Tensor],
        means: Tensor,
        grid: tuple[int, int] | None,
        *,
        local: bool = True,
        origin: Tensor | None = None,
    ) -> None:
        """
        Args:
            vectors: one (M_k, D) per class.
            means: (K, D) mean of all normal patches of each class.
            grid: (h, w) of the mean map, whose M_k = h * w vectors are in row order; None for prototypes.
            local: search the nearest vector for every patch (HPI); off takes the one at its position.
            origin: (D,) what similarities are seen from; None means zero, which is the middle of the cloth trained on.
        """
        super().__init__()
        most = max(len(v) for v in vectors)
        self.grid = grid
        self.local = local
        padded = [nn.functional.pad(v, (0, 0, 0, most - len(v))) for v in vectors]
        self.register_buffer("vectors", torch.stack(padded))  # (K, M, D)
        self.register_buffer("counts", torch.tensor([len(v) for v in vectors]))
        self.register_buffer("means", means)
        self.register_buffer("origin", origin)

    def __len__(self) -> int:
        return len(self.vectors)

    def of(self, k: int) -> Tensor:
        """(M_k, D) centre vectors of class k."""
        return self.vectors[k, : int(self.counts[k])]

    def similarity(self, u: Tensor) -> Tensor:
        """Similarity of each image to each class (eq. 2), per image and never per batch.

        (B, h, w, D) -> (B, K). For a mean map of the same grid this is the cosine of the flattened maps. Cloth has no
        fixed position, so its mean map is the same vector everywhere; then eq. 2 picks the class whose mean vector has
        the largest cosine with the mean of the patches, and that cosine is returned. It also serves a mean map on an
        image of another size.
        """
        b, h, w, d = u.shape
        if self.grid == (h, w):
            flat = nn.functional.normalize(u.reshape(b, -1), dim=1)
            return flat @ nn.functional.normalize(self.vectors.reshape(len(self), -1), dim=1).T
        mean, means = u.reshape(b, -1, d).mean(dim=1), self.means
        if self.origin is not None:
            mean, means = mean - self.origin, means - self.origin
        return nn.functional.normalize(mean, dim=1) @ nn.functional.normalize(means, dim=1).T

    def choose(self, u: Tensor, k: int, position: Tensor | None = None) -> Tensor:
        """The centre vector p of every patch of class k (eq. 3): (N, D) and their (N,) positions in row order, where
        they have one that means something -> (N, D).
        """
        vectors = self.of(k)
        if self.local:
            return vectors[nearest(u, vectors)[0]]
        if self.grid is not None and position is not None:
            return vectors[position]
        return self.means[k].expand_as(u)

    def recompose(self, u: Tensor, fabric: Tensor) -> Tensor:
        """The recomposed centres of whole images: (B, h, w, D) patches and their (B,) classes -> (B, h, w, D)."""
        p = torch.empty_like(u)
        _, h, w, d = u.shape
        for k in sorted(set(fabric.tolist())):
            patches = u[fabric == k]
            position = (
                torch.arange(h * w, device=u.device).repeat(len(patches)) if self.grid == (h, w) else None
            )  # (n * h * w,)
            p[fabric == k] = self.choose(patches.reshape(-1, d), k, position).reshape(patches.shape)
        return p
