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


def near_copies(synthetic: Tensor, real: Tensor) -> NearCopies:
    """(m, ...), (n, ...) float points of a class: which are nearer to a real point than usual.

    A copy is at most NEAR times as far from a real point as real points are from each other, by
    Euclidean distance to the nearest, on average. Raises ValueError for fewer than 2 real points.
    """
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    usual = (real - real[nearest(real, 1)[:, 0]]).norm(dim=1).mean()
    found = [torch.cdist(block, real).min(1) for block in synthetic.split(ROWS)]
    index = torch.cat([block.indices for block in found])
    # Not from cdist, which loses small distances in rounding.
    distance = (synthetic - real[index]).norm(dim=1)
    return NearCopies(distance <= NEAR * usual, index, distance / usual.clamp(min=1e-12))
