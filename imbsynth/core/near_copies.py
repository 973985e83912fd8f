"""Synthetic images that are hardly more than a copy of a real one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from imbsynth.core.neighbors import nearest

NEAR = 0.25  # of the mean distance of a real image to its nearest neighbor in its class
ROWS = 1000  # points compared at once


class NearCopies(NamedTuple):
    """For each synthetic point, the nearest real one."""

    is_copy: Tensor  # (m,) bool
    nearest: Tensor  # (m,) int64
    distance: Tensor  # (m,), over the mean real-to-real distance


def spacing(real: Tensor) -> Tensor:
    """(n, ...) float points -> the mean Euclidean distance of each to its nearest neighbor.

    Raises ValueError for fewer than 2 points.
    """
    real = real.flatten(1)
    return (real - real[nearest(real, 1)[:, 0]]).norm(dim=1).mean()


def near_copies(synthetic: Tensor, real: Tensor, usual: Tensor | None = None) -> NearCopies:
    """(m, ...), (n, ...) float points of a class: which are nearer to a real point than usual.

    A copy is at most NEAR times as far from a real point as real points are from each other, by
    Euclidean distance to the nearest, on average. usual: `spacing(real)`, where it is known
    already. Raises ValueError for fewer than 2 real points.
    """
    usual = spacing(real) if usual is None else usual
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    found = [torch.cdist(block, real).min(1) for block in synthetic.split(ROWS)]
    index = torch.cat([block.indices for block in found])
    # Not from cdist, which loses small distances in rounding.
    distance = (synthetic - real[index]).norm(dim=1)
    return NearCopies(distance <= NEAR * usual, index, distance / usual.clamp(min=1e-12))
