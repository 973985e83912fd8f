"""Where synthetic points come from: a sampler draws a plan, one formula computes it.

A sampler takes the (n, ...) points of one class and a generator, and yields its plan piece by
piece, without end. `take` cuts it, so that a larger number of images begins with the smaller
one's. A new method is one more function of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.neighbors import nearest


class Pairs(NamedTuple):
    """Where each synthetic point comes from: the plan, and what the manifest records."""

    base: NDArray[np.int64]  # (m,) the point it starts at
    neighbor: NDArray[np.int64]  # (m,) the point it heads for
    lam: NDArray[np.float64]  # (m,) in [0, 1), how far it goes


Sampler = Callable[[Tensor, np.random.Generator], Iterator[Pairs]]

PIECE = 1024  # rows drawn at once, about: not to be changed, since it orders the draws


def smote(points: Tensor, rng: np.random.Generator, *, neighbors: int) -> Iterator[Pairs]:
    """Chawla et al., 2002: every point in turn, towards one of its k nearest.

    A uniform one of the k = min(neighbors, n - 1) nearest of the class, Euclidean, and lam
    uniform in [0, 1). As in the paper each point is a base equally often; the remainder is drawn
    without replacement. A single point has no neighbor and is copied.
    """
    n = len(points)
    if n == 1:
        yield from ros(points, rng)
    k = min(neighbors, n - 1)
    table = nearest(points, k).cpu().numpy()
    rounds = np.tile(np.arange(n), (-(-PIECE // n), 1))
    while True:
        base = rng.permuted(rounds, axis=1).ravel()
        rank = rng.integers(k, size=len(base))
        yield Pairs(base, table[base, rank], rng.random(len(base)))


def ros(points: Tensor, rng: np.random.Generator) -> Iterator[Pairs]:
    """Random oversampling: copies of points drawn with replacement."""
    while True:
        base = rng.integers(len(points), size=PIECE)
        yield Pairs(base, base, np.zeros(PIECE))


def take(plan: Iterator[Pairs], count: int) -> Iterator[Pairs]:
    """The first `count` rows of a plan, piece by piece."""
    while count > 0:
        piece = next(plan)
        yield Pairs(piece.base[:count], piece.neighbor[:count], piece.lam[:count])
        count -= len(piece.lam)


def interpolate(start: Tensor, end: Tensor, lam: Tensor) -> Tensor:
    """x_new = x + lam * (x_nn - x): (m, ...) float points and (m,) steps -> (m, ...) points."""
    step = lam.to(start).reshape(-1, *[1] * (start.ndim - 1))
    return torch.lerp(start, end, step)
