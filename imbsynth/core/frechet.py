"""The Fréchet distance of two sets of features, each summarised in one pass."""

from __future__ import annotations

import torch
from torch import Tensor

# Relative to the largest eigenvalue, with room: what rounding makes of a zero. Ten times as much
# would drop true eigenvalues; 0 would add 1e-8 per dimension without spread (see _sum_of_roots).
NOISE = 16 * torch.finfo(torch.float64).eps


class Moments:
    """Count, mean and scatter matrix of features, in float64; memory d * d, for any number of
    images.

    Batches are merged pairwise around their own means (Chan, Golub and LeVeque, 1979), which
    avoids the cancellation that a difference of sums of squares suffers.
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean = torch.zeros(dim, dtype=torch.float64)
        self.scatter = torch.zeros(dim, dim, dtype=torch.float64)  # sum of (x - mean)(x - mean)^T

    def add(self, features: Tensor) -> None:
        """Take in (n, d) features."""
        if not len(features):
            return
        features = features.to(torch.float64)
        mean = features.mean(0)
        centred = features - mean
        self._take_in(len(features), mean)
        self.scatter.addmm_(centred.T, centred)

    def merge(self, other: Moments) -> None:
        """Take in all that `other` has taken in."""
        if other.count:
            self._take_in(other.count, other.mean)
            self.scatter += other.scatter

    def _take_in(self, count: int, mean: Tensor) -> None:
        """Shift count and mean, and add the scatter between the two means."""
        total, gap = self.count + count, mean - self.mean
        self.scatter.addr_(gap, gap, alpha=self.count * count / total)
        self.mean = self.mean + gap * (count / total)
        self.count = total

    @property
    def trace(self) -> float:
        """Of the covariance."""
        return float(self.scatter.trace()) / (self.count - 1)


class StoredFeatures:
    """The features themselves: for fewer images than dimensions, smaller than a covariance."""

    def __init__(self, dim: int) -> None:
        self.parts = [torch.empty(0, dim)]

    def add(self, features: Tensor) -> None:
        """Take in (n, d) features."""
        self.parts.append(features.clone())  # a view would keep the whole batch in memory

    @property
    def count(self) -> int:
        """Images seen."""
        return sum(map(len, self.parts))

    @property
    def rows(self) -> Tensor:
        """(n, d) features, as they came."""
        return torch.cat(self.parts)

    @property
    def mean(self) -> Tensor:
        """(d,) float64."""
        return self.rows.to(torch.float64).mean(0)

    def factor(self) -> Tensor:
        """(n, d) F with covariance = F^T F."""
        rows = self.rows.to(torch.float64)
        return (rows - rows.mean(0)) / (len(rows) - 1) ** 0.5

    @property
    def trace(self) -> float:
        """Of the covariance."""
        return float(self.factor().square().sum())


Summary = Moments | StoredFeatures


def summary_for(count: int, dim: int) -> Summary:
    """An empty summary for at most `count` images: the form that takes less memory."""
    return StoredFeatures(dim) if count < dim else Moments(dim)


def absorb(pool: Summary, part: Summary) -> None:
    """Add to `pool` what `part` has taken in; stored features take only stored features."""
    if isinstance(part, StoredFeatures):
        for features in part.parts:
            pool.add(features)
    elif isinstance(pool, Moments):
        pool.merge(part)
    else:
        raise ValueError("a part has more images than its pool")


def frechet_distance(one: Summary, other: Summary) -> float:
    """|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson and Landau, 1982; Heusel et al., 2017).

    Covariances are divided by n - 1. Raises ValueError for fewer than 2 images.
    """
    if min(one.count, other.count) < 2:
        raise ValueError(f"{one.count} and {other.count} images: a covariance needs 2")
    gap = float((one.mean - other.mean).square().sum())
    distance = gap + one.trace + other.trace - 2 * _trace_of_root(one, other)
    return max(distance, 0.0)  # equal sets miss zero by rounding, on either side


def _trace_of_root(one: Summary, other: Summary) -> float:
    """Tr (S1 S2)^(1/2), from the smallest matrix that has the eigenvalues of S1 S2.

    With S1 = F^T F they are those of F S2 F^T, symmetric; with S2 = G^T G too, the squares of
    the singular values of F G^T. Stored features are their own F, of n rows instead of d.
    """
    if isinstance(other, StoredFeatures):
        if isinstance(one, StoredFeatures):
            return float(torch.linalg.svdvals(one.factor() @ other.factor().T).sum())
        return _trace_of_root(other, one)
    if isinstance(one, StoredFeatures):
        factor, scale = one.factor(), 1.0
    else:
        factor, scale = _factor(one), float(one.count - 1)
    product = factor @ other.scatter @ factor.T
    del factor  # as large as the product, which the eigenvalues need twice
    return _sum_of_roots(torch.linalg.eigvalsh(product)) / (scale * (other.count - 1)) ** 0.5


def _factor(moments: Moments) -> Tensor:
    """(r, d) F with scatter = F^T F: by Cholesky, or by eigenvectors where it is singular."""
    lower, failed = torch.linalg.cholesky_ex(moments.scatter)
    pivots = lower.diagonal()
    if not failed and pivots.min() ** 2 > len(pivots) * NOISE * pivots.max() ** 2:
        return lower.T
    values, vectors = torch.linalg.eigh(moments.scatter)
    kept = values > NOISE * values.max()
    return (vectors[:, kept] * values[kept].sqrt()).T


def _sum_of_roots(values: Tensor) -> float:
    """Sum of the square roots of eigenvalues; those below their rounding error are zero.

    The root would turn an error of 1e-16 into 1e-8, once for every dimension without spread.
    """
    if not len(values):
        return 0.0
    return float(values[values > NOISE * values.max()].sqrt().sum())
