"""How much of one set of features lies near another, without an n-by-n matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from imbsynth.core.neighbors import nearest

PRECISION_K, DENSITY_K = 3, 5  # neighbors that span a ball: Kynkäänniemi et al., Naeem et al.
ROWS = 512  # points compared at once
ROUNDING = 1e-12  # of the largest squared norm: a point on the edge of a ball is in it


class Manifolds(NamedTuple):
    """The higher, the better the synthetic images; all but density are at most 1."""

    precision: float  # share of fakes in the ball of some real point (Kynkäänniemi et al., 2019)
    recall: float  # share of real points in the ball of some fake
    density: float  # balls of real points around a fake, over k (Naeem et al., 2020)
    coverage: float  # share of real points with a fake in their ball


def compare_manifolds(real: Tensor, fake: Tensor) -> Manifolds:
    """(n, d), (m, d) features -> precision and recall (k = 3), density and coverage (k = 5).

    The ball of a point reaches to its k-th nearest neighbor in its own set. Raises ValueError
    for sets of at most k points.
    """
    reach = _squared_reach(real, DENSITY_K)
    real_reach, wide_reach = reach[:, PRECISION_K - 1], reach[:, DENSITY_K - 1]
    fake_reach = _squared_reach(fake, PRECISION_K)[:, PRECISION_K - 1]

    recalled = torch.zeros(len(real), dtype=torch.bool)
    covered = torch.zeros(len(real), dtype=torch.bool)
    precise = balls = 0
    for rows, distances in _squared_distances(fake, real):
        precise += int((distances <= real_reach).any(1).sum())
        recalled |= (distances <= fake_reach[rows, None]).any(0)
        within = distances <= wide_reach
        balls += int(within.sum())
        covered |= within.any(0)
    return Manifolds(
        precision=precise / len(fake),
        recall=float(recalled.double().mean()),
        density=balls / (DENSITY_K * len(fake)),
        coverage=float(covered.double().mean()),
    )


def _squared_reach(points: Tensor, k: int) -> Tensor:
    """(n, k) float64 squared distances to the k nearest other points."""
    found = nearest(points, k)
    squares = [
        (points[start : start + ROWS, None].double() - points[near].double()).square().sum(2)
        for start, near in zip(range(0, len(points), ROWS), found.split(ROWS), strict=True)
    ]
    return torch.cat(squares)


def _squared_distances(points: Tensor, others: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Blocks of rows and their (rows, n) float64 squared distances, less what rounding may add."""
    others = others.double()
    norms = others.square().sum(1)
    slack = ROUNDING * float(norms.max())
    for start in range(0, len(points), ROWS):
        rows = slice(start, start + ROWS)
        block = points[rows].double()
        squares = block.square().sum(1, keepdim=True) - 2 * block @ others.T + norms
        yield rows, squares - slack
