"""Nearest neighbors without an n-by-n matrix."""

from __future__ import annotations

import torch
from torch import Tensor

ROWS, COLUMNS = 1024, 8192  # points compared at once: 64 MiB of distances
MOST_VALUES = 1 << 25  # of points at once, in float64: 256 MiB, which photographs fill


def nearest(points: Tensor, k: int, asked: slice | None = None) -> Tensor:
    """(n, ...) points -> (n, k) int64, the k nearest other points of each, nearest first.

    Euclidean distance, in float64: in float32 the expansion |a|^2 - 2ab + |b|^2 loses close
    pairs. A point is no neighbor of its own; an equal one is. Any number type, on any device.
    asked: the points whose neighbors are wanted, if not those of all. Raises ValueError unless
    1 <= k < n.
    """
    n = len(points)
    if not 1 <= k < n:
        raise ValueError(f"k is {k} for {n} points")
    points = points.reshape(n, -1)
    at_once = max(1, MOST_VALUES // points.shape[1])
    step = min(ROWS, at_once)
    first, last = (0, n) if asked is None else (asked.start, asked.stop)
    found = [
        _nearest_of(slice(start, min(start + step, last)), points, k, min(COLUMNS, at_once))
        for start in range(first, last, step)
    ]
    return torch.cat(found)


def _nearest_of(part: slice, points: Tensor, k: int, columns_at_once: int) -> Tensor:
    """(rows, k) neighbors of points[part], a block of candidates at a time."""
    rows = points[part].to(torch.float64)
    best = torch.full((len(rows), k), torch.inf, dtype=torch.float64, device=points.device)
    index = torch.zeros((len(rows), k), dtype=torch.int64, device=points.device)
    for first in range(0, len(points), columns_at_once):
        columns = points[first : first + columns_at_once].to(torch.float64)
        distances = columns.square().sum(1) - 2 * rows @ columns.T  # + |row|^2, the same for all
        own = torch.arange(part.start, part.start + len(rows), device=points.device) - first
        inside = (own >= 0) & (own < len(columns))
        distances[torch.nonzero(inside)[:, 0], own[inside]] = torch.inf
        candidates = torch.arange(first, first + len(columns), device=points.device)
        best, choice = torch.cat([best, distances], 1).topk(k, largest=False)
        index = torch.cat([index, candidates.expand(len(rows), -1)], 1).gather(1, choice)
    return index
