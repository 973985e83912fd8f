"""Where synthetic points come from: a sampler draws a plan, one formula computes it.

A sampler takes the (n, ...) points of one class, how many to make, and a generator. A new method
is one more function of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.neighbours import nearest


class Pairs(NamedTuple):
    """Where each synthetic point comes from: the plan, and what the manifest records."""

    base: NDArray[np.int64]  # (m,) the point it starts at
    neighbour: NDArray[np.int64]  # (m,) the point it heads for
    lam: NDArray[np.float64]  # (m,) in [0, 1), how far it goes


Sampler = Callable[[Tensor, int, np.random.Generator], Pairs]


def smote(points: Tensor, count: int, rng: np.random.Generator, *, neighbours: int) -> Pairs:
    """Chawla et al., 2002: every point in turn, towards one of its k nearest.

    A uniform one of the k = min(neighbours, n - 1) nearest of the class, Euclidean, and lam
    uniform in [0, 1). As in the paper each point is a base equally often; the remainder is drawn
    without replacement. A single point has no neighbour and is copied.
    """
    n = len(points)
    if n == 1:
        return ros(points, count, rng)
    k = min(neighbours, n - 1)
    rounds = [rng.permutation(n) for _ in range(-(-count // n))]
    base = np.concatenate([*rounds, np.empty(0, np.int64)])[:count]
    rank = rng.integers(k, size=count)
    lam = rng.random(count)
    table = nearest(points, k).cpu().numpy()
    return Pairs(base, table[base, rank], lam)


def ros(points: Tensor, count: int, rng: np.random.Generator) -> Pairs:
    """Random oversampling: copies of points drawn with replacement."""
    base = rng.integers(len(points), size=count)
    return Pairs(base, base, np.zeros(count))


def interpolate(start: Tensor, end: Tensor, lam: Tensor) -> Tensor:
    """x_new = x + lam * (x_nn - x): (m, ...) float points and (m,) steps -> (m, ...) points."""
    step = lam.to(start).reshape(-1, *[1] * (start.ndim - 1))
    return torch.lerp(start, end, step)
